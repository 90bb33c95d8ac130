//! The one place that reads the clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use linebus_broker::Now;

/// Seconds since 1970-01-01 UTC, for what certificates say about themselves.
pub(crate) fn unix_seconds() -> i64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(unix.as_secs()).unwrap_or(i64::MAX)
}

/// The time since the server began, and the time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now {
            elapsed: self.0.elapsed(),
            unix_us: i64::try_from(unix.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// When `elapsed` of a [`Now`] will be reached.
    pub(crate) fn instant(self, elapsed: Duration) -> Instant {
        self.0 + elapsed
    }
}
