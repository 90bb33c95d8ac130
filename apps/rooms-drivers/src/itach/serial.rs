//! The serial lines of an iTach box: what their settings are, and that they are as wanted.
//!
//! Their data goes over ports of its own (4999 and 5000), which are transports to other devices.

use std::time::Duration;

use super::wire::{Port, Reply, Request as Wire, error_text};
use crate::command::Command;
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY};
use crate::io::{Fault, Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, SettingError, Settings};
use crate::vocabulary::{Kind, text};

const POLL: TimerId = TimerId::new("poll");
const POLL_EVERY: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_secs(2);

pub(crate) const KEYS: &[Key] = &[Key::required(
    "lines",
    Form::Texts,
    "the settings of its lines by module, such as { 1 = \"9600 8N1\" }; parity N, E or O",
)];

#[derive(Debug)]
pub(crate) struct ITachSerial {
    info: DriverInfo,
    wanted: Vec<(Port, String)>,
    lines: Lines,
    exchange: Exchange<Wire>,
    is_online: bool,
}

impl ITachSerial {
    pub(crate) fn build(settings: &Settings<'_>) -> Result<ITachSerial, SettingError> {
        let wanted = settings.texts("lines").into_iter().map(|(module, line)| {
            let wrong = |text| SettingError::new(format!("lines.{module}"), text);
            let port = module.parse().map(|module| Port { module, port: 1 });
            let port =
                port.map_err(|_| wrong("lines are named by their module's number, such as 1"));
            let line = line_settings(&line);
            Ok((port?, line.ok_or_else(|| wrong("a line is speed and form, such as 9600 8N1"))?))
        });
        Ok(ITachSerial {
            info: DriverInfo::new("itach-serial", Kind::Bridge, &[]),
            wanted: wanted.collect::<Result<_, _>>()?,
            lines: Lines::new(b"\r\n"),
            exchange: Exchange::new(),
            is_online: false,
        })
    }

    fn ask(&mut self, what: Wire) {
        let bytes = what.to_string().into_bytes();
        self.exchange.poll(what, bytes, WAIT);
    }

    fn ask_all(&mut self, io: &mut Io) {
        let ports: Vec<_> = self.wanted.iter().map(|(port, _)| *port).collect();
        ports.into_iter().for_each(|port| self.ask(Wire::GetSerial(port)));
        io.timer(POLL, POLL_EVERY);
    }

    fn replied(&mut self, reply: &Reply, io: &mut Io) {
        if !self.is_online {
            self.is_online = true;
            io.online();
        }
        let asked = self.exchange.asked().cloned();
        match (reply, &asked) {
            (Reply::Version(version), Some(Wire::GetVersion)) => io.set("model", text(version)),
            (Reply::Serial(of, line), Some(Wire::GetSerial(port) | Wire::SetSerial(port, _)))
                if of == port =>
            {
                self.report(*port, line, matches!(asked, Some(Wire::SetSerial(..))), io);
            }
            (Reply::Error(code), Some(Wire::GetSerial(port) | Wire::SetSerial(port, _))) => {
                let text = format!("line {}: {} (error {code})", port.module, error_text(*code));
                io.fault(Fault::Config(text));
            }
            (Reply::Error(_), Some(_)) => {}
            _ => return,
        }
        self.exchange.answered(io);
    }

    fn report(&mut self, port: Port, line: &str, was_set: bool, io: &mut Io) {
        io.set(format!("line.{}", port.module), text(line));
        let wanted = self.wanted.iter().find(|(of, _)| *of == port);
        let Some((_, wanted)) = wanted.filter(|(_, wanted)| !line.starts_with(wanted.as_str()))
        else {
            return;
        };
        if was_set {
            let text = format!("line {} stays at {line}, not {wanted}", port.module);
            io.fault(Fault::Config(text));
        } else {
            let wanted = wanted.clone();
            self.ask(Wire::SetSerial(port, wanted));
        }
    }
}

impl Driver for ITachSerial {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        self.is_online = false;
        self.ask(Wire::GetVersion);
        self.ask_all(io);
        self.exchange.next(io);
    }

    fn closed(&mut self, io: &mut Io) {
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

    fn command(&mut self, _: &Command, _: Ticket, _: &mut Io) -> Result<(), Refusal> {
        Err(Reason::Unsupported.into())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == POLL {
            self.ask_all(io);
        } else if timer == REPLY {
            self.exchange.timed_out(io);
        }
        self.exchange.next(io);
    }
}

/// `9600 8N1` in the box's words.
fn line_settings(line: &str) -> Option<String> {
    let (speed, form) = line.split_once(' ')?;
    let speed: u32 = speed.parse().ok()?;
    let parity = match form {
        "8N1" => "PARITY_NO",
        "8E1" => "PARITY_EVEN",
        "8O1" => "PARITY_ODD",
        _ => return None,
    };
    Some(format!("{speed},FLOW_NONE,{parity}"))
}
