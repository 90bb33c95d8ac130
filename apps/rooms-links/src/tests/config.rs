//! Configurations that can't work say so.

use std::time::Duration;

use super::transcript::rooms;
use crate::{Config, ConfigError, Incoming, Links, Pairing, RoomConfig};

fn error(change: impl FnOnce(&mut Config)) -> ConfigError {
    let mut config = rooms();
    change(&mut config);
    Links::new(config).expect_err("it can't work")
}

#[test]
fn two_rooms_of_one_name_are_an_error() {
    let error = error(|config| config.rooms.push(RoomConfig::new("a", "Graz", "sip:graz")));
    assert_eq!(error.to_string(), "there are two rooms `a`; give each its own name");
}

#[test]
fn one_number_for_two_rooms_is_an_error_however_it_is_written() {
    let error = error(|config| config.rooms[2].appears_as.push("h323:LISBON ".into()));
    assert_eq!(error, ConfigError::SameNumber("lisbon".into(), "b".into(), "c".into()));
}

#[test]
fn an_empty_number_is_an_error() {
    let error = error(|config| config.rooms[0].appears_as.push("sip:".into()));
    assert_eq!(error, ConfigError::NoNumber("a".into()));
}

#[test]
fn a_room_where_nothing_rings_cannot_ask() {
    let error = error(|config| {
        config.rooms[1].pairing = Pairing::Both;
        config.rooms[1].incoming = Incoming::Ask;
    });
    assert_eq!(error, ConfigError::NothingRings("b".into()));
}

#[test]
fn a_timer_shorter_than_a_report_takes_is_an_error() {
    let hasty = |timers: &mut crate::Timers| timers.hangup = Duration::from_millis(999);
    assert_eq!(
        error(|config| hasty(&mut config.rooms[0].timers)),
        ConfigError::TooHasty("a".into())
    );
    assert_eq!(error(|config| config.start = Duration::ZERO), ConfigError::TooHasty("a".into()));
}

#[test]
fn one_number_of_one_room_may_be_written_twice() {
    let mut config = rooms();
    config.rooms[0].appears_as.push("VIENNA".into());
    Links::new(config).expect("it says the same");
}
