//! The rooms of the example and one more, a driver at each device, and a clock that is turned by
//! hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rooms_drivers::{
    CallFact, CallState, Command, Driver, Effect, Fault, Io, Refusal, Ticket, TimerId,
};

use rooms::ports::ports;
use rooms::simulate::{Frame, LineOrder, World};

const ROOM_C: &str = r#"
[room]
id = "room-c"
city = "Graz"
title = "Graz, Room 1"
[bridge.rack]
kind = "raw-tcp"
host = "10.1.9.20"
ports = { 1 = 4001, 2 = 4002, 3 = 4003 }
[device.codec]
driver = "cisco-xapi"
connect = "tcp:10.1.9.9:23"
dial = "sip:graz@example.net"
password_file = "secrets/room-c"
[device.switcher]
driver = "extron-sis"
connect = "bridge:rack/1"
line = "9600 8N1"
password_file = "secrets/room-c"
inputs = { camera = 1, laptop = 2 }
[device.projector]
driver = "text:epson-vp21"
connect = "bridge:rack/2"
line = "9600 8N1"
[device.display]
driver = "text:lg-display"
connect = "bridge:rack/3"
line = "9600 8N1"
"#;

pub(super) struct Rig {
    world: World,
    at_devices: Vec<AtDevice>,
    now: Duration,
    frames: Vec<Frame>,
    answers: Vec<String>,
    /// Held for its end.
    _folder: Option<tempfile::TempDir>,
}

struct AtDevice {
    name: String,
    is_described: bool,
    driver: Box<dyn Driver>,
    session: u32,
    is_open: bool,
    is_online: bool,
    /// The driver's own way to begin again; what it does after a wrong password is not its choice.
    opens_again: bool,
    timers: BTreeMap<TimerId, Duration>,
    states: BTreeMap<String, String>,
    fault: Option<Fault>,
    calls: BTreeMap<String, (CallState, String)>,
    answers: BTreeMap<Ticket, Result<(), Refusal>>,
}

/// The example's rooms and one more, with the descriptions that come with the drivers.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = |from: &str, to: &str| {
        std::fs::copy(crate_folder.join(from), folder.path().join(to)).expect("it is there");
    };
    for sub in ["drivers", "secrets"] {
        std::fs::create_dir(folder.path().join(sub)).expect("it is new");
    }
    for file in ["room-a.toml", "room-b.toml", "secrets/room-a.codec"] {
        copy(&format!("example/{file}"), file);
    }
    for file in ["benq.toml", "epson-vp21.toml", "lg-display.toml"] {
        copy(&format!("../rooms-drivers/devices/{file}"), &format!("drivers/{file}"));
    }
    std::fs::write(folder.path().join("room-c.toml"), ROOM_C).expect("it can be written");
    std::fs::write(folder.path().join("secrets/room-c"), "tesseract").expect("it can be written");
    folder
}

impl Rig {
    pub(super) fn new(seed: u64) -> Rig {
        let folder = folder();
        let rig = Rig::of(folder.path(), seed);
        Rig { _folder: Some(folder), ..rig }
    }

    /// The example's rooms and nothing else.
    pub(super) fn of_example() -> Rig {
        Rig::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("example"), 1)
    }

    fn of(folder: &Path, seed: u64) -> Rig {
        let (rooms, _) = rooms_files::read(folder).expect("they are right");
        let ports = ports(&rooms, 20_000).expect("there are enough");
        let world = World::new(&rooms, &ports, seed, 1.0).expect("all can be played");
        let at_devices = (0..world.len()).map(|at| {
            let (room, name) = world.name(at);
            let device = &rooms.get(room).expect("it is there").devices[name];
            let built = rooms_drivers::build(&device.driver, &device.driver_settings());
            AtDevice {
                name: format!("{room} {name}"),
                is_described: device.driver.starts_with("text:"),
                driver: built.expect("its settings are right"),
                session: 0,
                is_open: false,
                is_online: false,
                opens_again: true,
                timers: BTreeMap::new(),
                states: BTreeMap::new(),
                fault: None,
                calls: BTreeMap::new(),
                answers: BTreeMap::new(),
            }
        });
        let mut rig = Rig {
            at_devices: at_devices.collect(),
            world,
            now: Duration::ZERO,
            frames: Vec::new(),
            answers: Vec::new(),
            _folder: None,
        };
        (0..rig.at_devices.len()).for_each(|at| rig.open(at));
        rig.settle();
        rig
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.at_devices.iter().map(|at| at.name.clone()).collect()
    }

    fn at(&self, name: &str) -> usize {
        let at = self.at_devices.iter().position(|at| at.name == name);
        at.unwrap_or_else(|| panic!("there is a {name}"))
    }

    pub(super) fn is_online(&self, name: &str) -> bool {
        self.at_devices[self.at(name)].is_online
    }

    pub(super) fn fault(&self, name: &str) -> Option<Fault> {
        self.at_devices[self.at(name)].fault.clone()
    }

    pub(super) fn state(&self, name: &str, key: &str) -> &str {
        self.at_devices[self.at(name)].states.get(key).map_or("", String::as_str)
    }

    pub(super) fn calls(&self, name: &str) -> Vec<(CallState, String)> {
        self.at_devices[self.at(name)].calls.values().cloned().collect()
    }

    /// Whatever driver and device both know is the same.
    #[track_caller]
    pub(super) fn agrees(&self, name: &str) {
        let at = self.at(name);
        let mut compared = 0;
        for (key, value) in self.world.states(at) {
            // What a described device calls its inputs is its own.
            let is_own = key == "input" && self.at_devices[at].is_described;
            if let Some(known) = self.at_devices[at].states.get(&key).filter(|_| !is_own) {
                assert_eq!(*known, value, "{name} {key}");
                compared += 1;
            }
        }
        assert!(compared > 0, "{name} has said something");
    }

    /// An order, and the last line of its answer; empty if there is none yet.
    pub(super) fn order(&mut self, line: &str) -> String {
        assert!(self.answers.is_empty(), "all answers were read");
        self.world.order(line, self.now);
        self.settle();
        self.answers.pop().unwrap_or_default()
    }

    pub(super) fn answers(&mut self) -> Vec<String> {
        std::mem::take(&mut self.answers)
    }

    pub(super) fn frames(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.frames)
    }

    /// A command, and what came of it within 20 s.
    pub(super) fn tell(&mut self, name: &str, command: &Command) -> Result<(), Refusal> {
        let at = self.at(name);
        let device = &mut self.at_devices[at];
        let ticket = Ticket(u64::try_from(device.answers.len()).expect("a few"));
        let mut io = Io::new();
        device.driver.command(command, ticket, &mut io)?;
        self.carry_out(at, io);
        for _ in 0..200 {
            self.settle();
            if let Some(answer) = self.at_devices[at].answers.get(&ticket) {
                return answer.clone();
            }
            self.run_for(Duration::from_millis(100));
        }
        panic!("{name} was never answered {command:?}");
    }

    #[track_caller]
    pub(super) fn does(&mut self, name: &str, command: &Command) {
        let answer = self.tell(name, command);
        assert!(answer.is_ok(), "{name} {command:?}: {answer:?}");
    }

    /// Connects anew, whatever was before.
    pub(super) fn reopen(&mut self, name: &str) {
        let at = self.at(name);
        self.close(at);
        self.at_devices[at].fault = None;
        self.at_devices[at].opens_again = true;
        self.open(at);
        self.settle();
    }

    pub(super) fn run(&mut self, seconds: u64) {
        self.run_for(Duration::from_secs(seconds));
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let timers = self.at_devices.iter().flat_map(|at| at.timers.values().copied());
            let next = timers.chain(self.world.due()).min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            self.world.tick(self.now);
            for at in 0..self.at_devices.len() {
                let now = self.now;
                let rung: Vec<_> =
                    self.at_devices[at].timers.extract_if(.., |_, due| *due <= now).collect();
                for (timer, _) in rung {
                    let mut io = Io::new();
                    self.at_devices[at].driver.timer(timer, &mut io);
                    self.carry_out(at, io);
                }
            }
        }
        self.now = end;
    }

    /// Bytes go to and fro until nobody has any left.
    fn settle(&mut self) {
        loop {
            self.answers.extend(self.world.answers());
            self.frames.extend(self.world.frames());
            let orders = self.world.take();
            if orders.is_empty() {
                return;
            }
            for (at, order) in orders {
                let device = &mut self.at_devices[at];
                match order {
                    LineOrder::Send(session, bytes)
                        if device.is_open && session == device.session =>
                    {
                        let mut io = Io::new();
                        device.driver.bytes(&bytes, &mut io);
                        self.carry_out(at, io);
                    }
                    LineOrder::Close(session) if session == device.session => self.close(at),
                    LineOrder::Down => self.close(at),
                    LineOrder::Up => self.open(at),
                    LineOrder::Send(..) | LineOrder::Close(_) => {}
                }
            }
        }
    }

    fn open(&mut self, at: usize) {
        let device = &mut self.at_devices[at];
        if device.is_open || !device.opens_again {
            return;
        }
        device.session += 1;
        device.is_open = true;
        let mut io = Io::new();
        device.driver.opened(&mut io);
        let session = device.session;
        self.world.opened(at, session, self.now);
        self.carry_out(at, io);
    }

    fn close(&mut self, at: usize) {
        let device = &mut self.at_devices[at];
        if !device.is_open {
            return;
        }
        (device.is_open, device.is_online) = (false, false);
        device.timers.clear();
        self.world.closed(at, device.session);
        let mut io = Io::new();
        device.driver.closed(&mut io);
        self.carry_out(at, io);
    }

    fn carry_out(&mut self, at: usize, mut io: Io) {
        for effect in io.take() {
            let device = &mut self.at_devices[at];
            match effect {
                Effect::Send { bytes, .. } if device.is_open => {
                    let session = device.session;
                    self.world.received(at, session, &bytes, self.now);
                }
                Effect::Online => device.is_online = true,
                Effect::Set { key, value } => drop(device.states.insert(key, value)),
                Effect::Done(ticket) => drop(device.answers.insert(ticket, Ok(()))),
                Effect::Fail(ticket, refusal) => drop(device.answers.insert(ticket, Err(refusal))),
                Effect::Timer(timer, after) if device.is_open => {
                    device.timers.insert(timer, self.now + after);
                }
                Effect::Cancel(timer) => drop(device.timers.remove(&timer)),
                Effect::Fault(fault) => {
                    (device.fault, device.opens_again) = (Some(fault), false);
                    self.close(at);
                }
                Effect::Call(fact) => device.hear_of_call(fact),
                Effect::Send { .. } | Effect::Timer(..) | Effect::Log(_) => {}
            }
        }
    }
}

impl AtDevice {
    fn hear_of_call(&mut self, fact: CallFact) {
        match fact {
            CallFact::All(calls) => {
                self.calls =
                    calls.into_iter().map(|call| (call.id, (call.state, call.far))).collect();
            }
            CallFact::Is(call) => drop(self.calls.insert(call.id, (call.state, call.far))),
            CallFact::Ended { id, .. } => drop(self.calls.remove(&id)),
        }
    }
}
