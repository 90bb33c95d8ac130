//! What is so in the rooms, as the facts on the bus say it. No IO, no clock.
//!
//! Facts come in order with numbers. A gap, or another sender, means that something was missed:
//! the house says so, and whoever runs it asks for everything. Until that has come it stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rooms_messages::{
    AlertLevel, AlertState, DeviceName, DeviceState, Epoch, Everything, Fact, HelpState, Offers,
    OfflineReason, Phase, Report, RoomName, RoomState, Word,
};

/// A device says with this key in how many seconds it has warmed up or cooled down.
const READY_IN: &str = "ready-in";

/// All rooms and connections.
#[derive(Debug, Clone, Default)]
pub struct House {
    /// By name.
    pub rooms: BTreeMap<RoomName, Room>,
    /// By who calls and who is called.
    pub links: BTreeMap<(RoomName, RoomName), Link>,
    /// Whether all there is has been heard once.
    pub is_known: bool,
    /// Whether nothing was missed since.
    pub is_current: bool,
    last: Option<(Epoch, u64)>,
    /// The facts after the first mark of a snapshot, and how many there were.
    gathering: Option<(Box<House>, u32)>,
}

/// One room.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// None until a `room` fact has come.
    pub state: Option<RoomState>,
    /// The room with which it is connected.
    pub with: Option<RoomName>,
    /// Whoever else it is connected with.
    pub other: Option<String>,
    /// As its file says.
    pub city: String,
    /// As its file says.
    pub title: String,
    /// Since when it is in this state: as reported, or since it was first heard.
    pub since: Option<Timestamp>,
    /// Until when it is out of use.
    pub until: Option<Timestamp>,
    /// When it is stopped because nobody uses it.
    pub stops: Option<Timestamp>,
    /// By name.
    pub devices: BTreeMap<DeviceName, Device>,
    /// By device and code.
    pub alerts: BTreeMap<(DeviceName, Word), Alert>,
    /// Whether it calls for a person.
    pub help: Option<Help>,
}

/// One device.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// None while nothing was said about it.
    pub is_online: Option<bool>,
    /// Why it is offline.
    pub offline: Option<OfflineReason>,
    /// Since when it is so.
    pub since: Option<Timestamp>,
    /// What it is for.
    pub role: String,
    /// What it says of itself.
    pub keys: BTreeMap<String, String>,
    /// When it has warmed up or cooled down.
    pub ready_at: Option<Timestamp>,
    /// What can be wished of it.
    pub offers: Offers,
}

/// A connection, or one that is being made or ended.
#[derive(Debug, Clone)]
pub struct Link {
    /// How far it is.
    pub phase: Phase,
    /// Who wished it.
    pub by: String,
    /// Since when it is so far.
    pub since: Timestamp,
    /// The room that is to answer or decline.
    pub asking: Option<RoomName>,
}

/// A device needs care.
#[derive(Debug, Clone)]
pub struct Alert {
    /// How bad it is.
    pub level: AlertLevel,
    /// In words.
    pub text: String,
    /// Since when, as far as it was heard.
    pub since: Timestamp,
}

/// A room calls for a person.
#[derive(Debug, Clone)]
pub struct Help {
    /// How far that is.
    pub state: HelpState,
    /// Who asked, or who comes.
    pub by: String,
    /// What for, or what who comes has said.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a fact has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Nothing that is shown.
    Nothing,
    /// What concerns these rooms.
    Rooms(BTreeSet<RoomName>),
    /// Perhaps everything.
    All,
}

impl Changed {
    /// Both.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Rooms(mut rooms), Self::Rooms(more)) => {
                rooms.extend(more.iter().cloned());
                Self::Rooms(rooms)
            }
            (Self::Nothing, changed) => changed.clone(),
            (changed, Self::Nothing) => changed,
        }
    }

    /// This room, too.
    #[must_use]
    pub fn and(self, room: RoomName) -> Self {
        match self {
            Self::Nothing => one(&room),
            Self::Rooms(mut rooms) => {
                rooms.insert(room);
                Self::Rooms(rooms)
            }
            Self::All => Self::All,
        }
    }
}

/// What follows from a fact.
#[derive(Debug, PartialEq, Eq)]
pub struct Heard {
    /// What pages show anew.
    pub changed: Changed,
    /// Something was missed: ask for everything.
    pub is_gap: bool,
}

impl House {
    /// Takes in a fact that came at `now`.
    pub fn hear(&mut self, report: &Report, now: Timestamp) -> Heard {
        let is_gap = self.is_gap(report);
        if is_gap {
            self.miss();
        }
        let changed = match (&report.fact, &mut self.gathering) {
            (Fact::Everything(Everything::Begin), _) => {
                self.gathering = Some((Box::default(), 0));
                Changed::Nothing
            }
            (Fact::Everything(Everything::End { lines }), gathered) => match gathered.take() {
                Some((mut all, heard)) if heard == *lines => {
                    all.keep_times(self);
                    (all.is_known, all.is_current, all.last) = (true, true, self.last);
                    *self = *all;
                    Changed::All
                }
                _ => {
                    self.miss();
                    return Heard { changed: Changed::Nothing, is_gap: true };
                }
            },
            (fact, Some((all, heard))) => {
                *heard += 1;
                all.apply(fact, report.at.unwrap_or(now), now);
                Changed::Nothing
            }
            (fact, None) => self.apply(fact, report.at.unwrap_or(now), now),
        };
        Heard { changed, is_gap }
    }

    /// Something may have been missed: only a whole snapshot makes it good.
    pub fn miss(&mut self) {
        self.gathering = None;
        self.is_current = false;
    }

    /// Whether the facts that come are those of a snapshot.
    #[must_use]
    pub fn is_gathering(&self) -> bool {
        self.gathering.is_some()
    }

    /// The connection that a room is in.
    #[must_use]
    pub fn link_of(&self, room: &RoomName) -> Option<(&RoomName, &RoomName, &Link)> {
        let mut links = self.links.iter();
        links.find(|((a, b), _)| a == room || b == room).map(|((a, b), link)| (a, b, link))
    }

    fn is_gap(&mut self, report: &Report) -> bool {
        let (Some(epoch), Some(seq)) = (report.epoch, report.seq) else { return false };
        let is_first = matches!(report.fact, Fact::Everything(Everything::Begin));
        let last = self.last.replace((epoch, seq));
        let follows = last.is_some_and(|(e, s)| e == epoch && s + 1 == seq);
        !is_first && !follows
    }

    /// What has no time of its own has that of when it was first heard.
    fn keep_times(&mut self, before: &House) {
        for (name, room) in &mut self.rooms {
            let Some(old) = before.rooms.get(name) else { continue };
            if room.state == old.state {
                room.since = old.since.or(room.since);
            }
            for (key, alert) in &mut room.alerts {
                alert.since = old.alerts.get(key).map_or(alert.since, |old| old.since);
            }
        }
    }

    fn apply(&mut self, fact: &Fact, at: Timestamp, now: Timestamp) -> Changed {
        match fact {
            Fact::Room { room, state, with, other, city, title, since, until, stops } => {
                let known = self.rooms.entry(room.clone()).or_default();
                let same = known.state == Some(*state);
                known.since = since.or(if same { known.since } else { Some(at) });
                known.state = Some(*state);
                known.with.clone_from(with);
                known.other = other.as_ref().map(|other| other.as_str().to_owned());
                known.city = city.as_ref().map_or("", |city| city.as_str()).to_owned();
                known.title = title.as_ref().map_or("", |title| title.as_str()).to_owned();
                (known.until, known.stops) = (*until, *stops);
                one(room)
            }
            Fact::Link { near, far, phase, by, since, asking, .. } => {
                let key = (near.clone(), far.clone());
                if *phase == Phase::Idle {
                    self.links.remove(&key);
                } else {
                    let by = by.as_ref().map_or("", |by| by.as_str()).to_owned();
                    let (since, asking) = (since.unwrap_or(at), asking.clone());
                    self.links.insert(key, Link { phase: *phase, by, since, asking });
                }
                Changed::Rooms([near.clone(), far.clone()].into())
            }
            Fact::Device { room, device, state, role } => {
                let known = self.device(room, device);
                (known.is_online, known.offline, known.since) = match state {
                    DeviceState::Online => (Some(true), None, None),
                    DeviceState::Offline { reason, since } => {
                        (Some(false), Some(*reason), since.or(Some(at)))
                    }
                };
                known.role = role.as_ref().map_or(device.as_str(), Word::as_str).to_owned();
                one(room)
            }
            Fact::Offers { room, device, offers } => {
                self.device(room, device).offers.clone_from(offers);
                one(room)
            }
            Fact::State { room, device, keys } => {
                let known = self.device(room, device);
                for (key, value) in keys.iter() {
                    let (key, value) = (key.as_str(), value.as_str());
                    if key == READY_IN {
                        let seconds = value.parse().ok().map(SignedDuration::from_secs);
                        known.ready_at = seconds.and_then(|s| now.checked_add(s).ok());
                    } else if value.is_empty() {
                        known.keys.remove(key);
                    } else {
                        known.keys.insert(key.to_owned(), value.to_owned());
                    }
                }
                one(room)
            }
            Fact::Alert { room, device, code, state } => {
                let alerts = &mut self.rooms.entry(room.clone()).or_default().alerts;
                let key = (device.clone(), code.clone());
                match state {
                    AlertState::Clear => drop(alerts.remove(&key)),
                    AlertState::Raised { level, text } => {
                        let text = text.as_ref().map_or("", |text| text.as_str()).to_owned();
                        let since = alerts.get(&key).map_or(at, |old| old.since);
                        alerts.insert(key, Alert { level: *level, text, since });
                    }
                }
                one(room)
            }
            Fact::Help { room, state, by, text, since } => {
                let known = self.rooms.entry(room.clone()).or_default();
                let said = |text: &Option<rooms_messages::Text>| {
                    text.as_ref().map_or("", |text| text.as_str()).to_owned()
                };
                let (by, text, since) = (said(by), said(text), since.unwrap_or(at));
                let open = *state != HelpState::Closed;
                known.help = open.then_some(Help { state: *state, by, text, since });
                one(room)
            }
            _ => Changed::Nothing,
        }
    }

    fn device(&mut self, room: &RoomName, device: &DeviceName) -> &mut Device {
        let devices = &mut self.rooms.entry(room.clone()).or_default().devices;
        devices.entry(device.clone()).or_default()
    }
}

impl Device {
    /// What it says of itself under this key.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(String::as_str)
    }

    /// Whether it answers.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.is_online == Some(true)
    }
}

impl Room {
    /// The first device that is for this.
    #[must_use]
    pub fn of_role(&self, role: &str) -> Option<(&DeviceName, &Device)> {
        self.devices.iter().find(|(_, device)| device.role == role)
    }

    /// Its worst alert.
    #[must_use]
    pub fn worst_alert(&self) -> Option<&Alert> {
        self.alerts.values().max_by_key(|alert| alert.level)
    }
}

fn one(room: &RoomName) -> Changed {
    Changed::Rooms([room.clone()].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(house: &mut House, line: &str) -> Heard {
        house.hear(&Report::parse(line).expect(line), Timestamp::UNIX_EPOCH)
    }

    fn known() -> House {
        let mut house = House::default();
        for line in [
            "everything begin seq=1 epoch=a",
            "room vienna free city=Vienna seq=2 epoch=a",
            "room lisbon free city=Lisbon seq=3 epoch=a",
            "everything end lines=2 seq=4 epoch=a",
        ] {
            assert!(!hear(&mut house, line).is_gap, "{line}");
        }
        house
    }

    #[test]
    fn a_snapshot_holds_when_it_is_whole() {
        let mut house = known();
        assert!(house.is_known);
        assert_eq!(house.rooms.len(), 2);
        hear(&mut house, "everything begin seq=5 epoch=a");
        hear(&mut house, "room vienna free city=Wien seq=6 epoch=a");
        assert_eq!(house.rooms.len(), 2, "nothing is forgotten before the end");
        assert_eq!(hear(&mut house, "everything end lines=1 seq=7 epoch=a").changed, Changed::All);
        assert_eq!(house.rooms.len(), 1);
        hear(&mut house, "everything begin seq=8 epoch=a");
        assert!(hear(&mut house, "everything end lines=1 seq=9 epoch=a").is_gap);
        assert_eq!(house.rooms.len(), 1, "what is not whole does not count");
    }

    #[test]
    fn a_gap_and_another_sender_are_noticed() {
        let mut house = known();
        assert!(!hear(&mut house, "alive seq=5 epoch=a").is_gap && house.is_current);
        assert!(hear(&mut house, "alive seq=7 epoch=a").is_gap);
        assert!(!house.is_current && house.is_known);
        assert!(!hear(&mut house, "alive seq=8 epoch=a").is_gap);
        assert!(hear(&mut house, "alive seq=9 epoch=b").is_gap);
        assert!(!hear(&mut house, "alive").is_gap, "a bare line is for people");
        let mut new = House::default();
        assert!(hear(&mut new, "alive seq=5 epoch=a").is_gap, "the first thing heard is not all");
    }

    #[test]
    fn a_gap_within_a_snapshot_spoils_it() {
        let mut house = known();
        hear(&mut house, "everything begin seq=5 epoch=a");
        assert!(hear(&mut house, "room vienna free seq=7 epoch=a").is_gap);
        assert!(hear(&mut house, "everything end lines=1 seq=8 epoch=a").is_gap);
        assert_eq!(house.rooms.len(), 2);
    }

    #[test]
    fn links_and_devices_are_what_was_said_last() {
        let mut house = known();
        let both: BTreeSet<RoomName> =
            ["vienna", "lisbon"].map(|room| RoomName::new(room).expect("one")).into();
        let heard = hear(&mut house, "link vienna lisbon dialing by=panel");
        assert_eq!(heard.changed, Changed::Rooms(both));
        let lisbon = RoomName::new("lisbon").expect("one");
        assert_eq!(house.link_of(&lisbon).expect("it is").2.phase, Phase::Dialing);
        hear(&mut house, "link vienna lisbon idle reason=busy");
        assert!(house.link_of(&lisbon).is_none());

        hear(&mut house, "device lisbon beamer offline reason=bridge role=projector");
        hear(&mut house, "state lisbon beamer power=warming ready-in=22 wanted.input=hdmi1");
        hear(&mut house, "state lisbon beamer wanted.input=\"\"");
        let (name, beamer) = house.rooms[&lisbon].of_role("projector").expect("there is one");
        assert_eq!((name.as_str(), beamer.is_there()), ("beamer", false));
        assert_eq!(beamer.offline, Some(OfflineReason::Bridge));
        assert_eq!(beamer.key("power"), Some("warming"));
        assert_eq!(beamer.key("wanted.input"), None);
        assert_eq!(beamer.ready_at, Timestamp::from_second(22).ok());
    }

    #[test]
    fn alerts_and_help_come_and_go() {
        let mut house = known();
        let vienna = RoomName::new("vienna").expect("one");
        hear(&mut house, "alert vienna projector level=warning code=lamp text=\"3012 hours\"");
        hear(&mut house, "help vienna requested by=panel text=\"no sound\"");
        assert_eq!(house.rooms[&vienna].worst_alert().expect("it is").text, "3012 hours");
        assert_eq!(house.rooms[&vienna].help.as_ref().expect("it is").text, "no sound");
        hear(&mut house, "alert vienna projector clear code=lamp");
        hear(&mut house, "help vienna closed");
        assert!(house.rooms[&vienna].alerts.is_empty() && house.rooms[&vienna].help.is_none());
    }
}
