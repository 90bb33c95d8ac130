//! What people call the rooms, in which order they see them, and who may call where. No IO, no
//! clock.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use rooms_messages::RoomName;

use crate::house::House;
use crate::records::{Directory, Grant};

/// The minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// The rooms as people see them.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue<'a> {
    /// What administrators say of them.
    pub directory: &'a Directory,
    /// What is so.
    pub house: &'a House,
}

/// Whether a room may call another now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Now,
    /// At other times it may.
    AtOtherTimes,
    /// It may not.
    Never,
}

impl Catalogue<'_> {
    /// What people call the city; the room's id if nobody has said.
    #[must_use]
    pub fn city(&self, room: &RoomName) -> String {
        let listed = self.directory.listings.get(room).map(|listing| listing.city.as_str());
        let filed = self.house.rooms.get(room).map(|room| room.city.as_str());
        let mut names = [listed, filed].into_iter().flatten().filter(|name| !name.is_empty());
        names.next().map_or_else(|| room.to_string(), str::to_owned)
    }

    /// Which room of the city it is, without the city before it.
    #[must_use]
    pub fn title(&self, room: &RoomName) -> String {
        let listed = self.directory.listings.get(room).map(|listing| listing.title.as_str());
        let filed = self.house.rooms.get(room).map(|room| room.title.as_str());
        let mut titles = [listed, filed].into_iter().flatten().filter(|title| !title.is_empty());
        let title = titles.next().unwrap_or_default();
        let city = self.city(room);
        let rest =
            title.strip_prefix(city.as_str()).map(|rest| rest.trim_start_matches([',', ' ']));
        rest.unwrap_or(title).to_owned()
    }

    /// City and room in one.
    #[must_use]
    pub fn name(&self, room: &RoomName) -> String {
        let (city, title) = (self.city(room), self.title(room));
        if title.is_empty() { city } else { format!("{city}, {title}") }
    }

    /// Its time zone: the server's if none or a wrong one was said.
    #[must_use]
    pub fn zone(&self, room: &RoomName) -> TimeZone {
        let zone = self.directory.listings.get(room).map_or("", |listing| listing.zone.as_str());
        if zone.is_empty() {
            return TimeZone::system();
        }
        TimeZone::get(zone).unwrap_or_else(|_| TimeZone::system())
    }

    /// All rooms that are known to either side, in the order in which people see them.
    #[must_use]
    pub fn rooms(&self) -> Vec<&RoomName> {
        let listed = self.directory.listings.keys();
        let mut rooms: Vec<_> = self
            .house
            .rooms
            .keys()
            .chain(listed.filter(|r| !self.house.rooms.contains_key(*r)))
            .collect();
        rooms.sort_by_cached_key(|room| {
            let position = self.directory.listings.get(*room).map_or(0, |listing| listing.position);
            (position, self.city(room).to_lowercase(), self.title(room), room.as_str())
        });
        rooms
    }

    /// Whether other rooms see it: it is there, and no administrator has hidden it.
    #[must_use]
    pub fn is_listed(&self, room: &RoomName) -> bool {
        let is_hidden = self.directory.listings.get(room).is_some_and(|listing| !listing.is_listed);
        self.house.rooms.get(room).is_some_and(|room| room.state.is_some()) && !is_hidden
    }

    /// Whether a room may call another.
    #[must_use]
    pub fn permission(&self, from: &RoomName, to: &RoomName, now: Timestamp) -> Permission {
        let now = now.to_zoned_datetime(self.zone(from));
        let mut permission = Permission::Never;
        for grant in self.directory.grants.values() {
            if grant.concerns(from, to) {
                if grant.holds_at(&now) {
                    return Permission::Now;
                }
                permission = Permission::AtOtherTimes;
            }
        }
        permission
    }
}

impl Grant {
    /// Whether it is of these rooms, at some time.
    #[must_use]
    pub fn concerns(&self, from: &RoomName, to: &RoomName) -> bool {
        let fits =
            |room: &RoomName, asked: &Option<RoomName>| asked.as_ref().is_none_or(|r| r == room);
        fits(from, &self.from) && fits(to, &self.to)
    }

    /// Whether it holds at this time of the caller's day.
    #[must_use]
    pub fn holds_at(&self, now: &ZonedDateTime) -> bool {
        let minute =
            u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        let day = now.weekday().to_monday_zero_offset();
        let on = |day: i8| self.days & (1 << day) != 0;
        if self.from_minute < self.to_minute {
            return on(day) && (self.from_minute..self.to_minute).contains(&minute);
        }
        // Past midnight it is still the day on which it began.
        on(day) && minute >= self.from_minute || on((day + 6) % 7) && minute < self.to_minute
    }

    /// When it holds, in words.
    #[must_use]
    pub fn times(&self) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let days = match self.days {
            0b111_1111 => "every day".to_owned(),
            0b001_1111 => "Mon to Fri".to_owned(),
            days => {
                let on = DAYS.iter().enumerate().filter(|(day, _)| days & (1 << day) != 0);
                on.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
            }
        };
        if (self.from_minute, self.to_minute) == (0, DAY_MINUTES) {
            return days;
        }
        format!("{days}, {} to {}", clock(self.from_minute), clock(self.to_minute))
    }
}

/// A minute of the day as `HH:MM`.
#[must_use]
pub fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// A minute of the day out of `HH:MM`, up to `24:00`.
#[must_use]
pub fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rooms_messages::Report;

    fn room(name: &str) -> RoomName {
        RoomName::new(name).expect("a name")
    }

    fn grant(days: u8, from_minute: u16, to_minute: u16) -> Grant {
        Grant { id: 1, from: None, to: Some(room("lisbon")), days, from_minute, to_minute }
    }

    fn at(text: &str) -> ZonedDateTime {
        text.parse().expect("a time")
    }

    #[test]
    fn a_grant_holds_on_its_days_between_its_times() {
        let office = grant(0b001_1111, 8 * 60, 18 * 60);
        assert!(office.holds_at(&at("2026-11-27T08:00[UTC]")), "a Friday");
        assert!(office.holds_at(&at("2026-11-27T17:59[UTC]")));
        assert!(!office.holds_at(&at("2026-11-27T07:59[UTC]")));
        assert!(!office.holds_at(&at("2026-11-27T18:00[UTC]")));
        assert!(!office.holds_at(&at("2026-11-28T12:00[UTC]")), "a Saturday");
        assert_eq!(office.times(), "Mon to Fri, 08:00 to 18:00");
    }

    #[test]
    fn a_grant_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = grant(0b000_0001, 22 * 60, 2 * 60);
        assert!(night.holds_at(&at("2026-11-30T23:00[UTC]")), "Monday night");
        assert!(night.holds_at(&at("2026-12-01T01:59[UTC]")), "still Monday night");
        assert!(!night.holds_at(&at("2026-11-30T01:00[UTC]")), "Sunday night");
        assert!(!night.holds_at(&at("2026-12-01T02:00[UTC]")));
    }

    #[test]
    fn a_whole_day_is_said_without_times() {
        assert_eq!(grant(0b111_1111, 0, DAY_MINUTES).times(), "every day");
        assert_eq!(grant(0b100_0001, 0, 60).times(), "Mon, Sun, 00:00 to 01:00");
        assert!(grant(0b111_1111, 0, DAY_MINUTES).holds_at(&at("2026-11-27T23:59[UTC]")));
    }

    #[test]
    fn minutes_are_read_as_they_are_written() {
        for minute_of_day in 0..=DAY_MINUTES {
            assert_eq!(minute(&clock(minute_of_day)), Some(minute_of_day));
        }
        for wrong in ["", "8", "24:01", "08:60", "-1:00", "99999:00", "a:b"] {
            assert_eq!(minute(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_grant_that_fits_is_enough_and_times_are_the_callers() {
        let house = House::default();
        let mut directory = Directory::default();
        let calls = |directory: &Directory, from: &str, to: &str| {
            let now = "2026-11-27T23:30:00Z".parse().expect("a time");
            Catalogue { directory, house: &house }.permission(&room(from), &room(to), now)
        };
        assert_eq!(calls(&directory, "vienna", "lisbon"), Permission::Never);
        directory.grants.insert(1, grant(0b111_1111, 0, 12 * 60));
        directory.listings.insert(
            room("vienna"),
            crate::records::Listing {
                room: room("vienna"),
                city: String::new(),
                title: String::new(),
                zone: "Europe/Vienna".to_owned(),
                position: 0,
                is_listed: true,
                notes: String::new(),
                version: 0,
            },
        );
        directory.listings.insert(
            room("oslo"),
            crate::records::Listing {
                room: room("oslo"),
                zone: "UTC".to_owned(),
                ..directory.listings[&room("vienna")].clone()
            },
        );
        assert_eq!(calls(&directory, "vienna", "lisbon"), Permission::Now, "00:30 there");
        assert_eq!(calls(&directory, "oslo", "lisbon"), Permission::AtOtherTimes, "23:30 there");
        assert_eq!(calls(&directory, "vienna", "oslo"), Permission::Never);
    }

    #[test]
    fn people_see_what_administrators_say_and_else_what_the_file_says() {
        let mut house = House::default();
        let line = "room vienna free city=Vienna title=\"Vienna, Room 2.14\"";
        house.hear(&Report::parse(line).expect("a line"), Timestamp::UNIX_EPOCH);
        let directory = Directory::default();
        let catalogue = Catalogue { directory: &directory, house: &house };
        assert_eq!(catalogue.city(&room("vienna")), "Vienna");
        assert_eq!(catalogue.title(&room("vienna")), "Room 2.14");
        assert_eq!(catalogue.name(&room("vienna")), "Vienna, Room 2.14");
        assert_eq!(catalogue.city(&room("nowhere")), "nowhere");
        assert!(catalogue.is_listed(&room("vienna")) && !catalogue.is_listed(&room("nowhere")));
    }
}
