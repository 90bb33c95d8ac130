//! Connections: what an idle one that has joined costs the server in memory, and how many can be opened per second.
//!
//! Memory is the server's resident memory before and after, divided by the number of connections. The kernel's socket
//! buffers are not part of it; they are the same for every server.

use std::thread;
use std::time::{Duration, Instant};

use mio::Poll;

use crate::opening::open_all;
use crate::plan::topic_names;
use crate::process::resident_bytes;
use crate::protocol::{Join, Role};
use crate::{BenchError, Target};

pub use crate::opening::OPENING_AT_A_TIME;

/// How many, and what they join.
#[derive(Clone, Debug)]
pub struct ConnectionsOptions {
    /// How many connections; all are open at the end.
    pub connections: usize,
    /// Whether all join one topic, or each its own.
    pub one_topic: bool,
    /// How long the server is left alone before its memory is read the second time, so that what it needed only for
    /// opening can be given back.
    pub settle: Duration,
}

impl Default for ConnectionsOptions {
    fn default() -> Self {
        ConnectionsOptions {
            connections: 5_000,
            one_topic: false,
            settle: Duration::from_millis(500),
        }
    }
}

/// What a run of [`measure`] found.
#[derive(Clone, Debug)]
pub struct Connections {
    /// How many were opened.
    pub connections: usize,
    /// From the first connect to the last confirmed join.
    pub elapsed: Duration,
    /// By how much the server's resident memory grew, if its process was given.
    pub resident_bytes: Option<u64>,
}

impl Connections {
    /// Connections opened and joined per second, [`OPENING_AT_A_TIME`] being opened at a time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        count(self.connections) / self.elapsed.as_secs_f64()
    }

    /// Resident bytes for each connection.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "memory sizes are below 2^53")]
    pub fn bytes_per_connection(&self) -> Option<f64> {
        Some(self.resident_bytes? as f64 / count(self.connections))
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 ports")]
fn count(connections: usize) -> f64 {
    connections.max(1) as f64
}

/// Opens the connections, waits for every join's confirmation, reads the memory, and closes them all.
///
/// # Errors
/// Any [`BenchError`]. The process needs a file descriptor for each connection.
pub fn measure(target: &Target, options: &ConnectionsOptions) -> Result<Connections, BenchError> {
    let opening = |topic: String| {
        let joins = [Join::Exact(topic)];
        target.opening(Role::Receiver { group: 0, joins: &joins })
    };
    let mut poll = Poll::new().map_err(BenchError::io("make a readiness queue"))?;
    // The first connection of all makes a server set up what it needs only once.
    let first = open_all(&mut poll, target, vec![opening("first".to_owned())])?;
    let before = target.pid.map(resident_bytes).transpose()?;

    let topics = if options.one_topic { 1 } else { options.connections };
    let names = topic_names(topics);
    let openings = names.into_iter().cycle().take(options.connections);
    let openings = openings.map(opening).collect();
    let mut poll = Poll::new().map_err(BenchError::io("make a readiness queue"))?;
    let started = Instant::now();
    let opened = open_all(&mut poll, target, openings)?;
    let elapsed = started.elapsed();
    thread::sleep(options.settle);
    let after = target.pid.map(resident_bytes).transpose()?;
    drop((first, opened));
    Ok(Connections {
        connections: options.connections,
        elapsed,
        resident_bytes: before.zip(after).map(|(before, after)| after.saturating_sub(before)),
    })
}
