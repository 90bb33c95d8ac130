//! `rooms`: the conference rooms' command line. It only glues the library's parts.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use commands::{backup, check, demo, devices, keep, panel, simulate};

/// The conference rooms on the bus.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Devices(devices::Args),
    Simulate(simulate::Args),
    Keep(keep::Args),
    Panel(panel::Args),
    Demo(demo::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed; for check: something is wrong with the room files
  2  the command line is wrong";

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => return check::run(&args),
        Command::Devices(args) => devices::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Panel(args) => panel::run(args),
        Command::Keep(args) => keep::run(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => backup::restore(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("rooms: {error:#}");
        ExitCode::FAILURE
    })
}
