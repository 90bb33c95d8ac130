//! Throughput: as many deliveries as go through, with a bounded number under way.
//!
//! A closed loop: senders write as long as the receiver that is furthest behind lacks less than the window. After a
//! warm-up, in which every single delivery is compared with what it must be, the clocks of the server and of this thread
//! are read, the load runs on, and they are read again. Then sending stops and everything under way must arrive: the
//! count has to be exact. While the clock runs, the first and the last delivery of each read are compared; as all have
//! one size, anything lost, doubled or garbled in between would shift or renumber the last.
//!
//! It waits for readiness rather than spinning: a waiting generator costs the server a wake-up for each write, which is
//! what a real receiver costs it too.

use std::time::{Duration, Instant};

use crate::load::Load;
use crate::process::{self, CpuSource};
use crate::{BenchError, Shape, Target};

/// How long to measure, and how hard.
#[derive(Clone, Debug)]
pub struct ThroughputOptions {
    /// Under load before the clock starts.
    pub warm_up: Duration,
    /// How long the clock runs.
    pub measure_for: Duration,
    /// The clock stops earlier after so many deliveries.
    pub deliveries_max: u64,
    /// Bytes under way to each receiver; by default between 64 KiB and 1 MiB, by the number of receivers.
    pub window_bytes: Option<usize>,
    /// If nothing at all is delivered for so long, what is under way counts as lost.
    pub stalled_after: Duration,
}

impl Default for ThroughputOptions {
    fn default() -> Self {
        ThroughputOptions {
            warm_up: Duration::from_millis(500),
            measure_for: Duration::from_secs(2),
            deliveries_max: u64::MAX,
            window_bytes: None,
            stalled_after: Duration::from_secs(5),
        }
    }
}

/// What a run of [`measure`] found.
#[derive(Clone, Debug)]
pub struct Throughput {
    /// Deliveries while the clock ran, to all receivers together.
    pub deliveries: u64,
    /// How long the clock ran.
    pub elapsed: Duration,
    /// Processor time of the server in that time, if its process was given.
    pub server_cpu: Option<(Duration, CpuSource)>,
    /// Processor time of the generator in that time.
    pub generator_cpu: Duration,
    /// The cipher suite that the connections agreed on, if they were encrypted.
    pub cipher: Option<String>,
}

impl Throughput {
    /// Deliveries per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        count(self.deliveries) / self.elapsed.as_secs_f64()
    }

    /// Nanoseconds of the server's processor time for each delivery.
    #[must_use]
    pub fn server_ns_per_delivery(&self) -> Option<f64> {
        let (cpu, _) = self.server_cpu?;
        Some(cpu.as_secs_f64() * 1e9 / count(self.deliveries))
    }

    /// Nanoseconds of the generator's processor time for each delivery.
    #[must_use]
    pub fn generator_ns_per_delivery(&self) -> f64 {
        self.generator_cpu.as_secs_f64() * 1e9 / count(self.deliveries)
    }

    /// How busy the server was: processor time by elapsed time, 1.0 for one whole core.
    #[must_use]
    pub fn server_share(&self) -> Option<f64> {
        let (cpu, _) = self.server_cpu?;
        Some(cpu.as_secs_f64() / self.elapsed.as_secs_f64())
    }

    /// How busy the generator was; near 1.0, it and not the server set the rate.
    #[must_use]
    pub fn generator_share(&self) -> f64 {
        self.generator_cpu.as_secs_f64() / self.elapsed.as_secs_f64()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^53 deliveries")]
fn count(deliveries: u64) -> f64 {
    deliveries.max(1) as f64
}

/// Connects, joins, loads and measures. Takes about the sum of the times in `options`.
///
/// # Errors
/// Any [`BenchError`]; none of them leaves a number behind.
pub fn measure(
    target: &Target,
    shape: &Shape,
    options: &ThroughputOptions,
) -> Result<Throughput, BenchError> {
    let mut load = Load::connect(target, shape, options.window_bytes, options.stalled_after)?;
    load.compare_every_delivery(true);
    load.run(options.warm_up, u64::MAX)?;
    load.compare_every_delivery(false);
    let before = Reading::take(&load, target)?;
    load.run(options.measure_for, options.deliveries_max)?;
    let after = Reading::take(&load, target)?;
    load.compare_every_delivery(true);
    load.finish()?;
    Ok(Throughput { cipher: load.cipher(), ..before.until(&after) })
}

/// All clocks at one moment.
struct Reading {
    at: Instant,
    deliveries: u64,
    server_cpu: Option<(Duration, CpuSource)>,
    generator_cpu: Duration,
}

impl Reading {
    fn take(load: &Load, target: &Target) -> Result<Reading, BenchError> {
        Ok(Reading {
            at: Instant::now(),
            deliveries: load.deliveries(),
            server_cpu: target.pid.map(process::cpu_time).transpose()?,
            generator_cpu: process::own_cpu_time(),
        })
    }

    fn until(&self, later: &Reading) -> Throughput {
        let server_cpu = self.server_cpu.zip(later.server_cpu);
        Throughput {
            deliveries: later.deliveries - self.deliveries,
            elapsed: later.at - self.at,
            server_cpu: server_cpu
                .map(|((before, _), (after, source))| (after.saturating_sub(before), source)),
            generator_cpu: later.generator_cpu.saturating_sub(self.generator_cpu),
            cipher: None,
        }
    }
}
