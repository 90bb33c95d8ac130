//! Projectors that speak PJLink, class 1 and 2.
//!
//! One session is kept, because many projectors allow only one controller; the poll every 10 s
//! keeps it alive, because many close an idle one after 30 s. Their power is only known by asking.

pub mod wire;

use std::time::Duration;

use self::wire::{Answer, Greeting, Reply};
use crate::command::{Command, Volume};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Fault, Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, Secret, SettingError, Settings};
use crate::vocabulary::{Kind, switch, text};

const LOGIN: TimerId = TimerId::new("login");
const POLL: TimerId = TimerId::new("poll");
/// The specification's 2 s, and some for the network.
const WAIT: Duration = Duration::from_secs(3);
const GREETING_WAIT: Duration = Duration::from_secs(5);
const POLL_EVERY: Duration = Duration::from_secs(10);
/// After somebody has pressed power, until it is steady.
const POLL_QUICKLY_EVERY: Duration = Duration::from_secs(2);
const QUICK_POLLS: u32 = 60;
/// Lamp and faults are asked for with every so many polls.
const SLOW_POLLS: u32 = 6;
/// After an accepted `off` some projectors report `on` for a while; so many times it is not
/// believed.
const DOUBTS: u32 = 2;
const HEALTH: [&str; 6] = ["fan", "lamp", "temperature", "cover", "filter", "other"];

pub(crate) const KEYS: &[Key] = &[
    Key::optional("password", Form::Secret, "the projector's PJLink password"),
    Key::optional("inputs", Form::Texts, "its inputs by name, as numbers such as \"31\""),
    Key::optional(
        "login",
        Form::OneOf(&["md5", "sha256"]),
        "sha256 is tried first only if it says so; old projectors know only md5",
    ),
    Key::optional("blank_mutes_sound", Form::Bool, "for projectors that can only mute both"),
];

#[derive(Debug)]
pub(crate) struct PjLink {
    info: DriverInfo,
    password: Option<Secret>,
    inputs: Vec<(String, String)>,
    try_sha256: bool,
    blank_mutes_sound: bool,
    lines: Lines,
    phase: Phase,
    exchange: Exchange<&'static str>,
    class: char,
    power: Option<&'static str>,
    /// What somebody has pressed and the projector has accepted but not yet reported.
    wanted: Option<bool>,
    doubts: u32,
    polls: u32,
    /// Queries that the projector does not know.
    unknown: Vec<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Greeting,
    /// SHA-256 was asked for; this is what MD5 would need.
    Offered(String),
    /// The first command bears the login; it has not been answered.
    LoggingIn,
    Ready,
}

impl PjLink {
    pub(crate) fn build(settings: &Settings<'_>) -> Result<PjLink, SettingError> {
        let inputs = settings.texts("inputs");
        let is_input =
            |value: &str| value.len() == 2 && value.bytes().all(|b| b.is_ascii_alphanumeric());
        if let Some((name, value)) = inputs.iter().find(|(_, value)| !is_input(value)) {
            let text = format!("PJLink's inputs are two characters such as \"31\", not {value:?}");
            return Err(SettingError::new(format!("inputs.{name}"), text));
        }
        let info =
            DriverInfo::new("pjlink", Kind::Projector, &["power", "blank", "mute", "volume"])
                .with_choices("input", inputs.iter().map(|(name, _)| name))
                .without_key("volume");
        Ok(PjLink {
            info,
            password: settings.secret("password"),
            inputs,
            try_sha256: settings.text("login") == Some("sha256"),
            blank_mutes_sound: settings.bool("blank_mutes_sound") == Some(true),
            lines: Lines::new(wire::ENDS),
            phase: Phase::Closed,
            exchange: Exchange::new(),
            class: '1',
            power: None,
            wanted: None,
            doubts: 0,
            polls: 0,
            unknown: Vec::new(),
        })
    }

    fn greeted(&mut self, greeting: Greeting, io: &mut Io) {
        match (greeting, &self.phase) {
            (Greeting::Open, Phase::Greeting) => self.begin(String::new(), io),
            (Greeting::Md5(random), Phase::Greeting) => match &self.password {
                None => io.fault(Fault::Auth),
                Some(_) if self.try_sha256 => {
                    self.phase = Phase::Offered(random);
                    io.send(wire::WANT_SHA256);
                }
                Some(password) => self.begin(wire::md5_login(&random, &password.0), io),
            },
            (Greeting::Sha256(projector), Phase::Offered(_)) => {
                let password = self.password.as_ref().map_or("", |password| &password.0);
                let controller = wire::controller_number(projector, password);
                self.begin(wire::sha256_login(projector, controller, password), io);
            }
            (Greeting::Refused, Phase::Offered(random)) => {
                self.try_sha256 = false;
                io.log("the projector knows no SHA-256; logging in with MD5");
                let password = self.password.as_ref().map_or("", |password| &password.0);
                self.begin(wire::md5_login(random, password), io);
            }
            (Greeting::Refused, Phase::Ready) => {
                io.fault(Fault::Restart("the projector wants a new login".into()));
            }
            (Greeting::Refused, _) => io.fault(Fault::Auth),
            (greeting, _) => io.log(format!("unexpected greeting: {greeting:?}")),
        }
    }

    fn begin(&mut self, login: String, io: &mut Io) {
        io.cancel(LOGIN);
        io.timer(POLL, POLL_EVERY);
        self.phase = Phase::LoggingIn;
        self.exchange.prefix = login.into_bytes();
        for command in ["POWR", "CLSS", "INF2", "ERST"] {
            self.ask(command);
        }
    }

    fn ask(&mut self, command: &'static str) {
        if !self.unknown.contains(&command) {
            self.exchange.poll(command, self.line(command, "?"), WAIT);
        }
    }

    fn line(&self, command: &str, argument: &str) -> Vec<u8> {
        let class = if matches!(command, "INPT" | "SVOL") { self.class } else { '1' };
        let (command, argument) = (command.to_owned(), argument.to_owned());
        let request = wire::Request { login: String::new(), class, command, argument };
        request.to_string().into_bytes()
    }

    fn replied(&mut self, reply: &Reply, io: &mut Io) {
        if self.phase == Phase::LoggingIn {
            self.phase = Phase::Ready;
            io.online();
        }
        if self.exchange.asked_request().is_some_and(|asked| fits(asked, reply))
            && let Some(request) = self.exchange.answered(io)
        {
            self.answered(&request, &reply.answer, io);
        }
        if let Answer::Value(value) = &reply.answer {
            self.report(&reply.command, value, io);
        }
    }

    fn answered(&mut self, request: &Request<&'static str>, answer: &Answer, io: &mut Io) {
        let result = match answer {
            Answer::Ok | Answer::Value(_) => Ok(()),
            Answer::Undefined => Err(Reason::Unsupported),
            Answer::OutOfParameter => Err(Reason::Invalid),
            Answer::Unavailable => Err(Reason::NotNow),
            Answer::Failure => Err(Reason::DeviceError),
        };
        request.finish(result.map_err(Into::into), io);
        if request.ticket.is_none() {
            if *answer == Answer::Undefined {
                self.unknown.push(request.what);
            }
        } else if result.is_ok() {
            if request.what == "POWR" {
                let on = request.bytes.ends_with(b"1\r");
                self.wanted = Some(on);
                self.doubts = if on { 0 } else { DOUBTS };
                self.polls = 0;
                io.timer(POLL, POLL_QUICKLY_EVERY);
            } else if request.what != "SVOL" {
                self.ask(request.what);
            }
        }
    }

    fn report(&mut self, command: &str, value: &str, io: &mut Io) {
        match command {
            "POWR" => self.report_power(value, io),
            "INPT" => {
                let named = self.inputs.iter().find(|(_, known)| known.eq_ignore_ascii_case(value));
                io.set("input", named.map_or_else(|| text(value), |(name, _)| name.clone()));
            }
            "AVMT" => {
                let (blank, mute) = match value {
                    "11" => (Some(true), Some(false)),
                    "10" => (Some(false), None),
                    "21" => (Some(false), Some(true)),
                    "20" => (None, Some(false)),
                    "31" => (Some(true), Some(true)),
                    "30" => (Some(false), Some(false)),
                    _ => (None, None),
                };
                blank.into_iter().for_each(|on| io.set("blank", switch(on)));
                mute.into_iter().for_each(|on| io.set("mute", switch(on)));
            }
            "ERST" if value.len() == HEALTH.len() => {
                for (part, digit) in HEALTH.iter().zip(value.bytes()) {
                    let health = match digit {
                        b'0' => "ok",
                        b'1' => "warning",
                        _ => "error",
                    };
                    io.set(format!("health.{part}"), health);
                }
            }
            "LAMP" => {
                let hours = value.split(' ').step_by(2).filter_map(|hours| hours.parse().ok());
                if let Some(most) = hours.max() {
                    io.set("lamp-hours", 1_000_000.min(most));
                }
            }
            "CLSS" => self.class = if value == "2" { '2' } else { '1' },
            "INF2" => io.set("model", text(value)),
            _ => {}
        }
    }

    fn report_power(&mut self, value: &str, io: &mut Io) {
        let word = match value {
            "0" => "off",
            "1" => "on",
            "2" => "cooling",
            "3" => "warming",
            _ => "unknown",
        };
        if word == "on" && self.doubts > 0 {
            self.doubts -= 1;
            if self.doubts == 0 {
                io.log("the projector has accepted off, but says again and again that it is on");
            }
            return;
        }
        self.doubts = 0;
        if self.wanted.is_some_and(|wanted| word == switch(wanted)) {
            self.wanted = None;
        }
        if word == "on" && self.power != Some("on") {
            for command in ["INPT", "AVMT", "LAMP", "ERST"] {
                self.ask(command);
            }
        }
        self.power = Some(word);
        io.set("power", word);
    }

    fn request(&self, command: &Command) -> Result<(&'static str, String), Refusal> {
        let only_when_on = |what: &'static str, argument: &str| match self.power {
            None | Some("on" | "unknown") => Ok((what, argument.to_owned())),
            Some(power) => {
                let text = format!("the projector can do this when it is on; it is {power}");
                Err(Refusal::new(Reason::NotNow, text))
            }
        };
        match command {
            Command::Power(true) if self.power == Some("cooling") => {
                Err(Refusal::new(Reason::NotNow, "the projector cools down first"))
            }
            Command::Power(on) => Ok(("POWR", if *on { "1" } else { "0" }.to_owned())),
            Command::Input(input) => match self.inputs.iter().find(|(name, _)| name == input) {
                Some((_, value)) => only_when_on("INPT", value),
                None => Err(Refusal::unknown_name(
                    "input",
                    input,
                    self.inputs.iter().map(|(name, _)| name),
                )),
            },
            Command::Blank(on) if self.blank_mutes_sound => {
                only_when_on("AVMT", if *on { "31" } else { "30" })
            }
            Command::Blank(on) => only_when_on("AVMT", if *on { "11" } else { "10" }),
            Command::Mute(on) => only_when_on("AVMT", if *on { "21" } else { "20" }),
            Command::Volume(Volume::By(by)) if self.class == '2' => {
                only_when_on("SVOL", if *by > 0 { "1" } else { "0" })
            }
            Command::Volume(_) => {
                let text = "PJLink can only make it a step louder or softer, and only in class 2";
                Err(Refusal::new(Reason::Unsupported, text))
            }
            _ => Err(Reason::Unsupported.into()),
        }
    }
}

/// An order is answered by OK, a question by a value: a late answer to one is not taken for the
/// other.
fn fits(asked: &Request<&'static str>, reply: &Reply) -> bool {
    asked.what == reply.command
        && match reply.answer {
            Answer::Ok => asked.ticket.is_some(),
            Answer::Value(_) => asked.ticket.is_none(),
            _ => true,
        }
}

impl Driver for PjLink {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        self.phase = Phase::Greeting;
        (self.class, self.power, self.wanted) = ('1', None, None);
        (self.doubts, self.polls) = (0, 0);
        self.unknown.clear();
        io.timer(LOGIN, GREETING_WAIT);
    }

    fn closed(&mut self, io: &mut Io) {
        if let Phase::Offered(_) = self.phase {
            self.try_sha256 = false;
        }
        self.phase = Phase::Closed;
        self.exchange.close(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        for line in self.lines.push(data) {
            if let Some(greeting) = Greeting::parse(&line) {
                self.greeted(greeting, io);
            } else if let Some(reply) = Reply::parse(&line)
                && matches!(self.phase, Phase::LoggingIn | Phase::Ready)
            {
                self.replied(&reply, io);
            } else {
                io.log(format!("not PJLink: {line:?}"));
            }
            self.exchange.next(io);
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        if self.phase != Phase::Ready {
            return Err(Reason::Offline.into());
        }
        let (what, argument) = self.request(command)?;
        let bytes = self.line(what, &argument);
        self.exchange.command(Request { what, bytes, ticket: Some(ticket), wait: WAIT })?;
        self.exchange.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == LOGIN {
            io.fault(Fault::NoResponse);
        } else if timer == REPLY {
            self.exchange.timed_out(io);
        } else if timer == POLL {
            self.ask("POWR");
            if self.power == Some("on") {
                self.ask("INPT");
                self.ask("AVMT");
            }
            if self.polls.is_multiple_of(SLOW_POLLS) {
                self.ask("ERST");
                self.ask("LAMP");
            }
            self.polls = self.polls.wrapping_add(1);
            let quickly = self.wanted.is_some() && self.polls < QUICK_POLLS;
            io.timer(POLL, if quickly { POLL_QUICKLY_EVERY } else { POLL_EVERY });
        }
        self.exchange.next(io);
    }
}
