//! All drivers by name: what each is for, which settings it takes, how one is made.

use std::fmt;
use std::sync::LazyLock;

use toml::Table;

use crate::driver::Driver;
use crate::settings::{Key, SettingError, Settings, nearest};
use crate::vocabulary::Kind;

/// A driver that can be built.
#[derive(Debug)]
pub struct DriverEntry {
    /// As in room files: `pjlink`, `text:benq`.
    pub name: String,
    /// Which devices it is for, in a few words.
    pub about: String,
    /// The kind of device that it is, unless a setting `kind` says otherwise.
    pub kind: Kind,
    /// How it can be reached, the usual way first.
    pub transports: Vec<Transport>,
    /// The settings that it takes; a room file's keys that concern transport, place and
    /// wiring are not among them.
    pub settings: Vec<Key>,
    build: Build,
}

/// A way to reach a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, and the usual port.
    Tcp(u16),
    /// UDP, and the usual port.
    Udp(u16),
    /// A serial line, raw or behind a bridge, and its usual settings.
    Serial(&'static str),
}

type Build = fn(&DriverEntry, &Settings<'_>) -> Result<Box<dyn Driver>, SettingError>;

impl DriverEntry {
    /// A driver with these settings.
    ///
    /// # Errors
    ///
    /// All that is wrong with the settings.
    pub fn build(&self, settings: &Table) -> Result<Box<dyn Driver>, Vec<SettingError>> {
        let settings = Settings::check(settings, &self.settings)?;
        (self.build)(self, &settings).map_err(|error| vec![error])
    }
}

/// All drivers, by name.
#[must_use]
pub fn drivers() -> &'static [DriverEntry] {
    static DRIVERS: LazyLock<Vec<DriverEntry>> = LazyLock::new(Vec::new);
    &DRIVERS
}

/// A driver by its name, with its settings.
///
/// # Errors
///
/// When there is no such driver, or its settings are wrong.
pub fn build(name: &str, settings: &Table) -> Result<Box<dyn Driver>, BuildError> {
    let Some(entry) = drivers().iter().find(|entry| entry.name == name) else {
        let names = drivers().iter().map(|entry| entry.name.as_str());
        return Err(BuildError::UnknownDriver {
            name: name.to_owned(),
            nearest: nearest(name, names).map(str::to_owned),
        });
    };
    entry.build(settings).map_err(BuildError::Settings)
}

/// Why a driver can't be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// There is no such driver.
    UnknownDriver {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// These settings are wrong.
    Settings(Vec<SettingError>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::UnknownDriver { name, nearest: Some(nearest) } => {
                write!(f, "there is no driver {name:?}; did you mean {nearest:?}?")
            }
            BuildError::UnknownDriver { name, nearest: None } => {
                let names: Vec<_> = drivers().iter().map(|entry| entry.name.as_str()).collect();
                write!(f, "there is no driver {name:?}; there are {}", names.join(", "))
            }
            BuildError::Settings(errors) => {
                let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&errors.join("\n"))
            }
        }
    }
}

impl std::error::Error for BuildError {}
