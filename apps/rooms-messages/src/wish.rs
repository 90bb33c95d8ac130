//! What can be wished of the rooms.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::arguments::Arguments;
use crate::choice::choice;
use crate::error::Malformed;
use crate::keys::Keys;
use crate::line::Writer;
use crate::name::{DeviceName, RoomName, Word};
use crate::number::{Number, Time, digits, wanted};
use crate::text::Text;
use crate::verb::WISH_VERBS;

/// One wish, without who wishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as in the usage of the verb")]
pub enum Wish {
    /// The room near calls the room far.
    Connect { near: RoomName, far: RoomName },
    /// End that connection, or all connections of the room.
    Disconnect { room: RoomName, other: Option<RoomName> },
    /// The room accepts a call that asks.
    Answer { room: RoomName, caller: RoomName },
    /// The room does not accept it.
    Decline { room: RoomName, caller: RoomName },
    /// Wake the room up.
    Start { room: RoomName },
    /// End its call and switch it off.
    Stop { room: RoomName },
    /// Somebody is there: a room that is to be stopped for standing idle goes on.
    Stay { room: RoomName },
    /// Switch a device.
    Turn { room: RoomName, device: DeviceName, to: Switch },
    /// Levels and the like.
    Set { room: RoomName, device: DeviceName, keys: Keys },
    /// A scene of the lights.
    Scene { room: RoomName, scene: Word },
    /// What a projector or screen shows.
    Select { room: RoomName, device: DeviceName, source: Word },
    /// Hide the picture.
    Blank { room: RoomName, device: DeviceName, to: Switch },
    /// Mute a microphone.
    Mute { room: RoomName, device: DeviceName, to: Switch },
    /// Louder and quieter.
    Volume { room: RoomName, volume: Volume },
    /// Move a camera until it is told to stop, or is not told again for a second.
    Move { room: RoomName, device: DeviceName, to: Direction, speed: Option<Percent> },
    /// The same for its zoom.
    Zoom { room: RoomName, device: DeviceName, to: ZoomTo, speed: Option<Percent> },
    /// A remembered view.
    Preset { room: RoomName, device: DeviceName, action: PresetAction, number: u8 },
    /// Call a person, or need them no more; that person's answer.
    Help { room: RoomName, help: HelpWish },
    /// A snapshot of the facts.
    Give { what: Snapshot },
    /// Read the room files again.
    Reload,
    /// Connect to a device anew.
    Reconnect { room: RoomName, device: DeviceName },
    /// Take a room out of use, or into use again.
    Maintenance { room: RoomName, on: bool, until: Option<Timestamp> },
    /// Say every byte of a device for a while.
    Trace { room: RoomName, device: DeviceName, seconds: u16 },
    /// Say this to a device, as it is.
    Raw { room: RoomName, device: DeviceName, text: Text },
}

choice! {
    /// Where to switch to.
    pub Switch {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
        /// The other of the two.
        Toggle = "toggle",
    }
}

choice! {
    /// Where a camera turns.
    pub Direction {
        /// Left.
        Left = "left",
        /// Right.
        Right = "right",
        /// Up.
        Up = "up",
        /// Down.
        Down = "down",
        /// Up and left at once.
        UpLeft = "up-left",
        /// Up and right at once.
        UpRight = "up-right",
        /// Down and left at once.
        DownLeft = "down-left",
        /// Down and right at once.
        DownRight = "down-right",
        /// Nowhere any more.
        Stop = "stop",
    }
}

choice! {
    /// Where a lens zooms.
    pub ZoomTo {
        /// Nearer.
        In = "in",
        /// Wider.
        Out = "out",
        /// Nowhere any more.
        Stop = "stop",
    }
}

choice! {
    /// What to do with a remembered view.
    pub PresetAction {
        /// Go there.
        Recall = "recall",
        /// Remember the view of now.
        Save = "save",
    }
}

choice! {
    /// In use or not.
    pub(crate) OnOff {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
    }
}

choice! {
    /// What is to become of a call for a person.
    pub(crate) HelpWord {
        /// It is called off.
        Cancel = "cancel",
        /// It was heard.
        Acknowledge = "acknowledge",
        /// It is fulfilled.
        Close = "close",
    }
}

/// A number from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// Checks `number`; none if it is above 100.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 100 { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = digits(text).and_then(|text| text.parse().ok()).and_then(Self::new);
        number.ok_or_else(|| wanted(text, 0, 100))
    }
}

/// How loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Volume {
    /// This loud.
    To(Percent),
    /// Louder by this.
    Up(Percent),
    /// Quieter by this.
    Down(Percent),
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(percent) => write!(f, "{percent}"),
            Self::Up(percent) => write!(f, "+{percent}"),
            Self::Down(percent) => write!(f, "-{percent}"),
        }
    }
}

impl FromStr for Volume {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(by), _) => by.parse().map(Self::Up),
            (_, Some(by)) => by.parse().map(Self::Down),
            _ => text.parse().map(Self::To),
        }
    }
}

/// A call for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpWish {
    /// Come, perhaps with what is wrong.
    Come(Option<Text>),
    /// Whoever asked needs nobody any more.
    Cancel,
    /// Somebody comes, perhaps with when.
    Acknowledge(Option<Text>),
    /// Whoever came is done, perhaps with what it was.
    Close(Option<Text>),
}

/// Which facts to say again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Snapshot {
    /// Those of all rooms.
    Everything,
    /// Those of one room.
    Room(RoomName),
}

impl Wish {
    pub(crate) fn parse(line: &str) -> Result<(Self, Arguments<'_>), Malformed> {
        let mut a = Arguments::parse(WISH_VERBS, line)?;
        let wish = match a.verb() {
            "connect" => Self::Connect { near: a.word()?, far: a.word()? },
            "disconnect" => Self::Disconnect { room: a.word()?, other: a.optional()? },
            "answer" => Self::Answer { room: a.word()?, caller: a.word()? },
            "decline" => Self::Decline { room: a.word()?, caller: a.word()? },
            "start" => Self::Start { room: a.word()? },
            "stop" => Self::Stop { room: a.word()? },
            "stay" => Self::Stay { room: a.word()? },
            "turn" => Self::Turn { room: a.word()?, device: a.word()?, to: a.word()? },
            "set" => Self::Set { room: a.word()?, device: a.word()?, keys: a.keys()? },
            "scene" => Self::Scene { room: a.word()?, scene: a.word()? },
            "select" => Self::Select { room: a.word()?, device: a.word()?, source: a.word()? },
            "blank" => Self::Blank { room: a.word()?, device: a.word()?, to: a.word()? },
            "mute" => Self::Mute { room: a.word()?, device: a.word()?, to: a.word()? },
            "volume" => Self::Volume { room: a.word()?, volume: a.word()? },
            "move" => {
                let (room, device, to) = (a.word()?, a.word()?, a.word()?);
                Self::Move { room, device, to, speed: a.key("speed")? }
            }
            "zoom" => {
                let (room, device, to) = (a.word()?, a.word()?, a.word()?);
                Self::Zoom { room, device, to, speed: a.key("speed")? }
            }
            "preset" => {
                let (room, device, action) = (a.word()?, a.word()?, a.word()?);
                Self::Preset { room, device, action, number: a.word::<Number<_>>()?.0 }
            }
            "help" => {
                let room = a.word()?;
                let help = match a.optional()? {
                    None => HelpWish::Come(a.key("text")?),
                    Some(HelpWord::Cancel) => HelpWish::Cancel,
                    Some(HelpWord::Acknowledge) => HelpWish::Acknowledge(a.key("text")?),
                    Some(HelpWord::Close) => HelpWish::Close(a.key("text")?),
                };
                Self::Help { room, help }
            }
            "give" => Self::Give { what: snapshot(&mut a)? },
            "reload" => Self::Reload,
            "reconnect" => Self::Reconnect { room: a.word()?, device: a.word()? },
            "maintenance" => {
                let (room, on) = (a.word()?, a.word::<OnOff>()? == OnOff::On);
                Self::Maintenance { room, on, until: a.key::<Time>("until")?.map(|time| time.0) }
            }
            "trace" => {
                let (room, device) = (a.word()?, a.word()?);
                Self::Trace { room, device, seconds: a.needed::<Number<_>>("seconds")?.0 }
            }
            "raw" => {
                let (room, device) = (a.word()?, a.word()?);
                Self::Raw { room, device, text: a.needed("text")? }
            }
            verb => unreachable!("{verb} is in the table, and a test reads every row"),
        };
        a.finish()?;
        Ok((wish, a))
    }

    /// The room that wishes it, or that it is of; none if it is of all.
    #[must_use]
    pub const fn room(&self) -> Option<&RoomName> {
        match self {
            Self::Connect { near: room, .. }
            | Self::Disconnect { room, .. }
            | Self::Answer { room, .. }
            | Self::Decline { room, .. }
            | Self::Start { room }
            | Self::Stop { room }
            | Self::Stay { room }
            | Self::Turn { room, .. }
            | Self::Set { room, .. }
            | Self::Scene { room, .. }
            | Self::Select { room, .. }
            | Self::Blank { room, .. }
            | Self::Mute { room, .. }
            | Self::Volume { room, .. }
            | Self::Move { room, .. }
            | Self::Zoom { room, .. }
            | Self::Preset { room, .. }
            | Self::Help { room, .. }
            | Self::Give { what: Snapshot::Room(room) }
            | Self::Reconnect { room, .. }
            | Self::Maintenance { room, .. }
            | Self::Trace { room, .. }
            | Self::Raw { room, .. } => Some(room),
            Self::Give { what: Snapshot::Everything } | Self::Reload => None,
        }
    }

    /// The first word of its line.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::Answer { .. } => "answer",
            Self::Decline { .. } => "decline",
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Stay { .. } => "stay",
            Self::Turn { .. } => "turn",
            Self::Set { .. } => "set",
            Self::Scene { .. } => "scene",
            Self::Select { .. } => "select",
            Self::Blank { .. } => "blank",
            Self::Mute { .. } => "mute",
            Self::Volume { .. } => "volume",
            Self::Move { .. } => "move",
            Self::Zoom { .. } => "zoom",
            Self::Preset { .. } => "preset",
            Self::Help { .. } => "help",
            Self::Give { .. } => "give",
            Self::Reload => "reload",
            Self::Reconnect { .. } => "reconnect",
            Self::Maintenance { .. } => "maintenance",
            Self::Trace { .. } => "trace",
            Self::Raw { .. } => "raw",
        }
    }

    pub(crate) fn write(&self) -> Writer {
        let mut w = Writer::new(self.verb());
        match self {
            Self::Connect { near, far } => w.word(near).word(far),
            Self::Disconnect { room, other } => match other {
                Some(other) => w.word(room).word(other),
                None => w.word(room),
            },
            Self::Answer { room, caller } | Self::Decline { room, caller } => {
                w.word(room).word(caller)
            }
            Self::Start { room } | Self::Stop { room } | Self::Stay { room } => w.word(room),
            Self::Turn { room, device, to }
            | Self::Blank { room, device, to }
            | Self::Mute { room, device, to } => w.word(room).word(device).word(to),
            Self::Set { room, device, keys } => {
                w.word(room).word(device);
                keys.iter().fold(&mut w, |w, (key, value)| w.pair(key, value))
            }
            Self::Scene { room, scene } => w.word(room).word(scene),
            Self::Select { room, device, source } => w.word(room).word(device).word(source),
            Self::Volume { room, volume } => w.word(room).word(volume),
            Self::Move { room, device, to, speed } => {
                w.word(room).word(device).word(to).optional("speed", speed.as_ref())
            }
            Self::Zoom { room, device, to, speed } => {
                w.word(room).word(device).word(to).optional("speed", speed.as_ref())
            }
            Self::Preset { room, device, action, number } => {
                w.word(room).word(device).word(action).word(number)
            }
            Self::Help { room, help } => {
                w.word(room);
                let (word, text) = match help {
                    HelpWish::Come(text) => (None, text.as_ref()),
                    HelpWish::Cancel => (Some(HelpWord::Cancel), None),
                    HelpWish::Acknowledge(text) => (Some(HelpWord::Acknowledge), text.as_ref()),
                    HelpWish::Close(text) => (Some(HelpWord::Close), text.as_ref()),
                };
                if let Some(word) = word {
                    w.word(word);
                }
                w.optional("text", text)
            }
            Self::Give { what: Snapshot::Everything } => w.word("me").word("everything"),
            Self::Give { what: Snapshot::Room(room) } => w.word("me").word(room),
            Self::Reload => &mut w,
            Self::Reconnect { room, device } => w.word(room).word(device),
            Self::Maintenance { room, on, until } => {
                w.word(room).word(if *on { OnOff::On } else { OnOff::Off });
                w.optional("until", until.as_ref())
            }
            Self::Trace { room, device, seconds } => {
                w.word(room).word(device).pair("seconds", seconds)
            }
            Self::Raw { room, device, text } => w.word(room).word(device).pair("text", text),
        };
        w
    }
}

fn snapshot(a: &mut Arguments<'_>) -> Result<Snapshot, Malformed> {
    if !a.is("me") {
        return Err(a.usage("after `give` comes `me`"));
    }
    Ok(if a.is("everything") { Snapshot::Everything } else { Snapshot::Room(a.word()?) })
}
