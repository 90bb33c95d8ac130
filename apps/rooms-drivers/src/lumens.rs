//! Lumens document cameras on a serial line.
//!
//! On means that the camera is on and its lamp too. What the camera has ignored is sent again;
//! while its picture is frozen it does not zoom.

pub mod wire;

use std::time::Duration;

use self::wire::{Frame, Frames, command, status};
use crate::command::{Command, Zoom};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Io, Reason, Refusal};
use crate::settings::{Form, Key, Settings};
use crate::vocabulary::{Kind, switch};

const POLL: TimerId = TimerId::new("poll");
const RETRY: TimerId = TimerId::new("retry");
const POLL_EVERY: Duration = Duration::from_secs(10);
/// While it starts.
const POLL_QUICKLY_EVERY: Duration = Duration::from_secs(1);
const WAIT: Duration = Duration::from_secs(1);
const RETRY_AFTER: Duration = Duration::from_millis(300);
/// What is ignored so many times fails.
const TRIES: u32 = 4;
/// The quiet that the camera needs between commands.
const PACE_MS: u64 = 100;
/// A camera that is not on so long after `on` is left alone.
const QUICK_POLLS: u32 = 30;

pub(crate) const KEYS: &[Key] = &[
    Key::optional("lamp", Form::Bool, "false if it has none, or it shall stay as it is"),
    Key::optional(
        "power_command",
        Form::OneOf(&["b0", "b1"]),
        "b1 for the models whose list says B1 in place of B0",
    ),
];

#[derive(Debug)]
pub(crate) struct Lumens {
    info: DriverInfo,
    has_lamp: bool,
    power_command: u8,
    frames: Frames,
    exchange: Exchange<Frame>,
    is_open: bool,
    is_online: bool,
    is_on: bool,
    is_frozen: bool,
    /// The lamp is to follow once the power is as it was wanted.
    wanted: Option<bool>,
    quick_polls: u32,
    tries: u32,
    zoom_max: u16,
}

impl Lumens {
    pub(crate) fn build(settings: &Settings<'_>) -> Lumens {
        let mut info = DriverInfo::new("lumens-dc", Kind::DocumentCamera, &["power", "zoom"])
            .with_pace_ms(PACE_MS);
        info.keys = vec!["power", "lamp", "zoom"];
        let other = settings.text("power_command") == Some("b1");
        Lumens {
            info,
            has_lamp: settings.bool("lamp") != Some(false),
            power_command: if other { command::POWER_OTHER } else { command::POWER },
            frames: Frames::default(),
            exchange: Exchange::new(),
            is_open: false,
            is_online: false,
            is_on: false,
            is_frozen: false,
            wanted: None,
            quick_polls: 0,
            tries: 0,
            zoom_max: 0,
        }
    }

    fn ask(&mut self, what: Frame) {
        self.exchange.poll(what, what.encode(), WAIT);
    }

    fn poll(&mut self, io: &mut Io) {
        self.ask(Frame::new(command::POWER_ASK, 0));
        if self.is_on {
            if self.has_lamp {
                self.ask(Frame::new(command::LAMP_ASK, 0));
            }
            self.ask(Frame::new(command::FREEZE_ASK, 0));
            self.ask(Frame::new(command::ZOOM_ASK, 0));
        }
        let quickly = self.wanted.is_some() && self.quick_polls > 0;
        self.quick_polls = self.quick_polls.saturating_sub(1);
        io.timer(POLL, if quickly { POLL_QUICKLY_EVERY } else { POLL_EVERY });
    }

    fn replied(&mut self, reply: Frame, io: &mut Io) {
        if !self.is_online {
            self.is_online = true;
            io.online();
        }
        let is_answer = self.exchange.asked().is_some_and(|asked| asked.command == reply.command);
        if reply.status & status::IGNORED != 0 {
            if is_answer && self.tries < TRIES {
                io.cancel(REPLY);
                io.timer(RETRY, RETRY_AFTER);
            } else if is_answer && let Some(request) = self.exchange.answered(io) {
                request.finish(Err(Reason::NotNow.into()), io);
            }
            return;
        }
        let accepted = reply.status & status::NAK == 0;
        if is_answer && let Some(request) = self.exchange.answered(io) {
            let result = if accepted { Ok(()) } else { Err(Reason::Rejected.into()) };
            request.finish(result, io);
        }
        if accepted {
            self.report(reply, io);
        }
    }

    fn report(&mut self, reply: Frame, io: &mut Io) {
        match reply.command {
            command::POWER_ASK => self.report_power(reply.first != 0, reply.second != 0, io),
            command::LAMP_ASK => io.set("lamp", switch(reply.first != 0)),
            command::FREEZE_ASK => self.is_frozen = reply.first != 0,
            command::ZOOM_MAX_ASK => self.zoom_max = reply.number(),
            command::ZOOM_ASK if self.zoom_max > 0 => {
                let percent = u32::from(reply.number()) * 100 / u32::from(self.zoom_max);
                io.set("zoom", percent.min(100));
            }
            command::LAMP => self.ask(Frame::new(command::LAMP_ASK, 0)),
            command::ZOOM_STOP => self.ask(Frame::new(command::ZOOM_ASK, 0)),
            _ if reply.command == self.power_command => {
                self.wanted = Some(reply.first != 0);
                self.quick_polls = QUICK_POLLS;
                io.timer(POLL, POLL_QUICKLY_EVERY);
            }
            _ => {}
        }
    }

    fn report_power(&mut self, ready: bool, on: bool, io: &mut Io) {
        let word = match (on, ready) {
            (true, true) => "on",
            (true, false) => "warming",
            (false, _) => "off",
        };
        io.set("power", word);
        self.is_on = word == "on";
        if self.is_on && self.zoom_max == 0 {
            self.ask(Frame::new(command::ZOOM_MAX_ASK, 0));
            self.ask(Frame::new(command::ZOOM_ASK, 0));
        }
        if self.wanted == Some(true) && self.is_on {
            self.wanted = None;
            if self.has_lamp {
                // Two, so that the camera takes the light of its head, not of its base.
                self.ask(Frame::new(command::LAMP, 2));
            }
        }
        if !on {
            if self.has_lamp {
                io.set("lamp", "off");
            }
            self.wanted = self.wanted.filter(|wanted| *wanted);
        }
    }

    fn request(&self, wanted: &Command) -> Result<Frame, Refusal> {
        match wanted {
            Command::Power(on) => Ok(Frame::new(self.power_command, u8::from(*on))),
            Command::Zoom(Zoom::Stop) => Ok(Frame::new(command::ZOOM_STOP, 0)),
            Command::Zoom(_) if self.is_frozen => {
                let text = "the picture is frozen; the camera can zoom when it is not";
                Err(Refusal::new(Reason::NotNow, text))
            }
            Command::Zoom(Zoom::In) => Ok(Frame::new(command::ZOOM, 0)),
            Command::Zoom(Zoom::Out) => Ok(Frame::new(command::ZOOM, 1)),
            _ => Err(Reason::Unsupported.into()),
        }
    }
}

impl Driver for Lumens {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.frames.clear();
        (self.is_open, self.is_online, self.is_on, self.is_frozen) = (true, false, false, false);
        (self.wanted, self.quick_polls, self.zoom_max) = (None, 0, 0);
        self.poll(io);
        self.next(io);
    }

    fn closed(&mut self, io: &mut Io) {
        self.is_open = false;
        self.exchange.close(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        for frame in self.frames.push(data) {
            self.replied(frame, io);
            self.next(io);
        }
    }

    fn command(&mut self, wanted: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let what = self.request(wanted)?;
        if !self.is_open {
            return Err(Reason::Offline.into());
        }
        let request = Request { what, bytes: what.encode(), ticket: Some(ticket), wait: WAIT };
        if wanted.is_stop() {
            io.cancel(RETRY);
            self.exchange.overtake(request, |what| what.command == command::ZOOM, io);
        } else {
            self.exchange.command(request)?;
        }
        self.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == POLL {
            self.poll(io);
        } else if timer == REPLY {
            self.exchange.timed_out(io);
        } else if timer == RETRY {
            self.tries += 1;
            self.exchange.again(io);
        }
        self.next(io);
    }
}

impl Lumens {
    fn next(&mut self, io: &mut Io) {
        let tries = &mut self.tries;
        self.exchange.next_framed(io, |_, bytes| {
            *tries = 1;
            bytes
        });
    }
}
