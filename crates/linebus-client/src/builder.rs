//! Everything about a client that can be chosen, and its first connection.

use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::driver::Driver;
use crate::error::Error;
use crate::events::Events;
use crate::shared::Shared;
use crate::tls::{Pem, TlsChoices};
use crate::url::{BusUrl, UrlError};

/// Choices for a [`Client`]; every one has a default.
///
/// ```no_run
/// use std::time::Duration;
/// use linebus_client::{Client, Error};
///
/// # async fn example() -> Result<(), Error> {
/// let (client, events) = Client::builder("linebus://127.0.0.1")?
///     .login("alice", None)?
///     .back_off(Duration::from_millis(50), Duration::from_secs(3))
///     .answer_timeout(Duration::from_secs(5))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing happens before connect"]
pub struct Builder {
    url: BusUrl,
    settings: Settings,
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) reconnect: bool,
    pub(crate) retry_first: bool,
    pub(crate) back_off_first: Duration,
    pub(crate) back_off_max: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) answer_timeout: Duration,
    pub(crate) silence_max: Duration,
    pub(crate) events_bytes_max: usize,
    pub(crate) outgoing_bytes_max: usize,
    pub(crate) tls: TlsChoices,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reconnect: true,
            retry_first: false,
            back_off_first: Duration::from_millis(100),
            back_off_max: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            silence_max: Duration::from_secs(30),
            events_bytes_max: 1024 * 1024,
            outgoing_bytes_max: 256 * 1024,
            tls: TlsChoices::default(),
        }
    }
}

impl Builder {
    /// Begins with the defaults.
    pub fn new(url: BusUrl) -> Self {
        Self { url, settings: Settings::default() }
    }

    /// Logs in as `user`, whatever the URL says, again after each reconnect.
    ///
    /// # Errors
    /// [`UrlError::User`] or [`UrlError::Password`] if the bus would not take them.
    pub fn login(mut self, user: &str, password: Option<&str>) -> Result<Self, UrlError> {
        self.url = self.url.with_login(user, password)?;
        Ok(self)
    }

    /// Whether another connection is made when one is lost. Default: yes, until it comes about,
    /// unless the bus ended it for good: `bye` with `logoff`, `kicked`, `abuse`, `login-timeout`
    /// or `not-lines`, or a login that it does not accept any more.
    pub fn reconnect(mut self, yes: bool) -> Self {
        self.settings.reconnect = yes;
        self
    }

    /// Whether [`Builder::connect`] goes on trying until there is a bus, instead of failing at
    /// once. Default: no. For programs that may start before the bus does.
    pub fn retry_first_connection(mut self, yes: bool) -> Self {
        self.settings.retry_first = yes;
        self
    }

    /// How long to wait before the first try to connect again, and at most. The delay doubles
    /// each time; of each a random part, at most half, is left out. Defaults: 100 ms and 10 s.
    pub fn back_off(mut self, first: Duration, max: Duration) -> Self {
        self.settings.back_off_first = first;
        self.settings.back_off_max = max;
        self
    }

    /// How long one connection, hello and login may take. Beyond, the try counts as failed.
    /// Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// How long commands wait for their answer. Beyond, they fail with
    /// [`Error::AnswerTimeout`]; the connection goes on. Default: 30 s.
    pub fn answer_timeout(mut self, limit: Duration) -> Self {
        self.settings.answer_timeout = limit;
        self
    }

    /// After so long without a line from the bus a ping is sent, and after as long again without
    /// an answer the connection counts as lost. So a bus whose machine or network vanished is
    /// noticed. Default: 30 s; [`Duration::MAX`] turns it off.
    pub fn silence_max(mut self, limit: Duration) -> Self {
        self.settings.silence_max = limit;
        self
    }

    /// How many bytes of lines wait for the program to read them. Beyond, the client stops
    /// reading its socket, and the bus sees a slow receiver. One read of the socket, at most
    /// 128 KiB or one long line, may exceed it. Default: 1 MiB.
    pub fn events_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.events_bytes_max = bytes;
        self
    }

    /// How many bytes of lines wait to be written, besides as many that are being written.
    /// Beyond, `send` waits. Default: 256 KiB.
    pub fn outgoing_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.outgoing_bytes_max = bytes;
        self
    }

    /// Over `linebuss://`, trusts only who signs with these certificates, not those whom the
    /// system trusts. For a bus with a certificate of one's own making.
    pub fn ca(mut self, authorities: impl Into<Pem>) -> Self {
        self.settings.tls.ca = Some(authorities.into());
        self
    }

    /// Over `linebuss://`, shows this certificate to a bus that asks for one, followed by those
    /// between it and its authority.
    pub fn client_certificate(mut self, certificate: impl Into<Pem>, key: impl Into<Pem>) -> Self {
        self.settings.tls.identity = Some((certificate.into(), key.into()));
        self
    }

    /// What TLS is spoken with, for programs that make connections of their own. It reads files, so
    /// not for a thread that serves connections.
    ///
    /// # Errors
    /// Which file is wrong, and what would be right.
    pub fn tls_config(&self) -> std::io::Result<Arc<rustls::ClientConfig>> {
        self.settings.tls.config()
    }

    /// Connects, reads the bus's hello and logs in if there is a user. A task on the current
    /// tokio runtime serves the connection from then on.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::ConnectTimeout`], [`Error::NotABus`],
    /// [`Error::Disconnected`] if the bus says goodbye, [`Error::Refused`] if it does not accept
    /// the login.
    pub async fn connect(self) -> Result<(Client, Events), Error> {
        let (client, events, serving) = self.establish().await?;
        tokio::spawn(serving);
        Ok((client, events))
    }

    /// As [`Builder::connect`], leaving it to the caller where the connection is served.
    pub(crate) async fn establish(
        self,
    ) -> Result<(Client, Events, impl Future<Output = ()> + Send + 'static), Error> {
        let shared = Arc::new(Shared::new(self.settings, self.url.credentials));
        let mut driver = Driver::new(Arc::clone(&shared), self.url.place);
        let connection = driver.connect_first().await?;
        // Here and not in the task: whoever gets the client may send at once.
        shared.outgoing.bring_up(connection.line_bytes_max, Vec::new());
        let client = Client::new(Arc::clone(&shared));
        let events = Events::new(shared);
        Ok((client, events, driver.run(connection)))
    }
}
