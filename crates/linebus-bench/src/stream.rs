//! One connection's bytes, plain or encrypted: the same calls for both, and for every server.
//!
//! It doesn't wait: what can't be done now is `WouldBlock`, as with a plain non-blocking socket. What has been encrypted
//! and not yet taken by the socket is [`Stream::has_unsent`]; the next write sends it first.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use mio::net::TcpStream;

use crate::BenchError;

mod tls;

use tls::Session;
pub use tls::Tls;

/// A non-blocking connection.
pub(crate) struct Stream {
    socket: TcpStream,
    /// Nothing while all is in the clear.
    session: Option<Box<Session>>,
}

impl Stream {
    /// In the clear, for now.
    pub(crate) fn new(socket: TcpStream) -> Stream {
        Stream { socket, session: None }
    }

    /// Encrypts from the next byte on and goes on with the handshake as far as the socket allows; true once it is done.
    pub(crate) fn secure(&mut self, tls: &Tls) -> Result<bool, BenchError> {
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(Box::new(Session::new(tls)?)),
        };
        session.shake_hands(&mut self.socket).map_err(BenchError::io("agree on encryption"))
    }

    /// What the two sides agreed to encrypt with.
    pub(crate) fn cipher(&self) -> Option<String> {
        self.session.as_ref()?.cipher()
    }

    /// Whether bytes that were accepted wait for room in the socket.
    pub(crate) fn has_unsent(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_unsent())
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }
}

impl Read for Stream {
    /// As with a socket, less than there is room for means that there is no more for now.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.session {
            None => self.socket.read(buffer),
            Some(session) => session.read(&mut self.socket, buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.session {
            None => self.socket.write_vectored(parts),
            Some(session) => session.write_vectored(&mut self.socket, parts),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.session {
            None => Ok(()),
            Some(session) => session.flush(&mut self.socket),
        }
    }
}

/// Whether an error only means that it is not possible now.
pub(crate) fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
