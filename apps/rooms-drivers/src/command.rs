//! What people can want of a device.

mod text;

use crate::call::DialString;

/// What somebody wants of a device. Which of these a device understands is in its driver's info.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// On or into standby; of a document camera also its lamp, of a screen down (on) and up (off).
    Power(bool),
    /// The source to show, by its name in the settings.
    Input(String),
    /// Picture dark, or not.
    Blank(bool),
    /// Loudness.
    Volume(Volume),
    /// The microphones of a codec, the sound of anything else.
    Mute(bool),
    /// Pan and tilt.
    Move(Move),
    /// Zoom.
    Zoom(Zoom),
    /// A camera's remembered position.
    Preset(PresetAction, u8),
    /// A lighting scene, by its name in the settings.
    Scene(String),
    /// One light.
    Level {
        /// Its name in the settings.
        zone: String,
        /// 0 is dark.
        percent: u8,
    },
    /// A contact, by its name in the settings.
    Relay(String, RelayAction),
    /// Be ready for a call: awake, and accepting calls.
    Prepare,
    /// Call somebody.
    Dial(DialString),
    /// Take the call that rings.
    Answer,
    /// End one call, or decline it while it rings; without its name, end all.
    Hangup(Option<String>),
    /// Show the document camera or computer to the far side, or not.
    Share(bool),
}

/// How loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    /// 0 to 100.
    To(u8),
    /// Louder or softer by this much of 100.
    By(i8),
}

impl Volume {
    /// The loudness wanted, if the present one is known or not needed; 0 to 100.
    #[must_use]
    pub fn from(self, now: Option<u8>) -> Option<u8> {
        match self {
            Volume::To(percent) => Some(percent.min(100)),
            Volume::By(by) => Some(now?.saturating_add_signed(by).min(100)),
        }
    }
}

/// Pan and tilt. A movement goes on until it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Begin to move.
    Toward(Heading, Speed),
    /// Stand still.
    Stop,
    /// To the resting position.
    Home,
}

/// Percent of the fastest, 1 to 100.
pub type Speed = u8;

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Heading {
    Left,
    Right,
    Up,
    Down,
    UpLeft,
    UpRight,
    DownLeft,
    DownRight,
}

impl Heading {
    /// All, with their words.
    pub const ALL: [(Heading, &'static str); 8] = [
        (Heading::Left, "left"),
        (Heading::Right, "right"),
        (Heading::Up, "up"),
        (Heading::Down, "down"),
        (Heading::UpLeft, "up-left"),
        (Heading::UpRight, "up-right"),
        (Heading::DownLeft, "down-left"),
        (Heading::DownRight, "down-right"),
    ];

    /// The heading that this word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Heading> {
        Heading::ALL.iter().find(|(_, name)| *name == word).map(|(heading, _)| *heading)
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let mut all = Heading::ALL.iter();
        all.find(|(heading, _)| *heading == self).map_or("", |(_, word)| word)
    }

    /// To the right and upwards, each -1, 0 or 1.
    #[must_use]
    pub fn right_up(self) -> (i8, i8) {
        match self {
            Heading::Left => (-1, 0),
            Heading::Right => (1, 0),
            Heading::Up => (0, 1),
            Heading::Down => (0, -1),
            Heading::UpLeft => (-1, 1),
            Heading::UpRight => (1, 1),
            Heading::DownLeft => (-1, -1),
            Heading::DownRight => (1, -1),
        }
    }
}

/// Zoom goes on until it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zoom {
    /// Nearer.
    In,
    /// Wider.
    Out,
    /// As it is.
    Stop,
}

/// What to do with a remembered position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresetAction {
    /// Go there.
    Recall,
    /// Remember where the camera looks now.
    Save,
}

/// What to do with a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayAction {
    /// Close it.
    On,
    /// Open it.
    Off,
    /// Close it for the time in the settings.
    Pulse,
}

impl Command {
    /// The command's word, the same for all its arguments.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Command::Power(_) => "power",
            Command::Input(_) => "input",
            Command::Blank(_) => "blank",
            Command::Volume(_) => "volume",
            Command::Mute(_) => "mute",
            Command::Move(_) => "move",
            Command::Zoom(_) => "zoom",
            Command::Preset(..) => "preset",
            Command::Scene(_) => "scene",
            Command::Level { .. } => "level",
            Command::Relay(..) => "relay",
            Command::Prepare => "prepare",
            Command::Dial(_) => "dial",
            Command::Answer => "answer",
            Command::Hangup(_) => "hangup",
            Command::Share(_) => "share",
        }
    }

    /// Of two commands with the same slot that wait, only the newer one matters.
    #[must_use]
    pub fn slot(&self) -> String {
        match self {
            Command::Level { zone, .. } => format!("level.{zone}"),
            Command::Relay(relay, _) => format!("relay.{relay}"),
            Command::Hangup(Some(call)) => format!("hangup.{call}"),
            other => other.name().to_owned(),
        }
    }

    /// It ends something and overtakes whatever waits.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        matches!(self, Command::Move(Move::Stop) | Command::Zoom(Zoom::Stop) | Command::Hangup(_))
    }

    /// Twice is as good as once.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        !matches!(
            self,
            Command::Volume(Volume::By(_))
                | Command::Relay(_, RelayAction::Pulse)
                | Command::Preset(PresetAction::Save, _)
                | Command::Dial(_)
                | Command::Answer
        )
    }
}
