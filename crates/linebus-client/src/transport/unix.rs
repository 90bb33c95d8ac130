//! Unix sockets, where there are such.

use std::io;
use std::path::Path;

use super::{ReadHalf, WriteHalf};

/// Connects to the socket at `path`.
#[cfg(unix)]
pub(super) async fn dial(path: &Path) -> io::Result<(ReadHalf, WriteHalf)> {
    let stream = tokio::net::UnixStream::connect(path).await?;
    let (read, write) = stream.into_split();
    Ok((Box::new(read), Box::new(write)))
}

/// Says that this system has none.
#[cfg(not(unix))]
pub(super) async fn dial(_path: &Path) -> io::Result<(ReadHalf, WriteHalf)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no Unix sockets; use linebus://host:port",
    ))
}
