//! Wrong passwords and codes: each makes the next try wait longer, by account and by address. No
//! IO, no clock.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// So many may be wrong without a wait.
const FREE: u32 = 4;
/// The longest wait.
const WAIT_MAX: SignedDuration = SignedDuration::from_mins(5);
/// After so long without a try, all is forgotten.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// So many names and addresses are remembered; beyond, the older half is forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// What was tried and was wrong.
#[derive(Debug, Default)]
pub struct Attempts(HashMap<String, (u32, Timestamp)>);

impl Attempts {
    /// How long to wait before one of these may try; none if it may now.
    #[must_use]
    pub fn wait(&self, who: &[String], now: Timestamp) -> Option<SignedDuration> {
        let waits = who.iter().filter_map(|who| {
            let (wrong, last) = self.0.get(who)?;
            let doublings = wrong.checked_sub(FREE)?.min(16);
            let wait = SignedDuration::from_secs(1 << doublings).min(WAIT_MAX);
            let left = wait - now.duration_since(*last);
            left.is_positive().then_some(left)
        });
        waits.max()
    }

    /// It was wrong.
    pub fn wrong(&mut self, who: &[String], now: Timestamp) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.retain(|_, (_, last)| now.duration_since(*last) < FORGOTTEN_AFTER);
        }
        if self.0.len() >= REMEMBERED_MAX {
            let mut times: Vec<_> = self.0.values().map(|(_, last)| *last).collect();
            let (_, &mut middle, _) = times.select_nth_unstable(REMEMBERED_MAX / 2);
            self.0.retain(|_, (_, last)| *last > middle);
        }
        for who in who {
            let (wrong, last) = self.0.entry(who.clone()).or_insert((0, now));
            if now.duration_since(*last) >= FORGOTTEN_AFTER {
                *wrong = 0;
            }
            (*wrong, *last) = (wrong.saturating_add(1), now);
        }
    }

    /// It was right.
    pub fn right(&mut self, who: &[String]) {
        self.0.retain(|known, _| !who.contains(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn who(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_wrong_try_makes_the_next_wait_longer() {
        let mut attempts = Attempts::default();
        let ann = who(&["ann"]);
        for _ in 0..4 {
            attempts.wrong(&ann, at(0));
        }
        assert_eq!(attempts.wait(&ann, at(0)), Some(SignedDuration::from_secs(1)));
        attempts.wrong(&ann, at(2));
        assert_eq!(attempts.wait(&ann, at(2)), Some(SignedDuration::from_secs(2)));
        assert_eq!(attempts.wait(&ann, at(4)), None);
        for _ in 0..100 {
            attempts.wrong(&ann, at(4));
        }
        assert_eq!(attempts.wait(&ann, at(4)), Some(WAIT_MAX));
        attempts.right(&ann);
        assert_eq!(attempts.wait(&ann, at(4)), None);
    }

    #[test]
    fn an_address_waits_whatever_name_it_tries() {
        let mut attempts = Attempts::default();
        for number in 0..5 {
            attempts.wrong(&who(&[&format!("user{number}"), "10.0.0.1"]), at(0));
        }
        assert!(attempts.wait(&who(&["other", "10.0.0.1"]), at(0)).is_some());
        assert!(attempts.wait(&who(&["other", "10.0.0.2"]), at(0)).is_none());
    }

    #[test]
    fn after_half_an_hour_all_is_forgotten_and_memory_is_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..20_000 {
            attempts.wrong(&who(&[&number.to_string()]), at(number / 100));
        }
        assert!(attempts.0.len() <= REMEMBERED_MAX);
        let ann = who(&["ann"]);
        for _ in 0..10 {
            attempts.wrong(&ann, at(1000));
        }
        attempts.wrong(&ann, at(1000 + 30 * 60));
        assert_eq!(attempts.wait(&ann, at(1000 + 30 * 60)), None);
    }
}
