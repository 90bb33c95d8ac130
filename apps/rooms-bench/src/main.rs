//! `rooms-bench`: many rooms on the simulator, and what speaking with them costs. Writes the page
//! of figures, which says what is required.

mod folder;
mod page;
mod presses;
mod programs;
mod projector;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use linebus_bench::process::{cpu_time, resident_bytes};
use linebus_client::blocking::{Client, Events};
use tempfile::TempDir;

use page::Figures;
use programs::{Program, heard};

/// Measure `rooms devices` with many rooms, whose devices `rooms simulate` plays, and write the
/// figures as a page.
#[derive(Debug, Parser)]
struct Args {
    /// The folder with the programs `linebus` and `rooms`, built for release.
    #[arg(long, value_name = "DIR")]
    programs: PathBuf,
    /// How many rooms, with six devices each.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    rooms: usize,
    /// How long to look at it while nobody wishes anything.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    idle: u64,
    /// How many presses.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000)]
    presses: usize,
    /// Write the page there; on standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fail if a figure is not as required.
    #[arg(long)]
    check: bool,
}

/// Far longer than any number of rooms takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// After the start, devices are still asked for this and that.
const SETTLED_AFTER: Duration = Duration::from_secs(20);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let figures = measure(&args)?;
    let page = figures.page();
    match &args.out {
        Some(file) => std::fs::write(file, page).with_context(|| file.display().to_string())?,
        None => print!("{page}"),
    }
    ensure!(!args.check || figures.are_as_required(), "not every figure is as required");
    Ok(())
}

fn measure(args: &Args) -> anyhow::Result<Figures> {
    let folder = TempDir::new()?;
    folder::write(folder.path(), args.rooms)?;
    let bus =
        Program::start(&args.programs.join("linebus"), &["serve", "--listen", "127.0.0.1:0"])?;
    let address = bus.said.iter().find_map(|line| line.strip_prefix("listening tcp "));
    let url = format!("linebus://{}", address.context("the bus says where it listens")?);
    let rooms = folder.path().to_str().context("a temporary folder's name is text")?;
    let binary = args.programs.join("rooms");
    let simulator = Program::start(
        &binary,
        &["simulate", "--bus", &url, "--rooms", rooms, "--base-port", "0"],
    )?;
    let places: Vec<_> = simulator.said.iter().filter_map(|line| line.rsplit_once(':')).collect();
    let base: u16 = places.first().context("there are devices")?.1.parse()?;
    // One more room, after the others, whose projector is ours.
    let projector = projector::play(base + u16::try_from(places.len())?)?;
    folder::write_ours(folder.path())?;

    let (client, mut events) = Client::connect(&url)?;
    client.recv("rooms")?;
    let began = Instant::now();
    let simulated = base.to_string();
    let arguments = ["devices", "--bus", &url, "--rooms", rooms, "--simulated", &simulated];
    let interface = Program::start(&binary, &[&arguments[..], &["--log", "error"]].concat())?;
    let devices = places.len() + 1;
    until_online(&mut events, devices)?;
    let online_after = began.elapsed();

    drain(&mut events, SETTLED_AFTER);
    let (cpu_before, _) = cpu_time(interface.id())?;
    let watched = Duration::from_secs(args.idle);
    drain(&mut events, watched);
    let idle = cpu_time(interface.id())?.0.saturating_sub(cpu_before);
    let resident = resident_bytes(interface.id())?;
    let presses = presses::measure(&client, &mut events, &projector, args.presses)?;
    Ok(Figures {
        rooms: args.rooms,
        devices,
        online_after,
        idle_percent: 100.0 * idle.as_secs_f64() / watched.as_secs_f64(),
        watched,
        resident,
        presses,
    })
}

/// Waits until every device is said to be online.
fn until_online(events: &mut Events, devices: usize) -> anyhow::Result<()> {
    let mut online = std::collections::HashSet::new();
    let until = Instant::now() + PATIENCE;
    while online.len() < devices {
        let text = heard(events, until).with_context(|| format!("{} are online", online.len()))?;
        let words: Vec<_> = text.split(' ').collect();
        if let ["device", room, device, state, ..] = words[..]
            && !text.contains(" role=bridge")
        {
            let name = format!("{room} {device}");
            if state == "online" {
                online.insert(name)
            } else {
                online.remove(&name)
            };
        }
    }
    Ok(())
}

/// Listens for so long, as everybody who is on the bus does.
fn drain(events: &mut Events, time: Duration) {
    let until = Instant::now() + time;
    while heard(events, until).is_ok() {}
}
