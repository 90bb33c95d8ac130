//! `rooms backup` and `rooms restore`: a folder to the keeper, once, and back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rooms::backup::{self, Owner};
use rooms_backup::{OwnerName, Patience};

use super::bus::{Bus, block_on};

/// Send a folder of files to the keeper, and wait until all are kept.
///
/// What the keeper has of this owner and the folder has not counts as removed; older versions stay.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The folder; those in it are sent too.
    dir: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Get a backed-up folder from the keeper, into an empty one.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The folder: empty, or not there.
    dir: PathBuf,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Under which name it is kept.
    #[arg(long, default_value = "rooms", value_name = "NAME")]
    owner: OwnerName,
    /// Give up after so many seconds in which nothing came of it.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    timeout: u64,
    #[command(flatten)]
    bus: Bus,
}

impl Which {
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.max(1))
    }
}

pub(crate) fn backup(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let files = backup::read(&args.dir)?;
    let which = &args.which;
    block_on(async {
        let name = which.owner.clone();
        let bus = which.bus.builder()?;
        let mut owner = Owner::start(bus, name, files, Patience::default()).await?;
        let status = owner.settled(which.timeout()).await?;
        for (name, refusal) in &status.refused {
            eprintln!("rooms: {}: not kept: {} ({})", name.as_str(), refusal.text, refusal.reason);
        }
        println!("{}: {} kept as {}", args.dir.display(), counted(status.kept), which.owner);
        Ok(if status.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

pub(crate) fn restore(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let which = &args.which;
    block_on(async {
        let (bus, owner) = (which.bus.builder()?, which.owner.clone());
        let patience = Patience::default();
        let count = backup::restore(bus, owner, &args.dir, patience, which.timeout()).await?;
        println!("{}: {} restored of {}", args.dir.display(), counted(count), which.owner);
        Ok(ExitCode::SUCCESS)
    })
}

fn counted(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
