//! The driver of a device, as its room wants it.

use rooms_drivers::{Driver, DriverEntry};
use rooms_files::{Connect, Device, Incoming, Room};
use toml::{Table, Value};

/// Builds the driver of a device.
///
/// # Errors
/// What is wrong with its settings.
pub(super) fn of_device(room: &Room, device: &Device) -> Result<Box<dyn Driver>, String> {
    let mut settings = device.driver_settings();
    if device.role == "codec" && !settings.contains_key("auto_answer") {
        settings.extend(auto_answer(&device.driver, room.incoming));
    }
    let Some(description) = &device.description else {
        return rooms_drivers::build(&device.driver, &settings).map_err(|error| error.to_string());
    };
    DriverEntry::described(description.clone()).build(&settings).map_err(|errors| lines(&errors))
}

/// Builds the driver of an iTach bridge, which sets its lines as the devices behind them want it.
/// None if none of them says how its line is set.
pub(super) fn of_itach(room: &Room, bridge: &str) -> Option<Result<Box<dyn Driver>, String>> {
    let mut lines = Table::new();
    for device in room.devices.values() {
        if let (Connect::Bridge { name, port }, Some(line)) = (&device.connect, device.line)
            && name.as_str() == bridge
        {
            lines.insert(port.clone(), Value::String(line.to_string()));
        }
    }
    if lines.is_empty() {
        return None;
    }
    let settings = Table::from_iter([("lines".to_owned(), Value::Table(lines))]);
    let driver = rooms_drivers::build("itach-serial", &settings);
    Some(driver.map_err(|error| error.to_string()))
}

/// A codec answers by itself unless somebody is to be asked.
fn auto_answer(driver: &str, incoming: Incoming) -> Option<(String, Value)> {
    let value = match (driver, incoming) {
        ("polycom-group", incoming) => Value::Boolean(incoming != Incoming::Ask),
        ("cisco-xapi", Incoming::Ask) => Value::String("off".to_owned()),
        ("cisco-xapi", Incoming::Announce) => Value::String("mute".to_owned()),
        ("cisco-xapi", Incoming::Open) => Value::String("on".to_owned()),
        _ => return None,
    };
    Some(("auto_answer".to_owned(), value))
}

fn lines(errors: &[impl ToString]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
