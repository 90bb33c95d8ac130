//! One sender under load: the batch, round and round, as far as its socket takes it.

use std::io::{ErrorKind, IoSlice, Write};

use crate::BenchError;
use crate::opening::Opened;
use crate::plan::Batch;
use crate::stream::Stream;

pub(super) struct Sender {
    pub(super) group: usize,
    pub(super) stream: Stream,
    pub(super) writable: bool,
    /// How far into the batch it is, in bytes.
    at: usize,
    /// Bytes missing of a message that has been begun.
    unfinished: usize,
}

impl Sender {
    pub(super) fn new(group: usize, opened: Opened) -> Sender {
        Sender { group, stream: opened.stream, writable: true, at: 0, unfinished: 0 }
    }

    /// Whether it would write something although it may not begin another message.
    pub(super) fn is_amid_a_message(&self) -> bool {
        self.unfinished > 0 || self.stream.has_unsent()
    }

    /// Finishes the message that it is in the middle of and begins up to `messages` more, at most one batch in one write;
    /// answers how many it began.
    pub(super) fn write(&mut self, batch: &Batch, messages: u64) -> Result<u64, BenchError> {
        let messages = usize::try_from(messages).expect("a window is a size in memory");
        let wanted = (self.unfinished + messages * batch.message_len).min(batch.bytes.len());
        let straight = wanted.min(batch.bytes.len() - self.at);
        let parts = [
            IoSlice::new(&batch.bytes[self.at..self.at + straight]),
            IoSlice::new(&batch.bytes[..wanted - straight]),
        ];
        let written = match self.stream.write_vectored(&parts) {
            Ok(written) => written,
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                self.writable = false;
                return Ok(0);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => return Ok(0),
            Err(e) => return Err(BenchError::io("send")(e)),
        };
        // As with reading: a short write means that the socket is full, and readiness will be announced.
        self.writable = written == wanted;
        self.at = (self.at + written) % batch.bytes.len();
        let beyond = written.saturating_sub(self.unfinished);
        let begun = beyond.div_ceil(batch.message_len);
        self.unfinished = self.unfinished + begun * batch.message_len - written;
        Ok(u64::try_from(begun).expect("a count of messages fits 64 bits"))
    }
}
