//! `linebus record`: what is said on a bus, into files. (A server can do the same from inside:
//! `linebus serve --record`.)

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use linebus_client::{Event, Events};
use linebus_record::{Notice, Options, Recorder, Template};
use tokio::signal::unix::{Signal, SignalKind};

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::joining::{Joining, Kind};
use crate::signals::listen;

/// Record what is said into files: one line of text per message, TIME USER TOPIC MESSAGE.
///
/// `linebus log` reads them, as do grep, sort, tail and awk; `linebus replay` sends them again. Ends
/// decently at SIGTERM and SIGINT. SIGUSR1 begins another file, as after one was renamed. What
/// could not be recorded is a line, too, on the topic `$record.gap`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to record into; it is made if it is not there.
    folder: PathBuf,
    /// What to record; * stands for one word between dots, > at the end for all that follow.
    #[arg(value_name = "TOPIC", default_value = ">")]
    topics: Vec<String>,
    #[command(flatten)]
    keeping: Keeping,
    /// Say nothing on standard error but what is wrong.
    #[arg(short, long)]
    quiet: bool,
}

/// How the record is kept.
#[derive(Debug, clap::Args)]
struct Keeping {
    /// How files are named: %Y, %m, %d, %H, %M, %S stand for the date and time (UTC) of the first line.
    #[arg(long, value_name = "TEMPLATE", default_value_t = Options::default().file)]
    file: Template,
    /// Begin another file before one would have more bytes; 0 for never.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().rotate_bytes)]
    rotate_bytes: u64,
    /// Begin another file each so many hours, by UTC: 24 is at midnight; 0 for never.
    #[arg(long, value_name = "HOURS", default_value_t = Options::default().rotate_hours)]
    rotate_hours: u32,
    /// Compress complete files with zstd.
    #[arg(long)]
    compress: bool,
    /// Have the disk take what was written every so many milliseconds: what a crash can lose.
    #[arg(long, value_name = "MS", default_value_t = Options::default().sync_ms, value_parser = clap::value_parser!(u64).range(1..))]
    sync_ms: u64,
    /// Remove files so many days after their last line; 0 to keep them.
    #[arg(long, value_name = "DAYS", default_value_t = Options::default().keep_days)]
    keep_days: u32,
    /// Remove the oldest files so that all together have no more bytes; 0 to keep them.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().keep_bytes)]
    keep_bytes: u64,
    /// Most bytes that wait for a slow disk; what comes beyond is not recorded.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().queue_bytes)]
    queue_bytes: usize,
}

impl Keeping {
    fn options(self) -> Result<Options, Failure> {
        let Self {
            file,
            rotate_bytes,
            rotate_hours,
            compress,
            sync_ms,
            keep_days,
            keep_bytes,
            queue_bytes,
        } = self;
        let options = Options {
            file,
            rotate_bytes,
            rotate_hours,
            compress,
            sync_ms,
            keep_days,
            keep_bytes,
            queue_bytes,
        };
        match options.too_little_kept() {
            Some(wrong) => Err(Failure::Usage(format!("--keep-bytes: {wrong}"))),
            None => Ok(options),
        }
    }
}

/// Most lines that are gathered before they are handed on.
const LINES_IN_A_ROW: usize = 1_000;
/// How long the end waits for the disk.
const FINISH: Duration = Duration::from_secs(10);

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let options = args.keeping.options()?;
    let quiet = args.quiet;
    let mut signals = Signals::register()?;
    let recorder = Recorder::start(&args.folder, &options, move |notice: Notice| {
        if !quiet || notice.is_bad() {
            eprintln!("linebus: {notice}");
        }
    });
    let recorder = recorder.map_err(anyhow::Error::from)?;
    let (client, mut events) = bus.connect().await?;
    let mut joining = Joining::start(client, args.topics, Kind::Watch, quiet);
    let ended = record(&recorder, &mut events, &mut joining, &mut signals).await;
    if !recorder.finish(FINISH) {
        let text = "the disk is too slow: the record's last lines may be missing";
        return Err(Failure::Failed(anyhow!(text)));
    }
    ended
}

/// Hands on what comes until a signal ends it.
async fn record(
    recorder: &Recorder,
    events: &mut Events,
    joining: &mut Joining,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let queue = recorder.queue();
    let mut lines = Vec::new();
    loop {
        let mut in_a_row = 0;
        while in_a_row < LINES_IN_A_ROW
            && let Some(event) = events.try_next()
        {
            take(&event, recorder, &mut lines)?;
            in_a_row += 1;
        }
        queue.push(&lines);
        lines.clear();
        tokio::select! {
            biased;
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.next_file.recv() => queue.next_file(),
            joined = joining.wait(), if joining.is_going_on() => joined?,
            event = events.next() => {
                let over = || Failure::NoBus("the connection is closed".to_owned());
                take(&event.ok_or_else(over)?, recorder, &mut lines)?;
            }
        }
    }
}

/// Writes a message down as the bus said it, or tells what else happened.
fn take(event: &Event, recorder: &Recorder, lines: &mut Vec<u8>) -> Result<(), Failure> {
    match event {
        Event::Message(message) => {
            let time = message.time.as_deref().unwrap_or_default();
            let user = message.user.as_deref().unwrap_or_default();
            for word in ["watch", &message.topic, time, user] {
                lines.extend_from_slice(word.as_bytes());
                lines.push(b' ');
            }
            lines.extend_from_slice(message.text.as_bytes());
            lines.push(b'\n');
            return Ok(());
        }
        Event::Disconnected(lost) => {
            recorder.queue().push(lines);
            lines.clear();
            recorder.queue().gap(&format!("the connection was lost: {}", lost.why));
        }
        _ => {}
    }
    tell(event)
}

/// The signals that a recorder understands.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    next_file: Signal,
}

impl Signals {
    fn register() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: listen(SignalKind::terminate(), "SIGTERM")?,
            interrupt: listen(SignalKind::interrupt(), "SIGINT")?,
            next_file: listen(SignalKind::user_defined1(), "SIGUSR1")?,
        })
    }
}
