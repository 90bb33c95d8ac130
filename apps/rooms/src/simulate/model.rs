//! What a simulated device is: bytes in, bytes out, time as an argument. No socket, no clock.

use std::fmt;
use std::time::Duration;

use super::calls::{CallAction, CallNews};

/// A device, played. It lives as long as the simulator; controllers come and go.
pub trait Model: Send + fmt::Debug {
    /// A controller has connected: forget the session before, greet.
    fn opened(&mut self, out: &mut Out);

    /// What the controller sent, in pieces of any size.
    fn bytes(&mut self, data: &[u8], out: &mut Out);

    /// When [`tick`](Model::tick) is next to be called, in the simulator's time.
    fn due(&self) -> Option<Duration> {
        None
    }

    /// It is as late as was wanted, or later.
    fn tick(&mut self, _out: &mut Out) {}

    /// The device's states, in the words of its kind's vocabulary where that has some.
    fn states(&self) -> Vec<(String, String)>;

    /// Somebody presses a button at the device.
    ///
    /// # Errors
    /// There is no such button; says which there are.
    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String>;

    /// Something is wrong with the device from now on.
    ///
    /// # Errors
    /// This cannot happen to such a device.
    fn defect(&mut self, defect: &Defect) -> Result<(), String> {
        match defect {
            Defect::Off => Ok(()),
            Defect::WrongPassword => Err("this device has no password".to_owned()),
            Defect::Errors(_) => Err("only projectors that speak PJLink have erst".to_owned()),
        }
    }

    /// It was switched off and on: what it only keeps while it runs is gone.
    fn rebooted(&mut self) {}

    /// News of a codec's calls.
    fn call(&mut self, _news: &CallNews, _out: &mut Out) {}
}

/// What can be wrong inside a device; what can be wrong with its line is not its business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It is as it was built.
    Off,
    /// It has another password than the room file says.
    WrongPassword,
    /// It reports these six digits of errors.
    Errors(String),
}

impl Defect {
    /// Of devices that can have nothing but another password.
    pub(super) fn is_other_password(&self) -> Result<bool, String> {
        match self {
            Defect::Off => Ok(false),
            Defect::WrongPassword => Ok(true),
            Defect::Errors(_) => Err("only projectors that speak PJLink have erst".to_owned()),
        }
    }
}

/// What a device wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// One frame to the controller.
    Send(Vec<u8>),
    /// It ends the connection.
    Close,
    /// A codec does something about its calls.
    Call(CallAction),
}

/// Where a device's effects gather, with what it may know of the world: the time and chance.
#[derive(Debug)]
pub struct Out {
    /// Since the simulator began.
    pub now: Duration,
    /// How many times faster than the controllers' time this one passes.
    pub speed: f64,
    /// The device's own: what others do does not change it.
    pub random: fastrand::Rng,
    effects: Vec<Effect>,
}

impl Out {
    /// At the beginning.
    #[must_use]
    pub fn new(seed: u64, speed: f64) -> Out {
        let (now, random) = (Duration::ZERO, fastrand::Rng::with_seed(seed));
        Out { now, speed, random, effects: Vec::new() }
    }

    /// When a controller that says nothing more has been silent for so long, by its own clock.
    #[must_use]
    pub fn after_silence(&self, limit: Duration) -> Duration {
        self.now + limit.mul_f64(self.speed)
    }

    /// Sends a frame.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.effects.push(Effect::Send(bytes.into()));
    }

    /// Ends the connection.
    pub fn close(&mut self) {
        self.effects.push(Effect::Close);
    }

    /// Does something about calls.
    pub fn call(&mut self, action: CallAction) {
        self.effects.push(Effect::Call(action));
    }

    /// What has gathered, in order; nothing remains.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

/// A power that takes its time to change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Power {
    on: bool,
    /// Until when it warms up or cools down.
    until: Option<Duration>,
    warm: Duration,
    cool: Duration,
}

impl Power {
    pub(super) fn new(warm: Duration, cool: Duration) -> Power {
        Power { on: false, until: None, warm, cool }
    }

    pub(super) fn switch(&mut self, on: bool, now: Duration) {
        if on != self.on {
            self.on = on;
            self.until = Some(now + if on { self.warm } else { self.cool });
        }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.until
    }

    pub(super) fn tick(&mut self, now: Duration) {
        self.until = self.until.filter(|until| *until > now);
    }

    pub(super) fn is_on(&self) -> bool {
        self.on && self.until.is_none()
    }

    pub(super) fn is_changing(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn word(&self) -> &'static str {
        match (self.on, self.until.is_some()) {
            (true, true) => "warming",
            (true, false) => "on",
            (false, true) => "cooling",
            (false, false) => "off",
        }
    }
}

/// Says which buttons there are.
pub(super) fn no_button<'a>(button: &str, there_are: impl IntoIterator<Item = &'a str>) -> String {
    let there_are: Vec<_> = there_are.into_iter().collect();
    if there_are.is_empty() {
        return "it has no buttons".to_owned();
    }
    format!("there is no button {button:?}; there is {}", there_are.join(", "))
}

pub(super) fn state(key: impl Into<String>, value: impl fmt::Display) -> (String, String) {
    (key.into(), format!("{value}"))
}
