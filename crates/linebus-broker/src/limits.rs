//! Every limit that the broker keeps, with its unit in its name and its default.

use linebus_protocol::LINE_BYTES_DEFAULT;

/// What a session and all sessions together may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest line from a client in bytes, LF included. Beyond it: `error line too-long`, the
    /// rest of the line is thrown away, the connection goes on.
    pub line_bytes_max: usize,
    /// Most joins of one connection, `recv` and `watch` counted apart. Beyond it: `too-many`.
    pub joins_max: usize,
    /// The soft mark: while more bytes than this wait for a receiver, those who send to it wait.
    pub outbox_soft_bytes: usize,
    /// The hard mark: a receiver for which more bytes than this wait gets `bye slow`.
    pub outbox_hard_bytes: usize,
    /// How long senders wait for a receiver above its soft mark, in milliseconds, before they go
    /// on without waiting until it has drained to half the mark.
    pub drain_ms: u64,
    /// The budget of all outboxes together in bytes. Beyond it the fullest gets `bye memory`.
    pub outboxes_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes_max: LINE_BYTES_DEFAULT,
            joins_max: 4_096,
            outbox_soft_bytes: 8 << 20,
            outbox_hard_bytes: 64 << 20,
            drain_ms: 500,
            outboxes_bytes_max: 1 << 30,
        }
    }
}
