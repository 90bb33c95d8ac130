//! One request after the other, for protocols whose answers bear no number: what waits, what was
//! asked, and how long the device may think.

use std::collections::VecDeque;
use std::time::Duration;

use crate::driver::{Ticket, TimerId};
use crate::io::{Fault, Io, Reason, Refusal};

/// Rings when the device has not answered in time.
pub(crate) const REPLY: TimerId = TimerId::new("reply");
/// More commands than this don't wait.
pub(crate) const COMMANDS_MAX: usize = 32;
/// A device that stays silent so often in a row is given up.
const SILENT_MAX: u32 = 3;

/// What is to be sent, and what it is to the driver.
#[derive(Debug)]
pub(crate) struct Request<T> {
    pub(crate) what: T,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ticket: Option<Ticket>,
    /// How long the device may take to answer.
    pub(crate) wait: Duration,
}

impl<T> Request<T> {
    /// Says what came of it, if anybody waits for it.
    pub(crate) fn finish(&self, result: Result<(), Refusal>, io: &mut Io) {
        match (self.ticket, result) {
            (Some(ticket), Ok(())) => io.done(ticket),
            (Some(ticket), Err(refusal)) => io.fail(ticket, refusal),
            (None, _) => {}
        }
    }
}

/// The queue before one device: what people want goes before what the driver itself asks.
#[derive(Debug)]
pub(crate) struct Exchange<T> {
    commands: VecDeque<Request<T>>,
    polls: VecDeque<Request<T>>,
    asked: Option<Request<T>>,
    silent: u32,
    /// Goes before the next request, once: a login. It is not shown.
    pub(crate) prefix: Vec<u8>,
}

impl<T: PartialEq> Exchange<T> {
    pub(crate) fn new() -> Exchange<T> {
        Exchange {
            commands: VecDeque::new(),
            polls: VecDeque::new(),
            asked: None,
            silent: 0,
            prefix: Vec::new(),
        }
    }

    /// Puts in what somebody wants.
    pub(crate) fn command(&mut self, request: Request<T>) -> Result<(), Refusal> {
        if self.commands.len() >= COMMANDS_MAX {
            return Err(Reason::Busy.into());
        }
        self.commands.push_back(request);
        Ok(())
    }

    /// Puts in a request of the driver's own, unless the same one waits already: so there are never
    /// more than the driver has different ones.
    pub(crate) fn poll(&mut self, what: T, bytes: Vec<u8>, wait: Duration) {
        let asked = self.asked.iter().filter(|asked| asked.ticket.is_none());
        let known = self.polls.iter().chain(asked).any(|waiting| waiting.what == what);
        if !known {
            self.polls.push_back(Request { what, bytes, ticket: None, wait });
        }
    }

    /// Sends what must not wait, now. What is under way is not waited for any more; what waits and
    /// is overtaken for good, by its nature, fails. Gives back what was under way.
    pub(crate) fn overtake(
        &mut self,
        request: Request<T>,
        in_vain: impl Fn(&T) -> bool,
        io: &mut Io,
    ) -> Option<Request<T>> {
        let asked = self.asked.take();
        let waiting = std::mem::take(&mut self.commands);
        let (gone, kept) = waiting.into_iter().partition(|waiting| in_vain(&waiting.what));
        let gone: VecDeque<_> = gone;
        for gone in asked.iter().chain(&gone) {
            gone.finish(Err(Reason::Replaced.into()), io);
        }
        self.commands = kept;
        self.commands.push_front(request);
        asked
    }

    /// What will be asked next.
    pub(crate) fn first(&self) -> Option<&T> {
        self.commands.front().or(self.polls.front()).map(|request| &request.what)
    }

    /// Sends what is under way once more.
    pub(crate) fn again(&mut self, io: &mut Io) {
        if let Some(asked) = &self.asked {
            io.send(asked.bytes.clone());
            io.timer(REPLY, asked.wait);
        }
    }

    /// Sends what is under way once more, framed anew.
    pub(crate) fn again_framed(&mut self, io: &mut Io, frame: impl FnOnce(&T, Vec<u8>) -> Vec<u8>) {
        if let Some(asked) = &mut self.asked {
            asked.bytes = frame(&asked.what, std::mem::take(&mut asked.bytes));
        }
        self.again(io);
    }

    /// What was asked last and is not answered.
    pub(crate) fn asked(&self) -> Option<&T> {
        self.asked.as_ref().map(|asked| &asked.what)
    }

    pub(crate) fn asked_request(&self) -> Option<&Request<T>> {
        self.asked.as_ref()
    }

    /// What was asked has been answered.
    pub(crate) fn answered(&mut self, io: &mut Io) -> Option<Request<T>> {
        let asked = self.asked.take()?;
        self.silent = 0;
        io.cancel(REPLY);
        Some(asked)
    }

    /// The device has not answered: the request fails.
    pub(crate) fn timed_out(&mut self, io: &mut Io) -> Option<Request<T>> {
        let asked = self.asked.take()?;
        asked.finish(Err(Reason::Timeout.into()), io);
        self.silent += 1;
        if self.silent == SILENT_MAX {
            io.fault(Fault::NoResponse);
        }
        Some(asked)
    }

    /// Sends what waits, if nothing is under way; every event of a driver ends with this.
    pub(crate) fn next(&mut self, io: &mut Io) {
        self.next_framed(io, |_, bytes| bytes);
    }

    /// The same; the frame is made when the request's turn has come.
    pub(crate) fn next_framed(&mut self, io: &mut Io, frame: impl FnOnce(&T, Vec<u8>) -> Vec<u8>) {
        if self.asked.is_none()
            && self.silent < SILENT_MAX
            && let Some(mut request) = self.commands.pop_front().or_else(|| self.polls.pop_front())
        {
            request.bytes = frame(&request.what, request.bytes);
            let prefix = std::mem::take(&mut self.prefix);
            if prefix.is_empty() {
                io.send(request.bytes.clone());
            } else {
                io.send_secret([&prefix[..], &request.bytes].concat());
            }
            io.timer(REPLY, request.wait);
            self.asked = Some(request);
        }
    }

    /// The session is over: all that waits fails.
    pub(crate) fn close(&mut self, io: &mut Io) {
        let waiting = self.commands.drain(..).chain(self.polls.drain(..));
        for request in self.asked.take().into_iter().chain(waiting) {
            request.finish(Err(Reason::Offline.into()), io);
        }
        self.silent = 0;
        self.prefix.clear();
    }
}
