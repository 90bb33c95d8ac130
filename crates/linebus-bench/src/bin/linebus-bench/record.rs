//! Whether a bus that records everything keeps up with a fixed rate, and what that costs: lines are sent at the rate
//! from one connection to another, and afterwards the record must hold each of them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use linebus_bench::latency::{self, LatencyOptions};
use linebus_bench::{Protocol, Shape, Target, process};
use memchr::{memchr_iter, memmem};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How to measure.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The linebus binary; by default the one beside this program.
    #[arg(long, value_name = "PATH")]
    linebus: Option<PathBuf>,
    /// Where to record; what is made there is removed afterwards [default: the system's temporary folder].
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Lines per second.
    #[arg(long, default_value_t = 1_000_000)]
    rate: u32,
    /// Bytes in each message.
    #[arg(long, default_value_t = 128)]
    payload: usize,
    /// How long, in seconds.
    #[arg(long, default_value_t = 5.0, value_parser = crate::seconds)]
    seconds: f64,
    /// Measure the same without a record, to compare.
    #[arg(long)]
    without: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let within = match &args.folder {
        Some(folder) => TempDir::with_prefix_in("linebus-bench-", folder)?,
        None => TempDir::with_prefix("linebus-bench-")?,
    };
    let folder = within.path().join("record");
    let mut server = Server::start(args, &folder)?;
    let mut target = Target::new(Protocol::Linebus, server.address);
    target.pid = Some(server.child.id());
    let options = LatencyOptions {
        messages_per_second: args.rate,
        measure_for: Duration::from_secs_f64(args.seconds),
        ..LatencyOptions::default()
    };
    let (before, _) = process::cpu_time(server.child.id())?;
    let began = Instant::now();
    let shape = Shape::one_topic(1, 1, args.payload);
    let measured = latency::measure(&target, &shape, &options).context("sending at the rate")?;
    let (after, _) = process::cpu_time(server.child.id())?;
    let elapsed = began.elapsed();
    let peak = process::peak_resident_bytes(server.child.id())?;
    server.end()?;

    let sent = f64::from(args.rate) * (options.warm_up + options.measure_for).as_secs_f64();
    let cpu = after.saturating_sub(before).as_secs_f64();
    println!("{} lines/s of {} bytes for {} s", args.rate, args.payload, args.seconds);
    println!(
        "server: {:.0} % of a processor, {:.0} ns per line, {} MiB at most",
        100.0 * cpu / elapsed.as_secs_f64(),
        1e9 * cpu / sent,
        peak >> 20
    );
    println!(
        "latency of delivery: p50 {:?}, p99 {:?}, max {:?}",
        measured.percentile(50.0),
        measured.percentile(99.0),
        measured.max()
    );
    if args.without {
        return Ok(ExitCode::SUCCESS);
    }
    let Recorded { lines, bytes, gaps } = Recorded::count(&folder)?;
    println!("recorded: {lines} lines, {} MiB, {gaps} gaps; {sent:.0} were sent", bytes >> 20);
    // Logins and departures are recorded, too.
    #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^53 lines")]
    let whole = gaps == 0 && lines as f64 >= sent;
    if !whole {
        eprintln!("the record is not whole");
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a record holds.
struct Recorded {
    lines: usize,
    bytes: usize,
    gaps: usize,
}

impl Recorded {
    fn count(folder: &Path) -> Result<Self> {
        let mut sum = Self { lines: 0, bytes: 0, gaps: 0 };
        for file in fs::read_dir(folder)? {
            let text = fs::read(file?.path())?;
            sum.lines += memchr_iter(b'\n', &text).count();
            sum.bytes += text.len();
            sum.gaps += memmem::find_iter(&text, b" $record $record.gap ").count();
        }
        Ok(sum)
    }
}

/// A bus with one thread that serves; ended when dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(args: &Args, folder: &Path) -> Result<Self> {
        let beside =
            || -> Result<PathBuf> { Ok(std::env::current_exe()?.with_file_name("linebus")) };
        let linebus = args.linebus.clone().map_or_else(beside, Ok)?;
        let mut command = Command::new(&linebus);
        command.args(["serve", "--threads", "1", "--listen", "127.0.0.1:0"]);
        if !args.without {
            command.arg("--record").arg(folder);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {}", linebus.display()))?;
        let output = child.stdout.take().context("it is a pipe")?;
        let mut address = None;
        for line in BufReader::new(output).lines() {
            let line = line?;
            if let Some(said) = line.strip_prefix("listening tcp ") {
                address = Some(said.parse().context("the server says where it listens")?);
            } else if line == "ready" {
                break;
            }
        }
        match address {
            Some(address) => Ok(Self { child, address }),
            None => bail!("the server ended before it was ready: {}", child.wait()?),
        }
    }

    /// Ends it decently: everything is recorded then.
    fn end(&mut self) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("process ids are positive")?, Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server failed: {status}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended by itself, if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
