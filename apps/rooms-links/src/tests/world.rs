//! Rooms with codecs, lines and people around the real [`Links`], for the model check and for random
//! runs.
//!
//! A command reaches its codec later, or never; a codec reports its calls later, or not at all while
//! its line is cut; each end of a call lives and dies for itself. People use remote controls. What is
//! left out on purpose: a codec has one call, and time is not counted. A timer may ring at any moment
//! after it was set, in any order, but not before a codec whose line is up has reported: a report
//! takes less than the shortest timer. For the same reason nobody uses a remote control before the
//! codec has reported what it showed last.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::alarms::{Alarm, Wait};
use crate::link::{Pair, Step};
use crate::{
    Call, CallId, CallState, Config, Direction, Effect, Event, Fact, Incoming, Links, Pairing,
    Phase, Reason, Request, Room, RoomConfig, Status, Wish,
};

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

    /// Lets it happen. An error says which promise was broken.
    pub(crate) fn act(&mut self, action: Action, setup: &Setup) -> Result<(), String> {
        self.spend(action);
        match action {
            Action::Connect(a, b) => self.press(Wish::Connect(name(a), name(b)), (true, a, b))?,
            Action::Disconnect(a, b) => {
                self.press(Wish::Disconnect(name(a), Some(name(b))), (false, a, b))?;
            }
            Action::Answer(a, b) => self.press(Wish::Answer(name(a), name(b)), (true, a, b))?,
            Action::Decline(a, b) => self.press(Wish::Decline(name(a), name(b)), (false, a, b))?,
            Action::Obey(room) => self.obey(room)?,
            Action::Ignore(room) => {
                self.codecs[room].inbox.remove(0);
            }
            Action::NoWay(room) => {
                self.codecs[room].inbox.remove(0);
                self.feed(Event::Failed { room: name(room), reason: Reason::Unreachable })?;
            }
            Action::Report(room) => {
                let calls = self.report(room);
                self.feed(Event::Calls { room: name(room), calls })?;
            }
            Action::PickUp(room) | Action::Answered(room) => {
                self.codecs[room].legs[0].connected = true;
                self.codecs[room].news = true;
            }
            Action::RingOut(room) | Action::Drop(room) => {
                self.codecs[room].legs.remove(0);
                self.codecs[room].news = true;
            }
            Action::GoDeaf(room) => self.codecs[room].legs[0].deaf = true,
            Action::RemoteDial(room, far) => self.call(room, far, false),
            Action::Cut(room) => self.lose_line(room, Line::Cut, false)?,
            Action::Sleep(room) => self.lose_line(room, Line::Asleep, true)?,
            Action::Reboot(room) => {
                self.codecs[room].legs.clear();
                self.lose_line(room, Line::Cut, false)?;
            }
            Action::Restore(room) => {
                self.codecs[room].line = Line::Up;
                self.online(room)?;
            }
            Action::Tell(room) => self.online(room)?,
            Action::Restart => self.restart(setup),
            Action::Pass => {
                self.now = self.links.next_timer().unwrap_or(self.now);
                self.feed(Event::Tick)?;
            }
            Action::Ring(alarm) => {
                self.links.alarms.cancel(alarm);
                self.links.ring(alarm);
                self.links.reconcile();
                let effects = std::mem::take(&mut self.links.effects);
                self.take_effects(effects)?;
            }
        }
        if !setup.late {
            for room in 0..self.codecs.len() {
                if self.codecs[room].news && self.codecs[room].line == Line::Up {
                    let calls = self.report(room);
                    self.feed(Event::Calls { room: name(room), calls })?;
                }
            }
        }
        self.links.ledger.forget_finished();
        if self.links.ledger.open().count() != self.open.len() {
            return Err("a wish was answered, and is still being waited for".to_owned());
        }
        Ok(())
    }

    fn spend(&mut self, action: Action) {
        use Action::{
            Answer, Answered, Connect, Decline, Disconnect, Obey, Pass, PickUp, Report, Ring,
            RingOut, Tell,
        };
        match action {
            Connect(..) | Disconnect(..) | Answer(..) | Decline(..) => {
                self.presses -= u8::from(self.presses != ALWAYS);
            }
            Obey(_) | Report(_) | PickUp(_) | Answered(_) | RingOut(_) | Tell(_) | Ring(_)
            | Pass => {}
            _ => self.faults -= u8::from(self.faults != ALWAYS),
        }
    }

    fn press(&mut self, wish: Wish, slot: (bool, usize, usize)) -> Result<(), String> {
        let id = format!("{}{}{}", if slot.0 { "c" } else { "d" }, slot.1, slot.2);
        let request = Request { wish, id: Some(id.as_str().into()), by: None };
        let effects = self.links.handle(Event::Wish(request), self.now);
        let answers = |effect: &&Effect| {
            matches!(effect, Effect::Fact(Fact::Accepted { .. } | Fact::Refused { .. }))
        };
        if effects.iter().filter(answers).count() != 1 {
            return Err(format!("{id} got not one answer: {effects:?}"));
        }
        let accepted = |effect: &Effect| matches!(effect, Effect::Fact(Fact::Accepted { .. }));
        if effects.iter().any(accepted) {
            self.open.push(slot);
            self.open.sort_unstable();
            if !slot.0 {
                self.release(slot.1, slot.2);
            }
        }
        self.take_effects(effects)
    }

    /// Somebody wished the end of the calls between two rooms.
    fn release(&mut self, a: usize, b: usize) {
        for (room, far) in [(a, b), (b, a)] {
            let Codec { legs, reported, .. } = &mut self.codecs[room];
            for leg in legs.iter_mut().chain(reported).filter(|leg| leg.far == far) {
                leg.ours = true;
            }
        }
    }

    fn obey(&mut self, room: usize) -> Result<(), String> {
        let codec = &mut self.codecs[room];
        match codec.inbox.remove(0) {
            Command::Prepare => {
                if codec.line == Line::Asleep {
                    codec.line = Line::Up;
                    self.online(room)?;
                }
                self.feed(Event::Prepared { room: name(room) })?;
            }
            Command::Dial(far) => {
                let both = self.pairing == Pairing::Both;
                let reason = match &self.codecs[far] {
                    _ if !self.codecs[room].legs.is_empty() => Reason::Busy,
                    codec if !codec.has_power() => Reason::Unreachable,
                    codec if !both && !codec.legs.is_empty() => Reason::Busy,
                    _ => {
                        self.call(room, far, true);
                        return Ok(());
                    }
                };
                self.feed(Event::Failed { room: name(room), reason })?;
            }
            Command::Answer(id) => {
                let found = codec.legs.iter_mut().find(|leg| leg.id == id && leg.incoming);
                if let Some(leg) = found {
                    leg.connected = true;
                    codec.news = true;
                }
            }
            Command::Hangup(id) => {
                codec.legs.retain(|leg| leg.id != id);
                codec.news = true;
            }
        }
        Ok(())
    }

    fn call(&mut self, room: usize, far: usize, by_us: bool) {
        let outside = far == self.codecs.len();
        let both = self.pairing == Pairing::Both;
        let leg = Leg {
            id: self.free_id(room, far, false),
            far,
            incoming: false,
            connected: outside || both,
            ours: by_us,
            dialed: by_us,
            deaf: false,
        };
        self.codecs[room].legs.push(leg);
        self.codecs[room].news = true;
        if !outside && !both {
            let id = self.free_id(far, room, true);
            let leg = Leg { id, far: room, incoming: true, dialed: false, ..leg };
            self.codecs[far].legs.push(leg);
            self.codecs[far].news = true;
        }
    }

    /// The smallest number that is not in use. One that is only remembered from before the line was
    /// lost is used again for another kind of call.
    fn free_id(&self, room: usize, far: usize, incoming: bool) -> u32 {
        let codec = &self.codecs[room];
        let remembered =
            |leg: &&Leg| codec.line == Line::Up || leg.far == far && leg.incoming == incoming;
        let taken: Vec<_> = codec
            .legs
            .iter()
            .chain(codec.reported.iter().filter(remembered))
            .map(|leg| leg.id)
            .chain(codec.inbox.iter().filter_map(|command| match command {
                Command::Hangup(id) | Command::Answer(id) => Some(*id),
                _ => None,
            }))
            .collect();
        (1..).find(|id| !taken.contains(id)).expect("there are many numbers")
    }

    fn lose_line(&mut self, room: usize, line: Line, asleep: bool) -> Result<(), String> {
        let codec = &mut self.codecs[room];
        let unknown = codec.untold || codec.line != Line::Up;
        codec.line = line;
        codec.inbox.clear();
        codec.news = false;
        for leg in &mut codec.legs {
            leg.dialed = false;
        }
        if unknown { Ok(()) } else { self.feed(Event::Offline { room: name(room), asleep }) }
    }

    fn online(&mut self, room: usize) -> Result<(), String> {
        self.codecs[room].untold = false;
        let calls = self.report(room);
        self.feed(Event::Online { room: name(room), calls })
    }

    fn restart(&mut self, setup: &Setup) {
        self.links = fresh_links(setup);
        self.open.clear();
        self.connected.clear();
        for codec in &mut self.codecs {
            codec.untold = true;
            codec.inbox.clear();
            codec.reported.clear();
            codec.news = false;
            for leg in &mut codec.legs {
                leg.dialed = false;
            }
        }
    }

    fn report(&mut self, room: usize) -> Vec<Call> {
        let codec = &mut self.codecs[room];
        codec.news = false;
        codec.reported.clone_from(&codec.legs);
        let call = |leg: &Leg| Call {
            id: CallId(leg.id),
            far: number(if leg.far == self.links.rooms.len() { 3 } else { leg.far }).into(),
            direction: if leg.incoming { Direction::Incoming } else { Direction::Outgoing },
            state: if leg.connected { CallState::Connected } else { CallState::Ringing },
            dialed: leg.dialed,
        };
        codec.legs.iter().map(call).collect()
    }

    fn feed(&mut self, event: Event) -> Result<(), String> {
        let effects = self.links.handle(event, self.now);
        self.take_effects(effects)
    }

    fn take_effects(&mut self, effects: Vec<Effect>) -> Result<(), String> {
        for effect in effects {
            match effect {
                Effect::Prepare { room } => self.deliver(index(&room), Command::Prepare),
                Effect::Dial { room, to } => {
                    let far = (0..3).find(|far| number(*far) == &*to).expect("a room's number");
                    self.deliver(index(&room), Command::Dial(far));
                }
                Effect::Answer { room, call } => {
                    self.deliver(index(&room), Command::Answer(call.0))
                }
                Effect::Hangup { room, call } => {
                    let room = index(&room);
                    self.may_hang_up(room, call.0)?;
                    self.deliver(room, Command::Hangup(call.0));
                }
                Effect::Expect { .. } => {}
                Effect::Fact(fact) => self.take_fact(&fact)?,
            }
        }
        Ok(())
    }

    fn deliver(&mut self, room: usize, command: Command) {
        let codec = &mut self.codecs[room];
        let arrives =
            codec.line == Line::Up || codec.line == Line::Asleep && command == Command::Prepare;
        if arrives && !codec.untold && !codec.inbox.contains(&command) {
            if codec.inbox.len() == self.inbox {
                codec.inbox.remove(0);
            }
            codec.inbox.push(command);
        }
    }

    /// Nobody else's call is hung up: only what we dialled, what somebody wished to end, and what has
    /// no other end any more.
    fn may_hang_up(&self, room: usize, id: u32) -> Result<(), String> {
        let Some(leg) = self.codecs[room].legs.iter().find(|leg| leg.id == id) else {
            return Ok(());
        };
        let outside = leg.far == self.codecs.len();
        if outside || !leg.ours && self.peer(room, leg).is_some() {
            return Err(format!("somebody else's call is hung up in {room}: {leg:?}"));
        }
        Ok(())
    }

    fn take_fact(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Done { id } | Fact::Failed { id, .. } => {
                let id = id.as_str().as_bytes();
                let slot = (id[0] == b'c', usize::from(id[1] - b'0'), usize::from(id[2] - b'0'));
                let open = self.open.iter().position(|open| *open == slot);
                let open = open.ok_or_else(|| format!("an outcome too many: {fact:?}"))?;
                self.open.remove(open);
            }
            Fact::Connected { from, to } => {
                let pair = Pair::new(index(from), index(to));
                let shows = |room: usize, far| {
                    self.codecs[room].reported.iter().any(|leg| leg.far == far && leg.connected)
                };
                if !shows(pair.0, pair.1) || !shows(pair.1, pair.0) {
                    return Err(format!("connected, but not both codecs say so: {pair:?}"));
                }
                if self.connected.contains(&pair) {
                    return Err(format!("connected twice: {pair:?}"));
                }
                self.connected.push(pair);
                self.connected.sort_unstable();
            }
            Fact::Disconnected { from, to, .. } => {
                let pair = Pair::new(index(from), index(to));
                let known = self.connected.iter().position(|connected| *connected == pair);
                let known = known.ok_or_else(|| format!("never connected: {pair:?}"))?;
                self.connected.remove(known);
            }
            Fact::Link(state) if state.phase == Phase::Idle => {
                let pair = Pair::new(index(&state.from), index(&state.to));
                if self.connected.contains(&pair) {
                    return Err(format!("idle without being disconnected: {pair:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What is wrong in a world in which nothing more happens by itself: wanted is observed, no call
    /// is half open, no wish waits.
    pub(crate) fn complaint(&self) -> Option<String> {
        if self.links.starting {
            return Some("still starting".to_owned());
        }
        if !self.open.is_empty() {
            return Some(format!("wishes wait: {:?}", self.open));
        }
        let busy = |codec: &Codec| {
            !codec.inbox.is_empty() || codec.line == Line::Up && (codec.news || codec.untold)
        };
        if self.codecs.iter().any(busy) {
            return Some("something is still under way".to_owned());
        }
        if let Some(link) = self.links.links.values().find(|link| link.step != Step::Connected) {
            return Some(format!("a link waits: {link:?}"));
        }
        (0..self.codecs.len()).find_map(|room| self.complaint_about(room))
    }

    fn complaint_about(&self, room: usize) -> Option<String> {
        let codec = &self.codecs[room];
        let link = self.links.link_of(room);
        if codec.line != Line::Up {
            return link.map(|_| format!("{room} is linked and not under control"));
        }
        let Some(leg) = codec.legs.first() else {
            let status = self.links.status(room);
            return (status != Some(Status::Free))
                .then(|| format!("{room} is free, not {status:?}"));
        };
        let Some(far) = self.codecs.get(leg.far) else {
            return link.map(|_| format!("{room} is linked, and talks to somebody outside"));
        };
        let peer = self.peer(room, leg);
        match (peer, far.line) {
            (Some(peer), Line::Up) => {
                let linked = link.is_some_and(|link| link.pair() == Pair::new(room, leg.far));
                let good = linked && leg.connected && peer.connected;
                (!good).then(|| format!("{room} is in a call that is no link: {leg:?}"))
            }
            (None, Line::Up) => {
                // Somebody outside at the other room could be this one under another number.
                let outside = far.legs.iter().any(|leg| leg.far == self.codecs.len());
                (!outside).then(|| format!("half open in {room}: {leg:?}"))
            }
            // Nobody knows what the other codec has.
            _ => None,
        }
    }
}
