//! From an accepted socket to a TLS connection: before that is done, the broker knows nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use linebus_protocol::is_name;
use rustls::{ServerConfig, ServerConnection};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::stream::{Nonblocking, TlsLink, TlsReader, split};

/// How long a handshake may take.
pub(super) const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long its first byte may take. In TLS the client speaks first; who waits for us to is one
/// that speaks plain lines, and is told so before it loses patience.
const FIRST_BYTE_MAX: Duration = Duration::from_secs(5);
/// Most bytes that a client may send before the handshake is done. A long chain of certificates
/// is half of it.
const HANDSHAKE_BYTES_MAX: usize = 32 << 10;

/// The first byte of every TLS connection: a handshake record (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// What those get who speak plain lines to this port.
const EXPLANATION: &[u8] =
    b"bye not-lines this port speaks TLS; use linebuss:// or `openssl s_client -connect`\n";

/// Why no TLS came about.
#[derive(Debug, Error)]
pub(crate) enum HandshakeError {
    #[error("the client does not speak TLS")]
    NotTls,
    #[error("the handshake took longer than {HANDSHAKE_MAX:?}")]
    TooSlow,
    #[error("the handshake took more than {HANDSHAKE_BYTES_MAX} bytes")]
    TooLong,
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Brings TLS about.
///
/// Returns the connection's halves, and the user's name that the client's certificate proves:
/// its subject's common name, if there is one and it is a user's name.
pub(crate) async fn handshake(
    socket: TcpStream,
    config: Arc<ServerConfig>,
) -> Result<(TlsReader, TlsLink, Option<Box<str>>), HandshakeError> {
    let mut tls = ServerConnection::new(config)?;
    let shaking = shake_hands(&socket, &mut tls);
    timeout(HANDSHAKE_MAX, shaking).await.unwrap_or(Err(HandshakeError::TooSlow))?;
    let certified = tls.peer_certificates().and_then(|chain| certified_name(chain.first()?));
    let (reader, link) = split(socket, tls);
    Ok((reader, link, certified))
}

async fn shake_hands(socket: &TcpStream, tls: &mut ServerConnection) -> Result<(), HandshakeError> {
    let mut first = [0];
    match timeout(FIRST_BYTE_MAX, socket.peek(&mut first)).await {
        Ok(Err(error)) => return Err(error.into()),
        Ok(Ok(0)) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        Ok(Ok(_)) if first[0] == HANDSHAKE_RECORD => {}
        Ok(Ok(_)) | Err(_) => {
            explain(socket).await;
            return Err(HandshakeError::NotTls);
        }
    }
    let mut received = 0;
    loop {
        while tls.wants_write() {
            socket.writable().await?;
            pass(tls.write_tls(&mut Nonblocking(socket)))?;
        }
        if !tls.is_handshaking() {
            return Ok(());
        }
        if received > HANDSHAKE_BYTES_MAX {
            return Err(HandshakeError::TooLong);
        }
        socket.readable().await?;
        match pass(tls.read_tls(&mut Nonblocking(socket)))? {
            None => continue,
            Some(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Some(len) => received += len,
        }
        if let Err(error) = tls.process_new_packets() {
            // The alert that says why, if the socket takes it.
            let _ = tls.write_tls(&mut Nonblocking(socket));
            return Err(error.into());
        }
    }
}

/// None if the socket is not ready after all.
fn pass(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        done => done.map(Some),
    }
}

/// Tells a plain client what this port is. What it said is read first: closing with unread input
/// would reset the connection, and the explanation with it.
async fn explain(socket: &TcpStream) {
    let mut said = [0; 4096];
    // Whether it arrives is up to a client that chose the wrong port.
    let _ = socket.try_read(&mut said);
    let _ = socket.try_write(EXPLANATION);
    let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Write);
    let closed = async {
        while socket.readable().await.is_ok() {
            if let Ok(Some(0)) | Err(_) = pass(socket.try_read(&mut said)) {
                break;
            }
        }
    };
    let _ = timeout(Duration::from_secs(1), closed).await;
}

/// The one common name in the certificate's subject, if a user may be called that.
fn certified_name(certificate: &[u8]) -> Option<Box<str>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?;
    // Two names would be two users.
    (names.next().is_none() && is_name(name)).then(|| name.into())
}
