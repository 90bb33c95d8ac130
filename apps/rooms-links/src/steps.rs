//! The steps of one link: what is wanted, compared with what both codecs show.

use crate::alarms::{Alarm, Wait};
use crate::codec::Control;
use crate::ledger::Goal;
use crate::link::{Pair, Side, Step};
use crate::{Direction, Effect, Fact, Incoming, Links, Pairing, Phase, Reason, Why};

/// What a codec shows of the call with the other room.
#[derive(Clone, Copy)]
struct Sight {
    connected: bool,
    direction: Direction,
    ours: bool,
}

type Sights = [Option<Sight>; 2];

fn both_connected(sights: &Sights) -> bool {
    sights.iter().all(|sight| sight.is_some_and(|sight| sight.connected))
}

impl Links {
    /// Lets a link take one step if it can.
    pub(crate) fn step(&mut self, pair: Pair) -> bool {
        let Some(link) = self.links.get(&pair) else { return false };
        let [near, far] = link.ends;
        let sights = [self.sight(near, far), self.sight(far, near)];
        let Some(link) = self.links.get_mut(&pair) else { return false };
        for (side, sight) in link.sides.iter_mut().zip(&sights) {
            side.seen |= sight.is_some();
            side.dialing &= sight.is_none();
        }
        match link.step {
            Step::Preparing => self.preparing(pair, &sights),
            Step::Dialing | Step::Asking | Step::Confirming => self.calling(pair, &sights),
            Step::Retrying => self.stopped(pair, false),
            Step::Connected => self.connected(pair, &sights),
            Step::Recovering => self.recovering(pair, &sights),
            Step::Disconnecting => self.disconnecting(pair),
        }
    }

    fn sight(&self, room: usize, other: usize) -> Option<Sight> {
        let codec = &self.rooms[room].codec;
        let leg = codec.leg_with(other).filter(|_| codec.is_online())?;
        Some(Sight { connected: leg.is_connected(), direction: leg.direction, ours: leg.ours })
    }

    /// Ends a link for which a codec is missing or in another call.
    fn stopped(&mut self, pair: Pair, may_sleep: bool) -> bool {
        let ends = self.links[&pair].ends;
        let obstacle = ends.into_iter().find_map(|room| {
            let codec = &self.rooms[room].codec;
            let why = match codec.control {
                Control::Online if codec.obstacle(pair.other(room)).is_some() => {
                    let text = format!("{} is in another call.", self.city(room));
                    Why::new(Reason::Busy, text)
                }
                Control::Online => return None,
                Control::Offline { asleep: true } if may_sleep => return None,
                _ => self.offline(room, room == ends[0]),
            };
            Some((room, why))
        });
        let Some((room, why)) = obstacle else { return false };
        self.end(pair, Some(why), Some(room));
        true
    }

    fn preparing(&mut self, pair: Pair, sights: &Sights) -> bool {
        if self.stopped(pair, true) {
            return true;
        }
        if sights.iter().any(Option::is_some) {
            // Somebody was faster with the remote control: wait for that call.
            self.go(pair, Step::Dialing, Some(Wait::Dial));
            return true;
        }
        let prepared = self.links[&pair].sides.iter().all(|side| side.prepared);
        if prepared {
            self.dial(pair);
        }
        prepared
    }

    fn dial(&mut self, pair: Pair) {
        let Some(link) = self.links.get_mut(&pair) else { return };
        let ends = link.ends;
        let both = self.config.rooms[ends[0]].pairing == Pairing::Both;
        link.dials += 1;
        link.failure = None;
        link.answered = false;
        for (index, side) in link.sides.iter_mut().enumerate() {
            side.seen = false;
            side.dialing = index == 0 || both;
        }
        self.go(pair, Step::Dialing, Some(Wait::Dial));
        let called = [(ends[0], ends[1]), (ends[1], ends[0])];
        for (from, room) in called.into_iter().take(if both { 2 } else { 1 }) {
            self.effects.push(Effect::Expect {
                room: self.name(room),
                from: self.name(from),
                incoming: self.config.rooms[room].incoming,
            });
        }
        for (room, far) in called.into_iter().take(if both { 2 } else { 1 }) {
            let to = self.config.rooms[far].dial.clone();
            self.effects.push(Effect::Dial { room: self.name(room), to });
        }
    }

    fn calling(&mut self, pair: Pair, sights: &Sights) -> bool {
        if self.stopped(pair, false) {
            return true;
        }
        if both_connected(sights) {
            self.establish(pair);
            return true;
        }
        let link = &self.links[&pair];
        if link.adopted && sights.iter().flatten().any(|sight| sight.ours) {
            // What was taken for somebody else's call is one that we dialled and cancelled.
            let text = "The call was cancelled.".to_owned();
            self.end(pair, Some(Why::new(Reason::Cancelled, text)), None);
            return true;
        }
        let [near, far] = link.ends;
        let both = self.config.rooms[near].pairing == Pairing::Both;
        if let ([near_sight, Some(far_sight)], false) = (sights, both)
            && far_sight.direction == Direction::Outgoing
            && (link.sides[0].dialing
                || near_sight
                    .is_some_and(|near| near.ours && near.direction == Direction::Outgoing))
        {
            let text = "Both rooms called each other at once.".to_owned();
            self.end(pair, Some(Why::new(Reason::Glare, text)), Some(far));
            return true;
        }
        let gone = [0, 1].into_iter().find(|side| {
            let dials = link.dials > 0 && (*side == 0 || both);
            let Side { seen, dialing, .. } = link.sides[*side];
            sights[*side].is_none() && !dialing && (seen || dials)
        });
        if let Some(side) = gone {
            self.dial_failed(pair, link.ends[side]);
            return true;
        }
        let step = if sights.iter().flatten().any(|sight| sight.connected) {
            Step::Confirming
        } else if self.config.rooms[far].incoming == Incoming::Ask
            && !link.answered
            && sights[1].is_some_and(|sight| sight.direction == Direction::Incoming)
        {
            Step::Asking
        } else {
            return false;
        };
        if link.step == step || link.step == Step::Confirming {
            return false;
        }
        // Calls that somebody else made take the time they take.
        let wait = match step {
            _ if link.adopted => None,
            Step::Asking => Some(Wait::Ask),
            _ => Some(Wait::Confirm),
        };
        self.go(pair, step, wait);
        true
    }

    /// The call that was dialled is gone before it was connected.
    fn dial_failed(&mut self, pair: Pair, side: usize) {
        let link = &self.links[&pair];
        let text = || "The call ended before it was connected.".to_owned();
        let why = link.failure.clone().unwrap_or_else(|| Why::new(Reason::Dropped, text()));
        if why.reason.is_network() && (1..=self.config.retries).contains(&link.dials) {
            self.go(pair, Step::Retrying, Some(Wait::Retry));
        } else {
            self.end(pair, Some(why), Some(side));
        }
    }

    /// It is time for the next dial.
    pub(crate) fn retry(&mut self, pair: Pair) {
        let [near, far] = self.links[&pair].ends;
        let legs = [self.sight(near, far), self.sight(far, near)];
        if legs.iter().flatten().any(|sight| sight.ours) {
            let why = self.links[&pair].failure.clone();
            self.end(pair, why, None);
        } else if legs.iter().any(Option::is_some) {
            // Somebody else's call, as if nobody here had dialled.
            if let Some(link) = self.links.get_mut(&pair) {
                link.dials = 0;
                link.failure = None;
            }
            self.go(pair, Step::Dialing, Some(Wait::Dial));
        } else {
            self.dial(pair);
        }
    }

    fn establish(&mut self, pair: Pair) {
        self.go(pair, Step::Connected, None);
        let Some(link) = self.links.get_mut(&pair) else { return };
        link.told_connected = true;
        let [from, to] = link.ends.map(|room| self.name(room));
        self.effects.push(Effect::Fact(Fact::Connected { from, to }));
        self.ledger.settle(Goal::Connected(pair), &Ok(()), &mut self.effects);
    }

    fn connected(&mut self, pair: Pair, sights: &Sights) -> bool {
        if self.dropped(pair, sights) {
            return true;
        }
        let doubtful = !both_connected(sights);
        if doubtful {
            self.go(pair, Step::Recovering, Some(Wait::Grace));
        }
        doubtful
    }

    fn recovering(&mut self, pair: Pair, sights: &Sights) -> bool {
        if self.dropped(pair, sights) {
            return true;
        }
        let back = both_connected(sights);
        if back {
            self.go(pair, Step::Connected, None);
            self.ledger.settle(Goal::Connected(pair), &Ok(()), &mut self.effects);
        }
        back
    }

    /// Ends a link of which a codec that is under control no longer has the call.
    fn dropped(&mut self, pair: Pair, sights: &Sights) -> bool {
        let ends = self.links[&pair].ends;
        let gone = [0, 1]
            .into_iter()
            .find(|side| self.rooms[ends[*side]].codec.is_online() && sights[*side].is_none());
        let Some(side) = gone else { return false };
        // What the other room still shows has nobody at its other end, whoever made it.
        self.rooms[ends[1 - side]].codec.take(ends[side]);
        self.lose(pair, ends[side]);
        true
    }

    pub(crate) fn lose(&mut self, pair: Pair, side: usize) {
        let text = format!("The call was lost in {}.", self.city(side));
        self.end(pair, Some(Why::new(Reason::Dropped, text)), Some(side));
    }

    /// A link is no longer wanted. Without a reason somebody wished the end of what was connected.
    pub(crate) fn end(&mut self, pair: Pair, why: Option<Why>, side: Option<usize>) {
        let failed = why
            .clone()
            .unwrap_or_else(|| Why::new(Reason::Cancelled, "Somebody disconnected.".to_owned()));
        let Some(link) = self.links.get_mut(&pair) else { return };
        link.why = why;
        // A dial may still turn into a call, and then that is hung up.
        let dials = link.sides.iter().any(|side| side.dialing);
        self.go(pair, Step::Disconnecting, dials.then_some(Wait::Hangup));
        if failed.reason == Reason::Dropped {
            self.say_disconnected(pair, side);
        }
        self.ledger.settle(Goal::Connected(pair), &Err(failed), &mut self.effects);
    }

    fn disconnecting(&mut self, pair: Pair) -> bool {
        let link = &self.links[&pair];
        let waits =
            link.ends.iter().any(|room| self.rooms[*room].codec.must_hang_up(pair.other(*room)));
        if waits || link.sides.iter().any(|side| side.dialing) {
            return false;
        }
        self.over(pair);
        false
    }

    /// The link is no more.
    pub(crate) fn over(&mut self, pair: Pair) {
        self.say_disconnected(pair, None);
        self.alarms.cancel(Alarm::Link(pair));
        if let Some(link) = self.links.remove(&pair) {
            let state = self.state_of(&link, Phase::Idle);
            self.effects.push(Effect::Fact(Fact::Link(state)));
        }
        self.ledger.settle(Goal::Idle(pair), &Ok(()), &mut self.effects);
    }

    /// Says once that two rooms no longer see each other: at once when a codec showed it, else when
    /// the calls are gone.
    fn say_disconnected(&mut self, pair: Pair, side: Option<usize>) {
        let Some(link) = self.links.get_mut(&pair) else { return };
        if std::mem::take(&mut link.told_connected) {
            let why = link.why.clone();
            let [from, to] = link.ends.map(|room| self.name(room));
            let side = side.map(|room| self.name(room));
            self.effects.push(Effect::Fact(Fact::Disconnected { from, to, why, side }));
        }
    }

    /// A codec said that it can't, or that its dial came to nothing.
    pub(crate) fn failed(&mut self, room: usize, reason: Reason) {
        let Some(link) = self.link_of(room) else { return };
        let pair = link.pair();
        let why = self.failure(room, pair.other(room), reason);
        if self.links[&pair].step == Step::Preparing {
            return self.end(pair, Some(why), Some(room));
        }
        if let Some(link) = self.links.get_mut(&pair) {
            link.side_of(room).dialing = false;
            link.failure = Some(why);
        }
    }

    /// Why a call from one room to another failed.
    pub(crate) fn failure(&self, near: usize, far: usize, reason: Reason) -> Why {
        let (near, far) = (self.city(near), self.city(far));
        let text = match reason {
            Reason::Busy => format!("{far} is in another call."),
            Reason::NoAnswer => format!("{far} did not answer."),
            Reason::Rejected => format!("{far} declined."),
            Reason::Unreachable => format!("The network finds no way from {near} to {far}."),
            Reason::Timeout => format!("The codec of {near} made no call."),
            Reason::Cancelled => format!("The call was ended in {near}."),
            Reason::NotPermitted => format!("The codec of {near} may not call {far}."),
            _ => format!("The codec of {near} could not do it."),
        };
        Why::new(reason, text)
    }

    pub(crate) fn go(&mut self, pair: Pair, step: Step, wait: Option<Wait>) {
        let Some(link) = self.links.get_mut(&pair) else { return };
        let before = (link.phase(), link.is_asking());
        link.step = step;
        let after = (link.phase(), link.is_asking());
        if before.0 != after.0 {
            link.since = self.now;
        }
        match wait {
            Some(wait) => self.wait_for_link(pair, wait),
            None => self.alarms.cancel(Alarm::Link(pair)),
        }
        if before != after {
            self.say_phase(pair);
        }
    }

    pub(crate) fn wait_for_link(&mut self, pair: Pair, wait: Wait) {
        self.wait(Alarm::Link(pair), wait, &[pair.0, pair.1]);
    }

    pub(crate) fn say_phase(&mut self, pair: Pair) {
        if let Some(link) = self.links.get(&pair) {
            let state = self.state_of(link, link.phase());
            self.effects.push(Effect::Fact(Fact::Link(state)));
        }
    }
}
