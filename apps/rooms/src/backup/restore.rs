//! Everything of an owner, from a keeper into an empty folder.

use std::path::Path;
use std::time::Duration;

use linebus_client::Builder;
use rooms_backup::{OwnerName, Patience, Restore};

use super::folder::Restoring;
use super::{Error, Heard, Wire};

/// Restores all data sets of an owner as files into `dir`, which is empty or not there. It stays
/// so unless all of them have come. Returns how many there are.
///
/// # Errors
/// The folder is not empty, nothing is kept, what the keeper says can't be read, or nothing came
/// for `silence_max`.
pub async fn restore(
    bus: Builder,
    owner: OwnerName,
    dir: &Path,
    patience: Patience,
    silence_max: Duration,
) -> Result<usize, Error> {
    let mut folder = Restoring::begin(dir)?;
    let mut wire = Wire::connect(bus).await?;
    let (id, part_bytes) = (fastrand::u64(..), wire.part_bytes()?);
    let mut machine = Restore::new(owner.clone(), patience, part_bytes, id, wire.now());
    let mut count = 0;
    loop {
        machine.tick(wire.now());
        wire.say(machine.take_lines());
        for restored in machine.take_restored() {
            folder.write(&restored.name, &restored.content)?;
            count += 1;
        }
        if machine.is_complete() {
            break;
        }
        if let Some(bad) = machine.bad_catalogue() {
            return Err(Error::BadCatalogue(bad.clone()));
        }
        let silent_at = machine.heard() + silence_max;
        if silent_at <= wire.now() {
            return Err(Error::Silence { after: silence_max });
        }
        let deadline = machine.deadline().map_or(silent_at, |due| due.min(silent_at));
        match wire.next(deadline).await? {
            Heard::Line(line) => machine.receive(&line, wire.now()),
            Heard::Refused(text) => return Err(Error::Trouble(text)),
            Heard::Lost(_) | Heard::Connected | Heard::Elapsed => {}
        }
    }
    if !machine.unknown().is_empty() {
        let missing = machine.unknown().to_vec();
        return Err(Error::Missing { dir: dir.to_owned(), missing });
    }
    if count == 0 {
        return Err(Error::NothingKept(owner.to_string()));
    }
    folder.complete()?;
    Ok(count)
}
