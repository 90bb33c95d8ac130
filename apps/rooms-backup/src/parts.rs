//! A content cut into numbered parts that fit into lines, and which of them are asked for.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use thiserror::Error;

use crate::DATA_SET_BYTES_MAX;

/// A part has at most so many bytes, whatever the bus would take: 8 KiB in a line.
pub const PART_BYTES_MAX: usize = 6144;
/// A question names at most so many runs of numbers.
pub const RANGES_MAX: usize = 16;
/// A question names at most so many parts; the answer is that many lines.
pub const WANTED_PARTS_MAX: usize = 64;

/// What a `part` line has besides its bytes, `send backup` and the line's end included:
/// `send backup part <owner of 40> <hash of 64> <number of 8> ` are 136.
const OVERHEAD_BYTES: usize = 160;

/// How many bytes of a content fit into a line of a bus: base64 makes four characters of three.
/// The bus takes lines of at least [`LINE_BYTES_MIN`](crate::LINE_BYTES_MIN).
#[must_use]
pub fn part_bytes(line_bytes_max: usize) -> usize {
    (line_bytes_max.saturating_sub(OVERHEAD_BYTES) / 4 * 3).clamp(1, PART_BYTES_MAX)
}

/// How many parts a content has.
pub(crate) fn count(bytes: usize, part_bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(part_bytes)).expect("a data set has fewer bytes")
}

/// Where part `number` (from 1) of a content lies; nowhere if there is none.
pub(crate) fn place(number: u32, bytes: usize, part_bytes: usize) -> Option<Range<usize>> {
    let begin = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(part_bytes)?;
    (begin < bytes).then(|| begin..bytes.min(begin.saturating_add(part_bytes)))
}

/// Numbers of parts, as in `1-32,40`: ascending, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<RangeInclusive<u32>>);

/// Why a word names no parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "parts are numbers such as 1-32,40, ascending, at most {RANGES_MAX} runs and {WANTED_PARTS_MAX} parts"
)]
pub struct BadRanges;

impl Ranges {
    /// The first of `numbers`, which ascend, as many as one question may name; none of none.
    pub(crate) fn first_of(numbers: impl Iterator<Item = u32>) -> Option<Self> {
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for number in numbers.take(WANTED_PARTS_MAX) {
            let full = ranges.len() == RANGES_MAX;
            match ranges.last_mut() {
                Some(last) if *last.end() + 1 == number => *last = *last.start()..=number,
                _ if full => break,
                _ => ranges.push(number..=number),
            }
        }
        (!ranges.is_empty()).then_some(Self(ranges))
    }

    /// All numbers, in order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().cloned().flatten()
    }
}

impl FromStr for Ranges {
    type Err = BadRanges;

    fn from_str(text: &str) -> Result<Self, BadRanges> {
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        let mut parts = 0;
        for run in text.split(',') {
            let (from, to) = run.split_once('-').unwrap_or((run, run));
            let (from, to) = (number(from)?, number(to)?);
            let after = ranges.last().map_or(0, |last| *last.end());
            if from <= after || to < from || ranges.len() == RANGES_MAX {
                return Err(BadRanges);
            }
            parts += u64::from(to - from) + 1;
            if parts > WANTED_PARTS_MAX as u64 {
                return Err(BadRanges);
            }
            ranges.push(from..=to);
        }
        Ok(Self(ranges))
    }
}

fn number(text: &str) -> Result<u32, BadRanges> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number).ok_or(BadRanges)?;
    // No content has more parts than bytes.
    if usize::try_from(number).is_ok_and(|number| number <= DATA_SET_BYTES_MAX) {
        Ok(number)
    } else {
        Err(BadRanges)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (from, to) if from == to => write!(f, "{comma}{from}")?,
                (from, to) => write!(f, "{comma}{from}-{to}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_content_lie_side_by_side_and_the_last_is_shorter() {
        let places: Vec<_> = (0..5).map(|number| place(number, 10, 4)).collect();
        assert_eq!(places, [None, Some(0..4), Some(4..8), Some(8..10), None]);
        assert_eq!((count(10, 4), count(8, 4), count(0, 4)), (3, 2, 0));
        assert_eq!(place(1, 0, 4), None);
        assert_eq!(place(u32::MAX, 10, usize::MAX), None);
    }

    #[test]
    fn a_part_fits_into_the_lines_of_any_bus_that_takes_enough() {
        for line_bytes_max in [1024, 1025, 1027, 4096, 8192, 65536, usize::MAX] {
            let bytes = part_bytes(line_bytes_max);
            assert!(bytes >= 600);
            assert!(136 + bytes.div_ceil(3) * 4 < line_bytes_max);
        }
        assert_eq!(part_bytes(65536), PART_BYTES_MAX);
    }

    #[test]
    fn runs_are_written_short_and_read_again() {
        for (numbers, text) in
            [(vec![1], "1"), (vec![1, 2, 3], "1-3"), (vec![1, 3, 4, 9], "1,3-4,9")]
        {
            let ranges = Ranges::first_of(numbers.iter().copied()).expect("there are some");
            assert_eq!(ranges.to_string(), text);
            assert_eq!(ranges.numbers().collect::<Vec<_>>(), numbers);
            assert_eq!(text.parse(), Ok(ranges));
        }
        assert_eq!(Ranges::first_of(std::iter::empty()), None);
    }

    #[test]
    fn nobody_asks_for_more_than_the_limits() {
        let most = Ranges::first_of(1..1000).expect("there are some");
        assert_eq!(most.to_string(), "1-64");
        assert!("1-65".parse::<Ranges>().is_err());
        let odd = Ranges::first_of((1..1000).step_by(2)).expect("there are some");
        assert_eq!(odd.numbers().count(), RANGES_MAX);
        assert!(odd.to_string().parse::<Ranges>().is_ok());
        assert!(format!("{odd},99").parse::<Ranges>().is_err());
        assert!("16777216".parse::<Ranges>().is_ok());
        for bad in ["", "0", "2-1", "1,1", "3,2", "1-", "-1", "+1", "a", "1-2-3", "1,", "16777217"]
        {
            assert_eq!(bad.parse::<Ranges>(), Err(BadRanges), "{bad}");
        }
        assert!("1-4294967295".parse::<Ranges>().is_err());
    }
}
