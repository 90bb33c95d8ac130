//! What can be wished of the devices of a room, so that a panel draws that and nothing else. No IO,
//! no clock.

use std::collections::BTreeMap;

use rooms_drivers::DriverInfo;
use rooms_files::Device;
use rooms_messages::{DeviceName, DeviceVerb, Offers, PresetName, Word};

use super::parts::View;

/// Of each device that has a driver.
pub(super) fn of_room(view: &View<'_>) -> BTreeMap<DeviceName, Offers> {
    let devices = view.room.devices.iter();
    let offers = devices.filter_map(|(name, device)| {
        let mut offers = of_device(view.infos.get(name)?, device);
        offers.verbs.retain(|verb| match verb {
            DeviceVerb::Volume => view.loud() == Some(name),
            DeviceVerb::Scene => view.scenic() == Some(name),
            _ => true,
        });
        if !offers.has(DeviceVerb::Scene) {
            offers.scenes.clear();
        }
        Some((name.clone(), offers))
    });
    offers.collect()
}

fn of_device(info: &DriverInfo, device: &Device) -> Offers {
    let mut offers = Offers::default();
    for command in &info.commands {
        let words = || command.choices.iter().filter_map(|word| Word::new(word).ok());
        let verb = match command.name {
            "power" => DeviceVerb::Turn,
            "input" => {
                offers.sources.extend(words());
                DeviceVerb::Select
            }
            "blank" => DeviceVerb::Blank,
            "mute" => DeviceVerb::Mute,
            "volume" => DeviceVerb::Volume,
            "scene" => {
                offers.scenes.extend(words());
                DeviceVerb::Scene
            }
            "level" | "relay" => {
                offers.outputs.extend(words());
                DeviceVerb::Set
            }
            "move" => DeviceVerb::Move,
            "zoom" => DeviceVerb::Zoom,
            "preset" => {
                let can = |number: &u8| {
                    command.choices.is_empty() || command.choices.contains(&number.to_string())
                };
                let presets = device.presets.iter().filter(|(number, _)| can(number));
                let presets = presets.map(|(number, name)| (*number, PresetName::clean(name)));
                offers.presets.extend(presets);
                DeviceVerb::Preset
            }
            // What calls are made of.
            _ => continue,
        };
        offers.verbs.push(verb);
    }
    offers.verbs.sort_unstable();
    offers
}
