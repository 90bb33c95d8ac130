//! `rooms keep`: the keeper, and looking into its store.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use rooms::keeper::{News, keep};
use rooms::store::{Retention, SqliteStore, Version};
use rooms_backup::{DataSetName, KeeperLimits, OwnerName, Told};
use tokio::signal::unix::{SignalKind, signal};

use super::bus::{Bus, block_on};

/// Keep what owners send on the topic `backup`, in versions, and give it back when they ask.
///
/// It says `ready` whenever owners can reach it, and on standard error what it keeps and what is
/// wrong. It waits for a bus that is not there. SIGTERM and SIGINT end it; killing it does no harm.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    look: Option<Look>,
    /// The file with all versions; made if it is not there.
    #[arg(long, value_name = "FILE", env = "ROOMS_STORE", global = true)]
    store: Option<PathBuf>,
    /// Keep so many versions of each data set.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    versions: u32,
    /// Forget a version so many days after it was replaced.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    days: u32,
    /// The file grows no larger than so many MiB; then owners are told that it is full.
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    store_mib: u32,
    #[command(flatten)]
    bus: Bus,
}

#[derive(Debug, clap::Subcommand)]
enum Look {
    /// Print what is kept: owner, name, version, time, bytes, beginning of the hash.
    List {
        /// Only of this owner.
        owner: Option<OwnerName>,
        /// All versions, not only the newest.
        #[arg(long)]
        all: bool,
    },
    /// Print a data set, byte for byte.
    Get {
        /// Whose.
        owner: OwnerName,
        /// Which, as `list` shows it.
        name: String,
        /// This version, not the newest.
        #[arg(long, value_name = "NUMBER")]
        version: Option<u64>,
    },
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let store = args.store.as_deref().context("name the store with --store FILE or ROOMS_STORE")?;
    match &args.look {
        None => serve(args, store)?,
        Some(Look::List { owner, all }) => {
            let store = SqliteStore::open_to_read(store)?;
            let versions = store.versions(owner.as_ref(), *all)?;
            print(table(&versions).as_bytes())?;
        }
        Some(Look::Get { owner, name, version }) => {
            let store = SqliteStore::open_to_read(store)?;
            let word = DataSetName::from_word(name)?;
            match store.content_of(owner, &word, *version)? {
                Some(Some(content)) => print(&content)?,
                Some(None) => bail!(
                    "{owner} {name} is gone in this version; name another with --version, see `rooms keep list --all`"
                ),
                None => bail!(
                    "there is no {owner} {name} of such a version; see `rooms keep list --all`"
                ),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(args: &Args, path: &Path) -> anyhow::Result<()> {
    let days = Duration::from_secs(u64::from(args.days) * 24 * 3600);
    let store_bytes_max = u64::from(args.store_mib) << 20;
    let retention = Retention { versions: args.versions, age: days, store_bytes_max };
    let store = SqliteStore::open(path, retention)?;
    block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        keep(args.bus.builder()?, store, KeeperLimits::default(), tell, stop).await?;
        Ok(())
    })
}

fn tell(news: News) {
    let said = match news {
        News::Ready => {
            // Nobody has to listen.
            let _ = writeln!(io::stdout(), "ready");
            return;
        }
        News::Trouble(text) => text,
        News::Told(told) => match told {
            Told::Kept { owner, name, version, bytes } => {
                format!("kept {owner} {name} version {version}, {bytes} bytes")
            }
            Told::Gone { owner, name, version } => {
                format!("{owner} {name} is gone since version {version}")
            }
            Told::Refused { owner, name, version, reason, text } => {
                format!("refused {owner} {name} version {version}: {text} ({reason})")
            }
            Told::Restoring { owner } => format!("{owner} is being restored"),
            Told::Unreadable { owner, text } => format!("can't read what {owner} has: {text}"),
            Told::AnotherKeeper => {
                "another keeper speaks on this topic; owners can't tell the two apart, stop one"
                    .to_owned()
            }
        },
    };
    let _ = writeln!(io::stderr(), "rooms: {said}");
}

fn table(versions: &[Version]) -> String {
    let line = |version: &Version| {
        let Version { owner, name, entry, time } = version;
        let hash = entry.hash.map_or("gone".to_owned(), |hash| hash.to_string()[..12].to_owned());
        format!("{owner} {name} {} {time:.0} {} {hash}\n", entry.version, entry.bytes)
    };
    versions.iter().map(line).collect()
}

/// Prints, if anybody still reads.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut to = io::stdout().lock();
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
