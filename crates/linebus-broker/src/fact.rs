//! What happened that somebody may want to log or count. The broker returns it and forgets it.

use linebus_protocol::ByeReason;

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
