//! The sending half: takes what callers gathered and writes it, as often as there is some.

use std::convert::Infallible;
use std::future::pending;
use std::io;

use tokio::io::AsyncWriteExt;
use tracing::debug;

use crate::outgoing::Work;
use crate::shared::Shared;
use crate::transport::WriteHalf;

/// Writes one connection.
pub(super) struct Writer<'a> {
    shared: &'a Shared,
    write: WriteHalf,
    buffer: Vec<u8>,
    written: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(shared: &'a Shared, write: WriteHalf) -> Self {
        Self { shared, write, buffer: Vec::new(), written: 0 }
    }

    /// Writes until it is dropped. It never ends a connection: after an error the reader may
    /// still find lines, and the goodbye that says why.
    pub(super) async fn run(&mut self) -> Infallible {
        if let Err(error) = self.write_all().await {
            debug!(%error, "writing failed");
            self.shared.outgoing.stop_accepting(&error.into());
        }
        pending().await
    }

    async fn write_all(&mut self) -> io::Result<()> {
        loop {
            self.written = 0;
            match self.shared.outgoing.take(&mut self.buffer) {
                Work::Write => {
                    while self.written < self.buffer.len() {
                        let rest = &self.buffer[self.written..];
                        match self.write.write(rest).await? {
                            0 => return Err(io::ErrorKind::WriteZero.into()),
                            len => self.written += len,
                        }
                    }
                    // TLS may hold what the socket did not take.
                    self.write.flush().await?;
                }
                Work::Wait => self.shared.outgoing.wait_for_work().await,
                // The bus answers the end of the stream with its own.
                Work::Close => {
                    self.write.shutdown().await?;
                    return Ok(());
                }
            }
        }
    }

    /// What was taken and not written.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.buffer[self.written..]
    }
}
