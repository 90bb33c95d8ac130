//! Calls between rooms: what codecs say goes to the links, what the links want goes to the codecs,
//! and everybody is told.

mod codec;
mod numbered;
mod say;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rooms_drivers as drivers;
use rooms_drivers::{CallFact, Command, DialString, Refusal, Ticket};
use rooms_links::{By, Config, Effect, Event, Links, Room as LinkRoom, Status, WishId};
use rooms_messages::{DeviceName, OfflineReason, Reason, Request, RoomName, Timestamp, Wish};
use tokio::time::Instant;

use super::Hub;
use crate::devices::parts::Refused;
use crate::devices::session::Order;
use codec::Codec;
use numbered::Numbered;

/// An id that nobody can have given, as it has a blank in it: the answers bear none.
const NAMELESS: &str = "nameless ";
/// Such a one of ours, to which nobody wants an answer.
const SILENT: &str = "silent ";

/// The links, and what is known of each codec.
#[derive(Debug)]
pub(super) struct Calls {
    links: Links,
    /// The rooms of the links, as they were told.
    told: Vec<Numbered>,
    began: Instant,
    /// When that was for people.
    base: Timestamp,
    codecs: BTreeMap<RoomName, Codec>,
    orders: HashMap<Ticket, (RoomName, Ordered)>,
    /// Rooms that have a link or a call.
    busy: BTreeSet<RoomName>,
    states: BTreeMap<RoomName, Status>,
    /// Wishes without an id get one, so that their end is said, too.
    nameless: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ordered {
    Prepare,
    Dial,
    Other,
}

impl Calls {
    /// Of no rooms.
    pub(super) fn none() -> Calls {
        let links = Links::new(Config::new(Vec::new())).expect("no rooms contradict nothing");
        Calls {
            links,
            told: Vec::new(),
            began: Instant::now(),
            base: Timestamp::now(),
            codecs: BTreeMap::new(),
            orders: HashMap::new(),
            busy: BTreeSet::new(),
            states: BTreeMap::new(),
            nameless: 0,
        }
    }

    /// When the links want to know the time.
    pub(super) fn due(&self) -> Option<Instant> {
        self.links.next_timer().map(|timer| self.began + timer)
    }

    pub(super) fn is_busy(&self, room: &RoomName) -> bool {
        self.busy.contains(room)
    }

    pub(super) fn busy_rooms(&self) -> impl Iterator<Item = &RoomName> {
        self.busy.iter()
    }

    fn codec(&self, room: &LinkRoom) -> Option<(RoomName, &Codec)> {
        let room = RoomName::new(room.as_str()).ok()?;
        let codec = self.codecs.get(&room)?;
        Some((room, codec))
    }
}

impl Hub {
    /// The rooms may be others; links know only rooms with codecs. Links of rooms that are still
    /// there go on.
    pub(super) fn calls_apply(&mut self) {
        let told: Vec<_> = self.rooms.iter().filter_map(Numbered::of).collect();
        if told != self.calls.told {
            let now = Instant::now();
            let config = Config::new(told.iter().map(Numbered::config).collect());
            let time = now.saturating_duration_since(self.calls.began);
            match self.calls.links.reconfigure(&config, time) {
                Ok(effects) => {
                    self.calls.told = told;
                    effects.into_iter().for_each(|effect| drop(self.carry_out(effect, now)));
                    self.link(Event::Tick);
                }
                Err(error) => tracing::error!("rooms can't be connected as before: {error}"),
            }
        }
        self.know_codecs();
        let rooms: Vec<_> = self.rooms.iter().map(|room| room.id.clone()).collect();
        for room in rooms {
            self.say_room(&room);
        }
    }

    /// Each room's codec, as far as it is known; what is known of the calls of those that stay is
    /// told again, as numbers may be others.
    fn know_codecs(&mut self) {
        let mut known = std::mem::take(&mut self.calls.codecs);
        let mut events = Vec::new();
        for room in self.rooms.iter() {
            let Some((name, _)) = room.devices.iter().find(|(_, device)| device.role == "codec")
            else {
                continue;
            };
            let of = LinkRoom::from(room.id.as_str());
            let codec = match known.remove(&room.id).filter(|codec| codec.name == *name) {
                Some(codec) => {
                    if codec.is_online && codec.calls.is_some() {
                        events.push(Event::Calls { room: of, calls: codec.list() });
                    }
                    codec
                }
                None => {
                    let device = self.devices.get(&(room.id.clone(), name.clone()));
                    if device.is_some_and(|device| device.is_online == Some(false)) {
                        events.push(Event::Offline { room: of, asleep: false });
                    }
                    Codec::new(name.clone())
                }
            };
            self.calls.codecs.insert(room.id.clone(), codec);
        }
        self.calls.states.retain(|room, _| self.calls.codecs.contains_key(room));
        events.into_iter().for_each(|event| self.link(event));
    }

    pub(super) fn calls_tick(&mut self) {
        if self.calls.due().is_some_and(|due| due <= Instant::now()) {
            self.link(Event::Tick);
        }
    }

    pub(super) fn codec_online(&mut self, room: &RoomName, device: &DeviceName) {
        if let Some(codec) = self.calls.codecs.get_mut(room)
            && codec.name == *device
        {
            codec.is_online = true;
            codec.asleep = false;
            self.codec_ready(room);
        }
    }

    /// A codec is under control when it is online and has said its calls.
    fn codec_ready(&mut self, room: &RoomName) {
        let Some(codec) = self.calls.codecs.get(room) else { return };
        if codec.is_online && codec.calls.is_some() {
            let (of, calls) = (LinkRoom::from(room.as_str()), codec.list());
            self.link(Event::Online { room: of, calls });
        }
    }

    pub(super) fn codec_offline(
        &mut self,
        room: &RoomName,
        device: &DeviceName,
        reason: OfflineReason,
    ) {
        if let Some(codec) = self.calls.codecs.get_mut(room)
            && codec.name == *device
        {
            let next_id = codec.next_id;
            *codec = Codec { next_id, ..Codec::new(device.clone()) };
            codec.asleep = reason == OfflineReason::Asleep;
            let asleep = codec.asleep;
            self.link(Event::Offline { room: LinkRoom::from(room.as_str()), asleep });
        }
    }

    /// What a codec says of its calls.
    pub(super) fn call(&mut self, room: &RoomName, fact: CallFact) {
        let Some(codec) = self.calls.codecs.get_mut(room) else { return };
        let of = LinkRoom::from(room.as_str());
        let was_ready = codec.is_online && codec.calls.is_some();
        let mut failed = None;
        match fact {
            CallFact::All(calls) => {
                let mut known = codec.calls.take().unwrap_or_default();
                known.retain(|known| calls.iter().any(|call| call.id == known.call.id));
                codec.calls = Some(known);
                calls.into_iter().for_each(|call| codec.is_now(call));
            }
            CallFact::Is(call) => codec.is_now(call),
            CallFact::Ended { id, reason } => failed = codec.ended(&id, reason),
        }
        if let Some(reason) = failed {
            self.link(Event::Failed { room: of.clone(), reason });
        }
        if was_ready {
            let codec = self.calls.codecs.get(room);
            let calls = codec.map(Codec::list).unwrap_or_default();
            self.link(Event::Calls { room: of, calls });
        } else {
            self.codec_ready(room);
        }
    }

    /// True if the answer was to an order of the links.
    pub(super) fn codec_answered(&mut self, ticket: Ticket, result: &Result<(), Refusal>) -> bool {
        let Some((room, ordered)) = self.calls.orders.remove(&ticket) else { return false };
        let of = LinkRoom::from(room.as_str());
        match (ordered, result) {
            (Ordered::Prepare, Ok(())) => self.link(Event::Prepared { room: of }),
            (Ordered::Prepare | Ordered::Dial, Err(refusal)) => {
                if let Some(codec) = self.calls.codecs.get_mut(&room) {
                    codec.dials = false;
                }
                // A codec that is gone says so itself, and may come back in time.
                if refusal.reason != drivers::Reason::Offline {
                    let reason = match refusal.reason {
                        drivers::Reason::Timeout => rooms_links::Reason::Timeout,
                        _ => rooms_links::Reason::DeviceError,
                    };
                    self.link(Event::Failed { room: of, reason });
                }
            }
            _ => {}
        }
        true
    }

    /// Hands a wish to the links, which answer it.
    pub(super) fn link_wish(&mut self, request: &Request, now: Instant) -> Result<(), Refused> {
        let (wish, rooms) = match &request.wish {
            Wish::Connect { near, far } => {
                (link_pair(near, far, rooms_links::Wish::Connect), vec![near, far])
            }
            Wish::Answer { room, caller } => {
                (link_pair(room, caller, rooms_links::Wish::Answer), vec![room, caller])
            }
            Wish::Decline { room, caller } => {
                (link_pair(room, caller, rooms_links::Wish::Decline), vec![room, caller])
            }
            Wish::Disconnect { room, other } => {
                let link = |room: &RoomName| LinkRoom::from(room.as_str());
                let wish = rooms_links::Wish::Disconnect(link(room), other.as_ref().map(link));
                (wish, std::iter::once(room).chain(other).collect())
            }
            _ => return Ok(()),
        };
        if let Some(room) = rooms.iter().find(|room| !self.calls.codecs.contains_key(**room)) {
            let text = format!("{room} has no codec and can't be connected");
            return Err(Refused::new(Reason::Unsupported, text));
        }
        let id = match &request.id {
            Some(id) => id.to_string(),
            None => {
                self.calls.nameless += 1;
                format!("{NAMELESS}{}", self.calls.nameless)
            }
        };
        let by = request.by.as_ref().map(|by| By::from(by.as_str()));
        let request = rooms_links::Request { wish, id: Some(WishId::from(id)), by };
        self.link_at(Event::Wish(request), now);
        Ok(())
    }

    /// Ends whatever link a room has, because it is stopped: nobody waits for an answer.
    pub(super) fn end_link(&mut self, room: &RoomName, now: Instant) {
        if self.calls.is_busy(room) {
            self.calls.nameless += 1;
            let wish = rooms_links::Wish::Disconnect(LinkRoom::from(room.as_str()), None);
            let id = format!("{SILENT}{}", self.calls.nameless);
            let request = rooms_links::Request { wish, id: Some(WishId::from(id)), by: None };
            self.link_at(Event::Wish(request), now);
        }
    }

    fn link(&mut self, event: Event) {
        self.link_at(event, Instant::now());
    }

    fn link_at(&mut self, event: Event, now: Instant) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let time = now.saturating_duration_since(self.calls.began);
            for effect in self.calls.links.handle(event, time) {
                events.extend(self.carry_out(effect, now));
            }
        }
        let snapshot = self.calls.links.snapshot();
        let was = std::mem::take(&mut self.calls.busy);
        let is_busy = |status: &Status| matches!(status, Status::Busy { .. });
        let rooms =
            snapshot.rooms.iter().filter(|(_, status)| is_busy(status)).map(|(room, _)| room);
        let linked = snapshot.links.iter().flat_map(|link| [&link.from, &link.to]);
        let rooms = rooms.chain(linked).filter_map(|room| RoomName::new(room.as_str()).ok());
        self.calls.busy = rooms.collect();
        if !was.is_subset(&self.calls.busy) {
            for room in was.difference(&self.calls.busy).cloned().collect::<Vec<_>>() {
                self.touched(&room, now);
            }
            self.apply_what_waits();
        }
    }

    fn carry_out(&mut self, effect: Effect, now: Instant) -> Option<Event> {
        match effect {
            Effect::Prepare { room } => {
                let (name, codec) = self.calls.codec(&room)?;
                if !codec.is_online {
                    // It may only sleep: a try now wakes it.
                    let device = codec.name.clone();
                    self.order(&name, &device, Order::Reconnect);
                    return None;
                }
                self.codec_order(&room, Command::Prepare, Ordered::Prepare)
            }
            Effect::Dial { room, to } => match DialString::parse(&to) {
                Ok(to) => {
                    let (name, _) = self.calls.codec(&room)?;
                    self.calls.codecs.get_mut(&name)?.dials = true;
                    self.codec_order(&room, Command::Dial(to), Ordered::Dial)
                }
                Err(error) => {
                    tracing::error!("{room}: {error}");
                    Some(Event::Failed { room, reason: rooms_links::Reason::Unreachable })
                }
            },
            Effect::Expect { room, incoming, .. } => {
                if incoming == rooms_links::Incoming::Announce {
                    return self.codec_order(&room, Command::Mute(true), Ordered::Other);
                }
                None
            }
            Effect::Answer { room, .. } => self.codec_order(&room, Command::Answer, Ordered::Other),
            Effect::Hangup { room, call } => {
                let (_, codec) = self.calls.codec(&room)?;
                let known = codec.calls.iter().flatten().find(|known| known.id == call)?;
                let id = known.call.id.clone();
                self.codec_order(&room, Command::Hangup(Some(id)), Ordered::Other)
            }
            Effect::Fact(fact) => {
                self.say_link_fact(fact, now);
                None
            }
        }
    }

    fn codec_order(
        &mut self,
        room: &LinkRoom,
        command: Command,
        ordered: Ordered,
    ) -> Option<Event> {
        let (name, codec) = self.calls.codec(room)?;
        let device = codec.name.clone();
        let ticket = self.ticket();
        if self.order(&name, &device, Order::Command(command, ticket)) {
            self.calls.orders.insert(ticket, (name, ordered));
            return None;
        }
        let reason = rooms_links::Reason::DeviceError;
        (ordered != Ordered::Other).then(|| Event::Failed { room: room.clone(), reason })
    }

    /// Takes a room out of use, or into use again.
    pub(super) fn maintain(&mut self, room: &RoomName, on: bool, until: Option<Timestamp>) {
        if on {
            self.maintenance.insert(room.clone(), until);
        } else {
            self.maintenance.remove(room);
        }
        self.link(Event::Maintenance { room: LinkRoom::from(room.as_str()), on });
        self.say_room(room);
    }

    /// Ends the maintenance of rooms whose time has come; looked at with every `alive`.
    pub(super) fn end_maintenance(&mut self) {
        let now = Timestamp::now();
        let over = self.maintenance.iter().filter(|(_, until)| until.is_some_and(|at| at <= now));
        for room in over.map(|(room, _)| room.clone()).collect::<Vec<_>>() {
            self.maintain(&room, false, None);
        }
    }
}

fn link_pair(
    near: &RoomName,
    far: &RoomName,
    wish: fn(LinkRoom, LinkRoom) -> rooms_links::Wish,
) -> rooms_links::Wish {
    wish(LinkRoom::from(near.as_str()), LinkRoom::from(far.as_str()))
}
