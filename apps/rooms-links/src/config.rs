//! What the links need to know about the rooms, checked once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::Room;

/// No timer but [`Timers::wake`] may be shorter: a codec's report takes a part of that.
const SHORTEST: Duration = Duration::from_secs(1);

/// All rooms, and what holds for all of them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The rooms.
    pub rooms: Vec<RoomConfig>,
    /// How often a dial that the network refused is tried again.
    pub retries: u8,
    /// How long codecs have at the start to become reachable. Who is not by then is offline.
    pub start: Duration,
}

impl Config {
    /// These rooms with the usual rest.
    #[must_use]
    pub fn new(rooms: Vec<RoomConfig>) -> Self {
        Self { rooms, retries: 2, start: Duration::from_secs(10) }
    }

    /// Which room each number means, as [`plain_number`] writes it.
    pub(crate) fn numbers(&self) -> Result<HashMap<String, usize>, ConfigError> {
        let mut numbers = HashMap::new();
        let mut names = HashMap::new();
        for (index, room) in self.rooms.iter().enumerate() {
            if names.insert(&room.name, index).is_some() {
                return Err(ConfigError::SameName(room.name.clone()));
            }
            if room.pairing == Pairing::Both && room.incoming == Incoming::Ask {
                return Err(ConfigError::NothingRings(room.name.clone()));
            }
            if room.timers.shortest() < SHORTEST || self.start < SHORTEST {
                return Err(ConfigError::TooHasty(room.name.clone()));
            }
            for number in room.appears_as.iter().chain([&room.dial]) {
                let number = plain_number(number);
                if number.is_empty() {
                    return Err(ConfigError::NoNumber(room.name.clone()));
                }
                match numbers.insert(number.clone(), index) {
                    Some(other) if other != index => {
                        let other = self.rooms[other].name.clone();
                        return Err(ConfigError::SameNumber(number, other, room.name.clone()));
                    }
                    _ => {}
                }
            }
        }
        Ok(numbers)
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Two rooms have one name.
    #[error("there are two rooms `{0}`; give each its own name")]
    SameName(Room),
    /// Two rooms have one number, so that a call could be with either.
    #[error("the number `{0}` belongs to both {1} and {2}; a call must tell who is in it")]
    SameNumber(String, Room, Room),
    /// A number is empty.
    #[error("{0} has an empty number; leave it out or write how the room appears in others' calls")]
    NoNumber(Room),
    /// A timer that is over before a codec could report.
    #[error("a timer of {0} is shorter than a second; no codec can do anything in less")]
    TooHasty(Room),
    /// A room that dials as well as its caller never rings, so nobody could be asked.
    #[error("{0} can't ask before it takes a call: with pairing `both` nothing rings there")]
    NothingRings(Room),
}

/// What the links need to know about one room.
#[derive(Debug, Clone)]
pub struct RoomConfig {
    /// Its name.
    pub name: Room,
    /// What people call it.
    pub city: Arc<str>,
    /// What others dial to reach it.
    pub dial: Arc<str>,
    /// How it appears in the call lists of others, besides [`dial`](Self::dial).
    pub appears_as: Vec<Arc<str>>,
    /// What happens to a call for it.
    pub incoming: Incoming,
    /// Who of two rooms dials.
    pub pairing: Pairing,
    /// How patient to be with its codec.
    pub timers: Timers,
}

impl RoomConfig {
    /// A room with the usual rest.
    #[must_use]
    pub fn new(name: impl Into<Room>, city: &str, dial: &str) -> Self {
        Self {
            name: name.into(),
            city: city.into(),
            dial: dial.into(),
            appears_as: Vec::new(),
            incoming: Incoming::Announce,
            pairing: Pairing::DialAnswer,
            timers: Timers::default(),
        }
    }
}

/// What happens to a call for a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Incoming {
    /// It is answered at once.
    Open,
    /// It is answered at once, with the microphone muted until somebody touches the panel.
    Announce,
    /// Somebody in the room answers or declines.
    Ask,
}

/// Who of two rooms dials. Two rooms can only be connected if they do it the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pairing {
    /// The room that wished dials, the other answers.
    DialAnswer,
    /// Each is told about the other: matrices, encoders and decoders, analogue lines.
    Both,
}

/// How long to wait for what. Of two rooms' times the longer one holds for their link.
#[derive(Debug, Clone)]
pub struct Timers {
    /// For a codec to get ready.
    pub prepare: Duration,
    /// Longer than that, if it has to be woken.
    pub wake: Duration,
    /// For a dial to be answered.
    pub dial: Duration,
    /// For somebody to answer or decline.
    pub ask: Duration,
    /// For the second codec to say that it is connected, after the first.
    pub confirm: Duration,
    /// Before the network is tried again.
    pub retry: Duration,
    /// For a codec to hang up, before it is told again.
    pub hangup: Duration,
    /// For a codec to come back during a call.
    pub grace: Duration,
}

impl Timers {
    fn shortest(&self) -> Duration {
        let Self { prepare, wake: _, dial, ask, confirm, retry, hangup, grace } = *self;
        [prepare, dial, ask, confirm, retry, hangup, grace].into_iter().min().unwrap_or_default()
    }
}

impl Default for Timers {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            prepare: seconds(10),
            wake: seconds(0),
            dial: seconds(45),
            ask: seconds(30),
            confirm: seconds(5),
            retry: seconds(5),
            hangup: seconds(20),
            grace: seconds(90),
        }
    }
}

/// A number without what codecs add to it or leave out: the scheme, and case.
pub(crate) fn plain_number(number: &str) -> String {
    let number = number.trim().to_lowercase();
    let schemes = ["sip:", "sips:", "h323:", "tel:"];
    let plain = schemes.iter().find_map(|scheme| number.strip_prefix(scheme));
    plain.map_or_else(|| number.clone(), str::to_owned)
}
