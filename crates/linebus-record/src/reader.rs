//! Reading a record: from a time on, found by seeking; past what is damaged; and on while it is
//! being written.
//!
//! A record is a folder of files or one of them, compressed or not. Files are read in the order of
//! their first lines. Whatever is damaged is reported with its place and skipped.

mod folder;
mod follow;
mod open;
mod seek;
mod split;

use std::fmt;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use crate::line::Entry;
use crate::time::Time;
use folder::files;
pub use follow::follow;
use open::{Reading, read_file};
pub(crate) use seek::times_of;

/// So much earlier than a line before it may one be in a file: lines of several threads come a
/// little mixed, and clocks are set. What goes back further is in another file.
pub const SLACK: Duration = Duration::from_secs(2);

/// Which lines are wanted, by time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Not earlier than this.
    pub since: Option<Time>,
    /// Earlier than this.
    pub until: Option<Time>,
}

impl Range {
    fn has(&self, time: Time) -> bool {
        self.since.is_none_or(|since| time >= since) && !self.is_over(time)
    }

    /// Whether a time is past its end.
    fn is_over(&self, time: Time) -> bool {
        self.until.is_some_and(|until| time >= until)
    }

    /// The same, with room for lines that are a little out of order.
    fn with_slack(&self) -> Self {
        Self {
            since: self.since.map(|since| since.minus(SLACK)),
            until: self.until.map(|until| until.plus(SLACK)),
        }
    }
}

/// What is found in a record.
#[derive(Debug)]
pub enum Item<'a> {
    /// A line.
    Entry(Entry<'a>),
    /// Something that is none.
    Damaged(Damaged<'a>),
}

/// Where something is wrong, and what.
#[derive(Debug)]
pub struct Damaged<'a> {
    /// The file.
    pub path: &'a Path,
    /// Where in it; nothing if it is about all of it.
    pub place: Option<Place>,
    /// What is wrong.
    pub why: String,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, counted from 1; nothing if the file was not read from its beginning.
    pub line: Option<u64>,
    /// Bytes before it in the file's text.
    pub byte: u64,
}

impl fmt::Display for Damaged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match self.place {
            Some(Place { line: Some(line), .. }) => write!(f, "line {line}: ")?,
            Some(Place { line: None, byte }) => write!(f, "byte {byte}: ")?,
            None => {}
        }
        write!(f, "{}, skipped", self.why)
    }
}

/// Who is told what is found; breaking ends the reading.
pub type Sink<'s> = dyn FnMut(Item<'_>) -> ControlFlow<()> + 's;

/// Reads what a folder or a file holds.
///
/// # Errors
/// When there is no such folder or file, or it may not be read. What is wrong with a file in a
/// folder is reported as damaged.
pub fn read(path: &Path, range: &Range, sink: &mut Sink<'_>) -> io::Result<()> {
    let slack = range.with_slack();
    for file in files(path, sink)? {
        if slack.is_over(file.first) || slack.since.is_some_and(|since| file.ends_before(since)) {
            continue;
        }
        if read_file(&file, range, sink).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads lines that come from elsewhere, such as standard input; `name` is what it is called.
///
/// # Errors
/// The input's.
pub fn read_lines(input: &mut impl Read, name: &Path, sink: &mut Sink<'_>) -> io::Result<()> {
    let mut reading = Reading::new(name, &Range::default(), sink);
    reading.rest_of(input)?;
    reading.torn();
    Ok(())
}

#[cfg(test)]
mod tests;
