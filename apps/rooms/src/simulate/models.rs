//! Which device is played by what: one file per protocol.

mod cisco;
mod extron;
mod itach;
mod lumens;
mod lutron;
mod pjlink;
mod polycom;
mod text;
mod visca;

use rooms_files::{Bridge, Device};

use super::calls::{CallNews, Stage};
use super::model::{Model, state};

/// What can be pressed at a codec, or at its remote control.
const CODEC_BUTTONS: [&str; 5] = ["answer", "hangup", "mute", "share", "dial:NUMBER"];

/// A model of a device as the room file has it.
///
/// # Errors
/// Nothing here can play it; says why.
pub(super) fn build(room: &str, device: &Device) -> Result<Box<dyn Model>, String> {
    Ok(match device.driver.as_str() {
        "pjlink" => Box::new(pjlink::PjLink::new(device)),
        "visca-serial" | "visca-ip" => Box::new(visca::Visca::new(device)),
        "lumens-dc" => Box::new(lumens::Lumens::new()),
        "polycom-group" => Box::new(polycom::Polycom::new(room, device)),
        "cisco-xapi" => Box::new(cisco::Cisco::new(device)),
        "lutron" => Box::new(lutron::Lutron::new(device)),
        "itach-relay" => Box::new(itach::ITach::with_relays(device)),
        "extron-sis" => Box::new(extron::Extron::new(device)),
        driver => match &device.description {
            Some(description) => {
                let played = text::Text::new(description.clone());
                Box::new(played.ok_or_else(|| {
                    format!("{driver} does not say how the device behaves: add [simulate]")
                })?)
            }
            None => return Err(format!("the driver {driver} has no simulated device")),
        },
    })
}

/// The serial settings of an iTach box that stands between rooms and devices.
pub(super) fn bridge(bridge: &Bridge) -> Box<dyn Model> {
    Box::new(itach::ITach::with_serial(bridge))
}

/// Calls as states, for those who look at a codec.
fn call_states<'a>(
    calls: impl Iterator<Item = &'a CallNews>,
) -> impl Iterator<Item = (String, String)> {
    calls.map(|call| {
        let stage = match call.stage {
            Stage::Dialing => "dialing",
            Stage::Ringing => "ringing",
            Stage::Connected => "connected",
            Stage::Ended { .. } => "ended",
        };
        state(format!("call.{}", call.id), format!("{stage}:{}", call.far))
    })
}
