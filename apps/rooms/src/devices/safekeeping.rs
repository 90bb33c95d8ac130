//! Nothing that people did is lost: what the [journal](super::journal) remembers is written into a
//! folder, and it and the room files go to the keeper over the bus.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use anyhow::Context;
use linebus_client::Builder;

use super::journal::{Change, Journal};
use crate::backup::{self, DataSetName, FolderError, Owner, OwnerName, Patience};

/// Beginnings of data sets' names: the room files, and the folder of what is remembered.
const ROOMS: &str = "rooms/";
const STATE: &str = "state/";
/// What is being written.
const UNFINISHED: &str = ".unfinished";

/// Writes and sends; what is still to be written when it is dropped is written then.
#[derive(Debug)]
pub(super) struct Safekeeping {
    rooms: PathBuf,
    owner: Owner,
    /// Names of the room files that were sent.
    sent: Vec<DataSetName>,
    trouble: Option<String>,
    changes: Option<Sender<Change>>,
    writer: Option<JoinHandle<()>>,
}

impl Safekeeping {
    /// Begins with what the folder has from before, which goes to the keeper with the room files.
    ///
    /// # Errors
    /// A folder can't be read, or the bus does not want this owner at all.
    pub(super) async fn begin(
        bus: Builder,
        owner: OwnerName,
        rooms: &Path,
        state: &Path,
    ) -> anyhow::Result<(Safekeeping, Journal)> {
        fs::create_dir_all(state).with_context(|| state.display().to_string())?;
        let mut remembered = match backup::read(state) {
            Ok(files) => files,
            Err(FolderError::Empty(_)) => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        remembered.retain(|name, _| name.as_str() != UNFINISHED);
        let files = room_files(rooms)?;
        let sent = files.iter().map(|(name, _)| name.clone()).collect();
        let known = remembered.iter().filter_map(|(name, content)| {
            Some((DataSetName::new(&format!("{STATE}{name}")).ok()?, content.clone()))
        });
        let owner = Owner::start(bus, owner, files.into_iter().chain(known), Patience::default());
        let owner = owner.await?;
        let texts = remembered.into_iter().filter_map(|(name, content)| {
            Some((name.as_str().to_owned(), String::from_utf8(content).ok()?))
        });
        let journal = Journal::new(texts.collect());
        let (changes, waiting) = channel();
        let folder = state.to_owned();
        let writer = std::thread::spawn(move || write_all(&folder, &waiting));
        let (changes, writer) = (Some(changes), Some(writer));
        let rooms = rooms.to_owned();
        Ok((Safekeeping { rooms, owner, sent, trouble: None, changes, writer }, journal))
    }

    /// Writes and sends what has changed.
    pub(super) fn keep(&self, changes: Vec<Change>) {
        for (name, content) in changes {
            if let Ok(name) = DataSetName::new(&format!("{STATE}{name}")) {
                match &content {
                    Some(content) => self.owner.set(name, Arc::clone(content)),
                    None => self.owner.remove(&name),
                }
            }
            if let Some(writer) = &self.changes {
                // It ends with this value, not before.
                let _ = writer.send((name, content));
            }
        }
    }

    /// The room files were read again.
    pub(super) fn rooms_changed(&mut self) {
        match room_files(&self.rooms) {
            Ok(files) => {
                let gone = std::mem::take(&mut self.sent);
                self.sent = files.iter().map(|(name, _)| name.clone()).collect();
                gone.iter().filter(|name| !self.sent.contains(name)).for_each(|name| {
                    self.owner.remove(name);
                });
                files.into_iter().for_each(|(name, content)| self.owner.set(name, content));
            }
            Err(error) => tracing::error!("the room files are not backed up: {error:#}"),
        }
    }

    /// Waits for news of the backup, and tells people of trouble and its end.
    pub(super) async fn watch(&mut self) {
        self.owner.changed().await;
        let refused = |(name, refusal): (&DataSetName, &rooms_backup::Refusal)| {
            format!("{name}: {}", refusal.text)
        };
        let trouble =
            self.owner.trouble().or_else(|| self.owner.status().refused.iter().next().map(refused));
        if trouble != self.trouble {
            match &trouble {
                Some(trouble) => tracing::warn!("not backed up: {trouble}"),
                None => tracing::info!("the backup goes on"),
            }
            self.trouble = trouble;
        }
    }
}

impl Drop for Safekeeping {
    fn drop(&mut self) {
        drop(self.changes.take());
        if let Some(writer) = self.writer.take() {
            // A panic of it has been said.
            let _ = writer.join();
        }
    }
}

/// The room files and descriptions, but for passwords: those stay where they are.
fn room_files(rooms: &Path) -> anyhow::Result<Vec<(DataSetName, Vec<u8>)>> {
    let mut files = Vec::new();
    for folder in ["", "drivers/"] {
        let entries = match fs::read_dir(rooms.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.with_context(|| rooms.display().to_string())?,
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.extension().is_some_and(|extension| extension == "toml")
                && let Ok(name) = DataSetName::new(&format!("{ROOMS}{folder}{name}"))
            {
                let content = fs::read(&path).with_context(|| path.display().to_string())?;
                files.push((name, content));
            }
        }
    }
    Ok(files)
}

/// Writes changes as they come; of several of one text that wait, the newest.
fn write_all(folder: &Path, changes: &Receiver<Change>) {
    while let Ok(change) = changes.recv() {
        let newest: BTreeMap<_, _> = [change].into_iter().chain(changes.try_iter()).collect();
        for (name, content) in newest {
            if let Err(error) = write(folder, &name, content.as_deref()) {
                tracing::error!("{}/{name} is not written: {error}", folder.display());
            }
        }
    }
}

/// Whole or not at all, whatever happens meanwhile.
fn write(folder: &Path, name: &str, content: Option<&[u8]>) -> io::Result<()> {
    let path = folder.join(name);
    let Some(content) = content else { return fs::remove_file(path) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = folder.join(UNFINISHED);
    let mut file = fs::File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new, path)
}
