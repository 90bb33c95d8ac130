//! One receiver under load: what it reads and how much of that at a time, what it must hear, and how long it heard nothing.

use std::io::{self, ErrorKind, Read};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::BenchError;
use crate::intake::Intake;
use crate::opening::Opened;
use crate::plan::Hears;
use crate::protocol::Interjection;
use crate::stream::Stream;

/// How a receiver reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// Whatever has arrived.
    AsItComes,
    /// Nothing at all: it is suspended, and no count or bound waits for it.
    Not,
    /// So many bytes per second and not more, evenly, from this time on.
    AtMost { bytes_per_second: u64, since: Instant },
}

pub(super) struct Receiver {
    pub(super) group: usize,
    pub(super) hears: Rc<Hears>,
    pub(super) received: u64,
    pub(super) reading: Reading,
    pub(super) intake: Intake,
    stream: Stream,
    /// Bytes since it reads as it does now.
    read_bytes: u64,
    heard_at: Instant,
    longest_gap: Duration,
}

impl Receiver {
    pub(super) fn new(
        group: usize,
        hears: Rc<Hears>,
        opened: Opened,
        interjection: Option<Interjection>,
    ) -> Receiver {
        Receiver {
            group,
            received: 0,
            reading: Reading::AsItComes,
            intake: Intake::new(hears.delivery_len, interjection, opened.already_read),
            stream: opened.stream,
            hears,
            read_bytes: 0,
            heard_at: Instant::now(),
            longest_gap: Duration::ZERO,
        }
    }

    pub(super) fn read_from_now_on(&mut self, reading: Reading) {
        self.reading = reading;
        self.read_bytes = 0;
    }

    /// Deliveries that are due and have not arrived, after so many messages to its group. A suspended receiver is not
    /// waited for.
    pub(super) fn lacks(&self, sent: u64) -> u64 {
        match self.reading {
            Reading::Not => 0,
            Reading::AsItComes | Reading::AtMost { .. } => {
                self.hears.due(sent).saturating_sub(self.received)
            }
        }
    }

    /// The longest time without a delivery since [`Receiver::forget_gaps`], the present one included.
    pub(super) fn longest_gap(&self, now: Instant) -> Duration {
        match self.reading {
            Reading::Not => Duration::ZERO,
            Reading::AsItComes | Reading::AtMost { .. } => {
                self.longest_gap.max(now.saturating_duration_since(self.heard_at))
            }
        }
    }

    /// A time without deliveries that lasts still is not forgotten.
    pub(super) fn forget_gaps(&mut self) {
        self.longest_gap = Duration::ZERO;
    }

    /// Reads until the socket is empty or no more may be read for now; answers how many deliveries that were.
    pub(super) fn read(
        &mut self,
        scratch: &mut [u8],
        closed: bool,
        compare_every_delivery: bool,
        now: Instant,
    ) -> Result<u64, BenchError> {
        let allowed = self.allowed(now);
        let mut stream = Limited { stream: &mut self.stream, left: allowed };
        let before = self.received;
        let (hears, received) = (&self.hears, &mut self.received);
        let length = hears.delivery_len;
        self.intake.read(&mut stream, scratch, closed, |run| {
            let last = u64::try_from(run.len() / length - 1).expect("a length fits 64 bits");
            if compare_every_delivery {
                for (number, delivery) in (*received..).zip(run.chunks_exact(length)) {
                    hears.check(number, delivery)?;
                }
            } else {
                hears.check(*received, &run[..length])?;
                hears.check(*received + last, &run[run.len() - length..])?;
            }
            *received += last + 1;
            Ok(())
        })?;
        self.read_bytes += allowed - stream.left;
        if self.received > before {
            self.longest_gap = self.longest_gap(now);
            self.heard_at = now;
        }
        Ok(self.received - before)
    }

    /// How many bytes may be read now.
    fn allowed(&self, now: Instant) -> u64 {
        match self.reading {
            Reading::AsItComes => u64::MAX,
            Reading::Not => 0,
            Reading::AtMost { bytes_per_second, since } => {
                let nanos = now.saturating_duration_since(since).as_nanos();
                let by_now = nanos * u128::from(bytes_per_second) / 1_000_000_000;
                u64::try_from(by_now).unwrap_or(u64::MAX).saturating_sub(self.read_bytes)
            }
        }
    }
}

/// A stream that seems empty once so many bytes have been read.
struct Limited<'a> {
    stream: &'a mut Stream,
    left: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = self.stream.read(&mut buffer[..most])?;
        self.left -= u64::try_from(read).expect("a length fits 64 bits");
        Ok(read)
    }
}
