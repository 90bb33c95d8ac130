//! Which drivers there are, and what the checker must know of each: one table.
//!
//! [`Drivers`] is plain data, so that it can be filled from the drivers' own descriptions of
//! themselves instead.

use std::path::Path;

use super::ROLES;
use super::settings::{Form, Setting};
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
    pub settings: Vec<Setting>,
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
            settings: Vec::new(),
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

const fn takes(name: &'static str, form: Form) -> Setting {
    Setting { name, form, required: false }
}

const fn needs(name: &'static str, form: Form) -> Setting {
    Setting { name, form, required: true }
}

fn rows() -> Vec<DriverRow> {
    use Transport::{Serial, Tcp, Udp};
    let row = |name, roles, transports, settings: &[Setting]| {
        let settings = settings.to_vec();
        DriverRow { name, roles, transports, shared: false, one_way_with: None, settings }
    };
    let password = takes("password", Form::Secret);
    let user = takes("user", Form::Text);
    let kind = takes("kind", Form::OneOf(CAMERAS));
    let zoom_speed = takes("zoom_speed", Form::Integer(0, 7));
    let content = takes("content", Form::Integer(1, 10));
    let polycom = &[
        password,
        content,
        takes("speed", Form::Integer(64, 6144)),
        takes("auto_answer", Form::Bool),
    ];
    let cisco =
        &[user, password, content, takes("auto_answer", Form::OneOf(&["on", "mute", "off"]))];
    let visca_ip = &[kind, zoom_speed, takes("header", Form::Bool)];
    let visca_serial = &[kind, zoom_speed, takes("address", Form::Integer(1, 7))];
    let lumens = &[takes("lamp", Form::Bool), takes("power_command", Form::OneOf(&["b0", "b1"]))];
    let pjlink = &[
        password,
        takes("inputs", Form::Texts),
        takes("login", Form::OneOf(&["md5", "sha256"])),
        takes("blank_mutes_sound", Form::Bool),
    ];
    let lutron = &[
        user,
        password,
        takes("outputs", Form::Integers(1, 99_999)),
        takes("scenes", Form::IntegersOfNames(0, 100)),
        takes("area", Form::Integer(1, 99_999)),
        takes("area_scenes", Form::Integers(0, 64)),
        takes("fade_seconds", Form::Integer(0, 60)),
    ];
    let relays = &[
        needs("relays", Form::Texts),
        takes("sensors", Form::Texts),
        takes("pulse_ms", Form::Integer(50, 60_000)),
        takes("rest_ms", Form::Integer(0, 60_000)),
        takes("interlock", Form::Bool),
    ];
    let extron = &[
        password,
        takes("inputs", Form::Integers(1, 512)),
        takes("output", Form::Integer(1, 512)),
    ];
    vec![
        row("polycom-group", &["codec"], &[Tcp, Serial], polycom),
        row("cisco-xapi", &["codec"], &[Serial, Tcp], cisco),
        row("visca-ip", CAMERAS, &[Udp, Tcp], visca_ip),
        row("visca-serial", CAMERAS, &[Serial, Tcp], visca_serial),
        row("lumens-dc", &["document-camera"], &[Serial, Tcp], lumens),
        row("pjlink", &["projector", "display"], &[Tcp], pjlink),
        DriverRow { shared: true, ..row("lutron", &["lights"], &[Tcp], lutron) },
        DriverRow {
            shared: true,
            one_way_with: Some("pulse_ms"),
            ..row("itach-relay", &["screen"], &[Tcp], relays)
        },
        row("extron-sis", &["switcher"], &[Tcp, Serial], extron),
    ]
}
