//! One line of a record: `<time> <user> <topic> <message>`, the message byte for byte.
//!
//! A gap is a line, too: `<time> $record $record.gap lines=<n> bytes=<n> reason=<text>`. No user is
//! called `$record` and nobody can send to a topic that begins with `$`, so that nothing else looks
//! like it. `?` stands for a number that nobody knows.

use std::fmt;

use linebus_protocol::text::check_line;
use linebus_protocol::{BUS_USER, Topic, is_name};
use memchr::memchr;
use thiserror::Error;

use crate::time::Time;

/// Who says what a record says about itself.
pub const RECORD_USER: &str = "$record";
/// Where it says that lines are missing.
pub const GAP_TOPIC: &str = "$record.gap";

/// One message, as a record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When the bus took it.
    pub time: Time,
    /// Who sent it.
    pub user: &'a str,
    /// Where to.
    pub topic: Topic<'a>,
    /// The message, byte for byte.
    pub message: &'a str,
}

/// Why something is no line of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadLine {
    /// Not UTF-8, or with control characters.
    #[error("it is no text")]
    Text,
    /// It does not begin with a time.
    #[error("it does not begin with a time")]
    Time,
    /// The second word is no user.
    #[error("its second word is no user")]
    User,
    /// The third word is no topic, or nothing follows it.
    #[error("its third word is no topic")]
    Topic,
}

impl<'a> Entry<'a> {
    /// Reads a line, its LF taken off.
    ///
    /// # Errors
    /// [`BadLine`] says what is wrong with it.
    pub fn parse(line: &'a [u8]) -> Result<Self, BadLine> {
        let time = Time::parse(line).ok_or(BadLine::Time)?;
        let text = check_line(line).ok_or(BadLine::Text)?;
        let rest = text[Time::BYTES..].strip_prefix(' ').ok_or(BadLine::Time)?;
        let (user, rest) = rest.split_once(' ').ok_or(BadLine::User)?;
        if !is_name(user) && user != BUS_USER && user != RECORD_USER {
            return Err(BadLine::User);
        }
        let (topic, message) = rest.split_once(' ').ok_or(BadLine::Topic)?;
        let topic = Topic::parse(topic).map_err(|_| BadLine::Topic)?;
        Ok(Self { time, user, topic, message })
    }

    /// Whether it says that lines are missing.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.user == RECORD_USER && self.topic.as_str() == GAP_TOPIC
    }
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, user, topic, message } = self;
        write!(f, "{time} {user} {topic} {message}")
    }
}

/// A line as the bus says it to those who watch: `watch <topic> <time> <user> <message>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watched<'a> {
    topic: &'a [u8],
    pub(crate) time: Time,
    user: &'a [u8],
    message: &'a [u8],
}

/// What stands before the topic.
pub(crate) const WATCH: &[u8] = b"watch ";

impl<'a> Watched<'a> {
    /// Reads a line, its LF taken off.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let (topic, rest) = word(line.strip_prefix(WATCH)?)?;
        let time = Time::parse(rest)?;
        let (user, message) = word(rest[Time::BYTES..].strip_prefix(b" ")?)?;
        Some(Self { topic, time, user, message })
    }

    /// How long it is in a record, LF included.
    pub(crate) const fn recorded_len(&self) -> usize {
        Time::BYTES + self.user.len() + self.topic.len() + self.message.len() + 4
    }

    /// Appends it as a record has it.
    pub(crate) fn record(&self, out: &mut Vec<u8>) {
        let time = self.time.as_str().as_bytes();
        for part in [time, b" ", self.user, b" ", self.topic, b" ", self.message, b"\n"] {
            out.extend_from_slice(part);
        }
    }
}

/// The first word, and what follows the space behind it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b' ', text)?;
    Some((&text[..end], &text[end + 1..]))
}

/// Lines that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// How many lines and how many bytes the bus said; nothing if nobody knows.
    pub size: Option<(u64, u64)>,
    /// When the last of them was sent.
    pub last: Option<Time>,
    /// Why.
    pub reason: String,
}

impl Gap {
    /// Takes another one in that follows it.
    pub(crate) fn extend(&mut self, later: &Self) {
        self.size = match (self.size, later.size) {
            (Some((lines, bytes)), Some((more_lines, more_bytes))) => {
                Some((lines + more_lines, bytes + more_bytes))
            }
            _ => None,
        };
        self.last = later.last.or(self.last);
        if !self.reason.contains(&later.reason) {
            self.reason = format!("{}; {}", self.reason, later.reason);
        }
    }

    /// Appends its line, as said at `time`.
    pub(crate) fn record(&self, time: Time, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{time} {RECORD_USER} {GAP_TOPIC} {self}\n").as_bytes());
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size {
            Some((lines, bytes)) => write!(f, "lines={lines} bytes={bytes}")?,
            None => f.write_str("lines=? bytes=?")?,
        }
        // A system's words might not be fit to stand in a line.
        let reason: String = self.reason.chars().filter(|char| !char.is_control()).collect();
        write!(f, " reason={reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-27T13:47:24.000001Z";

    #[test]
    fn what_is_watched_is_recorded_and_read_byte_for_byte() {
        for message in ["", " ", "x", "two  blanks ", "grüezi\t🙂", "@_reply.7f3c"] {
            let watch = format!("watch a.b {TIME} alice {message}");
            let watched = Watched::parse(watch.as_bytes()).expect("the bus said it");
            let mut line = Vec::new();
            watched.record(&mut line);
            assert_eq!(line.len(), watched.recorded_len());
            assert_eq!(line.pop(), Some(b'\n'));
            let entry = Entry::parse(&line).expect("it was recorded");
            assert_eq!(entry.to_string().as_bytes(), line);
            assert_eq!((entry.user, entry.topic.as_str()), ("alice", "a.b"));
            assert_eq!((entry.message, entry.is_gap()), (message, false));
        }
    }

    #[test]
    fn what_else_a_bus_says_is_not_recorded() {
        for line in ["ok watch >", "hello linebus 1", "watch", "watch t", "watch t now alice x"] {
            assert_eq!(Watched::parse(line.as_bytes()), None, "{line}");
        }
        let cut = format!("watch t {TIME} alice");
        assert_eq!(Watched::parse(cut.as_bytes()), None);
    }

    #[test]
    fn each_damage_has_its_name() {
        for (line, expected) in [
            ("", BadLine::Time),
            ("2026-11-27T13:47:24.00", BadLine::Time),
            ("2026-11-27T13:47:24.000001Zx a t m", BadLine::Time),
            ("2026-11-27T13:47:24.000001Z alice", BadLine::User),
            ("2026-11-27T13:47:24.000001Z al!ce t m", BadLine::User),
            ("2026-11-27T13:47:24.000001Z alice t", BadLine::Topic),
            ("2026-11-27T13:47:24.000001Z alice t..u m", BadLine::Topic),
            ("2026-11-27T13:47:24.000001Z alice t m\0", BadLine::Text),
        ] {
            assert_eq!(Entry::parse(line.as_bytes()), Err(expected), "{line:?}");
        }
    }

    #[test]
    fn a_gap_is_a_line_that_nobody_else_can_say() {
        let mut gap = Gap { size: Some((3, 40)), last: None, reason: "disk full".to_owned() };
        gap.extend(&Gap { size: Some((1, 2)), last: None, reason: "disk full".to_owned() });
        let time = Time::parse(TIME.as_bytes()).expect("it is one");
        let mut line = Vec::new();
        gap.record(time, &mut line);
        line.pop();
        let entry = Entry::parse(&line).expect("it is a line");
        assert!(entry.is_gap());
        assert_eq!(entry.message, "lines=4 bytes=42 reason=disk full");
        gap.extend(&Gap { size: None, last: Some(time), reason: "cut\noff".to_owned() });
        assert_eq!(gap.to_string(), "lines=? bytes=? reason=disk full; cutoff");
        assert_eq!(gap.last, Some(time));
    }
}
