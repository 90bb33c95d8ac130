//! Latency: a fixed rate, and how long each delivery takes from the moment its message was due to be sent.
//!
//! An open loop: message number n is due at a fixed time after the start, whatever the server does. Its latency counts
//! from that time, not from when the generator got round to it, so that a stalled server is charged for every message
//! that the stall made late (no coordinated omission).
//!
//! The generator spins: it asks for readiness without waiting, and looks at the clock. It has a core of its own, and a
//! sleeping receiver would add its own wake-up, some microseconds, to every server's latency alike. What is measured is
//! the way through the server, not through this machine's scheduler.

use std::io::Write;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Poll};

use crate::intake::Intake;
use crate::opening::{listen_for_complaints, open_all, poll_once};
use crate::payload::{self, NUMBER_DIGITS, NUMBERS};
use crate::plan::topic_names;
use crate::protocol::{Delivery, Interjection, Join, Role};
use crate::stream::{Stream, is_for_later};
use crate::{BenchError, Joining, Shape, Target};

/// Latencies beyond this are counted as this: a run is over by then.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// How fast and for how long.
#[derive(Clone, Debug)]
pub struct LatencyOptions {
    /// Messages per second, evenly spaced.
    pub messages_per_second: u32,
    /// Sent at this rate before latencies count.
    pub warm_up: Duration,
    /// Latencies of the messages due in this time count.
    pub measure_for: Duration,
    /// After the last message, what hasn't arrived by then is lost.
    pub drain_within: Duration,
}

impl Default for LatencyOptions {
    fn default() -> Self {
        LatencyOptions {
            messages_per_second: 1_000,
            warm_up: Duration::from_millis(500),
            measure_for: Duration::from_secs(2),
            drain_within: Duration::from_secs(5),
        }
    }
}

/// What a run of [`measure`] found.
#[derive(Clone, Debug)]
pub struct Latency {
    nanoseconds: Histogram<u64>,
}

impl Latency {
    /// The latency that so many percent of the deliveries did not exceed.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.nanoseconds.value_at_percentile(percent))
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.max())
    }

    /// How many deliveries were counted.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.nanoseconds.len()
    }
}

/// Connects, joins, sends at the rate and measures. `shape` is one sender, one topic, any number of receivers.
///
/// # Errors
/// Any [`BenchError`]; a lost, doubled or garbled delivery is one.
pub fn measure(
    target: &Target,
    shape: &Shape,
    options: &LatencyOptions,
) -> Result<Latency, BenchError> {
    shape.check()?;
    if (shape.senders, shape.topics, shape.joining) != (1, 1, Joining::Exact) {
        return Err(BenchError::Shape { why: "latency is measured with one sender on one topic" });
    }
    let mut run = Run::connect(target, shape, options)?;
    while run.sent < run.schedule.messages || !run.outgoing.is_empty() {
        run.turn()?;
    }
    let drain_until = Instant::now() + options.drain_within;
    while run.receivers.iter().any(|receiver| receiver.received < run.sent) {
        run.turn()?;
        if Instant::now() > drain_until {
            return Err(run.lost());
        }
    }
    Ok(Latency { nanoseconds: run.nanoseconds })
}

/// When which message is due.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    start: Instant,
    per_second: u64,
    warm_up: u64,
    messages: u64,
}

impl Schedule {
    fn new(start: Instant, options: &LatencyOptions) -> Result<Schedule, BenchError> {
        let per_second = u64::from(options.messages_per_second);
        let within = |time: Duration| {
            let messages = time.as_nanos() * u128::from(per_second) / 1_000_000_000;
            u64::try_from(messages).unwrap_or(u64::MAX)
        };
        let warm_up = within(options.warm_up);
        let messages = warm_up.saturating_add(within(options.measure_for));
        if messages <= warm_up || messages >= NUMBERS {
            return Err(BenchError::Shape {
                why: "the rate and the time give no message, or more than 8 digits can number",
            });
        }
        Ok(Schedule { start, per_second, warm_up, messages })
    }

    fn due(&self, message: u64) -> Instant {
        // Below 10^8 messages times 10^9 nanoseconds: fits 64 bits.
        self.start + Duration::from_nanos(message * 1_000_000_000 / self.per_second)
    }
}

struct Run {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    interjection: Option<Interjection>,
    schedule: Schedule,
    sender: Stream,
    receivers: Vec<Receiver>,
    /// One message in the protocol's bytes; its number is overwritten each time.
    message: Vec<u8>,
    number_at: usize,
    /// Due and not yet taken by the socket.
    outgoing: Vec<u8>,
    sent: u64,
    template: Delivery,
    nanoseconds: Histogram<u64>,
}

struct Receiver {
    stream: Stream,
    intake: Intake,
    received: u64,
}

impl Run {
    fn connect(
        target: &Target,
        shape: &Shape,
        options: &LatencyOptions,
    ) -> Result<Run, BenchError> {
        let wire = target.protocol.wire();
        let topic = topic_names(1).remove(0);
        let joins = [Join::Exact(topic.clone())];
        let receiver = target.opening(Role::Receiver { group: 0, joins: &joins });
        let mut openings = vec![receiver; shape.receivers];
        openings.push(target.opening(Role::Sender { group: 0 }));
        let mut poll = Poll::new().map_err(BenchError::io("make a readiness queue"))?;
        let mut opened = open_all(&mut poll, target, openings)?;
        let sender = opened.pop().expect("one opening was for the sender").stream;

        let first = payload::build(0, shape.payload_bytes);
        let template = wire.delivery(&joins, 0, &topic, &first);
        let mut message = Vec::new();
        wire.send(&topic, &first, &mut message);
        let number_at = message
            .windows(first.len())
            .rposition(|part| part == first)
            .expect("a message contains its payload");
        let receivers = opened.into_iter().map(|opened| Receiver {
            stream: opened.stream,
            intake: Intake::new(template.bytes.len(), wire.interjection(), opened.already_read),
            received: 0,
        });
        Ok(Run {
            poll,
            events: Events::with_capacity(shape.receivers.clamp(64, 4096)),
            scratch: Intake::scratch(template.bytes.len()),
            interjection: wire.interjection(),
            schedule: Schedule::new(Instant::now(), options)?,
            sender,
            receivers: receivers.collect(),
            message,
            number_at,
            outgoing: Vec::new(),
            sent: 0,
            nanoseconds: Histogram::new_with_max(LATENCY_MAX_NS, 3)
                .expect("one minute at three digits is within a histogram's bounds"),
            template,
        })
    }

    /// Sends what is due and reads what is there, without waiting.
    fn turn(&mut self) -> Result<(), BenchError> {
        let now = Instant::now();
        while self.sent < self.schedule.messages && self.schedule.due(self.sent) <= now {
            payload::write_number(self.sent, &mut self.message[self.number_at..]);
            self.outgoing.extend_from_slice(&self.message);
            self.sent += 1;
        }
        if !self.outgoing.is_empty() || self.sender.has_unsent() {
            match self.sender.write(&self.outgoing) {
                Ok(written) => drop(self.outgoing.drain(..written)),
                Err(e) if is_for_later(&e) => {}
                Err(e) => return Err(BenchError::io("send")(e)),
            }
        }
        poll_once(&mut self.poll, &mut self.events, Some(Duration::ZERO))?;
        for event in &self.events {
            if !event.is_readable() && !event.is_read_closed() {
                continue;
            }
            let Some(receiver) = self.receivers.get_mut(event.token().0) else {
                listen_for_complaints(&mut self.sender, self.interjection)?;
                continue;
            };
            let Receiver { stream, intake, received } = receiver;
            let (schedule, template, nanoseconds) =
                (&self.schedule, &mut self.template, &mut self.nanoseconds);
            intake.read(stream, &mut self.scratch, event.is_read_closed(), |run| {
                let now = Instant::now();
                for delivery in run.chunks_exact(template.bytes.len()) {
                    check(template, *received, delivery)?;
                    if *received >= schedule.warm_up {
                        let late = now.saturating_duration_since(schedule.due(*received));
                        let late = u64::try_from(late.as_nanos()).unwrap_or(LATENCY_MAX_NS);
                        nanoseconds.saturating_record(late.max(1));
                    }
                    *received += 1;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn lost(&self) -> BenchError {
        let due = self.sent * u64::try_from(self.receivers.len()).expect("a count fits 64 bits");
        let received: u64 = self.receivers.iter().map(|receiver| receiver.received).sum();
        BenchError::Lost { missing: due.saturating_sub(received), expected: due }
    }
}

/// Whether `delivery` is message `number`. Writes that number into the template, so that one comparison tells.
fn check(template: &mut Delivery, number: u64, delivery: &[u8]) -> Result<(), BenchError> {
    let place = template.payload_at..template.payload_at + NUMBER_DIGITS;
    payload::write_number(number, &mut template.bytes[place.clone()]);
    if template.bytes == delivery {
        return Ok(());
    }
    let said = payload::number(&delivery[place]);
    match said.and_then(|said| said.checked_sub(number)) {
        Some(missing) if missing > 0 => {
            Err(BenchError::Lost { missing, expected: number + missing })
        }
        _ => Err(BenchError::WrongDelivery {
            number,
            expected: crate::error::excerpt(&template.bytes),
            said: crate::error::excerpt(delivery),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_on_an_even_grid_from_the_start() {
        let start = Instant::now();
        let options = LatencyOptions {
            messages_per_second: 10_000,
            warm_up: Duration::from_millis(10),
            measure_for: Duration::from_millis(20),
            ..LatencyOptions::default()
        };
        let schedule = Schedule::new(start, &options).expect("as scheduled");
        assert_eq!((schedule.warm_up, schedule.messages), (100, 300));
        assert_eq!(schedule.due(0), start);
        assert_eq!(schedule.due(299), start + Duration::from_micros(29_900));
    }

    #[test]
    fn a_rate_that_gives_no_message_is_refused() {
        let options = LatencyOptions { messages_per_second: 0, ..LatencyOptions::default() };
        assert!(Schedule::new(Instant::now(), &options).is_err());
    }

    #[test]
    fn skipped_numbers_are_lost_deliveries() {
        let mut template = Delivery { bytes: b"recv t 00000000\n".to_vec(), payload_at: 7 };
        check(&mut template, 12, b"recv t 00000012\n").expect("as scheduled");
        assert!(matches!(
            check(&mut template, 13, b"recv t 00000015\n"),
            Err(BenchError::Lost { missing: 2, .. })
        ));
        assert!(matches!(
            check(&mut template, 13, b"recv t 00000012\n"),
            Err(BenchError::WrongDelivery { .. })
        ));
    }
}
