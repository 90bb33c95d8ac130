//! Reading one receiver's socket: whole deliveries out, however the bytes were cut.
//!
//! Works for every protocol, since all deliveries on a connection have one size. It doesn't judge what is delivered.

use std::io::{ErrorKind, Read};

use crate::BenchError;
use crate::error::excerpt;
use crate::protocol::Interjection;

/// How much one read may bring. Larger than any server's usual write, so that one read mostly empties the socket.
pub(crate) const READ_BYTES: usize = 256 << 10;

/// What one connection has received and not yet made a whole delivery of.
pub(crate) struct Intake {
    delivery_len: usize,
    interjection: Option<Interjection>,
    unfinished: Vec<u8>,
}

impl Intake {
    /// For deliveries of this size; `already_read` came behind the confirmation of the join.
    pub(crate) fn new(
        delivery_len: usize,
        interjection: Option<Interjection>,
        already_read: Vec<u8>,
    ) -> Intake {
        Intake { delivery_len, interjection, unfinished: already_read }
    }

    /// A buffer for [`Intake::read`]; one serves all connections of a run.
    pub(crate) fn scratch(delivery_len_max: usize) -> Vec<u8> {
        vec![0; READ_BYTES + delivery_len_max]
    }

    /// Reads until the socket is empty and hands over runs of whole deliveries.
    ///
    /// A read that brings less than was asked for has emptied the socket (epoll(7), questions and answers, 9): that
    /// saves a system call for each delivery when few are under way. Unless the end of the stream stands behind it:
    /// if the server has `closed`, that is read too, because it will not be announced again.
    pub(crate) fn read(
        &mut self,
        stream: &mut impl Read,
        scratch: &mut [u8],
        closed: bool,
        mut on_run: impl FnMut(&[u8]) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        loop {
            let held = self.unfinished.len();
            scratch[..held].copy_from_slice(&self.unfinished);
            let asked = scratch.len() - held;
            let read = match stream.read(&mut scratch[held..]) {
                Ok(0) => {
                    return Err(BenchError::Closed { said: excerpt(&self.unfinished) });
                }
                Ok(read) => read,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(BenchError::io("receive")(e)),
            };
            let end = self.without_interjections(scratch, held + read);
            let whole = end - end % self.delivery_len;
            if whole > 0 {
                on_run(&scratch[..whole])?;
            }
            self.unfinished.clear();
            self.unfinished.extend_from_slice(&scratch[whole..end]);
            if read < asked && !closed {
                return Ok(());
            }
        }
    }

    /// Bytes that are no whole delivery yet. At the end of a run there must be none.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// Takes interjections out of `bytes[..end]`; answers the new end.
    ///
    /// The last whole delivery beginning as deliveries do proves that nothing was put in before it, because it would
    /// have been shifted; only interjections that together are as long as a delivery could hide, and servers make one
    /// in minutes. So the usual case costs one comparison.
    fn without_interjections(&self, bytes: &mut [u8], end: usize) -> usize {
        let Some(Interjection { word, delivery_lead }) = self.interjection else {
            return end;
        };
        let whole = end - end % self.delivery_len;
        let lead_at = |at: usize, bytes: &[u8]| {
            let there = &bytes[at..end.min(at + delivery_lead.len())];
            delivery_lead.starts_with(there)
        };
        if lead_at(whole.saturating_sub(self.delivery_len), bytes) && lead_at(whole, bytes) {
            return end;
        }
        let (mut from, mut to) = (0, 0);
        while from < end {
            if bytes[from..end].starts_with(word) {
                from += word.len();
                continue;
            }
            let length = self.delivery_len.min(end - from);
            bytes.copy_within(from..from + length, to);
            from += length;
            to += length;
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Bytes that arrive in pieces of one size, then nothing more for now.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(ErrorKind::WouldBlock.into());
            }
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    fn all_deliveries(arriving: &[u8], piece: usize, intake: &mut Intake) -> Vec<u8> {
        let mut stream = Pieces(arriving, piece);
        let mut scratch = vec![0; 64];
        let mut got = Vec::new();
        while !stream.0.is_empty() {
            intake
                .read(&mut stream, &mut scratch, false, |run| {
                    assert_eq!(run.len() % intake_len(), 0);
                    got.extend_from_slice(run);
                    Ok(())
                })
                .expect("whole deliveries");
        }
        got
    }

    const fn intake_len() -> usize {
        13
    }

    #[test]
    fn deliveries_come_whole_however_the_bytes_are_cut() {
        let arriving = b"MSG aaaaaaaa\nMSG bbbbbbbb\nMSG cccccccc\n";
        for piece in 1..=arriving.len() {
            let mut intake = Intake::new(intake_len(), None, Vec::new());
            assert_eq!(all_deliveries(arriving, piece, &mut intake), arriving);
            assert!(intake.unfinished().is_empty());
        }
    }

    #[test]
    fn interjections_are_overlooked_wherever_they_come() {
        let arriving =
            b"PING\r\nMSG aaaaaaaa\nPING\r\nPING\r\nMSG bbbbbbbb\nMSG cccccccc\nPING\r\n";
        let nats = crate::Protocol::Nats.wire().interjection();
        for piece in 1..=arriving.len() {
            let mut intake = Intake::new(intake_len(), nats, Vec::new());
            let got = all_deliveries(arriving, piece, &mut intake);
            assert_eq!(got, b"MSG aaaaaaaa\nMSG bbbbbbbb\nMSG cccccccc\n", "in pieces of {piece}");
            assert!(intake.unfinished().is_empty());
        }
    }

    #[test]
    fn what_came_with_the_confirmation_counts() {
        let mut intake = Intake::new(intake_len(), None, b"MSG aa".to_vec());
        assert_eq!(all_deliveries(b"aaaaaa\n", 3, &mut intake), b"MSG aaaaaaaa\n");
    }
}
