//! One thing with all that can be done about it: a camera, the lights, help, stopping the room.

use rooms_messages::DeviceName;

use super::Look;
use super::tiles::{Press, capital, loud, source_name};
use super::words::Words;
use crate::house::{Device, Room};

/// What a sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Move it, zoom, remembered views.
    Camera,
    /// Scenes and levels.
    Lights,
    /// Power, source, picture.
    Projector,
    /// Up and down.
    Screen,
    /// Louder and quieter.
    Volume,
    /// Call a person.
    Help,
    /// Switch everything off.
    Stop,
}

/// A sheet.
#[derive(Debug)]
pub struct Sheet {
    /// What it is about.
    pub kind: Kind,
    /// Its heading.
    pub title: &'static str,
    /// What the thing is doing now.
    pub words: Words,
    /// What moves while it is held: name, word, wish, and the wish that ends it.
    pub holds: Vec<Hold>,
    /// Groups of buttons, each with its heading.
    pub groups: Vec<(&'static str, Vec<Choice>)>,
    /// What is set by a number.
    pub levels: Vec<Level>,
    /// For [`Kind::Help`]: where to phone.
    pub phone: String,
    /// For [`Kind::Stop`]: who is in the call that would end.
    pub in_call_with: Option<String>,
}

/// A button that acts while it is held.
#[derive(Debug)]
pub struct Hold {
    /// For the page.
    pub class: &'static str,
    /// What it says.
    pub word: &'static str,
    /// What it wishes again and again.
    pub press: Option<Press>,
    /// What letting go wishes.
    pub release: String,
}

/// A button, one of several.
#[derive(Debug)]
pub struct Choice {
    /// What it says.
    pub word: String,
    /// What it wishes.
    pub press: Option<Press>,
    /// Whether it is so.
    pub is_so: bool,
}

/// A number from 0 to 100.
#[derive(Debug)]
pub struct Level {
    /// What it is of.
    pub word: String,
    /// For the page.
    pub id: String,
    /// What it is.
    pub value: u8,
    /// The wish, to which the number is appended.
    pub press: Option<Press>,
}

impl Kind {
    /// Its word in an address.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Lights => "lights",
            Self::Projector => "projector",
            Self::Screen => "screen",
            Self::Volume => "volume",
            Self::Help => "help",
            Self::Stop => "stop",
        }
    }

    const ALL: [Self; 7] = [
        Self::Camera,
        Self::Lights,
        Self::Projector,
        Self::Screen,
        Self::Volume,
        Self::Help,
        Self::Stop,
    ];
}

impl Sheet {
    /// The kind that a word of the address names.
    #[must_use]
    pub fn named(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    fn new(kind: Kind, title: &'static str, words: Words) -> Self {
        Self {
            kind,
            title,
            words,
            holds: Vec::new(),
            groups: Vec::new(),
            levels: Vec::new(),
            phone: String::new(),
            in_call_with: None,
        }
    }
}

impl Look<'_> {
    /// None if the room has no such thing.
    pub(super) fn sheet(&self, kind: Kind) -> Option<Sheet> {
        let room = self.known()?;
        let zone = self.catalogue().zone(self.room);
        let power = |device: &Device| Words::of_power(device, self.now, &zone);
        let plain = |text: &str| Words::new(super::words::Shape::Dot, "good", text);
        match kind {
            Kind::Camera => {
                let (name, device) = room.of_role("camera")?;
                let mut words = power(device);
                words.text = super::tiles::view_of(device).unwrap_or(words.text);
                Some(self.camera_sheet(Sheet::new(kind, "Camera", words), name, device))
            }
            Kind::Lights => {
                let (name, device) = room.of_role("lights")?;
                let absent = Words::of_absence(device, &zone);
                let words = absent.unwrap_or_else(|| super::tiles::lights_words(device));
                Some(self.lights_sheet(Sheet::new(kind, "Lights", words), name, device))
            }
            Kind::Projector => {
                let (name, device) =
                    ["projector", "display"].iter().find_map(|role| room.of_role(role))?;
                let title = if device.role == "display" { "Display" } else { "Projector" };
                Some(self.projector_sheet(Sheet::new(kind, title, power(device)), name, device))
            }
            Kind::Screen => Some(self.screen_sheet(room, plain("Goes up and down"))?),
            Kind::Volume => {
                let device = loud(room)?;
                let value = device.key("volume").and_then(|v| v.parse().ok()).unwrap_or(0);
                let mut sheet = Sheet::new(kind, "Volume", plain(&format!("{value} of 100")));
                let press = self.press("volume ".to_owned());
                let (word, id) = ("Volume".to_owned(), "level-volume".to_owned());
                sheet.levels.push(Level { word, id, value, press });
                let by = |word: &str, wish: &str| self.choice(word, wish.to_owned(), false);
                let steps = vec![by("Quieter", "volume -5"), by("Louder", "volume +5")];
                sheet.groups.push(("Step by step", steps));
                Some(sheet)
            }
            Kind::Help => {
                let text = if room.help.is_some() { "Help is on its way" } else { "What is it?" };
                let mut sheet = Sheet::new(kind, "Help", plain(text));
                self.phone().clone_into(&mut sheet.phone);
                Some(sheet)
            }
            Kind::Stop => {
                let mut sheet =
                    Sheet::new(kind, "Stop the room?", plain("Switches everything off"));
                sheet.in_call_with = self.other().map(|other| self.catalogue().city(other));
                Some(sheet)
            }
        }
    }

    fn choice(&self, word: &str, wish: String, is_so: bool) -> Choice {
        Choice { word: word.to_owned(), press: self.press(wish), is_so }
    }

    fn camera_sheet(&self, mut sheet: Sheet, name: &DeviceName, device: &Device) -> Sheet {
        let hold = |class, word, wish: &str, verb: &str| Hold {
            class,
            word,
            press: self.press(wish.to_owned()),
            release: format!("{verb} {name} stop"),
        };
        for (class, word, to) in [
            ("up", "Up", "up"),
            ("left", "Left", "left"),
            ("right", "Right", "right"),
            ("down", "Down", "down"),
        ] {
            sheet.holds.push(hold(class, word, &format!("move {name} {to}"), "move"));
        }
        sheet.holds.push(hold("near", "Nearer", &format!("zoom {name} in"), "zoom"));
        sheet.holds.push(hold("wide", "Wider", &format!("zoom {name} out"), "zoom"));
        let now = device.key("preset");
        let views = device.offers.presets.iter().map(|(number, view)| {
            let is_so = now == Some(number.to_string().as_str());
            self.choice(&view.to_string(), format!("preset {name} recall {number}"), is_so)
        });
        let views: Vec<_> = views.collect();
        if !views.is_empty() {
            sheet.groups.push(("Views", views));
        }
        if device.key("power").is_some() {
            sheet.groups.push(("Power", self.power_choices(name, device)));
        }
        sheet
    }

    fn lights_sheet(&self, mut sheet: Sheet, name: &DeviceName, device: &Device) -> Sheet {
        let scenes = device.offers.scenes.iter().map(|scene| {
            let is_so = device.key("scene") == Some(scene.as_str());
            self.choice(&capital(scene.as_str()), format!("scene {scene}"), is_so)
        });
        let scenes: Vec<_> = scenes.collect();
        if !scenes.is_empty() {
            sheet.groups.push(("Scenes", scenes));
        }
        for (key, level) in &device.keys {
            let Some(zone) = key.strip_prefix("level.") else { continue };
            sheet.levels.push(Level {
                word: capital(zone),
                id: format!("level-{zone}"),
                value: level.parse().unwrap_or(0),
                press: self.press(format!("set {name} {zone}=")),
            });
        }
        sheet
    }

    fn projector_sheet(&self, mut sheet: Sheet, name: &DeviceName, device: &Device) -> Sheet {
        sheet.groups.push(("Power", self.power_choices(name, device)));
        let sources = device.offers.sources.iter().map(|source| {
            let is_so = device.key("input") == Some(source.as_str());
            self.choice(&source_name(source.as_str()), format!("select {name} {source}"), is_so)
        });
        let sources: Vec<_> = sources.collect();
        if !sources.is_empty() {
            sheet.groups.push(("Source", sources));
        }
        if let Some(blank) = device.key("blank") {
            let is_hidden = blank == "on";
            sheet.groups.push((
                "Picture",
                vec![
                    self.choice("Shown", format!("blank {name} off"), !is_hidden),
                    self.choice("Hidden", format!("blank {name} on"), is_hidden),
                ],
            ));
        }
        sheet
    }

    fn screen_sheet(&self, room: &Room, words: Words) -> Option<Sheet> {
        let (name, device) = room.of_role("screen")?;
        let mut sheet = Sheet::new(Kind::Screen, "Screen", words);
        let contacts = device.offers.outputs.iter().map(|contact| {
            self.choice(&capital(contact.as_str()), format!("set {name} {contact}=pulse"), false)
        });
        sheet.groups.push(("Move it", contacts.collect()));
        Some(sheet)
    }

    fn power_choices(&self, name: &DeviceName, device: &Device) -> Vec<Choice> {
        let is = |power: &str| device.key("power") == Some(power);
        vec![
            self.choice("On", format!("turn {name} on"), is("on")),
            self.choice("Off", format!("turn {name} off"), is("off")),
        ]
    }
}
