//! `linebus serve`: the bus itself.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use linebus_server::{Config, Control, Controller, Listeners, Source, controls};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind};

use crate::log::{Log, Queue};
use crate::signals::listen;

/// Run the bus.
///
/// Standard output says `listening tcp ADDRESS`, `listening tls ADDRESS` or `listening unix PATH`
/// for each listener, then `ready`. SIGTERM and SIGINT end it decently, SIGUSR2 as a lame duck:
/// nobody is accepted any more, and goodbyes are spread over a while. SIGHUP reads the configuration
/// and its files again; SIGUSR1 opens the log file again, and begins another file of the record.
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
    /// Record everything that is said into this folder; linebus.toml says how.
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,
    /// Listen beyond loopback although everyone who gets there may do everything.
    #[arg(long)]
    open_to_the_network: bool,
}

impl Args {
    /// The configuration, with what the command line says put over it.
    fn read(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(file) => super::check::read(file)?,
            None => Config::default(),
        };
        self.adjust(&mut config);
        Ok(config)
    }

    fn adjust(&self, config: &mut Config) {
        if !self.listen.is_empty() || self.unix.is_some() {
            config.listen.clone_from(&self.listen);
            config.unix.clone_from(&self.unix);
        }
        if let Some(threads) = self.threads {
            config.threads = threads;
        }
        if let Some(folder) = &self.record {
            config.record.folder = Some(folder.clone());
        }
        config.open_to_the_network |= self.open_to_the_network;
    }

    /// Where to read the configuration again.
    fn source(self) -> Option<Source> {
        let file = self.config.clone()?;
        Some(Source::new(file, move |config| self.adjust(config)))
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.read()?;
    let log = Log::start(&config)?;
    // Every connection is a file descriptor; the soft limit is often 1 024.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "file descriptors"),
        Err(error) => tracing::warn!(%error, "can't raise the limit of file descriptors"),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    runtime.block_on(serve(&config, args.source(), log.queue()))
}

async fn serve(config: &Config, source: Option<Source>, log: &Queue) -> anyhow::Result<()> {
    let (controller, mut controls) = controls();
    controls.log_lines_lost = log.lost();
    if let Some(source) = source {
        controls = controls.reloading(source);
    }
    // Before anything is announced: who reads `ready` may send signals.
    let signals = Signals::register()?;
    let listeners = Listeners::bind(config)?;
    announce(&listeners);
    // Under systemd, what depends on the bus may start. Elsewhere this does nothing.
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "can't tell systemd that the bus is ready");
    }
    let obeying = tokio::spawn(signals.obey(controller, log.clone()));
    let served = linebus_server::run(listeners, config, controls).await;
    obeying.abort();
    served.context("can't start the threads")
}

/// The signals that a server understands.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    lame_duck: Signal,
    reload: Signal,
    reopen: Signal,
}

impl Signals {
    fn register() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: listen(SignalKind::terminate(), "SIGTERM")?,
            interrupt: listen(SignalKind::interrupt(), "SIGINT")?,
            lame_duck: listen(SignalKind::user_defined2(), "SIGUSR2")?,
            reload: listen(SignalKind::hangup(), "SIGHUP")?,
            reopen: listen(SignalKind::user_defined1(), "SIGUSR1")?,
        })
    }

    /// Turns each signal into what it means, for ever.
    async fn obey(mut self, controller: Controller, log: Queue) {
        loop {
            let control = tokio::select! {
                _ = self.terminate.recv() => Control::Shutdown,
                _ = self.interrupt.recv() => Control::Shutdown,
                _ = self.lame_duck.recv() => Control::LameDuck,
                _ = self.reload.recv() => Control::Reload,
                _ = self.reopen.recv() => {
                    log.reopen();
                    Control::NextRecordFile
                }
            };
            controller.ask(control);
        }
    }
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
