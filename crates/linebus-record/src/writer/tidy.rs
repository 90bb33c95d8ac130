//! The thread that compresses files that are complete, and removes old ones. What it does is never
//! urgent, so it yields to everything else on the machine.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use rustix::process::setpriority_process;
use rustix::thread::gettid;

use super::{Notice, Tell};
use crate::compressed;
use crate::options::Options;
use crate::template::{COMPRESSED, Template};

/// How often files are judged by age though none is complete.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// What nice(1) takes by default.
const NICE: i32 = 10;

/// How that thread is spoken to. Dropping it ends the thread, which is not waited for: what it
/// leaves undone the next recorder does.
pub(super) struct Tidier {
    /// The file that is being written.
    open: Arc<Mutex<Option<PathBuf>>>,
    complete: Sender<PathBuf>,
}

impl Tidier {
    /// Files that are there already are of earlier recorders, and complete.
    pub(super) fn start(folder: &Path, options: &Options, tell: Tell) -> io::Result<Self> {
        let (complete, completed) = mpsc::channel::<PathBuf>();
        let open = Arc::<Mutex<Option<PathBuf>>>::default();
        let tidying = Tidying {
            folder: folder.to_owned(),
            options: options.clone(),
            open: Arc::clone(&open),
            tell,
        };
        let before: Vec<_> = tidying.files().into_iter().map(|file| file.path).collect();
        std::thread::Builder::new().name("linebus-tidy".to_owned()).spawn(move || {
            // A unit that forbids it is right, too.
            let _ = setpriority_process(Some(gettid()), NICE);
            tidying.remove_leftovers();
            tidying.remove_old();
            before.iter().for_each(|path| tidying.compress(path));
            loop {
                match completed.recv_timeout(LOOK_EVERY) {
                    Ok(path) => {
                        tidying.remove_old();
                        tidying.compress(&path);
                    }
                    Err(RecvTimeoutError::Timeout) => tidying.remove_old(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Self { open, complete })
    }

    /// Where the file that is being written is to be noted.
    pub(super) fn open(&self) -> Arc<Mutex<Option<PathBuf>>> {
        Arc::clone(&self.open)
    }

    /// A file gets no more lines.
    pub(super) fn complete(&self, path: PathBuf) {
        // Without the thread files stay as they are.
        let _ = self.complete.send(path);
    }
}

struct Tidying {
    folder: PathBuf,
    options: Options,
    open: Arc<Mutex<Option<PathBuf>>>,
    tell: Tell,
}

/// A file of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    /// When its last line was written.
    changed: SystemTime,
}

impl Tidying {
    fn compress(&self, path: &Path) {
        let is_compressed = path.extension() == Some(OsStr::new(&COMPRESSED[1..]));
        if !self.options.compress || is_compressed {
            return;
        }
        match compressed::compress_file(path) {
            Ok(()) => (self.tell)(Notice::Compressed(path.to_owned())),
            // Somebody has moved or removed it, which is no concern of a recorder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => (self.tell)(Notice::Trouble(path.to_owned(), "compress", error)),
        }
    }

    /// Removes what a recorder that was killed had begun to compress.
    fn remove_leftovers(&self) {
        for path in entries(&self.folder) {
            if compressed::is_unfinished(&path, |name| self.options.file.fits(name)) {
                self.remove(&path);
            }
        }
    }

    /// Removes files that are too old, and the oldest of too many bytes. The one that is written
    /// counts as if it were full, and is never removed.
    fn remove_old(&self) {
        let Options { keep_bytes, rotate_bytes, .. } = self.options;
        let youngest = self.options.keep_for().and_then(|age| SystemTime::now().checked_sub(age));
        let open = self.open.lock().clone();
        let is_open = |file: &Kept| Some(&file.path) == open.as_ref();
        let (open, complete): (Vec<_>, Vec<_>) = self.files().into_iter().partition(is_open);
        let mut total = open.iter().map(|file| file.bytes).sum::<u64>().max(rotate_bytes);
        total += complete.iter().map(|file| file.bytes).sum::<u64>();
        for file in complete {
            let too_old = youngest.is_some_and(|youngest| file.changed < youngest);
            let too_much = keep_bytes > 0 && total > keep_bytes;
            if (too_old || too_much) && self.remove(&file.path) {
                total -= file.bytes;
                (self.tell)(Notice::Removed(file.path));
            }
        }
    }

    fn remove(&self, path: &Path) -> bool {
        match fs::remove_file(path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                (self.tell)(Notice::Trouble(path.to_owned(), "remove", error));
                false
            }
        }
    }

    /// All files of the record, the oldest first.
    fn files(&self) -> Vec<Kept> {
        let mut files: Vec<_> = entries(&self.folder)
            .filter(|path| is_of(&self.options.file, path))
            .filter_map(|path| {
                let about = path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
                Some(Kept { bytes: about.len(), changed: about.modified().ok()?, path })
            })
            .collect();
        files.sort_by(|a, b| (a.changed, &a.path).cmp(&(b.changed, &b.path)));
        files
    }
}

fn is_of(template: &Template, path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| template.fits(name))
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
