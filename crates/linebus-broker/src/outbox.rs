//! What waits to be written to one session: bytes in chunks, how long senders wait for it, and
//! how it is cut off at the end of a line. No lock, no writing: [`Session`] does both.
//!
//! Chunks rather than one ring: a backlog of megabytes is freed while it drains, an empty outbox
//! holds no memory, receivers share what they wait for, and nothing is ever moved. Each push is
//! whole lines, so that every chunk begins and ends with a line; only of the first one a part may be
//! gone already.
//!
//! [`Session`]: crate::Session

use std::collections::VecDeque;
use std::time::Duration;

use linebus_protocol::ByeReason;
use memchr::memchr;

use crate::limits::Limits;
use crate::lines::{Chunk, Lines, starts_line};

/// Pushes of few lines share a chunk up to this size in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// How far a session's output is on its way to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Lines may be pushed.
    Open,
    /// `bye` is the last line that waits.
    Closing(ByeReason),
    /// Nothing is written any more.
    Closed,
}

/// Whether senders wait for this outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// At most the soft mark waits here, or has drained to half of it since.
    Free,
    /// Above the soft mark since this time.
    Since(Duration),
    /// Waited for long enough; not again until it has drained.
    GivenUp,
}

/// What a push says about the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// All is well.
    Fine,
    /// The sender is asked to wait until it drains.
    Wait,
    /// Senders stop waiting from now on.
    GivesUp,
    /// Above the hard mark: to be cut off.
    Overflow,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    chunks: VecDeque<Chunk>,
    /// How much of the first chunk is written.
    head: usize,
    /// Bytes in all chunks that are not written, also those of a chunk that was taken.
    queued: usize,
    /// What waited was thrown away while bytes were on their way to the link: of those that come
    /// back only the line that was begun still counts.
    severed: bool,
    pub(crate) stage: Stage,
    pub(crate) pressure: Pressure,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            chunks: VecDeque::new(),
            head: 0,
            queued: 0,
            severed: false,
            stage: Stage::Open,
            pressure: Pressure::Free,
        }
    }

    /// Bytes that wait.
    pub(crate) const fn queued(&self) -> usize {
        self.queued
    }

    /// Appends whole lines and says what that means for whoever sent them.
    pub(crate) fn push(&mut self, lines: Lines<'_>, limits: &Limits, now: Duration) -> Pushed {
        let last = self.chunks.back_mut().filter(|_| !lines.are_many());
        if !last.is_some_and(|last| last.extend(lines.bytes, CHUNK_BYTES)) {
            self.chunks.push_back(lines.chunk());
        }
        self.queued += lines.bytes.len();
        self.judge(limits, now)
    }

    /// Puts what is left of lines that were written directly before everything else.
    pub(crate) fn push_rest(
        &mut self,
        lines: Lines<'_>,
        written: usize,
        limits: &Limits,
        now: Duration,
    ) -> Pushed {
        let left = lines.bytes.len() - written;
        let rest = self.rest_of(lines.bytes, written).len();
        if rest > 0 {
            let (chunk, head) = match rest == left {
                true => lines.rest(written),
                false => Chunk::part(lines.bytes, written..written + rest),
            };
            self.queued += rest;
            self.chunks.push_front(chunk);
            self.head = head;
        }
        self.judge(limits, now)
    }

    /// The part after `written` that is still to be sent.
    fn rest_of<'a>(&self, lines: &'a [u8], written: usize) -> &'a [u8] {
        match self.stage {
            Stage::Closed => &[],
            _ if self.severed => begun_line(lines, written),
            _ => &lines[written..],
        }
    }

    fn judge(&mut self, limits: &Limits, now: Duration) -> Pushed {
        if self.queued <= limits.outbox_soft_bytes || self.stage != Stage::Open {
            return Pushed::Fine;
        }
        if self.queued > limits.outbox_hard_bytes {
            return Pushed::Overflow;
        }
        match self.pressure {
            Pressure::Free => {
                self.pressure = Pressure::Since(now);
                Pushed::Wait
            }
            Pressure::Since(since) if now < since + Duration::from_millis(limits.drain_ms) => {
                Pushed::Wait
            }
            Pressure::Since(_) => {
                self.pressure = Pressure::GivenUp;
                Pushed::GivesUp
            }
            Pressure::GivenUp => Pushed::Fine,
        }
    }

    /// Takes the first chunk, to be written from the returned position on.
    pub(crate) fn take(&mut self) -> Option<(Chunk, usize)> {
        self.severed = false;
        Some((self.chunks.pop_front()?, std::mem::take(&mut self.head)))
    }

    /// Counts `written` bytes of a taken chunk and puts it back if some are left. True when the
    /// outbox has drained enough that senders need not wait for it any more.
    pub(crate) fn put_back(
        &mut self,
        chunk: Chunk,
        head: usize,
        written: usize,
        limits: &Limits,
    ) -> bool {
        let left = chunk.len() - head - written;
        let head = head + written;
        let rest = self.rest_of(&chunk, head).len();
        self.queued -= written + (left - rest);
        if rest > 0 {
            let (chunk, head) = chunk.into_part(head..head + rest);
            // The canary puts it behind what came later, which the simulation must notice.
            let at = if cfg!(feature = "canary") { self.chunks.len() } else { 0 };
            self.chunks.insert(at, chunk);
            self.head = head;
        }
        self.queued <= limits.outbox_soft_bytes / 2 && self.release()
    }

    /// Ends the pressure; true if there was any.
    pub(crate) fn release(&mut self) -> bool {
        std::mem::replace(&mut self.pressure, Pressure::Free) != Pressure::Free
    }

    /// Whether there is more to throw away than a line that was begun and a goodbye.
    pub(crate) fn can_be_cut(&self) -> bool {
        match self.stage {
            Stage::Open => true,
            Stage::Closing(ByeReason::Slow | ByeReason::Memory) | Stage::Closed => false,
            Stage::Closing(_) => self.chunks.len() > 1,
        }
    }

    /// Throws away what waits, but for the line that is half written, and puts `bye` last. The
    /// rest of a chunk that is being written is thrown away when it comes back.
    pub(crate) fn cut(&mut self, reason: ByeReason, bye: &[u8]) {
        self.stage = Stage::Closing(reason);
        let first = self.take();
        self.queued -= self.chunks.drain(..).map(|chunk| chunk.len()).sum::<usize>();
        if let Some((chunk, head)) = first {
            let rest = begun_line(&chunk, head).len();
            self.queued -= chunk.len() - head - rest;
            if rest > 0 {
                let (chunk, head) = chunk.into_part(head..head + rest);
                self.chunks.push_front(chunk);
                self.head = head;
            }
        }
        self.severed = true;
        self.push_bye(bye);
    }

    /// Puts `bye` behind all that waits; nothing comes after it.
    pub(crate) fn close(&mut self, reason: ByeReason, bye: &[u8]) {
        self.stage = Stage::Closing(reason);
        self.push_bye(bye);
    }

    fn push_bye(&mut self, bye: &[u8]) {
        self.queued += bye.len();
        self.chunks.push_back(Lines::one(bye).chunk());
    }

    /// Forgets everything. A chunk that is being written still counts until it comes back.
    pub(crate) fn end(&mut self) {
        self.stage = Stage::Closed;
        let head = std::mem::take(&mut self.head);
        self.queued -= self.chunks.drain(..).map(|chunk| chunk.len()).sum::<usize>() - head;
        self.chunks = VecDeque::new();
    }
}

/// The rest of the line that is written up to `at`; nothing if no line is begun.
fn begun_line(lines: &[u8], at: usize) -> &[u8] {
    let end = memchr(b'\n', &lines[at..]).map_or(lines.len(), |end| at + end + 1);
    if starts_line(lines, at) { &[] } else { &lines[at..end] }
}

#[cfg(test)]
mod tests;
