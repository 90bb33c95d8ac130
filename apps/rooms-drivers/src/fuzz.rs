//! What fuzzing calls, for each driver: any bytes, commands and timers in any order; a panic where
//! a driver breaks what [`Driver`] promises. The same function replays the kept corpora in plain
//! tests.

mod wires;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Command, Driver, Effect, Io, Ticket, TimerId, build, vocabulary};

/// The most that a driver may keep of what its device says, in characters of its debug output.
const KEPT_MAX: usize = 1 << 17;
/// The longest input that is played; what is beyond says nothing new.
const STEPS_MAX: usize = 2000;

/// Plays this driver by these bytes.
///
/// # Panics
///
/// When the driver does what it must not.
pub fn fuzz(name: &str, data: &[u8]) {
    wires::check(name, data);
    let mut play = Play::of(name);
    let mut rest = data.iter().copied();
    for _ in 0..STEPS_MAX {
        let Some(step) = rest.next() else { break };
        let mut argument = || usize::from(rest.next().unwrap_or(0));
        match step % 8 {
            0 if play.is_open => play.close(),
            0 => play.open(),
            1 => {
                let at = argument();
                play.ring(at);
            }
            2 => {
                let at = argument();
                play.command(at);
            }
            3 | 4 => {
                let at = argument();
                play.hint(at);
            }
            _ => {
                let length = argument();
                let bytes: Vec<_> = rest.by_ref().take(length).collect();
                play.bytes(&bytes);
            }
        }
    }
    play.close();
}

/// Settings with which the driver can do the most.
fn settings(name: &str) -> &'static str {
    match name {
        "pjlink" => "password = \"p\"\nlogin = \"sha256\"\ninputs = { hdmi1 = \"31\" }",
        "extron-sis" => "password = \"p\"\ninputs = { hdmi1 = 1 }",
        "polycom-group" | "cisco-xapi" => "password = \"p\"",
        "lutron" => "outputs = { table = 2 }\nscenes.meeting = { table = 80 }\narea = 1",
        "itach-relay" => "relays = { down = \"1:1\", up = \"1:2\" }\nsensors = { open = \"2:1\" }",
        "itach-serial" => "lines = { 1 = \"9600 8N1\" }",
        _ => "",
    }
}

/// What such a device says, so that bytes lead into its states.
fn hints(name: &str) -> &'static [&'static [u8]] {
    match name {
        "pjlink" => &[
            b"PJLINK 0\r",
            b"PJLINK 1 498e4a67\r",
            b"PJLINK 2 0123456789abcdef0123456789abcdef\r",
            b"PJLINK ERRA\r",
            b"%1POWR=1\r",
            b"%1POWR=0\r",
            b"%1POWR=OK\r",
            b"%1CLSS=2\r",
            b"%1INPT=OK\r",
            b"%1LAMP=ERR1\r",
            b"%1AVMT=31\r",
        ],
        "visca-serial" | "visca-ip" => &[
            b"\x88\x30\x02\xFF\x88\x01\x00\x01\xFF",
            b"\x90\x50\x02\xFF",
            b"\x90\x41\xFF",
            b"\x90\x51\xFF",
            b"\x90\x60\x03\xFF",
            b"\x02\x01\x00\x01\x00\x00\x00\x00\x01",
            b"\x01\x11\x00\x04\x00\x00\x00\x01\x90\x50\x02\xFF",
            b"\x01\x11\x00\x03\x00\x00\x00\x02\x90\x41\xFF",
            b"\x02\x01\x00\x02\x00\x00\x00\x02\x0F\x01",
        ],
        "lumens-dc" => &[
            b"\xA0\xB7\x01\x01\x00\xAF",
            b"\xA0\xB0\x01\x00\x00\xAF",
            b"\xA0\x8A\x64\x00\x00\xAF",
            b"\xA0\x11\x00\x00\x02\xAF",
        ],
        "polycom-group" => &[
            b"Password:",
            b"notify callstatus success\r\n",
            b"system is not in a call\r\n",
            b"dialing manual\r\n",
            b"notification:callstatus:outgoing:45:A:1:connected:384:0:videocall\r\n",
            b"notification:callstatus:incoming:46:A:1:ringing:384:0:videocall\r\n",
            b"callinfo begin\r\ncallinfo:45::1:384:connected:notmuted:outgoing:videocall\r\n",
            b"callinfo end\r\n",
            b"hanging up all\r\n",
            b"volume 30\r\n",
        ],
        "cisco-xapi" => &[
            b"login: ",
            b"Password: ",
            b"*r Login successful\r\n",
            b"OK\r\n",
            b"*s Call 2 Status: Connected\r\n** end\r\n",
            b"*s Call 2 (ghost=True):\r\n** end\r\n",
            b"** resultId: \"1\"\r\n** end\r\n",
            b"*s Audio Volume: 50\r\n** end\r\n",
        ],
        "lutron" => &[
            b"login: ",
            b"password: ",
            b"GNET> ",
            b"~OUTPUT,2,1,75.00\r\n",
            b"~AREA,1,6,3\r\n",
            b"~ERROR,2\r\n",
        ],
        "itach-relay" | "itach-serial" => &[
            b"710-2000-15\r",
            b"state,1:1,1\r",
            b"state,1:1,0\r",
            b"SERIAL,1:1,9600,FLOW_NONE,PARITY_NO\r",
            b"ERR_1:1,003\r",
        ],
        "extron-sis" => &[
            b"Password:",
            b"Login User\r\n",
            b"Vrb3\r\n",
            b"In1 All\r\n",
            b"Vol50\r\n",
            b"Sig 1 0\r\n",
            b"E10\r\n",
        ],
        _ => &[
            b"*POW=ON#\r\n",
            b"*Block item#\r\n",
            b"PWR=01\r:",
            b":",
            b"ERR\r:",
            b"a 01 OK01x",
            b"f 01 OK1ex",
            b"a 01 NG00x",
        ],
    }
}

const COMMANDS: [&str; 24] = [
    "power on",
    "power off",
    "input hdmi1",
    "blank on",
    "mute off",
    "volume 30",
    "volume +5",
    "move left 40",
    "move stop",
    "move home",
    "zoom in",
    "zoom stop",
    "preset recall 3",
    "preset save 200",
    "scene meeting",
    "level table 60",
    "relay down pulse",
    "relay up on",
    "prepare",
    "dial sip:lisbon@example.net",
    "answer",
    "hangup",
    "hangup 45",
    "share on",
];

/// A driver, and what its session would know.
struct Play {
    name: String,
    driver: Box<dyn Driver>,
    is_open: bool,
    timers: BTreeMap<String, TimerId>,
    open_tickets: BTreeSet<Ticket>,
    next_ticket: u64,
}

impl Play {
    fn of(name: &str) -> Play {
        let settings = settings(name).parse().expect("these are TOML");
        Play {
            name: name.to_owned(),
            driver: build(name, &settings).expect("the settings are right"),
            is_open: false,
            timers: BTreeMap::new(),
            open_tickets: BTreeSet::new(),
            next_ticket: 0,
        }
    }

    fn open(&mut self) {
        self.is_open = true;
        let mut io = Io::new();
        self.driver.opened(&mut io);
        self.carry_out(&mut io, 0);
    }

    fn close(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let mut io = Io::new();
        self.driver.closed(&mut io);
        self.carry_out(&mut io, 0);
        self.timers.clear();
        assert!(self.open_tickets.is_empty(), "closed, and never answered {:?}", self.open_tickets);
        let kept = format!("{:?}", self.driver).len();
        assert!(kept < KEPT_MAX, "{} keeps {kept} characters", self.name);
    }

    fn ring(&mut self, at: usize) {
        let count = self.timers.len().max(1);
        let Some(name) = self.timers.keys().nth(at % count).cloned() else { return };
        let timer = self.timers.remove(&name).expect("it was found");
        let mut io = Io::new();
        self.driver.timer(timer, &mut io);
        self.carry_out(&mut io, 0);
    }

    fn command(&mut self, at: usize) {
        if !self.is_open {
            return;
        }
        let command: Command = COMMANDS[at % COMMANDS.len()].parse().expect("a command");
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let mut io = Io::new();
        // It may be answered at once.
        self.open_tickets.insert(ticket);
        let refused = self.driver.command(&command, ticket, &mut io);
        if refused.is_err() {
            assert!(self.open_tickets.remove(&ticket), "a ticket is new");
        }
        self.carry_out(&mut io, 0);
    }

    fn hint(&mut self, at: usize) {
        let hints = hints(&self.name);
        self.bytes(hints[at % hints.len()]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.is_open {
            let mut io = Io::new();
            self.driver.bytes(bytes, &mut io);
            self.carry_out(&mut io, bytes.len());
        }
    }

    fn carry_out(&mut self, io: &mut Io, length: usize) {
        let effects = io.take();
        assert!(effects.len() <= 200 + 50 * length, "{} effects of {length} bytes", effects.len());
        for effect in effects {
            match effect {
                Effect::Send { bytes, .. } => {
                    assert!(self.is_open, "sent while closed");
                    assert!((1..=1000).contains(&bytes.len()), "{bytes:?}");
                }
                Effect::Set { key, value } => {
                    let info = self.driver.info();
                    vocabulary::check(info.kind, &key, &value)
                        .unwrap_or_else(|wrong| panic!("{wrong}"));
                    let known = vocabulary::key_of(info.kind, &key).expect("it was checked");
                    assert!(info.keys.contains(&known.name), "{key} is not announced");
                }
                Effect::Done(ticket) | Effect::Fail(ticket, _) => {
                    assert!(self.open_tickets.remove(&ticket), "{ticket:?} is answered twice");
                }
                Effect::Timer(timer, after) => {
                    assert!(self.is_open && after.as_secs() <= 3600, "{timer} after {after:?}");
                    self.timers.insert(timer.to_string(), timer);
                }
                Effect::Cancel(timer) => drop(self.timers.remove(&timer.to_string())),
                Effect::Online | Effect::Fault(_) => assert!(self.is_open, "news while closed"),
                Effect::Call(fact) => drop(fact.to_string()),
                Effect::Log(text) => assert!(text.len() <= 50_000, "{} bytes of log", text.len()),
            }
        }
    }
}
