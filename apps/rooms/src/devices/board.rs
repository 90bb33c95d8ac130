//! All that is so, and the lines that say it. No IO, no clock.
//!
//! What holds is kept by what it is of, so that a snapshot is the same facts once more. Each line
//! has a number; who misses one asks for everything.

use std::collections::BTreeMap;

use rooms_messages::{
    AlertState, DeviceName, DeviceState, Epoch, Everything, Fact, HelpState, Key, Keys, Offers,
    OfflineReason, Phase, Report, RoomName, Text, Word,
};

/// In how many seconds a device has warmed up or cooled down.
pub(super) const READY_IN: &str = "ready-in";

/// The facts that hold, and the lines to be sent.
#[derive(Debug)]
pub(super) struct Board {
    epoch: Epoch,
    seq: u64,
    facts: BTreeMap<Of, Fact>,
    lines: Vec<String>,
}

/// What a fact is of, in the order of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Room(RoomName),
    Link(RoomName, RoomName),
    Device(RoomName, DeviceName),
    Offers(RoomName, DeviceName),
    State(RoomName, DeviceName),
    Alert(RoomName, DeviceName, Word),
    Help(RoomName),
}

impl Board {
    pub(super) fn new(epoch: Epoch) -> Board {
        Board { epoch, seq: 0, facts: BTreeMap::new(), lines: Vec::new() }
    }

    /// Says a fact. One that holds is kept for snapshots, and not said if it holds already.
    pub(super) fn say(&mut self, fact: Fact) {
        let Some(of) = Of::fact(&fact) else { return self.line(fact) };
        if let Fact::State { room, device, keys } = fact {
            return self.say_state(of, room, device, keys);
        }
        if is_over(&fact) {
            if self.facts.remove(&of).is_some() {
                self.line(fact);
            }
        } else if self.facts.get(&of) != Some(&fact) {
            self.facts.insert(of, fact.clone());
            self.line(fact);
        }
    }

    /// Of a state, the keys that changed. An empty `wanted.` key, or [`READY_IN`], is said and then
    /// forgotten.
    fn say_state(&mut self, of: Of, room: RoomName, device: DeviceName, keys: Keys) {
        let known = self.facts.get(&of);
        let value = |key: &Key| match known {
            Some(Fact::State { keys, .. }) => keys.get(key.as_str()),
            _ => None,
        };
        let changed = keys.into_iter().filter(|(key, text)| {
            value(key) != Some(text.as_str()) && !(is_forgotten(key, text) && value(key).is_none())
        });
        let Some(changed) = Keys::collect(changed) else { return };
        let mut all: Vec<(Key, Text)> = match self.facts.remove(&of) {
            Some(Fact::State { keys, .. }) => keys.into_iter().collect(),
            _ => Vec::new(),
        };
        all.extend(changed.clone());
        let all = Keys::collect(all).into_iter().flatten();
        if let Some(keys) = Keys::collect(all.filter(|(key, text)| !is_forgotten(key, text))) {
            let (room, device) = (room.clone(), device.clone());
            self.facts.insert(of, Fact::State { room, device, keys });
        }
        self.line(Fact::State { room, device, keys: changed });
    }

    /// What a device has reported.
    pub(super) fn state(&self, room: &RoomName, device: &DeviceName, key: &str) -> Option<&str> {
        match self.facts.get(&Of::State(room.clone(), device.clone()))? {
            Fact::State { keys, .. } => keys.get(key),
            _ => None,
        }
    }

    /// All keys of a device that hold, with their values.
    pub(super) fn states(
        &self,
        room: &RoomName,
        device: &DeviceName,
    ) -> impl Iterator<Item = (&str, &str)> {
        let keys = match self.facts.get(&Of::State(room.clone(), device.clone())) {
            Some(Fact::State { keys, .. }) => Some(keys),
            _ => None,
        };
        keys.into_iter().flat_map(Keys::iter).map(|(key, text)| (key.as_str(), text.as_str()))
    }

    /// Why a device is offline, if it is said to be.
    pub(super) fn offline_reason(
        &self,
        room: &RoomName,
        device: &DeviceName,
    ) -> Option<OfflineReason> {
        match self.facts.get(&Of::Device(room.clone(), device.clone()))? {
            Fact::Device { state: DeviceState::Offline { reason, .. }, .. } => Some(*reason),
            _ => None,
        }
    }

    /// The call for a person that is open in a room.
    pub(super) fn help(&self, room: &RoomName) -> Option<&Fact> {
        self.facts.get(&Of::Help(room.clone()))
    }

    /// A device is no more, or set up anew: nothing of it holds but what [`offers`](Board::offers)
    /// says of it. A snapshot shows that it is gone.
    pub(super) fn forget_device(&mut self, room: &RoomName, device: &DeviceName) {
        self.facts.remove(&Of::Device(room.clone(), device.clone()));
        self.facts.remove(&Of::State(room.clone(), device.clone()));
        self.facts.retain(|of, _| !matches!(of, Of::Alert(r, d, _) if r == room && d == device));
    }

    /// What can be wished of the devices of a room; nothing can of its others.
    pub(super) fn offers(&mut self, room: &RoomName, offers: BTreeMap<DeviceName, Offers>) {
        self.facts.retain(
            |of, _| !matches!(of, Of::Offers(of, device) if of == room && !offers.contains_key(device)),
        );
        for (device, offers) in offers {
            let fact = Fact::Offers { room: room.clone(), device: device.clone(), offers };
            let (fact, left_out) = fact.fitting();
            if left_out > 0 {
                tracing::warn!(
                    "{room} {device}: what can be wished of it is too long for a line; the last {left_out} names are left out"
                );
            }
            self.say(fact);
        }
    }

    /// A room is no more.
    pub(super) fn forget_room(&mut self, gone: &RoomName) {
        self.facts.retain(|of, _| match of {
            Of::Room(room)
            | Of::Device(room, _)
            | Of::Offers(room, _)
            | Of::State(room, _)
            | Of::Alert(room, ..)
            | Of::Help(room) => room != gone,
            Of::Link(near, far) => near != gone && far != gone,
        });
    }

    /// Says everything that holds, or all of one room, between two marks.
    pub(super) fn snapshot(&mut self, of_room: Option<&RoomName>) {
        let wanted = |of: &Of| match (of_room, of) {
            (None, _) => true,
            (Some(wanted), Of::Link(near, far)) => near == wanted || far == wanted,
            (
                Some(wanted),
                Of::Room(room)
                | Of::Device(room, _)
                | Of::Offers(room, _)
                | Of::State(room, _)
                | Of::Alert(room, ..)
                | Of::Help(room),
            ) => room == wanted,
        };
        let facts = self.facts.iter().filter(|(of, _)| wanted(of));
        let facts: Vec<_> = facts.flat_map(|(_, fact)| fact.clone().parts()).collect();
        let lines = u32::try_from(facts.len()).unwrap_or(u32::MAX);
        if of_room.is_none() {
            self.line(Fact::Everything(Everything::Begin));
        }
        facts.into_iter().for_each(|fact| self.line(fact));
        if of_room.is_none() {
            self.line(Fact::Everything(Everything::End { lines }));
        }
    }

    /// The lines to be sent, in their order.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn line(&mut self, fact: Fact) {
        for fact in fact.parts() {
            self.seq += 1;
            let (seq, epoch) = (Some(self.seq), Some(self.epoch));
            match (Report { fact, seq, epoch, at: None }).to_line() {
                Ok(line) => self.lines.push(line),
                Err(error) => tracing::error!("a fact could not be said: {error}"),
            }
        }
    }
}

impl Of {
    /// None for what is said and does not go on.
    fn fact(fact: &Fact) -> Option<Of> {
        Some(match fact {
            Fact::Room { room, .. } => Of::Room(room.clone()),
            Fact::Link { near, far, .. } => Of::Link(near.clone(), far.clone()),
            Fact::Device { room, device, .. } => Of::Device(room.clone(), device.clone()),
            Fact::Offers { room, device, .. } => Of::Offers(room.clone(), device.clone()),
            Fact::State { room, device, .. } => Of::State(room.clone(), device.clone()),
            Fact::Alert { room, device, code, .. } => {
                Of::Alert(room.clone(), device.clone(), code.clone())
            }
            Fact::Help { room, .. } => Of::Help(room.clone()),
            _ => return None,
        })
    }
}

/// Said once, and then nothing is left to be said.
fn is_over(fact: &Fact) -> bool {
    match fact {
        Fact::Link { phase, .. } => *phase == Phase::Idle,
        Fact::Alert { state, .. } => *state == AlertState::Clear,
        Fact::Help { state, .. } => *state == HelpState::Closed,
        _ => false,
    }
}

fn is_forgotten(key: &Key, text: &Text) -> bool {
    let key = key.as_str();
    text.as_str().is_empty() && (key.starts_with("wanted.") || key == READY_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Board {
        Board::new(Epoch(0x5f2c))
    }

    fn say(board: &mut Board, line: &str) -> Vec<String> {
        board.say(Report::parse(line).expect("it is one").fact);
        board.take_lines()
    }

    #[test]
    fn what_holds_already_is_not_said_again() {
        let mut board = board();
        let line = "device room-a projector online";
        assert_eq!(say(&mut board, line), [format!("{line} seq=1 epoch=5f2c")]);
        assert_eq!(say(&mut board, line), Vec::<String>::new());
        assert_eq!(say(&mut board, "alive"), ["alive seq=2 epoch=5f2c"]);
        assert_eq!(say(&mut board, "alive"), ["alive seq=3 epoch=5f2c"]);
    }

    #[test]
    fn of_a_state_the_keys_that_changed_are_said() {
        let mut board = board();
        say(&mut board, "state room-a projector power=off input=hdmi1");
        assert_eq!(
            say(&mut board, "state room-a projector power=on input=hdmi1"),
            ["state room-a projector power=on seq=2 epoch=5f2c"]
        );
    }

    #[test]
    fn a_snapshot_is_all_that_holds_between_two_marks() {
        let mut board = board();
        for line in [
            "alive",
            "room room-a free city=Vienna",
            "state room-a projector power=off wanted.power=on",
            "state room-a projector power=on wanted.power=\"\"",
            "device room-a projector online",
            "alert room-a projector level=warning code=lamp",
            "alert room-a projector clear code=lamp",
            "link room-a room-b dialing",
            "link room-a room-b idle reason=busy",
        ] {
            assert_eq!(say(&mut board, line).len(), 1, "{line}");
        }
        board.snapshot(None);
        let lines = board.take_lines();
        let bare: Vec<_> =
            lines.iter().map(|line| line.split(" seq=").next().unwrap_or_default()).collect();
        assert_eq!(
            bare,
            [
                "everything begin",
                "room room-a free city=Vienna",
                "device room-a projector online",
                "state room-a projector power=on",
                "everything end lines=3",
            ]
        );
        assert_eq!(lines[4], "everything end lines=3 seq=14 epoch=5f2c");
    }

    #[test]
    fn a_room_alone_is_its_facts_without_marks() {
        let mut board = board();
        say(&mut board, "room room-a free city=Vienna");
        say(&mut board, "room room-b free city=Lisbon");
        say(&mut board, "link room-a room-b dialing");
        board.snapshot("room-b".parse().ok().as_ref());
        let lines = board.take_lines();
        assert!(lines[0].starts_with("room room-b free"), "{lines:?}");
        assert!(lines[1].starts_with("link room-a room-b dialing"), "{lines:?}");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn what_is_gone_is_in_no_snapshot() {
        let mut board = board();
        say(&mut board, "room room-a free city=Vienna");
        say(&mut board, "device room-a projector online");
        say(&mut board, "state room-a projector power=on");
        board.forget_device(&"room-a".parse().expect("one"), &"projector".parse().expect("one"));
        board.snapshot(None);
        assert_eq!(board.take_lines().len(), 3);
        board.forget_room(&"room-a".parse().expect("one"));
        board.snapshot(None);
        assert_eq!(board.take_lines().len(), 2);
    }
}
