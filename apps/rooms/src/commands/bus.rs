//! Which bus to talk to.

use std::future::Future;
use std::path::PathBuf;

use linebus_client::{Builder, Error};

/// The options of every command that talks to a bus.
#[derive(Debug, clap::Args)]
pub(crate) struct Bus {
    // Not a doc comment: rustdoc takes brackets for links.
    #[arg(
        help = "The bus: linebus://[user[:password]@]host[:port], linebuss://… for TLS, unix:/path or host:port",
        long = "bus",
        value_name = "URL",
        env = "LINEBUS_URL",
        default_value = "linebus://127.0.0.1:5463",
        hide_env_values = true
    )]
    url: String,
    /// Over linebuss://, trust who signs with the certificates in this PEM file, and nobody else.
    #[arg(long, value_name = "FILE", env = "LINEBUS_CA", hide_env_values = true)]
    ca: Option<PathBuf>,
}

impl Bus {
    /// A connection to it, not yet made.
    pub(crate) fn builder(&self) -> Result<Builder, Error> {
        let builder = Builder::new(self.url.parse().map_err(Error::from)?);
        Ok(match &self.ca {
            Some(ca) => builder.ca(ca.clone()),
            None => builder,
        })
    }
}

/// Runs a command that talks to a bus.
pub(crate) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(command)
}
