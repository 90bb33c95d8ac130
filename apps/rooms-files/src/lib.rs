//! Room files: one TOML file per room says which devices it has and how each is reached.
//!
//! [`read`] reads a folder of them and explains every mistake at once, each with its file, line,
//! key and remedy. [`Changes`] says what is different between two readings. Nothing here connects
//! to anything; what a driver's own settings look like comes from the driver.

mod across;
mod bridge;
mod connect;
mod device;
mod difference;
mod drivers;
mod mistake;
mod settings;
mod source;
mod step;

use std::collections::BTreeMap;
use std::path::Path;

use rooms_messages::{DeviceName, RoomName};

pub use bridge::{Bridge, BridgeKind};
pub use connect::{Connect, LineSettings, Parity};
pub use device::{Device, Secret};
pub use difference::{Change, Changes, RoomChange};
pub use mistake::{Mistake, Severity};
pub use step::Step;

use across::{Claim, Within};
use device::Around;
use source::{Group, Source};

/// What a device is for. The name of a device is its role, or its table has a key `role`.
pub const ROLES: &[&str] = &[
    "codec",
    "camera",
    "document-camera",
    "projector",
    "display",
    "lights",
    "screen",
    "microphone",
    "switcher",
];

/// One room, as its file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// What messages call it.
    pub id: RoomName,
    /// What other rooms' buttons call it.
    pub city: String,
    /// Which room of the city.
    pub title: String,
    /// What happens when it is called.
    pub incoming: Incoming,
    /// Who dials when it is connected with another.
    pub pairing: Pairing,
    /// What to do when it is started, in this order.
    pub start: Vec<Step>,
    /// What to do when it is stopped, in this order.
    pub stop: Vec<Step>,
    /// After how long without use it is stopped; 0 is never.
    pub idle_stop_minutes: u16,
    /// Its serial bridges by name.
    pub bridges: BTreeMap<DeviceName, Bridge>,
    /// Its devices by name.
    pub devices: BTreeMap<DeviceName, Device>,
}

/// What happens when a room is called. An open microphone that nobody expects is a privacy risk,
/// so the middle one is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Incoming {
    /// It is connected at once.
    Open,
    /// It is connected with a banner, a chime, and the microphone muted until somebody touches.
    #[default]
    Announce,
    /// Somebody has to accept it.
    Ask,
}

/// Who of two rooms dials; two rooms can only be connected if they do it the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pairing {
    /// The room that wished calls, the other takes the call.
    #[default]
    DialAnswer,
    /// Each is told about the other: encoders and decoders, matrices, analogue lines.
    Both,
}

/// All rooms, each id once, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rooms(BTreeMap<RoomName, Room>);

impl Rooms {
    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.values()
    }

    /// The room of this id.
    #[must_use]
    pub fn get(&self, id: &RoomName) -> Option<&Room> {
        self.0.get(id)
    }

    /// The room of this id, to change it.
    pub fn get_mut(&mut self, id: &RoomName) -> Option<&mut Room> {
        self.0.get_mut(id)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads every `*.toml` of a folder as a room. With the rooms come warnings.
///
/// # Errors
/// Every mistake, in the order of files and lines, warnings among them.
pub fn read(folder: &Path) -> Result<(Rooms, Vec<Mistake>), Vec<Mistake>> {
    read_with(folder, None)
}

/// A file as it would be.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Its name in the folder.
    pub name: &'a str,
    /// What would stand in it; none if it would be gone.
    pub text: Option<&'a str>,
}

/// Reads a folder as if one of its files were another. Nothing is written.
///
/// # Errors
/// As [`read`].
pub fn read_as_if(folder: &Path, draft: Draft<'_>) -> Result<(Rooms, Vec<Mistake>), Vec<Mistake>> {
    read_with(folder, Some(draft))
}

fn read_with(
    folder: &Path,
    draft: Option<Draft<'_>>,
) -> Result<(Rooms, Vec<Mistake>), Vec<Mistake>> {
    let mut found = Found::default();
    let drafted = draft.map(|draft| (folder.join(draft.name), draft.text));
    let files = files(folder).map(|mut files| {
        if let Some((file, text)) = &drafted {
            files.retain(|known| known != file);
            files.extend(text.map(|_| file.clone()));
            files.sort();
        }
        files
    });
    match files {
        Ok(files) if files.is_empty() => {
            let text = "no room file is there: each room has one, such as vienna.toml";
            found.mistakes.push(Mistake::of_file(folder, text.to_owned()));
        }
        Ok(files) => {
            for file in files {
                let text = match &drafted {
                    Some((name, Some(text))) if *name == file => Ok((*text).to_owned()),
                    _ => std::fs::read_to_string(&file),
                };
                match text {
                    Ok(text) => read_file(&file, &text, folder, &mut found),
                    Err(error) => {
                        let text = format!("can't be read: {error}");
                        found.mistakes.push(Mistake::of_file(&file, text));
                    }
                }
            }
        }
        Err(error) => {
            let text = format!("the folder of room files can't be read: {error}");
            found.mistakes.push(Mistake::of_file(folder, text));
        }
    }
    let Found { rooms, mut mistakes, claims } = found;
    mistakes.extend(across::check(&claims));
    mistakes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if mistakes.iter().any(|mistake| mistake.severity == Severity::Error) {
        return Err(mistakes);
    }
    Ok((Rooms(rooms.into_iter().map(|room| (room.id.clone(), room)).collect()), mistakes))
}

/// What reading has found so far.
#[derive(Default)]
struct Found {
    rooms: Vec<Room>,
    mistakes: Vec<Mistake>,
    claims: Vec<Claim>,
}

fn files(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(file: &Path, text: &str, folder: &Path, found: &mut Found) {
    let (document, values) = match source::parse(file, text) {
        Ok(parsed) => parsed,
        Err(mistake) => return found.mistakes.push(mistake),
    };
    let mut source = Source::new(file, text);
    let whole = Group::root(document.as_table());
    let room = read_room(&mut source, &whole, &values, folder);
    found.mistakes.extend(source.mistakes);
    found.claims.extend(source.claims);
    found.rooms.extend(room);
}

/// The room, if nothing that it is made of is wrong.
fn read_room(
    source: &mut Source<'_>,
    whole: &Group<'_>,
    values: &toml::Table,
    folder: &Path,
) -> Option<Room> {
    source.unknown(whole, &["room", "bridge", "device"], "a room file has");
    let bridges = bridge::read_all(source, whole);
    let devices = device::read_all(source, whole, &Around { bridges: &bridges, folder, values });
    check_codecs(source, whole, &devices);
    let Some(room) = source.table(whole, "room") else {
        if !whole.has("room") {
            let text = "is missing: a table [room] with id, city and title";
            source.mistake(whole, "room", text.to_owned());
        }
        return None;
    };
    const KEYS: &[&str] =
        &["id", "city", "title", "incoming", "pairing", "start", "stop", "idle_stop_minutes"];
    source.unknown(&room, KEYS, "[room] has");
    let id = source.needed(&room, "id", "what messages call it, such as \"room-a\"");
    let id = id.and_then(|id| source.right(&room, "id", RoomName::new(&id)));
    if let Some(id) = &id {
        source.claim(&room, "id", "room id", id.to_string(), Within::All);
    }
    let city = source.needed(&room, "city", "what other rooms' buttons call it");
    let title = source.needed(&room, "title", "which room of the city it is");
    let incoming =
        [("open", Incoming::Open), ("announce", Incoming::Announce), ("ask", Incoming::Ask)];
    let incoming = source.choice(&room, "incoming", &incoming).unwrap_or_default();
    let pairings = [("dial-answer", Pairing::DialAnswer), ("both", Pairing::Both)];
    let pairing = source.choice(&room, "pairing", &pairings).unwrap_or_default();
    if (incoming, pairing) == (Incoming::Ask, Pairing::Both) {
        let text = "nobody can be asked where both rooms dial, as nothing rings: \"open\" or \"announce\" is wanted";
        source.mistake(&room, "incoming", text.to_owned());
    }
    let minutes = source.number(&room, "idle_stop_minutes", 0..=1440).unwrap_or_default();
    let start = step::read_all(source, &room, "start", &devices);
    let stop = step::read_all(source, &room, "stop", &devices);
    Some(Room {
        id: id?,
        city: city?,
        title: title?,
        incoming,
        pairing,
        start,
        stop,
        idle_stop_minutes: minutes,
        bridges: all(bridges)?,
        devices: all(devices)?,
    })
}

/// A room is called through its codec: it has one.
fn check_codecs(
    source: &mut Source<'_>,
    whole: &Group<'_>,
    devices: &BTreeMap<DeviceName, Option<Device>>,
) {
    let codecs = devices
        .iter()
        .filter(|(_, device)| device.as_ref().is_some_and(|device| device.role == "codec"));
    let codecs: Vec<_> = codecs.map(|(name, _)| name.as_str()).collect();
    if codecs.len() > 1 {
        let text = format!("a room has one codec, this one {}", codecs.join(" and "));
        source.mistake(whole, "device", text);
    } else if codecs.is_empty() && devices.values().all(Option::is_some) {
        let text = "no codec: this room can't be connected with another";
        source.warning(whole, "device", text.to_owned());
    }
}

fn all<T>(read: BTreeMap<DeviceName, Option<T>>) -> Option<BTreeMap<DeviceName, T>> {
    read.into_iter().map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests;
