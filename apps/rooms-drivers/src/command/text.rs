//! Commands as words, for people who try a device by hand and for tests: `power on`,
//! `move left 40`, `level table 60`, `dial sip:lisbon@example.net`.

use std::fmt;
use std::str::FromStr;

use super::{Command, Heading, Move, PresetAction, RelayAction, Volume, Zoom};
use crate::call::DialString;
use crate::vocabulary::switch;

impl FromStr for Command {
    type Err = String;

    fn from_str(text: &str) -> Result<Command, String> {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let (name, arguments) = words.split_first().ok_or("write a command, such as power on")?;
        parse(name, arguments).ok_or_else(|| match form(name) {
            Some(form) => format!("{text:?} is not understood; write {form}"),
            None => format!("{name:?} is no command"),
        })
    }
}

fn parse(name: &str, arguments: &[&str]) -> Option<Command> {
    let percent = |word: &str| word.parse().ok().filter(|percent| *percent <= 100);
    Some(match (name, arguments) {
        ("power", [word]) => Command::Power(on(word)?),
        ("input", [input]) => Command::Input((*input).to_owned()),
        ("blank", [word]) => Command::Blank(on(word)?),
        ("mute", [word]) => Command::Mute(on(word)?),
        ("share", [word]) => Command::Share(on(word)?),
        ("volume", [word]) if word.starts_with(['+', '-']) => {
            let by = word.parse().ok().filter(|by: &i8| by.unsigned_abs() <= 100);
            Command::Volume(Volume::By(by?))
        }
        ("volume", [word]) => Command::Volume(Volume::To(percent(word)?)),
        ("move", ["stop"]) => Command::Move(Move::Stop),
        ("move", ["home"]) => Command::Move(Move::Home),
        ("move", [heading, speed]) => Command::Move(Move::Toward(
            Heading::parse(heading)?,
            percent(speed).filter(|s| *s > 0)?,
        )),
        ("zoom", ["in"]) => Command::Zoom(Zoom::In),
        ("zoom", ["out"]) => Command::Zoom(Zoom::Out),
        ("zoom", ["stop"]) => Command::Zoom(Zoom::Stop),
        ("preset", ["recall", number]) => {
            Command::Preset(PresetAction::Recall, number.parse().ok()?)
        }
        ("preset", ["save", number]) => Command::Preset(PresetAction::Save, number.parse().ok()?),
        ("scene", [scene]) => Command::Scene((*scene).to_owned()),
        ("level", [zone, level]) => {
            Command::Level { zone: (*zone).to_owned(), percent: percent(level)? }
        }
        ("relay", [relay, action]) => {
            let action = match *action {
                "on" => RelayAction::On,
                "off" => RelayAction::Off,
                "pulse" => RelayAction::Pulse,
                _ => return None,
            };
            Command::Relay((*relay).to_owned(), action)
        }
        ("prepare", []) => Command::Prepare,
        ("dial", [dial]) => Command::Dial(DialString::parse(dial).ok()?),
        ("answer", []) => Command::Answer,
        ("hangup", []) => Command::Hangup(None),
        ("hangup", [call]) => Command::Hangup(Some((*call).to_owned())),
        _ => return None,
    })
}

fn form(name: &str) -> Option<&'static str> {
    Some(match name {
        "power" | "blank" | "mute" | "share" => "on or off after it",
        "input" => "input and its name",
        "volume" => "volume and 0 to 100, or +5, or -5",
        "move" => "move stop, move home, or move left 40 (a heading and a speed of 1 to 100)",
        "zoom" => "zoom in, zoom out or zoom stop",
        "preset" => "preset recall or preset save, and a number of 0 to 255",
        "scene" => "scene and its name",
        "level" => "level, a zone's name, and 0 to 100",
        "relay" => "relay, its name, and on, off or pulse",
        "prepare" | "answer" => "it without arguments",
        "dial" => "dial and sip:name@host, h323:name or a number",
        "hangup" => "hangup, or hangup and a call's number",
        _ => return None,
    })
}

fn on(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Command::Power(on) | Command::Blank(on) | Command::Mute(on) | Command::Share(on) => {
                write!(f, "{name} {}", switch(*on))
            }
            Command::Input(word) | Command::Scene(word) => write!(f, "{name} {word}"),
            Command::Volume(Volume::To(percent)) => write!(f, "{name} {percent}"),
            Command::Volume(Volume::By(by)) => write!(f, "{name} {by:+}"),
            Command::Move(Move::Stop) => write!(f, "{name} stop"),
            Command::Move(Move::Home) => write!(f, "{name} home"),
            Command::Move(Move::Toward(heading, speed)) => {
                write!(f, "{name} {} {speed}", heading.word())
            }
            Command::Zoom(Zoom::In) => write!(f, "{name} in"),
            Command::Zoom(Zoom::Out) => write!(f, "{name} out"),
            Command::Zoom(Zoom::Stop) => write!(f, "{name} stop"),
            Command::Preset(PresetAction::Recall, number) => write!(f, "{name} recall {number}"),
            Command::Preset(PresetAction::Save, number) => write!(f, "{name} save {number}"),
            Command::Level { zone, percent } => write!(f, "{name} {zone} {percent}"),
            Command::Relay(relay, RelayAction::On) => write!(f, "{name} {relay} on"),
            Command::Relay(relay, RelayAction::Off) => write!(f, "{name} {relay} off"),
            Command::Relay(relay, RelayAction::Pulse) => write!(f, "{name} {relay} pulse"),
            Command::Dial(dial) => write!(f, "{name} {dial}"),
            Command::Hangup(Some(call)) => write!(f, "{name} {call}"),
            Command::Prepare | Command::Answer | Command::Hangup(None) => f.write_str(name),
        }
    }
}
