//! `linebus topics` and `linebus who`: who is there.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::bus::Bus;
use crate::exit::Failure;

/// List the topics that somebody has joined, and how many connections have.
#[derive(Debug, clap::Args)]
pub(crate) struct Topics {
    /// Only those that this pattern covers.
    pattern: Option<String>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

/// List who is connected, or who would hear a message on a topic.
#[derive(Debug, clap::Args)]
pub(crate) struct Who {
    /// The topic, or a pattern as somebody has joined it.
    topic: Option<String>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct TopicRow {
    topic: String,
    receivers: u64,
}

#[derive(Serialize)]
struct WhoRow {
    user: String,
    id: u64,
    address: String,
}

pub(crate) async fn topics(bus: &Bus, args: Topics) -> Result<(), Failure> {
    let (client, _events) = bus.connect_once().await?;
    let topics = client.topics(args.pattern.as_deref()).await?;
    let rows = topics.into_iter().map(|t| TopicRow { topic: t.topic, receivers: t.receivers });
    if args.json {
        return print_json(rows);
    }
    let rows = rows.map(|row| [row.topic, row.receivers.to_string()]).collect();
    print_table(["TOPIC", "RECEIVERS"], rows)
}

pub(crate) async fn who(bus: &Bus, args: Who) -> Result<(), Failure> {
    let (client, _events) = bus.connect_once().await?;
    let who = client.who(args.topic.as_deref()).await?;
    let rows = who.into_iter().map(|w| WhoRow { user: w.user, id: w.id, address: w.address });
    if args.json {
        return print_json(rows);
    }
    let rows = rows.map(|row| [row.user, row.id.to_string(), row.address]).collect();
    print_table(["USER", "ID", "ADDRESS"], rows)
}

/// One object per line.
pub(crate) fn print_json(rows: impl Iterator<Item = impl Serialize>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for row in rows {
        serde_json::to_writer(&mut out, &row).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Aligned and with a heading on a terminal; for programs, words with a tab between them.
pub(crate) fn print_table<const N: usize>(
    heading: [&str; N],
    rows: Vec<[String; N]>,
) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if !out.is_terminal() {
        for row in rows {
            writeln!(out, "{}", row.join("\t"))?;
        }
        return Ok(());
    }
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].len());
        cells.chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let all = std::iter::once(heading.map(str::to_owned)).chain(rows.iter().cloned());
    for row in all {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
