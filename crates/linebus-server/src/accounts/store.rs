//! Changes a users file on the disk: as a whole or not at all, and one editor after the other.
//!
//! The new text goes to a new file in the same folder, onto the disk, and then takes the old
//! file's name (rename(2)), so that a reader finds the one or the other. Editors take turns by a
//! lock on the folder (flock(2)), since the file itself is replaced; the system ends the lock with
//! the process. What a killed one left behind is swept away by the next.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use thiserror::Error;

use super::edit::{Change, EditError, edit};
use super::{By, Users, read_text};
use crate::config::Problem;

/// What only the owner may do: read and write.
const MODE: u32 = 0o600;

/// Why a users file was not read or changed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file is not as it must be; every mistake as [`Problem::in_file`] shows it.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
    /// There is no file.
    #[error("there is no {}; `linebus user add NAME` makes one", .0.display())]
    Missing(PathBuf),
    /// A link without a file behind it.
    #[error("{} is a symbolic link, and there is no file behind it", .0.display())]
    Dangling(PathBuf),
    /// The change can't be made.
    #[error("{}: {why}", file.display())]
    Edit {
        /// The file.
        file: PathBuf,
        /// Why not.
        why: EditError,
    },
    /// The system refuses something.
    #[error("can't {what} {}: {source}", path.display())]
    System {
        /// What was being done.
        what: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The users of a file, as somebody reads it who is going to edit it.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn read(path: &Path) -> Result<Users, StoreError> {
    if !exists(path)? {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let text = read_text(path, By::Editor).map_err(|problem| problems(path, &[problem]))?;
    Users::parse(&text).map_err(|wrong| problems(path, &wrong))
}

/// The same, with no users where there is no file or none in it: [`Change::Add`] adds the first.
///
/// # Errors
/// Everything else that is wrong with the file.
pub fn read_even_none(path: &Path) -> Result<Users, StoreError> {
    let text = text_even_none(path, path)?;
    Users::parse_even_none(&text).map_err(|wrong| problems(path, &wrong))
}

/// Changes one user in the file. [`Change::Add`] makes the file if it is not there.
///
/// `waiting` is called with the folder when another editor is at work there and has to be waited
/// for.
///
/// # Errors
/// [`StoreError`]; the file is as it was then, unless the folder could not be written to the disk.
pub fn change(
    path: &Path,
    name: &str,
    change: &Change,
    waiting: impl Fn(&Path),
) -> Result<(), StoreError> {
    let (target, folder) = lock(path, waiting)?;
    let adds = matches!(change, Change::Add(_));
    if !adds && !exists(path)? {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let old = text_even_none(path, &target)?;
    let new = edit(&old, name, change).map_err(|why| match why {
        EditError::Problems(wrong) => problems(path, &wrong),
        why => StoreError::Edit { file: path.to_owned(), why },
    })?;
    if new == old { Ok(()) } else { replace(&target, &folder, &new) }
}

fn problems(path: &Path, problems: &[Problem]) -> StoreError {
    StoreError::Problems(problems.iter().map(|problem| problem.in_file(path)).collect())
}

fn system(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::System { what, path, source }
}

/// Whether there is a file. A link to nowhere is an error, rather than no file.
fn exists(path: &Path) -> Result<bool, StoreError> {
    match path.metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(system("look at", path)(error)),
        Err(_) if path.is_symlink() => Err(StoreError::Dangling(path.to_owned())),
        Err(_) => Ok(false),
    }
}

/// The text of `target`, which is called `path`; the empty one where there is no file.
fn text_even_none(path: &Path, target: &Path) -> Result<String, StoreError> {
    if !exists(path)? {
        return Ok(String::new());
    }
    read_text(target, By::Editor).map_err(|problem| problems(path, &[problem]))
}

/// Locks the folder of the file behind `path`; returns that file, and the folder, which is locked
/// until it is dropped.
fn lock(path: &Path, waiting: impl Fn(&Path)) -> Result<(PathBuf, File), StoreError> {
    loop {
        let target = behind(path)?;
        let parent = target.parent().unwrap_or(Path::new("/"));
        let folder = File::open(parent).map_err(system("open the folder", parent))?;
        if let Err(error) = flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(system("lock the folder", parent)(error.into()));
            }
            waiting(parent);
            let locked =
                rustix::io::retry_on_intr(|| flock(&folder, FlockOperation::LockExclusive));
            locked.map_err(|error| system("lock the folder", parent)(error.into()))?;
        }
        // A link may have been turned meanwhile; what counts is where it leads under the lock.
        if behind(path)? == target {
            return Ok((target, folder));
        }
    }
}

/// The file that a path leads to, links followed; there need not be one yet.
fn behind(path: &Path) -> Result<PathBuf, StoreError> {
    if exists(path)? {
        return path.canonicalize().map_err(system("follow", path));
    }
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = parent.canonicalize().map_err(system("find the folder", parent))?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

/// Puts a new file in the place of the old one, in a folder that is locked.
fn replace(target: &Path, folder: &File, text: &str) -> Result<(), StoreError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".new");
    let new = target.with_file_name(name);
    let owner = match target.metadata() {
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(system("look at", target)(error)),
    };
    let written = write(&new, owner.as_ref(), text)
        .and_then(|()| std::fs::rename(&new, target).map_err(system("replace", target)));
    if written.is_err() {
        // Whatever is left of it is removed by the next one who edits.
        let _ = std::fs::remove_file(&new);
    }
    written?;
    folder.sync_all().map_err(system("write to the disk the folder of", target))
}

/// Writes a file that was not there, for nobody but the owner of the old one, onto the disk.
fn write(new: &Path, old: Option<&Metadata>, text: &str) -> Result<(), StoreError> {
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(system("remove", new)(error));
        }
        _ => {}
    }
    let file = File::options().write(true).create_new(true).mode(MODE).open(new);
    let mut file = file.map_err(system("create", new))?;
    let about = file.metadata().map_err(system("look at", new))?;
    if let Some(old) = old.filter(|old| old.uid() != about.uid()) {
        // Root edits somebody's file, who is to be able to read it afterwards.
        let given = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        given.map_err(system("give to its owner", new))?;
    }
    file.write_all(text.as_bytes()).map_err(system("write", new))?;
    file.sync_all().map_err(system("write to the disk", new))
}
