//! Which files a record has, in which order.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::open::{Kind, first_time, open};
use super::seek::last_time;
use super::{Damaged, Item, Sink};
use crate::compressed::{Table, finished};
use crate::template::COMPRESSED;
use crate::time::Time;

/// A file of a record.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// When its first line was sent.
    pub(super) first: Time,
    /// Its device and inode: what it is, whatever it is called.
    pub(super) id: (u64, u64),
}

impl Found {
    /// Looks at a file; none if it has no line yet.
    pub(super) fn look(path: &Path) -> io::Result<Option<Self>> {
        let (file, path, kind) = open(path)?;
        let about = file.metadata()?;
        let first = first_time(file, kind)?;
        let id = (about.dev(), about.ino());
        Ok(first.map(|first| Self { path, kind, first, id }))
    }

    /// Whether all its lines are of before `time`, as far as it is cheap to know.
    pub(super) fn ends_before(&self, time: Time) -> bool {
        if self.first >= time {
            return false;
        }
        let last = open(&self.path).and_then(|(mut file, _, kind)| match kind {
            Kind::Plain => last_time(&mut file),
            Kind::Compressed => {
                let table = Table::read(&mut file)?;
                Ok(table.and_then(|table| table.times).map(|(_, last)| last))
            }
        });
        // What is wrong with a file is told when it is read.
        last.ok().flatten().is_some_and(|last| last < time)
    }
}

/// All files of a folder, or the one file, in the order of their first lines. What is none is told.
pub(super) fn files(path: &Path, sink: &mut Sink<'_>) -> io::Result<Vec<Found>> {
    if !path.is_dir() {
        open(path)?;
        return Ok(look(path, sink).into_iter().collect());
    }
    let mut found: Vec<_> = candidates(path)?.iter().filter_map(|path| look(path, sink)).collect();
    found.sort_by(|a, b| (a.first, &a.path).cmp(&(b.first, &b.path)));
    Ok(found)
}

/// Files of a folder that are not hidden. A file whose compressed form lies beside it is about to be
/// removed, and both are the same.
pub(super) fn candidates(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && fs::metadata(entry.path()).is_ok_and(|about| about.is_file()) {
            paths.push(entry.path());
        }
    }
    let plain: HashSet<_> = paths.iter().map(|path| finished(path)).collect();
    paths.retain(|path| !plain.contains(path));
    paths.sort();
    Ok(paths)
}

fn look(path: &Path, sink: &mut Sink<'_>) -> Option<Found> {
    let why = match Found::look(path) {
        Ok(Some(found)) => return Some(found),
        Ok(None) if fs::metadata(path).is_ok_and(|about| about.len() == 0) => return None,
        Ok(None) => "there is no line of a record at its beginning".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => format!("it can't be read: {error}"),
    };
    // Whoever breaks off here does so at the first line, too.
    let _ = sink(Item::Damaged(Damaged { path, place: None, why }));
    None
}

/// Whether a name is that of a compressed file.
pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(&COMPRESSED[1..]))
}
