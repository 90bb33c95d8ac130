//! What is remembered of the rooms beyond their devices: what was wanted last, which views were
//! saved, who was connected when. Texts of lines in the words of messages. No IO, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rooms_messages::{DeviceName, Fact, Key, Keys, Report, RoomName, Text, Timestamp};

/// The calls of so many months are kept in the folder; the keeper has those before as long as it
/// keeps versions.
const MONTHS_KEPT: usize = 6;
/// More than a room's calls of a month; beyond, the older half goes.
const CALLS_BYTES_MAX: usize = 1 << 20;

/// Texts by their names: `wanted/ROOM`, `presets/ROOM`, `calls/ROOM/YYYY-MM`.
#[derive(Debug, Default)]
pub(super) struct Journal {
    texts: BTreeMap<String, String>,
    changed: BTreeSet<String>,
}

/// A text that has changed; none if it is no more.
pub(super) type Change = (String, Option<Arc<[u8]>>);

impl Journal {
    /// With what was remembered before.
    pub(super) fn new(texts: BTreeMap<String, String>) -> Journal {
        Journal { texts, changed: BTreeSet::new() }
    }

    /// Somebody wants a state.
    pub(super) fn wanted(
        &mut self,
        (room, device): (&RoomName, &DeviceName),
        (key, value): (&str, &str),
        at: Timestamp,
    ) {
        self.state("wanted", (room, device), (&format!("wanted.{key}"), value), at);
    }

    /// A view was saved in a device.
    pub(super) fn saved(
        &mut self,
        (room, device): (&RoomName, &DeviceName),
        (number, name): (u8, &str),
        at: Timestamp,
    ) {
        self.state("presets", (room, device), (&format!("preset.{number}"), name), at);
    }

    /// The newest line of a state takes the place of the one before.
    fn state(
        &mut self,
        kind: &str,
        (room, device): (&RoomName, &DeviceName),
        (key, value): (&str, &str),
        at: Timestamp,
    ) {
        let Ok(named) = Key::new(key) else { return };
        let keys = Keys::of(named, Text::clean(value));
        let fact = Fact::State { room: room.clone(), device: device.clone(), keys };
        let Some(line) = line(fact, at) else { return };
        let begin = format!("state {room} {device} {key}=");
        let name = format!("{kind}/{room}");
        let text = self.texts.entry(name.clone()).or_default();
        let others = text.lines().filter(|line| !line.starts_with(&begin));
        *text = others.chain([line.as_str()]).flat_map(|line| [line, "\n"]).collect();
        self.changed.insert(name);
    }

    /// Two rooms are connected, or no longer.
    pub(super) fn call(&mut self, rooms: [&RoomName; 2], fact: &Fact, at: Timestamp) {
        let Some(line) = line(fact.clone(), at) else { return };
        let what = line.split(" at=").next().unwrap_or_default();
        let month = at.strftime("%Y-%m");
        for room in rooms {
            let name = format!("calls/{room}/{month}");
            let text = self.texts.entry(name.clone()).or_default();
            // After a start, calls that were there before are found again.
            let last = text.lines().next_back().and_then(|last| last.split(" at=").next());
            if last == Some(what) {
                continue;
            }
            text.push_str(&line);
            text.push('\n');
            if text.len() > CALLS_BYTES_MAX {
                let half = text.len() / 2;
                let cut = text.as_bytes()[half..].iter().position(|byte| *byte == b'\n');
                text.drain(..=half + cut.unwrap_or(0));
            }
            self.changed.insert(name);
            self.forget_old_calls(room);
        }
    }

    fn forget_old_calls(&mut self, room: &RoomName) {
        let prefix = format!("calls/{room}/");
        let of_room = self.texts.keys().filter(|name| name.starts_with(&prefix)).cloned();
        let months: Vec<_> = of_room.collect();
        for name in months.iter().take(months.len().saturating_sub(MONTHS_KEPT)) {
            self.texts.remove(name);
            self.changed.insert(name.clone());
        }
    }

    /// What has changed since the last time.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let now = |name: &String| self.texts.get(name).map(|text| text.as_bytes().into());
        changed.map(|name| (name.clone(), now(&name))).collect()
    }
}

fn line(fact: Fact, at: Timestamp) -> Option<String> {
    (Report { at: Some(at), ..Report::from(fact) }).to_line().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn room(text: &str) -> RoomName {
        text.parse().expect("a room")
    }

    fn changes(journal: &mut Journal) -> Vec<(String, String)> {
        let text = |content: Option<Arc<[u8]>>| match content {
            Some(content) => String::from_utf8(content.to_vec()).expect("text"),
            None => "gone".to_owned(),
        };
        journal.take_changes().into_iter().map(|(name, content)| (name, text(content))).collect()
    }

    #[test]
    fn of_what_is_wanted_and_saved_the_newest_is_remembered() {
        let mut journal = Journal::default();
        let (room, projector) = (room("room-a"), "projector".parse().expect("a device"));
        let now = at("2026-03-01T10:00:00Z");
        journal.wanted((&room, &projector), ("power", "on"), now);
        journal.wanted((&room, &projector), ("input", "hdmi1"), now);
        journal.wanted((&room, &projector), ("power", "off"), at("2026-03-01T11:00:00Z"));
        journal.saved((&room, &projector), (3, "White board"), now);
        let wanted = "state room-a projector wanted.input=hdmi1 at=2026-03-01T10:00:00Z\n\
                      state room-a projector wanted.power=off at=2026-03-01T11:00:00Z\n";
        let saved = "state room-a projector preset.3=\"White board\" at=2026-03-01T10:00:00Z\n";
        assert_eq!(
            changes(&mut journal),
            [("presets/room-a".into(), saved.into()), ("wanted/room-a".into(), wanted.into())]
        );
        assert_eq!(changes(&mut journal), [], "once");
    }

    #[test]
    fn a_call_is_told_to_both_rooms_and_old_months_go() {
        let mut journal = Journal::default();
        let (near, far) = (room("room-a"), room("room-b"));
        let fact = Fact::Connect { near: near.clone(), far: far.clone() };
        for month in 1..=7 {
            let now = at(&format!("2026-0{month}-01T10:00:00Z"));
            journal.call([&near, &far], &fact, now);
        }
        let changes = changes(&mut journal);
        let text = "connect room-a room-b at=2026-07-01T10:00:00Z\n";
        assert!(changes.contains(&("calls/room-b/2026-07".into(), text.into())));
        assert_eq!(changes.iter().filter(|(_, text)| text == "gone").count(), 2);
        assert!(changes.contains(&("calls/room-a/2026-01".into(), "gone".into())));
    }

    #[test]
    fn a_call_that_is_found_again_is_the_same_call() {
        let mut journal = Journal::default();
        let (near, far) = (room("room-a"), room("room-b"));
        let fact = Fact::Connect { near: near.clone(), far: far.clone() };
        journal.call([&near, &far], &fact, at("2026-07-01T10:00:00Z"));
        journal.take_changes();
        journal.call([&near, &far], &fact, at("2026-07-01T10:05:00Z"));
        assert_eq!(changes(&mut journal), []);
    }

    #[test]
    fn no_more_than_a_mebibyte_of_calls_is_kept_and_the_newest_of_them() {
        let mut journal = Journal::default();
        let (near, far) = (room("room-a"), room("room-b"));
        let fact = Fact::Connect { near: near.clone(), far: far.clone() };
        let line = "disconnect room-a room-b at=2026-07-01T10:00:00Z\n";
        let name = "calls/room-a/2026-07".to_owned();
        journal.texts.insert(name.clone(), line.repeat(CALLS_BYTES_MAX / line.len()));
        journal.call([&near, &far], &fact, at("2026-07-02T10:00:00Z"));
        let text = &journal.texts[&name];
        assert!(text.len() <= CALLS_BYTES_MAX / 2 + line.len(), "{}", text.len());
        assert!(text.starts_with("disconnect ") && text.ends_with("at=2026-07-02T10:00:00Z\n"));
    }
}
