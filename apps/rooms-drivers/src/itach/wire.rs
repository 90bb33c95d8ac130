//! Global Caché's lines (iTach, Flex, GC-100), from both sides. All of them end with CR.
//!
//! Source: Global Caché, Unified TCP API 1.1 and iTach Flex API 1.6.

use std::fmt;

/// A connector: module and port, `1:2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// From 0; 0 is the box itself.
    pub module: u8,
    /// From 1.
    pub port: u8,
}

impl Port {
    /// The connector that this names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Port> {
        let (module, port) = text.split_once(':')?;
        Some(Port { module: module.parse().ok()?, port: port.parse().ok()? })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.module, self.port)
    }
}

/// What a controller sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the protocol's")]
pub enum Request {
    GetDevices,
    GetVersion,
    GetState(Port),
    SetState(Port, bool),
    GetSerial(Port),
    /// Such as `9600,FLOW_NONE,PARITY_NO`.
    SetSerial(Port, String),
}

impl Request {
    /// The request on this line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Request> {
        let (name, rest) = line.split_once(',').unwrap_or((line, ""));
        let (port, value) = rest.split_once(',').unwrap_or((rest, ""));
        Some(match (name, Port::parse(port), value) {
            ("getdevices", None, "") => Request::GetDevices,
            ("getversion", _, "") => Request::GetVersion,
            ("getstate", Some(port), "") => Request::GetState(port),
            ("setstate", Some(port), "0") => Request::SetState(port, false),
            ("setstate", Some(port), "1") => Request::SetState(port, true),
            ("get_SERIAL", Some(port), "") => Request::GetSerial(port),
            ("set_SERIAL", Some(port), value) => Request::SetSerial(port, value.to_owned()),
            _ => return None,
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::GetDevices => f.write_str("getdevices\r"),
            Request::GetVersion => f.write_str("getversion\r"),
            Request::GetState(port) => write!(f, "getstate,{port}\r"),
            Request::SetState(port, on) => write!(f, "setstate,{port},{}\r", u8::from(*on)),
            Request::GetSerial(port) => write!(f, "get_SERIAL,{port}\r"),
            Request::SetSerial(port, line) => write!(f, "set_SERIAL,{port},{line}\r"),
        }
    }
}

/// What the box says, asked or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the protocol's")]
pub enum Reply {
    Device(String),
    EndOfDevices,
    State(Port, bool),
    Serial(Port, String),
    /// The number that the makes of box have in common.
    Error(u16),
    Version(String),
}

impl Reply {
    /// The reply on this line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Reply> {
        let line = line.trim();
        let (name, rest) = line.split_once(',').unwrap_or((line, ""));
        let (port, value) = rest.split_once(',').unwrap_or((rest, ""));
        match name {
            "device" => return Some(Reply::Device(rest.to_owned())),
            "endlistdevices" => return Some(Reply::EndOfDevices),
            "state" | "statechange" => {
                return Some(Reply::State(Port::parse(port)?, value.trim() == "1"));
            }
            "SERIAL" => return Some(Reply::Serial(Port::parse(port)?, value.to_owned())),
            _ => {}
        }
        let is_error = ["ERR", "unknowncommand"].iter().any(|word| line.starts_with(word));
        if is_error {
            let digits = line.rsplit(|char: char| !char.is_ascii_digit()).next()?;
            return Some(Reply::Error(digits.parse().ok()?));
        }
        let is_version = line.starts_with(|char: char| char.is_ascii_digit()) && line.contains('-');
        (is_version || name == "version").then(|| Reply::Version(line.to_owned()))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Device(device) => write!(f, "device,{device}\r"),
            Reply::EndOfDevices => f.write_str("endlistdevices\r"),
            Reply::State(port, on) => write!(f, "state,{port},{}\r", u8::from(*on)),
            Reply::Serial(port, line) => write!(f, "SERIAL,{port},{line}\r"),
            Reply::Error(code) => write!(f, "ERR_1:1,{code:03}\r"),
            Reply::Version(version) => write!(f, "{version}\r"),
        }
    }
}

/// What an error's number means.
#[must_use]
pub fn error_text(code: u16) -> &'static str {
    match code {
        1 => "no such command",
        2 => "no such module",
        3 => "no such connector",
        17 => "the command is malformed",
        24..=26 => "these settings of a serial line are not possible",
        27 => "the settings are locked",
        _ => "refused",
    }
}
