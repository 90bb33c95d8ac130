//! The three files behind TLS: read whole, checked whole, before any of them counts.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::{ConfiguredFile, Problem, TlsConfig};

const CERTIFICATE: &str = "tls.certificate";
const KEY: &str = "tls.key";
const CLIENT_CA: &str = "tls.client_ca";

/// What was read, ready to be served with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) server: Arc<ServerConfig>,
    /// When the first of the server's certificates ends, in seconds since 1970.
    pub(super) expires: i64,
}

impl Settings {
    /// Reads and checks all files, and says everything that is wrong with them.
    pub(crate) fn load(config: &TlsConfig) -> Result<Self, Vec<Problem>> {
        let provider = Arc::new(provider());
        let mut problems = Vec::new();
        let identity = noted(&mut problems, identity(config, &provider));
        let clients = noted(&mut problems, clients(config, &provider));
        let (Some((identity, expires)), Some(clients)) = (identity, clients) else {
            problems.sort_by_key(|problem| problem.line);
            return Err(problems);
        };
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions")
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
        // Connections live long, so a resumed one saves little; and without resumption every
        // connection is checked against the authorities that count now.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        server.ignore_client_order = true;
        Ok(Self { server: Arc::new(server), expires })
    }
}

fn noted<T>(problems: &mut Vec<Problem>, result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// The ring provider. Of TLS 1.2's suites it prefers ChaCha20-Poly1305, whose keys last: with
/// AES-GCM a connection ends after 2^24 records (RFC 8446, 5.5), as TLS 1.2 can't change keys.
fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    let rank = |suite: &rustls::SupportedCipherSuite| match suite.tls13() {
        Some(_) => 0,
        None if format!("{:?}", suite.suite()).contains("CHACHA20") => 1,
        None => 2,
    };
    provider.cipher_suites.sort_by_key(rank);
    provider
}

/// The server's certificates with their key, and when the first of them ends.
fn identity(config: &TlsConfig, provider: &CryptoProvider) -> Result<(CertifiedKey, i64), Problem> {
    let missing = |key: &str| Problem {
        line: 1,
        key: key.to_owned(),
        text: "TLS needs a certificate and its key, each a PEM file".to_owned(),
    };
    let certificate = config.certificate.as_ref().ok_or_else(|| missing(CERTIFICATE))?;
    let key = config.key.as_ref().ok_or_else(|| missing(KEY))?;
    let chain = certificates(certificate, CERTIFICATE)?;
    let mut expires = i64::MAX;
    for der in &chain {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| {
            certificate.problem(CERTIFICATE, &format!("a certificate in it is malformed: {error}"))
        })?;
        expires = expires.min(parsed.validity().not_after.timestamp());
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key, KEY)?).map_err(|error| {
        key.problem(
            KEY,
            &match error {
                pem::Error::NoItemsFound => "there is no private key in it; PEM text with BEGIN \
                     PRIVATE KEY (or RSA, or EC) is wanted, not encrypted"
                    .to_owned(),
                error => format!("it is no PEM text: {error}"),
            },
        )
    })?;
    let identity =
        CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => key.problem(
                KEY,
                "it is not the key of the first certificate in tls.certificate; take the pair that \
             was made together, the server's own certificate first",
            ),
            Error::InvalidCertificate(error) => certificate
                .problem(CERTIFICATE, &format!("its first certificate is bad: {error:?}")),
            error => key.problem(
                KEY,
                &format!("this key can't be used ({error}); RSA, ECDSA or Ed25519 is wanted"),
            ),
        })?;
    Ok((identity, expires))
}

/// Who may come with a certificate, and who must.
fn clients(
    config: &TlsConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Problem> {
    let Some(file) = &config.client_ca else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, CLIENT_CA)? {
        roots.add(certificate).map_err(|error| {
            file.problem(CLIENT_CA, &format!("a certificate in it is no authority's: {error}"))
        })?;
    }
    let provider = Arc::clone(provider);
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if !config.client_certificate_required {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(|error| file.problem(CLIENT_CA, &error.to_string()))
}

fn certificates(file: &ConfiguredFile, key: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let text = read(file, key)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| file.problem(key, &format!("it is no PEM text: {error}")))?;
    if found.is_empty() {
        let text = "there is no certificate in it; PEM text with BEGIN CERTIFICATE is wanted";
        return Err(file.problem(key, text));
    }
    Ok(found)
}

fn read(file: &ConfiguredFile, key: &str) -> Result<Vec<u8>, Problem> {
    std::fs::read(&file.path).map_err(|error| {
        let text = format!("{error}; a PEM file that this user may read is wanted");
        file.problem(key, &text)
    })
}
