//! Global Caché iTach boxes: relays that drive screens and the like, and what a box says of its
//! serial lines.
//!
//! Relays fall open when the box restarts, so what was latched is latched again. Two contacts that
//! drive a motor up and down are never closed together, nor one right after the other.

mod serial;
pub mod wire;

use std::time::Duration;

pub(crate) use self::serial::{ITachSerial, KEYS as SERIAL_KEYS};
use self::wire::{Port, Reply, Request as Wire, error_text};
use crate::command::{Command, RelayAction};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, SettingError, Settings};
use crate::vocabulary::{Kind, switch, text};

const POLL: TimerId = TimerId::new("poll");
const PULSE: TimerId = TimerId::new("pulse");
const REST: TimerId = TimerId::new("rest");
const POLL_EVERY: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_secs(2);
const PULSE_MS: i64 = 500;
/// A motor stands still by then.
const REST_MS: i64 = 1000;

pub(crate) const KEYS: &[Key] = &[
    Key::required("relays", Form::Texts, "its contacts by name, as module:port such as \"1:2\""),
    Key::optional("sensors", Form::Texts, "its sensors' contacts by name, in the same way"),
    Key::optional("pulse_ms", Form::Integer(50, 60_000), "how long a pulse is"),
    Key::optional("rest_ms", Form::Integer(0, 60_000), "the time between two contacts"),
    Key::optional("interlock", Form::Bool, "false if contacts may be closed together"),
];

#[derive(Debug)]
pub(crate) struct ITachRelay {
    info: DriverInfo,
    relays: Vec<(String, Port)>,
    sensors: Vec<(String, Port)>,
    pulse: Duration,
    rest: Duration,
    interlock: bool,
    lines: Lines,
    exchange: Exchange<Wire>,
    is_open: bool,
    is_online: bool,
    /// What was switched on and is to be on again when the box has restarted.
    latched: Vec<Port>,
    /// The contacts that are closed, as far as is known.
    closed: Vec<Port>,
    /// The contact of which a pulse is under way.
    pulsing: Option<Port>,
    /// A contact has just opened.
    is_resting: bool,
    /// What waits until other contacts are open and have rested.
    next: Option<(Port, RelayAction, Ticket)>,
}

impl ITachRelay {
    pub(crate) fn build(settings: &Settings<'_>) -> Result<ITachRelay, SettingError> {
        let relays = ports("relays", settings)?;
        let sensors = ports("sensors", settings)?;
        let ms = |name, default| {
            let ms = settings.integer(name).unwrap_or(default);
            Duration::from_millis(u64::try_from(ms).unwrap_or_default())
        };
        let mut info = DriverInfo::new("itach-relay", Kind::Screen, &[])
            .with_choices("relay", relays.iter().map(|(name, _)| name));
        let has = |name: &str| relays.iter().any(|(relay, _)| relay == name);
        if has("up") && has("down") || relays.len() == 1 {
            info = info.with_command("power");
        }
        if sensors.is_empty() {
            info = info.without_key("sensor.*");
        }
        Ok(ITachRelay {
            info,
            relays,
            sensors,
            pulse: ms("pulse_ms", PULSE_MS),
            rest: ms("rest_ms", REST_MS),
            interlock: settings.bool("interlock") != Some(false),
            lines: Lines::new(b"\r\n"),
            exchange: Exchange::new(),
            is_open: false,
            is_online: false,
            latched: Vec::new(),
            closed: Vec::new(),
            pulsing: None,
            is_resting: false,
            next: None,
        })
    }

    fn ask(&mut self, what: Wire) {
        let bytes = what.to_string().into_bytes();
        self.exchange.poll(what, bytes, WAIT);
    }

    fn ask_states(&mut self) {
        let ports: Vec<_> =
            self.relays.iter().chain(&self.sensors).map(|(_, port)| *port).collect();
        ports.into_iter().for_each(|port| self.ask(Wire::GetState(port)));
    }

    fn replied(&mut self, reply: &Reply, io: &mut Io) {
        if !self.is_online {
            self.is_online = true;
            io.online();
        }
        let fits = match (self.exchange.asked(), reply) {
            (Some(Wire::SetState(port, on)), Reply::State(of, now)) => port == of && on == now,
            (Some(Wire::GetState(port)), Reply::State(of, _)) => port == of,
            (Some(Wire::GetVersion), Reply::Version(_)) | (Some(_), Reply::Error(_)) => true,
            _ => false,
        };
        if fits && let Some(request) = self.exchange.answered(io) {
            let result = match reply {
                Reply::Error(code) => Err(refusal(*code)),
                _ => Ok(()),
            };
            if let (Wire::SetState(port, true), true) = (&request.what, result.is_err())
                && self.pulsing == Some(*port)
            {
                self.pulsing = None;
            }
            request.finish(result, io);
        }
        match reply {
            Reply::State(port, on) => self.report(*port, *on, fits, io),
            Reply::Version(version) => io.set("model", text(version)),
            Reply::Error(code) if !fits => io.log(format!("error {code}: {}", error_text(*code))),
            _ => {}
        }
    }

    fn report(&mut self, port: Port, on: bool, is_answer: bool, io: &mut Io) {
        for (name, _) in self.sensors.iter().filter(|(_, sensor)| *sensor == port) {
            io.set(format!("sensor.{name}"), switch(on));
        }
        let Some((name, _)) = self.relays.iter().find(|(_, relay)| *relay == port) else { return };
        io.set(format!("relay.{name}"), switch(on));
        let was_on = self.closed.contains(&port);
        self.closed.retain(|closed| *closed != port);
        if on {
            self.closed.push(port);
            if self.pulsing == Some(port) && !was_on {
                io.timer(PULSE, self.pulse);
            }
        } else if was_on {
            if self.pulsing == Some(port) {
                self.pulsing = None;
                io.set("sent", name);
            }
            self.is_resting = true;
            io.timer(REST, self.rest);
        } else if is_answer && self.latched.contains(&port) {
            // The box has restarted.
            self.ask(Wire::SetState(port, true));
        }
        self.go_on(io);
    }

    /// Closes the contact that waits, once the others are open and have rested.
    fn go_on(&mut self, io: &mut Io) {
        let Some((port, action, ticket)) = self.next else { return };
        if self.interlock {
            let others: Vec<_> =
                self.closed.iter().copied().filter(|other| *other != port).collect();
            for other in &others {
                self.latched.retain(|latched| latched != other);
                self.ask(Wire::SetState(*other, false));
            }
            if !others.is_empty() || self.is_resting {
                return;
            }
        }
        if self.pulsing.is_some() {
            return;
        }
        self.next = None;
        match action {
            RelayAction::Pulse => self.pulsing = Some(port),
            RelayAction::On => self.latch(port, true),
            RelayAction::Off => {}
        }
        if let Err(refusal) = self.set(port, true, ticket) {
            self.pulsing = None;
            io.fail(ticket, refusal);
        }
    }

    fn latch(&mut self, port: Port, on: bool) {
        self.latched.retain(|latched| *latched != port);
        if on {
            self.latched.push(port);
        }
    }

    fn set(&mut self, port: Port, on: bool, ticket: Ticket) -> Result<(), Refusal> {
        let what = Wire::SetState(port, on);
        let bytes = what.to_string().into_bytes();
        self.exchange.command(Request { what, bytes, ticket: Some(ticket), wait: WAIT })
    }

    fn request(&self, command: &Command) -> Result<(Port, RelayAction), Refusal> {
        let port = |name: &str| match self.relays.iter().find(|(relay, _)| relay == name) {
            Some((_, port)) => Ok(*port),
            None => {
                let known = self.relays.iter().map(|(name, _)| name);
                Err(Refusal::unknown_name("relay", name, known))
            }
        };
        match command {
            Command::Relay(name, action) => Ok((port(name)?, *action)),
            Command::Power(on) if self.relays.len() == 1 => {
                let action = if *on { RelayAction::On } else { RelayAction::Off };
                Ok((self.relays[0].1, action))
            }
            Command::Power(on) if self.info.command("power").is_some() => {
                Ok((port(if *on { "down" } else { "up" })?, RelayAction::Pulse))
            }
            _ => Err(Reason::Unsupported.into()),
        }
    }
}

impl Driver for ITachRelay {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        (self.is_open, self.is_online, self.is_resting) = (true, false, false);
        self.closed.clear();
        self.ask(Wire::GetVersion);
        self.ask_states();
        io.timer(POLL, POLL_EVERY);
        self.exchange.next(io);
    }

    fn closed(&mut self, io: &mut Io) {
        self.is_open = false;
        self.pulsing = None;
        if let Some((_, _, ticket)) = self.next.take() {
            io.fail(ticket, Reason::Offline);
        }
        self.exchange.close(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        for line in self.lines.push(data) {
            match Reply::parse(&line) {
                Some(reply) => self.replied(&reply, io),
                None => io.log(format!("not understood: {line:?}")),
            }
            self.exchange.next(io);
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let (port, action) = self.request(command)?;
        if !self.is_open {
            return Err(Reason::Offline.into());
        }
        if action == RelayAction::Off {
            self.set(port, false, ticket)?;
            self.latch(port, false);
        } else {
            if let Some((_, _, older)) = self.next.replace((port, action, ticket)) {
                io.fail(older, Reason::Replaced);
            }
            self.go_on(io);
        }
        self.exchange.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == POLL {
            self.ask_states();
            io.timer(POLL, POLL_EVERY);
        } else if timer == PULSE {
            if let Some(port) = self.pulsing {
                self.ask(Wire::SetState(port, false));
            }
        } else if timer == REST {
            self.is_resting = false;
            self.go_on(io);
        } else if timer == REPLY
            && let Some(request) = self.exchange.timed_out(io)
        {
            self.unanswered(&request.what);
        }
        self.exchange.next(io);
    }
}

impl ITachRelay {
    /// A contact that should open must not stay closed because one answer was lost.
    fn unanswered(&mut self, what: &Wire) {
        if let Wire::SetState(port, on) = what {
            if *on && self.pulsing == Some(*port) {
                self.pulsing = None;
            }
            if !*on || !self.latched.contains(port) {
                self.ask(Wire::SetState(*port, false));
            }
        }
    }
}

fn ports(key: &str, settings: &Settings<'_>) -> Result<Vec<(String, Port)>, SettingError> {
    let ports = settings.texts(key).into_iter().map(|(name, value)| match Port::parse(&value) {
        Some(port) => Ok((name, port)),
        None => {
            let text = format!("a contact is module:port such as \"1:2\", not {value:?}");
            Err(SettingError::new(format!("{key}.{name}"), text))
        }
    });
    ports.collect()
}

fn refusal(code: u16) -> Refusal {
    let reason = match code {
        1 => Reason::Unsupported,
        2 | 3 => Reason::Invalid,
        _ => Reason::Rejected,
    };
    Refusal::new(reason, format!("the box says error {code}: {}", error_text(code)))
}
