//! Reading the configuration and its files again: all of it is read and checked, then all of it
//! counts at once, or nothing changes and the log says why.

use std::fmt;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linebus_broker::Work;

use crate::accounts::Users;
use crate::config::{Config, ReadError};
use crate::link::is_elsewhere;
use crate::listener::BindError;
use crate::server::Reception;
use crate::tls::Tls;

/// Where a server's configuration came from, to be read again.
pub struct Source {
    file: PathBuf,
    adjust: Box<dyn Fn(&mut Config) + Send>,
}

impl Source {
    /// A file, and what goes before what it says: the command line.
    pub fn new(file: impl Into<PathBuf>, adjust: impl Fn(&mut Config) + Send + 'static) -> Self {
        Self { file: file.into(), adjust: Box::new(adjust) }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Has a configuration count, and reads again what a server was started with.
pub(crate) struct Reloader {
    source: Option<Source>,
    /// What it was started with: some keys can't be changed later.
    started: Config,
    /// What counts now.
    config: Config,
    /// What it counts for.
    reception: Reception,
    tls: Option<Arc<Tls>>,
    /// Closed while files are read, so that this works when no other descriptor is free.
    spare: Option<File>,
    /// How the files looked when they were read last.
    seen: Vec<Look>,
    /// How they looked a moment ago, if that was different: they may be being written.
    changing: Option<Vec<Look>>,
}

/// What tells that a file is another one than before, or was written to: device, inode, size, time
/// of its last change (with nanoseconds). Nothing where there is none.
type Look = Option<(u64, u64, u64, i64, i64)>;

impl Reloader {
    /// Has `config` and `users` count from now on. TLS is served with what it was made of.
    pub(crate) fn new(
        source: Option<Source>,
        config: Config,
        users: Option<Users>,
        reception: Reception,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        let mut reloader = Self {
            source,
            started: config.clone(),
            config,
            reception,
            tls,
            spare: spare(),
            seen: Vec::new(),
            changing: None,
        };
        reloader.seen = reloader.look();
        reloader.apply(users);
        reloader
    }

    /// What counts now.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Reloads if a file has changed since it was read, and has not changed any more since this was
    /// called last.
    pub(crate) fn watch(&mut self) {
        if !self.config.reload_on_change {
            return;
        }
        let look = self.look();
        if look == self.seen {
            self.changing = None;
        } else if self.changing.as_ref() == Some(&look) {
            tracing::info!("the configuration or one of its files has changed");
            self.reload();
        } else {
            self.changing = Some(look);
        }
    }

    /// Reads everything again. Any mistake leaves everything as it was.
    pub(crate) fn reload(&mut self) {
        let Some(source) = &self.source else {
            tracing::warn!("nothing to reload: this server was started without a configuration");
            return;
        };
        self.changing = None;
        self.seen = self.look();
        drop(self.spare.take());
        let read = Config::load(&source.file);
        self.spare = spare();
        let result = read.and_then(|(mut config, files)| {
            (source.adjust)(&mut config);
            if let Some(address) = exposed(&self.started, &config) {
                let problem = format!("{}: {}", source.file.display(), BindError::Open(address));
                return Err(ReadError::Problems(vec![problem]));
            }
            Ok((config, files))
        });
        match result {
            Ok((config, files)) => {
                self.warn_of_what_waits_for_a_restart(&config);
                if let (Some(tls), Some(settings)) = (&self.tls, files.tls) {
                    tls.replace(settings);
                }
                self.config = config;
                self.apply(files.users);
                self.reception.metrics.reloaded(true);
                tracing::info!("reloaded");
            }
            Err(error) => {
                self.reception.metrics.reloaded(false);
                for line in error.to_string().lines() {
                    tracing::error!("nothing was reloaded: {line}");
                }
            }
        }
    }

    fn apply(&self, users: Option<Users>) {
        let Reception { broker, clock, logins, admission, metrics, .. } = &self.reception;
        *admission.write() = self.config.admission.clone();
        broker.set_limits(self.config.limits.clone());
        let login_required = users.is_some();
        logins.replace(users.unwrap_or_default(), self.config.plain_passwords);
        let work = &mut Work::default();
        broker.set_accounts(login_required, |user| logins.account(user), work, clock.now());
        work.facts().for_each(|fact| metrics.note(fact));
    }

    fn warn_of_what_waits_for_a_restart(&self, config: &Config) {
        let Config {
            listen,
            unix,
            keepalive_s,
            threads,
            log,
            log_format,
            log_file,
            metrics,
            metrics_open_to_the_network,
            tls,
            record,
            ..
        } = &self.started;
        let keys = [
            ("listen", *listen != config.listen),
            ("unix", *unix != config.unix),
            ("keepalive_s", *keepalive_s != config.keepalive_s),
            ("tls.listen", tls.listen != config.tls.listen),
            ("record", *record != config.record),
            ("threads", *threads != config.threads),
            ("log", *log != config.log),
            ("log_format", *log_format != config.log_format),
            ("log_file", *log_file != config.log_file),
            ("metrics", *metrics != config.metrics),
            (
                "metrics_open_to_the_network",
                *metrics_open_to_the_network != config.metrics_open_to_the_network,
            ),
        ];
        for (key, changed) in keys {
            if changed {
                tracing::warn!("{key} has changed, which will count when the server is restarted");
            }
        }
    }

    /// How all files look now.
    fn look(&self) -> Vec<Look> {
        let Some(source) = &self.source else { return Vec::new() };
        let Config { users, tls, .. } = &self.config;
        let named = [users, &tls.certificate, &tls.key, &tls.client_ca];
        let named = named.into_iter().flatten().map(|file| file.path.as_path());
        std::iter::once(source.file.as_path()).chain(named).map(look).collect()
    }
}

fn spare() -> Option<File> {
    let opened = File::open("/dev/null");
    opened
        .inspect_err(|error| tracing::warn!(%error, "can't keep a file descriptor for reloading"))
        .ok()
}

fn look(path: &Path) -> Look {
    let about = path.metadata().ok()?;
    Some((about.dev(), about.ino(), about.size(), about.ctime(), about.ctime_nsec()))
}

/// An address on which a server listens that the network can reach, if by `config` everybody who
/// gets there may do everything and nobody has said that this is wanted.
pub(crate) fn exposed(listening: &Config, config: &Config) -> Option<SocketAddr> {
    if config.users.is_some() || config.open_to_the_network {
        return None;
    }
    let mut addresses = listening.listen.iter().chain(&listening.tls.listen);
    addresses.find(|address| is_elsewhere(**address)).copied()
}
