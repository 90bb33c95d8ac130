//! Pipes in memory, for tests in which the clock stands still: a socket would let it run while
//! the system carries bytes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use super::{ReadHalf, WriteHalf};
use crate::url::{BusUrl, Place};

/// Bytes that a pipe holds in each direction: as little as a socket under pressure.
const PIPE_BYTES: usize = 4096;

thread_local! {
    static LISTENERS: RefCell<HashMap<u64, mpsc::UnboundedSender<DuplexStream>>> =
        RefCell::default();
}

/// A place of its own in this thread, and what connects to it. Dropping the receiver refuses
/// connections.
pub(crate) fn listen() -> (BusUrl, mpsc::UnboundedReceiver<DuplexStream>) {
    let (listener, connections) = mpsc::unbounded_channel();
    let number = LISTENERS.with_borrow_mut(|all| {
        let number = all.len() as u64;
        all.insert(number, listener);
        number
    });
    let url = BusUrl { place: Place::Memory(number), credentials: None };
    (url, connections)
}

pub(super) fn dial(number: u64) -> io::Result<(ReadHalf, WriteHalf)> {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    LISTENERS
        .with_borrow(|all| all[&number].send(theirs))
        .map_err(|_| io::ErrorKind::ConnectionRefused)?;
    let (read, write) = tokio::io::split(ours);
    Ok((Box::new(read), Box::new(write)))
}
