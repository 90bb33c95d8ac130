//! What is done after every event and timer, whatever it was: each link takes its steps, calls that
//! nobody here made are taken over, what must not live is hung up, and rooms that changed are told.

use crate::alarms::{Alarm, Wait};
use crate::codec::{Control, Far, Leg};
use crate::ledger::Goal;
use crate::link::{Link, Pair, Step};
use crate::{CallState, Direction, Effect, Fact, Links, Pairing, Reason, Why};

impl Links {
    pub(crate) fn reconcile(&mut self) {
        if self.starting {
            if self.rooms.iter().any(|room| room.codec.control == Control::Unknown) {
                return;
            }
            self.starting = false;
            self.alarms.cancel(Alarm::Start);
        }
        self.mark_far_ends();
        let pairs: Vec<_> = self.links.keys().copied().collect();
        for pair in pairs {
            while self.step(pair) {}
        }
        self.adopt();
        self.watch_half_open();
        self.hang_up();
        self.tell_rooms();
    }

    /// A timer rang.
    pub(crate) fn ring(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Start => {
                for room in &mut self.rooms {
                    if room.codec.control == Control::Unknown {
                        room.codec.offline(false);
                    }
                }
            }
            Alarm::Link(pair) => self.ring_link(pair),
            Alarm::Hangup(room) => self.ring_hangup(room),
            Alarm::HalfOpen(room) => {
                let half_open: Vec<_> = self.half_open(room).map(|leg| leg.id).collect();
                for leg in &mut self.rooms[room].codec.legs {
                    leg.ours |= half_open.contains(&leg.id);
                }
            }
        }
    }

    fn ring_link(&mut self, pair: Pair) {
        let Some(link) = self.links.get(&pair) else { return };
        let [near, far] = link.ends;
        match link.step {
            Step::Preparing => {
                let late = if link.sides[0].prepared { far } else { near };
                let why = match self.rooms[late].codec.control {
                    Control::Online => Why {
                        reason: Reason::Timeout,
                        text: format!("The codec of {} did not get ready.", self.city(late)),
                    },
                    _ => self.offline(late, late == near),
                };
                self.end(pair, Some(why), Some(late));
            }
            Step::Dialing | Step::Asking => {
                let rings = link.sides.iter().any(|side| side.seen);
                let reason = if rings { Reason::NoAnswer } else { Reason::Timeout };
                let why = self.failure(near, far, reason);
                self.end(pair, Some(why), None);
            }
            Step::Confirming => {
                let text = "Only one of the two codecs says that it is connected.".to_owned();
                self.end(pair, Some(Why { reason: Reason::Timeout, text }), None);
            }
            Step::Retrying => self.retry(pair),
            Step::Recovering => {
                let lost = if self.rooms[near].codec.is_online() { far } else { near };
                self.lose(pair, lost);
            }
            Step::Disconnecting => {
                // The dial that was cancelled made no call.
                if let Some(link) = self.links.get_mut(&pair) {
                    link.sides.iter_mut().for_each(|side| side.dialing = false);
                }
            }
            Step::Connected => {}
        }
    }

    /// A codec was told to hang up and did not. It is told again for as long as it takes, but whoever
    /// wished it hears now that it does not work.
    fn ring_hangup(&mut self, room: usize) {
        self.rooms[room].codec.forget_told();
        let text = format!("The codec of {} does not hang up; it is told again.", self.city(room));
        let late = self.link_of(room).filter(|link| !link.is_wanted()).map(Link::pair);
        if let Some(pair) = late {
            let outcome = Err(Why { reason: Reason::Timeout, text });
            self.ledger.settle(Goal::Idle(pair), &outcome, &mut self.effects);
        }
    }

    /// The other end of a call that we dialled is ours too.
    fn mark_far_ends(&mut self) {
        for near in 0..self.rooms.len() {
            let codec = &self.rooms[near].codec;
            if !codec.is_online() {
                continue;
            }
            let ours = |leg: &&Leg| leg.ours && leg.direction == Direction::Outgoing;
            let fars: Vec<_> = codec.legs.iter().filter(ours).map(|leg| leg.far.clone()).collect();
            for far in fars {
                let Far::Room(far) = far else { continue };
                let codec = &mut self.rooms[far].codec;
                if codec.is_online() {
                    let ends = codec.legs.iter_mut().filter(|leg| leg.is_with(near));
                    for leg in ends.filter(|leg| leg.direction == Direction::Incoming) {
                        leg.ours = true;
                    }
                }
            }
        }
    }

    /// All calls between the two are ours from now on, because somebody wished their end.
    pub(crate) fn take_calls(&mut self, pair: Pair) {
        self.rooms[pair.0].codec.take(pair.1);
        self.rooms[pair.1].codec.take(pair.0);
    }

    /// Takes over calls between two of our rooms that nobody here made, once both show them.
    fn adopt(&mut self) {
        for near in 0..self.rooms.len() {
            let leg = |room: usize, other, direction| {
                let codec = &self.rooms[room].codec;
                codec.leg_with(other).filter(|leg| {
                    codec.is_online()
                        && leg.direction == direction
                        && !leg.ours
                        && codec.obstacle(other).is_none()
                        && self.link_of(room).is_none()
                })
            };
            let answers = match self.config.rooms[near].pairing {
                Pairing::DialAnswer => Direction::Incoming,
                Pairing::Both => Direction::Outgoing,
            };
            let far = (0..self.rooms.len()).find(|far| {
                leg(near, *far, Direction::Outgoing).is_some() && leg(*far, near, answers).is_some()
            });
            if let Some(far) = far {
                let link = Link::new([near, far], None, Step::Dialing, self.now);
                let pair = link.pair();
                self.links.insert(pair, Link { adopted: true, ..link });
                if !self.step(pair) {
                    self.say_phase(pair);
                }
                while self.step(pair) {}
            }
        }
    }

    /// Calls of a room that nobody can be at the other end of, whoever made them: the other room
    /// shows nothing that could be it. A call that is just being made does not count.
    fn half_open(&self, room: usize) -> impl Iterator<Item = &Leg> {
        let codec = &self.rooms[room].codec;
        codec.legs.iter().filter(move |leg| {
            let Far::Room(far) = leg.far else { return false };
            let wanted = self.links.get(&Pair::new(room, far)).is_some_and(Link::is_wanted);
            codec.is_online()
                && !leg.ours
                && !wanted
                && (leg.is_connected()
                    || leg.state == CallState::Ringing && leg.direction == Direction::Incoming)
                && self.rooms[far].codec.surely_without(room)
        })
    }

    fn watch_half_open(&mut self) {
        for room in 0..self.rooms.len() {
            let alarm = Alarm::HalfOpen(room);
            if self.half_open(room).next().is_none() {
                self.alarms.cancel(alarm);
            } else if !self.alarms.is_set(alarm) {
                self.wait(alarm, Wait::HalfOpen, &[room]);
            }
        }
    }

    /// Hangs up calls that are ours and belong to no link that wants them, and tells a codec again
    /// when it did not do it.
    fn hang_up(&mut self) {
        for room in 0..self.rooms.len() {
            if !self.rooms[room].codec.is_online() {
                continue;
            }
            let links = &self.links;
            let unwanted = |leg: &Leg| {
                let Far::Room(far) = leg.far else { return leg.ours };
                let link = links.get(&Pair::new(room, far));
                leg.ours && !link.is_some_and(Link::keeps_calls)
            };
            let mut waits = false;
            let mut calls = Vec::new();
            for leg in self.rooms[room].codec.legs.iter_mut().filter(|leg| unwanted(leg)) {
                if !leg.told {
                    leg.told = true;
                    calls.push(leg.id);
                }
                waits = true;
            }
            if !waits {
                self.alarms.cancel(Alarm::Hangup(room));
            } else if !calls.is_empty() {
                self.wait(Alarm::Hangup(room), Wait::Hangup, &[room]);
            }
            for call in calls {
                self.effects.push(Effect::Hangup { room: self.name(room), call });
            }
        }
    }

    fn tell_rooms(&mut self) {
        for room in 0..self.rooms.len() {
            let status = self.status(room);
            if self.rooms[room].told != status {
                self.rooms[room].told.clone_from(&status);
                if let Some(status) = status {
                    let fact = Fact::Room { room: self.name(room), status };
                    self.effects.push(Effect::Fact(fact));
                }
            }
        }
    }
}
