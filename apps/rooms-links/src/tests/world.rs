//! Rooms with codecs, lines and people around the real [`Links`], for the model check and for random
//! runs.
//!
//! A command reaches its codec later, or never; a codec reports its calls later, or not at all while
//! its line is cut; each end of a call lives and dies for itself. People use remote controls. What is
//! left out on purpose: a codec has one call, and time is not counted. A timer may ring at any moment
//! after it was set, in any order, but not before a codec whose line is up has reported: a report
//! takes less than the shortest timer. For the same reason nobody uses a remote control before the
//! codec has reported what it showed last.

mod happening;
mod promises;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::alarms::{Alarm, Wait};
use crate::link::{Pair, Step};
use crate::{Config, Incoming, Links, Pairing, Room, RoomConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    Up,
    Cut,
    Asleep,
}

/// One end of a call. `far` is the number of rooms for somebody outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Leg {
    id: u32,
    far: usize,
    incoming: bool,
    connected: bool,
    /// We may hang it up: a dial of ours made it, whoever remembers, or somebody wished its end.
    ours: bool,
    /// The session knows that its dial made it.
    dialed: bool,
    /// It will never see that it was answered.
    deaf: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    Prepare,
    Dial(usize),
    Answer(u32),
    Hangup(u32),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Codec {
    line: Line,
    legs: Vec<Leg>,
    /// As last reported.
    reported: Vec<Leg>,
    /// It has something to report.
    news: bool,
    /// The links were made anew and have not heard of it.
    untold: bool,
    inbox: Vec<Command>,
}

impl Codec {
    fn has_power(&self) -> bool {
        matches!(self.line, Line::Up | Line::Cut)
    }

    /// Of numbers only counts which are the same.
    fn hash_without_numbers(&self, hasher: &mut impl Hasher) {
        (self.line, self.news, self.untold).hash(hasher);
        let [now, before] = [&self.legs, &self.reported].map(|legs| {
            let leg = legs.first()?;
            (leg.far, leg.incoming, leg.connected, leg.ours, leg.dialed, leg.deaf).hash(hasher);
            Some(leg.id)
        });
        (now.is_some(), before.is_some(), now == before).hash(hasher);
        for command in &self.inbox {
            let id = match command {
                Command::Prepare => None,
                Command::Dial(far) => {
                    far.hash(hasher);
                    None
                }
                Command::Answer(id) | Command::Hangup(id) => Some(*id),
            };
            (std::mem::discriminant(command), id == now, id == before).hash(hasher);
        }
    }
}

/// A thing that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Connect(usize, usize),
    Disconnect(usize, usize),
    Answer(usize, usize),
    Decline(usize, usize),
    /// The codec does what it was told.
    Obey(usize),
    /// The command has no effect.
    Ignore(usize),
    /// The dial finds no way.
    NoWay(usize),
    Report(usize),
    /// The called codec answers.
    PickUp(usize),
    /// The calling codec sees that it was answered.
    Answered(usize),
    /// A call that nobody waits for in the links gives up ringing.
    RingOut(usize),
    /// The calling codec will never see that it was answered.
    GoDeaf(usize),
    /// One end of a call is gone.
    Drop(usize),
    RemoteDial(usize, usize),
    Cut(usize),
    Restore(usize),
    Reboot(usize),
    Sleep(usize),
    /// The links end and are made anew.
    Restart,
    /// New links hear of a codec.
    Tell(usize),
    Ring(Alarm),
    /// Time passes until the next timer, as it really does.
    Pass,
}

/// What the world around the links may do.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) rooms: usize,
    pub(crate) incoming: Incoming,
    pub(crate) pairing: Pairing,
    /// How often people press, at most.
    pub(crate) presses: u8,
    /// How often something happens that is neither a press nor its consequence, at most.
    pub(crate) faults: u8,
    pub(crate) missing: Option<Wait>,
    pub(crate) restarts: bool,
    pub(crate) sleeps: bool,
    /// How many lines are cut at the same time, at most.
    pub(crate) cut_at_once: usize,
    /// A calling codec may never see that it was answered.
    pub(crate) deafness: bool,
    /// Commands may take longer than timers, and a codec may change twice before it reports.
    pub(crate) late: bool,
}

/// As often as they like.
pub(crate) const ALWAYS: u8 = u8::MAX;

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) links: Links,
    codecs: Vec<Codec>,
    /// Accepted wishes without outcome.
    open: Vec<(bool, usize, usize)>,
    /// Pairs of which everybody was told that they are connected.
    connected: Vec<Pair>,
    presses: u8,
    faults: u8,
    inbox: usize,
    pairing: Pairing,
    now: Duration,
}

fn name(room: usize) -> Room {
    Room::from(["a", "b", "c", "outside"][room])
}

fn number(room: usize) -> &'static str {
    ["sip:a", "sip:b", "sip:c", "sip:outside"][room]
}

fn index(room: &Room) -> usize {
    usize::from(room.as_str().as_bytes()[0] - b'a')
}

fn fresh_links(setup: &Setup) -> Links {
    let rooms = (0..setup.rooms).map(|room| RoomConfig {
        incoming: setup.incoming,
        pairing: setup.pairing,
        ..RoomConfig::new(name(room), name(room).as_str(), number(room))
    });
    let config = Config { retries: 1, ..Config::new(rooms.collect()) };
    let mut links = Links::new(config).expect("a good configuration");
    links.missing = setup.missing;
    links
}

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        let codec = Codec {
            line: Line::Up,
            legs: Vec::new(),
            reported: Vec::new(),
            news: false,
            untold: true,
            inbox: Vec::new(),
        };
        Self {
            links: fresh_links(setup),
            codecs: vec![codec; setup.rooms],
            open: Vec::new(),
            connected: Vec::new(),
            presses: setup.presses,
            faults: setup.faults,
            inbox: if setup.late { 2 } else { 1 },
            pairing: setup.pairing,
            now: Duration::ZERO,
        }
    }

    /// Two worlds with one fingerprint go on in the same way: what only colours facts (reasons, what
    /// was told, the order of open wishes) is left out.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let Links { starting, rooms, links, alarms, .. } = &self.links;
        (starting, alarms).hash(&mut hasher);
        for room in rooms {
            room.codec.control.hash(&mut hasher);
            for leg in &room.codec.legs {
                (&leg.far, leg.direction, leg.state, leg.ours, leg.told).hash(&mut hasher);
            }
        }
        for codec in &self.codecs {
            codec.hash_without_numbers(&mut hasher);
        }
        for link in links.values() {
            let failure = link.failure.as_ref().map(|why| why.reason.is_network());
            (link.ends, link.adopted, link.step, link.told_connected).hash(&mut hasher);
            match link.step {
                Step::Connected | Step::Recovering => {}
                Step::Disconnecting => link.sides.map(|side| side.dialing).hash(&mut hasher),
                _ => (link.sides, link.dials, link.answered, failure).hash(&mut hasher),
            }
        }
        (&self.open, &self.connected, self.presses, self.faults).hash(&mut hasher);
        hasher.finish()
    }

    /// What can happen when nobody does anything and nothing fails. Time passes only when nothing
    /// else is left to happen.
    pub(crate) fn quiet_actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (room, codec) in self.codecs.iter().enumerate() {
            if codec.untold && codec.line == Line::Up {
                actions.push(Action::Tell(room));
            }
            if codec.news && codec.line == Line::Up {
                actions.push(Action::Report(room));
            }
            if !codec.inbox.is_empty() {
                actions.push(Action::Obey(room));
            }
            if let Some(leg) = codec.legs.first().filter(|_| codec.has_power()) {
                let peer = self.peer(room, leg);
                let asks = self.links.config.rooms[room].incoming == Incoming::Ask;
                if leg.incoming && !leg.connected && peer.is_some() && !asks {
                    actions.push(Action::PickUp(room));
                }
                let answered = peer.is_some_and(|peer| peer.connected);
                if !leg.incoming && !leg.connected && answered && !leg.deaf {
                    actions.push(Action::Answered(room));
                }
                let caller = if leg.incoming { peer } else { Some(leg) };
                if !leg.connected && !caller.is_some_and(|caller| caller.dialed) {
                    actions.push(Action::RingOut(room));
                }
            }
        }
        if actions.is_empty() { self.alarms(false) } else { actions }
    }

    fn alarms(&self, late_commands: bool) -> Vec<Action> {
        let waits = |codec: &Codec| {
            codec.line == Line::Up && codec.news || !late_commands && !codec.inbox.is_empty()
        };
        if self.codecs.iter().any(waits) {
            return Vec::new();
        }
        self.links.alarms.all().map(Action::Ring).collect()
    }

    /// Everything that can happen.
    pub(crate) fn actions(&self, setup: &Setup) -> Vec<Action> {
        let mut actions = self.quiet_actions();
        if !matches!(actions.first(), None | Some(Action::Ring(_))) {
            actions.extend(self.alarms(setup.late));
        }
        let rooms = 0..self.codecs.len();
        let ends = |a, b| self.open.contains(&(false, a, b));
        if self.presses > 0 {
            for (a, b) in rooms.clone().flat_map(|a| rooms.clone().map(move |b| (a, b))) {
                if a != b {
                    let asks = setup.incoming == Incoming::Ask;
                    let presses = [
                        (Action::Connect(a, b), !self.open.contains(&(true, a, b))),
                        (Action::Disconnect(a, b), !ends(a, b) && !ends(b, a)),
                        (Action::Answer(a, b), asks && !self.open.contains(&(true, a, b))),
                        (Action::Decline(a, b), asks && !ends(a, b) && !ends(b, a)),
                    ];
                    actions
                        .extend(presses.iter().filter(|(_, can)| *can).map(|(action, _)| *action));
                }
            }
        }
        if self.faults > 0 {
            for room in rooms {
                self.faults_of(room, setup, &mut actions);
            }
            if setup.restarts && !self.links.starting {
                actions.push(Action::Restart);
            }
        }
        actions
    }

    fn faults_of(&self, room: usize, setup: &Setup, actions: &mut Vec<Action>) {
        let codec = &self.codecs[room];
        match codec.inbox.first() {
            Some(Command::Dial(_)) => actions.extend([Action::Ignore(room), Action::NoWay(room)]),
            Some(_) => actions.push(Action::Ignore(room)),
            None => {}
        }
        let cut = self.codecs.iter().filter(|codec| codec.line == Line::Cut).count();
        match codec.line {
            Line::Up if cut == setup.cut_at_once => {}
            Line::Up => actions.extend([Action::Cut(room), Action::Reboot(room)]),
            Line::Cut => actions.extend([Action::Restore(room), Action::Reboot(room)]),
            Line::Asleep => {}
        }
        if !codec.has_power() {
            return;
        }
        if !codec.legs.is_empty() {
            actions.push(Action::Drop(room));
            let leg = &codec.legs[0];
            if setup.deafness && !leg.incoming && !leg.connected && !leg.deaf {
                actions.push(Action::GoDeaf(room));
            }
        } else if codec.line == Line::Cut || !codec.news {
            if setup.sleeps && codec.line == Line::Up && !codec.untold {
                actions.push(Action::Sleep(room));
            }
            // Where each side is switched for itself, nobody has a remote control for both.
            let dials = self.pairing == Pairing::DialAnswer;
            let free = |far: usize| {
                let codec = self.codecs.get(far);
                codec.is_none_or(|far| dials && far.has_power() && far.legs.is_empty())
            };
            let fars = (0..=self.codecs.len()).filter(|far| *far != room && free(*far));
            actions.extend(fars.map(|far| Action::RemoteDial(room, far)));
        }
    }

    fn peer(&self, room: usize, leg: &Leg) -> Option<&Leg> {
        let far = self.codecs.get(leg.far)?;
        let both = self.pairing == Pairing::Both;
        far.legs.iter().find(|peer| peer.far == room && (both || peer.incoming != leg.incoming))
    }
}
