//! Serial bridges: boxes in the network that have a device's serial line behind each port.

use std::collections::BTreeMap;

use rooms_messages::DeviceName;

use super::across::Within;
use super::connect::{check_host, endpoint};
use super::source::{Group, Source};

/// One bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// What it speaks.
    pub kind: BridgeKind,
    /// Its name or address.
    pub host: String,
    /// The TCP port of each of its lines, by the line's name.
    pub ports: BTreeMap<String, u16>,
}

/// What a bridge speaks on its TCP ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeKind {
    /// The line's bytes, nothing else; baud and the like are set on the bridge.
    RawTcp,
    /// Telnet with RFC 2217: the line's settings come from us.
    Rfc2217,
    /// Global Caché iTach: raw bytes, settings over its own port 4998.
    Itach,
}

const KINDS: &[(&str, BridgeKind)] = &[
    ("raw-tcp", BridgeKind::RawTcp),
    ("rfc2217", BridgeKind::Rfc2217),
    ("itach", BridgeKind::Itach),
];

/// Every bridge of a file; none for one that is not right.
pub(super) fn read_all(
    source: &mut Source<'_>,
    whole: &Group<'_>,
) -> BTreeMap<DeviceName, Option<Bridge>> {
    let mut bridges = BTreeMap::new();
    let Some(group) = source.table(whole, "bridge") else { return bridges };
    for key in group.keys() {
        let Some(name) = source.right(&group, key, DeviceName::new(key)) else { continue };
        let bridge = source.table(&group, key).and_then(|table| read(source, &table));
        bridges.insert(name, bridge);
    }
    bridges
}

fn read(source: &mut Source<'_>, group: &Group<'_>) -> Option<Bridge> {
    source.unknown(group, &["kind", "host", "ports"], "a bridge has");
    let kind = source.choice(group, "kind", KINDS);
    if !group.has("kind") {
        let kinds: Vec<_> = KINDS.iter().map(|(word, _)| *word).collect();
        source.mistake(
            group,
            "kind",
            format!("is missing: what it speaks, one of {}", kinds.join(", ")),
        );
    }
    let host = source.needed(group, "host", "the bridge's name or address in the network");
    let host = host.and_then(|host| {
        let right = check_host(&host);
        source.right(group, "host", right).map(|()| host)
    });
    let ports = read_ports(source, group, host.as_deref());
    Some(Bridge { kind: kind?, host: host?, ports: ports? })
}

fn read_ports(
    source: &mut Source<'_>,
    group: &Group<'_>,
    host: Option<&str>,
) -> Option<BTreeMap<String, u16>> {
    if !group.has("ports") {
        let text = "is missing: the TCP port of each line, such as { 1 = 4001, 2 = 4002 }";
        source.mistake(group, "ports", text.to_owned());
    }
    let table = source.table(group, "ports")?;
    let mut ports = Some(BTreeMap::new());
    for name in table.keys() {
        let port = source.number(&table, name, 1..=65_535);
        if let (Some(port), Some(host)) = (port, host) {
            source.claim(&table, name, "address", endpoint("tcp", host, port), Within::All);
        }
        match (port, &mut ports) {
            (Some(port), Some(ports)) => drop(ports.insert(name.to_owned(), port)),
            _ => ports = None,
        }
    }
    ports
}
