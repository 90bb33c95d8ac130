//! Starting and stopping a room: step after step, each until it is so or has taken too long. A step
//! that fails is reported and the next one begins, but a start without its codec is none.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use rooms_files::Step;
use rooms_messages::{AlertLevel, Id, Reason, RoomName};
use tokio::time::Instant;

use super::{Hub, Owner};
use crate::devices::parts::{self, Refused};
use crate::devices::wall_clock;

/// So long before a room is stopped for standing idle it is said.
const SAID_BEFORE: Duration = Duration::from_secs(60);

/// The rooms that are being started or stopped, when each was used last, and which are to be stopped
/// for standing idle, as was said.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    running: BTreeMap<RoomName, Running>,
    used: BTreeMap<RoomName, Instant>,
    stops: BTreeMap<RoomName, Timestamp>,
}

#[derive(Debug)]
struct Running {
    is_start: bool,
    /// The wishes that want it.
    ids: Vec<Option<Id>>,
    now: Option<Step>,
    left: VecDeque<Step>,
}

impl Sequences {
    /// When it is to be stopped for standing idle, if that was said.
    pub(super) fn stops(&self, room: &RoomName) -> Option<Timestamp> {
        self.stops.get(room).copied()
    }

    pub(super) fn forget(&mut self, room: &RoomName) {
        self.running.remove(room);
        self.used.remove(room);
        self.stops.remove(room);
    }
}

impl Hub {
    /// Somebody uses the room.
    pub(super) fn touched(&mut self, room: &RoomName, now: Instant) {
        self.sequences.used.insert(room.clone(), now);
        self.stays(room);
    }

    /// Nobody uses the room until somebody does again: it is stopped once.
    pub(super) fn left_alone(&mut self, room: &RoomName) {
        self.sequences.used.remove(room);
        self.stays(room);
    }

    fn stays(&mut self, room: &RoomName) {
        if self.sequences.stops.remove(room).is_some() {
            self.say_room(room);
        }
    }

    /// Begins to start or stop a room. True if just that is under way already; what else was
    /// under way is cancelled.
    pub(super) fn sequence(&mut self, room: &RoomName, is_start: bool, id: Option<Id>) -> bool {
        if let Some(running) = self.sequences.running.get_mut(room)
            && running.is_start == is_start
        {
            running.ids.push(id);
            return true;
        }
        let now = Instant::now();
        let other = self.sequences.running.remove(room);
        let text = "the room was told the opposite meanwhile";
        let why = Refused::new(Reason::Cancelled, text);
        let steps = Owner::Step(room.clone());
        let outcome = self.work.cancel(|owner, _, _| *owner == steps, &why);
        self.settle(outcome, now);
        if let Some(other) = other {
            self.say_ends(other.ids, &Err(why));
        }
        let steps =
            self.rooms.get(room).map(|room| if is_start { &room.start } else { &room.stop });
        let left = steps.into_iter().flatten().cloned().collect();
        let running = Running { is_start, ids: vec![id], now: None, left };
        self.sequences.running.insert(room.clone(), running);
        false
    }

    /// Takes the next step of a room, until one has to be waited for.
    pub(super) fn next_step(&mut self, room: &RoomName, now: Instant) {
        while let Some(running) = self.sequences.running.get_mut(room) {
            running.now = running.left.pop_front();
            let Some(step) = running.now.clone() else {
                let ids = std::mem::take(&mut running.ids);
                self.sequences.running.remove(room);
                return self.say_ends(ids, &Ok(()));
            };
            if step.action == "hangup" {
                self.end_link(room, now);
            }
            let Some(view) = self.view(room) else { return };
            let ordered = parts::of_step(&view, &step);
            let ordered = ordered.and_then(|parts| self.check_online(room, &parts).map(|()| parts));
            match ordered {
                Ok(parts) => {
                    return self.begin(Owner::Step(room.clone()), room, parts, now);
                }
                Err(refused) => self.step_ended(room, Err(refused)),
            }
        }
    }

    /// A step is done, or can't be; the next one begins.
    pub(super) fn step_done(&mut self, room: &RoomName, result: Result<(), Refused>, now: Instant) {
        self.step_ended(room, result);
        self.next_step(room, now);
    }

    fn step_ended(&mut self, room: &RoomName, result: Result<(), Refused>) {
        let Some(running) = self.sequences.running.get_mut(room) else { return };
        let (is_start, Some(step)) = (running.is_start, running.now.take()) else { return };
        let code = if is_start { "start" } else { "stop" };
        let Err(refused) = result else { return self.alert(room, &step.device, code, None) };
        let text = format!("{step}: {}", refused.text);
        self.alert(room, &step.device, code, Some((AlertLevel::Warning, &text)));
        let device = self.rooms.get(room).and_then(|room| room.devices.get(&step.device));
        if is_start
            && device.is_some_and(|device| device.role == "codec")
            && let Some(running) = self.sequences.running.remove(room)
        {
            self.say_ends(running.ids, &Err(Refused { text, ..refused }));
        }
    }

    fn say_ends(&mut self, ids: Vec<Option<Id>>, result: &Result<(), Refused>) {
        ids.into_iter().for_each(|id| self.say_end(id, result.clone()));
    }

    /// When the next room is to be stopped for standing idle, or that is to be said.
    pub(super) fn idle_due(&self) -> Option<Instant> {
        let due = |(room, at): (&RoomName, Instant)| {
            if self.sequences.stops(room).is_some() { at } else { at - SAID_BEFORE }
        };
        self.idle_rooms().map(due).min()
    }

    fn idle_rooms(&self) -> impl Iterator<Item = (&RoomName, Instant)> {
        let rooms = self.rooms.iter().filter(|room| room.idle_stop_minutes > 0);
        rooms.filter_map(|room| {
            let used = self.sequences.used.get(&room.id)?;
            let idle = Duration::from_secs(60 * u64::from(room.idle_stop_minutes));
            (!self.calls.is_busy(&room.id)).then_some((&room.id, *used + idle))
        })
    }

    /// Stops rooms that nobody has used for long, and says so a minute before.
    pub(super) fn stop_idle(&mut self, now: Instant) {
        let idle = self.idle_rooms().filter(|(_, at)| *at <= now + SAID_BEFORE);
        for (room, at) in idle.map(|(room, at)| (room.clone(), at)).collect::<Vec<_>>() {
            if at > now {
                if self.sequences.stops(&room).is_none() {
                    let stops = wall_clock() + (at - now);
                    self.sequences.stops.insert(room.clone(), stops);
                    self.say_room(&room);
                }
                continue;
            }
            tracing::info!("{room}: stopped, nobody used it");
            self.left_alone(&room);
            if !self.sequence(&room, false, None) {
                self.next_step(&room, now);
            }
        }
    }
}
