//! The owner's side of the backup, on the bus: [`Owner`] keeps a keeper up to date, [`restore`]
//! gets everything back into an empty folder. The words are those of `rooms-backup`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rooms::backup::{DataSetName, Owner, Patience, read};
//!
//! let bus = linebus_client::Client::builder("linebus://127.0.0.1")?;
//! let files = read("/etc/rooms".as_ref())?;
//! let mut owner = Owner::start(bus, "rooms-devices".parse()?, files, Patience::default()).await?;
//! owner.set(DataSetName::new("presets/room-a")?, "power=off\n".as_bytes());
//! owner.changed().await;
//! println!("{} kept, {} pending", owner.status().kept, owner.status().pending);
//! # Ok(())
//! # }
//! ```

mod folder;
mod owner;
mod restore;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use rooms_backup::{BadCatalogue, LINE_BYTES_MIN, TOPIC};
use thiserror::Error;

pub use folder::{FolderError, read};
pub use owner::Owner;
pub use restore::restore;
pub use rooms_backup::{DataSetName, OwnerName, Patience, Status};
pub(crate) use wire::{Heard, Wire};

/// Why a backup or a restore did not come about.
#[derive(Debug, Error)]
pub enum Error {
    /// The bus.
    #[error(transparent)]
    Bus(#[from] linebus_client::Error),
    /// The bus ended the connection for good.
    #[error("the bus ended the connection: {0}")]
    Ended(String),
    /// The bus does not want what is said, or there was an earlier error that lasts.
    #[error("{0}")]
    Trouble(String),
    /// Parts would not fit.
    #[error("this bus takes lines of at most {bytes} bytes, and a backup needs {LINE_BYTES_MIN}")]
    LinesTooShort {
        /// What it takes.
        bytes: usize,
    },
    /// Nobody answered.
    #[error(
        "nothing came on the topic `{TOPIC}` for {after:?}; does `rooms keep` run, on this bus?"
    )]
    Silence {
        /// How long it was waited for.
        after: Duration,
    },
    /// The keeper says what it keeps, and nobody understands it.
    #[error("not restored, because what the keeper says can't be read: {0}")]
    BadCatalogue(BadCatalogue),
    /// There is nothing to restore.
    #[error("nothing is kept of the owner {0}; `rooms keep list` says of whom there is something")]
    NothingKept(String),
    /// The keeper lists data sets that it can't give.
    #[error("{dir}: not restored, because the keeper can't give {}", names(missing))]
    Missing {
        /// The folder, which is as it was.
        dir: PathBuf,
        /// What it can't give.
        missing: Vec<DataSetName>,
    },
    /// A folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

fn names(names: &[DataSetName]) -> String {
    names.iter().map(DataSetName::as_str).collect::<Vec<_>>().join(", ")
}
