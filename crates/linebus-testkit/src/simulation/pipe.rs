//! A link without a socket: bounded, and as unwilling to take bytes as the simulation wants it.

use std::sync::{Arc, Mutex, MutexGuard};

use linebus_broker::{Gone, Link};

/// The broker's end of a pipe. Dropping it ends the stream.
pub struct Pipe(Arc<Mutex<State>>);

/// The client's end.
pub struct PipeEnd(Arc<Mutex<State>>);

struct State {
    /// Bytes that it holds at most until the client reads.
    room: usize,
    /// Most that one write puts into it.
    bite: usize,
    held: usize,
    broken: bool,
    ended: bool,
    /// Everything that was ever written and not looked at yet.
    written: Vec<u8>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no panic while it is held")
}

/// A pipe that takes everything until it is told otherwise.
#[must_use]
pub fn pipe() -> (Pipe, PipeEnd) {
    let state = Arc::new(Mutex::new(State {
        room: usize::MAX,
        bite: usize::MAX,
        held: 0,
        broken: false,
        ended: false,
        written: Vec::new(),
    }));
    (Pipe(Arc::clone(&state)), PipeEnd(state))
}

impl Link for Pipe {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        let mut state = lock(&self.0);
        if state.broken {
            return Err(Gone);
        }
        let count = bytes.len().min(state.bite).min(state.room.saturating_sub(state.held));
        state.held += count;
        state.written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        lock(&self.0).ended = true;
    }
}

impl PipeEnd {
    /// From now on it holds `room` bytes and takes `bite` at a time.
    pub fn limit(&self, room: usize, bite: usize) {
        let mut state = lock(&self.0);
        (state.room, state.bite) = (room, bite);
    }

    /// Whether a write would be more than nothing, or an error.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let state = lock(&self.0);
        state.broken || state.held < state.room
    }

    /// Nothing can be written any more.
    pub fn break_off(&self) {
        lock(&self.0).broken = true;
    }

    /// The client reads some bytes; says how many there were to read.
    pub fn drain(&self, count: usize) -> usize {
        let mut state = lock(&self.0);
        let count = count.min(state.held);
        state.held -= count;
        count
    }

    /// What was written since this was called last, read by the client or not.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.0).written)
    }

    /// Whether the broker has dropped its end.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        lock(&self.0).ended
    }
}
