//! Runs: many `send` lines to one topic, recognised in one pass and turned around in place.
//!
//! What a sender writes and what a receiver reads differ in one word of equal length, so the
//! bytes that came in, `send` overwritten by `recv`, are the bytes that go out. Per line this
//! costs one comparison with the run's first line. Anything unusual (more than one blank, a TAB
//! between words, an overlong line) ends the run, and [`Command`] reads it.
//!
//! [`Command`]: crate::Command

use memchr::memchr;

use crate::topic::{TOPIC_BYTES_MAX, Topic};

const SEND: &[u8; 4] = b"send";
pub(crate) const RECV: &[u8; 4] = b"recv";

/// Where a run stands in the bytes that it was found at the beginning of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Length of the topic's name, which begins at byte 5. Not checked yet: a name that is in
    /// use was checked when it was joined.
    topic_len: usize,
    /// Bytes in all its lines, LFs included.
    pub len: usize,
    /// How many lines.
    pub lines: usize,
}

impl Run {
    /// Looks for a run in `bytes` that begins at `at`. `ends` are where the lines end that it may
    /// take, its first one's first, as [`scan`](crate::scan::scan) found them; all are clean as
    /// [`is_clean`](crate::text::is_clean) has it. Lines longer than `line_bytes_max` are not
    /// taken.
    ///
    /// The lines' verb is `recv` afterwards.
    #[must_use]
    pub fn take(bytes: &mut [u8], at: usize, ends: &[u32], line_bytes_max: usize) -> Option<Self> {
        let (first, others) = ends.split_first()?;
        let first = *first as usize;
        let topic_len = Self::topic_len(&bytes[at..first])?;
        if first - at > line_bytes_max {
            return None;
        }
        let prefix = at..at + SEND.len() + topic_len + 2;
        let (mut end, mut lines) = (first, 1);
        let beginning = Beginning::new(&bytes[prefix.clone()], &bytes[at..]);
        for next in others {
            let next = *next as usize;
            if next - end > line_bytes_max
                || !beginning.begins(&bytes[prefix.clone()], &bytes[end..])
            {
                break;
            }
            bytes[end..end + SEND.len()].copy_from_slice(RECV);
            end = next;
            lines += 1;
        }
        bytes[at..at + SEND.len()].copy_from_slice(RECV);
        Some(Self { topic_len, len: end - at, lines })
    }

    /// The length of the topic in a clean line that begins `send <topic> `.
    fn topic_len(line: &[u8]) -> Option<usize> {
        let rest = line.strip_prefix(SEND)?.strip_prefix(b" ")?;
        let end = match rest.first_chunk().map(|head| first_blank(*head)) {
            Some(end) if end < 16 => end,
            _ => {
                let rest = &rest[..rest.len().min(TOPIC_BYTES_MAX + 1)];
                rest.iter().position(|b| matches!(b, b' ' | b'\t' | b'\n'))?
            }
        };
        (end > 0 && rest[end] == b' ').then_some(end)
    }

    /// The topic's name in the bytes of the run, unchecked.
    #[must_use]
    pub fn topic<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[5..5 + self.topic_len]
    }

    /// Gives the lines their verb `send` back, for lines that turn out to need a closer look.
    pub fn undo(&self, bytes: &mut [u8]) {
        let mut at = 0;
        for _ in 0..self.lines {
            bytes[at..at + 4].copy_from_slice(SEND);
            at += memchr(b'\n', &bytes[at..self.len]).map_or(0, |end| end + 1);
        }
    }
}

/// Where in clean text the first blank, TAB or LF is: the first byte below 0x21. 16 if there is
/// none.
pub(crate) fn first_blank(text: [u8; 16]) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    let text = u128::from_le_bytes(text);
    // The sign of each byte of the difference, up to the first that is negative and borrows.
    let below = text.wrapping_sub(ONES * 0x21) & !text & (ONES * 0x80);
    below.trailing_zeros() as usize / 8
}

/// How many bytes are compared in one operation.
pub(crate) const HEAD_BYTES: usize = 32;

pub(crate) fn halves(head: &[u8; HEAD_BYTES]) -> [&[u8; 16]; 2] {
    let [first, second] = head.as_chunks().0 else { unreachable!("it has two halves") };
    [first, second]
}

/// As numbers, with only the bits that `mask` has.
pub(crate) fn masked(head: &[u8; HEAD_BYTES], mask: [u128; 2]) -> [u128; 2] {
    let [first, second] = halves(head).map(|half| u128::from_le_bytes(*half));
    [first & mask[0], second & mask[1]]
}

/// Whether that is what comes of it. Half after half: comparing the two as one array costs more.
pub(crate) fn is_masked(head: &[u8; HEAD_BYTES], mask: [u128; 2], wanted: [u128; 2]) -> bool {
    let [first, second] = masked(head, mask);
    first == wanted[0] && second == wanted[1]
}

/// What the lines of a run begin with, `send <topic> `, made ready to be compared in one
/// operation where it is short: a call of `memcmp` per line would cost three times as much.
struct Beginning {
    /// Its first bytes, and which of them there are.
    head: [u128; 2],
    mask: [u128; 2],
}

impl Beginning {
    /// `line` begins with `whole`.
    fn new(whole: &[u8], line: &[u8]) -> Self {
        let mut mask = [0; HEAD_BYTES];
        mask[..whole.len().min(HEAD_BYTES)].fill(u8::MAX);
        let mask = masked(&mask, [u128::MAX; 2]);
        // Of a line near the end of the text, none that follows has so many bytes either, and the
        // head does not matter.
        let head = line.first_chunk().copied().unwrap_or_default();
        Self { head: masked(&head, mask), mask }
    }

    /// Whether `line`, which may be followed by others, begins with `whole`, too.
    fn begins(&self, whole: &[u8], line: &[u8]) -> bool {
        match line.first_chunk() {
            Some(head) if !is_masked(head, self.mask, self.head) => false,
            Some(_) if whole.len() <= HEAD_BYTES => true,
            _ => line.starts_with(whole),
        }
    }
}

/// Appends the `recv` line for one message.
pub fn write_recv(out: &mut Vec<u8>, topic: Topic<'_>, message: &[u8]) {
    out.reserve(topic.as_str().len() + message.len() + 7);
    for part in [b"recv ", topic.as_str().as_bytes(), b" ", message, b"\n"] {
        out.extend_from_slice(part);
    }
}

/// Appends the `watch` line for a `recv` line, LF included; `stamp` is `<time> <user>`.
pub fn write_watch(out: &mut Vec<u8>, stamp: &str, recv_line: &[u8]) {
    let (topic, rest) = recv_line[RECV.len() + 1..].split_at(topic_of(recv_line).len());
    out.reserve(recv_line.len() + stamp.len() + 2);
    for part in [b"watch ", topic, b" ", stamp.as_bytes(), rest] {
        out.extend_from_slice(part);
    }
}

/// The topic's name in a `recv` or `watch` line: its second word.
#[must_use]
pub fn topic_of(line: &[u8]) -> &[u8] {
    let after = |from: usize| memchr(b' ', &line[from..]).map_or(line.len(), |at| from + at);
    let start = (after(0) + 1).min(line.len());
    &line[start..after(start)]
}

/// The lines in `bytes`, each with its LF.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest)? + 1;
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scan;

    #[track_caller]
    fn check(input: &str, expected: Option<(&str, &str, usize)>) {
        let mut bytes = input.as_bytes().to_vec();
        let mut ends = Vec::new();
        scan(&bytes, 0, &mut ends);
        let run = Run::take(&mut bytes, 0, &ends, 32);
        let text = run.map(|run| String::from_utf8(bytes[..run.len].to_vec()).expect("was text"));
        let got = run.zip(text.as_deref()).map(|(run, text)| {
            (str::from_utf8(run.topic(&bytes)).expect("was text"), text, run.lines)
        });
        assert_eq!(got, expected);
        if let Some(run) = run {
            run.undo(&mut bytes);
        }
        assert_eq!(bytes, input.as_bytes(), "undo restores");
    }

    #[test]
    fn a_run_ends_where_anything_differs() {
        check("send t x\n", Some(("t", "recv t x\n", 1)));
        check("send t \n", Some(("t", "recv t \n", 1)));
        check("send t a\nsend t  b\nsend t \n", Some(("t", "recv t a\nrecv t  b\nrecv t \n", 3)));
        check("send t a\nsend tt b\n", Some(("t", "recv t a\n", 1)));
        check("send t a\nping\nsend t b\n", Some(("t", "recv t a\n", 1)));
        check("send t a\nsend t\nsend t b\n", Some(("t", "recv t a\n", 1)));
        check("send t a\nsend  t b\n", Some(("t", "recv t a\n", 1)));
        check("send t a\nsend t 12345678901234567890123456\n", Some(("t", "recv t a\n", 1)));
        check(
            "send t 123456789012345678901234\nsend t b\n",
            Some(("t", "recv t 123456789012345678901234\nrecv t b\n", 2)),
        );
    }

    #[test]
    fn a_topic_of_any_length_is_found() {
        for len in 1..=TOPIC_BYTES_MAX {
            for message in ["", "x", "longer than the sixteen bytes that are looked at together"] {
                let topic = "t~".repeat(len)[..len].to_owned();
                let line = format!("send {topic} {message}\n");
                assert_eq!(Run::topic_len(line.as_bytes()), Some(len), "{line}");
                let line = format!("send {topic}\t{message}\n");
                assert_eq!(Run::topic_len(line.as_bytes()), None, "{line}");
            }
        }
    }

    #[test]
    fn topics_of_any_length_are_told_apart() {
        for len in 1..=TOPIC_BYTES_MAX {
            let topic = "t~".repeat(len)[..len].to_owned();
            for (at, lines) in [(0, 1), (len / 2, 1), (len - 1, 1), (len, 3)] {
                let mut other = topic.clone().into_bytes();
                other.get_mut(at).into_iter().for_each(|byte| *byte = b'x');
                let other = String::from_utf8(other).expect("ASCII");
                for message in ["", "longer than the bytes that are looked at together"] {
                    let text = format!("send {topic} a\nsend {other} {message}\nsend {topic} b\n");
                    let (mut bytes, mut ends) = (text.into_bytes(), Vec::new());
                    scan(&bytes, 0, &mut ends);
                    let run = Run::take(&mut bytes, 0, &ends, 300).expect("it begins one");
                    assert_eq!(run.lines, lines, "{topic} {other}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for input in [
            "ping\n",
            "send\n",
            "send \n",
            "send t\n",
            "send\tt x\n",
            "send t\tx\n",
            "send  t x\n",
            "send t 1234567890123456789012345\n",
        ] {
            check(input, None);
        }
        check(&format!("send {} x\n", "t".repeat(201)), None);
    }

    #[test]
    fn a_watch_line_says_when_and_who() {
        let mut out = Vec::new();
        let topic = Topic::parse("a.b").expect("good");
        write_recv(&mut out, topic, b" x ");
        assert_eq!(out, b"recv a.b  x \n");
        let mut watch = Vec::new();
        write_watch(&mut watch, "T bob", &out);
        assert_eq!(watch, b"watch a.b T bob  x \n");
    }
}
