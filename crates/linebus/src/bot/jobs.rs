//! The commands that rules run: a few at a time per rule, while a bounded lot of others waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::rule::Run;
use super::say;
use crate::job::Job;

/// How many bytes of messages wait for the commands of one rule. What comes beyond is not done:
/// making the bus wait instead would hold up everybody who speaks to the bot, and all other rules.
pub(super) const WAITING_BYTES_MAX: usize = 1 << 20;
/// What a waiting command takes besides its messages, in bytes, generously.
const JOB_BYTES: usize = 512;
/// How long commands may take to end when the bot does.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// All commands that run or wait.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// One task per rule, old ones of before a reload among them.
    rules: JoinSet<()>,
    phase: watch::Sender<Phase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    /// Nothing begins any more.
    Ending,
    /// What still runs is ended.
    Killing,
}

/// The commands of one rule. When it is dropped, those that wait are still run.
#[derive(Debug)]
pub(crate) struct Queue {
    jobs: mpsc::UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
}

struct Waiting {
    job: Job,
    room: OwnedSemaphorePermit,
}

impl Jobs {
    pub(crate) fn new() -> Self {
        Self { rules: JoinSet::new(), phase: watch::Sender::new(Phase::Open) }
    }

    /// A queue for what the rule of this name runs.
    pub(crate) fn queue(&mut self, name: &str, run: &Run) -> Queue {
        while self.rules.try_join_next().is_some() {}
        let (jobs, waiting) = mpsc::unbounded_channel();
        let phase = self.phase.subscribe();
        self.rules.spawn(work(name.to_owned(), run.clone(), waiting, phase));
        Queue { jobs, room: Arc::new(Semaphore::new(WAITING_BYTES_MAX)) }
    }

    /// Lets what runs come to its end, but not for long; what waits is not begun.
    pub(crate) async fn end(mut self) {
        self.phase.send_replace(Phase::Ending);
        let all = async { while self.rules.join_next().await.is_some() {} };
        if timeout(END_PATIENCE, all).await.is_err() {
            self.phase.send_replace(Phase::Killing);
            while self.rules.join_next().await.is_some() {}
        }
    }
}

impl Queue {
    /// Runs it when its turn comes; false if there is no room for it to wait.
    pub(crate) fn push(&self, job: Job) -> bool {
        // One that needs more than all the room has it to itself.
        let bytes = (job.bytes() + JOB_BYTES).min(WAITING_BYTES_MAX);
        let bytes = u32::try_from(bytes).expect("it is at most 1 MiB");
        match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(room) => self.jobs.send(Waiting { job, room }).is_ok(),
            Err(_) => false,
        }
    }
}

/// Runs the commands of one rule until there will be no more.
async fn work(
    name: String,
    run: Run,
    mut waiting: mpsc::UnboundedReceiver<Waiting>,
    mut phase: watch::Receiver<Phase>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Ending) => break,
            Some(_) = running.join_next() => {}
            next = waiting.recv(), if running.len() < run.jobs => match next {
                Some(Waiting { job, room }) => {
                    drop(room);
                    running.spawn(run_one(name.clone(), job, run.timeout));
                }
                None => break,
            },
        }
    }
    waiting.close();
    let mut left = 0;
    while waiting.try_recv().is_ok() {
        left += 1;
    }
    if left > 0 {
        say(&format!("{name}: commands that waited and were not run: {left}"));
    }
    tokio::select! {
        () = async { while running.join_next().await.is_some() {} } => {}
        () = reached(&mut phase, Phase::Killing) => {
            say(&format!("{name}: commands that took too long and were ended: {}", running.len()));
            running.shutdown().await;
        }
    }
}

/// Returns when it has come to this, or nobody is left who could say so.
async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

async fn run_one(name: String, job: Job, limit: Duration) {
    let command = job.name().to_owned();
    match job.run_within(limit).await {
        Ok(()) => say(&format!("{name}: ran {command}")),
        Err(text) => say(&format!("{name}: {text}")),
    }
}
