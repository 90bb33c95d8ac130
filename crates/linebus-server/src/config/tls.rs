//! The `[tls]` table: where to listen for TLS, and the files that it takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Problem;
use super::reader::Reader;

/// What TLS is served with. The files are read when a server is started, and again when it is told to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfig {
    /// TCP addresses on which nothing but TLS is spoken; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// PEM: the server's certificate, then those between it and its authority.
    pub certificate: Option<ConfiguredFile>,
    /// PEM: the private key of the first of them.
    pub key: Option<ConfiguredFile>,
    /// PEM: who signs clients' certificates. Without it clients are not asked for one.
    pub client_ca: Option<ConfiguredFile>,
    /// Refuses clients that show no certificate.
    pub client_certificate_required: bool,
}

/// A file that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredFile {
    /// Where it is: relative paths begin at the configuration's folder.
    pub path: PathBuf,
    /// The line of the configuration that names it, counted from 1.
    pub line: usize,
}

impl From<PathBuf> for ConfiguredFile {
    /// A file that no configuration names, as if its first line did.
    fn from(path: PathBuf) -> Self {
        Self { path, line: 1 }
    }
}

impl ConfiguredFile {
    /// What is wrong with it.
    pub(crate) fn problem(&self, key: &str, text: &str) -> Problem {
        let text = format!("{}: {text}", self.path.display());
        Problem { line: self.line, key: key.to_owned(), text }
    }
}

impl TlsConfig {
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) {
        reader.addresses("tls.listen", &mut self.listen);
        reader.file("tls.certificate", &mut self.certificate);
        reader.file("tls.key", &mut self.key);
        reader.file("tls.client_ca", &mut self.client_ca);
        reader.switch("tls.client_certificate_required", &mut self.client_certificate_required);
        let mut need = |missing: bool, by: &str, text: &str| {
            if missing {
                reader.problem(by, text.to_owned());
            }
        };
        let (has_certificate, has_key) = (self.certificate.is_some(), self.key.is_some());
        need(
            !self.listen.is_empty() && !has_certificate,
            "tls.listen",
            "TLS needs a certificate; name its PEM file in tls.certificate, and its key in tls.key",
        );
        need(
            has_certificate && !has_key,
            "tls.certificate",
            "a certificate needs its private key; name its PEM file in tls.key",
        );
        need(
            has_key && !has_certificate,
            "tls.key",
            "a key needs its certificate; name its PEM file in tls.certificate",
        );
        need(
            self.client_certificate_required && self.client_ca.is_none(),
            "tls.client_certificate_required",
            "name the PEM file of who signs clients' certificates in tls.client_ca",
        );
        need(
            self.client_ca.is_some() && !has_certificate,
            "tls.client_ca",
            "clients' certificates need a server's; name its PEM file in tls.certificate",
        );
    }
}
