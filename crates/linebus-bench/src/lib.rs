//! Load generator for message buses: one thread, plain readiness loop, the same socket code for every protocol.
//!
//! What it is: the library behind `linebus bench` and behind the comparison in BENCHMARKS.md. It connects to a server
//! that already runs, joins, sends, counts and checks what is delivered, and gives numbers.
//! What it is not: a client library (it knows just enough of each protocol to send and to recognise a delivery), and no
//! starter of servers: the `linebus-bench` binary does that.
//!
//! Four kinds of measurement, each a function that takes a [`Target`]:
//!
//! - [`throughput::measure`]: deliveries per second and processor time per delivery, closed loop with a bounded window;
//! - [`latency::measure`]: percentiles at a fixed rate, open loop, counted from the scheduled time;
//! - [`connections::measure`]: memory per idle joined connection and connections per second;
//! - [`slow`]: what receivers that read slowly or not at all do to the others and to the server.
//!
//! A run whose deliveries are not exactly those expected gives an error, never a number.

pub mod connections;
mod error;
mod intake;
pub mod latency;
mod load;
mod opening;
mod payload;
mod plan;
pub mod process;
pub mod protocol;
pub mod shape;
pub mod slow;
mod stream;
pub mod throughput;
mod window;

use std::net::SocketAddr;

pub use error::BenchError;
pub use protocol::Protocol;
pub use shape::{Joining, Shape};
pub use stream::Tls;

use protocol::{Role, Step};

/// A server to be measured: already listening, and ended by somebody else.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, when it runs on this machine and its processor time and memory are to be read too.
    pub pid: Option<u32>,
    /// How to encrypt, if the connections are to be encrypted.
    pub tls: Option<Tls>,
    /// As whom to log in, if at all. Only linebus is logged in to.
    pub login: Option<Login>,
}

/// A user and their password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password, in the clear; a bus without accounts needs none.
    pub password: Option<String>,
}

impl Target {
    /// A server that is spoken to in the clear and without a login, and whose process isn't looked at.
    #[must_use]
    pub fn new(protocol: Protocol, address: SocketAddr) -> Target {
        Target { protocol, address, pid: None, tls: None, login: None }
    }

    /// All that has to be done until a connection is ready for its role.
    pub(crate) fn opening(&self, role: Role<'_>) -> Vec<Step> {
        let wire = self.protocol.wire();
        let mut steps = wire.opening(role, self.login.as_ref());
        if self.tls.is_some() {
            steps.insert(wire.steps_in_the_clear(), Step::Secure);
        }
        steps
    }
}
