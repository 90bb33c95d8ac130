//! The server's log: a line per event, in text or JSON, on standard error or in a file.
//!
//! The bus never waits for its log. A line is put in a queue of bounded size, and a thread writes
//! it. What the queue or the disk has no room for is lost, counted, and told as soon as lines can be
//! written again. (`tracing-appender` counts only what its queue has no room for, and loses in
//! silence what a full disk refuses.)
//!
//! No line can pretend to be several or steer a terminal: every control character in it is written
//! as `\u001b`, in both formats. Lines have no colours, for the same reason.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use anyhow::Context;
use linebus_server::Config;
use linebus_server::config::LogFormat;
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Registry};

/// Most bytes of lines that wait to be written. One more line is lost.
const QUEUED_BYTES_MAX: usize = 1 << 20;
/// Lost lines are told once no more than this waits: not while they are being lost.
const CAUGHT_UP_BYTES: usize = QUEUED_BYTES_MAX / 2;
/// How long the end waits for what is queued to be written.
const FLUSH: Duration = Duration::from_secs(1);
/// The owner reads and writes, the group reads: it names users and addresses.
const FILE_MODE: u32 = 0o640;

/// The log while it is written. Dropping it writes what is queued, if that goes quickly.
pub(crate) struct Log {
    queue: Queue,
    ended: Receiver<()>,
}

/// What the log's thread is told.
enum Message {
    Line(Vec<u8>),
    Reopen,
    End,
}

/// Where lines wait for the log's thread; clones are the same queue.
#[derive(Clone)]
pub(crate) struct Queue {
    messages: Sender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
}

thread_local! {
    /// On the log's own thread: the line that it has to say itself, which goes around the queue.
    static OWN: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

impl Log {
    /// Opens the log that `config` describes, and has all events and panics written to it.
    ///
    /// # Errors
    /// When the filter is none, or the file can't be opened.
    pub(crate) fn start(config: &Config) -> anyhow::Result<Self> {
        let file = config.log_file.clone();
        let output = open(file.as_deref())
            .with_context(|| format!("can't open log_file {}", shown(file.as_deref())))?;
        let (queue, messages) = Queue::new();
        let dispatch = dispatch(filter(&config.log)?, config.log_format, queue.clone());
        tracing::dispatcher::set_global_default(dispatch).context("there is a log already")?;
        let (ending, ended) = mpsc::channel();
        let waiting_bytes = Arc::clone(&queue.waiting_bytes);
        let lost = Arc::clone(&queue.lost);
        let writer = Writer { output, file, torn: false, waiting_bytes, lost, told: 0 };
        std::thread::Builder::new()
            .name("linebus-log".to_owned())
            .spawn(move || writer.run(&messages, &ending))
            .context("can't start the log's thread")?;
        // The usual hook writes to standard error and waits for whoever reads it.
        std::panic::set_hook(Box::new(log_panic));
        Ok(Self { queue, ended })
    }

    /// Where lines wait.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.send(Message::End);
        // A pipe that nobody reads must not keep the process.
        let _ = self.ended.recv_timeout(FLUSH);
    }
}

/// The filter in the words of the configuration.
///
/// # Errors
/// When it is none, with what it may be.
pub(crate) fn filter(text: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(text).with_context(|| {
        format!("log = {text:?}: error, warn, info, debug or trace is wanted, or PART=LEVEL")
    })
}

fn dispatch(filter: EnvFilter, format: LogFormat, queue: Queue) -> Dispatch {
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(queue);
    let filtered = Registry::default().with(filter);
    match format {
        LogFormat::Text => filtered.with(lines).into(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).into(),
    }
}

/// Logs a panic: where it was, and what it said if that was written in the program. What is put
/// together at run time may hold what a client said, which may be a password.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    let said = panic.payload().downcast_ref::<&str>();
    tracing::error!(at, said, "a panic");
}

impl Queue {
    fn new() -> (Self, Receiver<Message>) {
        let (messages, receiver) = mpsc::channel();
        (Self { messages, waiting_bytes: Arc::default(), lost: Arc::default() }, receiver)
    }

    /// How many lines were lost so far.
    pub(crate) fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost)
    }

    /// Has the file opened again under its name, once what is queued is written.
    pub(crate) fn reopen(&self) {
        self.send(Message::Reopen);
    }

    fn send(&self, message: Message) {
        // Without a thread that writes, nothing can be told to anybody.
        let _ = self.messages.send(message);
    }

    fn push(&self, line: Vec<u8>) {
        let waiting = self.waiting_bytes.fetch_add(line.len(), Ordering::Relaxed);
        if waiting + line.len() > QUEUED_BYTES_MAX {
            self.waiting_bytes.fetch_sub(line.len(), Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            self.send(Message::Line(line));
        }
    }
}

impl MakeWriter<'_> for Queue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Queue {
    /// Takes one event, formatted and with its line's end.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = one_line(event);
        // A thread that ends has no such place any more, but may still have something to log.
        let own = OWN.try_with(|own| own.borrow_mut().as_mut().map(|own| own.clone_from(&line)));
        if !matches!(own, Ok(Some(()))) {
            self.push(line);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The event as a line that is one, and that a terminal shows as it is.
fn one_line(event: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(event.strip_suffix(b"\n").unwrap_or(event));
    let mut line = String::with_capacity(text.len() + 1);
    for char in text.chars() {
        if is_steering(char) {
            // All of them are below U+10000, so that JSON reads it as the character again.
            line.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            line.push(char);
        }
    }
    line.push('\n');
    line.into_bytes()
}

/// Whether a character does something to a terminal, to the end of a line or to the direction of
/// writing (Unicode's Bidi_Control) rather than being shown.
fn is_steering(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The log's end towards the system.
struct Writer {
    output: Box<dyn Write + Send>,
    file: Option<PathBuf>,
    /// What was written last does not end a line.
    torn: bool,
    waiting_bytes: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    /// So many of the lost lines have been told.
    told: u64,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>, ending: &Sender<()>) {
        OWN.set(Some(Vec::new()));
        while let Ok(message) = messages.recv() {
            match message {
                Message::Line(line) => self.line(&line),
                Message::Reopen => self.reopen(),
                Message::End => break,
            }
        }
        // Nobody waits any more when that took too long.
        let _ = ending.send(());
    }

    fn line(&mut self, line: &[u8]) {
        let written = self.write(line).is_ok();
        let before = self.waiting_bytes.fetch_sub(line.len(), Ordering::Relaxed);
        if !written {
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else if before - line.len() <= CAUGHT_UP_BYTES {
            self.tell_lost();
        }
    }

    /// Says how many lines were lost since it was said last, if any.
    fn tell_lost(&mut self) {
        let lost = self.lost.load(Ordering::Relaxed);
        let more = lost - self.told;
        if more > 0 && self.say(|| tracing::error!(lost = more, "lines of the log were lost")) {
            self.told = lost;
        }
    }

    fn reopen(&mut self) {
        let file = self.file.clone();
        let Some(file) = file.as_deref() else {
            self.say(|| tracing::info!("the log is standard error: there is nothing to reopen"));
            return;
        };
        match open(Some(file)) {
            Ok(output) => {
                self.output = output;
                self.torn = false;
                self.say(|| tracing::info!("the log file is opened again"));
            }
            Err(error) => {
                let file = file.display();
                self.say(|| {
                    tracing::error!(%file, %error, "the log file can't be opened again; the one that is open stays");
                });
            }
        }
    }

    /// Writes an event of the log's own, around the queue; false if it could not.
    fn say(&mut self, event: impl FnOnce()) -> bool {
        event();
        // Empty if the filter wants no such events, which is no failure.
        let line = OWN.replace(Some(Vec::new())).unwrap_or_default();
        self.write(&line).is_ok()
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.output.write_all(b"\n")?;
            self.torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.output.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn open(file: Option<&Path>) -> io::Result<Box<dyn Write + Send>> {
    let Some(file) = file else { return Ok(Box::new(io::stderr())) };
    let opened: File = OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(file)?;
    Ok(Box::new(opened))
}

fn shown(file: Option<&Path>) -> String {
    file.map(|file| file.display().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
