//! Who gets what: topics, joins, groups, outboxes, limits.
//!
//! The broker does no IO, reads no clock, starts no task and logs nothing. Bytes come in through
//! [`Broker::receive`], with the time as an argument; bytes go out through a [`Link`], which takes
//! what it can and never waits. Whatever is worth logging comes back as a [`Fact`]. In one thread
//! it is deterministic, which is what the simulator and the property tests run on; it may be used
//! from any number of threads at once.
//!
//! # Locks
//! The table of topics, the registry of sessions, then one outbox at a time: never two outboxes,
//! and nothing else while one is held. Links write while no lock is held: whoever takes the link
//! out of an outbox is its only writer until it is put back.

pub mod access;
mod batch;
mod broker;
mod commands;
mod connection;
mod counts;
mod delivery;
mod fact;
mod limits;
mod lines;
mod login;
mod outbox;
mod patterns;
mod rate;
mod route;
mod session;
mod stats;
mod topics;

pub use access::{Access, Account, Rules, Wish};
pub use broker::{Broker, Now};
pub use connection::{Connection, READ_BYTES, Work};
pub use counts::{Amount, Totals};
pub use fact::{Bound, Fact};
pub use limits::Limits;
pub use login::{LoginAttempt, LoginRefused};
pub use outbox::Stage;
pub use session::{Gone, Link, Session};
pub use stats::Stats;
