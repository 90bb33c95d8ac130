//! What the links say, in the words of messages.

use std::time::Duration;

use rooms_links::{Room as LinkRoom, Status, WishId};
use rooms_messages::{Fact, Id, Phase, Reason, RoomName, RoomState, Text, Timestamp};
use tokio::time::Instant;

use super::{Hub, SILENT};
use crate::devices::parts::Refused;
use crate::devices::wall_clock;

impl Hub {
    pub(super) fn say_link_fact(&mut self, fact: rooms_links::Fact, now: Instant) {
        use rooms_links::Fact as Of;
        let silent = |id: &WishId| id.as_str().starts_with(SILENT);
        match fact {
            Of::Accepted { id: Some(id), .. } | Of::Refused { id: Some(id), .. } if silent(&id) => {
            }
            Of::Done { id } | Of::Failed { id, .. } if silent(&id) => {}
            Of::Accepted { id, already } => {
                self.say_answer(Fact::Accepted { already, id: message_id(id.as_ref()) }, now);
            }
            Of::Refused { id, why } => {
                let with = why.with.and_then(|with| room_name(&with).ok());
                let refused = Refused { with, ..Refused::new(reason(why.reason), why.text) };
                self.say_refused(message_id(id.as_ref()), &refused, now);
            }
            Of::Done { id } => self.say_end(message_id(Some(&id)), Ok(())),
            Of::Failed { id, why } => {
                let refused = Refused::new(reason(why.reason), why.text);
                self.say_end(message_id(Some(&id)), Err(refused));
            }
            Of::Link(link) => self.say_link(link),
            Of::Connected { from, to } => {
                if let (Ok(near), Ok(far)) = (room_name(&from), room_name(&to)) {
                    let fact = Fact::Connect { near: near.clone(), far: far.clone() };
                    self.journal.call([&near, &far], &fact, wall_clock());
                    self.board.say(fact);
                }
            }
            Of::Disconnected { from, to, why, side } => {
                if let (Ok(near), Ok(far)) = (room_name(&from), room_name(&to)) {
                    let reason = why.map(|why| reason(why.reason));
                    let side = side.and_then(|side| room_name(&side).ok());
                    let rooms = [near.clone(), far.clone()];
                    let fact = Fact::Disconnect { near, far, reason, side };
                    self.journal.call([&rooms[0], &rooms[1]], &fact, wall_clock());
                    self.board.say(fact);
                }
            }
            Of::Room { room, status } => {
                if let Ok(room) = room_name(&room) {
                    self.calls.states.insert(room.clone(), status);
                    self.say_room(&room);
                }
            }
        }
    }

    fn say_link(&mut self, link: rooms_links::LinkState) {
        let (Ok(near), Ok(far)) = (room_name(&link.from), room_name(&link.to)) else { return };
        let asking = link.asking.then(|| far.clone());
        self.board.say(Fact::Link {
            near,
            far,
            phase: link.phase.as_str().parse().unwrap_or(Phase::Idle),
            by: link.by.map(|by| Text::clean(by.as_str())),
            since: Some(self.time_of(link.since)),
            asking,
            reason: link.why.map(|why| reason(why.reason)),
            side: None,
        });
    }

    fn time_of(&self, since: Duration) -> Timestamp {
        let seconds = since.as_secs().min(u64::from(u32::MAX));
        let second = self.calls.base.as_second() + i64::try_from(seconds).unwrap_or(0);
        Timestamp::from_second(second).unwrap_or(self.calls.base)
    }

    /// Says the line of a room in everybody's catalogue.
    pub(in crate::devices::hub) fn say_room(&mut self, id: &RoomName) {
        let Some(room) = self.rooms.get(id) else { return };
        let out_of_use = self.maintenance.get(id);
        let (state, with, other) = match self.calls.states.get(id) {
            Some(Status::Busy { with, other }) => {
                let with = with.as_ref().and_then(|with| room_name(with).ok());
                (RoomState::Busy, with, other.as_ref().map(|other| Text::clean(other)))
            }
            _ if out_of_use.is_some() => (RoomState::Maintenance, None, None),
            Some(Status::Free) => (RoomState::Free, None, None),
            // Whoever sleeps can be called.
            Some(Status::Offline { asleep: true }) => (RoomState::Free, None, None),
            None if !self.calls.codecs.contains_key(id) => (RoomState::Free, None, None),
            _ => (RoomState::Offline, None, None),
        };
        self.board.say(Fact::Room {
            room: id.clone(),
            state,
            with,
            other,
            city: Some(Text::clean(&room.city)),
            title: Some(Text::clean(&room.title)),
            since: None,
            until: out_of_use.copied().flatten(),
            stops: self.sequences.stops(id).filter(|_| state != RoomState::Busy),
        });
    }
}

fn room_name(room: &LinkRoom) -> Result<RoomName, rooms_messages::BadName> {
    RoomName::new(room.as_str())
}

/// None for a wish that had none.
fn message_id(id: Option<&WishId>) -> Option<Id> {
    id.and_then(|id| Id::new(id.as_str()).ok())
}

/// The links' reason in the words of messages; they have the same words.
fn reason(reason: rooms_links::Reason) -> Reason {
    reason.as_str().parse().unwrap_or(Reason::DeviceError)
}
