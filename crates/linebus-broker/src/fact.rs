//! What happened that somebody may want to log or count. The broker returns it and forgets it.

use linebus_protocol::ByeReason;

use crate::login::LoginRefused;

/// Something worth knowing, for logs and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A client said who it is.
    LoggedIn {
        /// The session.
        id: u64,
        /// Its user from now on.
        user: Box<str>,
    },
    /// Somebody was not let in.
    LoginRefused {
        /// The session.
        id: u64,
        /// Who it said it was.
        user: Box<str>,
        /// Why.
        refused: LoginRefused,
    },
    /// A client wanted something that its rules do not allow.
    Denied {
        /// The session.
        id: u64,
    },
    /// A client reached a limit.
    Limit {
        /// The session.
        id: u64,
        /// Which.
        bound: Bound,
    },
    /// Accounts have changed, and a join is no longer allowed.
    Left {
        /// The session.
        id: u64,
        /// What it had joined.
        pattern: Box<str>,
    },
    /// Senders stopped waiting for a receiver that did not drain in time.
    NotWaitedFor {
        /// The receiver's session.
        id: u64,
        /// What waits for it, in bytes.
        queued: usize,
    },
    /// A receiver was cut off: `slow` or `memory`.
    Cut {
        /// The receiver's session.
        id: u64,
        /// Why.
        reason: ByeReason,
        /// What waited for it, in bytes.
        queued: usize,
    },
}

/// A limit that a client can reach without being cut off for what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bound {
    /// `line_bytes_max`, or `login_line_bytes_max` before a login.
    LineBytes,
    /// `joins_max`.
    Joins,
    /// `login_lines_max`.
    LoginLines,
    /// `login_failures_max`.
    LoginFailures,
    /// `login_timeout_ms`.
    LoginTimeout,
    /// `user_lines_per_second` or `user_bytes_per_second`.
    Rate,
}

impl Bound {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::LineBytes,
        Self::Joins,
        Self::LoginLines,
        Self::LoginFailures,
        Self::LoginTimeout,
        Self::Rate,
    ];

    /// One word for logs and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LineBytes => "line_bytes",
            Self::Joins => "joins",
            Self::LoginLines => "login_lines",
            Self::LoginFailures => "login_failures",
            Self::LoginTimeout => "login_timeout",
            Self::Rate => "rate",
        }
    }
}
