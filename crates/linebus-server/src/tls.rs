//! TLS: the certificate that is shown, clients' certificates, and the listeners' side of it all.
//!
//! TLS has listeners of its own and never begins on a plain connection: STARTTLS lets an attacker
//! put plain commands before the encrypted ones (CVE-2011-0411).

mod handshake;
mod settings;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;

use crate::clock::unix_seconds;

pub(crate) use handshake::{HandshakeError, handshake};
pub(crate) use settings::Settings;
pub(crate) use stream::{TlsLink, TlsReader};

/// A certificate that ends sooner than this, in seconds, is warned of when it is loaded.
const EXPIRY_WARNING_SECONDS: i64 = 14 * 24 * 60 * 60;

/// What new TLS connections are served with. Certificate, key and clients' authority change
/// together or not at all; connections that are there go on with what they began with.
#[derive(Debug)]
pub(crate) struct Tls(RwLock<Settings>);

impl Tls {
    /// Serves with these.
    pub(crate) fn new(settings: Settings) -> Self {
        log_expiry(settings.expires);
        Self(RwLock::new(settings))
    }

    /// New connections are served with these from now on.
    pub(crate) fn replace(&self, settings: Settings) {
        log_expiry(settings.expires);
        *self.0.write() = settings;
    }

    /// Says in the log when the certificate ends, louder when that is soon.
    pub(crate) fn log_expiry(&self) {
        log_expiry(self.expires());
    }

    /// When the first of the server's certificates ends, in seconds since 1970-01-01 UTC.
    pub(crate) fn expires(&self) -> i64 {
        self.0.read().expires
    }

    /// What a connection that begins now is served with.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().server)
    }
}

fn log_expiry(expires: i64) {
    let left = expires.saturating_sub(unix_seconds());
    let days = left / (24 * 60 * 60);
    if left <= 0 {
        tracing::error!(expires, "the TLS certificate has expired: clients will refuse it");
    } else if left < EXPIRY_WARNING_SECONDS {
        tracing::warn!(expires, days, "the TLS certificate ends soon; renew it and reload");
    } else {
        tracing::info!(expires, days, "TLS certificate loaded");
    }
}
