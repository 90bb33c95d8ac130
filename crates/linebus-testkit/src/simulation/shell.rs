//! What the server does for one connection, without sockets: reads when it may, writes what others
//! could not, and sees to the end. It acts only when it was woken, its socket became ready or its
//! time has come: a wake-up that the broker forgets leaves it standing, as it would a real task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use linebus_broker::Stage;

use super::pair::Pair;
use super::pipe::PipeEnd;

/// How long a client may take to read the goodbye and what stands before it.
const GOODBYE: Duration = Duration::from_secs(5);

/// One connection's task.
pub struct Shell {
    /// The number of its session.
    pub id: u64,
    /// Where its session writes.
    pub pipe: Arc<PipeEnd>,
    /// What has arrived from the client and was not read.
    pub arrived: Vec<u8>,
    /// The client has closed its half, and nothing more will arrive.
    pub closed: bool,
    woken: Arc<Woken>,
    wants_to_read: bool,
    wants_to_write: bool,
    timer: Option<Duration>,
    /// The end was read.
    eof: bool,
    draining: bool,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// It waits for something.
    Waits,
    /// It has ended, and the bus has forgotten the connection.
    Ended,
}

impl Shell {
    /// A task that was just started for a connection.
    #[must_use]
    pub fn new(id: u64, pipe: Arc<PipeEnd>) -> Self {
        Self {
            id,
            pipe,
            arrived: Vec::new(),
            closed: false,
            woken: Arc::new(Woken(AtomicBool::new(true))),
            wants_to_read: false,
            wants_to_write: false,
            timer: None,
            eof: false,
            draining: false,
        }
    }

    /// When it will act although nothing else happens.
    #[must_use]
    pub fn timer(&self) -> Option<Duration> {
        self.timer
    }

    /// Whether it has a reason to act.
    #[must_use]
    pub fn is_ready(&self, now: Duration) -> bool {
        self.woken.0.load(Ordering::Relaxed)
            || (self.wants_to_read && self.can_read())
            || (self.wants_to_write && self.pipe.is_ready())
            || self.timer.is_some_and(|timer| timer <= now)
    }

    fn can_read(&self) -> bool {
        !self.arrived.is_empty() || self.closed
    }

    /// Has it act.
    pub fn wake(&self) {
        self.woken.0.store(true, Ordering::Relaxed);
    }

    /// Acts once, as far as it can without waiting.
    ///
    /// # Errors
    /// Something that must not be.
    pub fn turn(&mut self, pair: &mut Pair) -> Result<Turned, String> {
        self.woken.0.store(false, Ordering::Relaxed);
        (self.wants_to_read, self.wants_to_write) = (false, false);
        let session = pair.session(self.id);
        session.register(&Waker::from(Arc::clone(&self.woken)));
        while session.is_blocked() {
            if !self.pipe.is_ready() {
                self.wants_to_write = true;
                break;
            }
            pair.flush(self.id)?;
        }
        if !self.draining && !self.eof && session.stage() == Stage::Open && !self.serve(pair)? {
            return Ok(Turned::Waits);
        }
        self.end(pair)
    }

    /// Serves until the client closes: true when it has.
    fn serve(&mut self, pair: &mut Pair) -> Result<bool, String> {
        self.timer = pair.paused_until(self.id)?;
        if self.timer.is_some() {
            return Ok(false);
        }
        if pair.is_logging_in(self.id) {
            return Ok(false);
        }
        if pair.holds_lines(self.id) {
            pair.receive(self.id, &[])?;
        } else if !self.arrived.is_empty() {
            let count = self.arrived.len().min(pair.space_bytes(self.id));
            let read: Vec<_> = self.arrived.drain(..count).collect();
            pair.receive(self.id, &read)?;
        } else if self.closed {
            self.eof = true;
            pair.leave(self.id)?;
            return Ok(true);
        } else {
            self.wants_to_read = true;
            return Ok(false);
        }
        self.woken.0.store(true, Ordering::Relaxed);
        Ok(false)
    }

    /// Lets what waits go out, then has the bus forget the connection.
    fn end(&mut self, pair: &mut Pair) -> Result<Turned, String> {
        let session = pair.session(self.id);
        if !std::mem::replace(&mut self.draining, true) {
            self.timer = Some(pair.elapsed() + GOODBYE);
        }
        let late = self.timer.is_some_and(|timer| timer <= pair.elapsed());
        if session.is_drained() || session.stage() == Stage::Closed || late {
            pair.disconnect(self.id)?;
            return Ok(Turned::Ended);
        }
        Ok(Turned::Waits)
    }
}
