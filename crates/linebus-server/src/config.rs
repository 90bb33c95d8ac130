//! The configuration: `linebus.toml`, which documents every key, and the reader that explains
//! every mistake with its line.

mod reader;

use std::net::SocketAddr;
use std::path::PathBuf;

use linebus_broker::Limits;
use thiserror::Error;

use reader::Reader;

/// The file that documents every key, with its default.
pub const TEXT: &str = include_str!("../../../linebus.toml");

/// What a server is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// TCP addresses; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// A Unix socket's path.
    pub unix: Option<PathBuf>,
    /// Allows addresses beyond loopback although there are no accounts.
    pub open_to_the_network: bool,
    /// Where metrics and health are shown over HTTP.
    pub metrics: Option<SocketAddr>,
    /// Allows an address beyond loopback for them.
    pub metrics_open_to_the_network: bool,
    /// Threads that serve; 0 chooses.
    pub threads: usize,
    /// Most connections at a time; one more is told `bye busy`.
    pub connections_max: usize,
    /// How long receivers may take to read what waits for them at the end, in milliseconds.
    pub shutdown_drain_ms: u64,
    /// Over how long a time a lame duck says goodbye to one after the other, in milliseconds.
    pub lame_duck_ms: u64,
    /// What to log, in the words of `tracing`'s filter.
    pub log: String,
    /// What the broker keeps.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], linebus_protocol::PORT))],
            unix: None,
            open_to_the_network: false,
            metrics: None,
            metrics_open_to_the_network: false,
            threads: 0,
            connections_max: 50_000,
            shutdown_drain_ms: 5_000,
            lame_duck_ms: 60_000,
            log: "info".to_owned(),
            limits: Limits::default(),
        }
    }
}

/// One mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {key}{}{text}", if .key.is_empty() { "" } else { ": " })]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// As in `limits.joins_max`; empty when the text is no TOML at all.
    pub key: String,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl Config {
    /// How many threads serve: as many as configured, or one per processor, four at most.
    #[must_use]
    pub fn threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        if self.threads == 0 { processors().min(4) } else { self.threads }
    }

    /// Reads a configuration; what it leaves out has its default.
    ///
    /// # Errors
    /// Every mistake in it, by line.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut config = Self::default();
        let mut reader = Reader::new(text)?;
        reader.addresses("listen", &mut config.listen);
        reader.path("unix", &mut config.unix);
        reader.switch("open_to_the_network", &mut config.open_to_the_network);
        reader.address("metrics", &mut config.metrics);
        let open = &mut config.metrics_open_to_the_network;
        reader.switch("metrics_open_to_the_network", open);
        reader.number("threads", 0..=1024, &mut config.threads);
        reader.number("connections_max", 1..=10_000_000, &mut config.connections_max);
        reader.number("shutdown_drain_ms", 0..=600_000, &mut config.shutdown_drain_ms);
        reader.number("lame_duck_ms", 0..=86_400_000, &mut config.lame_duck_ms);
        reader.text("log", &mut config.log);
        let Limits {
            line_bytes_max,
            joins_max,
            outbox_soft_bytes,
            outbox_hard_bytes,
            drain_ms,
            outboxes_bytes_max,
        } = &mut config.limits;
        reader.number("limits.line_bytes_max", 512..=16 << 20, line_bytes_max);
        reader.number("limits.joins_max", 1..=1_000_000, joins_max);
        reader.number("limits.outbox_soft_bytes", 4_096..=1 << 40, outbox_soft_bytes);
        let above = (*outbox_soft_bytes as i64).saturating_add(1);
        reader.number("limits.outbox_hard_bytes", above..=1 << 40, outbox_hard_bytes);
        reader.number("limits.drain_ms", 0..=60_000, drain_ms);
        let least = *outbox_hard_bytes as i64;
        reader.number("limits.outboxes_bytes_max", least..=1 << 50, outboxes_bytes_max);
        reader.finish()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
