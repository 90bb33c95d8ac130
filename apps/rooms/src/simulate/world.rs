//! All devices of all rooms, played: what arrives and time go in, what is to be sent comes out.
//!
//! Faults of lines (silence, noise, delay, ends) are made here, whatever the protocol; faults
//! inside a device are its model's. Nothing here has a socket or reads a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rooms_files::{Connect, Rooms};
use rooms_messages::{DeviceName, RoomName};

use super::calls::{Calls, News};
use super::model::{Defect, Effect, Model, Out};
use super::models;
use super::order::{self, Fault, Order, matches};
use crate::ports::Ports;

/// So long a device is away when it is rebooted.
const REBOOTS_FOR: Duration = Duration::from_secs(5);

/// What is to be done at a device's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineOrder {
    /// Send this, if this is still the session.
    Send(u32, Vec<u8>),
    /// End this session.
    Close(u32),
    /// Be out of reach.
    Down,
    /// Be within reach again.
    Up,
}

/// Something that went over a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When, since the simulator began.
    pub at: Duration,
    /// Whose line.
    pub device: usize,
    /// The controller said it.
    pub from_controller: bool,
    /// As it went.
    pub bytes: Vec<u8>,
}

/// The devices, and what is between them.
#[derive(Debug, Default)]
pub struct World {
    devices: Vec<Played>,
    by_name: BTreeMap<(RoomName, DeviceName), usize>,
    calls: Calls,
    due: BTreeSet<(Duration, usize)>,
    expected: Vec<Expected>,
    orders: Vec<(usize, LineOrder)>,
    answers: Vec<String>,
    frames: Vec<Frame>,
}

#[derive(Debug)]
struct Played {
    name: (RoomName, DeviceName),
    bridge: Option<DeviceName>,
    is_codec: bool,
    model: Box<dyn Model>,
    out: Out,
    session: Option<u32>,
    is_silent: bool,
    is_noisy: bool,
    closes: bool,
    slow: Option<Duration>,
    late: VecDeque<(Duration, Vec<u8>)>,
    down_until: Option<Duration>,
    /// What stands in [`World::due`].
    due: Option<Duration>,
}

#[derive(Debug)]
struct Expected {
    device: usize,
    pattern: String,
    until: Duration,
    line: String,
}

impl World {
    /// Every device of these rooms that has a port, in the order of the ports. The same seed makes
    /// the same numbers; time passes so many times faster than the controllers'.
    ///
    /// # Errors
    /// A device can't be played; says which and why.
    pub fn new(rooms: &Rooms, ports: &Ports, seed: u64, speed: f64) -> Result<World, String> {
        let mut world = World::default();
        let mut seeds = fastrand::Rng::with_seed(seed);
        for (room_name, name) in ports.keys() {
            let Some(room) = rooms.get(room_name) else { continue };
            let at = world.devices.len();
            let (mut bridge, mut is_codec) = (None, false);
            let model = if let Some(device) = room.devices.get(name) {
                if let Connect::Bridge { name, .. } = &device.connect {
                    bridge = Some(name.clone());
                }
                is_codec = device.role == "codec";
                if is_codec {
                    let mut numbers = device.number_match.clone();
                    numbers.extend(device.dial.clone());
                    let appears_as =
                        numbers.first().cloned().unwrap_or_else(|| room.id.to_string());
                    world.calls.add(at, room.id.clone(), &numbers, appears_as);
                }
                models::build(&room.title, device)
                    .map_err(|wrong| format!("{room_name} {name}: {wrong}"))?
            } else if let Some(found) = room.bridges.get(name) {
                models::bridge(found)
            } else {
                continue;
            };
            let name = (room_name.clone(), name.clone());
            world.by_name.insert(name.clone(), at);
            world.devices.push(Played {
                name,
                bridge,
                is_codec,
                model,
                out: Out::new(seeds.u64(..), speed),
                session: None,
                is_silent: false,
                is_noisy: false,
                closes: false,
                slow: None,
                late: VecDeque::new(),
                down_until: None,
                due: None,
            });
        }
        Ok(world)
    }

    /// Room and name of a device.
    #[must_use]
    pub fn name(&self, device: usize) -> &(RoomName, DeviceName) {
        &self.devices[device].name
    }

    /// A device's states.
    #[must_use]
    pub fn states(&self, device: usize) -> Vec<(String, String)> {
        self.devices[device].model.states()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// A controller has connected.
    pub fn opened(&mut self, device: usize, session: u32, now: Duration) {
        let played = &mut self.devices[device];
        if played.down_until.is_some() {
            return;
        }
        played.session = Some(session);
        played.late.clear();
        if played.closes {
            played.session = None;
            return self.orders.push((device, LineOrder::Close(session)));
        }
        played.out.now = now;
        if !played.is_silent {
            played.model.opened(&mut played.out);
        }
        self.settle(device, now);
    }

    /// The controller has gone.
    pub fn closed(&mut self, device: usize, session: u32) {
        let played = &mut self.devices[device];
        played.session = played.session.filter(|open| *open != session);
        if played.session.is_none() {
            played.late.clear();
        }
    }

    /// The controller has sent something.
    pub fn received(&mut self, device: usize, session: u32, data: &[u8], now: Duration) {
        let played = &mut self.devices[device];
        if played.session != Some(session) {
            return;
        }
        let (bytes, from_controller) = (data.to_vec(), true);
        self.frames.push(Frame { at: now, device, from_controller, bytes });
        self.compare(device, data);
        let played = &mut self.devices[device];
        if played.is_silent {
            return;
        }
        played.out.now = now;
        played.model.bytes(data, &mut played.out);
        self.settle(device, now);
    }

    /// When [`tick`](World::tick) is next to be called.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let devices = self.due.first().map(|(at, _)| *at);
        let expected = self.expected.iter().map(|expected| expected.until).min();
        devices.into_iter().chain(expected).chain(self.calls.due()).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Duration) {
        let mut news = News::new();
        self.calls.tick(now, &mut news);
        self.hear(news, now);
        let due: Vec<_> = self.due.range(..=(now, usize::MAX)).map(|(_, device)| *device).collect();
        for device in due {
            let played = &mut self.devices[device];
            if played.down_until.is_some_and(|until| until <= now) {
                played.down_until = None;
                self.orders.push((device, LineOrder::Up));
                if played.is_codec {
                    self.calls.is_back(device);
                }
            }
            while played.late.front().is_some_and(|(at, _)| *at <= now) {
                let (_, bytes) = played.late.pop_front().expect("there is a first");
                self.orders.extend(sent(&mut self.frames, device, played.session, bytes, now));
            }
            played.out.now = now;
            if played.model.due().is_some_and(|due| due <= now) {
                played.model.tick(&mut played.out);
            }
            self.settle(device, now);
        }
        for expected in self.expected.extract_if(.., |expected| expected.until <= now) {
            self.answers.push(format!("error {}: it did not come in time", expected.line));
        }
    }

    /// What is to be done at the devices' lines, in order.
    pub fn take(&mut self) -> Vec<(usize, LineOrder)> {
        std::mem::take(&mut self.orders)
    }

    /// Answers to orders.
    pub fn answers(&mut self) -> Vec<String> {
        std::mem::take(&mut self.answers)
    }

    /// What went over the lines.
    pub fn frames(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.frames)
    }

    /// Carries out an order. The answer is among [`answers`](World::answers), sooner or later.
    pub fn order(&mut self, line: &str, now: Duration) {
        let line = line.trim();
        match Order::parse(line).and_then(|order| self.carry_out(order, line, now)) {
            Ok(Some(more)) => self.answers.push(format!("ok {line}{more}")),
            Ok(None) => {}
            Err(wrong) => self.answers.push(format!("error {line}: {wrong}")),
        }
    }

    /// What follows the repeated line in its answer; none if the answer comes later.
    fn carry_out(
        &mut self,
        order: Order,
        line: &str,
        now: Duration,
    ) -> Result<Option<String>, String> {
        match order {
            Order::Help => {
                self.answers.extend(order::help().map(|order| format!("ok help {order}")));
                return Ok(None);
            }
            Order::ShowRooms => return Ok(Some(format!(" rooms={}", self.rooms().join(",")))),
            Order::ShowRoom(room) => {
                return Ok(Some(format!(" devices={}", self.of_room(&room)?.join(","))));
            }
            Order::Show(room, of) => {
                let device = self.find(&room, &of)?;
                let states = self.devices[device].model.states().into_iter();
                let states = states.map(|(key, value)| format!(" {key}={}", quoted(&value)));
                return Ok(Some(states.collect()));
            }
            Order::Fault(room, of, fault) => {
                let device = self.find(&room, &of)?;
                self.fault(device, &fault)?;
            }
            Order::Drop(rooms, only) => {
                for room in &rooms {
                    self.of_room(room)?;
                }
                let mut news = News::new();
                self.calls.lose([&rooms[0], &rooms[1]], only.as_ref(), &mut news)?;
                self.hear(news, now);
            }
            Order::Reboot(room, of) => {
                let device = self.find(&room, &of)?;
                self.devices[device].model.rebooted();
                self.goes_down(device, now + REBOOTS_FOR);
                if self.devices[device].is_codec {
                    self.calls.lost_power(device, now);
                }
            }
            Order::Cut(room, bridge, time) => {
                let is_behind = |played: &Played| {
                    played.name.0 == room
                        && (played.bridge.as_ref() == Some(&bridge) || played.name.1 == bridge)
                };
                let behind: Vec<_> =
                    (0..self.len()).filter(|at| is_behind(&self.devices[*at])).collect();
                if behind.is_empty() {
                    let bridges = self.devices.iter().filter(|played| played.name.0 == room);
                    let bridges =
                        bridges.filter_map(|played| Some(played.bridge.as_ref()?.as_str()));
                    let there: BTreeSet<_> =
                        self.of_room(&room)?.into_iter().chain(bridges).collect();
                    return Err(none_of(&room, &bridge, there));
                }
                behind.into_iter().for_each(|device| self.goes_down(device, now + time));
            }
            Order::Ring(room, from) => {
                self.of_room(&room)?;
                let mut news = News::new();
                self.calls.ring(&room, &from, now, &mut news)?;
                self.hear(news, now);
            }
            Order::Press(room, of, button) => {
                let device = self.find(&room, &of)?;
                let played = &mut self.devices[device];
                played.out.now = now;
                played.model.press(&button, &mut played.out)?;
                self.settle(device, now);
            }
            Order::Expect(room, of, pattern, within) => {
                let device = self.find(&room, &of)?;
                let line = line.to_owned();
                self.expected.push(Expected { device, pattern, until: now + within, line });
                return Ok(None);
            }
        }
        Ok(Some(String::new()))
    }

    fn find(&self, room: &RoomName, device: &DeviceName) -> Result<usize, String> {
        let found = self.by_name.get(&(room.clone(), device.clone()));
        match found {
            Some(found) => Ok(*found),
            None => Err(none_of(room, device, self.of_room(room)?)),
        }
    }

    fn rooms(&self) -> Vec<&str> {
        let rooms: BTreeSet<_> = self.by_name.keys().map(|(room, _)| room.as_str()).collect();
        rooms.into_iter().collect()
    }

    /// The names of a room's devices.
    fn of_room(&self, room: &RoomName) -> Result<Vec<&str>, String> {
        let of_room = self.by_name.keys().filter(|(known, _)| known == room);
        let names: Vec<_> = of_room.map(|(_, name)| name.as_str()).collect();
        if names.is_empty() {
            return Err(format!("there is no room {room}; there is {}", self.rooms().join(", ")));
        }
        Ok(names)
    }

    fn fault(&mut self, device: usize, fault: &Fault) -> Result<(), String> {
        let played = &mut self.devices[device];
        let mut ends = false;
        match fault {
            Fault::Off => {
                (played.is_silent, played.is_noisy, played.closes) = (false, false, false);
                played.slow = None;
                played.model.defect(&Defect::Off)?;
            }
            Fault::NoReply => played.is_silent = true,
            Fault::Garbage => played.is_noisy = true,
            Fault::Close => (played.closes, ends) = (true, true),
            Fault::Slow(time) => played.slow = Some(*time),
            Fault::Defect(defect) => {
                played.model.defect(defect)?;
                // A password is only asked for at the beginning.
                ends = *defect == Defect::WrongPassword;
            }
        }
        if ends && let Some(session) = played.session.take() {
            self.orders.push((device, LineOrder::Close(session)));
        }
        Ok(())
    }

    fn goes_down(&mut self, device: usize, until: Duration) {
        let played = &mut self.devices[device];
        played.session = None;
        played.late.clear();
        played.down_until = played.down_until.max(Some(until));
        self.orders.push((device, LineOrder::Down));
        self.note_due(device);
    }

    /// Codecs hear of their calls.
    fn hear(&mut self, news: News, now: Duration) {
        for (codec, news) in news {
            let played = &mut self.devices[codec];
            played.out.now = now;
            played.model.call(&news, &mut played.out);
            self.settle(codec, now);
        }
    }

    /// Carries out what a model wants.
    fn settle(&mut self, device: usize, now: Duration) {
        let played = &mut self.devices[device];
        let mut news = News::new();
        for effect in played.out.take() {
            match effect {
                // A session that has no controller yet hears nothing.
                Effect::Send(_) if played.session.is_none() => {}
                Effect::Send(_) | Effect::Close if played.is_silent => {}
                Effect::Send(mut bytes) => {
                    if played.is_noisy {
                        played.out.random.fill(&mut bytes);
                    }
                    if let Some(slow) = played.slow {
                        played.late.push_back((now + slow, bytes));
                    } else {
                        self.orders.extend(sent(
                            &mut self.frames,
                            device,
                            played.session,
                            bytes,
                            now,
                        ));
                    }
                }
                Effect::Close => {
                    let session = played.session.take();
                    self.orders.extend(session.map(|session| (device, LineOrder::Close(session))));
                }
                Effect::Call(action) => self.calls.act(device, action, now, &mut news),
            }
        }
        self.note_due(device);
        self.hear(news, now);
    }

    fn note_due(&mut self, device: usize) {
        let played = &mut self.devices[device];
        let late = played.late.front().map(|(at, _)| *at);
        let due = played.model.due().into_iter().chain(late).chain(played.down_until).min();
        if let Some(before) = std::mem::replace(&mut played.due, due) {
            self.due.remove(&(before, device));
        }
        self.due.extend(due.map(|due| (due, device)));
    }

    /// Whether somebody waits for this.
    fn compare(&mut self, device: usize, data: &[u8]) {
        if self.expected.is_empty() {
            return;
        }
        let lines = readable(data);
        let has_come = |expected: &mut Expected| {
            expected.device == device && lines.iter().any(|line| matches(&expected.pattern, line))
        };
        for expected in self.expected.extract_if(.., has_come) {
            self.answers.push(format!("ok {}", expected.line));
        }
    }
}

fn sent(
    frames: &mut Vec<Frame>,
    device: usize,
    session: Option<u32>,
    bytes: Vec<u8>,
    now: Duration,
) -> Option<(usize, LineOrder)> {
    let session = session?;
    frames.push(Frame { at: now, device, from_controller: false, bytes: bytes.clone() });
    Some((device, LineOrder::Send(session, bytes)))
}

fn none_of<'a>(
    room: &RoomName,
    name: &DeviceName,
    there: impl IntoIterator<Item = &'a str>,
) -> String {
    let there: Vec<_> = there.into_iter().collect();
    format!("{room} has no {name}; it has {}", there.join(", "))
}

/// Text as its lines, anything else as one line of hexadecimal bytes: `81 01 04 00 02 ff`.
fn readable(data: &[u8]) -> Vec<String> {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if data.iter().all(is_text) {
        let text = String::from_utf8_lossy(data);
        return text
            .split(['\r', '\n'])
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
    }
    let bytes: Vec<_> = data.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![bytes.join(" ")]
}

fn quoted(value: &str) -> String {
    if value.is_empty() || value.contains([' ', '"', '\\']) {
        format!("{value:?}")
    } else {
        value.to_owned()
    }
}
