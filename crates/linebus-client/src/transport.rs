//! How bytes reach a bus: one file per transport, each ending in the same two halves.
//!
//! A new transport is one more file here, a variant of [`Place`] and an arm in [`dial`].

#[cfg(test)]
pub(crate) mod memory;
mod tcp;
mod tls;
mod unix;

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::tls::TlsChoices;
use crate::url::Place;

/// The receiving half of a connection.
pub(crate) type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;
/// The sending half of a connection.
pub(crate) type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// Opens a connection. It takes as long as the system lets it; the caller sets the limit.
pub(crate) async fn dial(place: &Place, tls: &TlsChoices) -> io::Result<(ReadHalf, WriteHalf)> {
    match place {
        Place::Tcp { host, port } => tcp::dial(host, *port).await,
        Place::Tls { host, port } => tls::dial(host, *port, tls).await,
        Place::Unix(path) => unix::dial(path).await,
        #[cfg(test)]
        Place::Memory(number) => memory::dial(*number),
    }
}
