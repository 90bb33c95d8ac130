//! The bounded queue between a connection and the program that reads it.
//!
//! It holds lines as they came, so that what it costs is known in bytes, and a million short
//! messages cost no more than a few long ones. When it is full its producer waits, which leaves
//! the rest in the socket, which the bus sees. A channel of events was the alternative; its limit
//! would have counted messages, whatever their size.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::event::Event;

/// Lines are gathered in parts of about this many bytes, so that a reader takes many at once.
const PART_BYTES: usize = 32 * 1024;
/// What an event that came on no line counts, in bytes.
const EVENT_BYTES: usize = 256;

/// A queue with one producer and one reader.
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// From this many bytes on, the producer waits. What it then brings at once, at most one read
    /// of the socket, may exceed it.
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    parts: VecDeque<Part>,
    /// In all parts.
    bytes: usize,
    /// Lines and events in all parts.
    count: usize,
    /// Nothing will be added.
    ended: bool,
    /// Nobody will read.
    abandoned: bool,
    reader: Option<Waker>,
    producer: Option<Waker>,
}

/// What a reader takes at once.
#[derive(Debug)]
pub(crate) enum Part {
    /// Whole lines, each with its LF, and how many.
    Lines(String, usize),
    /// Something that the client itself has to say.
    Event(Box<Event>),
}

impl Inbox {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), bytes_max }
    }

    /// Adds whole lines, each with its LF, once there is room.
    pub(crate) async fn push_lines(&self, lines: &str) {
        let count = memchr::memchr_iter(b'\n', lines.as_bytes()).count();
        self.push(lines.len(), count, |parts| match parts.back_mut() {
            Some(Part::Lines(part, counted)) if part.len() + lines.len() <= PART_BYTES => {
                part.push_str(lines);
                *counted += count;
            }
            _ => parts.push_back(Part::Lines(lines.to_owned(), count)),
        })
        .await;
    }

    /// Adds an event, once there is room.
    pub(crate) async fn push_event(&self, event: Event) {
        self.push(EVENT_BYTES, 1, |parts| {
            parts.push_back(Part::Event(Box::new(event)));
        })
        .await;
    }

    async fn push(&self, bytes: usize, count: usize, add: impl FnOnce(&mut VecDeque<Part>)) {
        let mut add = Some(add);
        poll_fn(|cx| {
            let mut state = self.state.lock();
            if state.abandoned || state.ended {
                return Poll::Ready(());
            }
            if state.bytes >= self.bytes_max {
                state.producer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if let Some(add) = add.take() {
                add(&mut state.parts);
                state.bytes += bytes;
                state.count += count;
            }
            if let Some(reader) = state.reader.take() {
                reader.wake();
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Takes the oldest part; `None` after [`Inbox::end`] when all is taken.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<Part>> {
        let mut state = self.state.lock();
        if let Some(part) = state.take() {
            return Poll::Ready(Some(part));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes the oldest part if there is one.
    pub(crate) fn try_take(&self) -> Option<Part> {
        self.state.lock().take()
    }

    /// How many lines and events wait.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().count
    }

    /// Nothing will be added from now on.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        for waker in [state.reader.take(), state.producer.take()] {
            waker.inspect(Waker::wake_by_ref);
        }
    }

    /// Nobody will read from now on: what waits is thrown away, and so is what comes.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.abandoned = true;
        state.parts = VecDeque::new();
        (state.bytes, state.count) = (0, 0);
        state.producer.take().inspect(Waker::wake_by_ref);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.state.lock().abandoned
    }
}

impl State {
    fn take(&mut self) -> Option<Part> {
        let part = self.parts.pop_front()?;
        let (bytes, count) = match &part {
            Part::Lines(lines, count) => (lines.len(), *count),
            Part::Event(_) => (EVENT_BYTES, 1),
        };
        self.bytes -= bytes;
        self.count -= count;
        if let Some(producer) = self.producer.take() {
            producer.wake();
        }
        Some(part)
    }
}
