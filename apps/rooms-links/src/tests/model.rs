//! The model check: all ways two rooms can go, and three rooms with a bounded number of presses.

use super::check::{Findings, search};
use super::world::{ALWAYS, Setup};
use crate::Incoming;
use crate::alarms::Wait;

const TWO: Setup = Setup {
    rooms: 2,
    incoming: Incoming::Open,
    presses: ALWAYS,
    faults: ALWAYS,
    missing: None,
    restarts: false,
    sleeps: false,
    late: false,
};

fn all_ways_end_well(setup: &Setup, states_max: usize) -> Findings {
    let findings = search(setup, states_max);
    println!(
        "{setup:?}: {} states, {} steps, {} dead",
        findings.states, findings.steps, findings.dead_ends
    );
    assert_eq!(findings.dead_ends, 0, "{}", findings.example);
    findings
}

#[test]
fn whatever_happens_to_two_rooms_ends_well() {
    all_ways_end_well(&TWO, 1_000_000);
}

#[test]
fn x_two_small() {
    let two = Setup { presses: 2, faults: 1, ..TWO };
    all_ways_end_well(&Setup { restarts: true, ..two }, 1_000_000);
    all_ways_end_well(&Setup { sleeps: true, ..two }, 1_000_000);
    all_ways_end_well(&Setup { incoming: Incoming::Ask, ..two }, 1_000_000);
    all_ways_end_well(&Setup { late: true, ..two }, 1_000_000);
    all_ways_end_well(&Setup { rooms: 3, ..two }, 1_000_000);
}
#[test]
fn x_two_big() {
    all_ways_end_well(&Setup { restarts: true, ..TWO }, 1_000_000);
    all_ways_end_well(&Setup { sleeps: true, ..TWO }, 1_000_000);
    all_ways_end_well(&Setup { incoming: Incoming::Ask, ..TWO }, 1_000_000);
}
#[test]
fn x_missing() {
    for wait in [
        Wait::Prepare,
        Wait::Dial,
        Wait::Ask,
        Wait::Confirm,
        Wait::Retry,
        Wait::Grace,
        Wait::Hangup,
    ] {
        let incoming = if wait == Wait::Ask { Incoming::Ask } else { Incoming::Open };
        let findings = search(
            &Setup { missing: Some(wait), presses: 2, faults: 2, incoming, ..TWO },
            1_000_000,
        );
        println!(
            "{wait:?} {} states, {} dead, {}",
            findings.states, findings.dead_ends, findings.example
        );
    }
}
