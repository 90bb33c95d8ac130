//! The two halves of a socket: the [`Link`] through which any session writes, and the reader that
//! belongs to one task. A new kind of socket is a variant here and a listener.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use linebus_broker::{Gone, Link};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

/// A socket that was accepted and belongs to no thread yet.
pub(crate) enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// The writing half. Dropping it ends the stream towards the client.
pub(crate) enum SocketLink {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
}

/// The reading half, which also knows when the other one can write.
pub(crate) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
}

impl Socket {
    /// Gives it to the runtime that is entered.
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
        })
    }
}

impl Link for SocketLink {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        let written = match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            Self::Unix(socket) => socket.try_write(bytes),
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
        };
        polled.map_ok(|()| buf.filled().len())
    }

    /// Whether the other half can write, as far as is known.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.as_ref().poll_write_ready(cx),
            Self::Unix(socket) => socket.as_ref().poll_write_ready(cx),
        }
    }
}
