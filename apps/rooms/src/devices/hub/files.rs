//! The room files: what is new gets sessions, what is gone loses them, what is as before goes on.

use rooms_files::{Bridge, BridgeKind, Change, Changes, Room, Rooms};
use rooms_messages::{AlertLevel, DeviceName, OfflineReason, Reason, RoomName, Word};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Device, Hub, ORDERS_MAX, driver};
use crate::devices::offers;
use crate::devices::parts::Refused;
use crate::devices::session::{Session, SessionId};
use crate::ports::{Ports, TooManyPorts, ports};
use crate::transport::Address;

/// Where an iTach takes orders for itself.
const ITACH_PORT: u16 = 4998;

impl Hub {
    /// Reads the files again. What is wrong with them changes nothing.
    pub(crate) fn reload(&mut self) -> Result<(), Refused> {
        let refused = |text: String| Refused::new(Reason::BadWish, text);
        match rooms_files::read(&self.folder) {
            Ok((rooms, warnings)) => {
                warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                self.is_reloaded = true;
                self.apply(rooms).map_err(|error| refused(error.to_string()))
            }
            Err(mistakes) => {
                mistakes.iter().for_each(|mistake| tracing::error!("not reloaded: {mistake}"));
                let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
                Err(refused(match mistakes.len() {
                    0 | 1 => first,
                    count => format!("{first} (and {} more: see `rooms check`)", count - 1),
                }))
            }
        }
    }

    /// Whether the files were read again since the last time.
    pub(crate) fn take_reloaded(&mut self) -> bool {
        std::mem::take(&mut self.is_reloaded)
    }

    /// Makes the rooms be as these are. A room in a call keeps its codec until the call is over.
    pub(super) fn apply(&mut self, latest: Rooms) -> Result<(), TooManyPorts> {
        let mut rooms = latest.clone();
        let busy: Vec<_> = self.calls.busy_rooms().cloned().collect();
        for id in busy {
            let Some(old) = self.rooms.get(&id) else { continue };
            let codec = old.devices.iter().find(|(_, device)| device.role == "codec");
            if let (Some((name, codec)), Some(room)) = (codec, rooms.get_mut(&id)) {
                room.incoming = old.incoming;
                room.devices.retain(|_, device| device.role != "codec");
                room.devices.insert(name.clone(), codec.clone());
                room.bridges.extend(
                    Self::bridge_of(&codec.connect)
                        .and_then(|name| Some((name.clone(), old.bridges.get(&name)?.clone()))),
                );
            }
        }
        let new_ports = self.simulated.map(|base| ports(&rooms, base)).transpose()?;
        let old_ports = self.simulated.and_then(|base| ports(&self.rooms, base).ok());
        let changes = Changes::between(&self.rooms, &rooms);
        let old = std::mem::replace(&mut self.rooms, rooms);
        self.latest = latest;
        for (id, change) in changes.0 {
            let now = self.rooms.get(&id).cloned();
            let itach = change.bridges.keys().filter(|name| {
                let is_itach = |room: &Room| {
                    room.bridges.get(*name).is_some_and(|bridge| bridge.kind == BridgeKind::Itach)
                };
                now.as_ref().is_some_and(is_itach) || old.get(&id).is_some_and(is_itach)
            });
            let other_incoming =
                old.get(&id).map(|room| room.incoming) != now.as_ref().map(|room| room.incoming);
            let any_device = change.devices.values().any(|change| *change != Change::Unchanged);
            let itach: Vec<_> = itach
                .map(|name| (name.clone(), any_device || change.bridges[name] != Change::Unchanged))
                .collect();
            let devices = change.devices.iter().map(|(name, change)| {
                let codec = now.as_ref().and_then(|room| room.devices.get(name));
                let is_codec = codec.is_some_and(|device| device.role == "codec");
                let anew = *change != Change::Unchanged || is_codec && other_incoming;
                (name.clone(), anew)
            });
            for (name, anew) in devices.chain(itach).collect::<Vec<_>>() {
                let key = (id.clone(), name);
                let port =
                    |ports: &Option<Ports>| ports.as_ref().and_then(|p| p.get(&key).copied());
                if anew || port(&old_ports) != port(&new_ports) {
                    self.end_session(&key.0, &key.1);
                    if let Some(room) = &now {
                        self.start_session(room, &key.1, port(&new_ports));
                    }
                }
            }
            for (name, change) in &change.bridges {
                if *change == Change::Gone {
                    self.board.forget_device(&id, name);
                    self.forget_alerts(&id, name);
                }
            }
            if let Some(view) = self.view(&id) {
                let offers = offers::of_room(&view);
                self.board.offers(&id, offers);
            }
            match change.room {
                Change::Gone => {
                    self.infos.remove(&id);
                    self.sequences.forget(&id);
                    self.maintenance.remove(&id);
                    self.board.forget_room(&id);
                }
                Change::New | Change::Changed => self.touched(&id, Instant::now()),
                Change::Unchanged => {}
            }
        }
        self.calls_apply();
        Ok(())
    }

    /// Whether a room still has what was read anew since: after its call it gets it.
    pub(super) fn apply_what_waits(&mut self) {
        if self.rooms != self.latest
            && let Err(error) = self.apply(self.latest.clone())
        {
            tracing::error!("{error}");
        }
    }

    fn start_session(&mut self, room: &Room, name: &DeviceName, port: Option<u16>) {
        let (driver, address, bridge, role) = match room.devices.get(name) {
            Some(device) => {
                let role = (name.as_str() != device.role).then(|| Word::new(device.role).ok());
                let driver = driver::of_device(room, device);
                let address = Address::of(room, device);
                (driver, address, Self::bridge_of(&device.connect), role.flatten())
            }
            None => {
                let itach = |bridge: &&Bridge| bridge.kind == BridgeKind::Itach;
                let Some(bridge) = room.bridges.get(name).filter(itach) else { return };
                let Some(driver) = driver::of_itach(room, name.as_str()) else { return };
                let address = Address::Tcp { host: bridge.host.clone(), port: ITACH_PORT };
                (driver, Some(address), None, Word::new("bridge").ok())
            }
        };
        self.next_session += 1;
        let session = SessionId(self.next_session);
        let mut device = Device {
            session,
            orders: None,
            bridge,
            role,
            is_online: None,
            is_open: None,
            moving: std::collections::BTreeMap::new(),
        };
        let built = driver.and_then(|driver| Ok((driver, address.ok_or("it has no address")?)));
        let (driver, address) = match built {
            Ok(built) => built,
            Err(error) => {
                device.is_online = Some(false);
                let role = device.role.clone();
                self.devices.insert((room.id.clone(), name.clone()), device);
                return self.has_no_driver(&room.id, name, role, &error);
            }
        };
        let address = match port {
            Some(port) => address.on_loopback(port),
            None => address,
        };
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        device.orders = Some(orders);
        self.sessions.insert(session, (room.id.clone(), name.clone()));
        self.devices.insert((room.id.clone(), name.clone()), device);
        let infos = self.infos.entry(room.id.clone()).or_default();
        infos.insert(name.clone(), driver.info().clone());
        let of = (room.id.clone(), name.clone());
        let (news, frames) = (self.news.clone(), self.frames.clone());
        Session::start(session, of, address, driver, receiver, news, frames);
    }

    fn has_no_driver(
        &mut self,
        room: &RoomName,
        name: &DeviceName,
        role: Option<Word>,
        error: &str,
    ) {
        tracing::error!("{room} {name}: {error}");
        self.say_offline(room, name, OfflineReason::Config, role);
        self.alert(room, name, "offline", Some((AlertLevel::Error, error)));
    }

    fn end_session(&mut self, room: &RoomName, name: &DeviceName) {
        let Some(device) = self.devices.remove(&(room.clone(), name.clone())) else { return };
        self.sessions.remove(&device.session);
        if let Some(infos) = self.infos.get_mut(room) {
            infos.remove(name);
        }
        let text = format!("{name} is set up anew");
        let why = Refused::new(Reason::Offline, text);
        let outcome = self.work.cancel(|_, of, device| of == room && device == name, &why);
        self.settle(outcome, Instant::now());
        self.codec_offline(room, name, OfflineReason::Config);
        self.board.forget_device(room, name);
        self.forget_alerts(room, name);
    }
}
