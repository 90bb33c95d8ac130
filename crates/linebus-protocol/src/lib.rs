//! The linebus wire: bytes to meaning and back.
//!
//! This is the only crate that knows how a line looks. It holds no socket, reads no clock and
//! keeps no session; PROTOCOL.md is its normative description.
//!
//! - [`text`], [`telnet`]: which bytes may stand in a line at all;
//! - [`topic`]: [`Topic`] and [`Pattern`];
//! - [`verb`], [`command`]: what a client may say;
//! - [`scan`], [`run`], [`alike`]: many `send` lines, recognised in one pass;
//! - [`code`], [`event`]: what the server says.

pub mod alike;
pub mod code;
pub mod command;
pub mod event;
pub mod run;
pub mod scan;
pub mod telnet;
pub mod text;
pub mod topic;
pub mod verb;

pub use code::{ByeReason, ErrorCode};
pub use command::{Command, Refusal};
pub use event::Event;
pub use topic::{BadTopic, Pattern, Topic};
pub use verb::Verb;

/// The protocol's version, as `hello` says it.
pub const VERSION: u32 = 1;
/// The port on which a bus listens when nothing else is said: LINE on a phone's keys.
pub const PORT: u16 = 5463;
/// The port on which a bus listens for TLS when nothing else is said: the next one.
pub const TLS_PORT: u16 = 5464;
/// Longest line a server accepts unless configured otherwise, in bytes, LF included.
/// A longer one is answered with `error line too-long` and thrown away.
pub const LINE_BYTES_DEFAULT: usize = 65_536;
/// Longest user or group name in bytes. A longer one is refused with `usage`.
pub const NAME_BYTES_MAX: usize = 64;
/// What a connection is called before it logs in.
pub const GUEST: &str = "guest";
/// The sender's name on lines that the bus itself sends. Nobody can log in under it.
pub const BUS_USER: &str = "$bus";
/// Where the bus announces logins and departures.
pub const CLIENTS_TOPIC: &str = "$bus.clients";
/// Where the bus says once a second how busy it is, while somebody has joined it.
pub const STATS_TOPIC: &str = "$bus.stats";

/// Whether `name` may be a user's or a group's name: 1 to [`NAME_BYTES_MAX`] characters of
/// `[A-Za-z0-9_.-]`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}
