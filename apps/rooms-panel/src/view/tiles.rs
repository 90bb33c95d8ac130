//! The strip of controls: what a room has, and what each is doing.

use jiff::tz::TimeZone;
use rooms_messages::DeviceName;

use super::Look;
use super::words::Words;
use crate::house::{Device, Room};

/// What touching something wishes: the words of a wish without its room.
#[derive(Debug, Clone)]
pub struct Press {
    /// The words.
    pub wish: String,
}

/// One control.
#[derive(Debug)]
pub struct Tile {
    /// For the page.
    pub id: &'static str,
    /// The drawing.
    pub icon: &'static str,
    /// What it is.
    pub label: &'static str,
    /// What it is doing now.
    pub text: String,
    /// When that is over: milliseconds since 1970.
    pub until: Option<i64>,
    /// `on`, `care`, `away` or nothing.
    pub tone: &'static str,
    /// What touching it wishes.
    pub press: Option<Press>,
    /// Or the sheet that it opens.
    pub sheet: Option<&'static str>,
    /// For a switch: whether it is on.
    pub pressed: Option<bool>,
}

impl Tile {
    fn new(id: &'static str, icon: &'static str, label: &'static str, words: Words) -> Self {
        let tone = if words.shape == super::words::Shape::Bar { "away" } else { "" };
        let Words { text, until, .. } = words;
        Self { id, icon, label, text, until, tone, press: None, sheet: None, pressed: None }
    }
}

impl Look<'_> {
    /// What touching something wishes, if it can be touched.
    pub(super) fn press(&self, wish: String) -> Option<Press> {
        self.can_press().then_some(Press { wish })
    }

    pub(super) fn tiles(&self) -> Vec<Tile> {
        let Some(room) = self.known() else { return Vec::new() };
        let zone = self.catalogue().zone(self.room);
        let mut tiles = Vec::new();
        tiles.extend(self.document_camera(room, &zone));
        tiles.extend(self.camera(room, &zone));
        tiles.extend(self.lights(room, &zone));
        tiles.extend(self.projector(room, &zone));
        tiles.extend(self.screen_tile(room, &zone));
        tiles.extend(self.volume(room, &zone));
        tiles.extend(self.microphone(room, &zone));
        let is_asleep = self.is_asleep();
        let text = if is_asleep { "Is off" } else { "All off" };
        let words = Words::new(super::words::Shape::Ring, "soft", text);
        let mut stop = Tile::new("stop", "power", "Stop room", words);
        stop.sheet = (!is_asleep && self.can_press()).then_some("stop");
        tiles.push(stop);
        tiles
    }

    fn document_camera(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let (name, device) = room.of_role("document-camera")?;
        let mut words = Words::of_power(device, self.now, zone);
        let is_on = device.key("power") == Some("on");
        if words.text == "On" {
            let shared = room.of_role("codec").and_then(|(_, codec)| codec.key("share"));
            let other = self.other().filter(|_| shared == Some("on"));
            let whom = other
                .map_or("here".to_owned(), |other| format!("to {}", self.catalogue().city(other)));
            words.text = format!("On, shown {whom}");
        }
        let mut tile = Tile::new("document-camera", "document-camera", "Doc camera", words);
        tile.pressed = Some(is_on);
        if tile.tone.is_empty() {
            if is_on {
                tile.tone = "on";
            }
            let to = if is_on || device.key("wanted.power") == Some("on") { "off" } else { "on" };
            tile.press = self.press(format!("turn {name} {to}"));
        }
        Some(tile)
    }

    fn camera(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let (_, device) = room.of_role("camera")?;
        let mut words = Words::of_power(device, self.now, zone);
        if let Some(view) = view_of(device).filter(|_| words.text == "On" || words.text == "Ready")
        {
            words.text = view;
        }
        Some(self.opening(Tile::new("camera", "camera", "Camera", words), "camera"))
    }

    fn lights(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let (_, device) = room.of_role("lights")?;
        let words = Words::of_absence(device, zone).unwrap_or_else(|| lights_words(device));
        Some(self.opening(Tile::new("lights", "lights", "Lights", words), "lights"))
    }

    fn projector(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let found = ["projector", "display"].iter().find_map(|role| room.of_role(role));
        let (_, device) = found?;
        let mut words = Words::of_power(device, self.now, zone);
        if words.text == "On" {
            words.text = match (device.key("blank"), device.key("input")) {
                (Some("on"), _) => "On, picture hidden".to_owned(),
                (_, Some(input)) => format!("On, {}", source_name(input)),
                _ => words.text,
            };
        }
        let label = if device.role == "display" { "Display" } else { "Projector" };
        Some(self.opening(Tile::new("projector", "projector", label, words), "projector"))
    }

    fn screen_tile(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let (_, device) = room.of_role("screen")?;
        let words = Words::of_absence(device, zone).unwrap_or_else(|| {
            // Nobody reports where it is: what was sent is all there is to say.
            let sent = device
                .key("sent")
                .map_or("Up or down".to_owned(), |sent| format!("Sent {}", sent.replace('-', " ")));
            Words::new(super::words::Shape::Ring, "soft", sent)
        });
        Some(self.opening(Tile::new("screen", "screen", "Screen", words), "screen"))
    }

    fn volume(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let device = loud(room)?;
        let words = Words::of_absence(device, zone).unwrap_or_else(|| {
            let volume = device.key("volume").unwrap_or("Unknown");
            Words::new(super::words::Shape::Dot, "good", volume)
        });
        Some(self.opening(Tile::new("volume", "volume", "Volume", words), "volume"))
    }

    fn microphone(&self, room: &Room, zone: &TimeZone) -> Option<Tile> {
        let (name, device) = muted(room)?;
        let is_muted = device.key("mute") == Some("on");
        let words = Words::of_absence(device, zone).unwrap_or_else(|| {
            let text = if is_muted { "Muted" } else { "On" };
            Words::new(super::words::Shape::Dot, "good", text)
        });
        let icon = if is_muted { "microphone-off" } else { "microphone" };
        let mut tile = Tile::new("microphone", icon, "Microphone", words);
        tile.pressed = Some(!is_muted);
        if tile.tone.is_empty() {
            if is_muted {
                tile.tone = "care";
            }
            let to = if is_muted { "off" } else { "on" };
            tile.press = self.press(format!("mute {name} {to}"));
        }
        Some(tile)
    }

    /// A tile that opens a sheet, if there is somebody to talk to.
    fn opening(&self, tile: Tile, sheet: &'static str) -> Tile {
        let sheet = (self.can_press() && tile.tone != "away").then_some(sheet);
        Tile { sheet, ..tile }
    }
}

/// What lights are doing.
pub(super) fn lights_words(device: &Device) -> Words {
    use super::words::Shape;
    let levels = device.keys.iter().filter(|(key, _)| key.starts_with("level."));
    let brightest = levels.filter_map(|(_, level)| level.parse::<u8>().ok()).max();
    let text = match (device.key("scene"), brightest) {
        (_, Some(0)) => "Off".to_owned(),
        (Some(scene), _) if scene != "none" => capital(scene),
        (_, Some(level)) => format!("{level} %"),
        _ => "Ready".to_owned(),
    };
    let is_off = text == "Off";
    Words::new(if is_off { Shape::Ring } else { Shape::Dot }, "good", text)
}

/// The view that a camera was sent to, by its name.
pub(super) fn view_of(device: &Device) -> Option<String> {
    let preset = device.key("preset").filter(|preset| *preset != "none")?;
    let named = preset.parse().ok().and_then(|number: u8| device.offers.presets.get(&number));
    Some(match named {
        Some(name) => format!("{name} view"),
        None => format!("View {preset}"),
    })
}

/// The device whose volume a wish changes.
pub(super) fn loud(room: &Room) -> Option<&Device> {
    ["codec", "switcher", "display", "projector"].into_iter().find_map(|role| {
        let mut devices = room.devices.values().filter(|device| device.role == role);
        devices.find(|device| device.key("volume").is_some())
    })
}

/// The device whose microphones can be muted.
fn muted(room: &Room) -> Option<(&DeviceName, &Device)> {
    ["microphone", "codec"]
        .into_iter()
        .find_map(|role| room.of_role(role).filter(|(_, device)| device.key("mute").is_some()))
}

/// `hdmi1` as people write it.
pub(super) fn source_name(source: &str) -> String {
    match source.strip_prefix("hdmi") {
        Some(number) => format!("HDMI {number}").trim_end().to_owned(),
        None => capital(source),
    }
}

/// A word of a file as people write it.
pub(super) fn capital(word: &str) -> String {
    let word = word.replace(['-', '.'], " ");
    let mut letters = word.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + letters.as_str()
}

/// What people call a device.
pub(super) fn label(role: &str, name: &DeviceName) -> String {
    match role {
        "codec" => "Connection".to_owned(),
        _ => capital(name.as_str()),
    }
}
