//! How fast one user may send: a bucket of lines and one of bytes, both filled at a steady rate.
//!
//! Kept as the time at which all that was taken will have been paid for (the generic cell rate
//! algorithm, ITU-T I.371), so that there is nothing to refill. Nobody is refused: who has taken
//! too much is not read until it is paid for.

use std::time::Duration;

use parking_lot::Mutex;

use crate::limits::Limits;

/// One user's, shared by all connections of that user.
#[derive(Debug, Default)]
pub(crate) struct Bucket(Mutex<Paid>);

/// Until when what was taken is paid for.
#[derive(Debug, Default, Clone, Copy)]
struct Paid {
    lines: Duration,
    bytes: Duration,
}

impl Limits {
    /// Whether users are slowed down at all.
    pub(crate) fn is_rate_limited(&self) -> bool {
        self.user_lines_per_second > 0 || self.user_bytes_per_second > 0
    }
}

impl Bucket {
    /// Takes lines and bytes, more than there are if need be.
    pub(crate) fn take(&self, lines: usize, bytes: usize, limits: &Limits, now: Duration) {
        let mut paid = self.0.lock();
        paid.lines = paid.lines.max(now) + cost(lines, limits.user_lines_per_second);
        paid.bytes = paid.bytes.max(now) + cost(bytes, limits.user_bytes_per_second);
    }

    /// Until when the user has to wait before any more is taken, if that is later than `now`.
    pub(crate) fn wait_until(&self, limits: &Limits, now: Duration) -> Option<Duration> {
        let paid = *self.0.lock();
        // What a limit of before has cost is forgiven with it.
        let owed = |paid, per_second| if per_second == 0 { Duration::ZERO } else { paid };
        let lines = owed(paid.lines, limits.user_lines_per_second);
        let until = owed(paid.bytes, limits.user_bytes_per_second).max(lines);
        let until = until.saturating_sub(limits.user_burst());
        (until > now).then_some(until)
    }

    /// Whether everything is paid for, so that it is as good as a new one.
    pub(crate) fn is_full(&self, now: Duration) -> bool {
        let paid = *self.0.lock();
        paid.lines.max(paid.bytes) <= now
    }

    /// How many bytes may be read now so that little more is taken than there is: a line has at
    /// least one byte.
    pub(crate) fn room_bytes(&self, limits: &Limits, now: Duration) -> usize {
        let paid = *self.0.lock();
        let room = |paid: Duration, per_second: u64| {
            let left = (now + limits.user_burst()).saturating_sub(paid.max(now));
            match per_second {
                0 => usize::MAX,
                rate => usize::try_from(left.as_nanos() * u128::from(rate) / 1_000_000_000)
                    .unwrap_or(usize::MAX),
            }
        };
        let lines = room(paid.lines, limits.user_lines_per_second);
        room(paid.bytes, limits.user_bytes_per_second).min(lines)
    }
}

/// How long so much takes at this rate; nothing where there is no limit.
fn cost(count: usize, per_second: u64) -> Duration {
    if per_second == 0 {
        return Duration::ZERO;
    }
    let nanos = (count as u128 * 1_000_000_000).div_ceil(u128::from(per_second));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(lines: u64, bytes: u64) -> Limits {
        Limits {
            user_lines_per_second: lines,
            user_bytes_per_second: bytes,
            user_burst_ms: 1_000,
            ..Limits::default()
        }
    }

    #[test]
    fn a_burst_is_free_and_what_is_over_it_is_paid_for_by_waiting() {
        let (bucket, limits) = (Bucket::default(), limits(10, 0));
        bucket.take(10, 1 << 30, &limits, SECOND);
        assert_eq!(bucket.wait_until(&limits, SECOND), None, "bytes are not limited");
        bucket.take(5, 0, &limits, SECOND);
        assert_eq!(bucket.wait_until(&limits, SECOND), Some(SECOND * 3 / 2));
        assert_eq!(bucket.wait_until(&limits, SECOND * 2), None);
    }

    #[test]
    fn the_rate_holds_over_a_long_time() {
        let (bucket, limits) = (Bucket::default(), limits(0, 1_000));
        let (mut now, mut taken) = (SECOND, 0);
        while now < SECOND * 101 {
            bucket.take(1, 77, &limits, now);
            taken += 77;
            now = bucket.wait_until(&limits, now).unwrap_or(now);
        }
        assert!((100_000..=101_200).contains(&taken), "{taken} bytes in 100 s and one burst");
    }

    #[test]
    fn there_is_room_for_what_is_left_of_the_burst() {
        let (bucket, limits) = (Bucket::default(), limits(100, 0));
        assert_eq!(bucket.room_bytes(&limits, SECOND), 100);
        bucket.take(60, 0, &limits, SECOND);
        assert_eq!(bucket.room_bytes(&limits, SECOND), 40);
    }
}
