//! `rooms check`: are the room files right, and if not, where and what instead.

use std::path::PathBuf;
use std::process::ExitCode;

use rooms::room_file::{self, Drivers, Rooms};

/// Check a folder of room files: every mistake with its file, line, key and what would be right.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder: each FILE.toml in it is a room, each drivers/NAME.toml describes a device.
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let (said, code) = match room_file::read(&args.dir, &Drivers::default()) {
        Ok((rooms, warnings)) => {
            println!("{}: {}", args.dir.display(), counted(&rooms));
            (warnings, ExitCode::SUCCESS)
        }
        Err(mistakes) => (mistakes, ExitCode::FAILURE),
    };
    for mistake in said {
        eprintln!("rooms: {mistake}");
    }
    code
}

fn counted(rooms: &Rooms) -> String {
    let devices: usize = rooms.iter().map(|room| room.devices.len()).sum();
    let of =
        |count, what| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    let are = if rooms.len() == 1 { "is" } else { "are" };
    format!("{} with {} {are} right", of(rooms.len(), "room"), of(devices, "device"))
}
