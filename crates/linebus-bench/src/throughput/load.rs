//! The sockets under load: who may write now, who has something to read, what is due where.
//!
//! Knows nothing of rates and processor time; the protocol's bytes come ready-made in the plan.

use std::io::{ErrorKind, IoSlice, Write};
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll};

use super::ThroughputOptions;
use crate::intake::Intake;
use crate::opening::{Opened, listen_for_complaints, open_all, poll_once};
use crate::plan::{Batch, Ear, Hears, Plan};
use crate::protocol::{Interjection, Role};
use crate::window::Window;
use crate::{BenchError, Shape, Target};

/// How long one wait for readiness may take; only how soon the end of a run is noticed depends on it.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// After the last due delivery, so long is listened for one too many.
const LISTEN_ON: Duration = Duration::from_millis(5);

/// All connections of a run.
pub(super) struct Load {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    window: Window,
    interjection: Option<Interjection>,
    groups: Vec<Group>,
    /// Their tokens are their indices.
    receivers: Vec<Receiver>,
    /// Their tokens come behind those of receivers and idle connections.
    senders: Vec<Sender>,
    first_sender: usize,
    /// Held open, never heard.
    _idle: Vec<Opened>,
    deliveries: u64,
    compare_every_delivery: bool,
    sending: bool,
    stalled_after: Duration,
}

struct Group {
    batch: Batch,
    senders: Range<usize>,
    receivers: Range<usize>,
    /// Messages that have been begun, by all senders together.
    sent: u64,
    /// Which sender's turn it is.
    turn: usize,
    /// Whether anything has happened that may let a sender write.
    stirred: bool,
}

struct Receiver {
    group: usize,
    stream: TcpStream,
    intake: Intake,
    hears: Rc<Hears>,
    received: u64,
}

struct Sender {
    group: usize,
    stream: TcpStream,
    /// How far into the batch it is, in bytes.
    at: usize,
    /// Bytes missing of a message that has been begun.
    unfinished: usize,
    writable: bool,
}

impl Load {
    /// Opens everything; when it answers, all joins are confirmed and nothing has been sent.
    pub(super) fn connect(
        target: &Target,
        shape: &Shape,
        options: &ThroughputOptions,
    ) -> Result<Load, BenchError> {
        let wire = target.protocol.wire();
        if shape.needs_topics() && !target.protocol.has_topics() {
            return Err(BenchError::Shape { why: "the blind relay knows no topics" });
        }
        let Plan { groups, idle } = Plan::new(shape, wire)?;
        let mut openings = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            for ear in &group.receivers {
                let joins = &ear.joins;
                openings.push(wire.opening(Role::Receiver { group: number, joins }));
            }
        }
        let receivers = openings.len();
        for joins in &idle {
            let group = groups.len();
            openings.push(wire.opening(Role::Receiver { group, joins }));
        }
        let first_sender = openings.len();
        for (number, group) in groups.iter().enumerate() {
            let sender = wire.opening(Role::Sender { group: number });
            openings.extend((0..group.senders).map(|_| sender.clone()));
        }
        let connections = openings.len();
        let mut poll = Poll::new().map_err(BenchError::io("make a readiness queue"))?;
        let mut opened = open_all(&mut poll, target, openings)?;
        let senders = opened.split_off(first_sender);
        let idle = opened.split_off(receivers);
        let mut load = Load {
            poll,
            events: Events::with_capacity(connections.clamp(64, 4096)),
            scratch: Vec::new(),
            window: Window::new(receivers, shape.payload_bytes, options.window_bytes),
            interjection: wire.interjection(),
            groups: Vec::new(),
            receivers: Vec::new(),
            senders: Vec::new(),
            first_sender,
            _idle: idle,
            deliveries: 0,
            compare_every_delivery: true,
            sending: true,
            stalled_after: options.stalled_after,
        };
        load.assign(groups, opened, senders);
        Ok(load)
    }

    /// Deals the open connections out to their groups, in the order in which they were opened.
    fn assign(
        &mut self,
        plans: Vec<crate::plan::Group>,
        receivers: Vec<Opened>,
        senders: Vec<Opened>,
    ) {
        let (mut receivers, mut senders) = (receivers.into_iter(), senders.into_iter());
        for (group, plan) in plans.into_iter().enumerate() {
            let first_receiver = self.receivers.len();
            for (Ear { hears, .. }, opened) in plan.receivers.into_iter().zip(&mut receivers) {
                self.receivers.push(Receiver {
                    group,
                    stream: opened.stream,
                    intake: Intake::new(hears.delivery_len, self.interjection, opened.already_read),
                    hears,
                    received: 0,
                });
            }
            let first_sender = self.senders.len();
            for opened in senders.by_ref().take(plan.senders) {
                self.senders.push(Sender {
                    group,
                    stream: opened.stream,
                    at: 0,
                    unfinished: 0,
                    writable: true,
                });
            }
            self.groups.push(Group {
                batch: plan.batch,
                senders: first_sender..self.senders.len(),
                receivers: first_receiver..self.receivers.len(),
                sent: 0,
                turn: 0,
                stirred: true,
            });
        }
        let delivery_len_max =
            self.receivers.iter().map(|receiver| receiver.hears.delivery_len).max();
        self.scratch = Intake::scratch(delivery_len_max.unwrap_or_default());
    }

    /// Deliveries so far, at all receivers together.
    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// Whether each delivery is compared, or the first and last of each read.
    pub(super) fn compare_every_delivery(&mut self, every: bool) {
        self.compare_every_delivery = every;
    }

    /// Keeps up the load for so long or so many deliveries.
    pub(super) fn run(&mut self, how_long: Duration, deliveries: u64) -> Result<(), BenchError> {
        let started = Instant::now();
        let enough = self.deliveries.saturating_add(deliveries);
        let mut moved = (started, self.deliveries);
        loop {
            self.turn(WAIT_MAX)?;
            let now = Instant::now();
            if now - started >= how_long || self.deliveries >= enough {
                return Ok(());
            }
            self.require_movement(&mut moved, now, "sending")?;
        }
    }

    /// Stops sending and waits until everything under way has arrived, and nothing else.
    pub(super) fn finish(&mut self) -> Result<(), BenchError> {
        self.sending = false;
        self.groups.iter_mut().for_each(|group| group.stirred = true);
        let mut moved = (Instant::now(), self.deliveries);
        while self.under_way() > 0 {
            self.turn(WAIT_MAX)?;
            self.require_movement(&mut moved, Instant::now(), "draining")?;
        }
        let deliveries = self.deliveries;
        self.turn(LISTEN_ON)?;
        let odd = self.receivers.iter().find(|receiver| !receiver.intake.unfinished().is_empty());
        match odd {
            Some(receiver) => Err(BenchError::Answer {
                expected: "nothing after the last delivery".to_owned(),
                said: crate::error::excerpt(receiver.intake.unfinished()),
            }),
            None if self.deliveries != deliveries => Err(BenchError::Answer {
                expected: "nothing after the last delivery".to_owned(),
                said: format!("{} deliveries more", self.deliveries - deliveries),
            }),
            None => Ok(()),
        }
    }

    /// Lets everybody write and read once.
    fn turn(&mut self, wait: Duration) -> Result<(), BenchError> {
        self.feed()?;
        poll_once(&mut self.poll, &mut self.events, Some(wait))?;
        for event in &self.events {
            let token = event.token().0;
            if let Some(receiver) = self.receivers.get_mut(token) {
                if event.is_readable() || event.is_read_closed() {
                    let read = receiver.read(
                        &mut self.scratch,
                        event.is_read_closed(),
                        self.compare_every_delivery,
                    )?;
                    self.deliveries += read;
                    self.groups[receiver.group].stirred = true;
                }
            } else if token >= self.first_sender {
                let sender = &mut self.senders[token - self.first_sender];
                if event.is_readable() || event.is_read_closed() {
                    listen_for_complaints(&mut sender.stream, self.interjection)?;
                }
                if event.is_writable() {
                    sender.writable = true;
                    self.groups[sender.group].stirred = true;
                }
            }
        }
        Ok(())
    }

    /// Lets senders write as far as windows and sockets allow.
    fn feed(&mut self) -> Result<(), BenchError> {
        for group in &mut self.groups {
            if !group.stirred {
                continue;
            }
            group.stirred = false;
            let behind = group.behind(&self.receivers);
            let mut room = if self.sending { self.window.room(behind) } else { 0 };
            let senders = &mut self.senders[group.senders.clone()];
            let mut idle_turns = 0;
            while idle_turns < senders.len() {
                let sender = &mut senders[group.turn];
                group.turn = (group.turn + 1) % group.senders.len();
                if !sender.writable || (room == 0 && sender.unfinished == 0) {
                    idle_turns += 1;
                    continue;
                }
                idle_turns = 0;
                let begun = sender.write(&group.batch, room.min(self.window.step()))?;
                room -= begun;
                group.sent += begun;
            }
        }
        Ok(())
    }

    /// Deliveries that are due and have not arrived.
    fn under_way(&self) -> u64 {
        let of_group = |group: &Group| {
            self.receivers[group.receivers.clone()]
                .iter()
                .map(|receiver| receiver.hears.due(group.sent).saturating_sub(receiver.received))
                .sum::<u64>()
        };
        self.groups.iter().map(of_group).sum()
    }

    fn require_movement(
        &self,
        moved: &mut (Instant, u64),
        now: Instant,
        doing: &'static str,
    ) -> Result<(), BenchError> {
        if moved.1 != self.deliveries {
            *moved = (now, self.deliveries);
        }
        if now - moved.0 < self.stalled_after {
            return Ok(());
        }
        match self.under_way() {
            0 => Err(BenchError::Stalled { doing, waited: self.stalled_after }),
            missing => Err(BenchError::Lost { missing, expected: self.deliveries + missing }),
        }
    }
}

impl Group {
    /// What the receiver that is furthest behind lacks.
    fn behind(&self, receivers: &[Receiver]) -> u64 {
        receivers[self.receivers.clone()]
            .iter()
            .map(|receiver| receiver.hears.due(self.sent).saturating_sub(receiver.received))
            .max()
            .unwrap_or_default()
    }
}

impl Receiver {
    /// Reads until the socket is empty; answers how many deliveries that were.
    fn read(
        &mut self,
        scratch: &mut [u8],
        closed: bool,
        compare_every_delivery: bool,
    ) -> Result<u64, BenchError> {
        let before = self.received;
        let (hears, received) = (&self.hears, &mut self.received);
        let length = hears.delivery_len;
        self.intake.read(&mut self.stream, scratch, closed, |run| {
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
        Ok(self.received - before)
    }
}

impl Sender {
    /// Finishes the message that it is in the middle of and begins up to `messages` more, at most one batch in one write;
    /// answers how many it began.
    fn write(&mut self, batch: &Batch, messages: u64) -> Result<u64, BenchError> {
        let messages = usize::try_from(messages).expect("a window is a size in memory");
        let wanted = (self.unfinished + messages * batch.message_len).min(batch.bytes.len());
        let straight = wanted.min(batch.bytes.len() - self.at);
        let parts = [
            IoSlice::new(&batch.bytes[self.at..self.at + straight]),
            IoSlice::new(&batch.bytes[..wanted - straight]),
        ];
        let written = match self.stream.write_vectored(&parts) {
            Ok(written) => written,
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
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
