//! Which drivers there are, and what the checker must know of each: one table, to which the drivers
//! themselves say what settings they take.

use std::path::Path;

use rooms_drivers::{Form, Key};

use super::ROLES;
use super::source::{line_at, lines};

/// What the checker knows of drivers.
#[derive(Debug, Clone)]
pub struct Drivers {
    /// The drivers that are programs.
    pub rows: Vec<DriverRow>,
    /// The text of the description that comes with the program for `text:NAME`, unless the rooms'
    /// folder has its own in `drivers/NAME.toml`.
    pub built_in: fn(name: &str) -> Option<&'static str>,
    /// Everything that is wrong with a description.
    pub check_description: fn(text: &str) -> Vec<String>,
}

/// One driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverRow {
    /// As in room files.
    pub name: &'static str,
    /// What its devices can be for.
    pub roles: &'static [&'static str],
    /// How they can be reached.
    pub transports: &'static [Transport],
    /// They take several connections, so that several rooms may use one.
    pub shared: bool,
    /// With this setting they act without saying what came of it.
    pub one_way_with: Option<&'static str>,
    /// What they take beside what every device has.
    pub settings: &'static [Key],
}

/// A way to reach a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `tcp:`
    Tcp,
    /// `udp:`
    Udp,
    /// `bridge:`
    Serial,
}

impl Default for Drivers {
    fn default() -> Self {
        let check_description = |text: &str| match text.parse::<toml::Table>() {
            Ok(_) => Vec::new(),
            Err(error) => {
                let line = line_at(&lines(text), error.span());
                vec![format!("line {line}: {}", error.message().trim().replace('\n', ", "))]
            }
        };
        Self { rows: rows(), built_in: |_| None, check_description }
    }
}

impl Drivers {
    pub(super) fn row(&self, name: &str) -> Option<&DriverRow> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The description of `text:NAME`: the folder's own, else the one that comes with the program.
    ///
    /// # Errors
    /// There is none, or it can't be read, or is wrong: every sentence about it.
    pub(super) fn description(&self, name: &str, folder: &Path) -> Result<String, Vec<String>> {
        let file = folder.join("drivers").join(format!("{name}.toml"));
        let text = match (std::fs::read_to_string(&file), (self.built_in)(name)) {
            (Ok(text), _) => text,
            (Err(error), Some(text)) if error.kind() == std::io::ErrorKind::NotFound => {
                text.to_owned()
            }
            (Err(error), _) => {
                let text = "no description of that name comes with the program, and";
                return Err(vec![format!("{text} {} can't be read: {error}", file.display())]);
            }
        };
        let wrong = (self.check_description)(&text);
        if wrong.is_empty() {
            return Ok(text);
        }
        Err(wrong.into_iter().map(|wrong| format!("drivers/{name}.toml: {wrong}")).collect())
    }
}

impl DriverRow {
    /// The settings that stand in a room file: all but passwords.
    pub(super) fn plain_settings(&self) -> impl Iterator<Item = &'static Key> + Clone + use<> {
        self.settings.iter().filter(|key| key.form != Form::Secret)
    }

    /// Of a described device: its kind is what it is for, and it takes no settings.
    pub(super) fn described(text: &str) -> Self {
        let kind = text.parse::<toml::Table>().ok().and_then(|table| {
            let kind = table.get("kind")?.as_str()?;
            ROLES.iter().position(|role| *role == kind)
        });
        Self {
            name: "this description",
            roles: kind.map_or(ROLES, |at| &ROLES[at..=at]),
            transports: &[Transport::Tcp, Transport::Udp, Transport::Serial],
            shared: false,
            one_way_with: None,
            settings: &[],
        }
    }
}

impl Transport {
    /// As in `connect`.
    pub(super) fn form(self) -> &'static str {
        match self {
            Self::Tcp => "tcp:HOST:PORT",
            Self::Udp => "udp:HOST:PORT",
            Self::Serial => "bridge:NAME/PORT",
        }
    }
}

const CAMERAS: &[&str] = &["camera", "document-camera"];

fn rows() -> Vec<DriverRow> {
    use Transport::{Serial, Tcp, Udp};
    let row = |name, roles, transports| {
        let entry = rooms_drivers::drivers().iter().find(|entry| entry.name == name);
        let settings = &entry.expect("there is a driver for each row").settings[..];
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
}
