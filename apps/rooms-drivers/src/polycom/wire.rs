//! The lines of Polycom's codecs (HDX, RealPresence Group), from both sides.
//!
//! A command's echo ends with LF CR, everything that the codec says of itself with CR LF.
//!
//! Source: Polycom HDX Integrator's Reference Manual, RealPresence Group Integrator's Guide.

use std::fmt;

use crate::call::{CallState, Direction, EndReason};

/// A line of the codec.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Line {
    /// `notification:callstatus:...`
    CallStatus(CallStatus),
    CallInfoBegin,
    /// `callinfo:...`
    CallInfo(CallStatus),
    CallInfoEnd,
    NotInCall,
    /// Who it is, as part of what it says of itself at any time.
    Model(String),
    Mute(bool),
    Volume(u8),
    /// The far side sees the content.
    Share(bool),
    /// `error: ...`
    Error(String),
    /// `info: ...`
    Info(String),
    /// A late echo.
    Echo(String),
    /// Anything else, acknowledgements among them.
    Other(String),
}

/// A call, as notifications and lists have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStatus {
    /// The codec's number of the call.
    pub id: u32,
    /// Who began it.
    pub direction: Direction,
    /// The far side's name, often empty.
    pub name: String,
    /// The far side's number or address.
    pub number: String,
    /// How far it is; none when it is over.
    pub state: Option<CallState>,
    /// As the codec writes the state.
    pub word: String,
    /// Why it ended: 16 is normal.
    pub cause: u32,
}

impl Line {
    /// What the line says.
    #[must_use]
    pub fn parse(line: &str) -> Line {
        let line = line.trim();
        let fields: Vec<_> = line.split(':').collect();
        match fields[..] {
            ["notification", "callstatus", ..] => notification(&fields).map(Line::CallStatus),
            ["notification", "mutestatus", "near", .., last] => Some(Line::Mute(last == "muted")),
            ["callinfo", ..] => call_info(&fields).map(Line::CallInfo),
            ["Model", model] => Some(Line::Model(model.trim().to_owned())),
            ["error", ..] => Some(Line::Error(line["error:".len()..].trim().to_owned())),
            ["info", ..] => Some(Line::Info(line["info:".len()..].trim().to_owned())),
            _ => None,
        }
        .unwrap_or_else(|| Line::of_words(line))
    }

    fn of_words(line: &str) -> Line {
        if let Some(echo) = line.strip_prefix("->") {
            return Line::Echo(echo.trim().to_owned());
        }
        let volume = |level: &str| Some(Line::Volume(level.parse().ok().filter(|v| *v <= 100)?));
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["callinfo", "begin"] => Some(Line::CallInfoBegin),
            ["callinfo", "end"] => Some(Line::CallInfoEnd),
            ["system", "is", "not", "in", "a", "call"] => Some(Line::NotInCall),
            ["mute", "near", "on"] => Some(Line::Mute(true)),
            ["mute", "near", "off"] => Some(Line::Mute(false)),
            ["volume", level] | ["volume", "set", level] => volume(level),
            ["Control", "event:", "vcbutton", what, ..] => Some(Line::Share(what == "play")),
            _ => None,
        }
        .unwrap_or_else(|| Line::Other(line.to_owned()))
    }
}

/// `notification:callstatus:outgoing:45:Name:192.168.1.101:connected:384:0:videocall`. Addresses
/// hold colons too, so what follows them is counted from the end.
fn notification(fields: &[&str]) -> Option<CallStatus> {
    let [_, _, direction, id, who @ .., state, _speed, cause, _kind] = fields else { return None };
    call(direction, id, who, state, cause)
}

/// `callinfo:43:Polycom Demo:192.168.1.101:384:connected:notmuted:outgoing:videocall`; the name
/// may be empty or left out.
fn call_info(fields: &[&str]) -> Option<CallStatus> {
    let [_, id, who @ .., _speed, state, _muted, direction, _kind] = fields else { return None };
    call(direction, id, who, state, "0")
}

fn call(direction: &str, id: &str, who: &[&str], state: &str, cause: &str) -> Option<CallStatus> {
    let direction = match direction {
        "outgoing" => Direction::Outgoing,
        "incoming" => Direction::Incoming,
        _ => return None,
    };
    let (name, number) = match who {
        [] => return None,
        [number] => (String::new(), (*number).to_owned()),
        // A scheme is no name.
        [scheme @ ("sip" | "h323"), address @ ..] => {
            (String::new(), format!("{scheme}:{}", address.join(":")))
        }
        [name, number @ ..] => ((*name).to_owned(), number.join(":")),
    };
    let word = state.to_ascii_lowercase();
    let state = match word.as_str() {
        "connected" | "complete" => Some(CallState::Connected),
        "ringing" => Some(CallState::Ringing),
        "disconnecting" => Some(CallState::Ending),
        "disconnected" | "inactive" | "cleared" | "ended" => None,
        _ => Some(CallState::Dialing),
    };
    let (id, cause) = (id.parse().ok()?, cause.parse().unwrap_or(0));
    Some(CallStatus { id, direction, name, number, state, word, cause })
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::CallStatus(call) => write!(
                f,
                "notification:callstatus:{}:{}:{}:{}:{}:1920:{}:videocall",
                call.direction.word(),
                call.id,
                call.name,
                call.number,
                call.word,
                call.cause
            ),
            Line::CallInfoBegin => f.write_str("callinfo begin"),
            Line::CallInfo(call) => write!(
                f,
                "callinfo:{}:{}:{}:1920:{}:notmuted:{}:videocall",
                call.id,
                call.name,
                call.number,
                call.word,
                call.direction.word()
            ),
            Line::CallInfoEnd => f.write_str("callinfo end"),
            Line::NotInCall => f.write_str("system is not in a call"),
            Line::Model(model) => write!(f, "Model: {model}"),
            Line::Mute(on) => write!(f, "mute near {}", if *on { "on" } else { "off" }),
            Line::Volume(volume) => write!(f, "volume {volume}"),
            Line::Share(on) => {
                write!(f, "Control event: vcbutton {}", if *on { "play" } else { "stop" })
            }
            Line::Error(text) => write!(f, "error: {text}"),
            Line::Info(text) => write!(f, "info: {text}"),
            Line::Echo(text) => write!(f, "-> {text}"),
            Line::Other(text) => f.write_str(text),
        }?;
        f.write_str("\r\n")
    }
}

/// What a cause means; only 16 is in the manual, the others are those of Q.850.
#[must_use]
pub fn end_reason(cause: u32) -> EndReason {
    match cause {
        16 => EndReason::Normal,
        17 => EndReason::Busy,
        18 | 19 => EndReason::NoAnswer,
        21 => EndReason::Rejected,
        1..=3 | 20 | 22 | 27 | 28 => EndReason::Unreachable,
        38 | 41 | 42 | 102 => EndReason::Network,
        _ => EndReason::Unknown,
    }
}
