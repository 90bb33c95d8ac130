//! `linebus top`: what goes on on a bus. Everything that it knows comes from `$bus.stats`.

mod columns;
mod draw;
mod look;
mod plain;
mod screen;
mod state;
mod stats;
mod units;

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::anyhow;
use linebus_client::{Event, Events, Refused};
use tokio::time::timeout;

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::top::stats::{Reader, Snapshot};

/// Show which topics and clients are how busy, once a second.
///
/// Where output is no terminal, it prints what there is once and ends. ? in the display shows its
/// keys. On a bus with accounts the user needs `see`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one snapshot as text and end; it takes two seconds.
    #[arg(long)]
    once: bool,
    /// Print one JSON object per second, each in a line; with --once a single one.
    #[arg(long)]
    json: bool,
}

/// What the bus says about itself.
const TOPIC: &str = "$bus.stats";
/// A bus speaks there once a second; this is how long to wait for the first figures.
const PATIENCE: Duration = Duration::from_secs(20);
const SILENT: &str = "nothing came on $bus.stats; is that bus older than this program?";

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let place = bus.url()?.address();
    let once = args.once || !args.json && !is_for_a_person();
    let connecting = async { if once { bus.connect_once().await } else { bus.connect().await } };
    let (client, mut events) = connecting.await?;
    // Whoever may not do that hears it here, before the screen is taken.
    client.recv(TOPIC).await?;
    if !once && !args.json {
        return screen::run(place, events).await;
    }
    let mut reader = Reader::default();
    let first = timeout(PATIENCE, next(&mut events, &mut reader)).await;
    let mut snapshot = first.map_err(|_| Failure::Failed(anyhow!("{SILENT}")))??;
    loop {
        let mut out = io::stdout();
        if args.json {
            plain::print_json(&mut out, &place, &snapshot)?;
        } else {
            plain::print(&mut out, &place, &snapshot)?;
        }
        if once {
            return Ok(());
        }
        snapshot = next(&mut events, &mut reader).await?;
    }
}

/// Whether somebody can look at a screen and press keys.
fn is_for_a_person() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !dumb
}

/// The next snapshot, for those who only print. Cancelling it loses nothing.
async fn next(events: &mut Events, reader: &mut Reader) -> Result<Snapshot, Failure> {
    loop {
        match events.next().await {
            None => return Err(Failure::NoBus("the connection is closed".to_owned())),
            Some(Event::Message(message)) => {
                if let Some(snapshot) = reader.take(&message.text) {
                    return Ok(snapshot);
                }
            }
            Some(Event::Refused(refused)) => return Err(refused_join(refused)),
            Some(event) => {
                if matches!(event, Event::Disconnected(_)) {
                    reader.reset();
                }
                tell(&event)?;
            }
        }
    }
}

/// A join that was made again after a reconnect and is not allowed any more.
fn refused_join(refused: Refused) -> Failure {
    Failure::Failed(refused.into())
}
