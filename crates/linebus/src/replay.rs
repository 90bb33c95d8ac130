//! `linebus replay`: sends again what was recorded, at its pace or another one.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use linebus_client::{Client, Event, Events};
use linebus_protocol::Topic;
use linebus_record::Entry;
use linebus_record::reader::{Item, read};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::recorded::wanted::{Asides, Wanted};

/// Send again what was recorded, in its order and at its pace.
///
/// Needs the right to send to those topics, and stops at the first line that the bus refuses. Exit
/// code 0 means that the bus has taken and routed all of it. Lines of the bus itself, on topics that
/// begin with $, are left out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The record: its folder, or one of its files.
    #[arg(value_name = "FOLDER|FILE")]
    path: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
    /// So many times as fast, fractions allowed; `max` is without pauses.
    #[arg(long, value_name = "TIMES", default_value = "1")]
    speed: Speed,
    /// Send everything to this topic instead.
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    to_topic: Option<String>,
    /// Only print what would be sent, as lines of the protocol.
    #[arg(long)]
    dry_run: bool,
}

/// How fast lines follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Speed {
    Times(f64),
    Max,
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse() {
            Ok(times) if (0.001..=1e9).contains(&times) => Ok(Self::Times(times)),
            _ => Err("a number from 0.001 to 1000000000 is wanted, or max"),
        }
    }
}

fn topic(text: &str) -> Result<String, String> {
    match Topic::parse(text) {
        Ok(topic) if topic.is_system() => Err("nobody but the bus sends there".to_owned()),
        Ok(_) => Ok(text.to_owned()),
        Err(rule) => Err(rule.to_string()),
    }
}

/// A line to be sent.
struct Line {
    at: Option<Timestamp>,
    topic: String,
    message: String,
}

/// Lines are read in portions of this many, a few of which wait to be sent.
const PORTION: usize = 1_000;
const PORTIONS: usize = 4;

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let Args { path, wanted, speed, to_topic, dry_run } = args;
    if dry_run {
        let mut out = io::stdout().lock();
        let mut print = |lines: Vec<Line>| {
            lines.iter().try_for_each(|line| writeln!(out, "send {} {}", line.topic, line.message))
        };
        let mut printed = Ok(());
        read_lines(&path, &wanted, to_topic.as_deref(), &mut |lines| {
            printed = print(lines);
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        return Ok(printed?);
    }
    let (client, events) = bus.connect_once().await?;
    let (lines, to_send) = mpsc::channel(PORTIONS);
    let reading = tokio::task::spawn_blocking(move || {
        read_lines(&path, &wanted, to_topic.as_deref(), &mut |portion| {
            // Whoever sends may have given up.
            let sent = lines.blocking_send(portion);
            if sent.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    });
    let sent = send_all(client, events, to_send, speed).await;
    let read = reading.await.context("the reader failed")?;
    let lines = sent?;
    read?;
    eprintln!("linebus: {lines} lines were sent");
    Ok(())
}

/// Reads what is wanted, in portions.
fn read_lines(
    path: &Path,
    wanted: &Wanted,
    to_topic: Option<&str>,
    take: &mut dyn FnMut(Vec<Line>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut asides = Asides::default();
    let mut portion = Vec::new();
    let mut sink = |item: Item<'_>| {
        match item {
            Item::Entry(entry) if wanted.wants(&entry) && !entry.topic.is_system() => {
                portion.push(line(&entry, to_topic));
            }
            Item::Entry(entry) => asides.unwanted(&entry),
            Item::Damaged(damaged) => asides.damaged(&damaged),
        }
        if portion.len() < PORTION {
            return ControlFlow::Continue(());
        }
        take(std::mem::take(&mut portion))
    };
    read(path, &wanted.range(), &mut sink)
        .with_context(|| format!("can't read {}", path.display()))?;
    if !portion.is_empty() {
        let _ = take(portion);
    }
    asides.tell();
    Ok(())
}

fn line(entry: &Entry<'_>, to_topic: Option<&str>) -> Line {
    let topic = to_topic.unwrap_or(entry.topic.as_str()).to_owned();
    Line { at: entry.time.timestamp(), topic, message: entry.message.to_owned() }
}

/// Sends all lines; returns how many, once the bus has routed them.
async fn send_all(
    client: Client,
    events: Events,
    mut lines: mpsc::Receiver<Vec<Line>>,
    speed: Speed,
) -> Result<u64, Failure> {
    let (refused, mut refusal) = oneshot::channel();
    let listening = tokio::spawn(listen(events, refused));
    let mut pace = Pace { speed, began: None };
    let mut count = 0;
    let done = tokio::select! {
        biased;
        Ok(failure) = &mut refusal => Err(failure),
        done = async {
            while let Some(portion) = lines.recv().await {
                for line in portion {
                    if let Some(at) = pace.when(line.at) {
                        sleep_until(at).await;
                    }
                    client.send(&line.topic, &line.message).await.map_err(|error| {
                        let sent = anyhow!("after {count} lines: {error}");
                        Failure::Failed(sent)
                    })?;
                    count += 1;
                }
            }
            // When the goodbye is answered, everything before it has been routed or refused.
            client.logoff().await?;
            Ok(count)
        } => done,
    };
    // What was refused stands before the goodbye; a lost connection has its own reason.
    drop(client);
    listening.await.context("the listener failed")??;
    match refusal.try_recv() {
        Ok(failure) => Err(failure),
        Err(_) => done,
    }
}

/// When each line is due.
struct Pace {
    speed: Speed,
    /// When the first one was sent, now and then.
    began: Option<(Instant, Timestamp)>,
}

impl Pace {
    /// When a line is to be sent that was sent at that time; nothing if at once.
    fn when(&mut self, at: Option<Timestamp>) -> Option<Instant> {
        let (Speed::Times(times), Some(at)) = (self.speed, at) else { return None };
        let now = Instant::now();
        let (began, first) = *self.began.get_or_insert((now, at));
        // None where time went back.
        let after = Duration::try_from(at.duration_since(first)).ok()?;
        began.checked_add(after.div_f64(times)).filter(|due| *due > now)
    }
}

/// Waits for the first line that is refused, and tells notes. (A connection that is lost is known to
/// whoever sends.)
async fn listen(mut events: Events, refused: oneshot::Sender<Failure>) -> Result<(), Failure> {
    while let Some(event) = events.next().await {
        match &event {
            Event::Refused(refusal) => {
                let failure = Failure::Failed(anyhow!("{refusal}; the replay has stopped"));
                // Nobody waits for it any more when all is sent and routed.
                let _ = refused.send(failure);
                return Ok(());
            }
            Event::Note { .. } => tell(&event)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_due_as_far_apart_as_they_were_or_faster() {
        let at = |second| Some(Timestamp::from_second(second).expect("it is in the calendar"));
        for (speed, expected) in [("1", 10.0), ("4", 2.5), ("0.5", 20.0)] {
            let speed: Speed = speed.parse().expect("it is one");
            let mut pace = Pace { speed, began: None };
            assert_eq!(pace.when(at(100)), None, "the first one goes at once");
            let (began, _) = pace.began.expect("it has begun");
            let due = pace.when(at(110)).expect("it is later");
            assert_eq!((due - began).as_secs_f64(), expected);
            assert_eq!(pace.when(at(99)), None, "time went back");
            assert_eq!(pace.when(None), None, "no day in the calendar");
        }
        let mut pace = Pace { speed: Speed::Max, began: None };
        assert_eq!((pace.when(at(0)), pace.when(at(1_000))), (None, None));
        for wrong in ["0", "-1", "nan", "inf", "fast", ""] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
    }
}
