//! What is on its way to the bus: one buffer of lines, and the answers due for them.
//!
//! Callers append to the buffer, the connection's writer takes all of it at once: a line alone
//! goes out at once, and lines that come while a write is under way share the next one. Nothing
//! waits for a timer. Lines and due answers change under one lock, so that they agree in order.

use std::collections::VecDeque;

use linebus_protocol::Topic;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::asked::{AnswerTo, Asked, Pending, send_len, write_send};
use crate::error::{Error, Lost};

/// The buffer and what belongs to it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    state: Mutex<State>,
    /// There are lines to write, or the end has come.
    work: Notify,
    /// The buffer was taken, or the link changed.
    room: Notify,
    /// A line that would make the buffer longer waits.
    bytes_max: usize,
}

#[derive(Debug)]
struct State {
    link: Link,
    lines: Vec<u8>,
    pending: VecDeque<Pending>,
    /// What the bus accepts, from its hello.
    line_bytes_max: usize,
    /// All handles are gone: write what is left and end.
    closing: bool,
}

#[derive(Debug)]
enum Link {
    Up,
    Down(Lost),
    Closed(Lost),
}

/// What the writer is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Write the lines it was given.
    Write,
    /// Nothing, until it is told.
    Wait,
    /// Shut the connection down: all is written and nobody will add anything.
    Close,
}

impl Outgoing {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                link: Link::Down(Lost::End),
                lines: Vec::new(),
                pending: VecDeque::new(),
                line_bytes_max: 0,
                closing: false,
            }),
            work: Notify::new(),
            room: Notify::new(),
            bytes_max,
        }
    }

    /// Puts a message, checked but for its length, into the buffer. `false`: there is no room,
    /// and nothing happened.
    pub(crate) fn try_send(&self, topic: Topic<'_>, message: &str) -> Result<bool, Error> {
        let len = send_len(topic, message);
        self.try_push(len, |state| write_send(&mut state.lines, topic, message))
    }

    /// The same for a command. `to` is taken if it went in.
    pub(crate) fn try_command(
        &self,
        asked: &Asked,
        to: &mut Option<AnswerTo>,
    ) -> Result<bool, Error> {
        let line = asked.line();
        self.try_push(line.len(), |state| {
            if let Some(to) = to.take() {
                state.push(asked.clone(), &line, to);
            }
        })
    }

    fn try_push(&self, len: usize, push: impl FnOnce(&mut State)) -> Result<bool, Error> {
        let mut state = self.state.lock();
        state.check(len)?;
        let was_empty = state.lines.is_empty();
        // A line longer than the whole buffer may go alone.
        if !was_empty && state.lines.len() + len > self.bytes_max {
            return Ok(false);
        }
        push(&mut state);
        drop(state);
        if was_empty {
            self.work.notify_one();
        }
        Ok(true)
    }

    /// Repeats `attempt`, one of the `try_` functions, until there is room.
    pub(crate) async fn wait_for_room(
        &self,
        mut attempt: impl FnMut() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        loop {
            if attempt()? {
                return Ok(());
            }
            let room = self.room.notified();
            tokio::pin!(room);
            // Listen first, then look again: room made in between is not missed.
            room.as_mut().enable();
            if attempt()? {
                return Ok(());
            }
            room.await;
        }
    }

    /// Puts in a short command that nobody waits for, room or not. Its caller takes care that
    /// there are few. `false`: there is no connection.
    pub(crate) fn push_unasked(&self, asked: Asked) -> bool {
        let mut state = self.state.lock();
        let up = matches!(state.link, Link::Up);
        if up {
            let line = asked.line();
            state.push(asked, &line, AnswerTo::Nobody);
            drop(state);
            self.work.notify_one();
        }
        up
    }

    /// For the writer: exchanges `buffer`, all of which is written, for lines to write.
    pub(crate) fn take(&self, buffer: &mut Vec<u8>) -> Work {
        buffer.clear();
        let mut state = self.state.lock();
        std::mem::swap(&mut state.lines, buffer);
        let closing = state.closing;
        drop(state);
        match (buffer.is_empty(), closing) {
            (false, _) => {
                self.room.notify_waiters();
                Work::Write
            }
            (true, false) => Work::Wait,
            (true, true) => Work::Close,
        }
    }

    /// For the writer: returns when [`Outgoing::take`] may have something else to say.
    pub(crate) async fn wait_for_work(&self) {
        self.work.notified().await;
    }

    /// For the reader: the oldest command whose answer is due, if `is_it` says so.
    pub(crate) fn pop_pending(&self, is_it: impl FnOnce(&Asked) -> bool) -> Option<Pending> {
        self.state.lock().pending.pop_front_if(|front| is_it(&front.asked))
    }

    /// The verb whose answer is due next.
    pub(crate) fn due(&self) -> Option<&'static str> {
        let state = self.state.lock();
        state.pending.front().map(|front| front.asked.verb().name())
    }

    /// There is a connection. `first` goes out before anything else.
    pub(crate) fn bring_up(&self, line_bytes_max: usize, first: Vec<Pending>) {
        let mut state = self.state.lock();
        state.link = Link::Up;
        state.line_bytes_max = line_bytes_max;
        for Pending { asked, to } in first {
            let line = asked.line();
            state.push(asked, &line, to);
        }
        drop(state);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// The connection takes no more lines; answers may still come.
    pub(crate) fn stop_accepting(&self, why: &Lost) {
        let mut state = self.state.lock();
        if matches!(state.link, Link::Up) {
            state.link = Link::Down(why.clone());
        }
        drop(state);
        self.room.notify_waiters();
    }

    /// The connection is gone. Whoever waits for an answer is told; lines not yet taken are
    /// thrown away, and returned for a last look.
    pub(crate) fn take_down(&self, why: &Lost, for_good: bool) -> Vec<u8> {
        let mut state = self.state.lock();
        // The first reason to be closed is the one that counts.
        if !matches!(state.link, Link::Closed(_)) {
            let link = if for_good { Link::Closed } else { Link::Down };
            state.link = link(why.clone());
        }
        let pending = std::mem::take(&mut state.pending);
        let lines = std::mem::take(&mut state.lines);
        drop(state);
        for due in pending {
            due.to.settle(Err(Error::Disconnected(why.clone())));
        }
        self.room.notify_waiters();
        lines
    }

    /// All handles are gone.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_one();
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state.lock().link, Link::Up)
    }

    pub(crate) fn line_bytes_max(&self) -> usize {
        self.state.lock().line_bytes_max
    }
}

impl State {
    /// Whether a line of `len` bytes may go out at all.
    fn check(&self, len: usize) -> Result<(), Error> {
        match &self.link {
            Link::Up if len > self.line_bytes_max => {
                Err(Error::TooLong { bytes: len, bytes_max: self.line_bytes_max })
            }
            Link::Up => Ok(()),
            Link::Down(why) => Err(Error::Disconnected(why.clone())),
            Link::Closed(why) => Err(Error::Closed(why.clone())),
        }
    }

    fn push(&mut self, asked: Asked, line: &str, to: AnswerTo) {
        self.lines.extend_from_slice(line.as_bytes());
        self.pending.push_back(Pending { asked, to });
    }
}
