//! Where a device is: what its room file says, or a port of the simulator.

use std::fmt;
use std::path::PathBuf;

use rooms_files::{BridgeKind, Connect, Device, LineSettings, Parity, Room};

/// Where a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Address {
    Tcp {
        host: String,
        port: u16,
    },
    Udp {
        host: String,
        port: u16,
    },
    /// A line behind a port of a bridge.
    Bridge {
        host: String,
        port: u16,
        bridged: Bridged,
    },
    /// A line of this machine.
    Serial {
        path: PathBuf,
        line: LineSettings,
    },
}

/// How a bridge hands a line on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bridged {
    /// Its bytes, nothing else.
    Raw,
    /// By RFC 2217, with these settings.
    Rfc2217(LineSettings),
}

/// What a line is set to where nobody says it.
const USUAL_LINE: LineSettings =
    LineSettings { baud: 9600, data_bits: 8, parity: Parity::None, stop_bits: 1 };

impl Address {
    /// Where a device of this room is; none if its bridge is not in the room's file, which the
    /// checker refuses.
    #[must_use]
    pub fn of(room: &Room, device: &Device) -> Option<Address> {
        Some(match &device.connect {
            Connect::Tcp { host, port } => Address::Tcp { host: host.clone(), port: *port },
            Connect::Udp { host, port } => Address::Udp { host: host.clone(), port: *port },
            Connect::Serial { path } => {
                Address::Serial { path: path.clone(), line: device.line.unwrap_or(USUAL_LINE) }
            }
            Connect::Bridge { name, port } => {
                let bridge = room.bridges.get(name)?;
                let bridged = match bridge.kind {
                    BridgeKind::RawTcp | BridgeKind::Itach => Bridged::Raw,
                    BridgeKind::Rfc2217 => Bridged::Rfc2217(device.line.unwrap_or(USUAL_LINE)),
                };
                let port = *bridge.ports.get(port)?;
                Address::Bridge { host: bridge.host.clone(), port, bridged }
            }
        })
    }

    /// The same kind of way to another port of this machine.
    #[must_use]
    pub fn on_loopback(self, port: u16) -> Address {
        let host = "127.0.0.1".to_owned();
        match self {
            Address::Tcp { .. } => Address::Tcp { host, port },
            Address::Udp { .. } => Address::Udp { host, port },
            Address::Bridge { bridged, .. } => Address::Bridge { host, port, bridged },
            Address::Serial { .. } => Address::Bridge { host, port, bridged: Bridged::Raw },
        }
    }

    /// Whether another box stands between here and the device.
    #[must_use]
    pub fn is_bridged(&self) -> bool {
        matches!(self, Address::Bridge { .. })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Address::Udp { host, port } => write!(f, "udp:{host}:{port}"),
            Address::Bridge { host, port, .. } => write!(f, "the bridge {host}:{port}"),
            Address::Serial { path, line } => write!(f, "{} ({line})", path.display()),
        }
    }
}
