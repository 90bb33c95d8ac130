//! The configuration: `linebus.toml`, which documents every key, and the reader that explains
//! every mistake with its line.

mod log_format;
pub(crate) mod reader;
mod record;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use linebus_broker::Limits;
use thiserror::Error;

pub use crate::admission::Admission;
pub use log_format::LogFormat;
pub use reader::Reader;
pub use record::RecordConfig;
pub use tls::{ConfiguredFile, TlsConfig};

use crate::files::{Files, forgotten_users};

/// The file that documents every key, with its default.
pub const TEXT: &str = include_str!("../../../linebus.toml");

/// What a server is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// TCP addresses; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// A Unix socket's path.
    pub unix: Option<PathBuf>,
    /// After how many silent seconds TCP asks whether a client's machine is still there, and how
    /// long it may take to answer; 0 never asks.
    pub keepalive_s: u32,
    /// Who may log in, and what they may do; without it everybody may do everything.
    pub users: Option<ConfiguredFile>,
    /// Allows addresses beyond loopback although there are no accounts.
    pub open_to_the_network: bool,
    /// Where metrics and health are shown over HTTP.
    pub metrics: Option<SocketAddr>,
    /// Allows an address beyond loopback for them.
    pub metrics_open_to_the_network: bool,
    /// Reads the configuration and its files again when one of them has changed.
    pub reload_on_change: bool,
    /// Threads that serve; 0 chooses.
    pub threads: usize,
    /// Who is taken on at all.
    pub admission: Admission,
    /// Takes passwords over plain TCP also from beyond loopback, where others may read along.
    pub plain_passwords: bool,
    /// How long receivers may take to read what waits for them at the end, in milliseconds.
    pub shutdown_drain_ms: u64,
    /// Over how long a time a lame duck says goodbye to one after the other, in milliseconds.
    pub lame_duck_ms: u64,
    /// What to log, in the words of `tracing`'s filter.
    pub log: String,
    /// How a line of the log looks.
    pub log_format: LogFormat,
    /// The log's file; without it, standard error.
    pub log_file: Option<PathBuf>,
    /// Where and how TLS is served.
    pub tls: TlsConfig,
    /// Whether and how everything is recorded.
    pub record: RecordConfig,
    /// What the broker keeps.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], linebus_protocol::PORT))],
            unix: None,
            keepalive_s: 60,
            users: None,
            open_to_the_network: false,
            metrics: None,
            metrics_open_to_the_network: false,
            reload_on_change: true,
            threads: 0,
            admission: Admission::default(),
            plain_passwords: false,
            shutdown_drain_ms: 5_000,
            lame_duck_ms: 60_000,
            log: "info".to_owned(),
            log_format: LogFormat::default(),
            log_file: None,
            tls: TlsConfig::default(),
            record: RecordConfig::default(),
            limits: Limits::default(),
        }
    }
}

/// One mistake in a configuration or a users file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{}{key}{}{text}",
    if *.line == 0 { String::new() } else { format!("line {line}: ") },
    if .key.is_empty() { "" } else { ": " }
)]
pub struct Problem {
    /// Counted from 1; 0 when it is not about a line but about the file itself.
    pub line: usize,
    /// As in `limits.joins_max`; empty when the text is no TOML at all.
    pub key: String,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl Problem {
    /// The problem as it is shown: `FILE: line N: KEY: what is wrong`.
    #[must_use]
    pub fn in_file(&self, file: &Path) -> String {
        format!("{}: {self}", file.display())
    }
}

/// Why a file is no configuration.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It can't be read at all.
    #[error("can't read the configuration {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// All mistakes in it, and in the files that it names, as [`Problem::in_file`] shows them.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

impl Config {
    /// How many threads serve: as many as configured, or one per processor, four at most.
    #[must_use]
    pub fn threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        if self.threads == 0 { processors().min(4) } else { self.threads }
    }

    /// Reads a configuration's file, and checks the files that it names.
    ///
    /// # Errors
    /// [`ReadError`], with every mistake.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        Self::load(path).map(|(config, _)| config)
    }

    /// The same, with what stands in those files.
    pub(crate) fn load(path: &Path) -> Result<(Self, Files), ReadError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ReadError::File { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let checked = Self::parse_in(folder, &text).and_then(|config| {
            if let Some(problem) = forgotten_users(&config, folder) {
                return Err(vec![problem]);
            }
            let files = Files::load(&config)?;
            Ok((config, files))
        });
        checked.map_err(|problems| {
            ReadError::Problems(problems.iter().map(|problem| problem.in_file(path)).collect())
        })
    }

    /// Reads a configuration; what it leaves out has its default. Files that it names are not
    /// looked at; relative paths begin where the process does.
    ///
    /// # Errors
    /// Every mistake in it, by line.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_in(Path::new(""), text)
    }

    fn parse_in(folder: &Path, text: &str) -> Result<Self, Vec<Problem>> {
        let mut config = Self::default();
        let mut reader = Reader::new(text, "linebus.toml", folder)?;
        reader.addresses("listen", &mut config.listen);
        reader.path("unix", &mut config.unix);
        reader.number("keepalive_s", 0..=32_767, &mut config.keepalive_s);
        reader.file("users", &mut config.users);
        reader.switch("open_to_the_network", &mut config.open_to_the_network);
        reader.switch("plain_passwords", &mut config.plain_passwords);
        reader.address("metrics", &mut config.metrics);
        let open = &mut config.metrics_open_to_the_network;
        reader.switch("metrics_open_to_the_network", open);
        reader.switch("reload_on_change", &mut config.reload_on_change);
        reader.number("threads", 0..=1024, &mut config.threads);
        reader.number("shutdown_drain_ms", 0..=600_000, &mut config.shutdown_drain_ms);
        reader.number("lame_duck_ms", 0..=86_400_000, &mut config.lame_duck_ms);
        reader.text("log", &mut config.log);
        reader.choice("log_format", &LogFormat::ALL, &mut config.log_format);
        reader.path("log_file", &mut config.log_file);
        config.tls.read(&mut reader);
        config.record.read(&mut reader);
        let Limits {
            line_bytes_max,
            joins_max,
            outbox_soft_bytes,
            outbox_hard_bytes,
            drain_ms,
            sessions_bytes_max,
            login_line_bytes_max,
            login_lines_max,
            login_failures_max,
            login_timeout_ms,
            user_lines_per_second,
            user_bytes_per_second,
            user_burst_ms,
        } = &mut config.limits;
        reader.number("limits.line_bytes_max", 512..=16 << 20, line_bytes_max);
        reader.number("limits.joins_max", 1..=1_000_000, joins_max);
        reader.number("limits.outbox_soft_bytes", 4_096..=1 << 40, outbox_soft_bytes);
        let above = (*outbox_soft_bytes as i64).saturating_add(1);
        reader.number("limits.outbox_hard_bytes", above..=1 << 40, outbox_hard_bytes);
        reader.number("limits.drain_ms", 0..=60_000, drain_ms);
        let least = *outbox_hard_bytes as i64;
        reader.number("limits.sessions_bytes_max", least..=1 << 50, sessions_bytes_max);
        reader.number("limits.login_line_bytes_max", 128..=65_536, login_line_bytes_max);
        reader.number("limits.login_lines_max", 1..=1_000, login_lines_max);
        reader.number("limits.login_failures_max", 1..=1_000, login_failures_max);
        reader.number("limits.login_timeout_ms", 100..=600_000, login_timeout_ms);
        reader.number("limits.user_lines_per_second", 0..=1 << 40, user_lines_per_second);
        reader.number("limits.user_bytes_per_second", 0..=1 << 40, user_bytes_per_second);
        reader.number("limits.user_burst_ms", 10..=60_000, user_burst_ms);
        let Admission {
            connections_max,
            connections_per_address_max,
            connections_per_address_per_second,
            also_loopback,
        } = &mut config.admission;
        reader.number("limits.connections_max", 1..=10_000_000, connections_max);
        reader.number(
            "limits.connections_per_address_max",
            0..=10_000_000,
            connections_per_address_max,
        );
        reader.number(
            "limits.connections_per_address_per_second",
            0..=1_000_000,
            connections_per_address_per_second,
        );
        reader.switch("limits.also_loopback", also_loopback);
        reader.finish()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
