//! The history is written behind the rooms' backs: who has something to record never waits for the
//! database, and what can't be written yet is written later.

mod queue;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{error, info, warn};

pub use queue::WAITING_MAX;

use crate::clock;
use crate::records::Record;
use crate::store::{Store, StoreError};
use queue::Queue;

/// So many records are written together.
const BATCH_MAX: usize = 500;
/// A record waits so long for others to be written with it.
const TOGETHER: Duration = Duration::from_millis(200);
/// The first try after a failure; each later one waits twice as long.
const RETRY_MIN: Duration = Duration::from_millis(200);
/// But not longer than this.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// What can't be written in this time at the end is lost.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// How the writing goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writing {
    /// Since when the database has not taken anything; none while it does.
    pub behind_since: Option<Timestamp>,
    /// Records that are not written yet.
    pub waiting: usize,
    /// Records that will never be: too many waited, or the database refused what they hold.
    pub lost: u64,
    /// What the database said last, while it takes nothing.
    pub error: String,
}

/// Takes what happened. Clones write to the same queue.
#[derive(Debug, Clone)]
pub struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something was added.
    came: Notify,
    status: watch::Sender<Writing>,
    /// When the end has to be reached, since it was wished.
    close_by: watch::Sender<Option<Instant>>,
    /// The end was reached.
    ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    /// Taken from the queue to be written.
    in_flight: usize,
}

impl Writer {
    /// Starts the task that writes; it ends after [`Self::close`].
    #[must_use]
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            came: Notify::new(),
            status: watch::Sender::default(),
            close_by: watch::Sender::default(),
            ended: watch::Sender::new(false),
        });
        let task = tokio::spawn(run(shared.clone(), store));
        (Self { shared }, task)
    }

    /// Takes a record, and returns at once. One with the same id that still waits is replaced. After
    /// [`Self::close`] nobody writes it any more.
    pub fn record(&self, record: Record) {
        let mut state = self.shared.state.lock();
        let lost = state.queue.add(record);
        let waiting = state.waiting();
        drop(state);
        self.shared.tell(lost, waiting);
        self.shared.came.notify_one();
    }

    /// How the writing goes, now and later.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Writing> {
        self.shared.status.subscribe()
    }

    /// Writes what waits, in five seconds at most; then says how much was left, which is lost.
    pub async fn close(&self) -> usize {
        let mut ended = self.shared.ended.subscribe();
        self.shared.close_by.send_modify(|by| {
            by.get_or_insert(Instant::now() + CLOSE_MAX);
        });
        // The sender is in `self`, so that it can't be gone.
        let _ = ended.wait_for(|ended| *ended).await;
        self.shared.state.lock().waiting()
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.queue.len() + self.in_flight
    }

    /// Takes what is to be written next.
    fn take(&mut self) -> Vec<Record> {
        let batch = self.queue.take(BATCH_MAX);
        self.in_flight = batch.len();
        batch
    }
}

impl Shared {
    /// Tells how many wait and that some were lost.
    fn tell(&self, lost: u64, waiting: usize) {
        if lost > 0 && self.status.borrow().lost == 0 {
            warn!("the history is {WAITING_MAX} records behind: the oldest are lost");
        }
        self.status.send_modify(|status| {
            status.waiting = waiting;
            status.lost += lost;
        });
    }

    /// Waits until there is a batch, or the end was wished.
    async fn gathered(&self) {
        let begun = async {
            self.holds(1).await;
            // A moment for others to come.
            let _ = timeout(TOGETHER, self.holds(BATCH_MAX)).await;
        };
        tokio::select! {
            () = begun => {}
            _ = self.closing() => {}
        }
    }

    /// Waits until so many are in the queue.
    async fn holds(&self, count: usize) {
        while self.state.lock().queue.len() < count {
            self.came.notified().await;
        }
    }

    /// Waits until the end is wished; says until when it is to be reached.
    async fn closing(&self) -> Instant {
        let mut close_by = self.close_by.subscribe();
        let by = close_by.wait_for(Option::is_some).await.ok().and_then(|by| *by);
        by.expect("the sender is in `self`, and it was waited for")
    }

    fn is_closing(&self) -> bool {
        self.close_by.borrow().is_some()
    }

    /// Writes what waits, until nothing does.
    async fn drain(&self, store: &Store) {
        let mut pause = RETRY_MIN;
        loop {
            let batch = self.state.lock().take();
            if batch.is_empty() {
                return;
            }
            match write(store, &batch).await {
                Ok(lost) => {
                    pause = RETRY_MIN;
                    self.written(lost);
                }
                Err(error) => {
                    self.failed(batch, &error);
                    let random = fastrand::f64().mul_add(0.5, 0.75);
                    self.pause(pause.mul_f64(random)).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
    }

    fn written(&self, lost: u64) {
        let mut state = self.state.lock();
        state.in_flight = 0;
        let waiting = state.waiting();
        drop(state);
        self.status.send_modify(|status| {
            if status.behind_since.take().is_some() {
                info!(waiting, "the database takes the history again");
            }
            status.error.clear();
            status.waiting = waiting;
            status.lost += lost;
        });
    }

    fn failed(&self, batch: Vec<Record>, error: &StoreError) {
        let mut state = self.state.lock();
        state.in_flight = 0;
        let lost = state.queue.put_back(batch);
        let waiting = state.waiting();
        drop(state);
        self.tell(lost, waiting);
        self.status.send_modify(|status| {
            if status.behind_since.is_none() {
                status.behind_since = Some(clock::now());
                warn!(%error, "the history can't be written now; it is kept and written later");
            }
            status.error = error.to_string();
        });
    }

    /// Waits before the next try. A wish to end hurries it.
    async fn pause(&self, pause: Duration) {
        if self.is_closing() {
            return sleep(pause.min(RETRY_MIN)).await;
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = self.closing() => {}
        }
    }

    /// Writes what comes, until the end is wished and nothing waits.
    async fn work(&self, store: &Store) {
        loop {
            self.gathered().await;
            let is_closing = self.is_closing();
            self.drain(store).await;
            if is_closing {
                return;
            }
        }
    }
}

async fn run(shared: Arc<Shared>, store: Store) {
    tokio::select! {
        () = shared.work(&store) => {}
        () = async { sleep_until(shared.closing().await).await } => {}
    }
    let left = shared.state.lock().waiting();
    if left > 0 {
        error!(left, "the end of the history could not be written and is lost");
    }
    shared.ended.send_replace(true);
}

/// Writes a batch. What the database refuses for its content is left out; says how much.
async fn write(store: &Store, batch: &[Record]) -> Result<u64, StoreError> {
    match store.write(batch).await {
        Err(StoreError::Refused(_)) => {}
        done => return done.map(|()| 0),
    }
    let mut lost = 0;
    for record in batch {
        match store.write(std::slice::from_ref(record)).await {
            Err(StoreError::Refused(text)) => {
                lost += 1;
                error!(?record, text, "the database refuses a record; it is lost");
            }
            done => done?,
        }
    }
    Ok(lost)
}
