//! The two halves of a TLS connection. Any thread may encrypt and write, so both share one lock
//! around rustls, which does no IO of its own, and write to the socket themselves. (tokio-rustls
//! belongs to one task: every line to a TLS client would take the way through that task.)
//!
//! Ciphertext that the socket does not take waits here, in front of the outbox, at most
//! [`UNWRITTEN_BYTES_MAX`] of it. The rule that somebody has promised to write what waits holds
//! here, too: the session's own task is woken, finds [`TlsReader::holds_unwritten`], and waits
//! until the socket can write.

use std::cell::RefCell;
use std::io::{self, IoSlice, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use atomic_waker::AtomicWaker;
use linebus_broker::{Gone, Link};
use parking_lot::Mutex;
use rustix::net::{Shutdown, shutdown};
use rustls::{ProtocolVersion, ServerConnection};
use tokio::net::TcpStream;

/// Most plaintext that is encrypted before the socket has taken what was encrypted before.
pub(super) const UNWRITTEN_BYTES_MAX: usize = 64 << 10;

/// Most ciphertext that is read at once.
const READ_BYTES: usize = 64 << 10;

/// Longest plaintext of one record (RFC 8446, 5.1).
const RECORD_BYTES: usize = 16 << 10;

/// After so many records an AES-GCM key of TLS 1.2 is used up, a few of them held back for the
/// goodbye. TLS 1.3 changes keys before it comes to that.
const TLS12_RECORDS_MAX: u64 = (1 << 24) - 1024;

thread_local! {
    /// Ciphertext of this thread's sessions, used only within one read.
    static CIPHERTEXT: RefCell<Vec<u8>> = RefCell::default();
}

/// The writing half. Dropping it ends the stream towards the client.
pub(crate) struct TlsLink(Arc<Shared>);

/// The reading half, and the session's own task's part in writing.
pub(crate) struct TlsReader(Arc<Shared>);

struct Shared {
    socket: TcpStream,
    /// The session's own task, to be woken when ciphertext waits.
    waker: AtomicWaker,
    state: Mutex<State>,
}

struct State {
    tls: ServerConnection,
    records_left: u64,
    /// Nothing can be written or read any more.
    failed: bool,
    /// Our close_notify is written or waits to be.
    finished: bool,
}

/// The halves of a connection whose handshake is done.
pub(super) fn split(socket: TcpStream, mut tls: ServerConnection) -> (TlsReader, TlsLink) {
    tls.set_buffer_limit(Some(UNWRITTEN_BYTES_MAX));
    let lasts = tls.protocol_version() != Some(ProtocolVersion::TLSv1_2)
        || tls
            .negotiated_cipher_suite()
            .is_some_and(|suite| format!("{:?}", suite.suite()).contains("CHACHA20"));
    let records_left = if lasts { u64::MAX } else { TLS12_RECORDS_MAX };
    let state = Mutex::new(State { tls, records_left, failed: false, finished: false });
    let shared = Arc::new(Shared { socket, waker: AtomicWaker::new(), state });
    (TlsReader(Arc::clone(&shared)), TlsLink(shared))
}

impl Link for TlsLink {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        let mut state = self.0.state.lock();
        let written = state.guarded(|state| state.write(bytes, &self.0.socket));
        let waits = state.holds_unwritten();
        drop(state);
        // If not all was taken, the broker itself wakes the task.
        if waits && written == Ok(bytes.len()) {
            self.0.waker.wake();
        }
        written
    }
}

impl Drop for TlsLink {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        // Whoever drops it before the end does not wait: then the client sees a broken stream.
        let _ = state.guarded(|state| state.finish(&self.0.socket));
        drop(state);
        // An error means that the client has gone.
        let _ = shutdown(&self.0.socket, Shutdown::Write);
    }
}

impl TlsReader {
    /// Has `waker` woken when ciphertext waits that only the session's task will write.
    pub(crate) fn register(&self, waker: &Waker) {
        self.0.waker.register(waker);
    }

    /// Whether ciphertext waits for the socket.
    pub(crate) fn holds_unwritten(&self) -> bool {
        self.0.state.lock().holds_unwritten()
    }

    /// Writes ciphertext that waits, as far as the socket takes it. A client that has gone is
    /// found by whoever writes or reads next.
    pub(crate) fn flush(&self) {
        let mut state = self.0.state.lock();
        let _ = state.guarded(|state| state.flush(&self.0.socket));
    }

    /// Whether the socket can write, as far as is known.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.socket.poll_write_ready(cx)
    }

    /// Reads into `space`; 0 is the end of the stream, with or without close_notify.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let shared = &*self.0;
        loop {
            let mut state = shared.state.lock();
            let held = state.guarded(|state| state.read_held(space));
            drop(state);
            match held {
                Ok(None) => {}
                Ok(Some(received)) => return Poll::Ready(Ok(received)),
                Err(Gone) => return Poll::Ready(Ok(0)),
            }
            if shared.socket.poll_read_ready(cx)?.is_pending() {
                shared.state.lock().shrink();
                return Poll::Pending;
            }
            let received = CIPHERTEXT.with_borrow_mut(|ciphertext| {
                ciphertext.resize(READ_BYTES, 0);
                // So that what is decrypted fits, with a record that was begun before.
                let most = READ_BYTES.min(space.len() / 2);
                let received = shared.socket.try_read(&mut ciphertext[..most])?;
                Ok(shared.take(&ciphertext[..received], space))
            });
            match received {
                Ok(0) => {}
                Ok(received) => return Poll::Ready(Ok(received)),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Reads and throws away; 0 is the end of the stream.
    pub(crate) fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.socket.poll_read_ready(cx))?;
            match self.0.socket.try_read(space) {
                Err(error) if is_passing(&error) => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Says close_notify after all that was written; ready when nothing waits any more.
    pub(crate) fn poll_finish(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut state = self.0.state.lock();
            let finished = state.guarded(|state| state.finish(&self.0.socket));
            let waits = state.holds_unwritten();
            drop(state);
            if finished.is_err() || !waits || ready!(self.poll_write_ready(cx)).is_err() {
                return Poll::Ready(());
            }
        }
    }
}

impl Shared {
    /// Decrypts what was received into `space`; nothing at all is the end of the stream, which
    /// is found on the next look.
    fn take(&self, ciphertext: &[u8], space: &mut [u8]) -> usize {
        let mut state = self.state.lock();
        let mut filled = 0;
        // What was decrypted before an error counts; the next read finds the error.
        let _ = state.guarded(|state| state.decrypt(ciphertext, space, &mut filled));
        // An alert that says why, or the answer to a change of keys.
        let _ = state.flush(&self.socket);
        let waits = state.holds_unwritten();
        drop(state);
        if waits {
            self.waker.wake();
        }
        filled
    }
}

impl State {
    fn holds_unwritten(&self) -> bool {
        !self.failed && self.tls.wants_write()
    }

    /// A panic in rustls ends this connection, not that of the thread that happens to write.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut Self) -> Result<T, Gone>) -> Result<T, Gone> {
        let done = catch_unwind(AssertUnwindSafe(|| call(self))).unwrap_or_else(|_| {
            tracing::error!("a panic in TLS ended a connection");
            Err(Gone)
        });
        self.failed |= done.is_err();
        done
    }

    /// Encrypts and writes, in turns, until the socket takes no more.
    fn write(&mut self, bytes: &[u8], socket: &TcpStream) -> Result<usize, Gone> {
        if self.failed || self.finished {
            return Err(Gone);
        }
        self.flush(socket)?;
        let mut taken = 0;
        while taken < bytes.len() && !self.tls.wants_write() {
            let most = bytes.len().min(taken + UNWRITTEN_BYTES_MAX);
            let records = (most - taken).div_ceil(RECORD_BYTES) as u64;
            let Some(left) = self.records_left.checked_sub(records) else {
                tracing::info!("a TLS 1.2 connection's key is used up; ending it");
                self.finish(socket)?;
                return Err(Gone);
            };
            self.records_left = left;
            let encrypted = self.tls.writer().write(&bytes[taken..most]).map_err(|_| Gone)?;
            taken += encrypted;
            self.flush(socket)?;
            if encrypted == 0 {
                break;
            }
        }
        Ok(taken)
    }

    fn flush(&mut self, socket: &TcpStream) -> Result<(), Gone> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Nonblocking(socket)) {
                Ok(0) => return Err(Gone),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    fn finish(&mut self, socket: &TcpStream) -> Result<(), Gone> {
        if self.failed {
            return Err(Gone);
        }
        if !self.finished {
            self.finished = true;
            self.tls.send_close_notify();
        }
        self.flush(socket)
    }

    /// What was decrypted and not read; none if more must come first.
    fn read_held(&mut self, space: &mut [u8]) -> Result<Option<usize>, Gone> {
        if self.failed || self.finished {
            return Err(Gone);
        }
        match self.tls.reader().read(space) {
            Ok(received) => Ok(Some(received)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // The end without close_notify: the client has gone, as over TCP.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Some(0)),
            Err(_) => Err(Gone),
        }
    }

    fn decrypt(
        &mut self,
        mut ciphertext: &[u8],
        space: &mut [u8],
        filled: &mut usize,
    ) -> Result<(), Gone> {
        loop {
            // Also once when there is nothing, which is how rustls learns of the end.
            let read = self.tls.read_tls(&mut ciphertext).map_err(|_| Gone)?;
            self.tls.process_new_packets().map_err(|error| {
                tracing::debug!(%error, "TLS failed");
                Gone
            })?;
            while *filled < space.len() {
                match self.tls.reader().read(&mut space[*filled..]) {
                    Ok(received) if received > 0 => *filled += received,
                    _ => break,
                }
            }
            if read == 0 || ciphertext.is_empty() {
                return Ok(());
            }
        }
    }

    /// While nothing comes, rustls keeps its smallest buffer: it adapts when it is to read.
    fn shrink(&mut self) {
        struct Nothing;
        impl Read for Nothing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
        let _ = self.tls.read_tls(&mut Nothing);
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// A socket as rustls wants it, that never waits.
pub(super) struct Nonblocking<'a>(pub(super) &'a TcpStream);

impl Read for Nonblocking<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(space)
    }
}

impl Write for Nonblocking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
impl TlsLink {
    /// What a panic in rustls would do.
    pub(super) fn panic_inside(&self) {
        let gone = self.0.state.lock().guarded(|_| -> Result<(), Gone> { panic!("as a test") });
        assert_eq!(gone, Err(Gone));
    }
}
