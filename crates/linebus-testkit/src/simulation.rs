//! The broker in a world of slow, odd and failing clients, in one thread, from one seed; held
//! against the [reference](crate::model) after each step.
//!
//! A failing simulation is played again with fewer and fewer steps as long as it fails, and what
//! is left prints itself as a transcript.

pub mod pair;
pub mod pipe;
pub mod reader;
pub mod record;
pub mod script;
pub mod shell;
pub mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use record::Record;
use world::World;

use crate::ledger::Verdict;

/// Steps in one world: enough for its clients to come and go.
pub const WORLD_STEPS: u64 = 1_000;
/// How often a failing simulation is played again, to find fewer steps that fail.
const REPLAYS_MAX: usize = 3_000;

/// A simulation that failed.
#[derive(Debug)]
pub struct Failure {
    /// Of the world.
    pub seed: u64,
    /// How many steps it took.
    pub steps: usize,
    /// What must not be.
    pub wrong: String,
    /// What led to it.
    pub transcript: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, steps, wrong, transcript } = self;
        writeln!(f, "{wrong}\nSEED={seed}; of its steps these {steps} are enough:")?;
        f.write_str(transcript)
    }
}

/// Plays that many steps in the world of this seed; says how often each kind of thing happened.
///
/// # Errors
/// The failure, made short.
pub fn simulate(seed: u64, steps: u64) -> Result<BTreeMap<String, usize>, Box<Failure>> {
    let steps: Vec<_> = (0..steps).collect();
    let mut world = World::new(seed, Record::default());
    match play(&mut world, &steps) {
        Ok(()) => Ok(std::mem::take(&mut world.pair.record.counts)),
        Err(_) => Err(Box::new(explain(seed, steps))),
    }
}

/// Plays, and takes a panic for a failure like others.
fn play(world: &mut World, steps: &[u64]) -> Verdict {
    let played = catch_unwind(AssertUnwindSafe(|| world.play(steps)));
    played.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", said.unwrap_or("?")))
    })
}

/// Finds few steps that fail as well, and what happens in them.
fn explain(seed: u64, steps: Vec<u64>) -> Failure {
    // Panics on the way are expected and would bury the transcript.
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let fails = |steps: &[u64]| play(&mut World::new(seed, Record::default()), steps).is_err();
    let steps = shrink(steps, fails);
    let mut world = World::new(seed, Record::with_transcript());
    let played = play(&mut world, &steps);
    set_hook(hook);
    Failure {
        seed,
        steps: steps.len(),
        wrong: played.err().unwrap_or_else(|| "it failed once, and not again".to_owned()),
        transcript: world.pair.record.transcript(),
    }
}

/// Leaves out ever smaller parts of `steps` as long as the rest fails.
fn shrink(mut steps: Vec<u64>, fails: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    let mut part = steps.len().div_ceil(2);
    for _ in 0..REPLAYS_MAX {
        let mut at = 0;
        let before = steps.len();
        while at < steps.len() {
            let end = (at + part).min(steps.len());
            let rest = [&steps[..at], &steps[end..]].concat();
            if fails(&rest) {
                steps = rest;
            } else {
                at = end;
            }
        }
        if part == 1 && steps.len() == before {
            break;
        }
        part = part.div_ceil(2);
    }
    steps
}
