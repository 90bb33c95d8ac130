//! `rooms-bench`: many rooms on the simulator, and what speaking with them and showing them costs.
//! Writes the page of figures, which says what is required.

mod administration;
mod browser;
mod folder;
mod interface;
mod page;
mod panels;
mod presses;
mod programs;
mod projector;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Parser;

/// Measure `rooms devices` and `rooms panel` with many rooms, whose devices `rooms simulate` plays, and
/// write the figures as a page.
#[derive(Debug, Parser)]
struct Args {
    /// The folder with the programs `linebus` and `rooms`, built for release.
    #[arg(long, value_name = "DIR")]
    programs: PathBuf,
    /// How many rooms, with six devices each, and how many panels.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    rooms: usize,
    /// How long to look at it while nobody wishes anything.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    idle: u64,
    /// How many presses.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000)]
    presses: usize,
    /// How many calls the history has that is searched.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    calls: u32,
    /// Write the page there; on standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fail if a figure is not as required.
    #[arg(long)]
    check: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut rooms = interface::Rooms::start(&args)?;
    let sections = [rooms.measure(&args)?, panels::measure(&args, &mut rooms)?];
    drop(rooms);
    let sections = sections.into_iter().chain([administration::measure(&args)?]);
    let sections: Vec<_> = sections.collect();
    let page = page::page(&sections);
    match &args.out {
        Some(file) => std::fs::write(file, page).with_context(|| file.display().to_string())?,
        None => print!("{page}"),
    }
    ensure!(!args.check || page::are_as_required(&sections), "not every figure is as required");
    Ok(())
}
