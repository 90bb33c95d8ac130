//! Keeps a keeper up to date, for as long as a process has data sets.

use std::sync::Arc;
use std::time::Duration;

use linebus_client::Builder;
use parking_lot::Mutex;
use rooms_backup::{DataSetName, Owner as Machine, OwnerName, Patience, Status};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Error, Heard, Wire};

/// An owner of data sets on the bus: give it what is to be kept, now and whenever it changes. It
/// has a connection and a task of its own, which end with it and not before.
#[derive(Debug)]
pub struct Owner {
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    machine: Mutex<Machine>,
    changed: Notify,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Progress {
    status: Status,
    trouble: Option<String>,
}

impl Owner {
    /// Connects, with the data sets that there are now: those of this name that the keeper has
    /// besides are gone. No two processes may use one name: each would take back what the other
    /// says.
    ///
    /// # Errors
    /// There is no bus, or its lines are too short.
    pub async fn start(
        bus: Builder,
        name: OwnerName,
        data_sets: impl IntoIterator<Item = (DataSetName, Vec<u8>)>,
        patience: Patience,
    ) -> Result<Self, Error> {
        let wire = Wire::connect(bus.clone()).await?;
        let mut machine = Machine::new(name, patience, fastrand::u64(..), wire.now());
        for (name, content) in data_sets {
            machine.set(name, content);
        }
        let (says, progress) = watch::channel(Progress::default());
        let shared = Arc::new(Shared { machine: Mutex::new(machine), changed: Notify::new() });
        let task = tokio::spawn(own(bus, wire, Arc::clone(&shared), says, patience.most));
        Ok(Self { shared, progress, task })
    }

    /// A data set, new or changed.
    pub fn set(&self, name: DataSetName, content: impl Into<Arc<[u8]>>) {
        self.shared.machine.lock().set(name, content);
        self.shared.changed.notify_one();
    }

    /// A data set that is no more.
    pub fn remove(&self, name: &DataSetName) {
        self.shared.machine.lock().remove(name);
        self.shared.changed.notify_one();
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.machine.lock().status()
    }

    /// Why nothing is kept at present, if the bus does not want this owner: its account, for
    /// example, may not send to the topic. It is tried again after the longest wait of its patience.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.progress.borrow().trouble.clone()
    }

    /// Waits until something is better or worse than it was. Cancelling it loses nothing.
    pub async fn changed(&mut self) {
        self.progress.changed().await.expect("the task holds the other end for as long as self is");
    }

    /// Waits until everything is kept or refused.
    ///
    /// # Errors
    /// Nothing became better or worse for `silence_max`, or there is [`Owner::trouble`].
    pub async fn settled(&mut self, silence_max: Duration) -> Result<Status, Error> {
        loop {
            let status = self.status();
            if status.is_settled() {
                return Ok(status);
            }
            if let Some(trouble) = self.trouble() {
                return Err(Error::Trouble(trouble));
            }
            let changed = timeout(silence_max, self.changed()).await;
            changed.map_err(|_| Error::Silence { after: silence_max })?;
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves an owner for as long as it is there: after the bus ended the connection for good, another
/// one is tried now and then.
async fn own(
    bus: Builder,
    mut wire: Wire,
    shared: Arc<Shared>,
    says: watch::Sender<Progress>,
    again_after: Duration,
) {
    loop {
        let mut error = carry(&mut wire, &shared, &says).await;
        loop {
            says.send_modify(|progress| progress.trouble = Some(error.to_string()));
            sleep(again_after).await;
            match wire.connect_again(bus.clone()).await {
                Ok(()) => break,
                Err(again) => error = again,
            }
        }
    }
}

/// Carries lines between machine and bus until the connection ends for good, and why it did.
async fn carry(wire: &mut Wire, shared: &Shared, says: &watch::Sender<Progress>) -> Error {
    let mut heard = Ok(Heard::Connected);
    loop {
        let (now, part_bytes) = (wire.now(), wire.part_bytes());
        let deadline = {
            let mut machine = shared.machine.lock();
            match (heard, part_bytes) {
                (Ok(Heard::Connected), Ok(bytes)) => machine.connected(bytes, now),
                (Ok(Heard::Line(line)), _) => machine.receive(&line, now),
                (Ok(Heard::Lost(_) | Heard::Elapsed), _) => {}
                (Ok(Heard::Refused(text)), _) => return Error::Trouble(text),
                (Ok(Heard::Connected), Err(error)) | (Err(error), _) => return error,
            }
            machine.tick(now);
            wire.say(machine.take_lines());
            says.send_if_modified(|progress| note(progress, machine.status()));
            machine.deadline()
        };
        heard = tokio::select! {
            heard = wire.next(deadline) => heard,
            () = shared.changed.notified() => Ok(Heard::Elapsed),
        };
    }
}

/// Notes a status, and whether it is another one. Trouble is over when a keeper answers.
fn note(progress: &mut Progress, status: Status) -> bool {
    let trouble = progress.trouble.clone().filter(|_| !status.keeper_heard);
    let now = Progress { status, trouble };
    let differs = *progress != now;
    *progress = now;
    differs
}
