//! What has passed: lines and bytes by session and by topic, refusals and ends by their reason.
//!
//! Counting must not be felt. What one thread at a time changes is added to once per batch; what a
//! receiver gets is counted where its outbox is locked anyway; refusals are gathered in the batch;
//! topics are counted only while somebody looks at `$bus.stats`.

use std::ops::{AddAssign, Sub};
use std::sync::atomic::{AtomicU64, Ordering};

use linebus_protocol::{ByeReason, ErrorCode};

/// So many lines, and their bytes with every LF.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Lines.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}

/// What was added between two looks, the later one first.
impl Sub for Amount {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            lines: self.lines.saturating_sub(earlier.lines),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }
}

/// An amount that grows under other eyes.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    pub(crate) fn add(&self, amount: Amount) {
        self.lines.fetch_add(amount.lines, Ordering::Relaxed);
        self.bytes.fetch_add(amount.bytes, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Amount {
        Amount {
            lines: self.lines.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// What was added since the last time.
    pub(crate) fn take(&self) -> Amount {
        if self.read() == Amount::default() {
            return Amount::default();
        }
        Amount {
            lines: self.lines.swap(0, Ordering::Relaxed),
            bytes: self.bytes.swap(0, Ordering::Relaxed),
        }
    }
}

const CODES: usize = ErrorCode::ALL.len();
const REASONS: usize = ByeReason::ALL.len();

/// Refusals of one batch.
pub(crate) type Refusals = [u32; CODES];

/// What the broker counts besides its sessions.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// What sessions that have ended received and were given.
    pub(crate) past_received: Meter,
    pub(crate) past_delivered: Meter,
    refused: [AtomicU64; CODES],
    ended: [AtomicU64; REASONS],
    gone: AtomicU64,
}

impl Counts {
    pub(crate) fn refuse(&self, refusals: &Refusals) {
        for (count, more) in self.refused.iter().zip(refusals) {
            if *more > 0 {
                count.fetch_add(u64::from(*more), Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn end(&self, reason: Option<ByeReason>) {
        let count = reason.map_or(&self.gone, |reason| &self.ended[reason as usize]);
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a bus has done since it began, and what there is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Connections that are open.
    pub sessions: usize,
    /// From all clients, whether it was accepted or not.
    pub received: Amount,
    /// For all clients, answers included: counted when it is handed to the session, not when the
    /// client has read it.
    pub delivered: Amount,
    /// Bytes that wait in all outboxes.
    pub queued: usize,
    /// How often each error was answered.
    pub refused: Vec<(ErrorCode, u64)>,
    /// Connections that have ended, by reason.
    pub ended: Vec<(ByeReason, u64)>,
    /// Connections that have ended without a goodbye: the client closed.
    pub gone: u64,
}

impl Totals {
    pub(crate) fn new(counts: &Counts) -> Self {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            sessions: 0,
            received: counts.past_received.read(),
            delivered: counts.past_delivered.read(),
            queued: 0,
            refused: ErrorCode::ALL.iter().copied().zip(counts.refused.iter().map(read)).collect(),
            ended: ByeReason::ALL.iter().copied().zip(counts.ended.iter().map(read)).collect(),
            gone: read(&counts.gone),
        }
    }
}
