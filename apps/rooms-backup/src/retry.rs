//! Asking again: later each time, at once after progress.

use std::time::Duration;

/// How long to wait for an answer before asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// After the first question; it doubles each time.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first: Duration::from_secs(2), most: Duration::from_secs(30) }
    }
}

/// When to ask the next time.
#[derive(Debug)]
pub(crate) struct Retry {
    patience: Patience,
    wait: Duration,
    due: Duration,
}

impl Retry {
    /// The first time is now.
    pub(crate) fn new(patience: Patience, now: Duration) -> Self {
        Self { patience, wait: patience.first, due: now }
    }

    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    /// It was asked now.
    pub(crate) fn asked(&mut self, now: Duration) {
        self.due = now + self.wait;
        self.wait = self.patience.most.min(self.wait * 2);
    }

    /// Something came of it: the next wait is a short one, from now on.
    pub(crate) fn progress(&mut self, now: Duration) {
        self.wait = self.patience.first;
        self.due = now + self.wait;
    }

    /// There is something to ask at once.
    pub(crate) fn now(&mut self, now: Duration) {
        self.due = now;
    }

    /// It is no use to ask again soon.
    pub(crate) fn hopeless(&mut self, now: Duration) {
        self.wait = self.patience.most;
        self.due = now + self.wait;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_begin_anew_after_progress() {
        let seconds = Duration::from_secs;
        let mut retry = Retry::new(Patience { first: seconds(2), most: seconds(5) }, seconds(10));
        assert_eq!(retry.due(), seconds(10));
        let waits = [2, 4, 5, 5].map(seconds);
        for wait in waits {
            let now = retry.due();
            retry.asked(now);
            assert_eq!(retry.due(), now + wait);
        }
        retry.progress(seconds(100));
        assert_eq!(retry.due(), seconds(102));
        retry.hopeless(seconds(100));
        assert_eq!(retry.due(), seconds(105));
    }
}
