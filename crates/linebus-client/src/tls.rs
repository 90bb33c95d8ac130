//! What TLS is spoken with: whom the client trusts, whom it says it is, and what to do when the
//! two sides do not agree. The server's name is always checked; there is no way around that.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, InvalidMessage, RootCertStore,
};

/// Certificates or a key as PEM text, or the file that holds them.
///
/// A file is read anew for each connection: what is renewed there counts from the next
/// reconnect on.
#[derive(Clone)]
pub enum Pem {
    /// In a file.
    File(PathBuf),
    /// The text itself.
    Text(Vec<u8>),
}

/// The choices of a [`Builder`](crate::Builder) that TLS is concerned with.
#[derive(Debug, Clone, Default)]
pub(crate) struct TlsChoices {
    /// Whom to trust instead of whom the system trusts.
    pub(crate) ca: Option<Pem>,
    /// A client's certificates and their key.
    pub(crate) identity: Option<(Pem, Pem)>,
}

impl From<PathBuf> for Pem {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Pem {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

/// The text does not appear: it may be a key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text(…)"),
        }
    }
}

impl TlsChoices {
    /// Reads the files. It takes a moment; not for a thread that serves connections.
    ///
    /// # Errors
    /// Which file is wrong, and what would be right.
    pub(crate) fn config(&self) -> io::Result<Arc<ClientConfig>> {
        let roots = match &self.ca {
            Some(pem) => trusted(pem)?,
            None => trusted_by_system()?,
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions")
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let private = PrivateKeyDer::from_pem_slice(&key.read()?);
                let private = private.map_err(|_| key.wrong("there is no private key in it"))?;
                builder.with_client_auth_cert(chain, private).map_err(|error| {
                    key.wrong(&format!("it does not belong to the certificate ({error})"))
                })?
            }
        };
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

impl Pem {
    fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(path) => std::fs::read(path).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            }),
            Self::Text(text) => Ok(text.clone()),
        }
    }

    fn wrong(&self, text: &str) -> io::Error {
        let name = match self {
            Self::File(path) => path.display().to_string(),
            Self::Text(_) => "the PEM text".to_owned(),
        };
        io::Error::new(io::ErrorKind::InvalidInput, format!("{name}: {text}"))
    }
}

fn certificates(pem: &Pem) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = pem.read()?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(pem.wrong("there is no certificate in it; PEM text is wanted")),
    }
}

fn trusted(pem: &Pem) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| {
            pem.wrong(&format!("a certificate in it is no authority's: {error}"))
        })?;
    }
    Ok(roots)
}

fn trusted_by_system() -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // Systems keep certificates that nobody can use any more; those are passed over.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let text = "this system trusts no certificate authority; install its ca-certificates, or \
                    give the bus's own with --ca FILE";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    Ok(roots)
}

/// The TLS error in an error of the stream, in words that say what to do.
pub(crate) fn explain(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "that port speaks plain lines, not TLS; use linebus:// there, or the port for TLS"
                .to_owned()
        }
        Error::InvalidCertificate(error) => explain_certificate(error),
        Error::AlertReceived(alert) => explain_alert(*alert),
        error => format!("TLS failed: {error}"),
    })
}

fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by nobody who is trusted here; give its authority's \
             certificate with --ca FILE"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| plain_name(name)).collect();
            let names = names.join(", ");
            let expected = expected.to_str();
            if names.is_empty() {
                format!("its certificate names no host, so it can't be that of {expected}")
            } else {
                format!(
                    "its certificate is for {names}, not for {expected}; use such a name in the URL"
                )
            }
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired; renew it there, or set this machine's clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; set this machine's clock".to_owned()
        }
        error if error.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's own; have a server's certificate signed by it"
                .to_owned()
        }
        error => format!("its certificate is not accepted here: {error}"),
    }
}

/// `DnsName("a")`, as webpki says it, without its wrapping.
fn plain_name(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn explain_alert(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => {
            "the bus wants a client's certificate; give it with --cert FILE and --key FILE"
                .to_owned()
        }
        Alert::UnknownCA
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::AccessDenied
        | Alert::DecryptError => {
            format!("the bus does not accept this client's certificate ({alert:?})")
        }
        Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            format!("the other side has no version or cipher of TLS in common ({alert:?})")
        }
        alert => format!("the other side ended TLS ({alert:?})"),
    }
}
