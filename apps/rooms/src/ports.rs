//! Which port of this machine stands for which device when all of them are simulated: the one
//! agreement between who plays the devices and who speaks to them.

use std::collections::BTreeMap;
use std::fmt;

use rooms_files::{BridgeKind, Rooms};
use rooms_messages::{DeviceName, RoomName};

/// The port of each device and of each bridge that is spoken to itself. A device behind a bridge
/// is found where its bridge would be: its port speaks as the bridge does. Devices on UDP have the
/// same number, as UDP.
pub type Ports = BTreeMap<(RoomName, DeviceName), u16>;

/// Numbers from `base` on: rooms by their ids, in each its devices by their names, then those of
/// its bridges that have a port for themselves (iTach: 4998), by their names.
///
/// # Errors
/// There are more of them than ports from `base` on.
pub fn ports(rooms: &Rooms, base: u16) -> Result<Ports, TooManyPorts> {
    let mut numbers = base..=u16::MAX;
    let mut ports = Ports::new();
    for room in rooms.iter() {
        let itach = room.bridges.iter().filter(|(_, bridge)| bridge.kind == BridgeKind::Itach);
        for name in room.devices.keys().chain(itach.map(|(name, _)| name)) {
            let port = numbers.next().ok_or(TooManyPorts { base })?;
            ports.insert((room.id.clone(), name.clone()), port);
        }
    }
    Ok(ports)
}

/// There are more devices than ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPorts {
    base: u16,
}

impl fmt::Display for TooManyPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.base;
        write!(f, "there are more devices than ports from {base} to 65535: begin with a lower port")
    }
}

impl std::error::Error for TooManyPorts {}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn example() -> Rooms {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("example");
        rooms_files::read(&folder).expect("it is right").0
    }

    #[test]
    fn devices_are_numbered_by_room_and_name() {
        let rooms = example();
        let ports = ports(&rooms, 34_000).expect("there are enough");
        let numbers: Vec<_> = ports.values().copied().collect();
        let devices: usize = rooms.iter().map(|room| room.devices.len()).sum();
        assert_eq!(numbers.len(), devices);
        assert_eq!(numbers[0], 34_000);
        assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{numbers:?}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let rooms = example();
        let devices: usize = rooms.iter().map(|room| room.devices.len()).sum();
        let first = u16::MAX - u16::try_from(devices).expect("a few") + 1;
        assert!(ports(&rooms, first).is_ok());
        assert_eq!(ports(&rooms, first + 1), Err(TooManyPorts { base: first + 1 }));
    }
}
