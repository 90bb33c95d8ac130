//! The `linebus` command. This file only picks the subcommand; each has a module of its own.

mod check;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A message bus that a person can use with telnet.
#[derive(Debug, Parser)]
#[command(name = "linebus", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Check(check::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linebus: {error:#}");
            ExitCode::FAILURE
        }
    }
}
