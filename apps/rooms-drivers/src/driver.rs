//! What a driver is, and what it says of itself.

use std::fmt;
use std::time::Duration;

use crate::io::{Io, Refusal};
use crate::vocabulary::Kind;
use crate::{Command, vocabulary};

/// One device's driver. It turns commands into bytes and bytes into facts, and does nothing else.
///
/// Around it stands a session that owns transport, clock and queue:
///
/// - it calls [`opened`](Driver::opened) and [`closed`](Driver::closed) in turn, the other methods
///   only in between, and carries out the effects in the order in which they were written;
/// - it keeps [`DriverInfo::pace`] of quiet between two sends; each send is one whole frame, over
///   UDP one datagram;
/// - it waits for a ticket's answer before it gives the next command, but for those whose
///   [`Command::is_stop`] holds: they may come at any time;
/// - what failed with [`Reason::NotNow`](crate::Reason::NotNow) it gives again when `power` has
///   changed, or after 5 s; what failed with [`Reason::Timeout`](crate::Reason::Timeout) it may
///   give again if [`Command::is_idempotent`] holds;
/// - after [`Effect::Fault`](crate::Effect::Fault) it closes the transport; timers end with it.
///
/// A driver answers each ticket that it took exactly once, at the latest when it is closed. It
/// sets a state only when the device has reported it, never because a command was accepted.
pub trait Driver: Send + fmt::Debug {
    /// What the device is and can.
    fn info(&self) -> &DriverInfo;

    /// The transport is up: log in, register for events, ask for the state.
    fn opened(&mut self, io: &mut Io);

    /// The transport is gone: forget the session. Open tickets fail.
    fn closed(&mut self, io: &mut Io);

    /// What the device sent, in pieces of any size.
    fn bytes(&mut self, data: &[u8], io: &mut Io);

    /// What somebody wants. The ticket is answered with `done` when the device has accepted it:
    /// that it is so is only known when the state says so.
    ///
    /// # Errors
    ///
    /// What can be refused without asking the device; such a ticket is not answered again.
    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal>;

    /// A timer rang that the driver had set and that it has not cancelled.
    fn timer(&mut self, timer: TimerId, io: &mut Io);
}

/// What a driver says of itself; it depends on the settings and does not change.
#[derive(Clone, Debug)]
pub struct DriverInfo {
    /// The driver's name as in room files: `pjlink`, `text:benq`.
    pub name: String,
    /// What sort of device it is.
    pub kind: Kind,
    /// The commands that it understands.
    pub commands: Vec<CommandInfo>,
    /// The keys of states that it may report, each of them in its kind's vocabulary. A key that
    /// ends with `*` stands for one per zone or relay.
    pub keys: Vec<&'static str>,
    /// The quiet time that the device needs between two sends.
    pub pace: Duration,
}

impl DriverInfo {
    /// The command of this name, if the device understands it.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&CommandInfo> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// Commands without choices, and all states of the kind; drivers narrow it down.
    pub(crate) fn new(name: &str, kind: Kind, commands: &[&'static str]) -> DriverInfo {
        let commands =
            commands.iter().map(|name| CommandInfo { name, choices: Vec::new() }).collect();
        let keys = vocabulary::keys(kind).iter().map(|key| key.name).collect();
        DriverInfo { name: name.to_owned(), kind, commands, keys, pace: Duration::ZERO }
    }

    /// Takes in a command whose argument is one of these words; without words it is not taken in.
    pub(crate) fn with_choices<'a>(
        mut self,
        name: &'static str,
        choices: impl IntoIterator<Item = &'a String>,
    ) -> DriverInfo {
        let choices: Vec<_> = choices.into_iter().cloned().collect();
        if !choices.is_empty() {
            self.commands.push(CommandInfo { name, choices });
        }
        self
    }

    /// Takes in a command without choices.
    pub(crate) fn with_command(mut self, name: &'static str) -> DriverInfo {
        self.commands.push(CommandInfo { name, choices: Vec::new() });
        self
    }

    /// Never reports this state.
    pub(crate) fn without_key(mut self, name: &str) -> DriverInfo {
        self.keys.retain(|key| *key != name);
        self
    }

    pub(crate) fn with_pace_ms(mut self, pace_ms: u64) -> DriverInfo {
        self.pace = Duration::from_millis(pace_ms);
        self
    }
}

/// A command that a device understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandInfo {
    /// As [`Command::name`] says it.
    pub name: &'static str,
    /// The words that its argument can be (inputs, scenes, zones, relays, presets); empty where it
    /// has none, or where any will do.
    pub choices: Vec<String>,
}

/// A command that waits for its answer; the session chooses the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// One of a driver's timers. Setting it again moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId {
    name: &'static str,
    number: u16,
}

impl TimerId {
    /// A timer of which a driver has one.
    #[must_use]
    pub const fn new(name: &'static str) -> TimerId {
        TimerId { name, number: 0 }
    }

    /// A timer of which a driver has several.
    #[must_use]
    pub const fn numbered(name: &'static str, number: u16) -> TimerId {
        TimerId { name, number }
    }

    /// Which of several it is.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl fmt::Display for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 => f.write_str(self.name),
            number => write!(f, "{}-{number}", self.name),
        }
    }
}
