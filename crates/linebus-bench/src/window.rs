//! How much may be under way: sent, and not yet delivered everywhere.
//!
//! A closed loop needs a bound, or the run measures how fast a server's queues grow. The bound must be large enough
//! that the server always has work, and small enough that no server meets its limit for slow receivers: 8 MiB (soft)
//! and 32 MiB for Redis pub/sub (`client-output-buffer-limit`), 64 MiB for NATS (`max_pending`), 8 MiB for linebus.
//! It holds for each receiver by itself, counted in messages, and is the same for every protocol.

/// All receivers together, unless that is less than [`RECEIVER_BYTES_MIN`] for each. About what second-level caches
/// hold: more only makes the run one of memory.
const ALL_RECEIVERS_BYTES: usize = 8 << 20;
/// One receiver at most. An eighth of the tightest limit above, and many times what a server reads at once.
const RECEIVER_BYTES_MAX: usize = 1 << 20;
/// One receiver at least: what fits a socket's first receive window (Linux: half of `tcp_rmem`'s 128 KiB default).
const RECEIVER_BYTES_MIN: usize = 64 << 10;
/// What framing and topic take in an average protocol. An estimate is enough, since it must be equal for all.
const FRAMING_BYTES: usize = 32;
/// Senders wait for room for this much, so that they don't write message by message.
const WRITE_BYTES: usize = 64 << 10;

/// The bound for each receiver of a run, in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    messages_max: u64,
    step: u64,
}

impl Window {
    /// The bound for a run with so many receivers in all and so large a payload. `receiver_bytes` overrides the size.
    pub(crate) fn new(
        receivers: usize,
        payload_bytes: usize,
        receiver_bytes: Option<usize>,
    ) -> Window {
        let bytes = receiver_bytes.unwrap_or_else(|| {
            (ALL_RECEIVERS_BYTES / receivers.max(1)).clamp(RECEIVER_BYTES_MIN, RECEIVER_BYTES_MAX)
        });
        let message_bytes = payload_bytes + FRAMING_BYTES;
        let messages_max = (bytes / message_bytes).max(1);
        let step = (WRITE_BYTES / message_bytes).clamp(1, messages_max.div_ceil(4));
        Window { messages_max: to_u64(messages_max), step: to_u64(step) }
    }

    /// How many more messages may be sent now, when the receiver that is furthest behind lacks `behind`: none until
    /// there is room for a whole step.
    pub(crate) fn room(self, behind: u64) -> u64 {
        match self.messages_max.saturating_sub(behind) {
            room if room < self.step => 0,
            room => room,
        }
    }

    /// How many messages one sender writes before it is the next one's turn.
    pub(crate) fn step(self) -> u64 {
        self.step
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("a count of messages fits 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_shrinks_with_what_is_under_way_and_comes_in_steps() {
        let window = Window::new(1, 128, Some(160 * 1000));
        assert_eq!(window.messages_max, 1000);
        assert_eq!(window.step(), 250);
        assert_eq!(window.room(0), 1000);
        assert_eq!(window.room(750), 250);
        assert_eq!(window.room(751), 0);
        assert_eq!(window.room(1_000_000), 0);
    }

    #[test]
    fn many_receivers_share_and_each_keeps_a_minimum() {
        let bytes = |receivers| Window::new(receivers, 128, None).messages_max * 160;
        assert!(bytes(1) <= 1 << 20 && bytes(1) > 1 << 19);
        assert!(bytes(100) <= (8 << 20) / 100);
        assert!(bytes(1000) <= 64 << 10 && bytes(1000) > 60 << 10);
    }

    #[test]
    fn a_payload_larger_than_the_window_still_moves() {
        let window = Window::new(1, 100_000, Some(10));
        assert_eq!(window.room(0), 1);
        assert_eq!(window.room(1), 0);
    }
}
