//! Failed logins by address: how long the next refusal waits, and when an address has had enough.
//!
//! A success forgets nothing: else somebody with one account could guess at the others for ever.
//! The wait alone stops nobody, because a guesser who hears nothing at once knows enough and opens
//! another connection; it is there for programs that try again too fast. What stops guessing is the
//! number per minute, which is counted before the wait begins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// How long the refusal of an address's first failed login waits. Each further one doubles it.
pub const DELAY_FIRST: Duration = Duration::from_millis(250);
/// The longest wait before a refusal.
pub const DELAY_MAX: Duration = Duration::from_secs(8);
/// After so long without a failed login an address begins anew.
pub const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// In so long an address may fail as often as is configured.
pub const WINDOW: Duration = Duration::from_mins(1);
/// Most addresses that are remembered; then those go first that have not failed for longest.
pub const ADDRESSES_MAX: usize = 65_536;

/// Whom a failure is put down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    /// Whoever may open the Unix socket.
    Unix,
    V4([u8; 4]),
    /// A /64, because whoever has one address of it usually has them all (RFC 6177).
    V6([u8; 8]),
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// In a row: until they are forgotten.
    failures: u32,
    last: Instant,
    /// Of the present window.
    in_window: u32,
    window_began: Instant,
}

/// Failed logins by address. Two generations: when the young one is full, it becomes the old one,
/// and the old one is forgotten. An address that fails again becomes young again.
#[derive(Debug)]
pub(super) struct Failures {
    // Keys are clients' addresses; the standard map's hasher is seeded.
    young: HashMap<Source, Record>,
    old: HashMap<Source, Record>,
    generation_max: usize,
    per_window: u32,
}

impl Source {
    fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unix,
            Some(IpAddr::V4(address)) => Self::V4(address.octets()),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

impl Failures {
    /// An address may fail `per_window` times in [`WINDOW`].
    pub(super) fn new(per_window: u32, addresses_max: usize) -> Self {
        let generation_max = (addresses_max / 2).max(1);
        Self { young: HashMap::new(), old: HashMap::new(), generation_max, per_window }
    }

    /// Whether an address may try again.
    ///
    /// # Errors
    /// How long it may not.
    pub(super) fn check(&self, address: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let source = Source::of(address);
        let Some(record) = self.young.get(&source).or_else(|| self.old.get(&source)) else {
            return Ok(());
        };
        let left = WINDOW.saturating_sub(now.saturating_duration_since(record.window_began));
        if record.in_window < self.per_window || left.is_zero() { Ok(()) } else { Err(left) }
    }

    /// Notes a failure; returns how long its refusal waits.
    pub(super) fn add(&mut self, address: Option<IpAddr>, now: Instant) -> Duration {
        let source = Source::of(address);
        let known = self.old.remove(&source).or_else(|| self.young.remove(&source));
        let fresh = Record { failures: 0, last: now, in_window: 0, window_began: now };
        let since = |then: Instant| now.saturating_duration_since(then);
        let mut record =
            known.filter(|record| since(record.last) < FORGOTTEN_AFTER).unwrap_or(fresh);
        if since(record.window_began) >= WINDOW {
            (record.in_window, record.window_began) = (0, now);
        }
        record.in_window = record.in_window.saturating_add(1);
        record.failures = record.failures.saturating_add(1);
        record.last = now;
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(source, record);
        let doubled = 2_u32.saturating_pow(record.failures - 1);
        DELAY_FIRST.saturating_mul(doubled).min(DELAY_MAX)
    }

    /// How many addresses are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests;
