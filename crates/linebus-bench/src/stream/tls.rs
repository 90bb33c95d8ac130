//! TLS over one socket, with rustls. In comparisons one cipher suite is offered, so that all servers encrypt with the same.
//!
//! The socket is read in large pieces, because rustls by itself asks it for 4 KiB at a time (its `READ_SIZE`), which would
//! make a system call for each. What has been read waits here until its reader has room for what it decrypts to.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::BenchError;

/// How much one read of a socket may bring: four records of the largest size (RFC 8446, section 5.1).
const INCOMING_BYTES: usize = 64 << 10;

/// How the generator encrypts.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    /// Whose certificate the server must show.
    server: ServerName<'static>,
}

impl Tls {
    /// As `config` says, with a server that is called `host`.
    ///
    /// # Errors
    /// [`BenchError::Tls`] if that is no name of a host.
    pub fn new(config: Arc<ClientConfig>, host: &str) -> Result<Tls, BenchError> {
        let server = ServerName::try_from(host.to_owned());
        let server = server.map_err(|_| rustls::Error::UnsupportedNameType)?;
        Ok(Tls { config, server })
    }

    /// Trusts the server that has this certificate (DER), which must be valid for 127.0.0.1: TLS 1.3 with
    /// `TLS13_AES_128_GCM_SHA256` and nothing else, no resumption.
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
        Tls::new(Arc::new(config), "127.0.0.1")
    }
}

/// What encrypts one connection. The socket is its owner's.
pub(super) struct Session {
    tls: ClientConnection,
    /// What was read of the socket; from `at` to `end` it is still to be decrypted.
    incoming: Box<[u8]>,
    at: usize,
    end: usize,
}

impl Session {
    pub(super) fn new(tls: &Tls) -> Result<Session, BenchError> {
        let mut tls = ClientConnection::new(Arc::clone(&tls.config), tls.server.clone())?;
        // How much is written at a time is for the caller to say.
        tls.set_buffer_limit(None);
        Ok(Session { tls, incoming: vec![0; INCOMING_BYTES].into(), at: 0, end: 0 })
    }

    pub(super) fn cipher(&self) -> Option<String> {
        let suite = self.tls.negotiated_cipher_suite()?.suite();
        Some(suite.as_str().unwrap_or("unknown").to_owned())
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.tls.wants_write()
    }

    /// True once it is done; false if the socket has to be waited for.
    pub(super) fn shake_hands(&mut self, socket: &mut TcpStream) -> io::Result<bool> {
        loop {
            let went_on = match self.flush(socket) {
                Ok(()) if !self.tls.is_handshaking() => return Ok(true),
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

    /// Decrypts a little more, reading the socket if need be; answers how much was decrypted, 0 at the end of the stream.
    fn take_in(&mut self, socket: &mut TcpStream) -> io::Result<usize> {
        if self.at == self.end {
            (self.at, self.end) = (0, socket.read(&mut self.incoming)?);
        }
        let taken = self.tls.read_tls(&mut &self.incoming[self.at..self.end])?;
        self.at += taken;
        let state = self.tls.process_new_packets();
        state.map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
        Ok(taken)
    }

    pub(super) fn read(&mut self, socket: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            match self.tls.reader().read(&mut buffer[filled..]) {
                // The other side said goodbye.
                Ok(0) => return Ok(filled),
                Ok(read) => filled += read,
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(filled),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
            if filled == buffer.len() {
                return Ok(filled);
            }
            match self.take_in(socket) {
                Ok(0) => return Ok(filled),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock && filled > 0 => return Ok(filled),
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes all or, as long as something is unsent, nothing.
    pub(super) fn write_vectored(
        &mut self,
        socket: &mut TcpStream,
        parts: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        self.flush(socket)?;
        let written = self.tls.writer().write_vectored(parts)?;
        match self.flush(socket) {
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Ok(written),
        }
    }

    pub(super) fn flush(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(socket) {
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
