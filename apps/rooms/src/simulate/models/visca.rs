//! A camera that speaks VISCA, on a serial line or over IP. It has two sockets and really moves.

use std::collections::BTreeMap;
use std::time::Duration;

use rooms_drivers::visca::wire::{
    self, Frames, Packet, PacketKind, Packets, Reply, Request, SEQUENCE_ABNORMAL,
};
use rooms_drivers::vocabulary::switch;
use rooms_files::Device;

use super::super::model::{Model, Out, no_button, state};

/// What takes no time takes so long.
const QUICK: Duration = Duration::from_millis(50);
/// A way to a position.
const SLOW: Duration = Duration::from_millis(800);
const ZOOM_MAX: i32 = 0x4000;
/// Steps in a second, at speed 1.
const STEPS: i32 = 40;
const ZOOM_STEPS: i32 = 0x400;

#[derive(Debug)]
pub(super) struct Visca {
    address: u8,
    line: Line,
    is_on: bool,
    at: View,
    drive: (i8, i8),
    zoom_speed: i8,
    /// When the view was last true.
    seen: Duration,
    presets: BTreeMap<u8, View>,
    sockets: [Option<UnderWay>; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct View {
    pan: i32,
    tilt: i32,
    zoom: i32,
}

#[derive(Debug)]
enum Line {
    Bare(Frames),
    Numbered { packets: Packets, last: Option<u32> },
}

#[derive(Debug)]
struct UnderWay {
    until: Duration,
    goes_to: Option<View>,
    /// Whose reply its completion is.
    sequence: u32,
}

impl Visca {
    pub(super) fn new(device: &Device) -> Visca {
        let header = device.settings.get("header").and_then(toml::Value::as_bool);
        let address = device.settings.get("address").and_then(toml::Value::as_integer);
        let line = if device.driver == "visca-ip" && header != Some(false) {
            Line::Numbered { packets: Packets::default(), last: None }
        } else {
            Line::Bare(Frames::default())
        };
        Visca {
            address: address.and_then(|address| u8::try_from(address).ok()).unwrap_or(1),
            line,
            is_on: false,
            at: View::default(),
            drive: (0, 0),
            zoom_speed: 0,
            seen: Duration::ZERO,
            presets: BTreeMap::new(),
            sockets: [None, None],
        }
    }

    /// The view as it is now.
    fn look(&mut self, now: Duration) {
        let millis = i32::try_from(now.saturating_sub(self.seen).as_millis()).unwrap_or(i32::MAX);
        let went = |speed: i8, steps: i32| (i32::from(speed) * steps).saturating_mul(millis) / 1000;
        self.at.pan = (self.at.pan + went(self.drive.0, STEPS)).clamp(-2448, 2448);
        self.at.tilt = (self.at.tilt + went(self.drive.1, STEPS)).clamp(-432, 1296);
        self.at.zoom = (self.at.zoom + went(self.zoom_speed, ZOOM_STEPS)).clamp(0, ZOOM_MAX);
        self.seen = now;
    }

    fn reply(&self, reply: &Reply, sequence: u32, out: &mut Out) {
        let payload = reply.encode(self.address);
        out.send(match self.line {
            Line::Bare(_) => payload,
            Line::Numbered { .. } => Packet { kind: PacketKind::Reply, sequence, payload }.encode(),
        });
    }

    fn packet(&mut self, packet: &Packet, out: &mut Out) {
        let Line::Numbered { last, .. } = &mut self.line else { return };
        let Packet { kind, sequence, payload } = packet;
        match kind {
            PacketKind::Control if *payload == wire::RESET => {
                *last = None;
                let kind = PacketKind::ControlReply;
                out.send(Packet { kind, sequence: *sequence, payload: payload.clone() }.encode());
            }
            PacketKind::Command | PacketKind::Inquiry if *last == Some(*sequence) => {
                let (kind, payload) = (PacketKind::Control, SEQUENCE_ABNORMAL.to_vec());
                out.send(Packet { kind, sequence: *sequence, payload }.encode());
            }
            PacketKind::Command | PacketKind::Inquiry => {
                *last = Some(*sequence);
                self.frame(payload, *sequence, out);
            }
            _ => {}
        }
    }

    fn frame(&mut self, frame: &[u8], sequence: u32, out: &mut Out) {
        self.look(out.now);
        match Request::parse(frame) {
            Some((8, Request::AddressSet)) => {
                self.reply(&Reply::Addresses(self.address + 1), sequence, out);
            }
            Some((8, Request::Clear)) => {
                self.sockets = [None, None];
                self.reply(&Reply::Cleared, sequence, out);
            }
            Some((address, request)) if address == self.address => {
                self.request(&request, sequence, out);
            }
            Some(_) => {}
            None => self.reply(&Reply::SyntaxError, sequence, out),
        }
    }

    fn request(&mut self, request: &Request, sequence: u32, out: &mut Out) {
        let nibbles = |steps: i32| {
            let steps = i16::try_from(steps).unwrap_or(i16::MAX);
            wire::nibbles(steps.cast_unsigned())
        };
        let answer = match request {
            Request::PowerInquiry => vec![if self.is_on { 2 } else { 3 }],
            Request::ZoomInquiry => nibbles(self.at.zoom).to_vec(),
            Request::PositionInquiry => [nibbles(self.at.pan), nibbles(self.at.tilt)].concat(),
            Request::Cancel(socket) => return self.cancel(*socket, sequence, out),
            _ => return self.order(request, sequence, out),
        };
        self.reply(&Reply::Answer(answer), sequence, out);
    }

    fn order(&mut self, request: &Request, sequence: u32, out: &mut Out) {
        if !self.is_on && !matches!(request, Request::Power(_)) {
            return self.reply(&Reply::NotExecutable(0), sequence, out);
        }
        let Some(free) = self.sockets.iter().position(Option::is_none) else {
            return self.reply(&Reply::BufferFull, sequence, out);
        };
        let (mut takes, mut goes_to) = (QUICK, None);
        match *request {
            Request::Power(on) => {
                self.is_on = on;
                (self.drive, self.zoom_speed) = ((0, 0), 0);
            }
            Request::ZoomTele(speed) => self.zoom_speed = speed.cast_signed() + 1,
            Request::ZoomWide(speed) => self.zoom_speed = -speed.cast_signed() - 1,
            Request::ZoomStop => self.zoom_speed = 0,
            Request::ZoomDirect(zoom) => {
                (takes, goes_to) = (SLOW, Some(View { zoom: i32::from(zoom), ..self.at }));
            }
            Request::Drive { pan, tilt } => self.drive = (pan, tilt),
            Request::Home => {
                (takes, goes_to) = (SLOW, Some(View { zoom: self.at.zoom, pan: 0, tilt: 0 }));
            }
            Request::PresetClear(number) => drop(self.presets.remove(&number)),
            Request::PresetSet(number) => drop(self.presets.insert(number, self.at)),
            Request::PresetRecall(number) => {
                let view = self.presets.get(&number).copied().unwrap_or_default();
                (takes, goes_to) = (SLOW, Some(view));
            }
            _ => return self.reply(&Reply::SyntaxError, sequence, out),
        }
        self.sockets[free] = Some(UnderWay { until: out.now + takes, goes_to, sequence });
        self.reply(&Reply::Ack(socket(free)), sequence, out);
    }

    fn cancel(&mut self, number: u8, sequence: u32, out: &mut Out) {
        let at = usize::from(number).wrapping_sub(1);
        let reply = match self.sockets.get_mut(at).and_then(Option::take) {
            Some(_) => Reply::Cancelled(number),
            None => Reply::NoSocket(number),
        };
        self.reply(&reply, sequence, out);
    }
}

fn socket(at: usize) -> u8 {
    u8::try_from(at + 1).expect("there are two")
}

impl Model for Visca {
    fn opened(&mut self, _: &mut Out) {
        match &mut self.line {
            Line::Bare(frames) => frames.clear(),
            Line::Numbered { packets, last } => {
                packets.clear();
                *last = None;
            }
        }
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        match &mut self.line {
            Line::Bare(frames) => {
                frames.push(data).iter().for_each(|frame| self.frame(frame, 0, out));
            }
            Line::Numbered { packets, .. } => {
                packets.push(data).iter().for_each(|packet| self.packet(packet, out));
            }
        }
    }

    fn due(&self) -> Option<Duration> {
        self.sockets.iter().flatten().map(|under_way| under_way.until).min()
    }

    fn tick(&mut self, out: &mut Out) {
        self.look(out.now);
        for at in 0..self.sockets.len() {
            let is_done = self.sockets[at].as_ref().is_some_and(|it| it.until <= out.now);
            if let Some(done) = self.sockets[at].take_if(|_| is_done) {
                self.at = done.goes_to.unwrap_or(self.at);
                self.reply(&Reply::Completion(socket(at)), done.sequence, out);
            }
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        vec![
            state("power", switch(self.is_on)),
            state("zoom", self.at.zoom * 100 / ZOOM_MAX),
            state("pan", self.at.pan),
            state("tilt", self.at.tilt),
        ]
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        self.look(out.now);
        match button {
            "power" => self.is_on = !self.is_on,
            "home" => self.at = View { zoom: self.at.zoom, ..View::default() },
            _ => return Err(no_button(button, ["power", "home"])),
        }
        Ok(())
    }

    fn rebooted(&mut self) {
        self.is_on = false;
        (self.drive, self.zoom_speed) = ((0, 0), 0);
        self.sockets = [None, None];
    }
}
