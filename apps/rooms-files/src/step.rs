//! The steps of starting and stopping a room: `projector power=on`, `codec hangup`.

use std::collections::BTreeMap;
use std::fmt;

use rooms_messages::DeviceName;

use super::device::Device;
use super::mistake::remedy;
use super::source::{Group, Source};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which device.
    pub device: DeviceName,
    /// What it is to do: `power`, `hangup`.
    pub action: &'static str,
    /// How, if that is to be said: `on`.
    pub value: Option<String>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.device, self.action)?;
        self.value.iter().try_for_each(|value| write!(f, "={value}"))
    }
}

/// What may stand after an action.
enum Takes {
    Nothing,
    OnOff,
    Number(u8),
    /// A name in one of these settings of the device.
    NameIn(&'static [&'static str]),
}

/// Action, what it takes, and the roles that it is for; none for all.
const ACTIONS: &[(&str, Takes, &[&str])] = &[
    ("power", Takes::OnOff, &[]),
    ("input", Takes::NameIn(&["inputs"]), &["projector", "display", "switcher"]),
    ("blank", Takes::OnOff, &["projector", "display", "switcher"]),
    ("mute", Takes::OnOff, &["codec", "microphone", "projector", "display", "switcher"]),
    ("volume", Takes::Number(100), &["codec", "projector", "display", "switcher"]),
    ("preset", Takes::Number(255), &["camera", "document-camera", "codec", "switcher"]),
    ("scene", Takes::NameIn(&["scenes", "area_scenes"]), &["lights"]),
    ("share", Takes::OnOff, &["codec"]),
    ("hangup", Takes::Nothing, &["codec"]),
];

/// The steps under `key`.
pub(super) fn read_all(
    source: &mut Source<'_>,
    room: &Group<'_>,
    key: &str,
    devices: &BTreeMap<DeviceName, Option<Device>>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (text, line) in source.texts(room, key) {
        match parse(&text, devices) {
            Ok(step) => steps.push(step),
            Err(wrong) => source.mistake_at(room, key, line, format!("{text:?}: {wrong}")),
        }
    }
    steps
}

fn parse(text: &str, devices: &BTreeMap<DeviceName, Option<Device>>) -> Result<Step, String> {
    let words = text.split_once(' ').filter(|(_, what)| !what.contains(' '));
    let (name, what) = words.ok_or(
        "a device and what it is to do are wanted, such as \"projector power=on\" or \"codec hangup\"",
    )?;
    let name = DeviceName::new(name).map_err(|error| error.to_string())?;
    let Some(device) = devices.get(&name) else {
        let names =
            remedy(name.as_str(), devices.keys().map(DeviceName::as_str), "the devices are");
        return Err(format!("there is no device {name}; {names}"));
    };
    let (action, value) = match what.split_once('=') {
        Some((action, value)) => (action, Some(value)),
        None => (what, None),
    };
    let for_role = |roles: &[&str]| {
        roles.is_empty() || device.as_ref().is_none_or(|device| roles.contains(&device.role))
    };
    let known = ACTIONS.iter().filter(|(_, _, roles)| for_role(roles));
    let Some((action, takes, _)) = known.clone().find(|(known, ..)| *known == action) else {
        let known = remedy(action, known.map(|(known, ..)| *known), "it can");
        return Err(format!("{name} can't {action:?}; {known}"));
    };
    check(action, takes, value, &name, device.as_ref())?;
    Ok(Step { device: name, action, value: value.map(str::to_owned) })
}

fn check(
    action: &str,
    takes: &Takes,
    value: Option<&str>,
    name: &DeviceName,
    device: Option<&Device>,
) -> Result<(), String> {
    match (takes, value) {
        (Takes::Nothing, None) | (Takes::OnOff, Some("on" | "off")) => Ok(()),
        (Takes::Nothing, Some(_)) => Err(format!("nothing stands after {action}")),
        (Takes::OnOff, _) => Err(format!("{action}=on or {action}=off is wanted")),
        (Takes::Number(most), value) => {
            let digits = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
            match digits.and_then(|value| value.parse::<u8>().ok()) {
                Some(number) if number <= *most => Ok(()),
                _ => Err(format!("{action}=NUMBER from 0 to {most} is wanted")),
            }
        }
        (Takes::NameIn(_), None | Some("")) => Err(format!("{action}=NAME is wanted")),
        (Takes::NameIn(settings), Some(value)) => {
            // A described device has its names in its description.
            let Some(device) = device.filter(|device| device.description.is_none()) else {
                return Ok(());
            };
            let tables = settings.iter().filter_map(|key| device.settings.get(*key)?.as_table());
            let names: Vec<_> = tables.flatten().map(|(name, _)| name.as_str()).collect();
            if names.contains(&value) {
                return Ok(());
            }
            let remedy = remedy(value, names.into_iter(), "it has");
            Err(format!("device.{name}.{} has no {value:?}; {remedy}", settings[0]))
        }
    }
}
