//! One file of a record, plain or compressed, from the line on that is wanted.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::folder::{Found, is_compressed};
use super::seek::{first_time_in, first_time_of, start_of};
use super::split::{Line, Splitter};
use super::{Damaged, Item, Place, Range, Sink};
use crate::compressed::{Table, finished, stream};
use crate::line::Entry;
use crate::time::Time;

/// So much is read at once.
const READ_BYTES: usize = 256 << 10;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Compressed,
}

/// Opens a file, or its compressed form if it was compressed since its name was read.
pub(super) fn open(path: &Path) -> io::Result<(File, PathBuf, Kind)> {
    let kind = |path: &Path| if is_compressed(path) { Kind::Compressed } else { Kind::Plain };
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_compressed(path) => {
            let path = finished(path);
            let file = File::open(&path).map_err(|_| error)?;
            Ok((file, path, Kind::Compressed))
        }
        opened => Ok((opened?, path.to_owned(), kind(path))),
    }
}

/// When a file's first line was sent.
pub(super) fn first_time(mut file: File, kind: Kind) -> io::Result<Option<Time>> {
    match kind {
        Kind::Plain => first_time_of(&mut file),
        Kind::Compressed => {
            if let Some(Table { times: Some((first, _)), .. }) = Table::read(&mut file)? {
                return Ok(Some(first));
            }
            file.seek(SeekFrom::Start(0))?;
            first_time_in(&mut stream(file)?)
        }
    }
}

/// Reads what is wanted of one file. Breaks if whoever is told did.
pub(super) fn read_file(found: &Found, range: &Range, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut reading = Reading::new(&found.path, range, sink);
    let read = match open(&found.path) {
        Ok((file, _, Kind::Plain)) => reading.plain(file),
        Ok((file, _, Kind::Compressed)) => reading.compressed(file),
        Err(error) => Err(error),
    };
    if let Err(error) = read {
        reading.damaged(None, format!("it can't be read on: {error}"));
    }
    reading.torn();
    reading.outcome()
}

/// One file while it is read.
pub(super) struct Reading<'r, 's> {
    path: &'r Path,
    range: Range,
    splitter: Splitter,
    sink: &'r mut Sink<'s>,
    /// Nothing more of this file is wanted.
    over: bool,
    /// Nothing more at all is.
    broken: bool,
}

impl<'r, 's> Reading<'r, 's> {
    pub(super) fn new(path: &'r Path, range: &Range, sink: &'r mut Sink<'s>) -> Self {
        let splitter = Splitter::new(0);
        Self { path, range: *range, splitter, sink, over: false, broken: false }
    }

    fn plain(&mut self, mut file: File) -> io::Result<()> {
        self.seek(&mut file)?;
        self.rest_of(&mut file)
    }

    /// Goes where the wanted lines of a plain file begin.
    pub(super) fn seek(&mut self, file: &mut (impl Read + Seek)) -> io::Result<()> {
        if let Some(since) = self.range.with_slack().since {
            let start = start_of(file, since)?;
            file.seek(SeekFrom::Start(start))?;
            self.splitter = Splitter::new(start);
        }
        Ok(())
    }

    /// Reads to the end of what there is now.
    pub(super) fn rest_of(&mut self, text: &mut impl Read) -> io::Result<()> {
        let mut piece = vec![0; READ_BYTES];
        while !self.over {
            match text.read(&mut piece) {
                Ok(0) => break,
                Ok(len) => self.feed(&piece[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn compressed(&mut self, mut file: File) -> io::Result<()> {
        let Some(table) = Table::read(&mut file)? else {
            file.seek(SeekFrom::Start(0))?;
            return self.rest_of(&mut stream(file)?);
        };
        let first = match self.range.with_slack().since {
            // The frame before the first one that begins late enough.
            Some(since) => table
                .frames
                .partition_point(|frame| {
                    let text = frame.text(&mut file).ok();
                    text.and_then(|text| Time::parse(&text)).is_none_or(|time| time < since)
                })
                .saturating_sub(1),
            None => 0,
        };
        let mut damaged = true;
        for frame in &table.frames[first..] {
            if self.over {
                break;
            }
            if std::mem::take(&mut damaged) {
                // Lines can be counted only if all those before were read.
                self.splitter = Splitter::new(frame.text_at);
            }
            match frame.text(&mut file) {
                Ok(text) => self.feed(&text),
                Err(error) => {
                    self.torn();
                    let place = Place { line: None, byte: frame.text_at };
                    self.damaged(Some(place), format!("a compressed part is damaged ({error})"));
                    damaged = true;
                }
            }
        }
        if damaged {
            self.splitter = Splitter::new(0);
        }
        Ok(())
    }

    fn feed(&mut self, text: &[u8]) {
        let Self { path, range, splitter, sink, over, broken } = self;
        let end = range.with_slack();
        let done = splitter.feed(text, |line, place| {
            let (item, time) = judge(path, line, place);
            let wanted = time.is_none_or(|time| range.has(time));
            *over |= time.is_some_and(|time| end.is_over(time));
            if wanted && sink(item).is_break() {
                *broken = true;
            }
            if *over || *broken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.over |= done.is_break();
    }

    pub(super) fn damaged(&mut self, place: Option<Place>, why: String) {
        if !self.broken {
            let damaged = Damaged { path: self.path, place, why };
            self.broken = (self.sink)(Item::Damaged(damaged)).is_break();
        }
    }

    /// Reports a line that has no end, unless it was not waited for.
    pub(super) fn torn(&mut self) {
        if let Some(place) = self.splitter.torn().filter(|_| !self.over) {
            self.damaged(Some(place), "the line has no end".to_owned());
        }
    }

    /// Whether no more lines of this file are wanted.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn outcome(&self) -> ControlFlow<()> {
        if self.broken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn judge<'a>(path: &'a Path, line: Line<'a>, place: Place) -> (Item<'a>, Option<Time>) {
    let why = match line.map(Entry::parse) {
        Some(Ok(entry)) => return (Item::Entry(entry), Some(entry.time)),
        Some(Err(bad)) => bad.to_string(),
        None => "it is longer than a line can be".to_owned(),
    };
    (Item::Damaged(Damaged { path, place: Some(place), why }), None)
}
