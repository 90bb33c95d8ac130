//! The states and commands that a kind of device can have: the one list that drivers, described
//! devices, simulators and pages agree on.

use std::fmt;

/// What sort of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Projector,
    Display,
    Camera,
    DocumentCamera,
    Codec,
    Lights,
    Screen,
    Switcher,
    Bridge,
}

/// What a state's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// Any text without control characters, up to [`TEXT_BYTES_MAX`].
    Text,
}

/// A state that a kind of device can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateKey {
    /// Its name; if it ends with `*`, there is one per zone, relay or input, named in its place.
    pub name: &'static str,
    /// What its value looks like.
    pub values: Values,
    /// What it says.
    pub about: &'static str,
}

/// The longest text that a state may be.
pub const TEXT_BYTES_MAX: usize = 200;

/// A device's power. `warming` and `cooling` are states, not faults.
pub const POWER: &[&str] = &["off", "warming", "on", "cooling", "unknown"];
/// On or off.
pub const SWITCH: &[&str] = &["on", "off"];
/// How a part of a device is.
pub const HEALTH: &[&str] = &["ok", "warning", "error"];

const fn key(name: &'static str, values: Values, about: &'static str) -> StateKey {
    StateKey { name, values, about }
}

const POWERED: StateKey = key("power", Values::Words(POWER), "standby, on, or on its way");
const MODEL: StateKey = key("model", Values::Text, "make, model or firmware, as it says itself");
const INPUT: StateKey =
    key("input", Values::Text, "the source shown: its name in the settings, else the device's");
const BLANK: StateKey = key("blank", Values::Words(SWITCH), "the picture is dark");
const MUTE: StateKey = key("mute", Values::Words(SWITCH), "no sound");
const VOLUME: StateKey = key("volume", Values::Number(0, 100), "loudness in percent");
const ZOOM: StateKey = key("zoom", Values::Number(0, 100), "0 is wide, 100 is as near as can be");
const PRESET: StateKey = key("preset", Values::Text, "the position it was sent to, or none");

const fn health(name: &'static str) -> StateKey {
    key(name, Values::Words(HEALTH), "how this part is")
}

const PROJECTOR: &[StateKey] = &[
    POWERED,
    INPUT,
    BLANK,
    MUTE,
    VOLUME,
    MODEL,
    key("lamp-hours", Values::Number(0, 1_000_000), "hours that the lamp has burnt"),
    health("health.fan"),
    health("health.lamp"),
    health("health.temperature"),
    health("health.cover"),
    health("health.filter"),
    health("health.other"),
];

const CAMERA: &[StateKey] = &[
    POWERED,
    ZOOM,
    PRESET,
    MODEL,
    key("pan", Values::Number(-32_768, 32_767), "the device's own steps, positive to the right"),
    key("tilt", Values::Number(-32_768, 32_767), "the device's own steps, positive upwards"),
];

const DOCUMENT_CAMERA: &[StateKey] = &[
    POWERED,
    ZOOM,
    PRESET,
    MODEL,
    key("lamp", Values::Words(SWITCH), "its own light"),
    key("pan", Values::Number(-32_768, 32_767), "the device's own steps, positive to the right"),
    key("tilt", Values::Number(-32_768, 32_767), "the device's own steps, positive upwards"),
];

const CODEC: &[StateKey] = &[
    key("power", Values::Words(POWER), "off while it sleeps"),
    key("mute", Values::Words(SWITCH), "the microphones are mute"),
    VOLUME,
    MODEL,
    key("share", Values::Words(SWITCH), "the far side sees document camera or computer"),
];

const LIGHTS: &[StateKey] = &[
    key("level.*", Values::Number(0, 100), "brightness of a zone in percent"),
    key("scene", Values::Text, "the scene chosen last, or none once a level has changed"),
    key("occupied", Values::Words(&["yes", "no", "unknown"]), "somebody is in the room"),
];

const SCREEN: &[StateKey] = &[
    key("relay.*", Values::Words(SWITCH), "the contact is closed"),
    key("sensor.*", Values::Words(SWITCH), "the sensor's contact is closed"),
    key("sent", Values::Text, "the relay pulsed last; what came of it nobody reports"),
    MODEL,
];

const SWITCHER: &[StateKey] = &[
    INPUT,
    BLANK,
    MUTE,
    VOLUME,
    PRESET,
    MODEL,
    key("signal.*", Values::Words(SWITCH), "the input has a signal"),
];

const BRIDGE: &[StateKey] =
    &[MODEL, key("line.*", Values::Text, "the settings of a serial line, as the bridge has them")];

/// The states that such a device can have.
#[must_use]
pub fn keys(kind: Kind) -> &'static [StateKey] {
    match kind {
        Kind::Projector | Kind::Display => PROJECTOR,
        Kind::Camera => CAMERA,
        Kind::DocumentCamera => DOCUMENT_CAMERA,
        Kind::Codec => CODEC,
        Kind::Lights => LIGHTS,
        Kind::Screen => SCREEN,
        Kind::Switcher => SWITCHER,
        Kind::Bridge => BRIDGE,
    }
}

/// The commands that such a device can understand, as [`Command::name`](crate::Command::name)
/// says them.
#[must_use]
pub fn commands(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Projector | Kind::Display => &["power", "input", "blank", "volume", "mute"],
        Kind::Camera | Kind::DocumentCamera => &["power", "move", "zoom", "preset"],
        Kind::Codec => &[
            "power", "volume", "mute", "move", "zoom", "preset", "prepare", "dial", "answer",
            "hangup", "share",
        ],
        Kind::Lights => &["power", "scene", "level"],
        Kind::Screen => &["power", "relay"],
        Kind::Switcher => &["input", "blank", "volume", "mute", "preset"],
        Kind::Bridge => &[],
    }
}

/// The entry for this state, if such a device can have it.
#[must_use]
pub fn key_of(kind: Kind, name: &str) -> Option<&'static StateKey> {
    keys(kind).iter().find(|key| match key.name.strip_suffix('*') {
        Some(prefix) => name.strip_prefix(prefix).is_some_and(is_word),
        None => key.name == name,
    })
}

/// Whether such a device can be in this state.
///
/// # Errors
///
/// Says what would be right.
pub fn check(kind: Kind, name: &str, value: &str) -> Result<(), String> {
    let Some(key) = key_of(kind, name) else {
        let known: Vec<_> = keys(kind).iter().map(|key| key.name).collect();
        return Err(format!("a {kind} has no state {name:?}; it has {}", known.join(", ")));
    };
    let right = match key.values {
        Values::Words(words) => words.contains(&value),
        Values::Number(min, max) => {
            value.parse().is_ok_and(|number: i64| (min..=max).contains(&number))
        }
        Values::Text => value.len() <= TEXT_BYTES_MAX && !value.contains(char::is_control),
    };
    if right { Ok(()) } else { Err(format!("{name} is {}, not {value:?}", key.values)) }
}

/// Text of a device made fit to be a state: without control characters, not too long.
#[must_use]
pub fn text(of_device: &str) -> String {
    let mut text: String = of_device.trim().chars().filter(|char| !char.is_control()).collect();
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

/// A word as rooms' messages have it: what names a zone, an input, a relay.
#[must_use]
pub fn is_word(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=40).contains(&text.len()) && text.bytes().all(plain)
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 9] = [
        Kind::Projector,
        Kind::Display,
        Kind::Camera,
        Kind::DocumentCamera,
        Kind::Codec,
        Kind::Lights,
        Kind::Screen,
        Kind::Switcher,
        Kind::Bridge,
    ];

    /// As in room files and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Projector => "projector",
            Kind::Display => "display",
            Kind::Camera => "camera",
            Kind::DocumentCamera => "document-camera",
            Kind::Codec => "codec",
            Kind::Lights => "lights",
            Kind::Screen => "screen",
            Kind::Switcher => "switcher",
            Kind::Bridge => "bridge",
        }
    }

    /// The kind that this word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Values::Words(words) => write!(f, "one of {}", words.join(", ")),
            Values::Number(min, max) => write!(f, "a whole number from {min} to {max}"),
            Values::Text => write!(f, "a text of at most {TEXT_BYTES_MAX} bytes"),
        }
    }
}

/// `on` or `off`.
#[must_use]
pub fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
