//! Cameras that speak VISCA, on a serial line or over IP.
//!
//! A command is accepted with an ACK that names a socket, and later completed in that socket; the
//! order of completions is the camera's. The ticket is answered by the ACK. Over IP each packet
//! has a number, the reply has the same; a packet that was lost is sent again with its number.
//!
//! Cameras don't say which preset they are at: it is remembered, until they move.

pub mod wire;

use std::time::Duration;

use self::wire::{Frames, Packet, PacketKind, Packets, Reply, Request as Wire};
use crate::command::{Command, Move, PresetAction, Zoom};
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Io, Reason, Refusal};
use crate::settings::{Form, Key, Settings};
use crate::vocabulary::Kind;

const POLL: TimerId = TimerId::new("poll");
const RETRY: TimerId = TimerId::new("retry");
const BEGIN: TimerId = TimerId::new("begin");
const POLL_EVERY: Duration = Duration::from_secs(10);
const WAIT: Duration = Duration::from_secs(1);
/// Both sockets taken: so long until one is free.
const FULL_WAIT: Duration = Duration::from_millis(50);
/// A request is sent so many times before it fails.
const TRIES: u32 = 3;
/// A stop that is lost leaves the camera moving: over UDP it is sent so many times.
const STOP_SENDS: u32 = 3;
const PAN_SPEED_MAX: u8 = 0x18;
const TILT_SPEED_MAX: u8 = 0x14;
const ZOOM_MAX: u32 = 0x4000;
const PRESET_MAX: u8 = 0x7F;

const KIND: Key = Key::optional(
    "kind",
    Form::OneOf(&["camera", "document-camera"]),
    "what it is, if it is not a camera that looks at people",
);
const ZOOM_SPEED: Key = Key::optional("zoom_speed", Form::Integer(0, 7), "how fast it zooms");

pub(crate) const SERIAL_KEYS: &[Key] = &[
    KIND,
    ZOOM_SPEED,
    Key::optional("address", Form::Integer(1, 7), "its place in the chain, 1 if it says nothing"),
];

pub(crate) const IP_KEYS: &[Key] = &[
    KIND,
    ZOOM_SPEED,
    Key::optional("header", Form::Bool, "false for cameras that take bare frames over IP"),
];

#[derive(Debug)]
pub(crate) struct Visca {
    info: DriverInfo,
    address: u8,
    zoom_speed: u8,
    line: Line,
    exchange: Exchange<Wire>,
    is_open: bool,
    is_online: bool,
    is_on: bool,
    tries: u32,
    /// ACKs that will still come for commands that a stop has overtaken.
    acks_owed: u32,
    /// What is under way in each socket.
    sockets: [Option<Wire>; 16],
}

#[derive(Debug)]
enum Line {
    Serial(Frames),
    Bare(Frames),
    Numbered { packets: Packets, sequence: u32 },
}

impl Visca {
    pub(crate) fn serial(settings: &Settings<'_>) -> Visca {
        let address = settings.integer("address").and_then(|address| u8::try_from(address).ok());
        Visca::new("visca-serial", settings, address.unwrap_or(1), Line::Serial(Frames::default()))
    }

    pub(crate) fn over_ip(settings: &Settings<'_>) -> Visca {
        let line = if settings.bool("header") == Some(false) {
            Line::Bare(Frames::default())
        } else {
            Line::Numbered { packets: Packets::default(), sequence: 0 }
        };
        Visca::new("visca-ip", settings, 1, line)
    }

    fn new(name: &str, settings: &Settings<'_>, address: u8, line: Line) -> Visca {
        let kind = settings.text("kind").and_then(Kind::parse).unwrap_or(Kind::Camera);
        let info = DriverInfo::new(name, kind, &["power", "move", "zoom", "preset"])
            .without_key("model")
            .without_key("lamp");
        let speed = settings.integer("zoom_speed").and_then(|speed| u8::try_from(speed).ok());
        Visca {
            info,
            address,
            zoom_speed: speed.unwrap_or(3),
            line,
            exchange: Exchange::new(),
            is_open: false,
            is_online: false,
            is_on: false,
            tries: 0,
            acks_owed: 0,
            sockets: Default::default(),
        }
    }

    fn ask(&mut self, what: Wire) {
        let bytes = what.encode(self.address);
        self.exchange.poll(what, bytes, WAIT);
    }

    /// Sends what waits, over IP with a number.
    fn next(&mut self, io: &mut Io) {
        let tries = &mut self.tries;
        match &mut self.line {
            Line::Serial(_) | Line::Bare(_) => {
                self.exchange.next_framed(io, |_, bytes| {
                    *tries = 1;
                    bytes
                });
            }
            Line::Numbered { sequence, .. } => self.exchange.next_framed(io, |what, payload| {
                *tries = 1;
                number(what, payload, sequence)
            }),
        }
    }

    fn replied(&mut self, reply: Reply, io: &mut Io) {
        if !self.is_online && reply != Reply::NetworkChange {
            self.is_online = true;
            io.online();
        }
        let asked_inquiry = self.exchange.asked().map(Wire::is_inquiry);
        match reply {
            Reply::Ack(_) if self.acks_owed > 0 => self.acks_owed -= 1,
            Reply::Ack(socket) if asked_inquiry == Some(false) => {
                if let Some(request) = self.exchange.answered(io) {
                    request.finish(Ok(()), io);
                    self.moved(&request.what, io);
                    self.sockets[usize::from(socket & 0x0F)] = Some(request.what);
                }
            }
            Reply::Completion(socket) => match self.sockets[usize::from(socket & 0x0F)].take() {
                Some(what) => self.completed(&what, io),
                // Some cameras leave the ACK out.
                None if asked_inquiry == Some(false) => {
                    if let Some(request) = self.exchange.answered(io) {
                        request.finish(Ok(()), io);
                        self.moved(&request.what, io);
                        self.completed(&request.what, io);
                    }
                }
                None => {}
            },
            Reply::Answer(answer) if asked_inquiry == Some(true) => self.answered(&answer, io),
            Reply::SyntaxError => self.failed(Reason::Rejected, io),
            Reply::NotExecutable(socket) => match self.sockets[usize::from(socket & 0x0F)].take() {
                Some(what) if socket > 0 => io.log(format!("{what:?} was given up by the camera")),
                _ => self.failed(Reason::NotNow, io),
            },
            Reply::BufferFull if self.exchange.asked().is_some() => {
                if self.tries < TRIES {
                    io.cancel(REPLY);
                    io.timer(RETRY, FULL_WAIT);
                } else {
                    self.failed(Reason::Busy, io);
                }
            }
            Reply::Cancelled(socket) | Reply::NoSocket(socket) => {
                self.sockets[usize::from(socket & 0x0F)] = None;
            }
            Reply::Addresses(_) | Reply::Cleared => {
                let expected = match reply {
                    Reply::Cleared => Wire::Clear,
                    _ => Wire::AddressSet,
                };
                if self.exchange.asked() == Some(&expected) {
                    self.exchange.answered(io);
                }
            }
            Reply::NetworkChange if matches!(self.line, Line::Serial(_)) => {
                self.ask(Wire::AddressSet);
            }
            _ => {}
        }
    }

    fn failed(&mut self, reason: Reason, io: &mut Io) {
        if let Some(request) = self.exchange.answered(io) {
            request.finish(Err(reason.into()), io);
        }
    }

    fn answered(&mut self, answer: &[u8], io: &mut Io) {
        let asked = self.exchange.asked().cloned();
        match (asked, answer) {
            (Some(Wire::PowerInquiry), [power]) => {
                self.is_on = *power == 2;
                let word = match power {
                    2 => "on",
                    3 => "off",
                    _ => "unknown",
                };
                io.set("power", word);
            }
            (Some(Wire::ZoomInquiry), [p, q, r, s]) => {
                let zoom = u32::from(wire::number([*p, *q, *r, *s]));
                io.set("zoom", (zoom * 100 / ZOOM_MAX).min(100));
            }
            (Some(Wire::PositionInquiry), [p0, p1, p2, p3, t0, t1, t2, t3]) => {
                io.set("pan", wire::number([*p0, *p1, *p2, *p3]).cast_signed());
                io.set("tilt", wire::number([*t0, *t1, *t2, *t3]).cast_signed());
            }
            // The answer to a question that is not waited for any more.
            _ => return,
        }
        self.exchange.answered(io);
    }

    /// What the camera has begun to do.
    fn moved(&mut self, what: &Wire, io: &mut Io) {
        let still = Wire::Drive { pan: 0, tilt: 0 };
        let moves =
            matches!(what, Wire::ZoomTele(_) | Wire::ZoomWide(_) | Wire::Drive { .. } | Wire::Home);
        if moves && *what != still {
            io.set("preset", "none");
        }
    }

    fn completed(&mut self, what: &Wire, io: &mut Io) {
        match what {
            Wire::Power(_) => self.ask(Wire::PowerInquiry),
            Wire::ZoomTele(_) | Wire::ZoomWide(_) | Wire::ZoomStop => self.ask(Wire::ZoomInquiry),
            Wire::Drive { .. } | Wire::Home => self.ask(Wire::PositionInquiry),
            Wire::PresetRecall(number) => {
                io.set("preset", number);
                self.ask(Wire::ZoomInquiry);
                self.ask(Wire::PositionInquiry);
            }
            _ => {}
        }
    }

    fn packet(&mut self, packet: &Packet, io: &mut Io) {
        let Line::Numbered { sequence, .. } = &mut self.line else { return };
        let asked = self.exchange.asked_request();
        let is_answer = asked.is_some_and(|asked| number_of(&asked.bytes) == packet.sequence);
        match packet.kind {
            PacketKind::Control | PacketKind::ControlReply if packet.payload == wire::RESET => {
                self.begin(io);
            }
            PacketKind::Control | PacketKind::ControlReply if is_answer => {
                if packet.payload == wire::SEQUENCE_ABNORMAL && self.tries > 1 {
                    // It had arrived the first time; only the answer was lost.
                    if let Some(request) = self.exchange.answered(io) {
                        request.finish(Ok(()), io);
                        self.moved(&request.what, io);
                        self.completed(&request.what, io);
                    }
                } else if packet.payload == wire::SEQUENCE_ABNORMAL {
                    io.send(reset());
                    *sequence = 0;
                    self.tries += 1;
                    self.exchange.again_framed(io, |what, mut bytes| {
                        number(what, bytes.split_off(bytes.len().min(8)), sequence)
                    });
                } else if packet.payload == wire::MESSAGE_ABNORMAL {
                    self.failed(Reason::Rejected, io);
                }
            }
            PacketKind::Reply => {
                let reply = Reply::parse(&packet.payload).map(|(_, reply)| reply);
                let is_late = matches!(
                    reply,
                    Some(Reply::Completion(_) | Reply::NotExecutable(_) | Reply::NetworkChange)
                );
                if let Some(reply) = reply
                    && (is_answer || is_late)
                {
                    self.replied(reply, io);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, io: &mut Io) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        io.cancel(BEGIN);
        if let Line::Serial(_) = self.line {
            self.ask(Wire::AddressSet);
            self.ask(Wire::Clear);
        }
        self.poll(io);
    }

    fn poll(&mut self, io: &mut Io) {
        self.ask(Wire::PowerInquiry);
        if self.is_on {
            self.ask(Wire::ZoomInquiry);
            self.ask(Wire::PositionInquiry);
        }
        io.timer(POLL, POLL_EVERY);
    }

    fn request(&self, command: &Command) -> Result<Wire, Refusal> {
        let speed = |percent: u8, max: u8, way: i8| {
            let steps = (u16::from(percent.min(100)) * u16::from(max)).div_ceil(100).max(1);
            i8::try_from(steps).unwrap_or(1) * way
        };
        Ok(match command {
            Command::Power(on) => Wire::Power(*on),
            Command::Move(Move::Toward(heading, percent)) => {
                let (right, up) = heading.right_up();
                let pan = speed(*percent, PAN_SPEED_MAX, right);
                Wire::Drive { pan, tilt: speed(*percent, TILT_SPEED_MAX, up) }
            }
            Command::Move(Move::Stop) => Wire::Drive { pan: 0, tilt: 0 },
            Command::Move(Move::Home) => Wire::Home,
            Command::Zoom(Zoom::In) => Wire::ZoomTele(self.zoom_speed),
            Command::Zoom(Zoom::Out) => Wire::ZoomWide(self.zoom_speed),
            Command::Zoom(Zoom::Stop) => Wire::ZoomStop,
            Command::Preset(_, number) if *number > PRESET_MAX => {
                let text = format!("presets are numbered 0 to {PRESET_MAX}, not {number}");
                return Err(Refusal::new(Reason::Invalid, text));
            }
            Command::Preset(PresetAction::Recall, number) => Wire::PresetRecall(*number),
            Command::Preset(PresetAction::Save, number) => Wire::PresetSet(*number),
            _ => return Err(Reason::Unsupported.into()),
        })
    }

    /// A stop does not wait for answers that may never come.
    fn stop(&mut self, request: Request<Wire>, io: &mut Io) {
        let is_pan = matches!(request.what, Wire::Drive { .. });
        let in_vain = |what: &Wire| match what {
            Wire::Drive { .. } => is_pan,
            Wire::ZoomTele(_) | Wire::ZoomWide(_) => !is_pan,
            _ => false,
        };
        io.cancel(RETRY);
        let overtaken = self.exchange.overtake(request, in_vain, io);
        if overtaken.is_some_and(|overtaken| !overtaken.what.is_inquiry())
            && !matches!(self.line, Line::Numbered { .. })
        {
            self.acks_owed += 1;
        }
        self.next(io);
        if let Line::Numbered { .. } = self.line {
            for _ in 1..STOP_SENDS {
                self.exchange.again(io);
            }
        }
    }
}

impl Driver for Visca {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        (self.is_open, self.is_online, self.is_on) = (false, false, false);
        self.acks_owed = 0;
        self.sockets = Default::default();
        match &mut self.line {
            Line::Serial(frames) | Line::Bare(frames) => {
                frames.clear();
                self.begin(io);
            }
            Line::Numbered { packets, sequence } => {
                packets.clear();
                *sequence = 0;
                io.send(reset());
                io.timer(BEGIN, WAIT);
            }
        }
        self.next(io);
    }

    fn closed(&mut self, io: &mut Io) {
        self.is_open = false;
        self.exchange.close(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        match &mut self.line {
            Line::Serial(frames) | Line::Bare(frames) => {
                for frame in frames.push(data) {
                    match Reply::parse(&frame) {
                        Some((from, reply)) if from == self.address || from == 8 => {
                            self.replied(reply, io);
                        }
                        _ => io.log(format!("not for us: {frame:02X?}")),
                    }
                    self.next(io);
                }
            }
            Line::Numbered { packets, .. } => {
                for packet in packets.push(data) {
                    self.packet(&packet, io);
                    self.next(io);
                }
            }
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let what = self.request(command)?;
        if !self.is_open {
            return Err(Reason::Offline.into());
        }
        let bytes = what.encode(self.address);
        let request = Request { what, bytes, ticket: Some(ticket), wait: WAIT };
        if command.is_stop() {
            self.stop(request, io);
        } else {
            self.exchange.command(request)?;
        }
        self.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == POLL {
            self.poll(io);
        } else if timer == BEGIN {
            self.begin(io);
        } else if timer == RETRY {
            self.tries += 1;
            self.exchange.again(io);
        } else if timer == REPLY {
            let is_numbered = matches!(self.line, Line::Numbered { .. });
            if is_numbered && self.tries < TRIES {
                self.tries += 1;
                self.exchange.again(io);
            } else {
                self.acks_owed = 0;
                self.exchange.timed_out(io);
            }
        }
        self.next(io);
    }
}

fn reset() -> Vec<u8> {
    let payload = wire::RESET.to_vec();
    Packet { kind: PacketKind::Control, sequence: 0, payload }.encode()
}

fn number(what: &Wire, payload: Vec<u8>, sequence: &mut u32) -> Vec<u8> {
    *sequence = sequence.wrapping_add(1);
    let kind = if what.is_inquiry() { PacketKind::Inquiry } else { PacketKind::Command };
    Packet { kind, sequence: *sequence, payload }.encode()
}

fn number_of(packet: &[u8]) -> u32 {
    let number = packet.get(4..8).and_then(|bytes| bytes.first_chunk());
    u32::from_be_bytes(*number.unwrap_or(&[0; 4]))
}
