//! How long a press takes from the bus to the device.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::Context;
use linebus_client::blocking::{Client, Events};

use crate::folder::OURS;
use crate::page::Times;
use crate::programs::heard;

const PATIENCE: Duration = Duration::from_secs(10);
/// People don't press faster.
const PAUSE: Duration = Duration::from_millis(5);

/// One after the other, each when the one before is done.
pub(crate) fn measure(
    client: &Client,
    events: &mut Events,
    blanked: &Receiver<Instant>,
    count: usize,
) -> anyhow::Result<Times> {
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        std::thread::sleep(PAUSE);
        let to = if number % 2 == 0 { "on" } else { "off" };
        let pressed = Instant::now();
        client.send("syslib", &format!("blank {OURS} projector {to} id=p{number}"))?;
        let arrived = blanked.recv_timeout(PATIENCE).context("the projector hears of it")?;
        times.push(arrived.duration_since(pressed));
        let done = format!("done id=p{number} ");
        while !heard(events, Instant::now() + PATIENCE)?.starts_with(&done) {}
    }
    Ok(Times::new(times))
}
