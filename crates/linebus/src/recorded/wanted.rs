//! Which lines of a record are wanted: by time, topic, user and text.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use linebus_protocol::Pattern;
use linebus_record::reader::{Damaged, Range};
use linebus_record::{Entry, Time};
use regex::Regex;

/// The lines that are wanted; all of them if nothing is said.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wanted {
    /// Not before this time (UTC): 2026-11-27, 2026-11-27T13:30, 2026-11-27T13:30:00+01:00, or how
    /// long ago: 90s, 15m, 2h, 3d.
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<Time>,
    /// Before this time, written in the same ways.
    #[arg(long, value_name = "TIME", value_parser = when)]
    until: Option<Time>,
    /// Sent to a topic that this covers, wildcards as in `watch`; may be given several times.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    topic: Vec<String>,
    /// Sent by this user; may be given several times.
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// With a message in which this regular expression is found.
    #[arg(long, value_name = "REGEX", value_parser = Regex::new)]
    grep: Option<Regex>,
}

impl Wanted {
    /// The time from and to which is read.
    pub(crate) fn range(&self) -> Range {
        Range { since: self.since, until: self.until }
    }

    /// Whether an entry of that time is wanted.
    pub(crate) fn wants(&self, entry: &Entry<'_>) -> bool {
        let covers = |pattern: &String| {
            Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(entry.topic))
        };
        (self.topic.is_empty() || self.topic.iter().any(covers))
            && (self.user.is_empty() || self.user.iter().any(|user| user == entry.user))
            && self.grep.as_ref().is_none_or(|grep| grep.is_match(entry.message))
    }
}

/// Most damaged places that are told one by one.
const DAMAGED_TOLD_MAX: usize = 100;

/// What a reader should know besides the lines that it wanted.
#[derive(Debug, Default)]
pub(crate) struct Asides {
    damaged: usize,
    gaps: usize,
}

impl Asides {
    /// Tells of something that is damaged, on standard error.
    pub(crate) fn damaged(&mut self, damaged: &Damaged<'_>) {
        self.damaged += 1;
        if self.damaged <= DAMAGED_TOLD_MAX {
            eprintln!("linebus: {damaged}");
        }
    }

    /// Notes a line that was not wanted, which may be one that says that others are missing.
    pub(crate) fn unwanted(&mut self, entry: &Entry<'_>) {
        self.gaps += usize::from(entry.is_gap());
    }

    /// Tells the rest.
    pub(crate) fn tell(&self) {
        if self.damaged > DAMAGED_TOLD_MAX {
            let more = self.damaged - DAMAGED_TOLD_MAX;
            eprintln!("linebus: {more} more damaged places were skipped");
        }
        if self.gaps > 0 {
            let gaps = self.gaps;
            eprintln!(
                "linebus: the record has {gaps} gaps in this time, where lines are missing; --topic \
                 '$record.gap' shows them"
            );
        }
    }
}

/// A time as people write it.
fn when(text: &str) -> Result<Time, String> {
    if let Some(ago) = ago(text) {
        let now = Timestamp::now();
        return now.checked_sub(ago).map(Time::from).map_err(|error| error.to_string());
    }
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        Offset::UTC.to_timestamp(civil).ok()
    });
    timestamp.map(Time::from).ok_or_else(|| {
        "a time is wanted, such as 2026-11-27, 2026-11-27T13:30 (UTC), or 15m for 15 minutes ago"
            .to_owned()
    })
}

fn ago(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(SignedDuration::from_secs(i64::from(number) * seconds))
}

fn pattern(text: &str) -> Result<String, String> {
    match Pattern::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(rule) => Err(rule.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_several_ways() {
        for (text, expected) in [
            ("2026-11-27", "2026-11-27T00:00:00.000000Z"),
            ("2026-11-27T13:30", "2026-11-27T13:30:00.000000Z"),
            ("2026-11-27 13:30:05.25", "2026-11-27T13:30:05.250000Z"),
            ("2026-11-27T13:30:00+01:00", "2026-11-27T12:30:00.000000Z"),
            ("2026-11-27T13:30:00.000001Z", "2026-11-27T13:30:00.000001Z"),
        ] {
            assert_eq!(when(text).map(|time| time.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7_200), ("3d", 259_200)] {
            assert_eq!(ago(text), Some(SignedDuration::from_secs(seconds)), "{text}");
            let time = when(text).expect("it is one");
            assert!(time < Time::now(), "{text}");
        }
        for wrong in ["", "m", "-1m", "1w", "yesterday", "2026-13-01", "13:30", "5️⃣m"] {
            let error = when(wrong).expect_err(wrong);
            assert!(error.starts_with("a time is wanted"), "{error}");
        }
    }
}
