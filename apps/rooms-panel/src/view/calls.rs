//! A call: both rooms side by side, and what can be done about it.

use rooms_messages::{Phase, RoomName};

use super::words::{Mark, Shape, Words, lasting};
use super::{Look, Press};

/// Two rooms that are connected, or were a moment ago.
#[derive(Debug)]
pub struct Call {
    /// This room.
    pub here: Side,
    /// The other.
    pub there: Side,
    /// How it is, in a word.
    pub word: &'static str,
    /// Since when, if it is counted: milliseconds since 1970.
    pub since: Option<i64>,
    /// The same as `MM:SS`, when this was drawn.
    pub time: String,
    /// The colour of the line below.
    pub tone: &'static str,
    /// Ends it.
    pub end: Option<Press>,
}

impl Call {
    /// Both, and whether it is this room.
    #[must_use]
    pub fn sides(&self) -> [(&Side, bool); 2] {
        [(&self.here, true), (&self.there, false)]
    }
}

/// One room of a call.
#[derive(Debug)]
pub struct Side {
    /// What people call it.
    pub city: String,
    /// Which room of the city.
    pub title: String,
    /// What they see and hear.
    pub lines: Vec<Mark>,
}

/// Another room calls.
#[derive(Debug)]
pub struct Incoming {
    /// Who.
    pub city: String,
    /// Takes the call, if this room is asked.
    pub answer: Option<Press>,
    /// Does not.
    pub decline: Option<Press>,
}

impl Look<'_> {
    pub(super) fn call(&self) -> Option<Call> {
        let (_, _, link) = self.shown.house.link_of(self.room)?;
        let other = self.other()?;
        let (word, tone) = match link.phase {
            Phase::Connected => ("Connected", "good"),
            Phase::Recovering => ("Checking the connection …", "warn"),
            Phase::Disconnecting => ("Ending …", "warn"),
            _ => return None,
        };
        let is_counted = link.phase == Phase::Connected;
        let since = is_counted.then(|| link.since.as_millisecond());
        let lasts = self.now.duration_since(link.since);
        let time = if is_counted { lasting(lasts) } else { String::new() };
        let end = if link.phase == Phase::Disconnecting {
            None
        } else {
            self.press(format!("disconnect {other}"))
        };
        let here = self.side(self.room, Some(other));
        let there = self.side(other, Some(self.room));
        Some(Call { here, there, word, since, time, tone, end })
    }

    pub(super) fn incoming(&self) -> Option<Incoming> {
        let (near, far, link) = self.shown.house.link_of(self.room)?;
        if far != self.room || !matches!(link.phase, Phase::Preparing | Phase::Dialing) {
            return None;
        }
        let is_asked = link.asking.as_ref() == Some(self.room);
        let press = |verb: &str| is_asked.then(|| self.press(format!("{verb} {near}"))).flatten();
        let (answer, decline) = (press("answer"), press("decline"));
        Some(Incoming { city: self.catalogue().city(near), answer, decline })
    }

    fn side(&self, room: &RoomName, other: Option<&RoomName>) -> Side {
        let catalogue = self.catalogue();
        let mut lines = Vec::new();
        if let Some(known) = self.shown.house.rooms.get(room) {
            let zone = catalogue.zone(self.room);
            let codec = known.of_role("codec").map(|(_, codec)| codec);
            if let Some((_, camera)) = known.of_role("camera") {
                let mut words = Words::of_power(camera, self.now, &zone);
                if words.text == "On" || words.text == "Ready" {
                    words.text = super::tiles::view_of(camera).unwrap_or(words.text);
                }
                lines.push(Mark::new(words.shape, words.tone, "Camera".to_owned()).with(words));
            }
            if let Some((_, camera)) = known.of_role("document-camera") {
                let mut words = Words::of_power(camera, self.now, &zone);
                let is_shared = codec.and_then(|codec| codec.key("share")) == Some("on");
                if words.text == "On" {
                    let whom = other.map(|other| catalogue.city(other)).unwrap_or_default();
                    words.text =
                        if is_shared { format!("Shown to {whom}") } else { "On".to_owned() };
                }
                let label = "Document camera".to_owned();
                lines.push(Mark::new(words.shape, words.tone, label).with(words));
            }
            if let Some(codec) = codec {
                let words = match (Words::of_absence(codec, &zone), codec.key("mute")) {
                    (Some(absent), _) => absent,
                    (None, Some("on")) => Words::new(Shape::Ring, "bad", "Muted"),
                    (None, _) => Words::new(Shape::Dot, "good", "On"),
                };
                lines.push(Mark::new(words.shape, words.tone, "Microphone".to_owned()).with(words));
            }
        }
        Side { city: catalogue.city(room), title: catalogue.title(room), lines }
    }
}
