//! The sockets under load: who may write now, who has something to read, what is due where.
//!
//! Knows nothing of rates and processor time; the protocol's bytes come ready-made in the plan.

use std::ops::Range;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use crate::intake::Intake;
use crate::opening::{Opened, listen_for_complaints, open_all, poll_once};
use crate::plan::{Batch, Ear, Plan};
use crate::protocol::{Interjection, Role};
use crate::window::Window;
use crate::{BenchError, Shape, Target};

mod receiver;
mod sender;

pub(crate) use receiver::Reading;
use receiver::Receiver;
use sender::Sender;

/// How long one wait for readiness may take; only how soon the end of a run is noticed depends on it.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// The same when a receiver reads at its own pace: so long it reads nothing, whatever waits for it.
const PACED_WAIT_MAX: Duration = Duration::from_millis(1);

/// After the last due delivery, so long is listened for one too many.
const LISTEN_ON: Duration = Duration::from_millis(5);

/// All connections of a run.
pub(crate) struct Load {
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
    /// Which receivers read at a pace of their own.
    paced: Vec<usize>,
    compare_every_delivery: bool,
    sending: bool,
    /// Whether senders write without regard to what has arrived.
    heedless: bool,
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

impl Load {
    /// Opens everything; when it answers, all joins are confirmed and nothing has been sent.
    pub(crate) fn connect(
        target: &Target,
        shape: &Shape,
        window_bytes: Option<usize>,
        stalled_after: Duration,
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
                openings.push(target.opening(Role::Receiver { group: number, joins }));
            }
        }
        let receivers = openings.len();
        for joins in &idle {
            let group = groups.len();
            openings.push(target.opening(Role::Receiver { group, joins }));
        }
        let first_sender = openings.len();
        for (number, group) in groups.iter().enumerate() {
            let sender = target.opening(Role::Sender { group: number });
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
            window: Window::new(receivers, shape.payload_bytes, window_bytes),
            interjection: wire.interjection(),
            groups: Vec::new(),
            receivers: Vec::new(),
            senders: Vec::new(),
            first_sender,
            _idle: idle,
            deliveries: 0,
            paced: Vec::new(),
            compare_every_delivery: true,
            sending: true,
            heedless: false,
            stalled_after,
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
                self.receivers.push(Receiver::new(group, hears, opened, self.interjection));
            }
            let first_sender = self.senders.len();
            for opened in senders.by_ref().take(plan.senders) {
                self.senders.push(Sender::new(group, opened));
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
    pub(crate) fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// What the connections agreed to encrypt with, if they are encrypted.
    pub(crate) fn cipher(&self) -> Option<String> {
        self.senders.first()?.stream.cipher()
    }

    /// Size of a delivery to the first receiver, framing included.
    pub(crate) fn delivery_len(&self) -> Option<usize> {
        self.receivers.first().map(|receiver| receiver.hears.delivery_len)
    }

    /// How receiver number `index` reads from now on.
    pub(crate) fn set_reading(&mut self, index: usize, reading: Reading) {
        self.receivers[index].read_from_now_on(reading);
        self.paced.retain(|paced| *paced != index);
        if matches!(reading, Reading::AtMost { .. }) {
            self.paced.push(index);
        }
    }

    /// From now on senders write whatever their sockets take, however far receivers are behind.
    pub(crate) fn flood(&mut self) {
        self.heedless = true;
    }

    /// The longest time since [`Load::forget_gaps`] for which a receiver that reads heard nothing.
    pub(crate) fn longest_gap(&self) -> Duration {
        let now = Instant::now();
        self.receivers.iter().map(|one| one.longest_gap(now)).max().unwrap_or_default()
    }

    /// Begins to look for the longest gap anew.
    pub(crate) fn forget_gaps(&mut self) {
        self.receivers.iter_mut().for_each(Receiver::forget_gaps);
    }

    /// Whether each delivery is compared, or the first and last of each read.
    pub(crate) fn compare_every_delivery(&mut self, every: bool) {
        self.compare_every_delivery = every;
    }

    /// Keeps up the load for so long or so many deliveries.
    pub(crate) fn run(&mut self, how_long: Duration, deliveries: u64) -> Result<(), BenchError> {
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
    pub(crate) fn finish(&mut self) -> Result<(), BenchError> {
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
        let wait = if self.heedless && self.groups.iter().any(|group| group.stirred) {
            Duration::ZERO
        } else if self.paced.is_empty() {
            wait
        } else {
            wait.min(PACED_WAIT_MAX)
        };
        poll_once(&mut self.poll, &mut self.events, Some(wait))?;
        let now = Instant::now();
        for event in &self.events {
            let token = event.token().0;
            if let Some(receiver) = self.receivers.get_mut(token) {
                let readable = event.is_readable() || event.is_read_closed();
                if readable && matches!(receiver.reading, Reading::AsItComes) {
                    let (scratch, every) = (&mut self.scratch, self.compare_every_delivery);
                    self.deliveries +=
                        receiver.read(scratch, event.is_read_closed(), every, now)?;
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
        // What they left is not announced again, so they are asked each time.
        for index in &self.paced {
            let receiver = &mut self.receivers[*index];
            let (scratch, every) = (&mut self.scratch, self.compare_every_delivery);
            self.deliveries += receiver.read(scratch, false, every, now)?;
            self.groups[receiver.group].stirred = true;
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
            let behind = if self.heedless { 0 } else { group.behind(&self.receivers) };
            let mut room = if self.sending { self.window.room(behind) } else { 0 };
            let senders = &mut self.senders[group.senders.clone()];
            let mut idle_turns = 0;
            while idle_turns < senders.len() {
                let sender = &mut senders[group.turn];
                group.turn = (group.turn + 1) % group.senders.len();
                if !sender.writable || (room == 0 && !sender.is_amid_a_message()) {
                    idle_turns += 1;
                    continue;
                }
                idle_turns = 0;
                let begun = sender.write(&group.batch, room.min(self.window.step()))?;
                room -= begun;
                group.sent += begun;
            }
            group.stirred = self.heedless && self.sending && room == 0;
        }
        Ok(())
    }

    /// Deliveries that are due and have not arrived.
    fn under_way(&self) -> u64 {
        let of_group = |group: &Group| {
            let receivers = self.receivers[group.receivers.clone()].iter();
            receivers.map(|receiver| receiver.lacks(group.sent)).sum::<u64>()
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
            .map(|receiver| receiver.lacks(self.sent))
            .max()
            .unwrap_or_default()
    }
}
