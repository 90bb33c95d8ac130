//! Keeps a keeper up to date, for as long as a process has data sets.

use std::sync::Arc;
use std::time::Duration;

use linebus_client::Builder;
use parking_lot::Mutex;
use rooms_backup::{DataSetName, Owner as Machine, OwnerName, Patience, Status};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{Error, Heard, Wire};

/// An owner of data sets on the bus: give it what is to be kept, now and whenever it changes. It
/// has a connection and a task of its own, which end with it.
#[derive(Debug)]
pub struct Owner {
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    machine: Mutex<Machine>,
    changed: Notify,
    /// Why the task ended.
    ended: Mutex<Option<String>>,
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
        let wire = Wire::connect(bus).await?;
        let mut machine = Machine::new(name, patience, fastrand::u64(..), wire.now());
        machine.connected(wire.part_bytes()?, wire.now());
        for (name, content) in data_sets {
            machine.set(name, content);
        }
        let (says, status) = watch::channel(machine.status());
        let shared = Arc::new(Shared {
            machine: Mutex::new(machine),
            changed: Notify::new(),
            ended: Mutex::new(None),
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let error = serve(wire, &serving, &says).await;
            *serving.ended.lock() = Some(error.to_string());
        });
        Ok(Self { shared, status, task })
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

    /// Waits until something is better or worse than it was.
    ///
    /// # Errors
    /// The bus ended the connection for good.
    pub async fn changed(&mut self) -> Result<(), Error> {
        // The task holds the other end until it ends.
        self.status.changed().await.map_err(|_| {
            let why = self.shared.ended.lock().clone();
            Error::Ended(why.unwrap_or_else(|| "its task failed".to_owned()))
        })
    }

    /// Waits until everything is kept or refused.
    ///
    /// # Errors
    /// Nothing became better or worse for `silence_max`, or the bus ended the connection for good.
    pub async fn settled(&mut self, silence_max: Duration) -> Result<Status, Error> {
        loop {
            let status = self.status();
            if status.is_settled() {
                return Ok(status);
            }
            match tokio::time::timeout(silence_max, self.changed()).await {
                Ok(changed) => changed?,
                Err(_) => return Err(Error::Silence { after: silence_max }),
            }
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries lines between machine and bus until the connection ends for good.
async fn serve(mut wire: Wire, shared: &Shared, status: &watch::Sender<Status>) -> Error {
    loop {
        let (lines, deadline) = {
            let mut machine = shared.machine.lock();
            machine.tick(wire.now());
            let now = machine.status();
            status.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
            (machine.take_lines(), machine.deadline())
        };
        if let Err(error) = wire.say(lines).await {
            return error;
        }
        let heard = tokio::select! {
            heard = wire.next(Some(deadline)) => heard,
            () = shared.changed.notified() => Ok(Heard::Elapsed),
        };
        let part_bytes = wire.part_bytes();
        match (heard, part_bytes) {
            (Ok(Heard::Line(line)), _) => shared.machine.lock().receive(&line, wire.now()),
            (Ok(Heard::Connected), Ok(bytes)) => shared.machine.lock().connected(bytes, wire.now()),
            (Ok(Heard::Elapsed), _) => {}
            (Ok(Heard::Refused(text)), _) => return Error::Ended(text),
            (Err(error), _) | (Ok(Heard::Connected), Err(error)) => return error,
        }
    }
}
