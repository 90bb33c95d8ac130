//! `rooms devices`: speak with the rooms' devices, and with everybody over the bus.

use std::path::PathBuf;
use std::process::ExitCode;

use rooms::backup::OwnerName;
use rooms::devices::{self, Options};
use tracing_subscriber::filter::LevelFilter;

use super::bus::{Bus, block_on};
use super::explain;

/// Speak with the devices of all rooms: wishes come on the bus's topic syslib, facts go to rooms.
///
/// Standard output says `ready` when wishes are heard. SIGHUP, or the wish `reload`, reads the room
/// files again; SIGTERM and SIGINT end it. Calls that there are go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of room files; `rooms check` explains what is wrong with them.
    #[arg(long, value_name = "DIR")]
    rooms: PathBuf,
    /// All devices are simulated on ports of this machine, from this one on.
    #[arg(long, value_name = "BASE_PORT", value_parser = clap::value_parser!(u16).range(1..))]
    simulated: Option<u16>,
    /// Write into this folder what people wanted and saved and who was connected, and send it with
    /// the room files to `rooms keep`. Without it nothing outlasts this process.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Under which name the keeper has that; of two that run at a time each needs another one.
    #[arg(long, value_name = "NAME", default_value = "rooms-devices")]
    owner: OwnerName,
    /// How much to say on standard error: error, warn, info or debug.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
    #[command(flatten)]
    bus: Bus,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false);
    log.with_max_level(args.log).init();
    let (rooms, warnings) = match rooms_files::read(&args.rooms) {
        Ok(read) => read,
        Err(mistakes) => return Ok(explain(&mistakes)),
    };
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let bus = args.bus.builder()?;
    let Args { rooms: folder, simulated, state, owner, .. } = args;
    let options = Options { folder, bus, simulated, state, owner };
    block_on(devices::run(options, rooms))?;
    Ok(ExitCode::SUCCESS)
}
