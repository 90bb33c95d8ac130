//! What a room's panel shows, out of what is so. No IO, no clock: the same facts at the same time
//! give the same screen, on every panel of the room.

mod calls;
mod catalogue;
mod sheets;
mod tiles;
mod words;

use askama::Template;
use jiff::Timestamp;
use rooms_messages::{Phase, RoomName};

pub use calls::{Call, Incoming};
pub use catalogue::Card;
pub use sheets::{Kind, Sheet};
pub use tiles::{Press, Tile};
pub use words::{Mark, Shape, Words, hour, lasting};

use crate::catalogue::Catalogue;
use crate::desk::{Control, Shown};
use crate::house::Room;
use crate::notices::Said;
use crate::records::Directory;
use words::{ended, refused};

#[cfg(test)]
mod tests;

/// What somebody looks at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The live side.
    pub shown: &'a Shown,
    /// The names and permissions.
    pub directory: &'a Directory,
    /// The room that this is the panel of.
    pub room: &'a RoomName,
    /// What of it, if not the first page: a word of the address.
    pub show: &'a str,
    /// What forms carry.
    pub csrf: &'a str,
    /// Whether who looks may press, too.
    pub may_press: bool,
    /// When.
    pub now: Timestamp,
}

/// The whole screen.
#[derive(Debug, Template)]
#[template(path = "panel/screen.html")]
pub struct Screen {
    /// Where its pages are.
    pub base: String,
    /// What forms carry.
    pub csrf: String,
    /// The room.
    pub city: String,
    /// Which room of the city.
    pub title: String,
    /// The time there.
    pub clock: String,
    /// In one word.
    pub state: Mark,
    /// What is wrong with everything.
    pub banner: Option<String>,
    /// What is said for a while.
    pub notice: Option<Notice>,
    /// It is stopped because nobody uses it: how long until then, and when in milliseconds since 1970.
    pub stopping: Option<(String, i64)>,
    /// Somebody calls.
    pub incoming: Option<Incoming>,
    /// Whether buttons are.
    pub can_press: bool,
    /// How far a call for a person is.
    pub help: Option<String>,
    /// The large part.
    pub body: Body,
    /// The controls.
    pub tiles: Vec<Tile>,
}

/// The large part of the screen.
#[derive(Debug)]
pub enum Body {
    /// The room is asleep.
    Start {
        /// What will be switched on.
        what: String,
        /// Whether it is under way: each device, and how far it is.
        steps: Vec<Mark>,
    },
    /// Whom can I call?
    Home {
        /// The other rooms.
        cards: Vec<Card>,
        /// Whether there are so many that one searches.
        has_search: bool,
    },
    /// Are we connected, and what do they see and hear?
    Call(Box<Call>),
    /// One thing.
    Sheet(Box<Sheet>),
}

/// What is said for a while.
#[derive(Debug)]
pub struct Notice {
    /// In words.
    pub text: String,
    /// The wish that calls the room again.
    pub again: Option<String>,
    /// The word on that button.
    pub again_word: &'static str,
}

/// So many rooms can be looked through.
const SEARCH_BEYOND: usize = 12;

impl<'a> Look<'a> {
    /// The names.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue<'a> {
        Catalogue { directory: self.directory, house: &self.shown.house }
    }

    /// Where the pages of the room are.
    #[must_use]
    pub fn base(&self) -> String {
        format!("/panel/{}", self.room)
    }

    /// Whether buttons do something.
    #[must_use]
    pub fn can_press(&self) -> bool {
        self.may_press && self.shown.control == Control::Fine
    }

    /// The room with which it is connected, or is about to be.
    #[must_use]
    pub fn other(&self) -> Option<&'a RoomName> {
        let (near, far, _) = self.shown.house.link_of(self.room)?;
        Some(if near == self.room { far } else { near })
    }

    fn known(&self) -> Option<&'a Room> {
        self.shown.house.rooms.get(self.room)
    }

    fn phone(&self) -> &'a str {
        self.directory.settings.get("support-phone").map_or("", String::as_str)
    }

    /// The whole screen.
    #[must_use]
    pub fn screen(&self) -> Screen {
        let catalogue = self.catalogue();
        let body = self.body();
        Screen {
            base: self.base(),
            csrf: self.csrf.to_owned(),
            city: catalogue.city(self.room),
            title: catalogue.title(self.room),
            clock: hour(self.now, &catalogue.zone(self.room)),
            state: self.state(),
            banner: self.banner(),
            notice: self.notice(),
            stopping: self.stopping(),
            incoming: self.incoming(),
            can_press: self.can_press(),
            help: self.help(),
            body,
            tiles: self.tiles(),
        }
    }

    /// What can change without the rest of the screen: the card of another room, while the cards
    /// are what is shown.
    #[must_use]
    pub fn card_of(&self, other: &RoomName) -> Option<Card> {
        if !self.shows_cards() || self.other() == Some(other) {
            return None;
        }
        self.card(other)
    }

    fn shows_cards(&self) -> bool {
        Sheet::named(self.show).and_then(|kind| self.sheet(kind)).is_none()
            && self.call().is_none()
            && (self.show == "home" || !self.is_asleep())
    }

    fn body(&self) -> Body {
        if let Some(sheet) = Sheet::named(self.show).and_then(|kind| self.sheet(kind)) {
            return Body::Sheet(Box::new(sheet));
        }
        if let Some(call) = self.call() {
            return Body::Call(Box::new(call));
        }
        if !self.shows_cards() {
            return Body::Start { what: self.start_words(), steps: self.starting() };
        }
        let cards = self.cards();
        Body::Home { has_search: cards.len() > SEARCH_BEYOND, cards }
    }

    /// Whether nothing in it is on that a person would switch on first.
    fn is_asleep(&self) -> bool {
        let Some(room) = self.known() else { return false };
        let mut powered = room.devices.values().filter(|device| {
            matches!(device.role.as_str(), "projector" | "display" | "codec")
                && device.key("power").is_some()
        });
        let is_off = |power: Option<&str>| matches!(power, Some("off"));
        self.other().is_none()
            && powered.clone().next().is_some()
            && powered.all(|device| is_off(device.key("power")))
    }

    fn start_words(&self) -> String {
        let Some(room) = self.known() else { return String::new() };
        let names = [
            ("projector", "projector"),
            ("display", "screen"),
            ("lights", "lights"),
            ("codec", "connection"),
        ];
        let there = names.into_iter().filter(|(role, _)| room.of_role(role).is_some());
        let mut there: Vec<_> = there.map(|(_, name)| name).collect();
        match there.pop() {
            None => String::new(),
            Some(last) if there.is_empty() => format!("Switches the {last} on"),
            Some(last) => format!("Switches {} and {last} on", there.join(", ")),
        }
    }

    /// Devices that are on their way, if the room is being started.
    fn starting(&self) -> Vec<Mark> {
        let Some(room) = self.known() else { return Vec::new() };
        let on_way = |device: &crate::house::Device| {
            device.key("wanted.power") == Some("on") || device.key("power") == Some("warming")
        };
        if !room.devices.values().any(on_way) {
            return Vec::new();
        }
        let zone = self.catalogue().zone(self.room);
        let powered = room.devices.iter().filter(|(_, device)| {
            device.key("power").is_some() || device.key("wanted.power").is_some()
        });
        powered
            .map(|(name, device)| {
                let words = Words::of_power(device, self.now, &zone);
                let shape = if on_way(device) { Shape::Ring } else { words.shape };
                Mark::new(shape, words.tone, tiles::label(&device.role, name)).with(words)
            })
            .collect()
    }

    fn state(&self) -> Mark {
        if self.banner().is_some() {
            return Mark::new(Shape::Bar, "bad", "Control offline".to_owned());
        }
        let catalogue = self.catalogue();
        if let Some((_, far, link)) = self.shown.house.link_of(self.room) {
            let city = self.other().map(|other| catalogue.city(other)).unwrap_or_default();
            return match link.phase {
                Phase::Connected => Mark::new(Shape::Dot, "good", format!("Connected to {city}")),
                Phase::Recovering => Mark::new(Shape::Ring, "warn", format!("Checking {city}")),
                Phase::Disconnecting => Mark::new(Shape::Ring, "warn", "Ending".to_owned()),
                _ if far == self.room => {
                    Mark::new(Shape::Ring, "accent", format!("{city} is calling"))
                }
                _ => Mark::new(Shape::Ring, "accent", format!("Calling {city}")),
            };
        }
        match self.known().and_then(|room| room.state) {
            Some(rooms_messages::RoomState::Offline) => {
                Mark::new(Shape::Bar, "bad", "Cannot call".to_owned())
            }
            Some(rooms_messages::RoomState::Maintenance) => {
                Mark::new(Shape::Bar, "soft", "Maintenance".to_owned())
            }
            Some(rooms_messages::RoomState::Busy) => {
                Mark::new(Shape::Ring, "warn", "In a call".to_owned())
            }
            _ => Mark::new(Shape::Dot, "good", "Ready".to_owned()),
        }
    }

    fn banner(&self) -> Option<String> {
        let zone = self.catalogue().zone(self.room);
        let in_call = self.other().is_some();
        let goes_on = if in_call { " Your call continues." } else { "" };
        match self.shown.control {
            Control::Fine => self
                .known()
                .is_none()
                .then(|| "This room is not known to the control system. Call support.".to_owned()),
            Control::Starting => Some(format!("Connecting to the control system …{goes_on}")),
            Control::Silent(since) => Some(format!(
                "The control system is offline since {}; buttons are off.{goes_on}",
                hour(since, &zone)
            )),
            Control::NoBus(since) => Some(format!(
                "Not connected to the control system since {}; buttons are off.{goes_on}",
                hour(since, &zone)
            )),
        }
    }

    fn stopping(&self) -> Option<(String, i64)> {
        let stops = self.known()?.stops.filter(|_| !self.is_asleep())?;
        let left = stops.duration_since(self.now).as_secs().max(0);
        Some((format!("{left} s"), stops.as_millisecond()))
    }

    fn notice(&self) -> Option<Notice> {
        let notice = self.shown.notices.of(self.room, self.now)?;
        let catalogue = self.catalogue();
        let again = |room: &RoomName| Some(format!("connect {room}"));
        Some(match &notice.said {
            Said::NoAnswer => Notice {
                text: "The control system does not answer. Try again, or touch Help.".to_owned(),
                again: None,
                again_word: "",
            },
            Said::Refused { reason, text, called } => {
                let city = called.as_ref().map(|room| catalogue.city(room));
                Notice {
                    text: refused(*reason, text, city.as_deref()),
                    again: called.as_ref().and_then(again),
                    again_word: "Try again",
                }
            }
            Said::Ended { other, reason, was_connected } => Notice {
                text: ended(*reason, &catalogue.city(other), *was_connected),
                again: again(other),
                again_word: if *was_connected { "Call again" } else { "Try again" },
            },
            Said::Missed { other, at } => Notice {
                text: format!(
                    "{} called at {}.",
                    catalogue.city(other),
                    hour(*at, &catalogue.zone(self.room))
                ),
                again: again(other),
                again_word: "Call back",
            },
        })
    }

    fn help(&self) -> Option<String> {
        let help = self.known()?.help.as_ref()?;
        let since = hour(help.since, &self.catalogue().zone(self.room));
        let phone = match self.phone() {
            "" => String::new(),
            phone => format!(" You can also phone {phone}."),
        };
        Some(match help.state {
            rooms_messages::HelpState::Acknowledged => {
                let who = if help.by.is_empty() { "Somebody" } else { &help.by };
                format!("{who} is coming, since {since}.")
            }
            rooms_messages::HelpState::Unreachable => {
                format!("Support could not be reached at {since}.{phone}")
            }
            _ => format!("Help requested at {since}.{phone}"),
        })
    }
}
