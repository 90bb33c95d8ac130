//! The `linebus` command. This file only picks the subcommand; each has a module of its own.

mod bench;
mod bot;
mod bus;
mod chat;
mod check;
mod docs;
mod exit;
mod hear;
mod job;
mod joining;
mod list;
mod log;
mod on;
mod ping;
mod print;
mod record;
mod recorded;
mod replay;
mod send;
mod serve;
mod signals;
mod top;
mod until;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use bus::Bus;
use exit::Failure;

/// A message bus that a person can use with telnet.
#[derive(Debug, Parser)]
#[command(name = "linebus", version, after_help = exit::HELP, infer_subcommands = false)]
struct Cli {
    #[command(flatten)]
    bus: Bus,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Check(check::Args),
    Send(send::Args),
    Recv(hear::Recv),
    Watch(hear::Watch),
    Topics(list::Topics),
    Who(list::Who),
    Top(top::Args),
    Ping(ping::Args),
    On(on::Args),
    Bot(bot::Args),
    Chat(chat::Args),
    Record(record::Args),
    Log(recorded::Args),
    Replay(replay::Args),
    Bench(bench::Args),
    User(user::Args),
    Completions(docs::Completions),
    Man(docs::Man),
}

fn main() -> ExitCode {
    let Cli { bus, command } = Cli::parse();
    let done = match command {
        Command::Serve(args) => serve::run(args).map_err(Failure::from),
        Command::Check(args) => check::run(&args).map_err(Failure::from),
        Command::Send(args) => bus::block_on(send::run(&bus, args)),
        Command::Recv(args) => bus::block_on(hear::recv(&bus, args)),
        Command::Watch(args) => bus::block_on(hear::watch(&bus, args)),
        Command::Topics(args) => bus::block_on(list::topics(&bus, args)),
        Command::Who(args) => bus::block_on(list::who(&bus, args)),
        Command::Top(args) => bus::block_on(top::run(&bus, args)),
        Command::Ping(args) => bus::block_on(ping::run(&bus, args)),
        Command::On(args) => bus::block_on(on::run(&bus, args)),
        Command::Bot(args) => bot::run(&bus, args),
        Command::Chat(args) => bus::block_on(chat::run(&bus, args)),
        Command::Record(args) => bus::block_on(record::run(&bus, args)),
        Command::Log(args) => recorded::run(args),
        Command::Replay(args) => bus::block_on(replay::run(&bus, args)),
        Command::Bench(args) => bench::run(&bus, &args),
        Command::User(args) => user::run(args),
        Command::Completions(args) => docs::completions(&args),
        Command::Man(args) => docs::man(&args),
    };
    exit::code(done)
}
