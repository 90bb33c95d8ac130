//! What a driver wants done: a list of effects, nothing more.

use std::fmt;
use std::time::Duration;

use crate::call::CallFact;
use crate::driver::{Ticket, TimerId};

/// One thing that a driver wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// One frame to the device.
    Send {
        /// The frame, whole.
        bytes: Vec<u8>,
        /// It holds a password and is not to be shown.
        secret: bool,
    },
    /// The device has answered as such a device does: it is online.
    Online,
    /// The device reports a state. It may have reported the same before.
    Set {
        /// As in the vocabulary of its kind.
        key: String,
        /// As the vocabulary says.
        value: String,
    },
    /// The device has accepted a command.
    Done(Ticket),
    /// The device has not accepted a command.
    Fail(Ticket, Refusal),
    /// Ring after this time, once.
    Timer(TimerId, Duration),
    /// Don't ring any more; the timer may have rung already.
    Cancel(TimerId),
    /// This transport is of no more use: close it.
    Fault(Fault),
    /// What a codec says of its calls.
    Call(CallFact),
    /// Worth a line in the log.
    Log(String),
}

/// Where a driver's effects gather until the session carries them out.
#[derive(Debug, Default)]
pub struct Io {
    effects: Vec<Effect>,
}

impl Io {
    /// With nothing in it.
    #[must_use]
    pub fn new() -> Io {
        Io::default()
    }

    /// What has gathered, in order; nothing remains.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Sends a frame.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.effects.push(Effect::Send { bytes: bytes.into(), secret: false });
    }

    /// Sends a frame that holds a password.
    pub fn send_secret(&mut self, bytes: impl Into<Vec<u8>>) {
        self.effects.push(Effect::Send { bytes: bytes.into(), secret: true });
    }

    /// See [`Effect::Online`].
    pub fn online(&mut self) {
        self.effects.push(Effect::Online);
    }

    /// The device reports a state.
    #[expect(clippy::needless_pass_by_value, reason = "words and numbers are written in place")]
    pub fn set(&mut self, key: impl Into<String>, value: impl ToString) {
        self.effects.push(Effect::Set { key: key.into(), value: value.to_string() });
    }

    /// The device has accepted the command.
    pub fn done(&mut self, ticket: Ticket) {
        self.effects.push(Effect::Done(ticket));
    }

    /// The device has not accepted the command.
    pub fn fail(&mut self, ticket: Ticket, refusal: impl Into<Refusal>) {
        self.effects.push(Effect::Fail(ticket, refusal.into()));
    }

    /// Sets a timer, or sets it anew.
    pub fn timer(&mut self, timer: TimerId, after: Duration) {
        self.effects.push(Effect::Timer(timer, after));
    }

    /// Cancels a timer, if it is set.
    pub fn cancel(&mut self, timer: TimerId) {
        self.effects.push(Effect::Cancel(timer));
    }

    /// Gives this transport up.
    pub fn fault(&mut self, fault: Fault) {
        self.effects.push(Effect::Fault(fault));
    }

    /// Says something of a call.
    pub fn call(&mut self, fact: CallFact) {
        self.effects.push(Effect::Call(fact));
    }

    /// Writes a line into the log.
    pub fn log(&mut self, text: impl Into<String>) {
        self.effects.push(Effect::Log(text.into()));
    }
}

/// Why a transport is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The password is wrong or missing: trying again could lock the device, so don't, until the
    /// settings change or somebody asks for it.
    Auth,
    /// The serial bridge says that it can't reach the line, in these words.
    Bridge(String),
    /// Somebody else holds the device or its line.
    SomeoneElse,
    /// The device has not answered several times in a row.
    NoResponse,
    /// The session must begin anew, for this reason; the back-off's first step will do.
    Restart(String),
    /// The settings don't fit the device, as this says; trying again helps nothing.
    Config(String),
}

impl Fault {
    /// As the reason of `device ... offline`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Fault::Auth => "auth-failed",
            Fault::Bridge(_) => "bridge",
            Fault::SomeoneElse => "someone-else",
            Fault::NoResponse | Fault::Restart(_) => "no-response",
            Fault::Config(_) => "config",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Auth => f.write_str("the device does not accept the password"),
            Fault::Bridge(text) => write!(f, "the serial bridge says: {text}"),
            Fault::SomeoneElse => f.write_str("someone else is connected to the device"),
            Fault::NoResponse => f.write_str("the device does not answer"),
            Fault::Restart(text) => write!(f, "the session must begin anew: {text}"),
            Fault::Config(text) => write!(f, "the settings do not fit the device: {text}"),
        }
    }
}

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The device can't now (standby, warming, cooling, a call being set up), but will.
    NotNow,
    /// The device, or this driver, has no such command.
    Unsupported,
    /// The argument is none of those that the device or the settings know.
    Invalid,
    /// The device has refused.
    Rejected,
    /// No answer in time. Whether the device did it is unknown.
    Timeout,
    /// The device says that something in it is broken.
    DeviceError,
    /// Too many commands wait already.
    Busy,
    /// A newer command took its place.
    Replaced,
    /// The transport was closed, or the session does not stand yet.
    Offline,
}

impl Reason {
    /// As the reason of `refused` and `failed`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Reason::NotNow => "not-now",
            Reason::Unsupported => "unsupported",
            Reason::Invalid => "invalid",
            Reason::Rejected => "rejected",
            Reason::Timeout => "timeout",
            Reason::DeviceError => "device-error",
            Reason::Busy => "busy",
            Reason::Replaced => "replaced",
            Reason::Offline => "offline",
        }
    }

    /// Said to people when the driver knows nothing better.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::NotNow => "the device cannot do this just now",
            Reason::Unsupported => "the device cannot do this",
            Reason::Invalid => "the device has no such choice",
            Reason::Rejected => "the device refused",
            Reason::Timeout => "the device did not answer in time",
            Reason::DeviceError => "the device reports a fault",
            Reason::Busy => "too many commands are waiting for the device",
            Reason::Replaced => "a newer command took its place",
            Reason::Offline => "the device is not connected",
        }
    }
}

/// A reason with a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub text: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Refusal {
        Refusal { reason, text: text.into() }
    }

    /// A name that is none of those in the settings.
    pub(crate) fn unknown_name<'a>(
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'a String>,
    ) -> Refusal {
        let known: Vec<_> = known.map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Refusal::new(Reason::Invalid, format!("there is no {what} {name:?}; there is {known}"))
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Refusal {
        Refusal { reason, text: reason.sentence().to_owned() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.word(), self.text)
    }
}

impl std::error::Error for Refusal {}
