//! `rooms simulate`: play the rooms' devices.

use std::path::PathBuf;
use std::process::ExitCode;

use rooms::simulate::{self, Options};

use super::bus::{Bus, block_on};
use super::explain;

/// Play every device of every room: a test bench, a demonstration, a place to practise.
///
/// Says on standard output where each device is, then `ready`. Orders come on the bus's topic
/// `simulator` and are answered there; `help` there lists them. SIMULATOR.md explains them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of room files.
    #[arg(long, value_name = "DIR")]
    rooms: PathBuf,
    /// The first device's port, on 127.0.0.1; 0 looks for ports that are free.
    #[arg(long, value_name = "N", default_value_t = 24_000)]
    base_port: u16,
    /// How many times faster than the world time passes; only how long a device waits for a silent
    /// controller stays as it is.
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// The same seed makes the same numbers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Put serial devices on pseudo-terminals DIR/ROOM-DEVICE instead of ports.
    #[arg(long, value_name = "DIR")]
    pty: Option<PathBuf>,
    /// Give the orders of this file: a time such as 2.5s and an order a line.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Write every frame into this file.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    #[command(flatten)]
    bus: Bus,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: Option<f64> = text.parse().ok();
    speed.filter(|speed| (0.01..=1000.0).contains(speed)).ok_or("from 0.01 to 1000".to_owned())
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (rooms, warnings) = match rooms_files::read(&args.rooms) {
        Ok(read) => read,
        Err(mistakes) => return Ok(explain(&mistakes)),
    };
    warnings.iter().for_each(|warning| eprintln!("rooms: {warning}"));
    let bus = args.bus.builder()?;
    let Args { base_port, speed, seed, pty, script, transcript, .. } = args;
    let options = Options { bus, base_port, speed, seed, pty, script, transcript };
    block_on(simulate::run(options, &rooms))?;
    Ok(ExitCode::SUCCESS)
}
