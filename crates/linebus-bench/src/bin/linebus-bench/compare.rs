//! Running a comparison: every server in turn, one at a time, each measurement with a freshly started server.
//!
//! Repeats are interleaved: the whole list is gone through once, then again, each time with another server first. What
//! drifts on a machine (its clock rate, its neighbours) thus reaches all servers alike. A measurement that fails is noted
//! with its reason and the rest goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linebus_bench::process::CpuSource;
use linebus_bench::{Target, connections, latency, slow, throughput};

use crate::Compare;
use crate::machine::{Cores, Machine, raise_file_limit, today};
use crate::report;
use crate::results::{
    Budget, Connections, Latency, Results, Sample, Steady, Suspended, Throughput,
};
use crate::server::{Running, Server, Setting, version};
use crate::suite::{Measurement, Work, clock, measurements};

const NO_PROCESS: &str = "the server's process was not looked at";

/// Measures all that `options` ask for. Writes the results so far after each repeat, so that an interrupted run of an
/// hour is not lost.
pub(crate) fn run(options: &Compare) -> Result<Results> {
    raise_file_limit()?;
    let list = measurements(options);
    ensure!(!list.is_empty(), "none of the measurements is called {}", options.only.join(" or "));
    ensure!(options.repeats > 0, "at least one repeat");
    let linebus = linebus_binary(options)?;
    let cores = Cores::given()?;
    let mut results = Results {
        date: today(),
        machine: Machine::describe(),
        versions: versions(options, &linebus)?,
        repeats: if options.tiny { 1 } else { options.repeats },
        seconds: clock(options).as_secs_f64(),
        tiny: options.tiny,
        partial: !options.only.is_empty() || options.servers.len() < Server::ALL.len(),
        ..Results::default()
    };
    for repeat in 1..=results.repeats {
        for measurement in &list {
            let mut servers = measurement.servers.clone();
            let first = (repeat - 1) % servers.len();
            servers.rotate_left(first);
            if measurement.wants_warm_memory() && !results.tiny {
                // What the machine does every few seconds must not always meet the same measurement.
                std::thread::sleep(Duration::from_secs_f64(fastrand::f64()));
                // Nobody's number: if it fails, so does the run that counts, which says why.
                let _ = sample(measurement, servers[0], &linebus, &cores, &mut results);
            }
            for server in servers {
                let sample = sample(measurement, server, &linebus, &cores, &mut results)
                    .unwrap_or_else(|e| Sample::Failed(format!("{e:#}")));
                eprintln!(
                    "{repeat}/{} {} {}, {server}: {}",
                    results.repeats,
                    measurement.section.name(),
                    measurement.title,
                    report::sample(&sample)
                );
                results.add(
                    measurement.section,
                    &measurement.key,
                    &measurement.title,
                    server,
                    sample,
                );
            }
        }
        if let Some(out) = options.out_or_default() {
            report::write(&results, &out)?;
        }
    }
    Ok(results)
}

/// One measurement of one server.
fn sample(
    measurement: &Measurement,
    server: Server,
    linebus: &Path,
    cores: &Cores,
    results: &mut Results,
) -> Result<Sample> {
    let setting = Setting {
        linebus: linebus.to_owned(),
        threads: measurement.threads,
        cores: if measurement.pinned { cores.of_server() } else { cores.everything() },
        setup: measurement.setup,
    };
    let running = Running::start(server, &setting)?;
    if measurement.pinned {
        cores.pin_generator()?;
    } else {
        cores.unpin_generator()?;
    }
    found(&measurement.work, running.target(), results)
}

fn found(work: &Work, target: &Target, results: &mut Results) -> Result<Sample> {
    Ok(match work {
        Work::Throughput(shape, how_long) => {
            let found = throughput::measure(target, shape, how_long)?;
            if let Some((_, source)) = found.server_cpu {
                source_name(source).clone_into(&mut results.cpu_source);
            }
            Sample::Throughput(Throughput {
                deliveries_per_second: rounded(found.per_second()),
                server_ns: rounded(found.server_ns_per_delivery().context(NO_PROCESS)?),
                generator_ns: rounded(found.generator_ns_per_delivery()),
                server_share: rounded(found.server_share().context(NO_PROCESS)?),
                generator_share: rounded(found.generator_share()),
                cipher: found.cipher,
            })
        }
        Work::Latency(shape, how_fast) => {
            let found = latency::measure(target, shape, how_fast)?;
            let micros = |time: Duration| rounded(time.as_secs_f64() * 1e6);
            Sample::Latency(Latency {
                p50: micros(found.percentile(50.0)),
                p90: micros(found.percentile(90.0)),
                p99: micros(found.percentile(99.0)),
                p99_9: micros(found.percentile(99.9)),
                max: micros(found.max()),
            })
        }
        Work::Connections(how_many) => {
            let found = connections::measure(target, how_many)?;
            Sample::Connections(Connections {
                bytes_per_connection: rounded(found.bytes_per_connection().context(NO_PROCESS)?),
                connections_per_second: rounded(found.per_second()),
            })
        }
        Work::Suspended(options) => {
            let found = slow::suspended(target, options)?;
            Sample::Suspended(Suspended {
                early_gap_ms: rounded(found.early_gap.as_secs_f64() * 1e3),
                later_gap_ms: rounded(found.later_gap.as_secs_f64() * 1e3),
                before_per_second: rounded(found.before_per_second),
                later_per_second: rounded(found.later_per_second),
            })
        }
        Work::Steady(options) => {
            let found = slow::steady(target, options)?;
            Sample::Steady(Steady {
                seconds: options.flood_for.as_secs_f64(),
                deliveries: found.deliveries,
                megabytes_per_second: rounded(found.bytes_per_second / 1e6),
            })
        }
        Work::Budget(options) => {
            let found = slow::budget(target, options)?;
            Sample::Budget(Budget {
                idle_mib: mebibytes(found.idle_bytes),
                peak_mib: mebibytes(found.peak_bytes),
                closed: found.closed,
                deliveries: found.deliveries,
            })
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "memory sizes are below 2^53")]
fn mebibytes(bytes: u64) -> f64 {
    rounded(bytes as f64 / f64::from(1 << 20))
}

/// Three places behind the point say all there is to say, and read back from the file as the same number.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn source_name(source: CpuSource) -> &'static str {
    match source {
        CpuSource::Schedstat => "/proc/PID/task/*/schedstat, in nanoseconds",
        CpuSource::Ticks => "/proc/PID/stat, in clock ticks",
    }
}

/// The one named, or the one that was built together with this program.
fn linebus_binary(options: &Compare) -> Result<PathBuf> {
    if !options.servers.contains(&Server::Linebus) {
        return Ok(PathBuf::new());
    }
    let path = match &options.linebus {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("linebus"),
    };
    path.canonicalize().with_context(|| {
        format!("no linebus at {}: build it, or name it with --linebus", path.display())
    })
}

fn versions(options: &Compare, linebus: &Path) -> Result<Vec<(Server, String)>> {
    let servers = Server::ALL.into_iter().filter(|server| options.servers.contains(server));
    servers.map(|server| Ok((server, version(server, linebus)?))).collect()
}
