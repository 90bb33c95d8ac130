//! TLS over TCP. What is written before TLS is up does not exist: the halves are made of it.

use std::io;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{ReadHalf, WriteHalf};
use crate::tls::TlsChoices;

/// Connects and shakes hands; the certificate must be for `host`.
pub(super) async fn dial(
    host: &str,
    port: u16,
    choices: &TlsChoices,
) -> io::Result<(ReadHalf, WriteHalf)> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        let text = format!("`{host}` is no name that a certificate can have");
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })?;
    let choices = choices.clone();
    let config = tokio::task::spawn_blocking(move || choices.config());
    let config = config.await.map_err(io::Error::other)??;
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    let (read, write) = tokio::io::split(stream);
    Ok((Box::new(read), Box::new(write)))
}
