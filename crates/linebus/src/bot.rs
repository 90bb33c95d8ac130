//! `linebus bot`: does something when a message matches, by the rules of a file. docs/bots.md is
//! for those who write one.

mod dry_run;
mod jobs;
mod live;
mod rate;
mod rule;
mod rules;
mod template;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use linebus_record::reader::{self, Item, Range};

use crate::bus::{Bus, block_on};
use crate::exit::Failure;
use crate::print::escape;
use crate::recorded::wanted::Asides;
use dry_run::DryRun;
use rules::Rules;

/// Longest part of a message that the log shows, in characters.
const EXCERPT_CHARS_MAX: usize = 200;

/// Send messages or run commands when messages match, by the rules in a file.
///
/// It says on standard error what it does. SIGHUP reads the file again; SIGTERM and SIGINT end it.
#[derive(Debug, clap::Args)]
#[command(override_usage = "linebus bot [--check] FILE\n       \
                            linebus bot --dry-run RECORDING... FILE")]
pub(crate) struct Args {
    /// Only say what is wrong with the file: every mistake with its line, its key and what would be
    /// right.
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Do nothing, but print what would be done about the lines of recordings, folders or files of
    /// `linebus record`; - is standard input.
    #[arg(long)]
    dry_run: bool,
    /// The file with the rules; after --dry-run, recordings before it.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let mut recordings = args.files;
    let file = recordings.pop().expect("at least one is required");
    match (args.dry_run, recordings.is_empty()) {
        (true, true) => {
            Err(usage("name a recording before the file with the rules; - is standard input"))
        }
        (true, false) => dry_run(&recordings, &file),
        (false, false) => Err(usage("one file with rules is wanted; recordings are for --dry-run")),
        (false, true) if args.check => {
            read(&file)?;
            Ok(writeln!(io::stdout(), "{}: good", file.display())?)
        }
        (false, true) => block_on(live::run(bus, file)),
    }
}

fn usage(text: &str) -> Failure {
    Failure::Usage(text.to_owned())
}

/// The rules of a file.
///
/// # Errors
/// All its mistakes, a line each.
fn read(file: &Path) -> anyhow::Result<Rules> {
    Rules::read(file).map_err(|problems| anyhow!("{}", problems.join("\nlinebus: ")))
}

fn dry_run(recordings: &[PathBuf], file: &Path) -> Result<(), Failure> {
    let mut dry_run = DryRun::new(read(file)?, io::stdout().lock());
    let mut asides = Asides::default();
    let mut printed = Ok(());
    for recording in recordings {
        let mut sink = |item: Item<'_>| {
            match item {
                Item::Entry(entry) => printed = dry_run.play(&entry),
                Item::Damaged(damaged) => asides.damaged(&damaged),
            }
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let read = match recording.as_os_str() == "-" {
            true => reader::read_lines(&mut io::stdin().lock(), recording, &mut sink),
            false => reader::read(recording, &Range::default(), &mut sink),
        };
        read.with_context(|| format!("can't read {}", recording.display()))?;
    }
    asides.tell();
    printed?;
    say(&dry_run.finish()?);
    Ok(())
}

/// Says what happens. Nobody may be reading, which is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "linebus: {}", escape(text));
}

/// The beginning of a message.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
