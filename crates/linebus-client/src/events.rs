//! The stream in which a program hears everything: [`Events`].

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::event::Event;
use crate::inbox::Part;
use crate::shared::Shared;

/// Everything that happens on a connection, in order. There is one for each client.
///
/// It is a [`Stream`]; [`Events::next`] needs no further crate. It ends after
/// [`Event::Disconnected`] when no other connection will be made.
///
/// The queue behind it is bounded (see
/// [`Builder::events_bytes_max`](crate::Builder::events_bytes_max)). Read it, or drop it: events
/// of a dropped one are thrown away.
#[derive(Debug)]
pub struct Events {
    shared: Arc<Shared>,
    /// Whole lines, of which those before `at` have been read.
    lines: String,
    at: usize,
}

impl Events {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, lines: String::new(), at: 0 }
    }

    /// The next event; `None` when there will be no more. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// The next event if one waits here already. For programs that work in batches: `None` is
    /// the moment to flush.
    pub fn try_next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.next_of_lines() {
                return Some(event);
            }
            if let Some(event) = self.take_part(self.shared.inbox.try_take()?) {
                return Some(event);
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.next_of_lines() {
                return Poll::Ready(Some(event));
            }
            let Some(part) = ready!(self.shared.inbox.poll_take(cx)) else {
                return Poll::Ready(None);
            };
            if let Some(event) = self.take_part(part) {
                return Poll::Ready(Some(event));
            }
        }
    }

    fn take_part(&mut self, part: Part) -> Option<Event> {
        match part {
            Part::Event(event) => Some(*event),
            Part::Lines(lines, _) => {
                (self.lines, self.at) = (lines, 0);
                None
            }
        }
    }

    fn next_of_lines(&mut self) -> Option<Event> {
        loop {
            let rest = &self.lines[self.at..];
            let len = memchr::memchr(b'\n', rest.as_bytes())?;
            self.at += len + 1;
            if let Some(event) = Event::parse(&rest[..len]) {
                return Some(event);
            }
        }
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll_event(cx)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.shared.note_events_gone();
    }
}
