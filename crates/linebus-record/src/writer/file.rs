//! The file that is being written: whole lines only, as far as the system allows.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use memchr::memrchr;

use crate::reader::SLACK;
use crate::template::{COMPRESSED, Template};
use crate::time::Time;

/// The owner reads and writes, the group reads: it holds what people said.
const FILE_MODE: u32 = 0o640;
/// So far may a line's time lie before that of another one, as far as a second's beginning tells:
/// together less than what readers allow for ([`SLACK`]).
const SET_BACK_MAX: Duration = Duration::from_secs(1);
const _: () = assert!(SET_BACK_MAX.as_secs() < SLACK.as_secs());

/// A file of a record, from its first line to its last.
#[derive(Debug)]
pub(super) struct RecordFile {
    pub(super) file: Arc<File>,
    pub(super) path: PathBuf,
    /// Bytes of whole lines in it.
    pub(super) len: u64,
    /// No line in it is of a later time.
    latest: Time,
    /// So early may a line be without a seek going wrong; brought up once a second.
    earliest: Time,
    brought_up: Time,
    /// What ends with a part of a line that can't be taken back gets no more.
    pub(super) torn: bool,
}

impl RecordFile {
    /// Makes another file in `folder`, named by `template` for a first line of `time`.
    pub(super) fn create(folder: &Path, template: &Template, time: Time) -> io::Result<Self> {
        for number in 1.. {
            let name = template.name(time, number);
            if folder.join(format!("{name}{COMPRESSED}")).exists() {
                continue;
            }
            let path = folder.join(name);
            let opened =
                OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(&path);
            match opened {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => {
                    let file = Arc::new(opened?);
                    let (len, torn) = (0, false);
                    let earliest = time.minus(SET_BACK_MAX);
                    let (latest, brought_up) = (time, time);
                    return Ok(Self { file, path, len, latest, earliest, brought_up, torn });
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Whether a line of `time` may follow: a seek relies on times that don't go back, but for a
    /// little, as when a clock is set.
    pub(super) fn takes(&self, time: Time) -> bool {
        time >= self.earliest && !self.torn
    }

    /// Notes that a line of `time` follows.
    pub(super) fn note(&mut self, time: Time) {
        if time > self.latest {
            self.latest = time;
            if time.second() != self.brought_up.second() {
                self.brought_up = time;
                self.earliest = time.minus(SET_BACK_MAX);
            }
        }
    }

    pub(super) fn latest(&self) -> Time {
        self.latest
    }

    /// Writes whole lines; on an error, how many bytes of whole lines were written.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < lines.len() {
            match (&*self.file).write(&lines[written..]) {
                Ok(0) => return Err(self.fail(lines, written, io::ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fail(lines, written, error)),
            }
        }
        self.len += written as u64;
        Ok(())
    }

    /// Takes a part of a line back; what can't be taken back is a file's end.
    fn fail(&mut self, lines: &[u8], written: usize, error: io::Error) -> (usize, io::Error) {
        let whole = memrchr(b'\n', &lines[..written]).map_or(0, |at| at + 1);
        self.len += whole as u64;
        self.torn = written > whole && self.file.set_len(self.len).is_err();
        (whole, error)
    }
}
