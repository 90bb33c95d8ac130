//! The other rooms, as one room sees them.

use askama::Template;
use rooms_messages::{Phase, RoomName, RoomState};

use super::words::{Mark, Shape, hour};
use super::{Look, Press};
use crate::catalogue::Permission;

/// One other room.
#[derive(Debug, Template)]
#[template(path = "panel/card.html")]
pub struct Card {
    /// Its id.
    pub room: String,
    /// What people call it.
    pub city: String,
    /// Which room of the city.
    pub title: String,
    /// How it is.
    pub mark: Mark,
    /// What more there is to say, after the mark's time.
    pub hint: &'static str,
    /// What touching it does; nothing if it can't be called.
    pub press: Option<Press>,
    /// Whether it is soft and dashed.
    pub is_away: bool,
    /// Whether it is being called from here.
    pub is_called: bool,
}

impl Look<'_> {
    pub(super) fn cards(&self) -> Vec<Card> {
        self.catalogue().rooms().into_iter().filter_map(|room| self.card(room)).collect()
    }

    pub(super) fn card(&self, other: &RoomName) -> Option<Card> {
        let catalogue = self.catalogue();
        let permission = catalogue.permission(self.room, other, self.now);
        if other == self.room || !catalogue.is_listed(other) || permission == Permission::Never {
            return None;
        }
        let known = self.shown.house.rooms.get(other)?;
        let zone = catalogue.zone(self.room);
        let mut card = Card {
            room: other.to_string(),
            city: catalogue.city(other),
            title: catalogue.title(other),
            mark: Mark::new(Shape::Dot, "good", "Free".to_owned()),
            hint: "",
            press: None,
            is_away: false,
            is_called: false,
        };
        let link = self.shown.house.link_of(self.room);
        if let Some((_, _, link)) = link.filter(|_| self.other() == Some(other)) {
            let word = match link.phase {
                Phase::Disconnecting => "Ending",
                _ => "Calling",
            };
            card.mark = Mark::new(Shape::Ring, "accent", word.to_owned());
            card.mark.since = Some(link.since.as_millisecond());
            let seconds = self.now.duration_since(link.since).as_secs().max(0);
            card.mark.text = format!("{seconds} s");
            card.is_called = true;
            if link.phase != Phase::Disconnecting {
                card.hint = "touch to cancel";
                card.press = self.press(format!("disconnect {other}"));
            }
            return Some(card);
        }
        let away = |text: String| Mark::new(Shape::Bar, "soft", text);
        match known.state {
            Some(RoomState::Free) if permission == Permission::AtOtherTimes => {
                card.mark = away("Not at this time".to_owned());
                card.is_away = true;
            }
            // One call at a time.
            Some(RoomState::Free) if link.is_some() => {}
            Some(RoomState::Free) => card.press = self.press(format!("connect {other}")),
            Some(RoomState::Busy) => {
                card.mark = Mark::new(Shape::Ring, "warn", "In a call".to_owned());
            }
            Some(RoomState::Maintenance) => {
                let until = known.until.map(|at| format!(" until {}", hour(at, &zone)));
                card.mark = away(format!("Maintenance{}", until.unwrap_or_default()));
                card.is_away = true;
            }
            Some(RoomState::Offline) | None => {
                let since = known.since.map(|at| format!(" since {}", hour(at, &zone)));
                card.mark = away(format!("Not reachable{}", since.unwrap_or_default()));
                card.is_away = true;
            }
        }
        Some(card)
    }
}
