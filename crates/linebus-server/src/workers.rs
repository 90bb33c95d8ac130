//! The threads that serve connections. Each runs a tokio runtime of its own, and a connection stays
//! on the thread that it was given to: nothing is stolen, so what a session read is still in its
//! processor's cache when it reads on. What a sender says is written to its receivers' sockets by
//! the sender's own thread, wherever they live.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

/// All threads that serve; dropping it ends them, and with them what they still serve.
pub(crate) struct Workers {
    workers: Vec<Worker>,
}

struct Worker {
    runtime: Handle,
    /// How many connections it serves.
    load: Arc<AtomicUsize>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

/// One connection's place on a thread, held for as long as it is served there.
pub(crate) struct Place {
    pub(crate) runtime: Handle,
    load: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workers {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// When the system has no more threads or descriptors to give.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let workers = (0..count).map(Worker::start).collect::<io::Result<_>>()?;
        Ok(Self { workers })
    }

    /// A place on the thread that serves the fewest connections.
    pub(crate) fn place(&self) -> Place {
        let load = |worker: &&Worker| worker.load.load(Ordering::Relaxed);
        let worker = self.workers.iter().min_by_key(load).expect("there is at least one thread");
        worker.load.fetch_add(1, Ordering::Relaxed);
        Place { runtime: worker.runtime.clone(), load: Arc::clone(&worker.load) }
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(format!("linebus-{number}"))
            .spawn(move || runtime.block_on(stopped.notified()))?;
        Ok(Self { runtime: handle, load: Arc::default(), stop, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends by dropping what it serves; a panic there has been told already.
            let _ = thread.join();
        }
    }
}
