//! TLS over one socket, with rustls. One cipher suite is offered, so that all servers encrypt with the same.
//!
//! The socket is read in large pieces into a buffer that all connections of the thread share, because rustls by itself
//! asks a socket for 4 KiB at a time (its `READ_SIZE`), which would make a system call for each.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::BenchError;
use crate::intake::READ_BYTES;

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// How the generator encrypts: TLS 1.3 with `TLS13_AES_128_GCM_SHA256` and nothing else, no resumption.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// Trusts the server that has this certificate (DER), which must be valid for 127.0.0.1.
    ///
    /// # Errors
    /// [`BenchError::Tls`] if that is no certificate.
    pub fn trusting(certificate: &[u8]) -> Result<Tls, BenchError> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate.to_vec()))?;
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Tls { config: Arc::new(config) })
    }
}

/// What encrypts one connection. The socket is its owner's.
pub(super) struct Session(ClientConnection);

impl Session {
    pub(super) fn new(tls: &Tls) -> Result<Session, BenchError> {
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let mut session = ClientConnection::new(Arc::clone(&tls.config), name)?;
        // How much is written at a time is for the caller to say.
        session.set_buffer_limit(None);
        Ok(Session(session))
    }

    pub(super) fn cipher(&self) -> Option<String> {
        let suite = self.0.negotiated_cipher_suite()?.suite();
        Some(suite.as_str().unwrap_or("unknown").to_owned())
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.0.wants_write()
    }

    /// True once it is done; false if the socket has to be waited for.
    pub(super) fn shake_hands(&mut self, socket: &mut TcpStream) -> io::Result<bool> {
        loop {
            let went_on = match self.flush(socket) {
                Ok(()) if !self.0.is_handshaking() => return Ok(true),
                Ok(()) => self.take_in(socket),
                Err(e) => Err(e),
            };
            match went_on {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(e),
            }
        }
    }

    /// Reads the socket once and decrypts; 0 at the end of the stream.
    fn take_in(&mut self, socket: &mut TcpStream) -> io::Result<usize> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let read = socket.read(buffer)?;
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                self.0.read_tls(&mut rest)?;
                let state = self.0.process_new_packets();
                state.map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
            }
            Ok(read)
        })
    }

    pub(super) fn read(&mut self, socket: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.reader().read(&mut buffer[filled..]) {
                // The other side said goodbye.
                Ok(0) => break,
                Ok(read) => {
                    filled += read;
                    continue;
                }
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => break,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
            match self.take_in(socket) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock && filled > 0 => break,
                Err(e) => return Err(e),
            }
        }
        Ok(filled)
    }

    /// Takes all or, as long as something is unsent, nothing.
    pub(super) fn write_vectored(
        &mut self,
        socket: &mut TcpStream,
        parts: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        self.flush(socket)?;
        let written = self.0.writer().write_vectored(parts)?;
        match self.flush(socket) {
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Ok(written),
        }
    }

    pub(super) fn flush(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        while self.0.wants_write() {
            match self.0.write_tls(socket) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                sent => drop(sent?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(matches!(Tls::trusting(b"hello"), Err(BenchError::Tls(_))));
    }
}
