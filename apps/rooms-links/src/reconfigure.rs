//! Other rooms, while links go on: what stays the same feels nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alarms::Alarm;
use crate::config::{Config, ConfigError};
use crate::ledger::Goal;
use crate::{Effect, Links, Reason, Room, RoomState, Why};

impl Links {
    /// From now on these are the rooms. Links of rooms that are still there go on; those of rooms
    /// that are gone are over, though not their calls. Numbers are looked at anew with each codec's
    /// next report of its calls.
    ///
    /// # Errors
    /// As with [`Links::new`], and then nothing has changed.
    pub fn reconfigure(
        &mut self,
        config: &Config,
        now: Duration,
    ) -> Result<Vec<Effect>, ConfigError> {
        let numbers = config.numbers()?;
        self.now = self.now.max(now);
        let old = Arc::clone(&self.config);
        let gone: Vec<_> = (0..old.rooms.len())
            .filter(|room| !config.rooms.iter().any(|new| new.name == old.rooms[*room].name))
            .collect();
        gone.iter().for_each(|room| self.forget(*room));
        // A room keeps its place, and so what refers to it; the place of one that is gone stays
        // empty.
        let mut rooms = old.rooms.clone();
        gone.iter().for_each(|room| rooms[*room].name = Room::from(""));
        let mut places = Vec::new();
        for room in &config.rooms {
            let place = rooms.iter().position(|known| known.name == room.name);
            let place = place.unwrap_or(rooms.len());
            places.push(place);
            if place == rooms.len() {
                rooms.push(room.clone());
                self.rooms.push(RoomState::new());
            } else {
                rooms[place] = room.clone();
            }
        }
        let numbers: HashMap<_, _> =
            numbers.into_iter().map(|(number, room)| (number, places[room])).collect();
        self.numbers = Arc::new(numbers);
        self.config = Arc::new(Config { rooms, ..*config });
        self.reconcile();
        Ok(std::mem::take(&mut self.effects))
    }

    fn forget(&mut self, room: usize) {
        let pairs: Vec<_> = self.links.keys().filter(|pair| pair.has(room)).copied().collect();
        for pair in pairs {
            let text = format!("There is no room {} any more.", self.name(room));
            let why = Why::new(Reason::Cancelled, text);
            if let Some(link) = self.links.get_mut(&pair) {
                link.why = Some(why.clone());
            }
            self.over(pair);
            self.ledger.settle(Goal::Connected(pair), &Err(why), &mut self.effects);
        }
        self.alarms.cancel(Alarm::Hangup(room));
        self.alarms.cancel(Alarm::HalfOpen(room));
        self.rooms[room] = RoomState::new();
    }
}
