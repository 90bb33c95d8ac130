//! Polycom codecs (HDX, RealPresence Group), over telnet or a serial line.
//!
//! They say a lot, at any time: what they are, late echoes, news of calls. So nothing is ever "the
//! next line": each command knows by what it is acknowledged, and everything else is news. While a
//! call is being set up they want silence; only a hang-up is sent then.

pub mod wire;

use std::time::Duration;

use self::wire::{CallStatus, Line, end_reason};
use crate::call::{Call, CallFact, CallState, Direction};
use crate::command::{Command, Heading, Move, PresetAction, Zoom};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Fault, Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, Secret, Settings};
use crate::vocabulary::{Kind, switch, text};

const BEGIN: TimerId = TimerId::new("begin");
const POLL: TimerId = TimerId::new("poll");
const SETUP: TimerId = TimerId::new("setup");
/// A prompt has come by then, if any comes at all.
const BEGIN_AFTER: Duration = Duration::from_secs(1);
const POLL_EVERY: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_secs(5);
/// A hang-up is acknowledged late.
const HANGUP_WAIT: Duration = Duration::from_secs(15);
/// A call that is neither connected nor over by then does not keep the codec from being asked.
const SETUP_MAX: Duration = Duration::from_secs(90);
const PACE_MS: u64 = 200;
/// More calls than a codec can have.
const CALLS_MAX: usize = 32;
const PROMPT: &str = "Password:";

pub(crate) const KEYS: &[Key] = &[
    Key::optional("password", Form::Secret, "the password for telnet or the serial port"),
    Key::optional("speed", Form::Integer(64, 6144), "of calls, in kbit/s"),
    Key::optional("content", Form::Integer(1, 10), "the source that is shared"),
    Key::optional("auto_answer", Form::Bool, "false if calls are to ring until somebody answers"),
];

#[derive(Debug)]
pub(crate) struct Polycom {
    info: DriverInfo,
    password: Option<Secret>,
    speed: i64,
    content: i64,
    auto_answer: bool,
    lines: Lines,
    phase: Phase,
    exchange: Exchange<Asked>,
    calls: Vec<Call>,
    /// The list that is coming in, if one is.
    list: Option<Vec<Call>>,
    is_setting_up: bool,
    volume: Option<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    GavePassword,
    Ready { is_online: bool },
}

/// A command as sent, and how its acknowledgements begin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    line: String,
    acks: &'static [&'static str],
}

impl Polycom {
    pub(crate) fn build(settings: &Settings<'_>) -> Polycom {
        let commands = [
            "power", "volume", "mute", "move", "zoom", "preset", "prepare", "dial", "answer",
            "hangup", "share",
        ];
        Polycom {
            info: DriverInfo::new("polycom-group", Kind::Codec, &commands)
                .without_key("power")
                .with_pace_ms(PACE_MS),
            password: settings.secret("password"),
            speed: settings.integer("speed").unwrap_or(1920),
            content: settings.integer("content").unwrap_or(4),
            auto_answer: settings.bool("auto_answer") != Some(false),
            lines: Lines::new(b"\r\n"),
            phase: Phase::Closed,
            exchange: Exchange::new(),
            calls: Vec::new(),
            list: None,
            is_setting_up: false,
            volume: None,
        }
    }

    /// A prompt has no end of line: the password once, and not again.
    fn prompted(&mut self, io: &mut Io) {
        self.lines.clear();
        match (&self.phase, &self.password) {
            (Phase::Opening, Some(password)) => {
                io.send_secret(format!("{}\r\n", password.0));
                self.phase = Phase::GavePassword;
                io.timer(BEGIN, BEGIN_AFTER);
            }
            (Phase::Closed, _) => {}
            _ => io.fault(Fault::Auth),
        }
    }

    fn begin(&mut self, io: &mut Io) {
        self.phase = Phase::Ready { is_online: false };
        self.ask("notify callstatus", &["notify callstatus", "event/notification already active"]);
        self.ask("notify mutestatus", &["notify mutestatus", "event/notification already active"]);
        self.ask("vcbutton register", &["vcbutton register", "event/notification already active"]);
        self.ask("callinfo all", &["callinfo end", "system is not in a call"]);
        self.ask("mute near get", &["mute near"]);
        self.ask("volume get", &["volume"]);
        self.ask("whoami", &["SNMP Enabled"]);
        io.timer(POLL, POLL_EVERY);
    }

    fn ask(&mut self, line: &str, acks: &'static [&'static str]) {
        let bytes = format!("{line}\r\n").into_bytes();
        self.exchange.poll(Asked { line: line.to_owned(), acks }, bytes, WAIT);
    }

    fn heard(&mut self, line: &str, end: u8, io: &mut Io) {
        let plain = line.trim();
        let is_echo = self.exchange.asked().is_some_and(|asked| asked.line == plain);
        if is_echo && end == b'\n' {
            return;
        }
        let parsed = Line::parse(plain);
        self.acknowledged(plain, &parsed, io);
        match parsed {
            Line::CallStatus(status) => self.call_is(&status, io),
            Line::CallInfoBegin => self.list = Some(Vec::new()),
            Line::CallInfo(status) => {
                let call = status.state.map(|state| call(&status, state));
                if let (Some(list), Some(call)) = (&mut self.list, call)
                    && list.len() < CALLS_MAX
                {
                    list.push(call);
                }
            }
            Line::CallInfoEnd => {
                if let Some(list) = self.list.take() {
                    self.calls_are(list, io);
                }
            }
            Line::NotInCall => self.calls_are(Vec::new(), io),
            Line::Model(model) => io.set("model", text(&model)),
            Line::Mute(on) => io.set("mute", switch(on)),
            Line::Volume(volume) => {
                self.volume = Some(volume);
                io.set("volume", volume);
            }
            Line::Share(on) => io.set("share", switch(on)),
            _ => {}
        }
    }

    /// Whether the line acknowledges or refuses what was asked.
    fn acknowledged(&mut self, line: &str, parsed: &Line, io: &mut Io) {
        let Some(asked) = self.exchange.asked() else { return };
        let said = line.strip_prefix("info:").map_or(line, str::trim);
        let is_ack = asked.acks.iter().any(|ack| match ack.strip_prefix('*') {
            Some(anywhere) => said.contains(anywhere),
            None => said.starts_with(ack),
        });
        let result = match parsed {
            Line::Error(error) => {
                Err(Refusal::new(Reason::Rejected, format!("the codec says: {error}")))
            }
            _ if is_ack => Ok(()),
            Line::Info(info) if asked.line.starts_with("dial") && info.contains("not enabled") => {
                Err(Refusal::new(Reason::Rejected, format!("the codec says: {info}")))
            }
            Line::Other(_)
                if said.contains("is not active") && asked.line.starts_with("hangup") =>
            {
                // It is over already, which is what was wanted.
                Ok(())
            }
            _ => return,
        };
        if let Phase::Ready { is_online } = &mut self.phase
            && !*is_online
        {
            *is_online = true;
            io.online();
        }
        if let Some(request) = self.exchange.answered(io) {
            if result.is_err() && request.what.line.starts_with("dial") {
                self.set_up_ended(io);
            }
            request.finish(result, io);
        }
    }

    fn call_is(&mut self, status: &CallStatus, io: &mut Io) {
        let id = status.id.to_string();
        self.calls.retain(|call| call.id != id);
        if let Some(state) = status.state {
            let call = call(status, state);
            if self.calls.len() < CALLS_MAX {
                self.calls.push(call.clone());
            }
            io.call(CallFact::Is(call));
        } else {
            io.call(CallFact::Ended { id, reason: end_reason(status.cause) });
        }
        let is_under_way =
            |call: &Call| matches!(call.state, CallState::Dialing | CallState::Ringing);
        if self.calls.iter().any(is_under_way) {
            self.is_setting_up = true;
            io.timer(SETUP, SETUP_MAX);
        } else {
            self.set_up_ended(io);
        }
    }

    fn calls_are(&mut self, calls: Vec<Call>, io: &mut Io) {
        self.calls.clone_from(&calls);
        io.call(CallFact::All(calls));
    }

    fn set_up_ended(&mut self, io: &mut Io) {
        if self.is_setting_up {
            self.is_setting_up = false;
            io.cancel(SETUP);
        }
    }

    fn next(&mut self, io: &mut Io) {
        let is_dial = |asked: &Asked| asked.line.starts_with("dial");
        let may_send = !self.is_setting_up
            || self.exchange.first().is_some_and(|first| {
                first.line.starts_with("hangup") || first.line.starts_with("answer")
            });
        if may_send && matches!(self.phase, Phase::Ready { .. }) && self.exchange.asked().is_none()
        {
            self.exchange.next(io);
            if self.exchange.asked().is_some_and(is_dial) {
                self.is_setting_up = true;
                io.timer(SETUP, SETUP_MAX);
            }
        }
    }

    fn lines_for(&self, command: &Command) -> Result<Vec<Asked>, Refusal> {
        let one = |line: String, acks| Ok(vec![Asked { line, acks }]);
        match command {
            Command::Power(true) => one("wake".into(), &["wake", "waking"]),
            Command::Power(false) => one("sleep".into(), &["sleep", "going to sleep"]),
            Command::Prepare => {
                let wake = Asked { line: "wake".into(), acks: &["wake", "waking"] };
                let answer = if self.auto_answer { "yes" } else { "no" };
                let answer = Asked { line: format!("autoanswer {answer}"), acks: &["autoanswer"] };
                Ok(vec![wake, answer])
            }
            Command::Volume(volume) => match volume.from(self.volume) {
                Some(volume) => one(format!("volume set {volume}"), &["volume"]),
                None => Err(Reason::NotNow.into()),
            },
            Command::Mute(true) => one("mute near on".into(), &["mute near on"]),
            Command::Mute(false) => one("mute near off".into(), &["mute near off"]),
            Command::Share(true) => one(format!("vcbutton play {}", self.content), VCBUTTON),
            Command::Share(false) => one("vcbutton stop".into(), VCBUTTON),
            Command::Dial(dial) => {
                let kind = dial.scheme().map(|scheme| format!(" {scheme}")).unwrap_or_default();
                let line = format!("dial manual {} \"{}\"{kind}", self.speed, dial.address());
                one(line, &["dialing manual"])
            }
            Command::Answer => one("answer video".into(), &["*video call passed", "answer video"]),
            Command::Hangup(None) => one("hangup all".into(), &["hanging up", "system is not in"]),
            Command::Hangup(Some(id)) if self.calls.iter().any(|call| call.id == *id) => {
                one(format!("hangup video {id}"), &["hanging up", "system is not in"])
            }
            Command::Hangup(Some(id)) => {
                let known = self.calls.iter().map(|call| &call.id);
                Err(Refusal::unknown_name("call", id, known))
            }
            Command::Move(Move::Stop) | Command::Zoom(Zoom::Stop) => {
                one("camera near move stop".into(), CAMERA)
            }
            Command::Move(Move::Toward(heading, _)) => {
                let heading = match heading {
                    Heading::Left | Heading::Right | Heading::Up | Heading::Down => heading.word(),
                    _ => return Err(Reason::Unsupported.into()),
                };
                one(format!("camera near move {heading}"), CAMERA)
            }
            Command::Zoom(Zoom::In) => one("camera near move zoom+".into(), CAMERA),
            Command::Zoom(Zoom::Out) => one("camera near move zoom-".into(), CAMERA),
            Command::Preset(PresetAction::Recall, number) if *number < 100 => {
                one(format!("preset near go {number}"), &["preset near go"])
            }
            Command::Preset(PresetAction::Save, number) if *number < 100 => {
                one(format!("preset near set {number}"), &["preset near set"])
            }
            Command::Preset(..) => Err(Reason::Invalid.into()),
            _ => Err(Reason::Unsupported.into()),
        }
    }

    /// What must not wait: a hang-up while a call is set up, and standing still.
    fn stop(&mut self, request: Request<Asked>, io: &mut Io) {
        let is_hangup = request.what.line.starts_with("hangup");
        let in_vain = |asked: &Asked| {
            let verb = if is_hangup { "dial" } else { "camera near move" };
            asked.line.starts_with(verb)
        };
        self.exchange.overtake(request, in_vain, io);
    }
}

const VCBUTTON: &[&str] = &["vcbutton", "Control event: vcbutton"];
const CAMERA: &[&str] = &["camera near"];

impl Driver for Polycom {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        self.calls.clear();
        (self.list, self.volume, self.is_setting_up) = (None, None, false);
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
            for (line, end) in self.lines.push_with_ends(&[*byte]) {
                self.heard(&line, end, io);
                self.next(io);
            }
            if *byte == b':' && self.lines.rest() == PROMPT.as_bytes() {
                self.prompted(io);
            }
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let mut lines = self.lines_for(command)?;
        if !matches!(self.phase, Phase::Ready { .. }) {
            return Err(Reason::Offline.into());
        }
        if self.is_setting_up && !matches!(command, Command::Hangup(_) | Command::Answer) {
            let text = "the codec wants silence while a call is being set up";
            return Err(Refusal::new(Reason::NotNow, text));
        }
        let last = lines.pop().expect("a command is at least one line");
        let request = |what: Asked, ticket, wait| {
            let bytes = format!("{}\r\n", what.line).into_bytes();
            Request { what, bytes, ticket, wait }
        };
        for line in lines {
            self.exchange.command(request(line, None, WAIT))?;
        }
        let wait = if command.is_stop() { HANGUP_WAIT } else { WAIT };
        let request = request(last, Some(ticket), wait);
        if command.is_stop() {
            self.stop(request, io);
        } else {
            self.exchange.command(request)?;
        }
        self.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == BEGIN && matches!(self.phase, Phase::Opening | Phase::GavePassword) {
            self.begin(io);
        } else if timer == POLL {
            if !self.is_setting_up {
                self.ask("callinfo all", &["callinfo end", "system is not in a call"]);
            }
            io.timer(POLL, POLL_EVERY);
        } else if timer == SETUP {
            self.is_setting_up = false;
        } else if timer == REPLY {
            self.exchange.timed_out(io);
        }
        self.next(io);
    }
}

fn call(status: &CallStatus, state: CallState) -> Call {
    // While it looks for the far side the codec calls it `null 1`.
    let name = if status.name.starts_with("null") { "" } else { &status.name };
    let far = text(if status.number.is_empty() { name } else { &status.number });
    // An incoming call that is being set up rings here.
    let state = match (status.direction, state) {
        (Direction::Incoming, CallState::Dialing) => CallState::Ringing,
        (_, state) => state,
    };
    Call { id: status.id.to_string(), state, direction: status.direction, far }
}
