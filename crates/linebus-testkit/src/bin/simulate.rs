//! Many simulated worlds, one after the other: `cargo xtask simulate`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use linebus_testkit::simulation::{WORLD_STEPS, simulate};

/// How often a person is told how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Plays the broker among slow, odd and failing clients, and holds it against the reference after
/// every step.
#[derive(Parser)]
struct Cli {
    /// How many steps to play, in worlds of 1 000 steps each.
    #[arg(long, default_value_t = 3_000_000)]
    steps: u64,
    /// The seed of the first world; the next ones follow it. Without one, worlds never seen before.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let Cli { steps, seed } = Cli::parse();
    let first = seed.unwrap_or_else(|| fastrand::u64(..));
    let worlds = steps.div_ceil(WORLD_STEPS);
    println!("seeds from {first}, {worlds} worlds of {WORLD_STEPS} steps");
    let mut counts = BTreeMap::new();
    let (begin, mut told) = (Instant::now(), Instant::now());
    for world in 0..worlds {
        match simulate(first.wrapping_add(world), WORLD_STEPS) {
            Ok(played) => {
                played.into_iter().for_each(|(kind, n)| *counts.entry(kind).or_insert(0) += n);
            }
            Err(failure) => {
                eprintln!("{failure}");
                eprintln!("again: cargo xtask simulate --steps 1 --seed {}", failure.seed);
                return ExitCode::FAILURE;
            }
        }
        if told.elapsed() > TOLD_EVERY && std::io::stderr().is_terminal() {
            told = Instant::now();
            eprint!("\r{} of {worlds} worlds", world + 1);
            // Only a person looks at it.
            let _ = std::io::stderr().flush();
        }
    }
    report(worlds, begin.elapsed(), &counts);
    ExitCode::SUCCESS
}

fn report(worlds: u64, took: Duration, counts: &BTreeMap<String, usize>) {
    let (steps, seconds) = (worlds * WORLD_STEPS, took.as_secs_f64());
    let per_second = u128::from(steps) * 1_000 / took.as_millis().max(1);
    println!("{steps} steps in {worlds} worlds in {seconds:.1} s, {per_second} per second");
    println!("what clients heard, and what happened:");
    for (kind, count) in counts {
        println!("{count:>12}  {kind}");
    }
}
