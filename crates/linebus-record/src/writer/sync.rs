//! The thread that has the disk take what was written: every so often, and when a file is complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::tidy::Tidier;
use super::{Notice, Queue, Tell};

/// How the writer speaks to that thread.
pub(super) struct Syncer {
    tasks: Sender<Task>,
    written: Arc<AtomicBool>,
    open: Arc<Mutex<Option<PathBuf>>>,
    thread: JoinHandle<()>,
}

enum Task {
    /// From now on this file is written; the one before is complete.
    Begin(Arc<File>, PathBuf),
    End,
}

impl Syncer {
    pub(super) fn start(
        interval: Duration,
        tidier: Tidier,
        queue: Arc<Queue>,
        tell: Tell,
    ) -> io::Result<Self> {
        let (tasks, received) = mpsc::channel();
        let written = Arc::new(AtomicBool::new(false));
        let open = tidier.open();
        let syncing =
            Syncing { interval, written: Arc::clone(&written), file: None, tidier, queue, tell };
        let thread = std::thread::Builder::new()
            .name("linebus-sync".to_owned())
            .spawn(move || syncing.run(&received))?;
        Ok(Self { tasks, written, open, thread })
    }

    /// Another file is written from now on.
    pub(super) fn begin(&self, file: Arc<File>, path: PathBuf) {
        *self.open.lock() = Some(path.clone());
        // Without the thread there is nobody who could do it.
        let _ = self.tasks.send(Task::Begin(file, path));
    }

    /// Something was written.
    pub(super) fn wrote(&self) {
        self.written.store(true, Ordering::Release);
    }

    /// Has the disk take everything, and ends.
    pub(super) fn finish(self) {
        let _ = self.tasks.send(Task::End);
        // A panic there has been told already.
        let _ = self.thread.join();
    }
}

struct Syncing {
    interval: Duration,
    written: Arc<AtomicBool>,
    file: Option<(Arc<File>, PathBuf)>,
    tidier: Tidier,
    queue: Arc<Queue>,
    tell: Tell,
}

impl Syncing {
    fn run(mut self, tasks: &Receiver<Task>) {
        let mut due = Instant::now() + self.interval;
        loop {
            match tasks.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Task::Begin(file, path)) => {
                    self.sync_folder(&path);
                    let before = self.file.replace((file, path));
                    if let Some((file, path)) = before {
                        self.sync(&file, &path);
                        self.tidier.complete(path);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.sync_written();
                    due = Instant::now() + self.interval;
                }
                Ok(Task::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.sync_written();
    }

    fn sync_written(&self) {
        if let Some((file, path)) = &self.file
            && self.written.swap(false, Ordering::AcqRel)
        {
            self.sync(file, path);
        }
    }

    /// What the system did not write after all, it does not try again (fsync(2)): it is lost.
    fn sync(&self, file: &File, path: &Path) {
        if let Err(error) = file.sync_data() {
            self.queue.gap(&format!("the disk did not take what was written: {error}"));
            (self.tell)(Notice::Failing(path.to_owned(), error));
        }
    }

    /// A new file's name is its folder's to keep.
    fn sync_folder(&self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
            (self.tell)(Notice::Trouble(folder.to_owned(), "sync the folder", error));
        }
    }
}
