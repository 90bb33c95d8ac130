//! The broker among slow, odd and failing clients, against a reference.
//!
//! `SEED=7` plays that world, `STEPS=1000000` that many steps in worlds never seen before.

use std::collections::BTreeMap;

use linebus_testkit::simulation::{WORLD_STEPS, simulate};

/// Worlds that every run of the suite plays.
const WORLDS: u64 = 80;

fn environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn the_broker_does_what_the_reference_does() {
    let (first, worlds, steps) = match (environment("SEED"), environment("STEPS")) {
        (Some(seed), steps) => (seed, 1, steps.unwrap_or(WORLD_STEPS)),
        (None, Some(steps)) => (fastrand::u64(..), steps.div_ceil(WORLD_STEPS), WORLD_STEPS),
        (None, None) => (0, WORLDS, WORLD_STEPS),
    };
    let played = std::thread::scope(|scope| {
        let threads = [0, 1].map(|half| {
            let seeds = (half..worlds).step_by(2).map(|world| first.wrapping_add(world));
            scope.spawn(move || seeds.map(|seed| simulate(seed, steps)).collect::<Vec<_>>())
        });
        threads.map(|thread| thread.join().expect("failures are values"))
    });
    let mut counts = BTreeMap::new();
    for played in played.into_iter().flatten() {
        for (kind, count) in played.unwrap_or_else(|failure| panic!("{failure}")) {
            *counts.entry(kind).or_insert(0) += count;
        }
    }
    println!("{counts:#?}");
    // What never happens in a simulation is not tested by it.
    let wanted = "recv watch pong logoff slow memory shutdown not-lines paused held too-many too-long \
                  bad-text bad-topic denied not-joined unknown-verb usage who topic help restart \
                  login-first wrong-login busy abuse kicked left";
    for kind in
        wanted.split_whitespace().chain(["not waited for", "in a burst"]).filter(|_| worlds > 1)
    {
        assert!(counts.contains_key(kind), "{kind} never happened: {counts:#?}");
    }
}

#[test]
#[cfg(feature = "canary")]
fn a_broken_line_in_the_broker_is_noticed() {
    let failure = (0..WORLDS).find_map(|seed| simulate(seed, WORLD_STEPS).err());
    println!("{}", failure.expect("the canary dies"));
}
