//! `rooms devices`: speak with the rooms' devices, and with everybody over the bus.

use std::path::PathBuf;
use std::process::ExitCode;

use rooms::devices::{self, Failure, Options};
use tracing_subscriber::filter::LevelFilter;

/// Speak with the devices of all rooms: wishes come on the bus's topic syslib, facts go to rooms.
///
/// Standard output says `ready` when wishes are heard. SIGHUP, or the wish `reload`, reads the room
/// files again; SIGTERM and SIGINT end it. Calls that there are go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of room files; `rooms check` explains what is wrong with them.
    #[arg(long, value_name = "DIR")]
    rooms: PathBuf,
    /// The bus: linebus://[user[:password]@]host[:port], linebuss://… for TLS, or unix:/path.
    #[arg(
        long,
        value_name = "URL",
        env = "LINEBUS_URL",
        default_value = "linebus://127.0.0.1:5463",
        hide_env_values = true
    )]
    bus: String,
    /// All devices are simulated on ports of this machine, from this one on.
    #[arg(long, value_name = "BASE_PORT", value_parser = clap::value_parser!(u16).range(1..))]
    simulated: Option<u16>,
    /// How much to say on standard error: error, warn, info or debug.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false);
    log.with_max_level(args.log).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("can't start: {error}")),
    };
    let options = Options { rooms: args.rooms, bus: args.bus, simulated: args.simulated };
    match runtime.block_on(devices::run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Rooms(mistakes)) => {
            mistakes.iter().for_each(|mistake| eprintln!("rooms: {mistake}"));
            ExitCode::FAILURE
        }
        Err(Failure::Bus(error)) => failed(&error.to_string()),
        Err(Failure::Other(text)) => failed(&text),
    }
}

fn failed(text: &str) -> ExitCode {
    eprintln!("rooms: {text}");
    ExitCode::FAILURE
}
