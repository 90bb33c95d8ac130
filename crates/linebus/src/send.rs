//! `linebus send`: one message from the command line, or one per line of standard input.

use std::io;

use anyhow::Context;
use linebus_client::{Client, Error, Event, Events};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

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
        let bytes_max = client.line_bytes_max();
        let read = read_line(&mut input, &mut line, bytes_max).await;
        let Some(bytes) = read.context("can't read standard input")? else { break };
        let sent = match str::from_utf8(&line) {
            _ if bytes > bytes_max => Err(Error::TooLong { bytes, bytes_max }),
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

/// Reads one line into `line`, its LF or CR LF taken off, and returns how long it is; `None` at
/// the end. Of a line that is longer than `bytes_max` only that much is kept.
async fn read_line(
    input: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Option<usize>> {
    line.clear();
    let mut len = 0;
    loop {
        let read = input.fill_buf().await?;
        if read.is_empty() {
            // A last line may have no end.
            return Ok((len > 0).then_some(len));
        }
        let end = memchr::memchr(b'\n', read);
        let part = &read[..end.unwrap_or(read.len())];
        line.extend_from_slice(&part[..part.len().min(bytes_max - line.len())]);
        len += part.len();
        let consumed = part.len() + usize::from(end.is_some());
        input.consume(consumed);
        if end.is_some() {
            if len == line.len() && line.last() == Some(&b'\r') {
                line.pop();
                len -= 1;
            }
            return Ok(Some(len));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(input: &[u8], capacity: usize, bytes_max: usize) -> Vec<(String, usize)> {
        let mut input = BufReader::with_capacity(capacity, input);
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        while let Some(len) = read_line(&mut input, &mut line, bytes_max).await.expect("memory") {
            lines.push((String::from_utf8_lossy(&line).into_owned(), len));
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_the_same_however_they_are_read() {
        let input = b"one\r\n\n  two\nlonger than ten\nend";
        let expected = [("one", 3), ("", 0), ("  two", 5), ("longer tha", 15), ("end", 3)];
        let expected = expected.map(|(text, len)| (text.to_owned(), len));
        for capacity in [1, 2, 3, 7, 100] {
            assert_eq!(read(input, capacity, 10).await, expected, "{capacity}");
        }
    }

    #[tokio::test]
    async fn a_line_without_an_end_takes_no_memory() {
        let mut input = BufReader::with_capacity(1000, tokio::io::repeat(b'x'));
        let mut input = tokio::io::AsyncReadExt::take(&mut input, 10_000_000);
        let mut line = Vec::new();
        let len = read_line(&mut input, &mut line, 100).await.expect("memory");
        assert_eq!((len, line.len()), (Some(10_000_000), 100));
        assert!(line.capacity() < 1000);
    }
}
