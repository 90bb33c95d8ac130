//! `linebus bot`: does something when a message matches, by the rules of a file. docs/bots.md is
//! for those who write one.

mod dry_run;
mod jobs;
mod live;
mod rate;
mod rule;
mod rules;
mod template;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::bus::{Bus, block_on};
use crate::exit::Failure;
use crate::print::escape;
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
    /// Do nothing, but print what would be done about the lines of recordings, `<time> <user> <topic>
    /// <message>`; - is standard input.
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
    for recording in recordings {
        let path = recording.display();
        let input: Box<dyn BufRead> = if recording.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(recording).with_context(|| format!("can't open {path}"))?;
            Box::new(BufReader::new(file))
        };
        for (line, number) in input.lines().zip(1_u64..) {
            let line = line.with_context(|| format!("can't read {path}, line {number}"))?;
            if let Err(text) = dry_run.play(&line)? {
                return Err(anyhow!("{path}: line {number}: {text}").into());
            }
        }
    }
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
