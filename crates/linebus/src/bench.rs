//! `linebus bench`: what a bus can do from here.

use std::io::{self, Write};
use std::net::ToSocketAddrs;
use std::time::Duration;

use anyhow::Context;
use linebus_bench::latency::{self, LatencyOptions};
use linebus_bench::throughput::{self, ThroughputOptions};
use linebus_bench::{Login, Protocol, Shape, Target, Tls};

use crate::bus::{self, Bus};
use crate::exit::Failure;
use crate::until::seconds;

/// Measure deliveries per second and latency on a bus.
///
/// It uses topics that begin with `bench`; what it sends is heard by whoever has joined them. The
/// generator is one thread: where it and the server share a processor, they share its time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Connections that send.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
    senders: u16,
    /// Connections that receive everything.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u16).range(1..=10000))]
    receivers: u16,
    /// Bytes in each message.
    #[arg(long, default_value = "128", value_parser = clap::value_parser!(u16).range(16..=32768))]
    payload: u16,
    /// How long to measure each, in seconds.
    #[arg(long, default_value = "2", value_parser = seconds)]
    seconds: Duration,
    /// Messages per second when latency is measured.
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
}

pub(crate) fn run(bus: &Bus, args: &Args) -> Result<(), Failure> {
    let target = target(bus)?;
    // Where a bus can't be used, that is said as every other command says it.
    bus::block_on(async { bus.connect_once().await.map(drop) })?;
    let (senders, receivers) = (usize::from(args.senders), usize::from(args.receivers));
    let shape = Shape::one_topic(senders, receivers, usize::from(args.payload));
    let mut out = io::stdout();
    writeln!(out, "{senders} to {receivers}, {} bytes", args.payload)?;
    let options = ThroughputOptions { measure_for: args.seconds, ..Default::default() };
    let measured =
        throughput::measure(&target, &shape, &options).context("deliveries per second")?;
    writeln!(
        out,
        "{:.0} deliveries/s ({:.0} % of a processor for the generator)",
        measured.per_second(),
        measured.generator_share() * 100.0
    )?;
    let shape = Shape::one_topic(1, receivers, usize::from(args.payload));
    let options = LatencyOptions {
        messages_per_second: args.rate,
        measure_for: args.seconds,
        ..Default::default()
    };
    let measured = latency::measure(&target, &shape, &options).context("latency")?;
    let at = |percent| measured.percentile(percent);
    writeln!(
        out,
        "latency at {}/s: p50 {:?}, p90 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
        args.rate,
        at(50.0),
        at(90.0),
        at(99.0),
        at(99.9),
        measured.max()
    )?;
    Ok(())
}

fn target(bus: &Bus) -> Result<Target, Failure> {
    let url = bus.url()?;
    let Some(host) = url.host() else {
        let text = "bench measures over TCP; name a bus as linebus://host:port";
        return Err(Failure::Usage(text.to_owned()));
    };
    let mut target = Target::new(Protocol::Linebus, resolve(&url.address())?);
    if url.is_encrypted() {
        let config = bus.builder()?.tls_config().context("can't encrypt")?;
        target.tls = Some(Tls::new(config, host).context("can't encrypt")?);
    }
    let login = |user: &str| Login { user: user.into(), password: url.password().map(Into::into) };
    target.login = url.user().map(login);
    Ok(target)
}

fn resolve(address: &str) -> anyhow::Result<std::net::SocketAddr> {
    let mut found = address.to_socket_addrs().with_context(|| format!("can't find {address}"))?;
    found.next().with_context(|| format!("{address} has no address"))
}
