//! A TLS client that waits, for tests: not the one that ships, so that both are judged apart.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::certificates::Identity;
use crate::telnet::Telnet;

/// How long to wait for what must come: far longer than it ever takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a TLS port.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts `authority`, and shows a certificate if it is given one.
#[must_use]
pub fn client(authority: &str, identity: Option<&Identity>) -> ClientConfig {
    client_of(rustls::ALL_VERSIONS, authority, identity)
}

/// The same, of certain versions of TLS only.
#[must_use]
pub fn client_of(
    versions: &[&'static SupportedProtocolVersion],
    authority: &str,
    identity: Option<&Identity>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("it is PEM");
    roots.add(authority).expect("it is an authority's");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("the provider has suites for both")
        .with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("it is PEM");
            builder
                .with_client_auth_cert(vec![certificate.expect("it is PEM")], key)
                .expect("they belong together")
        }
    }
}

/// Connects, expecting a certificate for `name`, and waits for the handshake.
///
/// # Errors
/// When the handshake fails, also for the server's reasons as far as they are known by then.
pub fn connect(address: SocketAddr, name: &str, config: ClientConfig) -> io::Result<TlsStream> {
    let mut socket = TcpStream::connect(address).expect("the server listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
    socket.set_write_timeout(Some(PATIENCE)).expect("a socket has timeouts");
    socket.set_nodelay(true).expect("a TCP socket has the option");
    let name = ServerName::try_from(name.to_owned()).expect("it is a name");
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(tls, socket))
}

/// A person with telnet, over TLS: connected, and greeted.
#[must_use]
pub fn telnet(address: SocketAddr, name: &str, config: ClientConfig) -> Telnet<TlsStream> {
    let stream = connect(address, name, config).expect("the handshake works");
    Telnet::greeted(BufReader::new(stream))
}

/// Says close_notify and ends the stream towards the server, which may be gone.
pub fn close(stream: &mut TlsStream) {
    stream.conn.send_close_notify();
    let _ = stream.flush();
    let _ = stream.sock.shutdown(Shutdown::Write);
}
