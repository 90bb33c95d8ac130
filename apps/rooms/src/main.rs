//! `rooms`: the conference rooms' command line. It only glues the library's parts.

mod back_up;
mod bus;
mod check;
mod keep;

use std::process::ExitCode;

use clap::Parser;

/// The conference rooms on the bus.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Backup(back_up::BackupArgs),
    Check(check::Args),
    Keep(keep::Args),
    Restore(back_up::RestoreArgs),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed; for check: something is wrong with the room files
  2  the command line is wrong";

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Backup(args) => back_up::backup(&args),
        Command::Check(args) => return check::run(&args),
        Command::Keep(args) => keep::run(&args),
        Command::Restore(args) => back_up::restore(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("rooms: {error:#}");
        ExitCode::FAILURE
    })
}
