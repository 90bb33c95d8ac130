//! All drivers by name: what each is for, which settings it takes, how one is made.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use toml::Table;

use crate::bridge::BehindBridge;
use crate::cisco::{self, Cisco};
use crate::driver::Driver;
use crate::extron::{self, Extron};
use crate::itach::{self, ITachRelay, ITachSerial};
use crate::lumens::{self, Lumens};
use crate::lutron::{self, Lutron};
use crate::pjlink::{self, PjLink};
use crate::polycom::{self, Polycom};
use crate::settings::{Key, SettingError, Settings, nearest};
use crate::text::{self, Text, TextDevice};
use crate::visca::{self, Visca};
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

/// How it is made.
#[derive(Debug)]
enum Build {
    Program(fn(&Settings<'_>) -> Result<Box<dyn Driver>, SettingError>),
    Description(Arc<TextDevice>),
}

/// A way to reach a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, and the usual port.
    Tcp(u16),
    /// UDP, and the usual port.
    Udp(u16),
    /// A serial line, raw or behind a bridge, and its usual settings.
    Serial(Cow<'static, str>),
}

impl DriverEntry {
    /// A driver with these settings.
    ///
    /// # Errors
    ///
    /// All that is wrong with the settings.
    pub fn build(&self, settings: &Table) -> Result<Box<dyn Driver>, Vec<SettingError>> {
        let settings = Settings::check(settings, &self.settings)?;
        match &self.build {
            Build::Program(build) => build(&settings).map_err(|error| vec![error]),
            Build::Description(device) => Ok(boxed(Text::build(device, &settings))),
        }
    }

    /// The driver of a described device; rooms call it `text:` and its name.
    #[must_use]
    pub fn described(device: Arc<TextDevice>) -> DriverEntry {
        let serial = device.serial.as_deref().map(|line| Transport::Serial(line.to_owned().into()));
        DriverEntry {
            name: format!("text:{}", device.name),
            about: device.about.clone(),
            kind: device.kind,
            transports: serial.into_iter().chain(device.tcp.map(Transport::Tcp)).collect(),
            settings: text::keys(&device),
            build: Build::Description(device),
        }
    }

    /// What it is described as, if it is not programmed; whoever plays the device wants it.
    #[must_use]
    pub fn description(&self) -> Option<&Arc<TextDevice>> {
        match &self.build {
            Build::Description(device) => Some(device),
            Build::Program(_) => None,
        }
    }
}

/// All drivers, by name.
#[must_use]
pub fn drivers() -> &'static [DriverEntry] {
    static DRIVERS: LazyLock<Vec<DriverEntry>> = LazyLock::new(|| {
        use Transport::{Serial, Tcp, Udp};
        let mut drivers = vec![
            entry(
                ("pjlink", Kind::Projector, "projectors of most makes, over the network"),
                &[Tcp(4352)],
                pjlink::KEYS,
                |settings| Ok(boxed(PjLink::build(settings)?)),
            ),
            entry(
                ("visca-serial", Kind::Camera, "cameras of most makes, on a serial line"),
                &[Serial("9600 8N1".into())],
                visca::SERIAL_KEYS,
                |settings| Ok(boxed(Visca::serial(settings))),
            ),
            entry(
                ("visca-ip", Kind::Camera, "cameras of most makes, over the network"),
                &[Udp(52381), Tcp(5678)],
                visca::IP_KEYS,
                |settings| Ok(boxed(Visca::over_ip(settings))),
            ),
            entry(
                ("lumens-dc", Kind::DocumentCamera, "document cameras of Lumens"),
                &[Serial("9600 8N1".into())],
                lumens::KEYS,
                |settings| Ok(boxed(Lumens::build(settings))),
            ),
            entry(
                ("polycom-group", Kind::Codec, "codecs of Polycom (HDX, RealPresence Group)"),
                &[Tcp(24), Serial("9600 8N1".into())],
                polycom::KEYS,
                |settings| Ok(boxed(Polycom::build(settings))),
            ),
            entry(
                ("cisco-xapi", Kind::Codec, "codecs of Cisco (TelePresence, RoomOS)"),
                &[Serial("115200 8N1".into()), Tcp(23)],
                cisco::KEYS,
                |settings| Ok(boxed(Cisco::build(settings))),
            ),
            entry(
                ("lutron", Kind::Lights, "lights of Lutron (RadioRA 2, HomeWorks, QS)"),
                &[Tcp(23)],
                lutron::KEYS,
                |settings| Ok(boxed(Lutron::build(settings)?)),
            ),
            entry(
                ("itach-relay", Kind::Screen, "relays of Global Caché, for screens and the like"),
                &[Tcp(4998)],
                itach::KEYS,
                |settings| Ok(boxed(ITachRelay::build(settings)?)),
            ),
            entry(
                (
                    "itach-serial",
                    Kind::Bridge,
                    "serial lines of a Global Caché box: their settings",
                ),
                &[Tcp(4998)],
                itach::SERIAL_KEYS,
                |settings| Ok(boxed(ITachSerial::build(settings)?)),
            ),
            entry(
                ("extron-sis", Kind::Switcher, "switchers and scalers of Extron"),
                &[Tcp(23), Serial("9600 8N1".into())],
                extron::KEYS,
                |settings| Ok(boxed(Extron::build(settings))),
            ),
        ];
        drivers.extend(text::devices().iter().cloned().map(DriverEntry::described));
        drivers
    });
    &DRIVERS
}

fn entry(
    (name, kind, about): (&str, Kind, &str),
    transports: &[Transport],
    settings: &[Key],
    build: fn(&Settings<'_>) -> Result<Box<dyn Driver>, SettingError>,
) -> DriverEntry {
    DriverEntry {
        name: name.to_owned(),
        about: about.to_owned(),
        kind,
        transports: transports.to_vec(),
        settings: settings.to_vec(),
        build: Build::Program(build),
    }
}

fn boxed(driver: impl Driver + 'static) -> Box<dyn Driver> {
    Box::new(BehindBridge::new(driver))
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
