//! `rooms devices`: speaks with the devices of all rooms, and with everybody over the bus.
//!
//! A task per device (`session`) owns its connection; one task owns everything else (`hub`): it takes
//! wishes from the bus and news from the sessions, and says facts. What can be decided without IO
//! stands apart: which command is next (`queue`), when to connect again (`back_off`), what a wish
//! wants of which device (`parts`), what a device can be asked for (`offers`), what is not so yet (`work`), what holds (`board`), what is
//! remembered (`journal`, which `safekeeping` writes and sends).

mod answers;
mod back_off;
mod board;
mod frames;
mod hub;
mod journal;
mod offers;
mod parts;
mod queue;
mod restore;
mod safekeeping;
mod session;
mod work;

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use linebus_client::{Builder, Client, Event, Events, Message};
use rooms_files::Rooms;
use rooms_messages::{Epoch, FACTS, FRAMES, Frame, Timestamp, WISHES};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::backup::OwnerName;
use hub::Hub;
use journal::Journal;
use safekeeping::Safekeeping;
use session::{News, SessionId};

/// People are told that there is no bus yet.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// Sessions wait when so much news is unread.
const NEWS_MAX: usize = 1024;
/// More than a device's last frames wait for a slow bus; beyond, they are left out and counted.
const FRAMES_MAX: usize = 1024;
/// More lines than a snapshot of a thousand rooms wait for a slow bus; beyond, the oldest are
/// lost, and the gap in their numbers says so.
const LINES_MAX: usize = 50_000;

/// Where to speak.
#[derive(Debug)]
pub struct Options {
    /// The folder of room files, for when they are read again.
    pub folder: PathBuf,
    /// The bus.
    pub bus: Builder,
    /// Where the simulator's ports begin, if the devices are simulated.
    pub simulated: Option<u16>,
    /// Where is written what people wanted, saved and who was connected; sent to the keeper, with
    /// the room files.
    pub state: Option<PathBuf>,
    /// Under which name the keeper has it.
    pub owner: OwnerName,
}

/// Speaks with devices and bus until it is told to end by SIGTERM or SIGINT. Says `ready` on
/// standard output when it hears wishes. SIGHUP reads the room files again.
///
/// # Errors
/// There are not enough ports, or the bus has closed the connection for good.
pub async fn run(options: Options, rooms: Rooms) -> anyhow::Result<()> {
    let mut signals = Signals::register()?;
    let bus = options.bus.retry_first_connection(true);
    let connected = connect(bus.clone(), &mut signals).await?;
    let Some((client, mut events)) = connected else { return Ok(()) };
    client.recv(WISHES).await?;
    let (sender, mut news) = mpsc::channel(NEWS_MAX);
    let mut safekeeping = None;
    let mut journal = Journal::default();
    if let Some(state) = &options.state {
        let begun = Safekeeping::begin(bus, options.owner, &options.folder, state).await?;
        (safekeeping, journal) = (Some(begun.0), begun.1);
    }
    let (frame_sender, frames) = mpsc::channel(FRAMES_MAX);
    tokio::spawn(say_frames(client.clone(), frames));
    let Options { folder, simulated, .. } = options;
    let mut hub = Hub::start(folder, rooms, simulated, epoch(), sender, frame_sender)?;
    hub.journal = journal;
    // Nobody may be reading, which is no reason not to serve.
    let _ = writeln!(std::io::stdout(), "ready");
    let mut lines = VecDeque::new();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => hear(&mut hub, event),
                None => bail!("the bus has ended the connection"),
            },
            Some((session, said)) = news.recv() => hear_news(&mut hub, session, said, &mut news),
            () = sleep_until(hub.due()) => hub.tick(Instant::now()),
            sent = say(&client, &lines), if !lines.is_empty() => {
                if sent { drop(lines.pop_front()) } else { lines.clear() }
            }
            () = watch(&mut safekeeping) => {}
            end = signals.next() => {
                if end {
                    break;
                }
                if let Err(refused) = hub.reload() {
                    tracing::error!("{}", refused.text);
                }
            }
        }
        lines.extend(hub.take_lines());
        if let Some(safekeeping) = &mut safekeeping {
            safekeeping.keep(hub.journal.take_changes());
            if hub.take_reloaded() {
                safekeeping.rooms_changed();
            }
        }
        send_what_can_be(&client, &mut lines);
    }
    // It may be gone already.
    let _ = client.logoff().await;
    Ok(())
}

/// Waits for the bus; none if it is told to end meanwhile.
async fn connect(
    bus: Builder,
    signals: &mut Signals,
) -> Result<Option<(Client, Events)>, linebus_client::Error> {
    let mut connecting = pin!(bus.connect());
    let mut told = pin!(tokio::time::sleep(TOLD_AFTER));
    loop {
        tokio::select! {
            connected = &mut connecting => return connected.map(Some),
            end = signals.next() => {
                if end {
                    return Ok(None);
                }
            }
            () = &mut told, if !told.is_elapsed() => tracing::warn!("there is no bus; waiting for it"),
        }
    }
}

/// For ever if there is nothing to watch.
async fn watch(safekeeping: &mut Option<Safekeeping>) {
    match safekeeping {
        Some(safekeeping) => safekeeping.watch().await,
        None => std::future::pending().await,
    }
}

/// The time for people: to the millisecond.
fn wall_clock() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Another one after each start, and a larger one.
fn epoch() -> Epoch {
    Epoch(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default())
}

fn hear(hub: &mut Hub, event: Event) {
    match event {
        Event::Message(Message { text, .. }) => hub.wish(&text, Instant::now()),
        Event::Disconnected(lost) => tracing::warn!("{}; wishes may be missed", lost.why),
        Event::Reconnected { after } => tracing::info!("the bus is back; deaf for {after:.1?}"),
        Event::Refused(refused) => tracing::error!("{refused}"),
        _ => {}
    }
}

/// Takes in what waits, so that the facts of a busy moment go out together.
fn hear_news(
    hub: &mut Hub,
    session: SessionId,
    said: News,
    news: &mut mpsc::Receiver<(SessionId, News)>,
) {
    let now = Instant::now();
    hub.news(session, said, now);
    for _ in 0..NEWS_MAX {
        let Ok((session, said)) = news.try_recv() else { return };
        hub.news(session, said, now);
    }
}

/// Sends what the bus takes without waiting.
fn send_what_can_be(client: &Client, lines: &mut VecDeque<String>) {
    while let Some(line) = lines.front() {
        match client.try_send(FACTS, line) {
            Ok(true) => drop(lines.pop_front()),
            Ok(false) => break,
            Err(_disconnected) => lines.clear(),
        }
    }
    let surplus = lines.len().saturating_sub(LINES_MAX);
    lines.drain(..surplus);
}

/// Sends the first line when the bus takes it; false while there is no bus.
async fn say(client: &Client, lines: &VecDeque<String>) -> bool {
    match lines.front() {
        Some(line) => client.send(FACTS, line).await.is_ok(),
        None => true,
    }
}

/// Says the frames of traced devices. What is lost because there is no bus the next one tells.
async fn say_frames(client: Client, mut frames: mpsc::Receiver<Frame>) {
    let mut left_out: u32 = 0;
    while let Some(mut frame) = frames.recv().await {
        frame.left_out = frame.left_out.saturating_add(left_out);
        left_out = match client.send(FRAMES, &frame.to_line()).await {
            Ok(()) => 0,
            Err(_disconnected) => frame.left_out.saturating_add(1),
        };
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
}

impl Signals {
    fn register() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    /// True to end, false to read the files again.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => true,
            _ = self.reload.recv() => false,
        }
    }
}
