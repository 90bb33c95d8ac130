//! Cisco codecs that speak xAPI in terminal mode, on a serial line or over telnet.
//!
//! Registrations belong to the connection and are made anew each time. Every command bears a
//! number, so that results are told from the news that comes in between. Calls are what their
//! status says; why one ended comes as an event.

pub mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use self::wire::{Entry, Line, end_reason};
use crate::call::{Call, CallFact, CallState, Direction, EndReason};
use crate::command::{Command, Move, PresetAction, Zoom};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Fault, Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, Secret, Settings};
use crate::vocabulary::{Kind, switch, text};

const BEGIN: TimerId = TimerId::new("begin");
const HEARTBEAT: TimerId = TimerId::new("heartbeat");
/// A prompt has come by then, if any comes at all.
const BEGIN_AFTER: Duration = Duration::from_secs(1);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(30);
/// With the heartbeat: a link is given up after 40 s of silence.
const WAIT: Duration = Duration::from_secs(10);
/// More calls than a codec can have.
const CALLS_MAX: usize = 32;
/// More lines than a block has.
const BLOCK_LINES_MAX: usize = 200;

pub(crate) const KEYS: &[Key] = &[
    Key::optional("user", Form::Text, "the name to log in with; admin if it says nothing"),
    Key::optional("password", Form::Secret, "its password"),
    Key::optional(
        "auto_answer",
        Form::OneOf(&["on", "mute", "off"]),
        "whether calls are answered by themselves, and with the microphones mute",
    ),
    Key::optional("content", Form::Integer(1, 10), "the source that is shared"),
];

#[derive(Debug)]
pub(crate) struct Cisco {
    info: DriverInfo,
    user: String,
    password: Option<Secret>,
    auto_answer: &'static str,
    content: Option<i64>,
    lines: Lines,
    phase: Phase,
    exchange: Exchange<Asked>,
    result_id: u32,
    block: Vec<Entry>,
    block_id: Option<u32>,
    calls: BTreeMap<String, Known>,
    volume: Option<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    /// An empty line was sent: if the codec waits for a login, it says so once more.
    Nudged,
    NamedOurselves,
    GavePassword,
    Ready {
        is_online: bool,
    },
}

#[derive(Clone, Debug)]
struct Asked {
    line: String,
    /// What stands in `| resultId=`; commands without are answered by OK.
    id: u32,
}

/// The same command is the same, whatever its number.
impl PartialEq for Asked {
    fn eq(&self, other: &Asked) -> bool {
        self.line == other.line
    }
}

/// What is known of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    status: String,
    direction: String,
    number: String,
}

impl Cisco {
    pub(crate) fn build(settings: &Settings<'_>) -> Cisco {
        let commands = [
            "power", "volume", "mute", "move", "zoom", "preset", "prepare", "dial", "answer",
            "hangup", "share",
        ];
        Cisco {
            info: DriverInfo::new("cisco-xapi", Kind::Codec, &commands),
            user: settings.text("user").unwrap_or("admin").to_owned(),
            password: settings.secret("password"),
            auto_answer: match settings.text("auto_answer") {
                Some("off") => "off",
                Some("mute") => "mute",
                _ => "on",
            },
            content: settings.integer("content"),
            lines: Lines::new(b"\r\n"),
            phase: Phase::Closed,
            exchange: Exchange::new(),
            result_id: 0,
            block: Vec::new(),
            block_id: None,
            calls: BTreeMap::new(),
            volume: None,
        }
    }

    /// A prompt has no end of line: name and password once, and not again.
    fn prompted(&mut self, io: &mut Io) {
        let rest = String::from_utf8_lossy(self.lines.rest()).to_ascii_lowercase();
        let (wants_name, wants_password) = (rest.ends_with("login:"), rest.ends_with("password:"));
        let is_prompt = (wants_name || wants_password) && !rest.starts_with(['*', ' ']);
        if !is_prompt || rest.starts_with("last") {
            return;
        }
        self.lines.clear();
        io.cancel(BEGIN);
        match (&self.phase, &self.password) {
            (Phase::Opening | Phase::Nudged, _) if wants_name => {
                io.send(format!("{}\r\n", self.user));
                self.phase = Phase::NamedOurselves;
                io.timer(BEGIN, WAIT);
            }
            (Phase::Opening | Phase::Nudged | Phase::NamedOurselves, Some(password))
                if wants_password =>
            {
                io.send_secret(format!("{}\r\n", password.0));
                self.phase = Phase::GavePassword;
                io.timer(BEGIN, WAIT);
            }
            (Phase::Closed, _) => {}
            _ => io.fault(Fault::Auth),
        }
    }

    fn begin(&mut self, io: &mut Io) {
        if matches!(self.phase, Phase::Closed | Phase::Ready { .. }) {
            return;
        }
        io.cancel(BEGIN);
        self.phase = Phase::Ready { is_online: false };
        for line in [
            "echo off",
            "xPreferences outputmode terminal",
            "xCommand Peripherals Connect ID: \"rooms\" Name: \"rooms\" Type: ControlSystem",
            "xFeedback register /Status/Call",
            "xFeedback register /Event/CallDisconnect",
            "xFeedback register /Status/Standby",
            "xFeedback register /Status/Audio",
            "xFeedback register /Status/Conference/Presentation",
            "xStatus Call",
            "xStatus Standby",
            "xStatus Audio",
            "xStatus Conference Presentation",
            "xStatus SystemUnit ProductId",
        ] {
            self.ask(line);
        }
        io.timer(HEARTBEAT, HEARTBEAT_EVERY);
    }

    fn ask(&mut self, line: &str) {
        let what = self.asked(line);
        let bytes = bytes(&what);
        self.exchange.poll(what, bytes, WAIT);
    }

    /// Commands and questions bear a number; the others don't understand one.
    fn asked(&mut self, line: &str) -> Asked {
        let numbered = line.starts_with("xCommand") || line.starts_with("xStatus");
        if numbered {
            self.result_id = self.result_id % 999_999 + 1;
        }
        Asked { line: line.to_owned(), id: if numbered { self.result_id } else { 0 } }
    }

    fn heard(&mut self, line: &str, io: &mut Io) {
        match Line::parse(line) {
            Line::LoggedIn => self.begin(io),
            Line::Entry(entry) if self.block.len() < BLOCK_LINES_MAX => self.block.push(entry),
            Line::ResultId(id) => self.block_id = Some(id),
            Line::End => {
                let (block, id) = (std::mem::take(&mut self.block), self.block_id.take());
                if matches!(self.phase, Phase::Ready { .. }) {
                    self.block_ended(&block, id, io);
                }
            }
            // A command with a number is also answered so, but its result says more.
            Line::Ok if self.exchange.asked().is_some_and(|asked| asked.id == 0) => {
                self.answered(Ok(()), io);
            }
            Line::Error if self.exchange.asked().is_some() => {
                self.answered(Err(Reason::Unsupported.into()), io);
            }
            _ => {}
        }
    }

    fn answered(&mut self, result: Result<(), Refusal>, io: &mut Io) {
        if let Phase::Ready { is_online } = &mut self.phase
            && !*is_online
        {
            *is_online = true;
            io.online();
        }
        if let Some(request) = self.exchange.answered(io) {
            request.finish(result, io);
        }
    }

    fn block_ended(&mut self, block: &[Entry], id: Option<u32>, io: &mut Io) {
        let asked = self.exchange.asked().filter(|asked| id == Some(asked.id)).cloned();
        let is_list = asked.as_ref().is_some_and(|asked| asked.line == "xStatus Call");
        if is_list {
            self.calls.clear();
        }
        let mut touched = Vec::new();
        let mut sign = None;
        let mut event = Entry::default();
        let mut result = Ok(());
        for entry in block {
            sign = entry.sign.or(sign);
            let path: Vec<_> = entry.path.iter().map(String::as_str).collect();
            match (sign, &path[..]) {
                (Some('s'), ["Call", id, ..]) => {
                    touched.push((*id).to_owned());
                    self.call_entry(id, entry);
                }
                (Some('s'), path) => self.status_entry(path, entry, io),
                (Some('e'), _) => event.values.extend(entry.values.iter().cloned()),
                (Some('r'), _) => result = result.and(result_of(entry)),
                _ => {}
            }
        }
        self.event(&event, io);
        if asked.is_some() {
            // The reason may stand on a line of its own.
            let reason = block.iter().find_map(|entry| entry.value("Reason"));
            if let (Err(refusal), Some(reason)) = (&mut result, reason) {
                refusal.text = format!("the codec says: {}", text(reason));
            }
            self.answered(result, io);
        }
        if is_list {
            let calls = self.calls.iter().map(|(id, known)| call(id, known));
            io.call(CallFact::All(calls.flatten().collect()));
        } else {
            self.calls_changed(touched, io);
        }
    }

    fn call_entry(&mut self, id: &str, entry: &Entry) {
        let is_new = !self.calls.contains_key(id);
        if entry.note.eq_ignore_ascii_case("ghost=True") {
            if let Some(known) = self.calls.get_mut(id) {
                known.status = "ghost".to_owned();
            }
            return;
        }
        // A call that is over is not begun by its last words.
        let is_over = matches!(entry.value("Status"), Some("Idle" | "Disconnecting"));
        if is_new && (is_over || self.calls.len() >= CALLS_MAX || !is_call_id(id)) {
            return;
        }
        let known = self.calls.entry(id.to_owned()).or_default();
        let name = entry.path.get(2).map(String::as_str);
        for (key, value) in &entry.values {
            let value = text(value);
            match (name, key.as_str()) {
                (None, "Status") => known.status = value,
                (None, "Direction") => known.direction = value,
                (None, "RemoteNumber") => known.number = value,
                (None, "CallbackNumber") if known.number.is_empty() => known.number = value,
                _ => {}
            }
        }
    }

    fn calls_changed(&mut self, mut touched: Vec<String>, io: &mut Io) {
        touched.dedup();
        for id in touched {
            let Some(known) = self.calls.get(&id) else { continue };
            if known.status == "ghost" {
                self.calls.remove(&id);
                io.call(CallFact::Ended { id, reason: EndReason::Unknown });
            } else if let Some(call) = call(&id, known) {
                io.call(CallFact::Is(call));
            }
        }
    }

    fn status_entry(&mut self, path: &[&str], entry: &Entry, io: &mut Io) {
        let values = entry.values.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in values {
            match (path, name, value) {
                (["Standby"], "State" | "Active", value) => {
                    let power = match value {
                        "Off" => "on",
                        "Standby" | "On" => "off",
                        "EnteringStandby" => "cooling",
                        "HalfWake" => "warming",
                        _ => "unknown",
                    };
                    io.set("power", power);
                }
                (["Audio", "Microphones"], "Mute", value) => io.set("mute", switch(value == "On")),
                (["Audio"], "Volume", value) => {
                    if let Some(volume) = value.parse().ok().filter(|volume| *volume <= 100) {
                        self.volume = Some(volume);
                        io.set("volume", volume);
                    }
                }
                (["Conference", "Presentation"], "Mode", value) => {
                    io.set("share", switch(value == "Sending"));
                }
                (["SystemUnit"], "ProductId", value) => io.set("model", text(value)),
                _ => {}
            }
        }
    }

    fn event(&mut self, entry: &Entry, io: &mut Io) {
        let (Some(id), Some(cause)) = (entry.value("CallId"), entry.value("CauseType")) else {
            return;
        };
        if self.calls.remove(id).is_some() {
            io.call(CallFact::Ended { id: id.to_owned(), reason: end_reason(cause) });
        }
    }

    fn lines_for(&self, command: &Command) -> Result<Vec<String>, Refusal> {
        let one = |line: String| Ok(vec![format!("xCommand {line}")]);
        match command {
            Command::Power(true) => one("Standby Deactivate".into()),
            Command::Power(false) => one("Standby Activate".into()),
            Command::Prepare => {
                let mode = if self.auto_answer == "off" { "Off" } else { "On" };
                let mute = if self.auto_answer == "mute" { "On" } else { "Off" };
                Ok(vec![
                    "xCommand Standby Deactivate".to_owned(),
                    format!("xConfiguration Conference AutoAnswer Mute: {mute}"),
                    format!("xConfiguration Conference AutoAnswer Mode: {mode}"),
                ])
            }
            Command::Volume(volume) => match volume.from(self.volume) {
                Some(volume) => one(format!("Audio Volume Set Level: {volume}")),
                None => Err(Reason::NotNow.into()),
            },
            Command::Mute(true) => one("Audio Microphones Mute".into()),
            Command::Mute(false) => one("Audio Microphones Unmute".into()),
            Command::Share(true) => {
                let source = self.content.map(|source| format!(" PresentationSource: {source}"));
                one(format!("Presentation Start{}", source.unwrap_or_default()))
            }
            Command::Share(false) => one("Presentation Stop".into()),
            Command::Dial(dial) => {
                let protocol = match dial.scheme() {
                    Some("sip") => " Protocol: Sip",
                    Some("h323") => " Protocol: H323",
                    _ => "",
                };
                one(format!("Dial Number: {}{protocol}", dial.address()))
            }
            Command::Answer => one("Call Accept".into()),
            Command::Hangup(None) => one("Call DisconnectAll".into()),
            Command::Hangup(Some(id)) => match self.calls.get(id) {
                Some(known) if known.status == "Ringing" && known.direction == "Incoming" => {
                    one(format!("Call Reject CallId: {id}"))
                }
                Some(_) => one(format!("Call Disconnect CallId: {id}")),
                None => Err(Refusal::unknown_name("call", id, self.calls.keys())),
            },
            Command::Move(Move::Toward(heading, percent)) => {
                let (right, up) = heading.right_up();
                let speed = u16::from(*percent).div_ceil(7).clamp(1, 15);
                let pan = ["Left", "Stop", "Right"][usize::from((right + 1).unsigned_abs())];
                let tilt = ["Down", "Stop", "Up"][usize::from((up + 1).unsigned_abs())];
                one(format!(
                    "Camera Ramp CameraId: 1 Pan: {pan} PanSpeed: {speed} Tilt: {tilt} TiltSpeed: {speed}"
                ))
            }
            Command::Move(Move::Stop) => one("Camera Ramp CameraId: 1 Pan: Stop Tilt: Stop".into()),
            Command::Move(Move::Home) => one("Camera PositionReset CameraId: 1".into()),
            Command::Zoom(zoom) => {
                let zoom = match zoom {
                    Zoom::In => "In",
                    Zoom::Out => "Out",
                    Zoom::Stop => "Stop",
                };
                one(format!("Camera Ramp CameraId: 1 Zoom: {zoom}"))
            }
            Command::Preset(_, number) if !(1..=35).contains(number) => {
                let text = format!("presets are numbered 1 to 35, not {number}");
                Err(Refusal::new(Reason::Invalid, text))
            }
            Command::Preset(PresetAction::Recall, number) => {
                one(format!("Camera Preset Activate PresetId: {number}"))
            }
            Command::Preset(PresetAction::Save, number) => {
                one(format!("Camera Preset Store CameraId: 1 PresetId: {number}"))
            }
            _ => Err(Reason::Unsupported.into()),
        }
    }
}

impl Driver for Cisco {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        self.block.clear();
        self.calls.clear();
        (self.block_id, self.volume) = (None, None);
        self.phase = Phase::Opening;
        io.timer(BEGIN, BEGIN_AFTER);
    }

    fn closed(&mut self, io: &mut Io) {
        self.phase = Phase::Closed;
        self.exchange.close(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        // A prompt has no end, so what has come is looked at after every byte.
        for byte in data {
            for line in self.lines.push(&[*byte]) {
                self.heard(&line, io);
                self.exchange.next(io);
            }
            if *byte == b':' {
                self.prompted(io);
            }
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let mut lines = self.lines_for(command)?;
        if !matches!(self.phase, Phase::Ready { .. }) {
            return Err(Reason::Offline.into());
        }
        let last = lines.pop().expect("a command is at least one line");
        for line in lines {
            let what = self.asked(&line);
            self.exchange.command(Request {
                bytes: bytes(&what),
                what,
                ticket: None,
                wait: WAIT,
            })?;
        }
        let what = self.asked(&last);
        let request = Request { bytes: bytes(&what), what, ticket: Some(ticket), wait: WAIT };
        if command.is_stop() {
            let in_vain = |asked: &Asked| match command {
                Command::Hangup(_) => asked.line.starts_with("xCommand Dial"),
                _ => asked.line.starts_with("xCommand Camera Ramp"),
            };
            self.exchange.overtake(request, in_vain, io);
        } else {
            self.exchange.command(request)?;
        }
        self.exchange.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == BEGIN {
            match self.phase {
                Phase::Opening => {
                    io.send("\r\n");
                    io.timer(BEGIN, BEGIN_AFTER);
                    self.phase = Phase::Nudged;
                }
                Phase::Nudged => self.begin(io),
                _ => io.fault(Fault::NoResponse),
            }
        } else if timer == HEARTBEAT {
            self.ask("xCommand Peripherals HeartBeat ID: \"rooms\" Timeout: 60");
            io.timer(HEARTBEAT, HEARTBEAT_EVERY);
        } else if timer == REPLY
            && let Some(request) = self.exchange.timed_out(io)
            && request.what.line.contains("HeartBeat")
        {
            io.fault(Fault::NoResponse);
        }
        self.exchange.next(io);
    }
}

fn bytes(asked: &Asked) -> Vec<u8> {
    match asked.id {
        0 => format!("{}\r\n", asked.line).into_bytes(),
        id => format!("{} | resultId=\"{id}\"\r\n", asked.line).into_bytes(),
    }
}

fn is_call_id(id: &str) -> bool {
    (1..=10).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn result_of(entry: &Entry) -> Result<(), Refusal> {
    if entry.note.eq_ignore_ascii_case("status=Error") {
        return Err(Reason::Rejected.into());
    }
    Ok(())
}

/// A call of which enough is known.
fn call(id: &str, known: &Known) -> Option<Call> {
    let direction =
        if known.direction == "Incoming" { Direction::Incoming } else { Direction::Outgoing };
    let state = match known.status.as_str() {
        "Connected" | "OnHold" | "Preserved" => CallState::Connected,
        "Ringing" => CallState::Ringing,
        // Why it is over comes as an event; then it is gone.
        "Disconnecting" | "Idle" => CallState::Ending,
        "" => return None,
        _ if direction == Direction::Incoming => CallState::Ringing,
        _ => CallState::Dialing,
    };
    Some(Call { id: id.to_owned(), state, direction, far: known.number.clone() })
}
