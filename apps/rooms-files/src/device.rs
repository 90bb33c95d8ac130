//! One device of a room: what it is for, which driver it has, how it is reached.

mod reading;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rooms_drivers::text::TextDevice;
use rooms_messages::DeviceName;
use toml::{Table, Value};

use super::connect::{Connect, LineSettings};

pub(super) use reading::{Around, read_all};

/// One device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// What it is for, one of [`ROLES`](super::ROLES).
    pub role: &'static str,
    /// The name of its driver: `pjlink`, `text:benq`.
    pub driver: String,
    /// How it is reached.
    pub connect: Connect,
    /// How its serial line is set.
    pub line: Option<LineSettings>,
    /// Of a codec: what others dial to reach it.
    pub dial: Option<String>,
    /// Of a codec: how it appears in the far codec's list of calls.
    pub number_match: Vec<String>,
    /// The device that shows its picture, and which of that one's sources it is.
    pub routes_to: Option<(DeviceName, String)>,
    /// Of a camera: what people call its remembered views.
    pub presets: BTreeMap<u8, String>,
    /// How long it warms up.
    pub warm_seconds: Option<u16>,
    /// How long it cools down.
    pub cool_seconds: Option<u16>,
    /// How long it takes to answer when it sleeps.
    pub wake_seconds: Option<u16>,
    /// What its driver takes beside these, as it stands in the file; `kind` is the role.
    pub settings: Table,
    /// What stands in its `password_file`.
    pub password: Option<Secret>,
    /// Of a `text:NAME` driver.
    pub description: Option<Arc<TextDevice>>,
}

/// A password. It is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What must not be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Device {
    /// What the driver is built with: its settings, the secret among them as `password`.
    #[must_use]
    pub fn driver_settings(&self) -> Table {
        let mut settings = self.settings.clone();
        if let Some(password) = &self.password {
            settings.insert("password".to_owned(), Value::String(password.0.clone()));
        }
        settings
    }
}

/// The keys that every device has.
pub(super) const KEYS: &[&str] = &[
    "driver",
    "connect",
    "line",
    "role",
    "dial",
    "number_match",
    "routes_to",
    "presets",
    "password_file",
    "warm_seconds",
    "cool_seconds",
    "wake_seconds",
];
