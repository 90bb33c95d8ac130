//! Recording everything that is said on the bus, from inside: a session like any other, over a pair
//! of sockets, with a thread at its other end that does nothing but read. What it reads goes into
//! the recorder's queue, which loses lines rather than make anybody wait.
//!
//! Why a session and no hook in the broker: the order of lines, rights, joins and the end are then
//! those that all others have, and the data path stays as it is.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use linebus_protocol::ByeReason;
use linebus_record::{Notice, Options, Queue, RECORD_USER, Recorder, StartError};
use memchr::memrchr;

use crate::server::Server;

/// So much is read at once.
const READ_BYTES: usize = 128 << 10;
/// How long to wait before the bus is joined again after it had cut the session off.
const RETRY: Duration = Duration::from_millis(100);
/// How long the end waits for the disk.
const FINISH: Duration = Duration::from_secs(5);

/// Begins a record whose troubles are told in the log.
pub(crate) fn recorder(folder: &Path, options: &Options) -> Result<Recorder, StartError> {
    Recorder::start(folder, options, |notice: Notice| {
        if notice.is_bad() {
            tracing::error!("{notice}");
        } else {
            tracing::info!("{notice}");
        }
    })
}

/// A recorder and the thread that hears for it.
pub(crate) struct Recording {
    recorder: Recorder,
    thread: JoinHandle<()>,
}

impl Recording {
    /// Joins `topics`. When it returns, everything that clients send from then on is recorded.
    ///
    /// # Errors
    /// When the system has no descriptor or thread left.
    pub(crate) fn start(
        recorder: Recorder,
        topics: Vec<Box<str>>,
        server: Server,
    ) -> std::io::Result<Self> {
        let queue = Arc::clone(recorder.queue());
        let hearing = Hearing { queue, topics, server };
        let (bus, heard) = hearing.join()?;
        let thread = std::thread::Builder::new()
            .name("linebus-hear".to_owned())
            .spawn(move || hearing.run(bus, heard))?;
        Ok(Self { recorder, thread })
    }

    pub(crate) fn next_file(&self) {
        self.recorder.queue().next_file();
    }

    /// Records what was heard to the end; the session was told goodbye.
    pub(crate) fn finish(self) {
        if self.thread.join().is_err() {
            tracing::error!("a panic ended the recording");
        }
        if !self.recorder.finish(FINISH) {
            tracing::error!("the disk is too slow: the record's last lines may be missing");
        }
    }
}

/// Hears what the bus says.
struct Hearing {
    queue: Arc<Queue>,
    topics: Vec<Box<str>>,
    server: Server,
}

impl Hearing {
    fn run(self, mut bus: UnixStream, mut heard: Vec<u8>) {
        while let End::CutOff(why) = self.hear(bus, heard) {
            tracing::error!(why, "the recorder was cut off and joins again; lines are missing");
            self.queue.gap(&format!("the bus cut the recorder off ({why})"));
            (bus, heard) = loop {
                std::thread::sleep(RETRY);
                match self.join() {
                    Ok(joined) => break joined,
                    Err(error) => tracing::error!(%error, "the recorder can't join again yet"),
                }
            };
        }
    }

    /// Joins all topics; what was read to the last answer may be followed by lines already.
    fn join(&self) -> std::io::Result<(UnixStream, Vec<u8>)> {
        let mut bus = self.server.connect_inside(RECORD_USER)?;
        let mut words = String::new();
        for topic in &self.topics {
            let _ = writeln!(words, "watch {topic}");
        }
        words.push_str("ping\n");
        bus.write_all(words.as_bytes())?;
        let mut heard = Vec::new();
        // Nobody but the bus says `pong` at the beginning of a line.
        while !contains_line(&heard, b"pong") {
            let mut more = [0; 4096];
            match bus.read(&mut more) {
                Ok(0) => return Err(ErrorKind::ConnectionAborted.into()),
                Ok(len) => heard.extend_from_slice(&more[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok((bus, heard))
    }

    /// Puts lines into the queue until the bus says goodbye.
    fn hear(&self, mut bus: UnixStream, mut block: Vec<u8>) -> End {
        let mut last = Vec::new();
        loop {
            let whole = memrchr(b'\n', &block).map_or(0, |end| end + 1);
            if whole > 0 {
                let mut next = self.queue.block();
                next.extend_from_slice(&block[whole..]);
                block.truncate(whole);
                last_line(&block).clone_into(&mut last);
                self.queue.push_block(std::mem::replace(&mut block, next));
            }
            let unfinished = block.len();
            block.resize(unfinished + READ_BYTES, 0);
            let read = bus.read(&mut block[unfinished..]);
            block.truncate(unfinished + read.as_ref().map_or(0, |len| *len));
            match read {
                Ok(0) => return End::of(&last),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return End::CutOff(error.to_string()),
            }
        }
    }
}

/// How hearing ended.
enum End {
    Shutdown,
    CutOff(String),
}

impl End {
    /// By the last line that was heard.
    fn of(last: &[u8]) -> Self {
        let goodbye = format!("bye {} ", ByeReason::Shutdown.word());
        if last.starts_with(goodbye.as_bytes()) {
            return Self::Shutdown;
        }
        let said = last.strip_prefix(b"bye ").map(String::from_utf8_lossy);
        Self::CutOff(said.map_or("no goodbye".to_owned(), |said| said.trim_end().to_owned()))
    }
}

fn last_line(block: &[u8]) -> &[u8] {
    let end = block.len() - 1;
    &block[memrchr(b'\n', &block[..end]).map_or(0, |at| at + 1)..end]
}

fn contains_line(heard: &[u8], line: &[u8]) -> bool {
    heard.split(|byte| *byte == b'\n').rev().skip(1).any(|heard| heard == line)
}
