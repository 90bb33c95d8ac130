//! What a wish, or a step of a room's start or stop, wants of which device. No IO, no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use rooms_drivers::vocabulary::{Kind, switch};
use rooms_drivers::{Command, DriverInfo, Heading, Move, PresetAction, RelayAction, Volume, Zoom};
use rooms_files::{Room, Step};
use rooms_messages::{
    self as messages, DeviceName, Direction, Keys, Reason, RoomName, Switch, Wish, Word, ZoomTo,
};

use super::board::Board;

/// One command for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) device: DeviceName,
    pub(super) command: Command,
    /// The state by which the device says that it is so: key and value.
    pub(super) target: Option<(String, String)>,
    /// How long that may take once the device has accepted it.
    pub(super) patience: Duration,
}

/// Why it can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: Reason,
    pub(super) text: String,
    /// The room with which somebody is busy.
    pub(super) with: Option<RoomName>,
}

impl Refused {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Refused {
        Refused { reason, text: text.into(), with: None }
    }
}

/// A room as its devices say it is.
pub(super) struct View<'a> {
    pub(super) room: &'a Room,
    /// Of the devices that have a driver.
    pub(super) infos: &'a BTreeMap<DeviceName, DriverInfo>,
    pub(super) board: &'a Board,
    pub(super) in_call: bool,
}

type Parts = Result<Vec<Part>, Refused>;

/// Those of a wish that is one for devices; none where it is another.
pub(super) fn of_wish(view: &View<'_>, wish: &Wish) -> Option<Parts> {
    Some(match wish {
        Wish::Turn { device, to, .. } => view.turn(device, *to),
        Wish::Set { device, keys, .. } => view.set(device, keys),
        Wish::Scene { scene, .. } => view.scene(scene),
        Wish::Select { device, source, .. } => view.one(device, Command::Input(source.to_string())),
        Wish::Blank { device, to, .. } => view.switched(device, "blank", *to, Command::Blank),
        Wish::Mute { device, to, .. } => view.switched(device, "mute", *to, Command::Mute),
        Wish::Volume { volume, .. } => view.volume(*volume),
        Wish::Move { device, to, speed, .. } => {
            let speed = speed.map_or(50, |speed| speed.get().max(1));
            let heading = Heading::parse(to.word());
            let stop = *to == Direction::Stop;
            let to = heading.filter(|_| !stop).map(|heading| Move::Toward(heading, speed));
            view.one(device, Command::Move(to.unwrap_or(Move::Stop)))
        }
        Wish::Zoom { device, to, .. } => {
            let to = match to {
                ZoomTo::In => Zoom::In,
                ZoomTo::Out => Zoom::Out,
                ZoomTo::Stop => Zoom::Stop,
            };
            view.one(device, Command::Zoom(to))
        }
        Wish::Preset { device, action, number, .. } => {
            let action = match action {
                messages::PresetAction::Recall => PresetAction::Recall,
                messages::PresetAction::Save => PresetAction::Save,
            };
            view.one(device, Command::Preset(action, *number))
        }
        _ => return None,
    })
}

/// Those of a step.
pub(super) fn of_step(view: &View<'_>, step: &Step) -> Parts {
    let value = step.value.as_deref().unwrap_or_default();
    let on = value == "on";
    let number = value.parse().unwrap_or_default();
    let command = match step.action {
        "power" => {
            return view.turn(&step.device, if on { Switch::On } else { Switch::Off });
        }
        "input" => Command::Input(value.to_owned()),
        "blank" => Command::Blank(on),
        "mute" => Command::Mute(on),
        "volume" => Command::Volume(Volume::To(number)),
        "preset" => Command::Preset(PresetAction::Recall, number),
        "scene" => Command::Scene(value.to_owned()),
        "share" => Command::Share(on),
        "hangup" => Command::Hangup(None),
        other => {
            let text = format!("{other} is no step that a device can do");
            return Err(Refused::new(Reason::Unsupported, text));
        }
    };
    view.one(&step.device, command)
}

impl View<'_> {
    fn one(&self, device: &DeviceName, command: Command) -> Parts {
        Ok(vec![self.part(device, command)?])
    }

    /// On or off; a document camera that its file routes somewhere is shown there, too, and a screen
    /// follows its projector.
    fn turn(&self, device: &DeviceName, to: Switch) -> Parts {
        let is_on = || match self.state(device, "power") {
            Some(power) => matches!(power, "on" | "warming"),
            // Lights have no power of their own.
            None => self
                .board
                .states(&self.room.id, device)
                .any(|(key, value)| key.starts_with("level.") && value != "0"),
        };
        let on = to == Switch::On || to == Switch::Toggle && !is_on();
        let mut parts = self.one(device, Command::Power(on))?;
        let route = self.room.devices.get(device).and_then(|device| device.routes_to.as_ref());
        if let Some((shown_by, source)) = route {
            let is_codec = self.kind(shown_by) == Some(Kind::Codec);
            let shown = if is_codec && self.in_call {
                self.part(shown_by, Command::Share(on)).ok()
            } else if !is_codec && on && self.state(shown_by, "power").is_none_or(|p| p == "on") {
                self.part(shown_by, Command::Input(source.clone())).ok()
            } else {
                None
            };
            parts.extend(shown);
        }
        if self.kind(&parts[0].device) == Some(Kind::Projector) {
            parts.extend(self.screen(on));
        }
        Ok(parts)
    }

    /// The screen follows the projector: down when it goes on, up when it goes off.
    fn screen(&self, down: bool) -> Option<Part> {
        let (name, _) = self.room.devices.iter().find(|(_, device)| device.role == "screen")?;
        if self.board.offline_reason(&self.room.id, name).is_some() {
            return None;
        }
        let relay = if down { "down" } else { "up" };
        self.part(name, Command::Relay(relay.to_owned(), RelayAction::Pulse)).ok()
    }

    fn switched(
        &self,
        device: &DeviceName,
        key: &str,
        to: Switch,
        command: fn(bool) -> Command,
    ) -> Parts {
        let device = self.stands_for(device)?;
        let is_on = self.state(&device, key) == Some("on");
        self.one(&device, command(to == Switch::On || to == Switch::Toggle && !is_on))
    }

    fn set(&self, device: &DeviceName, keys: &Keys) -> Parts {
        let kind = self.kind(&self.stands_for(device)?);
        let parts = keys.iter().map(|(key, value)| {
            let (key, value) = (key.as_str(), value.as_str());
            let wrong = |what: &str| {
                Refused::new(Reason::BadWish, format!("{key}={value}: {what} is wanted"))
            };
            let command = match kind {
                Some(Kind::Screen) => {
                    let action = match value {
                        "on" => RelayAction::On,
                        "off" => RelayAction::Off,
                        "pulse" => RelayAction::Pulse,
                        _ => return Err(wrong("on, off or pulse")),
                    };
                    Command::Relay(key.to_owned(), action)
                }
                Some(Kind::Lights) => {
                    let percent = value.parse().ok().filter(|percent| *percent <= 100);
                    let percent = percent.ok_or_else(|| wrong("a whole number from 0 to 100"))?;
                    Command::Level { zone: key.to_owned(), percent }
                }
                _ => {
                    let text = "only lights and screens are set; `turn`, `select`, `blank`, `mute` and `volume` are for the others";
                    return Err(Refused::new(Reason::Unsupported, text));
                }
            };
            self.part(device, command)
        });
        parts.collect()
    }

    fn volume(&self, volume: messages::Volume) -> Parts {
        let signed = |percent: messages::Percent| i8::try_from(percent.get()).unwrap_or(i8::MAX);
        let volume = match volume {
            messages::Volume::To(percent) => Volume::To(percent.get()),
            messages::Volume::Up(percent) => Volume::By(signed(percent)),
            messages::Volume::Down(percent) => Volume::By(-signed(percent)),
        };
        match self.loud() {
            Some(device) => self.one(device, Command::Volume(volume)),
            None => Err(Refused::new(
                Reason::Unsupported,
                format!("no device of {} can be made louder", self.room.id),
            )),
        }
    }

    /// The device that makes the room louder.
    pub(super) fn loud(&self) -> Option<&DeviceName> {
        ["codec", "switcher", "display", "projector"].into_iter().find_map(|role| {
            let mut devices = self.devices_of(role);
            devices.find(|device| self.can(device, "volume"))
        })
    }

    /// The device that has the room's scenes.
    pub(super) fn scenic(&self) -> Option<&DeviceName> {
        self.devices_of("lights").find(|device| self.can(device, "scene"))
    }

    fn scene(&self, scene: &Word) -> Parts {
        match self.scenic() {
            Some(device) => self.one(device, Command::Scene(scene.to_string())),
            None => {
                let text = format!("{} has no lights with a scene", self.room.id);
                Err(Refused::new(Reason::UnknownDevice, text))
            }
        }
    }

    fn devices_of(&self, role: &str) -> impl Iterator<Item = &DeviceName> {
        let of_role = self.room.devices.iter().filter(move |(_, device)| device.role == role);
        of_role.map(|(name, _)| name)
    }

    fn can(&self, device: &DeviceName, command: &str) -> bool {
        self.infos.get(device).is_some_and(|info| info.command(command).is_some())
    }

    fn kind(&self, device: &DeviceName) -> Option<Kind> {
        self.infos.get(device).map(|info| info.kind)
    }

    fn state(&self, device: &DeviceName, key: &str) -> Option<&str> {
        let wanted = self.board.state(&self.room.id, device, &format!("wanted.{key}"));
        wanted.or_else(|| self.board.state(&self.room.id, device, key))
    }

    /// The device of that name. Microphones are the codec's, unless the room has some of its own.
    fn stands_for(&self, device: &DeviceName) -> Result<DeviceName, Refused> {
        if self.room.devices.contains_key(device) {
            return Ok(device.clone());
        }
        if device.as_str() == "microphone"
            && let Some(codec) = self.devices_of("codec").next()
        {
            return Ok(codec.clone());
        }
        let names: Vec<_> = self.room.devices.keys().map(DeviceName::as_str).collect();
        let text = format!("{} has no {device}; it has {}", self.room.id, names.join(", "));
        Err(Refused::new(Reason::UnknownDevice, text))
    }

    fn part(&self, device: &DeviceName, command: Command) -> Result<Part, Refused> {
        let device = self.stands_for(device)?;
        let Some(info) = self.infos.get(&device) else {
            let text = format!("{device} of {} has no driver: see the log", self.room.id);
            return Err(Refused::new(Reason::Offline, text));
        };
        let Some(known) = info.command(command.name()) else {
            let can: Vec<_> = info.commands.iter().map(|command| command.name).collect();
            let text = format!("{device} can't {}; it can {}", command.name(), can.join(", "));
            return Err(Refused::new(Reason::Unsupported, text));
        };
        if let Some(choice) = choice(&command)
            && !known.choices.is_empty()
            && !known.choices.contains(&choice)
        {
            let text = format!(
                "{device} has no {} {choice}; it has {}",
                known.name,
                known.choices.join(", ")
            );
            return Err(Refused::new(Reason::Unsupported, text));
        }
        let target = target(&command).filter(|(key, _)| {
            info.keys.iter().any(|known| match known.strip_suffix('*') {
                Some(prefix) => key.starts_with(prefix),
                None => known == key,
            })
        });
        let seconds = match command {
            Command::Power(_) => {
                let device = self.room.devices.get(&device);
                let warm = device.and_then(|device| device.warm_seconds).unwrap_or_default();
                let cool = device.and_then(|device| device.cool_seconds).unwrap_or_default();
                120 + u64::from(warm.max(cool))
            }
            // The longest fade of a driver, and some.
            Command::Level { .. } | Command::Scene(_) => 70,
            _ => 15,
        };
        Ok(Part { device, command, target, patience: Duration::from_secs(seconds) })
    }
}

/// The argument that has to be one of the device's own words.
fn choice(command: &Command) -> Option<String> {
    match command {
        Command::Input(word) | Command::Scene(word) | Command::Relay(word, _) => Some(word.clone()),
        Command::Level { zone, .. } => Some(zone.clone()),
        Command::Preset(_, number) => Some(number.to_string()),
        _ => None,
    }
}

fn target(command: &Command) -> Option<(String, String)> {
    let (key, value) = match command {
        Command::Power(on) => ("power".to_owned(), switch(*on).to_owned()),
        Command::Blank(on) => ("blank".to_owned(), switch(*on).to_owned()),
        Command::Mute(on) => ("mute".to_owned(), switch(*on).to_owned()),
        Command::Share(on) => ("share".to_owned(), switch(*on).to_owned()),
        Command::Input(input) => ("input".to_owned(), input.clone()),
        Command::Scene(scene) => ("scene".to_owned(), scene.clone()),
        Command::Volume(Volume::To(percent)) => ("volume".to_owned(), percent.to_string()),
        Command::Level { zone, percent } => (format!("level.{zone}"), percent.to_string()),
        Command::Relay(relay, RelayAction::On) => (format!("relay.{relay}"), "on".to_owned()),
        Command::Relay(relay, RelayAction::Off) => (format!("relay.{relay}"), "off".to_owned()),
        _ => return None,
    };
    Some((key, value))
}

/// Whether a report is what was wanted. Devices count in steps of their own, so that 45 percent
/// comes back as 44.
pub(super) fn is_met(wanted: &str, reported: &str) -> bool {
    match (wanted.parse::<i32>(), reported.parse::<i32>()) {
        (Ok(wanted), Ok(reported)) => (wanted - reported).abs() <= 2,
        _ => wanted == reported,
    }
}

#[cfg(test)]
mod tests;
