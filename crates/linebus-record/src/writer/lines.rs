//! The thread that writes: lines as the bus says them become lines of a record, in files of limited
//! size and age, and what is missing becomes a line that says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linebus_protocol::run::lines;
use memchr::memchr_iter;

use super::file::RecordFile;
use super::queue::Item;
use super::sync::Syncer;
use super::{Notice, Queue, Tell};
use crate::line::{Gap, WATCH, Watched};
use crate::options::Options;
use crate::time::Time;

/// So much is written at once.
const WRITE_BYTES: usize = 256 << 10;
/// How long to wait before what failed is tried again, so that a full disk gets one gap a second and
/// not one for each few bytes that are free; and until a gap is told though no line comes.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    folder: PathBuf,
    options: Options,
    queue: Arc<Queue>,
    syncer: Syncer,
    tell: Tell,
    file: Option<RecordFile>,
    /// The hour of the line before, and its period of `rotate_hours`.
    hour: String,
    period: i64,
    /// The period of the file's first line.
    file_period: i64,
    /// Another file is wanted with the next line.
    next_file: bool,
    /// No file is made before that.
    no_file_before: Option<Instant>,
    /// Nothing is written before that, and why.
    no_write_before: Option<(Instant, String)>,
    /// Lines that are formatted and not written.
    out: Vec<u8>,
    /// What is missing and not told, and how much of `out` tells it.
    gap: Option<Gap>,
    gap_len: usize,
    /// It was told that lines can't be written.
    failing: bool,
}

impl Writer {
    pub(super) fn new(
        folder: &Path,
        options: &Options,
        queue: Arc<Queue>,
        syncer: Syncer,
        tell: Tell,
    ) -> Self {
        Self {
            folder: folder.to_owned(),
            options: options.clone(),
            queue,
            syncer,
            tell,
            file: None,
            hour: String::new(),
            period: 0,
            file_period: 0,
            next_file: false,
            no_file_before: None,
            no_write_before: None,
            out: Vec::new(),
            gap: None,
            gap_len: 0,
            failing: false,
        }
    }

    /// Writes until the queue ends, and has the disk take it.
    pub(super) fn run(mut self) {
        loop {
            let until = self.gap.is_some().then(|| Instant::now() + RETRY);
            match self.queue.pop(until) {
                Item::Lines(block) => {
                    lines(&block).for_each(|line| self.line(line));
                    self.flush();
                    self.queue.give_back(block);
                }
                Item::Gap(gap) => self.miss(gap),
                Item::NextFile => self.next_file = self.file.is_some(),
                Item::Nothing => self.tell_gap(),
                Item::End => break,
            }
        }
        self.tell_gap();
        self.syncer.finish();
    }

    fn line(&mut self, line: &[u8]) {
        let Some(watched) = Watched::parse(&line[..line.len() - 1]) else {
            if line.starts_with(WATCH) {
                self.lose(1, line.len() as u64, None, "a line of another form");
            }
            return;
        };
        let len = watched.recorded_len();
        if self.out.len() + len > WRITE_BYTES {
            self.flush();
        }
        if let Some((until, why)) = &self.no_write_before {
            if Instant::now() < *until {
                let why = why.clone();
                return self.lose(1, len as u64, Some(watched.time), &why);
            }
            self.no_write_before = None;
        }
        if !self.is_ready(watched.time, len) {
            return;
        }
        self.begin_with_gap(watched.time);
        watched.record(&mut self.out);
        if let Some(file) = &mut self.file {
            file.note(watched.time);
        }
    }

    /// Whether there is a file for a line; a line for which there is none is lost.
    fn is_ready(&mut self, time: Time, len: usize) -> bool {
        let later_period = self.period_of(time) > self.file_period;
        let most = self.options.rotate_bytes;
        let wanted = self.file.as_ref().is_none_or(|file| {
            let total = file.len + (self.out.len() + len) as u64;
            self.next_file
                || later_period
                || !file.takes(time)
                || most > 0 && total > most && total > len as u64
        });
        if wanted {
            self.flush();
            self.begin_file(time);
        }
        // One that can't be followed by another goes on, unless it ends amid a line.
        let ready = self.file.as_ref().is_some_and(|file| !file.torn);
        if !ready {
            self.lose(1, len as u64, Some(time), "no file could be made");
        }
        ready
    }

    /// The number of a line's period of `rotate_hours`.
    fn period_of(&mut self, time: Time) -> i64 {
        if time.hour() != self.hour {
            time.hour().clone_into(&mut self.hour);
            let seconds = i64::from(self.options.rotate_hours) * 60 * 60;
            let began = time.timestamp().filter(|_| seconds > 0);
            self.period = began.map_or(0, |time| time.as_second().div_euclid(seconds));
        }
        self.period
    }

    fn begin_file(&mut self, time: Time) {
        let now = Instant::now();
        if self.no_file_before.is_some_and(|at| now < at) {
            return;
        }
        match RecordFile::create(&self.folder, &self.options.file, time) {
            Ok(file) => {
                self.next_file = false;
                self.no_file_before = None;
                self.file_period = self.period_of(time);
                self.syncer.begin(Arc::clone(&file.file), file.path.clone());
                (self.tell)(Notice::Begun(file.path.clone()));
                self.file = Some(file);
            }
            Err(error) => {
                self.no_file_before = Some(now + RETRY);
                if self.file.is_none() {
                    self.fail(self.folder.clone(), error);
                } else {
                    (self.tell)(Notice::Trouble(
                        self.folder.clone(),
                        "begin another file in",
                        error,
                    ));
                }
            }
        }
    }

    /// Puts what is missing before the first line that is written after it.
    fn begin_with_gap(&mut self, time: Time) {
        if let Some(gap) = &self.gap
            && self.out.is_empty()
        {
            gap.record(gap.last.unwrap_or(time), &mut self.out);
            self.gap_len = self.out.len();
        }
    }

    /// Writes what is missing though no line follows.
    fn tell_gap(&mut self) {
        let Some(gap) = &self.gap else { return };
        let latest = self.file.as_ref().map(RecordFile::latest);
        let time = gap.last.or(latest).unwrap_or_else(Time::now);
        if self.file.as_ref().is_none_or(|file| file.torn) {
            self.begin_file(time);
        }
        if self.file.is_some() {
            self.begin_with_gap(time);
            self.flush();
        }
    }

    /// Writes what is formatted; what can't be written is lost.
    fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        let gap_len = std::mem::take(&mut self.gap_len);
        if let Some(file) = &mut self.file
            && !out.is_empty()
        {
            let path = file.path.clone();
            let (written, error) = match file.write(&out) {
                Ok(()) => (out.len(), None),
                Err((written, error)) => (written, Some(error)),
            };
            self.syncer.wrote();
            if gap_len > 0 && written >= gap_len {
                self.failing = false;
                self.gap.take().into_iter().for_each(|gap| (self.tell)(Notice::Gap(gap)));
            }
            let recorded = &out[gap_len.min(written)..written];
            self.queue.counts().wrote(count(recorded), recorded.len() as u64);
            if let Some(error) = error {
                let rest = &out[written.max(gap_len)..];
                let last = lines(rest).last().and_then(Time::parse);
                let reason = error.to_string();
                self.fail(path, error);
                self.lose(count(rest), rest.len() as u64, last, &reason);
                self.no_write_before = Some((Instant::now() + RETRY, reason));
            }
        }
        self.out = out;
        self.out.clear();
    }

    fn fail(&mut self, path: PathBuf, error: std::io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            (self.tell)(Notice::Failing(path, error));
        }
    }

    /// Counts lines that came here and can't be written.
    fn lose(&mut self, lines: u64, bytes: u64, last: Option<Time>, reason: &str) {
        if lines > 0 {
            self.queue.counts().lost(lines);
            self.miss(Gap { size: Some((lines, bytes)), last, reason: reason.to_owned() });
        }
    }

    fn miss(&mut self, gap: Gap) {
        match &mut self.gap {
            Some(missing) => missing.extend(&gap),
            None => self.gap = Some(gap),
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr_iter(b'\n', lines).count() as u64
}
