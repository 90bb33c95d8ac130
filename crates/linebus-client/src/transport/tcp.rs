//! Plain TCP.

use std::io;

use tokio::net::TcpStream;

use super::{ReadHalf, WriteHalf};

/// Connects to the first of the host's addresses that answers.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<(ReadHalf, WriteHalf)> {
    let stream = TcpStream::connect((host, port)).await?;
    // Lines are gathered before they are written, so Nagle's algorithm could only delay them.
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    Ok((Box::new(read), Box::new(write)))
}
