//! Recording: lines go in, files come out, and nobody ever waits.
//!
//! Whoever hears lines puts them in a [`Queue`] of bounded size. One thread takes them out, formats
//! and writes them (`lines`); another one has the disk take what was written, every so often
//! (`sync`); a third one compresses and removes old files (`tidy`). A disk that is slow or full
//! fills the queue, and what it has no room for is lost, counted, and told by a line of the record
//! where it is missing.
//!
//! Syncing in the thread that writes was the alternative: at full speed, a disk that takes two
//! seconds for a sync would cost the lines of two seconds.

mod file;
mod lines;
mod queue;
mod sync;
mod tidy;

use std::fmt;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::fs::{Access, access};
use thiserror::Error;

use crate::line::Gap;
use crate::options::Options;
use lines::Writer;
pub use queue::Queue;
use sync::Syncer;
use tidy::Tidier;

/// The owner reads, writes and lists, the group reads and lists.
const FOLDER_MODE: u32 = 0o750;

/// What a recorder has done so far.
#[derive(Debug, Default)]
pub struct Counts {
    lines: AtomicU64,
    bytes: AtomicU64,
    lost_lines: AtomicU64,
}

impl Counts {
    /// Lines that were written.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Their bytes in the record.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Lines that came and could not be written, those apart of which nobody knows how many.
    #[must_use]
    pub fn lost_lines(&self) -> u64 {
        self.lost_lines.load(Ordering::Relaxed)
    }

    fn wrote(&self, lines: u64, bytes: u64) {
        self.lines.fetch_add(lines, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn lost(&self, lines: u64) {
        self.lost_lines.fetch_add(lines, Ordering::Relaxed);
    }
}

/// What whoever runs a recorder may want to know.
#[derive(Debug)]
pub enum Notice {
    /// Another file was begun.
    Begun(PathBuf),
    /// Lines can't be written. Told once, until they can be written again.
    Failing(PathBuf, io::Error),
    /// Lines can be written again; these are missing.
    Gap(Gap),
    /// Something else did not work, which loses no line.
    Trouble(PathBuf, &'static str, io::Error),
    /// A complete file was compressed.
    Compressed(PathBuf),
    /// An old file was removed, as is configured.
    Removed(PathBuf),
}

impl Notice {
    /// Whether something is wrong.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Failing(..) | Self::Gap(_) | Self::Trouble(..))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(path) => write!(f, "recording into {}", path.display()),
            Self::Failing(path, error) => {
                write!(f, "{} can't be written, lines are being lost: {error}", path.display())
            }
            Self::Gap(gap) => write!(f, "lines are missing in the record: {gap}"),
            Self::Trouble(path, what, error) => {
                write!(f, "can't {what} {}: {error}", path.display())
            }
            Self::Compressed(path) => write!(f, "compressed {}", path.display()),
            Self::Removed(path) => write!(f, "removed {}, as old files are", path.display()),
        }
    }
}

/// Who is told.
type Tell = Arc<dyn Fn(Notice) + Send + Sync>;

/// Why nothing can be recorded.
#[derive(Debug, Error)]
pub enum StartError {
    /// The folder can't be made, or not be written to.
    #[error("can't record into {folder}: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another recorder writes there.
    #[error("another recorder writes into {folder}; choose another folder")]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no thread for it.
    #[error("can't start a thread that records: {0}")]
    Thread(io::Error),
}

/// A record that is being written.
pub struct Recorder {
    queue: Arc<Queue>,
    counts: Arc<Counts>,
    finished: Receiver<()>,
    /// Locked while it is open.
    folder: File,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Begins to record into `folder`, which is made if it is not there. Its first file begins with
    /// the first line.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub fn start(
        folder: &Path,
        options: &Options,
        tell: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let no_folder = |source| StartError::Folder { folder: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(no_folder)?;
        let locked = File::open(folder).map_err(no_folder)?;
        locked.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StartError::Busy { folder: folder.to_owned() },
            TryLockError::Error(source) => no_folder(source),
        })?;
        access(folder, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|errno| no_folder(errno.into()))?;
        let tell: Tell = Arc::new(tell);
        let counts = Arc::<Counts>::default();
        let queue = Arc::new(Queue::new(options.queue_bytes, Arc::clone(&counts)));
        let tidier =
            Tidier::start(folder, options, Arc::clone(&tell)).map_err(StartError::Thread)?;
        let syncer =
            Syncer::start(options.sync_interval(), tidier, Arc::clone(&queue), Arc::clone(&tell))
                .map_err(StartError::Thread)?;
        let writer = Writer::new(folder, options, Arc::clone(&queue), syncer, tell);
        let (done, finished) = mpsc::channel();
        std::thread::Builder::new()
            .name("linebus-record".to_owned())
            .spawn(move || {
                writer.run();
                // Nobody waits any more when that took too long.
                let _ = done.send(());
            })
            .map_err(StartError::Thread)?;
        Ok(Self { queue, counts, finished, folder: locked })
    }

    /// Where lines are put.
    #[must_use]
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Writes what waits, has the disk take it, and ends. Waits for that no longer than `limit`;
    /// false if it takes longer.
    pub fn finish(self, limit: Duration) -> bool {
        self.queue.end();
        self.finished.recv_timeout(limit).is_ok()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue.end();
        // Closing is not enough: a process that is just being forked has the lock, too (flock(2)).
        // On an error it goes with the file.
        let _ = self.folder.unlock();
    }
}

#[cfg(test)]
mod tests;
