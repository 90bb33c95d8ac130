//! What is different between two readings of the room files: what a reload has to do.

use std::collections::{BTreeMap, BTreeSet};

use rooms_messages::{DeviceName, RoomName};

use super::bridge::BridgeKind;
use super::connect::Connect;
use super::device::Device;
use super::{Room, Rooms};

/// What became of a room, a device or a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    New,
    /// It is not there any more.
    Gone,
    /// It is another: close its session and begin a new one.
    Changed,
    /// Its session goes on.
    Unchanged,
}

/// What became of one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomChange {
    /// Of what the room itself says: city, title, steps and the like. Its devices are beside it.
    pub room: Change,
    /// Of each bridge of before or now.
    pub bridges: BTreeMap<DeviceName, Change>,
    /// Of each device of before or now. One whose bridge has changed has changed.
    pub devices: BTreeMap<DeviceName, Change>,
}

/// What became of each room of before or now. Which file a room stands in does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes(pub BTreeMap<RoomName, RoomChange>);

impl Changes {
    /// From `old` to `new`.
    #[must_use]
    pub fn between(old: &Rooms, new: &Rooms) -> Self {
        Self(each(Some(&old.0), Some(&new.0), RoomChange::between))
    }

    /// Whether all is as it was.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let nothing = |change: &Change| *change == Change::Unchanged;
        self.0.values().all(|room| {
            nothing(&room.room)
                && room.bridges.values().all(nothing)
                && room.devices.values().all(nothing)
        })
    }
}

impl RoomChange {
    fn between(old: Option<&Room>, new: Option<&Room>) -> Self {
        let own = |room: &Room| Room {
            bridges: BTreeMap::new(),
            devices: BTreeMap::new(),
            ..room.clone()
        };
        Self {
            room: Change::between(old.map(own).as_ref(), new.map(own).as_ref()),
            bridges: each(
                old.map(|room| &room.bridges),
                new.map(|room| &room.bridges),
                Change::between,
            ),
            devices: each(
                old.map(|room| &room.devices),
                new.map(|room| &room.devices),
                |before, now| {
                    let before = before.map(|device| (device, bridge(old, device)));
                    let now = now.map(|device| (device, bridge(new, device)));
                    Change::between(before.as_ref(), now.as_ref())
                },
            ),
        }
    }
}

impl Change {
    fn between<T: PartialEq>(old: Option<&T>, new: Option<&T>) -> Self {
        match (old, new) {
            (None, _) => Self::New,
            (_, None) => Self::Gone,
            (old, new) if old == new => Self::Unchanged,
            _ => Self::Changed,
        }
    }
}

/// What its device connects to: the kind and address of its bridge.
fn bridge<'a>(
    room: Option<&'a Room>,
    device: &Device,
) -> Option<(BridgeKind, &'a str, Option<u16>)> {
    let Connect::Bridge { name, port } = &device.connect else { return None };
    let bridge = room?.bridges.get(name)?;
    Some((bridge.kind, &bridge.host, bridge.ports.get(port).copied()))
}

/// What `change` says of each key of either map.
fn each<K: Ord + Clone, V, C>(
    old: Option<&BTreeMap<K, V>>,
    new: Option<&BTreeMap<K, V>>,
    change: impl Fn(Option<&V>, Option<&V>) -> C,
) -> BTreeMap<K, C> {
    let keys: BTreeSet<_> = old.into_iter().chain(new).flat_map(BTreeMap::keys).collect();
    let of = |key| change(old.and_then(|old| old.get(key)), new.and_then(|new| new.get(key)));
    keys.into_iter().map(|key| (key.clone(), of(key))).collect()
}

#[cfg(test)]
mod tests;
