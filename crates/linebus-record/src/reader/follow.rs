//! Reading on while a record is being written: through rotation, renaming and compression.
//!
//! What a file is, is told by its inode and first line, whatever it is called. A compressed file
//! that turns up later is one that was read before it was compressed, or, if nobody has seen it
//! plain, one to be read.

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::folder::{Found, candidates, files, is_compressed};
use super::open::{Kind, Reading, open, read_file};
use super::{Range, Sink};
use crate::time::Time;

/// Reads what a folder or a file holds, and then what is added to it. When there is nothing new,
/// `idle` is called, which waits as long as it likes; breaking ends the reading.
///
/// # Errors
/// As [`read`](super::read).
pub fn follow(
    path: &Path,
    range: &Range,
    sink: &mut Sink<'_>,
    idle: &mut dyn FnMut() -> ControlFlow<()>,
) -> io::Result<()> {
    let slack = range.with_slack();
    let mut seen = Seen::default();
    let mut waiting = files(path, sink)?;
    loop {
        waiting.retain(|file| seen.is_new(file));
        let count = waiting.len();
        for (number, file) in waiting.drain(..).enumerate() {
            seen.add(&file);
            let ended = slack.since.is_some_and(|since| file.ends_before(since));
            if slack.is_over(file.first) || ended && number + 1 < count {
                continue;
            }
            // Only the last one is still being written.
            let done = if number + 1 < count || file.kind == Kind::Compressed {
                read_file(&file, range, sink)
            } else {
                follow_file(path, &file, range, sink, idle, &seen)?
            };
            if done.is_break() {
                return Ok(());
            }
        }
        waiting = newer(path, &seen)?;
        if waiting.is_empty() && idle().is_break() {
            return Ok(());
        }
    }
}

/// Reads a file until there is another one, and then to its end.
fn follow_file(
    path: &Path,
    found: &Found,
    range: &Range,
    sink: &mut Sink<'_>,
    idle: &mut dyn FnMut() -> ControlFlow<()>,
    seen: &Seen,
) -> io::Result<ControlFlow<()>> {
    let Ok((mut file, _, Kind::Plain)) = open(&found.path) else {
        return Ok(read_file(found, range, sink));
    };
    let mut reading = Reading::new(&found.path, range, sink);
    reading.seek(&mut file)?;
    let mut last_look = false;
    loop {
        reading.rest_of(&mut file)?;
        if reading.outcome().is_break() || reading.is_over() {
            return Ok(reading.outcome());
        }
        if last_look {
            reading.torn();
            return Ok(reading.outcome());
        }
        // When the next file is there, everything stands in this one: once more to its end.
        last_look = !newer(path, seen)?.is_empty();
        if !last_look && idle().is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// Files that were not seen before, in order.
fn newer(path: &Path, seen: &Seen) -> io::Result<Vec<Found>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut found: Vec<_> = candidates(path)?
        .iter()
        // What is wrong with a file now may be right in a moment.
        .filter_map(|path| Found::look(path).ok().flatten())
        .filter(|file| seen.is_new(file))
        .collect();
    found.sort_by(|a, b| (a.first, &a.path).cmp(&(b.first, &b.path)));
    Ok(found)
}

/// Files that were begun to be read.
#[derive(Debug, Default)]
struct Seen {
    files: HashSet<((u64, u64), Time)>,
    /// Their names without what compressing adds, with the times of their first lines.
    names: HashSet<(PathBuf, Time)>,
}

impl Seen {
    fn add(&mut self, file: &Found) {
        self.files.insert((file.id, file.first));
        self.names.insert((plain_name(&file.path), file.first));
    }

    fn is_new(&self, file: &Found) -> bool {
        let read_plain = file.kind == Kind::Compressed
            && self.names.contains(&(plain_name(&file.path), file.first));
        !read_plain && !self.files.contains(&(file.id, file.first))
    }
}

fn plain_name(path: &Path) -> PathBuf {
    if is_compressed(path) { path.with_extension("") } else { path.to_owned() }
}
