//! Load generator for message buses: one thread, plain readiness loop, the same socket code for every protocol.
//!
//! What it is: the library behind `linebus bench` and behind the comparison in BENCHMARKS.md. It connects to a server
//! that already runs, joins, sends, counts and checks what is delivered, and gives numbers.
//! What it is not: a client library (it knows just enough of each protocol to send and to recognise a delivery), and no
//! starter of servers: the `linebus-bench` binary does that.
//!
//! Three measurements, each a function that takes a [`Target`]:
//!
//! - [`throughput::measure`]: deliveries per second and processor time per delivery, closed loop with a bounded window;
//! - [`latency::measure`]: percentiles at a fixed rate, open loop, counted from the scheduled time;
//! - [`connections::measure`]: memory per idle joined connection and connections per second.
//!
//! A run whose deliveries are not exactly those expected gives an error, never a number.

pub mod connections;
mod error;
mod intake;
pub mod latency;
mod opening;
mod payload;
mod plan;
pub mod process;
pub mod protocol;
pub mod shape;
pub mod throughput;
mod window;

use std::net::SocketAddr;

pub use error::BenchError;
pub use protocol::Protocol;
pub use shape::{Joining, Shape};

/// A server to be measured: already listening, and ended by somebody else.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, when it runs on this machine and its processor time and memory are to be read too.
    pub pid: Option<u32>,
}
