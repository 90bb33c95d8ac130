//! Reads a device's table: what every device has, then what its driver takes.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use rooms_drivers::Form;
use rooms_drivers::text::TextDevice;
use rooms_messages::{DeviceName, Word};
use toml::{Table, Value};

use super::super::ROLES;
use super::super::across::Within;
use super::super::bridge::{Bridge, BridgeKind};
use super::super::connect::{Connect, LineSettings, endpoint};
use super::super::drivers::{self, DriverRow, Transport};
use super::super::mistake::remedy;
use super::super::settings;
use super::super::source::{Group, Source};
use super::{Device, KEYS, Secret};

/// What is known when devices are read.
pub(in super::super) struct Around<'a> {
    pub(in super::super) bridges: &'a BTreeMap<DeviceName, Option<Bridge>>,
    pub(in super::super) folder: &'a Path,
    /// The whole file as plain values.
    pub(in super::super) values: &'a Table,
}

/// Every device of a file; none for one that is not right.
pub(in super::super) fn read_all(
    source: &mut Source<'_>,
    whole: &Group<'_>,
    around: &Around<'_>,
) -> BTreeMap<DeviceName, Option<Device>> {
    let mut devices = BTreeMap::new();
    let Some(group) = source.table(whole, "device") else { return devices };
    let names: Vec<_> = group.keys().filter_map(|key| DeviceName::new(key).ok()).collect();
    for key in group.keys() {
        let Some(name) = source.right(&group, key, DeviceName::new(key)) else { continue };
        if around.bridges.contains_key(&name) {
            let text = "a bridge has that name, too: messages could not tell them apart";
            source.mistake(&group, key, text.to_owned());
        }
        let values = around.values.get("device").and_then(|devices| devices.get(key));
        let device = match (source.table(&group, key), values.and_then(Value::as_table)) {
            (Some(table), Some(values)) => {
                let reading = Reading { source, table, values, around, names: &names };
                reading.device(&name)
            }
            _ => None,
        };
        if devices.insert(name.clone(), device).is_some() {
            source.mistake(&group, key, format!("there is a second {name}: give it another name"));
        }
    }
    devices
}

struct Reading<'r, 'a, 's> {
    source: &'r mut Source<'s>,
    table: Group<'r>,
    values: &'a Table,
    around: &'r Around<'a>,
    /// Of all devices of the room.
    names: &'r [DeviceName],
}

impl Reading<'_, '_, '_> {
    fn device(mut self, name: &DeviceName) -> Option<Device> {
        let role = self.role(name);
        let driver = self.source.needed(&self.table, "driver", "which driver speaks to it");
        let (row, description) = match &driver {
            Some(driver) => self.driver(driver),
            None => (None, None),
        };
        let connect = self.connect(row.as_ref());
        let line = self.line(connect.as_ref());
        if let (Some(row), Some(role)) = (&row, role)
            && !row.roles.contains(&role)
        {
            let text = format!("{} is for a {}, not for {role}", row.name, row.roles.join(" or "));
            self.mistake("driver", text);
        }
        let (dial, number_match) = self.number(role);
        let seconds = |reading: &mut Self, key| reading.source.number(&reading.table, key, 0..=600);
        let warm_seconds = seconds(&mut self, "warm_seconds");
        let cool_seconds = seconds(&mut self, "cool_seconds");
        let wake_seconds = seconds(&mut self, "wake_seconds");
        let settings = self.settings(row.as_ref(), role);
        let password = self.password(row.as_ref());
        let routes_to = self.route(name);
        let presets = self.presets();
        // All mistakes are noted by now.
        Some(Device {
            role: role?,
            driver: driver?,
            connect: connect?,
            line,
            dial,
            number_match,
            warm_seconds,
            cool_seconds,
            wake_seconds,
            routes_to,
            presets,
            settings,
            password,
            description,
        })
    }

    fn role(&mut self, name: &DeviceName) -> Option<&'static str> {
        if self.table.has("role") {
            let choices: Vec<_> = ROLES.iter().map(|role| (*role, *role)).collect();
            return self.source.choice(&self.table, "role", &choices);
        }
        let role = ROLES.iter().find(|role| name.as_str() == **role).copied();
        if role.is_none() {
            let roles = remedy(name.as_str(), ROLES.iter().copied(), "write one of");
            let text =
                format!("is missing, as the name does not say what the device is for; {roles}");
            self.mistake("role", text);
        }
        role
    }

    /// What is known of the driver, and its description if it has one.
    fn driver(&mut self, driver: &str) -> (Option<DriverRow>, Option<Arc<TextDevice>>) {
        let Some(described) = driver.strip_prefix("text:") else {
            let row = drivers::rows().iter().find(|row| row.name == driver).cloned();
            if row.is_none() {
                let names = drivers::rows().iter().map(|row| row.name);
                let names = remedy(driver, names.chain(["text:NAME"]), "the drivers are");
                self.mistake("driver", format!("there is no driver {driver:?}; {names}"));
            }
            return (row, None);
        };
        if Word::new(described).is_err() {
            let text = "after text: comes the name of a description, such as text:benq for drivers/benq.toml";
            self.mistake("driver", text.to_owned());
            return (None, None);
        }
        match drivers::description(described, self.around.folder) {
            Ok(device) => (Some(DriverRow::described(&device)), Some(device)),
            Err(wrong) => {
                for wrong in wrong {
                    self.mistake("driver", wrong);
                }
                (None, None)
            }
        }
    }

    fn connect(&mut self, row: Option<&DriverRow>) -> Option<Connect> {
        let about =
            "how it is reached: tcp:HOST:PORT, udp:HOST:PORT, bridge:NAME/PORT or serial:/dev/NAME";
        let text = self.source.needed(&self.table, "connect", about)?;
        let connect: Connect = self.parsed("connect", &text)?;
        let (transport, end) = match &connect {
            Connect::Tcp { host, port } => (Transport::Tcp, endpoint("tcp", host, *port)),
            Connect::Udp { host, port } => (Transport::Udp, endpoint("udp", host, *port)),
            Connect::Bridge { name, port } => {
                self.bridge_port(name, port);
                (Transport::Serial, connect.to_string())
            }
            Connect::Serial { .. } => (Transport::Serial, connect.to_string()),
        };
        if let Some(row) = row
            && !row.transports.contains(&transport)
        {
            let ways: Vec<_> = row.transports.iter().map(|way| way.form()).collect();
            let text = format!("{} is reached by {}", row.name, ways.join(" or "));
            self.mistake("connect", text);
        }
        let (what, within) = match transport {
            Transport::Serial if !matches!(connect, Connect::Serial { .. }) => {
                ("bridge port", Within::File)
            }
            _ if row.is_some_and(|row| row.shared) => ("address", Within::Shared),
            _ => ("address", Within::All),
        };
        self.source.claim(&self.table, "connect", what, end, within);
        Some(connect)
    }

    fn bridge_port(&mut self, name: &DeviceName, port: &str) {
        let bridges = self.around.bridges;
        match bridges.get(name) {
            None => {
                let names = bridges.keys().map(DeviceName::as_str);
                let text = format!(
                    "there is no bridge {name}; {}",
                    remedy(name.as_str(), names, "the bridges are")
                );
                self.mistake("connect", text);
            }
            Some(Some(bridge)) if !bridge.ports.contains_key(port) => {
                let ports: Vec<_> = bridge.ports.keys().map(String::as_str).collect();
                let text =
                    format!("the bridge {name} has no port {port:?}; it has {}", ports.join(", "));
                self.mistake("connect", text);
            }
            Some(_) => {}
        }
    }

    fn line(&mut self, connect: Option<&Connect>) -> Option<LineSettings> {
        let text = self.source.text(&self.table, "line");
        match connect {
            Some(Connect::Bridge { name, .. }) if text.is_none() => {
                let bridge = self.around.bridges.get(name).and_then(Option::as_ref);
                if bridge.is_some_and(|bridge| bridge.kind == BridgeKind::Rfc2217) {
                    let text = format!(
                        "is missing: {name} is told how the line is set, such as \"9600 8N1\""
                    );
                    self.mistake("line", text);
                }
            }
            Some(Connect::Tcp { .. } | Connect::Udp { .. }) if text.is_some() => {
                let text = "only a serial line has such settings: connect by bridge:NAME/PORT, or remove it";
                self.mistake("line", text.to_owned());
            }
            _ => {}
        }
        self.parsed("line", &text?)
    }

    /// `dial` and `number_match`, which codecs have.
    fn number(&mut self, role: Option<&str>) -> (Option<String>, Vec<String>) {
        if role.is_some_and(|role| role != "codec") {
            for key in ["dial", "number_match"] {
                if self.table.has(key) {
                    self.mistake(key, "only a codec is called: remove it".to_owned());
                }
            }
            return (None, Vec::new());
        }
        if role == Some("codec") && !self.table.has("dial") {
            let text = "is missing: what others dial to reach this room, such as \"sip:vienna@example.net\"";
            self.mistake("dial", text.to_owned());
        }
        let dial = self.source.text(&self.table, "dial");
        if let Some(dial) = &dial {
            if dial.contains(char::is_whitespace) {
                self.mistake("dial", "a number or address has no blanks".to_owned());
            }
            self.source.claim(&self.table, "dial", "number", plain(dial), Within::Others);
        }
        let numbers = self.source.texts(&self.table, "number_match");
        for (number, _) in &numbers {
            let value = plain(number);
            self.source.claim(&self.table, "number_match", "number", value, Within::Others);
        }
        (dial, numbers.into_iter().map(|(number, _)| number).collect())
    }

    fn presets(&mut self) -> BTreeMap<u8, String> {
        let Some(table) = self.source.table(&self.table, "presets") else { return BTreeMap::new() };
        let mut presets = BTreeMap::new();
        for key in table.keys() {
            let number = key.bytes().all(|byte| byte.is_ascii_digit()).then(|| key.parse().ok());
            let label = self.source.text(&table, key);
            match number.flatten() {
                Some(number) => presets.extend(label.map(|label| (number, label))),
                None => {
                    let text =
                        "a number from 0 to 255 is wanted, such as presets = { 1 = \"Table\" }";
                    self.source.mistake(&table, key, text.to_owned());
                }
            }
        }
        presets
    }

    fn route(&mut self, name: &DeviceName) -> Option<(DeviceName, String)> {
        let text = self.source.text(&self.table, "routes_to")?;
        let Some((device, input)) = text.split_once(' ') else {
            let text = "a device and one of its sources are wanted, such as \"codec content\"";
            self.mistake("routes_to", text.to_owned());
            return None;
        };
        let device = self.source.right(&self.table, "routes_to", DeviceName::new(device))?;
        let others = self.names.iter().filter(|other| *other != name);
        if !others.clone().any(|other| *other == device) {
            let names = remedy(device.as_str(), others.map(DeviceName::as_str), "the others are");
            self.mistake("routes_to", format!("there is no other device {device}; {names}"));
        }
        Some((device, input.to_owned()))
    }

    fn password(&mut self, row: Option<&DriverRow>) -> Option<Secret> {
        let file = self.source.text(&self.table, "password_file")?;
        if let Some(row) = row
            && !row.settings.iter().any(|key| key.form == Form::Secret)
        {
            self.mistake("password_file", format!("{} has no password: remove it", row.name));
        }
        let path = self.around.folder.join(file);
        let wanted = "a file with nothing but the password is wanted";
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let text = format!("{} can't be read: {error}; {wanted}", path.display());
                self.mistake("password_file", text);
                return None;
            }
        };
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() || password.contains(char::is_control) {
            self.mistake("password_file", format!("{}: {wanted}, on one line", path.display()));
        }
        Some(Secret(password.to_owned()))
    }

    /// What is left for the driver, checked.
    fn settings(&mut self, row: Option<&DriverRow>, role: Option<&str>) -> Table {
        let own = self.values.iter().filter(|(key, _)| !KEYS.contains(&key.as_str()));
        let mut own: Table = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        for key in settings::SECRETS.iter().filter(|key| own.contains_key(**key)) {
            let text = "no secrets in this file: write it into a file of its own, and that file's name here as password_file";
            self.mistake(key, text.to_owned());
        }
        let Some(row) = row else { return own };
        for (key, text) in settings::check(&own, row) {
            self.mistake(&key, text);
        }
        if let Some(key) = row.one_way_with
            && own.contains_key(key)
        {
            let text = "no reply path: the device is told, and nobody hears what it did; panels show what was sent";
            self.source.warning(&self.table, key, text.to_owned());
        }
        if let Some(role) = role
            && row.settings.iter().any(|key| key.name == "kind")
        {
            if own.contains_key("kind") {
                self.mistake("kind", format!("is {role}, as role or name say: remove it"));
            }
            own.insert("kind".to_owned(), Value::String(role.to_owned()));
        }
        own
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str, text: &str) -> Option<T> {
        self.source.right(&self.table, key, text.parse())
    }

    fn mistake(&mut self, key: &str, text: String) {
        self.source.mistake(&self.table, key, text);
    }
}

/// A number as codecs may show it: without its scheme, in small letters.
fn plain(number: &str) -> String {
    let number = number.to_lowercase();
    let schemes = ["sip:", "sips:", "h323:", "tel:"];
    let plain = schemes.iter().find_map(|scheme| number.strip_prefix(scheme));
    plain.map(str::to_owned).unwrap_or(number)
}
