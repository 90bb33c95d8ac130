//! What the checker must know of each driver: one table, to which the drivers themselves say what
//! settings they take.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use rooms_drivers::text::{self, TextDevice};
use rooms_drivers::{DriverEntry, Form, Key};

use super::ROLES;

/// One driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DriverRow {
    /// As in room files.
    pub(super) name: &'static str,
    /// What its devices can be for.
    pub(super) roles: &'static [&'static str],
    /// How they can be reached.
    pub(super) transports: &'static [Transport],
    /// They take several connections, so that several rooms may use one.
    pub(super) shared: bool,
    /// With this setting they act without saying what came of it.
    pub(super) one_way_with: Option<&'static str>,
    /// What they take beside what every device has.
    pub(super) settings: Vec<Key>,
}

/// A way to reach a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// `tcp:`
    Tcp,
    /// `udp:`
    Udp,
    /// `bridge:`, `serial:`
    Serial,
}

/// The description of `text:NAME`: the folder's own in `drivers/NAME.toml`, else the one that comes
/// with the program.
///
/// # Errors
/// There is none, or it can't be read, or is wrong: every sentence about it.
pub(super) fn description(name: &str, folder: &Path) -> Result<Arc<TextDevice>, Vec<String>> {
    let file = folder.join("drivers").join(format!("{name}.toml"));
    match std::fs::read_to_string(&file) {
        Ok(text) => TextDevice::parse(&text).map(Arc::new).map_err(|wrong| {
            wrong.into_iter().map(|wrong| format!("drivers/{name}.toml:{wrong}")).collect()
        }),
        Err(error) => {
            let mut built_in = text::devices().iter();
            let found = built_in
                .find(|device| device.name == name && error.kind() == std::io::ErrorKind::NotFound);
            found.cloned().ok_or_else(|| {
                let text = "no description of that name comes with the program, and";
                vec![format!("{text} {} can't be read: {error}", file.display())]
            })
        }
    }
}

impl DriverRow {
    /// The settings that stand in a room file: all but passwords.
    pub(super) fn plain_settings(&self) -> impl Iterator<Item = &Key> + Clone {
        self.settings.iter().filter(|key| key.form != Form::Secret)
    }

    /// Of a described device: its kind is what it is for.
    pub(super) fn described(device: &Arc<TextDevice>) -> Self {
        let role = ROLES.iter().position(|role| *role == device.kind.word());
        Self {
            name: "this description",
            roles: role.map_or(ROLES, |at| &ROLES[at..=at]),
            transports: &[Transport::Tcp, Transport::Udp, Transport::Serial],
            shared: false,
            one_way_with: None,
            settings: DriverEntry::described(device.clone()).settings,
        }
    }
}

impl Transport {
    /// As in `connect`.
    pub(super) fn form(self) -> &'static str {
        match self {
            Self::Tcp => "tcp:HOST:PORT",
            Self::Udp => "udp:HOST:PORT",
            Self::Serial => "bridge:NAME/PORT or serial:/dev/NAME",
        }
    }
}

const CAMERAS: &[&str] = &["camera", "document-camera"];

/// The drivers that are programs.
pub(super) fn rows() -> &'static [DriverRow] {
    use Transport::{Serial, Tcp, Udp};
    static ROWS: LazyLock<Vec<DriverRow>> = LazyLock::new(|| {
        let row = |name, roles, transports| {
            let entry = rooms_drivers::drivers().iter().find(|entry| entry.name == name);
            let settings = entry.expect("there is a driver for each row").settings.clone();
            DriverRow { name, roles, transports, shared: false, one_way_with: None, settings }
        };
        vec![
            row("polycom-group", &["codec"], &[Tcp, Serial]),
            row("cisco-xapi", &["codec"], &[Serial, Tcp]),
            row("visca-ip", CAMERAS, &[Udp, Tcp]),
            row("visca-serial", CAMERAS, &[Serial, Tcp]),
            row("lumens-dc", &["document-camera"], &[Serial, Tcp]),
            row("pjlink", &["projector", "display"], &[Tcp]),
            DriverRow { shared: true, ..row("lutron", &["lights"], &[Tcp]) },
            DriverRow {
                shared: true,
                one_way_with: Some("pulse_ms"),
                ..row("itach-relay", &["screen"], &[Tcp])
            },
            row("extron-sis", &["switcher"], &[Tcp, Serial]),
        ]
    });
    &ROWS
}
