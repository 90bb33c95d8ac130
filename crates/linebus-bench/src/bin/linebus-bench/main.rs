//! `linebus-bench`: linebus beside other servers, measured in the same way, and a page about it.
//!
//! What it is: the command line of the comparison. It starts servers, has the library measure them, and writes what was
//! found. It is not how to measure a bus that already runs; that is `linebus bench`.

mod chart;
mod compare;
mod machine;
mod record;
mod relay;
mod report;
mod requirements;
mod results;
mod server;
mod setup;
mod suite;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use results::Results;
use server::Server;

#[derive(Parser)]
#[command(version, about = "Measures linebus beside other message servers")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start each server in turn, measure, print tables, write the report.
    Compare(Compare),
    /// Write the report again from the results of an earlier run.
    Report(Report),
    /// Have a bus record everything at a fixed rate: does it keep up, and what does it cost?
    Record(record::Args),
    /// Serve as the blind relay that copies bytes without reading them.
    #[command(hide = true)]
    Relay,
}

/// What to compare.
#[derive(Args, Clone, Debug)]
pub(crate) struct Compare {
    /// The linebus binary; by default the one beside this program.
    #[arg(long, value_name = "PATH")]
    linebus: Option<PathBuf>,
    /// Server threads for linebus, where the measurement doesn't say otherwise.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Which servers.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Server::ALL)]
    servers: Vec<Server>,
    /// Only these measurements: a section (throughput, tls, latency, connections, topics, threads, rules, slow) or a
    /// key such as 1-10-128.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    only: Vec<String>,
    /// How often everything is repeated, all servers taking turns; medians count.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How long the clock runs in one measurement.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// Bytes under way to each receiver in throughput measurements [default: 64 KiB to 1 MiB, by their number].
    #[arg(long, value_name = "BYTES")]
    window: Option<usize>,
    /// Everything once and very small: shows that it works, not how fast.
    #[arg(long)]
    tiny: bool,
    /// Where BENCHMARKS.md and docs/ are written [default: the current folder; with --tiny nowhere].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Exit with failure if a requirement is not met, or was to be measured and could not be.
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
struct Report {
    /// Results as `compare` wrote them: docs/benchmarks.json.
    results: PathBuf,
    /// Where BENCHMARKS.md and docs/ are written.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Relay => {
            relay::serve()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Report(Report { results, out }) => {
            let results = Results::load(&results)?;
            report::write(&results, &out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Record(args) => record::run(&args),
        Command::Compare(options) => compare(&options),
    }
}

fn compare(options: &Compare) -> Result<ExitCode> {
    let results = compare::run(options)?;
    println!("{}", report::for_terminal(&results));
    let page = report::page(&results);
    let chart = chart::draw(&results);
    if let Some(out) = options.out_or_default() {
        report::write(&results, &out)?;
        println!("Wrote {}.", out.join(report::PAGE).display());
    } else {
        println!("Page of {} bytes and chart of {} bytes not written.", page.len(), chart.len());
    }
    let failed = results.failed_rows(options.tiny);
    if failed > 0 {
        eprintln!("{failed} measurements failed.");
        return Ok(ExitCode::FAILURE);
    }
    let required = requirements::all(&results);
    let unmet = required.iter().filter(|one| one.is_unmet(&results)).count();
    if options.check && unmet > 0 {
        eprintln!("{unmet} requirements are not met.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

impl Compare {
    /// A tiny run must not overwrite a real one's page unless told to.
    fn out_or_default(&self) -> Option<PathBuf> {
        match &self.out {
            Some(out) => Some(out.clone()),
            None if self.tiny => None,
            None => Some(PathBuf::from(".")),
        }
    }
}

fn seconds(word: &str) -> Result<f64, String> {
    match word.parse() {
        // Above a minute, NATS would ask for signs of life more often than is overlooked.
        Ok(seconds) if (0.01..=60.0).contains(&seconds) => Ok(seconds),
        _ => Err("between 0.01 and 60 seconds".to_owned()),
    }
}
