//! A box of Global Caché: relays, sensors and serial lines. It loses its relays' states with its
//! power.

use std::collections::BTreeMap;

use rooms_drivers::Lines;
use rooms_drivers::itach::wire::{Port, Reply, Request};
use rooms_drivers::vocabulary::switch;
use rooms_files::{Bridge, Device};

use super::super::model::{Model, Out, no_button, state};

const NO_SUCH_COMMAND: u16 = 1;
const NO_SUCH_CONNECTOR: u16 = 3;

#[derive(Debug)]
pub(super) struct ITach {
    lines: Lines,
    /// By connector: what the room file calls it, and whether it is closed.
    contacts: BTreeMap<Port, Contact>,
    serial: BTreeMap<Port, String>,
}

#[derive(Debug)]
struct Contact {
    key: String,
    name: String,
    is_closed: bool,
}

impl ITach {
    pub(super) fn with_relays(device: &Device) -> ITach {
        let mut contacts = BTreeMap::new();
        for (setting, key) in [("relays", "relay"), ("sensors", "sensor")] {
            let table = device.settings.get(setting).and_then(toml::Value::as_table);
            for (name, port) in table.into_iter().flatten() {
                if let Some(port) = port.as_str().and_then(Port::parse) {
                    let (key, name) = (format!("{key}.{name}"), name.clone());
                    contacts.insert(port, Contact { key, name, is_closed: false });
                }
            }
        }
        ITach { lines: Lines::new(b"\r\n"), contacts, serial: BTreeMap::new() }
    }

    pub(super) fn with_serial(bridge: &Bridge) -> ITach {
        let modules = bridge.ports.keys().filter_map(|name| name.parse().ok());
        let line = "9600,FLOW_NONE,PARITY_NO".to_owned();
        let serial = modules.map(|module| (Port { module, port: 1 }, line.clone())).collect();
        ITach { lines: Lines::new(b"\r\n"), contacts: BTreeMap::new(), serial }
    }

    fn heard(&mut self, line: &str) -> Vec<Reply> {
        let Some(request) = Request::parse(line.trim()) else {
            return vec![Reply::Error(NO_SUCH_COMMAND)];
        };
        let none = Reply::Error(NO_SUCH_CONNECTOR);
        vec![match request {
            Request::GetDevices => return self.devices(),
            Request::GetVersion => Reply::Version("710-1005-05".to_owned()),
            Request::GetState(port) => match self.contacts.get(&port) {
                Some(contact) => Reply::State(port, contact.is_closed),
                None => none,
            },
            Request::SetState(port, on) => match self.contacts.get_mut(&port) {
                Some(contact) if contact.key.starts_with("relay") => {
                    contact.is_closed = on;
                    Reply::State(port, on)
                }
                _ => none,
            },
            Request::GetSerial(port) => match self.serial.get(&port) {
                Some(line) => Reply::Serial(port, line.clone()),
                None => none,
            },
            Request::SetSerial(port, line) => match self.serial.get_mut(&port) {
                Some(known) => {
                    line.clone_into(known);
                    Reply::Serial(port, line)
                }
                None => none,
            },
        }]
    }

    fn devices(&self) -> Vec<Reply> {
        let mut devices = vec![Reply::Device("0,0 ETHERNET".to_owned())];
        let modules: std::collections::BTreeSet<_> =
            self.contacts.keys().map(|port| port.module).collect();
        for module in modules {
            let count = self.contacts.keys().filter(|port| port.module == module).count();
            devices.push(Reply::Device(format!("{module},{count} RELAY")));
        }
        let serial = self.serial.keys().map(|port| format!("{},1 SERIAL", port.module));
        devices.extend(serial.map(Reply::Device));
        devices.push(Reply::EndOfDevices);
        devices
    }
}

impl Model for ITach {
    fn opened(&mut self, _: &mut Out) {
        self.lines.clear();
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        for line in self.lines.push(data) {
            self.heard(&line).iter().for_each(|reply| out.send(reply.to_string()));
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        let contacts = self.contacts.values();
        let contacts = contacts.map(|contact| state(&contact.key, switch(contact.is_closed)));
        let serial = self.serial.iter();
        contacts
            .chain(serial.map(|(port, line)| state(format!("line.{}", port.module), line)))
            .collect()
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        let is_it = |(_, contact): &(&Port, &mut Contact)| contact.name == button;
        let Some((port, contact)) = self.contacts.iter_mut().find(is_it) else {
            let names = self.contacts.values().map(|contact| contact.name.as_str());
            return Err(no_button(button, names));
        };
        contact.is_closed = !contact.is_closed;
        out.send(format!("statechange,{port},{}\r", u8::from(contact.is_closed)));
        Ok(())
    }

    fn rebooted(&mut self) {
        self.contacts.values_mut().for_each(|contact| contact.is_closed = false);
    }
}
