//! A document camera of Lumens. While it starts it ignores everything but the question whether it
//! is ready.

use std::time::Duration;

use rooms_drivers::lumens::wire::{Frame, Frames, command, status};
use rooms_drivers::vocabulary::switch;

use super::super::model::{Model, Out, Power, no_button, state};

const STARTS_IN: Duration = Duration::from_secs(2);
const ZOOM_MAX: u16 = 1000;
/// Of [`ZOOM_MAX`] in a second.
const ZOOM_STEPS: u64 = 300;

#[derive(Debug)]
pub(super) struct Lumens {
    frames: Frames,
    power: Power,
    lamp: bool,
    frozen: bool,
    zoom: u16,
    /// Since when it zooms, and whether in.
    zooming: Option<(Duration, bool)>,
}

impl Lumens {
    pub(super) fn new() -> Lumens {
        Lumens {
            frames: Frames::default(),
            power: Power::new(STARTS_IN, Duration::ZERO),
            lamp: false,
            frozen: false,
            zoom: 0,
            zooming: None,
        }
    }

    fn switch(&mut self, on: bool, now: Duration) {
        self.power.switch(on, now);
        self.power.tick(now);
        self.lamp &= on;
        self.frozen &= on;
    }

    fn stop_zoom(&mut self, now: Duration) {
        let Some((since, is_in)) = self.zooming.take() else { return };
        let millis = u64::try_from(now.saturating_sub(since).as_millis()).unwrap_or(u64::MAX);
        let steps = millis.saturating_mul(ZOOM_STEPS) / 1000;
        let steps = u16::try_from(steps).unwrap_or(u16::MAX);
        self.zoom = if is_in {
            self.zoom.saturating_add(steps).min(ZOOM_MAX)
        } else {
            self.zoom.saturating_sub(steps)
        };
    }

    fn heard(&mut self, asked: Frame, now: Duration) -> Frame {
        let mut reply = asked;
        let is_power =
            matches!(asked.command, command::POWER | command::POWER_OTHER | command::POWER_ASK);
        if !is_power && !self.power.is_on() {
            reply.status = status::IGNORED;
            return reply;
        }
        let number = |frame: &mut Frame, number: u16| {
            [frame.first, frame.second] = number.to_le_bytes();
        };
        match asked.command {
            command::POWER | command::POWER_OTHER => self.switch(asked.first != 0, now),
            command::POWER_ASK => {
                reply.first = u8::from(!self.power.is_changing());
                reply.second = u8::from(self.power.word() != "off");
            }
            command::LAMP => self.lamp = asked.first != 0,
            command::LAMP_ASK => reply.first = u8::from(self.lamp),
            command::FREEZE => self.frozen = asked.first != 0,
            command::FREEZE_ASK => reply.first = u8::from(self.frozen),
            command::ZOOM => {
                self.stop_zoom(now);
                self.zooming = Some((now, asked.first == 0));
            }
            command::ZOOM_STOP => self.stop_zoom(now),
            command::ZOOM_ASK => number(&mut reply, self.zoom),
            command::ZOOM_MAX_ASK => number(&mut reply, ZOOM_MAX),
            _ => reply.status = status::NAK,
        }
        reply
    }
}

impl Model for Lumens {
    fn opened(&mut self, _: &mut Out) {
        self.frames.clear();
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        for frame in self.frames.push(data) {
            let reply = self.heard(frame, out.now);
            out.send(reply.encode());
        }
    }

    fn due(&self) -> Option<Duration> {
        self.power.due()
    }

    fn tick(&mut self, out: &mut Out) {
        self.power.tick(out.now);
    }

    fn states(&self) -> Vec<(String, String)> {
        vec![
            state("power", self.power.word()),
            state("lamp", switch(self.lamp)),
            state("zoom", u32::from(self.zoom) * 100 / u32::from(ZOOM_MAX)),
        ]
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        match button {
            "power" => self.switch(self.power.word() == "off", out.now),
            "lamp" => self.lamp = !self.lamp && self.power.is_on(),
            "freeze" => self.frozen = !self.frozen && self.power.is_on(),
            _ => return Err(no_button(button, ["power", "lamp", "freeze"])),
        }
        Ok(())
    }

    fn rebooted(&mut self) {
        *self = Lumens::new();
    }
}
