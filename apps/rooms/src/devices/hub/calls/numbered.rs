//! What the links have to know of a room that can be called.

use std::time::Duration;

use rooms_files::{Incoming, Pairing, Room};
use rooms_links::RoomConfig;
use rooms_messages::RoomName;

/// What the links know of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    name: RoomName,
    city: String,
    dial: String,
    appears_as: Vec<String>,
    incoming: Incoming,
    pairing: Pairing,
    wake: u16,
}

impl Numbered {
    /// None of a room that can't be called.
    pub(super) fn of(room: &Room) -> Option<Numbered> {
        let codec = room.devices.values().find(|device| device.role == "codec")?;
        Some(Numbered {
            name: room.id.clone(),
            city: room.city.clone(),
            dial: codec.dial.clone()?,
            appears_as: codec.number_match.clone(),
            incoming: room.incoming,
            pairing: room.pairing,
            wake: codec.wake_seconds.unwrap_or_default(),
        })
    }

    pub(super) fn config(&self) -> RoomConfig {
        let mut config = RoomConfig::new(self.name.as_str(), &self.city, &self.dial);
        config.appears_as = self.appears_as.iter().map(|number| number.as_str().into()).collect();
        config.incoming = match self.incoming {
            Incoming::Open => rooms_links::Incoming::Open,
            Incoming::Announce => rooms_links::Incoming::Announce,
            Incoming::Ask => rooms_links::Incoming::Ask,
        };
        config.pairing = match self.pairing {
            Pairing::DialAnswer => rooms_links::Pairing::DialAnswer,
            Pairing::Both => rooms_links::Pairing::Both,
        };
        config.timers.wake = Duration::from_secs(u64::from(self.wake));
        config
    }
}
