//! Extron switchers and scalers that speak SIS, over telnet or a serial line.
//!
//! They close a session that is idle for 5 minutes, so their firmware is asked for every 2. They
//! report what is pressed at their front as soon as verbose mode is on.

pub mod wire;

use std::time::Duration;

use self::wire::{Reply, Request as Wire};
use crate::command::{Command, PresetAction};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Fault, Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, Secret, Settings};
use crate::vocabulary::{Kind, switch, text};

const BEGIN: TimerId = TimerId::new("begin");
const POLL: TimerId = TimerId::new("poll");
/// A banner or a prompt has come by then, if any comes at all.
const BEGIN_AFTER: Duration = Duration::from_secs(1);
const POLL_EVERY: Duration = Duration::from_secs(120);
const WAIT: Duration = Duration::from_secs(2);
const PACE_MS: u64 = 100;
const PROMPT: &str = "Password:";

pub(crate) const KEYS: &[Key] = &[
    Key::optional("password", Form::Secret, "the administrator's or the user's"),
    Key::optional("inputs", Form::Integers(1, 512), "its inputs by name"),
    Key::optional("output", Form::Integer(1, 512), "of a matrix, the output that the room sees"),
];

#[derive(Debug)]
pub(crate) struct Extron {
    info: DriverInfo,
    password: Option<Secret>,
    inputs: Vec<(String, u16)>,
    output: Option<u16>,
    lines: Lines,
    phase: Phase,
    exchange: Exchange<Wire>,
    volume: Option<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    LoggingIn,
    Ready { is_online: bool },
}

impl Extron {
    pub(crate) fn build(settings: &Settings<'_>) -> Extron {
        let number = |number: i64| u16::try_from(number).unwrap_or(u16::MAX);
        let inputs = settings.integers("inputs").into_iter();
        let inputs: Vec<_> = inputs.map(|(name, input)| (name, number(input))).collect();
        let commands = ["blank", "mute", "volume", "preset"];
        let info = DriverInfo::new("extron-sis", Kind::Switcher, &commands)
            .with_choices("input", inputs.iter().map(|(name, _)| name))
            .with_pace_ms(PACE_MS);
        Extron {
            info,
            password: settings.secret("password"),
            inputs,
            output: settings.integer("output").map(number),
            lines: Lines::new(b"\r\n"),
            phase: Phase::Closed,
            exchange: Exchange::new(),
            volume: None,
        }
    }

    fn begin(&mut self, io: &mut Io) {
        io.cancel(BEGIN);
        self.phase = Phase::Ready { is_online: false };
        self.ask(Wire::Verbose(3));
        self.ask_all();
        io.timer(POLL, POLL_EVERY);
    }

    fn ask(&mut self, what: Wire) {
        let bytes = what.to_string().into_bytes();
        self.exchange.poll(what, bytes, WAIT);
    }

    fn ask_all(&mut self) {
        self.ask(Wire::Firmware);
        self.ask(Wire::InputAsk { output: self.output });
        self.ask(Wire::BlankAsk);
        self.ask(Wire::MuteAsk);
        self.ask(Wire::VolumeAsk);
    }

    /// A prompt has no end of line: the password once, and not again.
    fn prompted(&mut self, io: &mut Io) {
        self.lines.clear();
        match (&self.phase, &self.password) {
            (Phase::Opening, Some(password)) => {
                io.send_secret(Wire::Line(password.0.clone()).to_string());
                self.phase = Phase::LoggingIn;
                io.timer(BEGIN, WAIT);
            }
            (Phase::Closed, _) => {}
            _ => io.fault(Fault::Auth),
        }
    }

    fn replied(&mut self, reply: &Reply, io: &mut Io) {
        if let Reply::Banner(banner) = reply {
            return io.set("model", text(banner));
        }
        if *reply == Reply::LoggedIn {
            if self.phase == Phase::LoggingIn {
                self.begin(io);
            }
            return;
        }
        let Phase::Ready { is_online } = &mut self.phase else { return };
        if !*is_online {
            *is_online = true;
            io.online();
        }
        let asked = self.exchange.asked().cloned();
        let fits = asked.as_ref().is_some_and(|asked| answers(reply, asked));
        if let (Reply::Error(code), Some(_)) = (reply, &asked)
            && let Some(request) = self.exchange.answered(io)
        {
            let (reason, text) = error(*code);
            request.finish(Err(Refusal::new(reason, text)), io);
        } else if fits && let Some(request) = self.exchange.answered(io) {
            request.finish(Ok(()), io);
        }
        match (reply, asked.filter(|_| fits)) {
            (Reply::Bare(number), Some(asked)) => {
                let number = number.parse::<u16>();
                match (asked, number) {
                    (Wire::InputAsk { .. }, Ok(input)) => self.report_input(input, io),
                    (Wire::BlankAsk, Ok(on)) => io.set("blank", switch(on > 0)),
                    (Wire::MuteAsk, Ok(on)) => io.set("mute", switch(on > 0)),
                    (Wire::VolumeAsk, Ok(volume)) => self.report_volume(volume, io),
                    _ => {}
                }
            }
            _ => self.report(reply, io),
        }
    }

    fn report(&mut self, reply: &Reply, io: &mut Io) {
        match reply {
            Reply::Input { input, output } if output.is_none() || *output == self.output => {
                self.report_input(*input, io);
            }
            Reply::Mute(on) => io.set("mute", switch(*on)),
            Reply::Blank(on) => io.set("blank", switch(*on)),
            Reply::Volume(volume) => self.report_volume(u16::from(*volume), io),
            Reply::PresetRecalled(number) => {
                io.set("preset", number);
                self.ask(Wire::InputAsk { output: self.output });
            }
            Reply::Signals(signals) => {
                for (at, signal) in signals.iter().enumerate() {
                    let input = u16::try_from(at + 1).unwrap_or(u16::MAX);
                    io.set(format!("signal.{}", self.name_of(input)), switch(*signal));
                }
            }
            Reply::Reconfigured => self.ask_all(),
            _ => {}
        }
    }

    fn report_input(&mut self, input: u16, io: &mut Io) {
        io.set("input", self.name_of(input));
    }

    fn report_volume(&mut self, volume: u16, io: &mut Io) {
        let volume = u8::try_from(volume.min(100)).unwrap_or(100);
        self.volume = Some(volume);
        io.set("volume", volume);
    }

    fn name_of(&self, input: u16) -> String {
        let named = self.inputs.iter().find(|(_, known)| *known == input);
        named.map_or_else(|| input.to_string(), |(name, _)| name.clone())
    }

    fn request(&self, command: &Command) -> Result<Wire, Refusal> {
        Ok(match command {
            Command::Input(input) => match self.inputs.iter().find(|(name, _)| name == input) {
                Some((_, input)) => Wire::Tie { input: *input, output: self.output },
                None => {
                    let known = self.inputs.iter().map(|(name, _)| name);
                    return Err(Refusal::unknown_name("input", input, known));
                }
            },
            Command::Blank(on) => Wire::Blank(*on),
            Command::Mute(on) => Wire::Mute(*on),
            Command::Volume(volume) => match volume.from(self.volume) {
                Some(volume) => Wire::Volume(volume),
                None => return Err(Reason::NotNow.into()),
            },
            Command::Preset(PresetAction::Recall, number) => Wire::PresetRecall((*number).into()),
            Command::Preset(PresetAction::Save, number) => Wire::PresetSave((*number).into()),
            _ => return Err(Reason::Unsupported.into()),
        })
    }
}

impl Driver for Extron {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        self.phase = Phase::Opening;
        self.volume = None;
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
                match Reply::parse(&line) {
                    Some(reply) => self.replied(&reply, io),
                    None => io.log(format!("not understood: {line:?}")),
                }
                self.exchange.next(io);
            }
            if self.lines.rest() == PROMPT.as_bytes() {
                self.prompted(io);
            }
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let what = self.request(command)?;
        if !matches!(self.phase, Phase::Ready { .. }) {
            return Err(Reason::Offline.into());
        }
        let bytes = what.to_string().into_bytes();
        self.exchange.command(Request { what, bytes, ticket: Some(ticket), wait: WAIT })?;
        self.exchange.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == BEGIN && self.phase != Phase::Closed {
            self.begin(io);
        } else if timer == POLL {
            self.ask_all();
            io.timer(POLL, POLL_EVERY);
        } else if timer == REPLY {
            self.exchange.timed_out(io);
        }
        self.exchange.next(io);
    }
}

/// Whether this is what the device says to that.
fn answers(reply: &Reply, asked: &Wire) -> bool {
    match (asked, reply) {
        (Wire::Tie { input, output }, Reply::Input { input: now, output: at }) => {
            input == now && (at.is_none() || output == at)
        }
        (Wire::InputAsk { output }, Reply::Input { output: at, .. }) => {
            at.is_none() || output == at
        }
        (Wire::Mute(on), Reply::Mute(now)) | (Wire::Blank(on), Reply::Blank(now)) => on == now,
        (Wire::Volume(volume), Reply::Volume(now)) => volume == now,
        (Wire::PresetRecall(number), Reply::PresetRecalled(now))
        | (Wire::PresetSave(number), Reply::PresetSaved(now)) => number == now,
        (Wire::MuteAsk, Reply::Mute(_) | Reply::Bare(_))
        | (Wire::BlankAsk, Reply::Blank(_) | Reply::Bare(_))
        | (Wire::VolumeAsk, Reply::Volume(_) | Reply::Bare(_))
        | (Wire::InputAsk { .. } | Wire::Firmware, Reply::Bare(_))
        | (Wire::Verbose(_), Reply::Verbose(_)) => true,
        _ => false,
    }
}

fn error(code: u8) -> (Reason, String) {
    let (reason, text) = match code {
        1 => (Reason::Invalid, "it has no such input"),
        6 => (Reason::Rejected, "it chooses the input itself: auto-switch mode is on"),
        10 => (Reason::Unsupported, "it has no such command"),
        12 => (Reason::Invalid, "it has no such output"),
        13 => (Reason::Invalid, "the value is out of range"),
        14 => (Reason::Unsupported, "not in its present configuration"),
        17 => (Reason::Timeout, "it ran out of time"),
        22 => (Reason::NotNow, "it is busy"),
        24 => (Reason::Rejected, "this password does not allow it"),
        _ => (Reason::Rejected, "it refused"),
    };
    (reason, format!("the switcher says E{code:02}: {text}"))
}
