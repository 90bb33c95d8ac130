//! How the panels say it: shape, colour and word together, never colour alone.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rooms_messages::{OfflineReason, Reason};

use crate::house::Device;

/// The mark before a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Free, or on.
    Dot,
    /// Busy, off, or on the way.
    Ring,
    /// Not reachable.
    Bar,
}

impl Shape {
    /// Its class.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Dot => "dot",
            Self::Ring => "ring",
            Self::Bar => "bar",
        }
    }
}

/// A mark with its words.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Its shape.
    pub shape: Shape,
    /// Its colour: good, warn, bad, accent or soft.
    pub tone: &'static str,
    /// What it is.
    pub label: String,
    /// What it is doing now.
    pub text: String,
    /// When that is over: milliseconds since 1970; a page counts down to it.
    pub until: Option<i64>,
    /// Since when: a page counts up from it.
    pub since: Option<i64>,
}

impl Mark {
    /// A mark and its label.
    #[must_use]
    pub fn new(shape: Shape, tone: &'static str, label: String) -> Self {
        Self { shape, tone, label, text: String::new(), until: None, since: None }
    }

    pub(super) fn with(self, words: Words) -> Self {
        Self { text: words.text, until: words.until, ..self }
    }
}

/// What a device is doing, in words.
#[derive(Debug, Clone)]
pub struct Words {
    /// The words.
    pub text: String,
    /// When that is over: milliseconds since 1970.
    pub until: Option<i64>,
    /// The mark that goes with them.
    pub shape: Shape,
    /// Its colour.
    pub tone: &'static str,
}

impl Words {
    /// Words with their mark.
    pub fn new(shape: Shape, tone: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), until: None, shape, tone }
    }

    /// Why it can't be used, if it can't.
    #[must_use]
    pub fn of_absence(device: &Device, zone: &TimeZone) -> Option<Self> {
        let since = device.since.map(|at| format!(" since {}", hour(at, zone))).unwrap_or_default();
        let text = match device.offline {
            None if device.is_there() => return None,
            None => "Looking for it".to_owned(),
            Some(OfflineReason::Asleep) => return None,
            Some(OfflineReason::AuthFailed) => format!("Wrong password{since}"),
            Some(OfflineReason::SomeoneElse) => format!("Used by another controller{since}"),
            Some(OfflineReason::Config) => "Not set up".to_owned(),
            Some(_) => format!("Not reachable{since}"),
        };
        Some(Self::new(Shape::Bar, "soft", text))
    }

    /// What its power is.
    #[must_use]
    pub fn of_power(device: &Device, now: Timestamp, zone: &TimeZone) -> Self {
        if let Some(absent) = Self::of_absence(device, zone) {
            return absent;
        }
        let until = device.ready_at.filter(|at| *at > now);
        let timed = |word: &str| {
            let left = until.map(|at| at.duration_since(now).as_secs().max(1));
            Self {
                text: left.map_or_else(|| word.to_owned(), |left| format!("{word}, {left} s")),
                until: until.map(Timestamp::as_millisecond),
                shape: Shape::Ring,
                tone: "accent",
            }
        };
        let wanted = device.key("wanted.power");
        match device.key("power") {
            _ if device.offline == Some(OfflineReason::Asleep) => {
                Self::new(Shape::Ring, "soft", "Asleep")
            }
            Some("warming") if wanted == Some("off") => timed("Off as soon as possible"),
            Some("warming") => timed("Warming"),
            Some("cooling") if wanted == Some("on") => timed("On again after cooling"),
            Some("cooling") => timed("Cooling"),
            Some("on") if wanted == Some("off") => timed("Switching off"),
            Some("off") if wanted == Some("on") => timed("Switching on"),
            Some("on") => Self::new(Shape::Dot, "good", "On"),
            Some("off") => Self::new(Shape::Ring, "soft", "Off"),
            _ => Self::new(Shape::Dot, "good", "Ready"),
        }
    }
}

/// A time of the day in a room.
#[must_use]
pub fn hour(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string()
}

/// How long something took or takes: `12:04`, `1:00:30`.
#[must_use]
pub fn lasting(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Why a wish came to nothing. `city` is who was called, if it was a call.
pub(super) fn refused(reason: Reason, text: &str, city: Option<&str>) -> String {
    let them = city.unwrap_or("The other room");
    match reason {
        Reason::Busy if text.is_empty() => format!("{them} is in another call."),
        Reason::NotPermitted => format!("This room may not call {them} now."),
        Reason::Maintenance => format!("{them} is being looked after."),
        Reason::Starting => "The control system is starting. Try again in a moment.".to_owned(),
        Reason::OfflineNear => "This room's connection is not reachable.".to_owned(),
        Reason::OfflineFar => format!("{them} is not reachable."),
        Reason::Expired => "That took too long and was not done. Try again.".to_owned(),
        _ if !text.is_empty() => sentence(text),
        other => format!("That did not work: {}.", other.word().replace('-', " ")),
    }
}

/// How a call ended that nobody here has ended.
pub(super) fn ended(reason: Reason, city: &str, was_connected: bool) -> String {
    match reason {
        _ if was_connected => format!("The connection to {city} was lost."),
        Reason::Busy => format!("{city} is in another call."),
        Reason::NoAnswer | Reason::Timeout => format!("{city} does not answer."),
        Reason::Rejected => format!("{city} declined."),
        Reason::Unreachable | Reason::OfflineFar => format!("{city} is not reachable."),
        Reason::OfflineNear => "This room's connection is not reachable.".to_owned(),
        Reason::Glare => format!("{city} called at the same time. Try again."),
        other => format!("Calling {city} did not work: {}.", other.word().replace('-', " ")),
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_in_minutes_and_then_in_hours() {
        let lasting = |seconds| lasting(SignedDuration::from_secs(seconds));
        assert_eq!(lasting(0), "00:00");
        assert_eq!(lasting(192), "03:12");
        assert_eq!(lasting(3671), "1:01:11");
    }
}
