//! The model check: all ways two rooms can go, and three rooms with a bounded number of presses and
//! faults. Run with `--nocapture` it says how many states there are; `--ignored` goes deeper.

use super::check::{Findings, search};
use super::world::{ALWAYS, Setup};
use crate::alarms::Wait;
use crate::{Incoming, Pairing};

/// Two rooms with everything that there is, as often as it likes.
const TWO: Setup = Setup {
    rooms: 2,
    incoming: Incoming::Open,
    pairing: Pairing::DialAnswer,
    presses: ALWAYS,
    faults: ALWAYS,
    missing: None,
    restarts: true,
    sleeps: true,
    cut_at_once: 1,
    deafness: false,
    late: false,
};

const THREE: Setup =
    Setup { rooms: 3, presses: 2, faults: 1, restarts: false, sleeps: false, ..TWO };

fn every_way_ends_well(setup: &Setup) -> Findings {
    let findings = search(setup, 20_000_000);
    println!(
        "{} states, {} steps, {} dead ends: {setup:?}",
        findings.states, findings.steps, findings.dead_ends
    );
    assert_eq!(findings.dead_ends, 0, "{}", findings.example);
    findings
}

#[test]
fn whatever_happens_to_two_rooms_ends_well() {
    let found = every_way_ends_well(&TWO);
    assert!(found.states > 30_000, "the world does what it should: {} states", found.states);
}

#[test]
fn whatever_happens_ends_well_where_somebody_has_to_answer() {
    let found = every_way_ends_well(&Setup { incoming: Incoming::Ask, restarts: false, ..TWO });
    assert!(found.states > 15_000, "the world does what it should: {} states", found.states);
}

#[test]
fn whatever_happens_ends_well_where_each_room_is_told_about_the_other() {
    every_way_ends_well(&Setup { pairing: Pairing::Both, ..TWO });
}

#[test]
fn whatever_happens_to_three_rooms_ends_well() {
    let found = every_way_ends_well(&THREE);
    assert!(found.states > 30_000, "the world does what it should: {} states", found.states);
}

#[test]
fn late_commands_and_late_reports_end_well() {
    every_way_ends_well(&Setup { late: true, deafness: true, presses: 1, faults: 1, ..TWO });
}

#[test]
fn each_timer_that_is_taken_away_is_missed() {
    for (missing, incoming) in [
        (Wait::Prepare, Incoming::Open),
        (Wait::Dial, Incoming::Open),
        (Wait::Ask, Incoming::Ask),
        (Wait::Confirm, Incoming::Open),
        (Wait::HalfOpen, Incoming::Open),
        (Wait::Retry, Incoming::Open),
        (Wait::Grace, Incoming::Open),
        (Wait::Hangup, Incoming::Open),
    ] {
        let setup = Setup {
            missing: Some(missing),
            incoming,
            presses: 1,
            faults: 2,
            deafness: true,
            ..TWO
        };
        let findings = search(&setup, 1_000_000);
        println!(
            "without {missing:?}: {} of {} states are dead ends, the first:\n{}\n",
            findings.dead_ends, findings.states, findings.example
        );
        assert!(findings.dead_ends > 0, "nothing is missed without {missing:?}");
    }
}

#[test]
#[ignore = "minutes and gigabytes"]
fn deeper_ways_of_two_rooms_end_well() {
    every_way_ends_well(&Setup { cut_at_once: 2, deafness: true, ..TWO });
    every_way_ends_well(&Setup { cut_at_once: 2, incoming: Incoming::Ask, ..TWO });
    every_way_ends_well(&Setup { late: true, deafness: true, presses: 2, faults: 2, ..TWO });
}

#[test]
#[ignore = "minutes and gigabytes"]
fn deeper_ways_of_three_rooms_end_well() {
    every_way_ends_well(&Setup { incoming: Incoming::Ask, presses: 3, ..THREE });
    every_way_ends_well(&Setup { presses: 2, faults: 2, ..THREE });
}
