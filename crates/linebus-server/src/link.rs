//! The two halves of a socket: the [`Link`] through which any session writes, and the reader that
//! belongs to one task. A new kind of socket is a variant here and a listener.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use linebus_broker::{Gone, Link};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

use crate::tls::{HandshakeError, TlsLink, TlsReader, handshake};

/// A socket that was accepted and belongs to no thread yet.
pub(crate) enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    /// With what TLS is to be spoken on it: see [`Socket::shake_hands`].
    Tls(std::net::TcpStream, Arc<ServerConfig>),
    /// TLS that is up; it belongs to a runtime already.
    Secured(TlsReader, TlsLink),
}

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where from; nothing for a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// Nobody between can read along.
    pub(crate) encrypted: bool,
    /// The user's name that its certificate proves.
    pub(crate) certified: Option<Box<str>>,
    /// The name of the part of this server that it is.
    pub(crate) inside: Option<&'static str>,
}

/// Whether an address belongs to a network that others share, not to this machine alone.
pub(crate) fn is_elsewhere(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

impl fmt::Display for Peer {
    /// What `who` shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("unix"),
        }
    }
}

/// The writing half. Dropping it ends the stream towards the client.
pub(crate) enum SocketLink {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
    Tls(TlsLink),
}

/// The reading half, which also knows when the other one can write.
pub(crate) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
    Tls(TlsReader),
}

impl Socket {
    /// Has TLS spoken, if that is to be, and learns what the client's certificate says. For the
    /// runtime that is to serve it.
    pub(crate) async fn shake_hands(self, peer: &mut Peer) -> Result<Self, HandshakeError> {
        let Self::Tls(socket, config) = self else { return Ok(self) };
        let socket = TcpStream::from_std(socket)?;
        let (reader, link, certified) = handshake(socket, config).await?;
        peer.certified = certified;
        Ok(Self::Secured(reader, link))
    }

    /// Gives it to the runtime that is entered.
    ///
    /// # Errors
    /// When the runtime can't take it, or TLS is not up yet.
    pub(crate) fn split(self) -> io::Result<(Reader, SocketLink)> {
        Ok(match self {
            Self::Tcp(socket) => {
                let (read, write) = TcpStream::from_std(socket)?.into_split();
                (Reader::Tcp(read), SocketLink::Tcp(write))
            }
            Self::Unix(socket) => {
                let (read, write) = UnixStream::from_std(socket)?.into_split();
                (Reader::Unix(read), SocketLink::Unix(write))
            }
            Self::Secured(read, write) => (Reader::Tls(read), SocketLink::Tls(write)),
            Self::Tls(..) => return Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Link for SocketLink {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        let written = match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            Self::Unix(socket) => socket.try_write(bytes),
            Self::Tls(link) => return link.try_write(bytes),
        };
        match written {
            Ok(written) => Ok(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(_) => Err(Gone),
        }
    }
}

impl Reader {
    /// Reads into `space`; 0 is the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(space);
        let polled = match self {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, &mut buf),
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, &mut buf),
            Self::Tls(reader) => return reader.poll_read(cx, space),
        };
        polled.map_ok(|()| buf.filled().len())
    }

    /// Whether the other half can write, as far as is known.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.as_ref().poll_write_ready(cx),
            Self::Unix(socket) => socket.as_ref().poll_write_ready(cx),
            Self::Tls(reader) => reader.poll_write_ready(cx),
        }
    }

    /// Reads what nobody wants to know; 0 is the end of the stream.
    pub(crate) fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tls(reader) => reader.poll_discard(cx, space),
            Self::Tcp(_) | Self::Unix(_) => self.poll_read(cx, space),
        }
    }

    /// Has `waker` woken when bytes wait between link and socket.
    pub(crate) fn register(&self, waker: &Waker) {
        if let Self::Tls(reader) = self {
            reader.register(waker);
        }
    }

    /// Whether bytes that the link took wait for the socket; only TLS has such.
    pub(crate) fn holds_unwritten(&self) -> bool {
        match self {
            Self::Tls(reader) => reader.holds_unwritten(),
            Self::Tcp(_) | Self::Unix(_) => false,
        }
    }

    /// Writes them, as far as the socket takes them.
    pub(crate) fn flush(&self) {
        if let Self::Tls(reader) = self {
            reader.flush();
        }
    }

    /// Ends what this kind of stream has to end, when nothing more is to be written; ready when
    /// the socket has all of it.
    pub(crate) fn poll_finish(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Tls(reader) => reader.poll_finish(cx),
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(()),
        }
    }
}
