//! Everything about the rooms in one place: what sessions say comes in, what people wish comes in,
//! and facts go out. One task owns it, so that nothing happens between two marks of a snapshot.
//!
//! It does no IO itself: sessions have their own tasks, and the lines that it has to say are taken
//! from its board by whoever runs it.

mod alerts;
mod calls;
mod driver;
mod files;
mod sequence;
mod wishes;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use rooms_drivers::{Command, DriverInfo, Move, PresetAction, Ticket, Zoom};
use rooms_files::{Connect, Rooms};
use rooms_messages::{
    DeviceName, DeviceState, Epoch, Fact, Key, Keys, OfflineReason, RoomName, Text, Timestamp, Word,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::answers::Answers;
use super::board::{Board, READY_IN};
use super::frames::FrameSender;
use super::journal::Journal;
use super::parts::{Part, Refused, View};
use super::session::{News, NewsSender, Order, SessionId};
use super::wall_clock;
use super::work::{Outcome, Owner, Work};
use alerts::Alerts;
use calls::Calls;
use sequence::Sequences;

/// Orders for a session that has no time; beyond, it is busy.
const ORDERS_MAX: usize = 64;
/// A camera whose button was let go of without a word stops after so long.
const MOVES_FOR: Duration = Duration::from_secs(1);
const ALIVE_EVERY: Duration = Duration::from_secs(5);

/// What is known of one device.
#[derive(Debug)]
struct Device {
    session: SessionId,
    /// None if it has no driver, for a reason in the log.
    orders: Option<mpsc::Sender<Order>>,
    /// The bridge that it hangs on.
    bridge: Option<DeviceName>,
    /// Its role, where its name does not say it.
    role: Option<Word>,
    /// Unknown until the first try has come to something.
    is_online: Option<bool>,
    /// Whether what it hangs on takes connections; unknown likewise.
    is_open: Option<bool>,
    /// When to stop a movement and a zoom that nobody repeats, and which one it is.
    moving: BTreeMap<&'static str, (Instant, Command)>,
}

/// The rooms.
#[derive(Debug)]
pub(super) struct Hub {
    folder: PathBuf,
    /// Where the simulator's ports begin, if devices are simulated.
    simulated: Option<u16>,
    rooms: Rooms,
    /// As they were read last; a room in a call still has its old codec.
    latest: Rooms,
    devices: BTreeMap<(RoomName, DeviceName), Device>,
    infos: BTreeMap<RoomName, BTreeMap<DeviceName, DriverInfo>>,
    sessions: HashMap<SessionId, (RoomName, DeviceName)>,
    next_session: u64,
    next_ticket: u64,
    news: NewsSender,
    frames: FrameSender,
    board: Board,
    answers: Answers,
    work: Work,
    sequences: Sequences,
    alerts: Alerts,
    calls: Calls,
    /// Rooms out of use, and until when.
    maintenance: BTreeMap<RoomName, Option<Timestamp>>,
    alive_at: Instant,
    is_reloaded: bool,
    /// What is remembered when all this is gone.
    pub(super) journal: Journal,
    /// Views that are being saved: in which device, which number.
    saving: HashMap<Ticket, (RoomName, DeviceName, u8)>,
}

impl Hub {
    /// The rooms, with a session for each device.
    ///
    /// # Errors
    /// There are not enough ports for a simulation of all of them.
    pub(super) fn start(
        folder: PathBuf,
        rooms: Rooms,
        simulated: Option<u16>,
        epoch: Epoch,
        news: NewsSender,
        frames: FrameSender,
    ) -> Result<Hub, crate::ports::TooManyPorts> {
        let mut hub = Hub {
            folder,
            simulated,
            rooms: Rooms::default(),
            latest: Rooms::default(),
            devices: BTreeMap::new(),
            infos: BTreeMap::new(),
            sessions: HashMap::new(),
            next_session: 0,
            next_ticket: 0,
            news,
            frames,
            board: Board::new(epoch),
            answers: Answers::default(),
            work: Work::default(),
            sequences: Sequences::default(),
            alerts: Alerts::default(),
            calls: Calls::none(),
            maintenance: BTreeMap::new(),
            alive_at: Instant::now(),
            is_reloaded: false,
            journal: Journal::default(),
            saving: HashMap::new(),
        };
        hub.apply(rooms)?;
        Ok(hub)
    }

    /// The lines to be said, in their order.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        self.board.take_lines()
    }

    /// When [`tick`](Hub::tick) is wanted at the latest.
    pub(super) fn due(&self) -> Instant {
        let stops = self.devices.values().flat_map(|device| device.moving.values());
        let stop = stops.map(|(at, _)| *at).min();
        let others = [stop, self.work.due(), self.alerts.due(), self.calls.due(), self.idle_due()];
        others.into_iter().flatten().fold(self.alive_at, Instant::min)
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.alive_at <= now {
            self.alive_at = now + ALIVE_EVERY;
            self.board.say(Fact::Alive);
        }
        self.stop_forgotten(now);
        let outcome = self.work.expire(now);
        self.settle(outcome, now);
        self.end_maintenance();
        self.calls_tick();
        self.raise_alerts(now);
        self.stop_idle(now);
    }

    /// Takes in what a session says.
    pub(super) fn news(&mut self, session: SessionId, news: News, now: Instant) {
        let Some((room, device)) = self.sessions.get(&session).cloned() else { return };
        match news {
            News::Opened => self.opened(&room, &device, now),
            News::Online => self.online(&room, &device, now),
            News::Offline(reason, text) => self.offline(&room, &device, reason, &text, now),
            News::State(key, value) => self.state(&room, &device, &key, &value, now),
            News::Answer(ticket, result) => {
                if self.codec_answered(ticket, &result) {
                    return;
                }
                self.view_saved(ticket, result.is_ok());
                let board = &self.board;
                let state = |room: &RoomName, device: &DeviceName, key: &str| {
                    board.state(room, device, key).map(str::to_owned)
                };
                let outcome = self.work.answered(ticket, result, state, now);
                self.settle(outcome, now);
            }
            News::Call(fact) => self.call(&room, fact),
        }
        self.raise_alerts(now);
    }

    fn opened(&mut self, room: &RoomName, name: &DeviceName, now: Instant) {
        let Some(device) = self.devices.get_mut(&(room.clone(), name.clone())) else { return };
        device.is_open = Some(true);
        if let Some(bridge) = device.bridge.clone() {
            self.bridge(room, &bridge, now);
        }
    }

    fn online(&mut self, room: &RoomName, name: &DeviceName, now: Instant) {
        let Some(device) = self.devices.get_mut(&(room.clone(), name.clone())) else { return };
        device.is_online = Some(true);
        let role = device.role.clone();
        self.alerts.online(room, name);
        self.say_device(room, name, DeviceState::Online, role);
        self.codec_online(room, name);
        self.check_alerts_of(room, now);
    }

    fn offline(
        &mut self,
        room: &RoomName,
        name: &DeviceName,
        reason: OfflineReason,
        text: &str,
        now: Instant,
    ) {
        let Some(device) = self.devices.get_mut(&(room.clone(), name.clone())) else { return };
        let was = device.is_online.replace(false);
        device.is_open = Some(false);
        device.moving.clear();
        let (role, bridge) = (device.role.clone(), device.bridge.clone());
        if was != Some(false) {
            tracing::info!("{room} {name}: offline, {reason}: {text}");
        }
        self.alerts.offline(room, name, reason, text, now);
        self.say_offline(room, name, reason, role);
        if let Some(bridge) = bridge {
            self.bridge(room, &bridge, now);
        }
        self.codec_offline(room, name, reason);
        self.check_alerts_of(room, now);
    }

    /// Since when it is so stays as it was while the reason is the same.
    fn say_offline(
        &mut self,
        room: &RoomName,
        name: &DeviceName,
        reason: OfflineReason,
        role: Option<Word>,
    ) {
        if self.board.offline_reason(room, name) != Some(reason) {
            let since = Some(wall_clock());
            self.say_device(room, name, DeviceState::Offline { reason, since }, role);
        }
    }

    fn say_device(
        &mut self,
        room: &RoomName,
        device: &DeviceName,
        state: DeviceState,
        role: Option<Word>,
    ) {
        let (room, device) = (room.clone(), device.clone());
        self.board.say(Fact::Device { room, device, state, role });
    }

    /// A bridge is there while it takes any of its devices' connections; when it is back, the others
    /// need not wait for their next try. One that is spoken to itself says so itself.
    fn bridge(&mut self, room: &RoomName, bridge: &DeviceName, now: Instant) {
        if self.devices.contains_key(&(room.clone(), bridge.clone())) {
            return;
        }
        let is_open: Vec<_> = self
            .devices
            .iter()
            .filter(|((of, _), device)| of == room && device.bridge.as_ref() == Some(bridge))
            .map(|((_, name), device)| (name.clone(), device.is_open))
            .collect();
        let any = |wanted| is_open.iter().any(|(_, is_open)| *is_open == Some(wanted));
        let role = Word::new("bridge").ok();
        if any(true) {
            if self.board.offline_reason(room, bridge).is_some() {
                let closed = is_open.iter().filter(|(_, is_open)| *is_open == Some(false));
                for (name, _) in closed {
                    self.order(room, name, Order::Reconnect);
                }
            }
            self.alerts.online(room, bridge);
            self.say_device(room, bridge, DeviceState::Online, role);
        } else if any(false) {
            let reason = OfflineReason::Unreachable;
            self.alerts.offline(room, bridge, reason, "none of its lines can be reached", now);
            self.say_offline(room, bridge, reason, role);
        }
    }

    fn state(
        &mut self,
        room: &RoomName,
        device: &DeviceName,
        key: &str,
        value: &str,
        now: Instant,
    ) {
        self.say_state(room, device, key, value);
        if key == "power" {
            self.say_ready_in(room, device, value);
        }
        self.health(room, device, key, value);
        let outcome = self.work.reported(room, device, key, value);
        self.settle(outcome, now);
    }

    /// What warms up or cools down will be ready after so many seconds; empty when it is.
    fn say_ready_in(&mut self, room: &RoomName, device: &DeviceName, power: &str) {
        let settings = self.rooms.get(room).and_then(|room| room.devices.get(device));
        let seconds = settings.and_then(|settings| match power {
            "warming" => settings.warm_seconds,
            "cooling" => settings.cool_seconds,
            _ => None,
        });
        let seconds = seconds.map_or(String::new(), |seconds| seconds.to_string());
        self.say_state(room, device, READY_IN, &seconds);
    }

    fn say_state(&mut self, room: &RoomName, device: &DeviceName, key: &str, value: &str) {
        let Ok(key) = Key::new(key) else {
            return tracing::warn!("{room} {device} has a state {key:?}, which no message can say");
        };
        let (room, device) = (room.clone(), device.clone());
        let keys = Keys::of(key, Text::clean(value));
        self.board.say(Fact::State { room, device, keys });
    }

    /// Orders what is wanted, and follows it until it is so.
    fn begin(&mut self, owner: Owner, room: &RoomName, parts: Vec<Part>, now: Instant) {
        let mut ordered = Vec::new();
        let mut busy = Vec::new();
        for part in parts {
            let ticket = self.ticket();
            self.remember(room, &part, ticket);
            if self.board.offline_reason(room, &part.device) == Some(OfflineReason::Asleep) {
                self.order(room, &part.device, Order::Reconnect);
            }
            let order = Order::Command(part.command.clone(), ticket);
            if !self.order(room, &part.device, order) {
                busy.push(ticket);
            }
            ordered.push((ticket, part));
        }
        let wanted: Vec<_> = ordered.iter().map(|(_, part)| part.clone()).collect();
        let outcome = self.work.begin(owner, room, ordered, now);
        self.settle(outcome, now);
        for part in wanted {
            let Some((key, value)) = part.target else { continue };
            if self.board.state(room, &part.device, &key) != Some(&value) {
                self.say_state(room, &part.device, &format!("wanted.{key}"), &value);
            }
        }
        for ticket in busy {
            self.saving.remove(&ticket);
            let refusal = rooms_drivers::Reason::Busy.into();
            let outcome = self.work.answered(ticket, Err(refusal), |_, _, _| None, now);
            self.settle(outcome, now);
        }
    }

    /// Notes what somebody wants.
    fn remember(&mut self, room: &RoomName, part: &Part, ticket: Ticket) {
        if let Some((key, value)) = &part.target {
            self.journal.wanted((room, &part.device), (key, value), wall_clock());
        }
        if let Command::Preset(PresetAction::Save, number) = part.command {
            self.saving.insert(ticket, (room.clone(), part.device.clone(), number));
        }
    }

    fn view_saved(&mut self, ticket: Ticket, is_done: bool) {
        let Some((room, device, number)) = self.saving.remove(&ticket) else { return };
        if is_done {
            let camera = self.rooms.get(&room).and_then(|room| room.devices.get(&device));
            let name = camera.and_then(|camera| camera.presets.get(&number));
            let name = name.map_or("saved", String::as_str);
            self.journal.saved((&room, &device), (number, name), wall_clock());
        }
    }

    /// Says what became of wishes and steps.
    fn settle(&mut self, outcome: Outcome, now: Instant) {
        for (room, device, key) in outcome.settled {
            self.say_state(&room, &device, &format!("wanted.{key}"), "");
        }
        for (owner, result) in outcome.finished {
            match owner {
                Owner::Wish(id) => self.say_end(id, result),
                Owner::Step(room) => self.step_done(&room, result, now),
            }
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// Tells a session; false if it has no time or there is none.
    fn order(&self, room: &RoomName, device: &DeviceName, order: Order) -> bool {
        let device = self.devices.get(&(room.clone(), device.clone()));
        let orders = device.and_then(|device| device.orders.as_ref());
        orders.is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// A room with what is known of it; none if there is no such room.
    fn view(&self, room: &RoomName) -> Option<View<'_>> {
        static NONE: BTreeMap<DeviceName, DriverInfo> = BTreeMap::new();
        Some(View {
            room: self.rooms.get(room)?,
            infos: self.infos.get(room).unwrap_or(&NONE),
            board: &self.board,
            in_call: self.calls.is_busy(room),
        })
    }

    /// Devices that are known to be offline are not told anything: a press is meant now. Who sleeps
    /// is woken.
    fn check_online(&self, room: &RoomName, parts: &[Part]) -> Result<(), Refused> {
        for part in parts {
            let device = self.devices.get(&(room.clone(), part.device.clone()));
            let why = self.board.offline_reason(room, &part.device);
            let asleep = why == Some(OfflineReason::Asleep);
            if device.is_none_or(|device| device.is_online == Some(false) && !asleep) {
                let why = why.map_or(String::new(), |reason| format!(" ({reason})"));
                let text = format!("{} is offline{why}", part.device);
                return Err(Refused::new(rooms_messages::Reason::Offline, text));
            }
        }
        Ok(())
    }

    /// Stops cameras that nobody has told to go on.
    fn stop_forgotten(&mut self, now: Instant) {
        let mut stops = Vec::new();
        for ((room, name), device) in &mut self.devices {
            device.moving.retain(|what, (at, _)| {
                let goes_on = *at > now;
                if !goes_on {
                    stops.push((room.clone(), name.clone(), *what));
                }
                goes_on
            });
        }
        for (room, device, what) in stops {
            let stop = match what {
                "move" => Command::Move(Move::Stop),
                _ => Command::Zoom(Zoom::Stop),
            };
            let ticket = self.ticket();
            self.order(&room, &device, Order::Command(stop, ticket));
        }
    }

    /// Whether a device hangs on a bridge of its room.
    fn bridge_of(connect: &Connect) -> Option<DeviceName> {
        match connect {
            Connect::Bridge { name, .. } => Some(name.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
