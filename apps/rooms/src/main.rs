//! `rooms`: the conference rooms' command line. It only glues the library's parts.

mod check;
mod speak;

use std::process::ExitCode;

use clap::Parser;
use rooms::simulate;

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
    Devices(speak::Args),
    Simulate(simulate::Options),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed; for check: something is wrong with the room files
  2  the command line is wrong";

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Devices(args) => speak::run(args),
        Command::Simulate(options) => match simulate::run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(mistakes) => {
                mistakes.iter().for_each(|mistake| eprintln!("rooms: {mistake}"));
                ExitCode::FAILURE
            }
        },
    }
}
