//! How many lines of the log clients can cause: so many a second of each kind. What is more is
//! counted, and told when the second is over. Metrics count everything.

use std::sync::atomic::{AtomicU64, Ordering};

use linebus_broker::Bound;

use crate::admission::NotAdmitted;

/// Most lines of one kind in a second.
pub(crate) const LINES_PER_SECOND: u64 = 10;

/// Whether one more line of a kind may be logged.
#[derive(Debug)]
pub(crate) struct Quota {
    /// What its lines say.
    what: &'static str,
    is_warning: bool,
    /// Lines of this second, and those that were not logged.
    wanted: AtomicU64,
}

/// One for each kind of line.
#[derive(Debug)]
pub(crate) struct Quotas {
    pub(crate) logged_in: Quota,
    pub(crate) login_refused: Quota,
    pub(crate) denied: Quota,
    pub(crate) left: Quota,
    pub(crate) not_waited_for: Quota,
    pub(crate) cut: Quota,
    limits: Vec<Quota>,
}

impl Quota {
    fn new(what: &'static str, is_warning: bool) -> Self {
        Self { what, is_warning, wanted: AtomicU64::new(0) }
    }

    /// Whether another line may be logged in this second.
    pub(crate) fn take(&self) -> bool {
        self.wanted.fetch_add(1, Ordering::Relaxed) < LINES_PER_SECOND
    }

    /// Begins another second; returns how many lines were not logged in the last one.
    fn renew(&self) -> u64 {
        self.wanted.swap(0, Ordering::Relaxed).saturating_sub(LINES_PER_SECOND)
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            logged_in: Quota::new("logged in", false),
            login_refused: Quota::new("login refused", true),
            denied: Quota::new("denied", false),
            left: Quota::new("no longer allowed to hear", false),
            not_waited_for: Quota::new("senders no longer wait for a slow receiver", true),
            cut: Quota::new("receiver cut off", true),
            limits: limits().map(|word| Quota::new(word, false)).collect(),
        }
    }
}

/// All limits that a client can reach, as words.
pub(crate) fn limits() -> impl Iterator<Item = &'static str> {
    Bound::ALL.into_iter().map(Bound::word).chain(NotAdmitted::WORDS)
}

impl Quotas {
    /// Whether one more line may say that this limit was reached.
    pub(crate) fn take_limit(&self, word: &str) -> bool {
        self.limits.iter().find(|limit| limit.what == word).is_none_or(Quota::take)
    }

    /// Begins another second, and logs what was not logged in the last one.
    pub(crate) fn renew(&self) {
        let Self { logged_in, login_refused, denied, left, not_waited_for, cut, limits } = self;
        for limit in limits {
            let more = limit.renew();
            if more > 0 {
                tracing::info!(limit = limit.what, "limit reached: {more} more");
            }
        }
        for quota in [logged_in, login_refused, denied, left, not_waited_for, cut] {
            match quota.renew() {
                0 => {}
                more if quota.is_warning => tracing::warn!("{}: {more} more", quota.what),
                more => tracing::info!("{}: {more} more", quota.what),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_second() {
        let quotas = Quotas::default();
        let taken = |quota: &Quota| (0..25).filter(|_| quota.take()).count() as u64;
        assert_eq!(taken(&quotas.denied), LINES_PER_SECOND);
        assert_eq!(taken(&quotas.cut), LINES_PER_SECOND);
        assert_eq!(quotas.denied.renew(), 15);
        assert_eq!(quotas.denied.renew(), 0);
        assert_eq!(taken(&quotas.denied), LINES_PER_SECOND);
        assert!(!quotas.cut.take(), "its second goes on");
    }

    #[test]
    fn every_limit_has_a_quota_of_its_own() {
        let quotas = Quotas::default();
        for word in limits() {
            let taken = (0..25).filter(|_| quotas.take_limit(word)).count() as u64;
            assert_eq!(taken, LINES_PER_SECOND, "{word}");
        }
    }
}
