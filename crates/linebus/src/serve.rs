//! `linebus serve`: the bus itself.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use linebus_server::{Config, Listeners};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Run the bus.
///
/// Standard output says `listening tcp ADDRESS`, `listening tls ADDRESS` or `listening unix PATH`
/// for each listener, then `ready`; logs go to standard error. SIGTERM and SIGINT end it decently.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read the configuration from this file; linebus.toml documents every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen on this TCP address instead of the configured ones; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Listen on this Unix socket instead of the configured one; alone, on no TCP address.
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// Serve with so many threads; 0 takes one per processor, four at most.
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Listen beyond loopback although everyone who gets there may do everything.
    #[arg(long)]
    open_to_the_network: bool,
}

impl Args {
    /// The configuration, with what the command line says put over it.
    fn config(self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(file) => super::check::read(file)?,
            None => Config::default(),
        };
        if !self.listen.is_empty() || self.unix.is_some() {
            config.listen = self.listen;
            config.unix = self.unix;
        }
        if let Some(threads) = self.threads {
            config.threads = threads;
        }
        config.open_to_the_network |= self.open_to_the_network;
        Ok(config)
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config()?;
    log_to_standard_error(&config.log)?;
    // Every connection is a file descriptor; the soft limit is often 1 024.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "file descriptors"),
        Err(error) => tracing::warn!(%error, "can't raise the limit of file descriptors"),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    runtime.block_on(serve(&config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    let listeners = Listeners::bind(config)?;
    announce(&listeners);
    let shutdown = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    linebus_server::run(listeners, config, shutdown).await.context("can't start the threads")
}

/// Says where it listens. Nobody may be reading, which is no reason not to serve.
fn announce(listeners: &Listeners) {
    let mut out = std::io::stdout().lock();
    for address in listeners.addresses() {
        let _ = writeln!(out, "listening {address}");
    }
    let _ = writeln!(out, "ready");
    let _ = out.flush();
}

fn log_to_standard_error(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("`log = {filter:?}`: error, warn, info, debug or trace is wanted")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}
