//! Which bus to talk to, and the connection to it.

use std::future::Future;
use std::path::PathBuf;

use linebus_client::{Builder, BusUrl, Client, Error, Event, Events};

use crate::exit::Failure;

/// The option that every command has.
#[derive(Debug, clap::Args)]
pub(crate) struct Bus {
    // Not a doc comment: rustdoc takes brackets for links, and a terminal shows backslashes.
    #[arg(
        help = "The bus: linebus://[user[:password]@]host[:port], linebuss://… for TLS, unix:/path or host:port",
        long = "bus",
        value_name = "URL",
        env = "LINEBUS_URL",
        default_value = "linebus://127.0.0.1:5463",
        global = true,
        hide_env_values = true
    )]
    url: String,
    /// Over linebuss://, trust who signs with the certificates in this PEM file, and nobody else.
    #[arg(long, value_name = "FILE", env = "LINEBUS_CA", global = true, hide_env_values = true)]
    ca: Option<PathBuf>,
    /// Over linebuss://, show the certificate in this PEM file.
    #[arg(
        long = "cert",
        value_name = "FILE",
        env = "LINEBUS_CERT",
        requires = "key",
        global = true,
        hide_env_values = true
    )]
    certificate: Option<PathBuf>,
    /// The private key of --cert, a PEM file.
    #[arg(
        long,
        value_name = "FILE",
        env = "LINEBUS_KEY",
        requires = "certificate",
        global = true,
        hide_env_values = true
    )]
    key: Option<PathBuf>,
}

impl Bus {
    /// The URL, checked.
    pub(crate) fn url(&self) -> Result<BusUrl, Failure> {
        Ok(self.url.parse::<BusUrl>().map_err(Error::from)?)
    }

    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        let mut builder = Builder::new(self.url()?);
        if let Some(ca) = &self.ca {
            builder = builder.ca(ca.clone());
        }
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            builder = builder.client_certificate(certificate.clone(), key.clone());
        }
        Ok(builder)
    }

    /// A connection for one errand, which fails when the connection does.
    pub(crate) async fn connect_once(&self) -> Result<(Client, Events), Failure> {
        Ok(self.builder()?.reconnect(false).connect().await?)
    }

    /// A connection that is made again when it is lost.
    pub(crate) async fn connect(&self) -> Result<(Client, Events), Failure> {
        Ok(self.builder()?.connect().await?)
    }
}

/// Runs a command that talks to a bus.
pub(crate) fn block_on<F>(command: F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| anyhow::Error::from(error).context("can't start a thread"))?;
    let done = runtime.block_on(command);
    // A thread that reads standard input can't be stopped, and need not be waited for.
    runtime.shutdown_background();
    done
}

/// Tells on standard error what happened on the connection besides messages. An error if the
/// connection is lost for good.
pub(crate) fn tell(event: &Event) -> Result<(), Failure> {
    match event {
        Event::Note { code, text } => eprintln!("linebus: note: {text} ({code})"),
        Event::Refused(refused) => eprintln!("linebus: {refused}"),
        Event::Disconnected(lost) if lost.retrying => {
            eprintln!("linebus: {}; connecting again, messages may be missed", lost.why);
        }
        Event::Disconnected(lost) => return Err(Failure::NoBus(lost.why.to_string())),
        Event::Reconnected { after } => {
            eprintln!("linebus: connected again; messages of {after:.1?} may be missing");
        }
        _ => {}
    }
    Ok(())
}
