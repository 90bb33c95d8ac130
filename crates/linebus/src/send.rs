//! `linebus send`: one message from the command line, or one per line of standard input.

use anyhow::Context;
use linebus_client::{Client, Error, Event, Events};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::bus::{Bus, tell};
use crate::exit::Failure;

/// Send a message, or without one, every line of standard input as it comes.
///
/// Exit code 0 means that the bus has taken and routed all of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to: one topic, without wildcards.
    topic: String,
    /// What to say; several words are joined by one space.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    message: Vec<String>,
}

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let (client, events) = bus.connect_once().await?;
    // Refusals are told while sending goes on.
    let listening = tokio::spawn(tell_refusals(events));
    let all_sent = if args.message.is_empty() {
        send_lines(&client, &args.topic).await?
    } else {
        client.send(&args.topic, &args.message.join(" ")).await?;
        true
    };
    // When the goodbye is answered, everything before it has been routed.
    client.logoff().await?;
    let refused = listening.await.context("the listener failed")??;
    if all_sent && refused == 0 { Ok(()) } else { Err(Failure::Said) }
}

/// Sends standard input line by line; false if some could not be sent, which was said.
async fn send_lines(client: &Client, topic: &str) -> Result<bool, Failure> {
    let mut input = BufReader::with_capacity(128 << 10, tokio::io::stdin());
    let mut line = Vec::new();
    let mut good = true;
    for number in 1_u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line).await.context("can't read standard input")? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let sent = match str::from_utf8(text) {
            Ok(text) => client.send(topic, text).await,
            Err(_) => Err(Error::BadText),
        };
        match sent {
            Ok(()) => {}
            Err(error @ (Error::BadText | Error::TooLong { .. })) => {
                eprintln!("linebus: line {number} was not sent: {error}");
                good = false;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(good)
}

/// Tells what the bus refuses until the connection ends; how many that were.
async fn tell_refusals(mut events: Events) -> Result<usize, Failure> {
    let mut refused = 0;
    while let Some(event) = events.next().await {
        match event {
            Event::Refused(_) => {
                refused += 1;
                tell(&event)?;
            }
            Event::Note { .. } => tell(&event)?,
            _ => {}
        }
    }
    Ok(refused)
}
