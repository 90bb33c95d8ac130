//! `rooms check`: are the room files right, and if not, where and what instead.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use rooms_files::Rooms;

/// Check a folder of room files: every mistake with its file, line, key and what would be right.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder: each FILE.toml in it is a room, each drivers/NAME.toml describes a device.
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let (said, code) = match rooms_files::read(&args.dir) {
        Ok((rooms, warnings)) => {
            say(io::stdout(), &format!("{}: {}", args.dir.display(), counted(&rooms)));
            (warnings, ExitCode::SUCCESS)
        }
        Err(mistakes) => (mistakes, ExitCode::FAILURE),
    };
    for mistake in said {
        say(io::stderr(), &format!("rooms: {mistake}"));
    }
    code
}

/// Says a line, if anybody still reads.
fn say(mut to: impl Write, line: &str) {
    let _ = writeln!(to, "{line}");
}

fn counted(rooms: &Rooms) -> String {
    let devices: usize = rooms.iter().map(|room| room.devices.len()).sum();
    let of =
        |count, what| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    let are = if rooms.len() == 1 { "is" } else { "are" };
    format!("{} with {} {are} right", of(rooms.len(), "room"), of(devices, "device"))
}
