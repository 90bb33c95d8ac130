//! Every limit that the broker keeps, with its unit in its name and its default.

use std::time::Duration;

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
    /// The budget of what all sessions hold together, in bytes: what waits for them, their
    /// unfinished lines, their joins. Beyond it the one that holds most gets `bye memory`.
    pub sessions_bytes_max: usize,
    /// Longest line before a login where one is needed, in bytes, LF included: `too-long`.
    pub login_line_bytes_max: usize,
    /// Most lines before a login where one is needed. One more: `bye abuse`.
    pub login_lines_max: u32,
    /// Wrong logins that end a connection: `bye abuse`.
    pub login_failures_max: u32,
    /// How long a client may take to log in where it must, in milliseconds: `bye login-timeout`.
    pub login_timeout_ms: u64,
    /// Lines per second that one user may send, on an open bus one connection; 0 for any number.
    /// Beyond it the sender is read more slowly; nothing is refused or lost.
    pub user_lines_per_second: u64,
    /// The same for bytes per second.
    pub user_bytes_per_second: u64,
    /// So many milliseconds' worth of lines and bytes may come at once.
    pub user_burst_ms: u64,
}

impl Limits {
    /// What holds where nothing else is said.
    pub const DEFAULT: Self = Self {
        line_bytes_max: LINE_BYTES_DEFAULT,
        joins_max: 4_096,
        outbox_soft_bytes: 8 << 20,
        outbox_hard_bytes: 64 << 20,
        drain_ms: 500,
        sessions_bytes_max: 1 << 30,
        login_line_bytes_max: 512,
        login_lines_max: 10,
        login_failures_max: 3,
        login_timeout_ms: 30_000,
        user_lines_per_second: 0,
        user_bytes_per_second: 0,
        user_burst_ms: 1_000,
    };

    pub(crate) fn user_burst(&self) -> Duration {
        Duration::from_millis(self.user_burst_ms)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
