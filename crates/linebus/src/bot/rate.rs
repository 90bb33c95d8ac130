//! How often a rule may act: at most so many times in any second, minute, hour or day.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// A limit, as in `at_most = "5 per minute"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtMost {
    times: usize,
    unit: &'static str,
    period: Duration,
}

/// Most times per period: a rule remembers when each was.
const TIMES_MAX: usize = 100_000;
const UNITS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];

impl Default for AtMost {
    /// More than a person wants to read, and little enough that two bots which answer each other
    /// are no burden.
    fn default() -> Self {
        Self { times: 60, unit: "minute", period: Duration::from_secs(60) }
    }
}

impl AtMost {
    /// Reads a limit.
    ///
    /// # Errors
    /// What would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split_whitespace().collect();
        let limit = match words[..] {
            [times, "per", word] => UNITS
                .iter()
                .find(|(unit, _)| *unit == word)
                .zip(times.parse().ok().filter(|times| (1..=TIMES_MAX).contains(times))),
            _ => None,
        };
        let Some((&(unit, seconds), times)) = limit else {
            return Err(format!(
                "a number from 1 to {TIMES_MAX} per second, minute, hour or day is wanted, such \
                 as \"5 per minute\""
            ));
        };
        Ok(Self { times, unit, period: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for AtMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.times, self.unit)
    }
}

/// Keeps a limit.
#[derive(Debug)]
pub(crate) struct Rate {
    pub(crate) at_most: AtMost,
    /// When it was allowed, the last [`AtMost::times`] times. Exact, where a bucket that fills
    /// again would let through nearly twice as much in one period.
    allowed: VecDeque<Duration>,
}

impl Rate {
    pub(crate) fn new(at_most: AtMost) -> Self {
        Self { at_most, allowed: VecDeque::new() }
    }

    /// Whether once more is allowed, which then counts. Time does not run backwards: a time before
    /// the last one is taken for that.
    pub(crate) fn allow(&mut self, now: Duration) -> bool {
        let now = self.allowed.back().map_or(now, |last| now.max(*last));
        if self.allowed.len() == self.at_most.times {
            let oldest = self.allowed[0];
            if now - oldest < self.at_most.period {
                return false;
            }
            self.allowed.pop_front();
        }
        self.allowed.push_back(now);
        true
    }
}

/// Counts what is not done, to be said once when it begins and once when it is over.
#[derive(Debug, Default)]
pub(crate) struct Missed(u64);

impl Missed {
    /// One more; true if it is the first.
    pub(crate) fn note(&mut self) -> bool {
        self.0 += 1;
        self.0 == 1
    }

    /// It is over: how many there were, if any.
    pub(crate) fn end(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.0)).filter(|count| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_per_unit() {
        let limit = AtMost::parse(" 5  per minute ").expect("it is right");
        assert_eq!(limit.to_string(), "5 per minute");
        assert_eq!(limit.period, Duration::from_secs(60));
        for good in ["1 per second", "100000 per day", "3 per hour"] {
            assert_eq!(AtMost::parse(good).expect("it is right").to_string(), good);
        }
        let all = "a number from 1 to 100000 per second, minute, hour or day is wanted, such as \"5 per minute\"";
        for wrong in ["0 per minute", "100001 per day", "5", "-1 per day", "5 per week", ""] {
            assert_eq!(AtMost::parse(wrong), Err(all.to_owned()), "{wrong}");
        }
    }

    #[test]
    fn never_more_than_the_limit_in_any_period() {
        let mut rate = Rate::new(AtMost::parse("2 per second").expect("it is right"));
        let mut allow = |ms| rate.allow(Duration::from_millis(ms));
        assert!(allow(0) && allow(900) && !allow(999));
        // The one at 0 is a second ago, that at 900 is not.
        assert!(allow(1000) && !allow(1001) && !allow(1899));
        assert!(allow(1900) && !allow(1950));
        // A clock that was set back does not open the gate, nor close it for ever.
        assert!(!allow(5) && allow(2000));
    }

    #[test]
    fn what_is_missed_is_said_once_and_counted() {
        let mut missed = Missed::default();
        assert_eq!(missed.end(), None);
        assert!(missed.note() && !missed.note() && !missed.note());
        assert_eq!((missed.end(), missed.end()), (Some(3), None));
        assert!(missed.note());
    }
}
