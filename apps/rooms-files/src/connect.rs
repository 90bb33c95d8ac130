//! How a device is reached: an address, or a line behind a bridge with the line's settings.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use rooms_messages::DeviceName;

use super::mistake::remedy;

/// The way to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connect {
    /// `tcp:HOST:PORT`
    Tcp {
        /// Name or address, without brackets.
        host: String,
        /// From 1.
        port: u16,
    },
    /// `udp:HOST:PORT`
    Udp {
        /// Name or address, without brackets.
        host: String,
        /// From 1.
        port: u16,
    },
    /// `bridge:NAME/LINE`
    Bridge {
        /// The bridge's name in the room file.
        name: DeviceName,
        /// The name of one of its ports.
        port: String,
    },
    /// `serial:/dev/NAME`, a line of the machine on which the program runs
    Serial {
        /// The line's device file.
        path: PathBuf,
    },
}

const FORMS: &str = "tcp:HOST:PORT, udp:HOST:PORT, bridge:NAME/PORT or serial:/dev/NAME is wanted";

impl FromStr for Connect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!("{text:?}: {FORMS}"));
        };
        match scheme {
            "tcp" => address(rest).map(|(host, port)| Self::Tcp { host, port }),
            "udp" => address(rest).map(|(host, port)| Self::Udp { host, port }),
            "bridge" => {
                let parts = rest.split_once('/').filter(|(_, port)| !port.is_empty());
                let (name, port) = parts.ok_or_else(|| {
                    "bridge:NAME/PORT is wanted, such as bridge:rack1/1".to_owned()
                })?;
                let name = DeviceName::new(name).map_err(|error| error.to_string())?;
                Ok(Self::Bridge { name, port: port.to_owned() })
            }
            "serial" if rest.starts_with('/') => Ok(Self::Serial { path: rest.into() }),
            "serial" => Err("serial:/dev/NAME is wanted, such as serial:/dev/ttyUSB0".to_owned()),
            _ => {
                let near =
                    remedy(scheme, ["tcp", "udp", "bridge", "serial"].into_iter(), "the ways are");
                Err(format!("there is no way called {scheme:?}; {near}"))
            }
        }
        .map_err(|error: String| format!("{text:?}: {error}"))
    }
}

impl fmt::Display for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => f.write_str(&endpoint("tcp", host, *port)),
            Self::Udp { host, port } => f.write_str(&endpoint("udp", host, *port)),
            Self::Bridge { name, port } => write!(f, "bridge:{name}/{port}"),
            Self::Serial { path } => write!(f, "serial:{}", path.display()),
        }
    }
}

fn address(text: &str) -> Result<(String, u16), String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err("a port is wanted after the host, such as 10.1.2.3:4352".to_owned());
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| digits && *port > 0);
    let port = port.ok_or("the port is a whole number from 1 to 65535")?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) if bare.parse::<Ipv6Addr>().is_ok() => Ok((bare.to_owned(), port)),
        Some(_) => Err(format!("{host} is no IPv6 address")),
        None if host.contains(':') => {
            Err("an IPv6 address is written in brackets, such as [fd00::7]:23".to_owned())
        }
        None => check_host(host).map(|()| (host.to_owned(), port)),
    }
}

/// Whether this can be the name or address of something in the network.
pub(super) fn check_host(host: &str) -> Result<(), String> {
    let dotted = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if dotted && host.parse::<Ipv4Addr>().is_err() {
        return Err(format!("{host:?} is no IPv4 address: four numbers from 0 to 255 are wanted"));
    }
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_name = (1..=253).contains(&host.len()) && host.bytes().all(good);
    if is_name || host.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(format!("{host:?} is no host: a name of letters, digits, - and ., or an address is wanted"))
}

/// One end of a connection, so that equal ones are equal texts.
pub(super) fn endpoint(scheme: &str, host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    format!("{scheme}:{host}:{port}")
}

/// How a serial line is set: `9600 8N1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// 5 to 8.
    pub data_bits: u8,
    /// What follows them.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// The bit that makes a serial byte even or odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Parity {
    None,
    Odd,
    Even,
}

impl FromStr for LineSettings {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || {
            format!(
                "{text:?}: bits per second (50 to 4000000), then data bits (5 to 8), parity (N, O or E) and stop bits (1 or 2) are wanted, such as \"9600 8N1\""
            )
        };
        let (baud, frame) = text.split_once(' ').ok_or_else(wanted)?;
        let digits = baud.bytes().all(|byte| byte.is_ascii_digit());
        let baud = baud.parse().ok().filter(|baud| digits && (50..=4_000_000).contains(baud));
        let &[data_bits @ b'5'..=b'8', parity, stop_bits @ b'1'..=b'2'] = frame.as_bytes() else {
            return Err(wanted());
        };
        let parity = match parity {
            b'N' => Parity::None,
            b'O' => Parity::Odd,
            b'E' => Parity::Even,
            _ => return Err(wanted()),
        };
        let baud = baud.ok_or_else(wanted)?;
        Ok(Self { baud, data_bits: data_bits - b'0', parity, stop_bits: stop_bits - b'0' })
    }
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Odd => 'O',
            Parity::Even => 'E',
        };
        write!(f, "{} {}{parity}{}", self.baud, self.data_bits, self.stop_bits)
    }
}

#[cfg(test)]
mod tests;
