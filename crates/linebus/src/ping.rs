//! `linebus ping`: how long a round trip takes.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::bus::Bus;
use crate::exit::Failure;
use crate::until::seconds;

/// Measure the time of round trips to the bus.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop after so many; without it, at Ctrl-C.
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Seconds between two, fractions allowed.
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,
}

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let address = bus.url()?.address();
    let (client, events) = bus.connect_once().await?;
    drop(events);
    // An interval of nothing is as fast as it goes.
    let mut pace = interval(args.interval.max(Duration::from_nanos(1)));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times = Vec::new();
    let mut failed = Ok(());
    for number in 1..=args.count.unwrap_or(u64::MAX) {
        let pong = async {
            pace.tick().await;
            client.ping().await
        };
        let time = tokio::select! {
            time = pong => time,
            _ = tokio::signal::ctrl_c() => break,
        };
        match time {
            Ok(time) => {
                let mut out = io::stdout().lock();
                writeln!(out, "pong from {address}: seq={number} time={}", ms(time))?;
                times.push(time);
            }
            Err(error) => {
                failed = Err(error.into());
                break;
            }
        }
    }
    summarise(&times)?;
    failed
}

fn summarise(times: &[Duration]) -> io::Result<()> {
    let (Some(min), Some(max)) = (times.iter().min(), times.iter().max()) else { return Ok(()) };
    let sum: Duration = times.iter().sum();
    let average = sum.div_f64(times.len() as f64);
    let mut out = io::stdout().lock();
    let count = times.len();
    writeln!(out, "{count} round trips, min/avg/max {}/{}/{}", ms(*min), ms(average), ms(*max))
}

fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
