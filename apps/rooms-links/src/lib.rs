//! Which rooms are connected, and what is to be done about it: no IO, no clock.
//!
//! [`Links`] owns all links between rooms. It is told what people wish and what codecs report, with
//! the time, and says what is to be done. It is level-triggered: whatever happened, it compares what
//! is wanted with what the codecs of *both* rooms say, and takes the next step. Nothing is believed
//! because it was commanded. A program around it does the rest:
//!
//! ```
//! use rooms_links::{Call, CallId, CallState, Config, Direction, Effect, Event, Links, Request, Room,
//!     RoomConfig, Wish};
//! use std::time::Duration;
//!
//! let (vienna, lisbon) = (Room::from("room-a"), Room::from("room-b"));
//! let mut links = Links::new(Config::new(vec![
//!     RoomConfig::new("room-a", "Vienna", "sip:vienna@example.net"),
//!     RoomConfig::new("room-b", "Lisbon", "sip:lisbon@example.net"),
//! ]))?;
//! let now = Duration::ZERO; // since whenever; it only has to go forwards
//! for room in [&vienna, &lisbon] {
//!     links.handle(Event::Online { room: room.clone(), calls: vec![] }, now);
//! }
//! let wish = Wish::Connect(vienna.clone(), lisbon.clone());
//! links.handle(Event::Wish(Request { wish, id: Some("p7".into()), by: None }), now);
//! links.handle(Event::Prepared { room: vienna.clone() }, now);
//! let effects = links.handle(Event::Prepared { room: lisbon.clone() }, now);
//! assert!(effects.contains(&Effect::Dial { room: vienna, to: "sip:lisbon@example.net".into() }));
//! assert_eq!(links.next_timer(), Some(Duration::from_secs(45))); // then say Event::Tick
//! # Ok::<(), rooms_links::ConfigError>(())
//! ```
//!
//! **Restart and reload.** Make new links and say `Online` or `Offline` for each room: calls between
//! two known rooms are taken over as links by `device`, other calls make their room busy.
//!
//! **Limits.** A room has one link. 4096 wishes are remembered, each for a minute or until it is
//! finished; when all of them are under way, a new one is refused.

mod alarms;
mod codec;
mod config;
mod effect;
mod event;
mod ledger;
mod link;
mod reconcile;
mod reconfigure;
mod steps;
#[cfg(test)]
mod tests;
mod wishes;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

pub use config::{Config, ConfigError, Incoming, Pairing, RoomConfig, Timers};
pub use effect::{Effect, Fact, LinkState, Snapshot, Status, Why};
pub use event::{Call, CallState, Direction, Event, Request, Wish};
pub use words::{By, CallId, Phase, Reason, Room, WishId};

use alarms::{Alarm, Alarms, Wait};
use codec::{Codec, Control};
use ledger::Ledger;
use link::{Link, Pair, Step};

/// All links between rooms.
#[derive(Debug, Clone)]
pub struct Links {
    config: Arc<Config>,
    /// Which room a number means.
    numbers: Arc<HashMap<String, usize>>,
    now: Duration,
    /// Not every codec was heard of yet, so nobody knows which rooms are free.
    starting: bool,
    rooms: Vec<RoomState>,
    links: BTreeMap<Pair, Link>,
    alarms: Alarms,
    ledger: Ledger,
    effects: Vec<Effect>,
    /// A timer that the model check takes away, to see that it is missed.
    #[cfg(test)]
    missing: Option<Wait>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RoomState {
    codec: Codec,
    maintenance: bool,
    /// What everybody was told last.
    told: Option<Status>,
}

impl RoomState {
    fn new() -> Self {
        Self { codec: Codec::new(), maintenance: false, told: None }
    }
}

impl Links {
    /// Links between these rooms, none of which was heard of yet.
    ///
    /// # Errors
    /// When a call could not tell who is in it, or a room contradicts itself.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let mut alarms = Alarms::default();
        alarms.set(Alarm::Start, config.start);
        Ok(Self {
            numbers: Arc::new(config.numbers()?),
            now: Duration::ZERO,
            starting: true,
            rooms: vec![RoomState::new(); config.rooms.len()],
            config: Arc::new(config),
            links: BTreeMap::new(),
            alarms,
            ledger: Ledger::default(),
            effects: Vec::new(),
            #[cfg(test)]
            missing: None,
        })
    }

    /// Takes an event and says what is to be done, in this order. `now` is the time since the links
    /// were made and never goes back; timers that rang meanwhile are seen to first.
    ///
    /// What concerns a room that is not in the configuration is ignored, but a wish is refused.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        self.now = self.now.max(now);
        while let Some(alarm) = self.alarms.take_due(self.now) {
            self.ring(alarm);
            self.reconcile();
        }
        self.apply(event);
        self.reconcile();
        std::mem::take(&mut self.effects)
    }

    /// When to say [`Event::Tick`] at the latest.
    #[must_use]
    pub fn next_timer(&self) -> Option<Duration> {
        self.alarms.next()
    }

    /// Everything that holds now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            starting: self.starting,
            rooms: (0..self.rooms.len())
                .filter_map(|room| Some((self.name(room), self.status(room)?)))
                .collect(),
            links: self.links.values().map(|link| self.state_of(link, link.phase())).collect(),
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Wish(request) => self.wish(request),
            Event::Online { room, calls } => self.with_room(&room, |links, room| {
                links.report(room, calls);
                links.prepare_again(room);
            }),
            Event::Offline { room, asleep } => self.with_room(&room, |links, room| {
                links.rooms[room].codec.offline(asleep);
                links.alarms.cancel(Alarm::Hangup(room));
                if let Some(link) = links.link_of_mut(room) {
                    let side = link.side_of(room);
                    side.prepared = false;
                    side.dialing = false;
                }
            }),
            Event::Calls { room, calls } => self.with_room(&room, |links, room| {
                if links.rooms[room].codec.is_online() {
                    links.report(room, calls);
                }
            }),
            Event::Prepared { room } => self.with_room(&room, |links, room| {
                if links.rooms[room].codec.is_online()
                    && let Some(link) = links.link_of_mut(room)
                {
                    link.side_of(room).prepared = true;
                }
            }),
            Event::Failed { room, reason } => self.with_room(&room, |links, room| {
                links.failed(room, reason);
            }),
            Event::Maintenance { room, on } => self.with_room(&room, |links, room| {
                links.rooms[room].maintenance = on;
            }),
            Event::Tick => {}
        }
    }

    fn with_room(&mut self, name: &Room, then: impl FnOnce(&mut Self, usize)) {
        if let Some(room) = self.find(name) {
            then(self, room);
        }
    }

    fn report(&mut self, room: usize, calls: Vec<Call>) {
        let numbers = Arc::clone(&self.numbers);
        let who = |far: &str| numbers.get(&config::plain_number(far)).copied();
        self.rooms[room].codec.report(calls, who);
    }

    /// A codec that came back while its room gets ready has to be told again.
    fn prepare_again(&mut self, room: usize) {
        let again = self
            .link_of_mut(room)
            .is_some_and(|link| link.step == Step::Preparing && !link.side_of(room).prepared);
        if again {
            self.effects.push(Effect::Prepare { room: self.name(room) });
        }
    }

    fn find(&self, name: &Room) -> Option<usize> {
        self.config.rooms.iter().position(|room| room.name == *name)
    }

    fn name(&self, room: usize) -> Room {
        self.config.rooms[room].name.clone()
    }

    fn city(&self, room: usize) -> &str {
        &self.config.rooms[room].city
    }

    fn link_of(&self, room: usize) -> Option<&Link> {
        self.links.values().find(|link| link.pair().has(room))
    }

    fn link_of_mut(&mut self, room: usize) -> Option<&mut Link> {
        self.links.values_mut().find(|link| link.pair().has(room))
    }

    /// What a room is for the others; nothing as long as nobody knows.
    fn status(&self, room: usize) -> Option<Status> {
        let state = &self.rooms[room];
        if let Some(link) = self.link_of(room) {
            return Some(Status::Busy {
                with: Some(self.name(link.pair().other(room))),
                other: None,
            });
        }
        Some(match state.codec.control {
            Control::Unknown => return None,
            Control::Offline { asleep } => Status::Offline { asleep },
            Control::Online => match state.codec.legs.first().map(|leg| &leg.far) {
                Some(codec::Far::Room(far)) => {
                    Status::Busy { with: Some(self.name(*far)), other: None }
                }
                Some(codec::Far::Other(far)) => {
                    Status::Busy { with: None, other: Some(far.clone()) }
                }
                None if state.maintenance => Status::Maintenance,
                None => Status::Free,
            },
        })
    }

    fn state_of(&self, link: &Link, phase: Phase) -> LinkState {
        LinkState {
            from: self.name(link.ends[0]),
            to: self.name(link.ends[1]),
            phase,
            since: link.since,
            by: if link.adopted { Some(By::from("device")) } else { link.by.clone() },
            asking: link.is_asking(),
            why: link.why.clone(),
        }
    }

    /// Sets a timer to what the rooms in question want; the more patient one decides.
    fn wait(&mut self, alarm: Alarm, wait: Wait, rooms: &[usize]) {
        #[cfg(test)]
        if self.missing == Some(wait) {
            return self.alarms.cancel(alarm);
        }
        let longest = |of: fn(&Timers) -> Duration| {
            rooms.iter().map(|room| of(&self.config.rooms[*room].timers)).max().unwrap_or_default()
        };
        let length = match wait {
            Wait::Prepare => longest(|timers| timers.prepare + timers.wake),
            Wait::Dial => longest(|timers| timers.dial),
            Wait::Ask => longest(|timers| timers.ask),
            Wait::Confirm | Wait::HalfOpen => longest(|timers| timers.confirm),
            Wait::Retry => longest(|timers| timers.retry),
            Wait::Grace => longest(|timers| timers.grace),
            Wait::Hangup => longest(|timers| timers.hangup),
        };
        self.alarms.set(alarm, self.now.saturating_add(length));
    }
}
