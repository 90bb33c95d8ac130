//! What the server's process holds, over time: a table, and whether it grows.

use std::time::{Duration, Instant};

/// Memory may be so much more in the end than early on, in hundredths and bytes: allocators keep
/// what they were once given.
const MEMORY_PERCENT: usize = 10;
const MEMORY_BYTES: usize = 2 << 20;
/// Descriptors and threads may be so many more, by chance.
const MORE_BY_CHANCE: usize = 24;
/// So many samples are taken at least, and one in so long.
const SAMPLES_MIN: u32 = 240;
const SAMPLE_EVERY: Duration = Duration::from_secs(15);
/// How often it looks whether somebody has failed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What was seen at one moment.
pub(super) struct Sample {
    pub(super) elapsed: Duration,
    pub(super) memory: usize,
    pub(super) descriptors: usize,
    pub(super) threads: usize,
    pub(super) sessions: usize,
    /// The server's processor time.
    pub(super) cpu: Duration,
    pub(super) cycles: usize,
    pub(super) lines: usize,
    pub(super) slow: usize,
}

/// Samples over a time.
pub(super) struct Gauge {
    begin: Instant,
    time: Duration,
    samples: Vec<Sample>,
    /// When the table's next line is due.
    line_due: Duration,
}

impl Gauge {
    pub(super) fn new(time: Duration) -> Self {
        println!(
            "{:>7} {:>8} {:>6} {:>9} {:>8} {:>9} {:>12} {:>6} {:>7}",
            "minutes",
            "RSS MiB",
            "files",
            "sessions",
            "threads",
            "cycles",
            "lines",
            "slow",
            "cpu %"
        );
        Self { begin: Instant::now(), time, samples: Vec::new(), line_due: Duration::ZERO }
    }

    /// Waits until the next sample is due; false when the time is up or somebody `failed`.
    pub(super) fn waits(&self, failed: impl Fn() -> bool) -> bool {
        let taken = u32::try_from(self.samples.len()).unwrap_or(u32::MAX);
        let due = (self.time / SAMPLES_MIN).min(SAMPLE_EVERY) * taken;
        let (_never, wait) = std::sync::mpsc::channel::<()>();
        loop {
            let elapsed = self.begin.elapsed();
            if elapsed >= self.time || failed() {
                return false;
            }
            if elapsed >= due {
                return true;
            }
            // Nobody ever sends: it is the time that is waited for.
            let _ = wait.recv_timeout(LOOK_EVERY.min(due - elapsed));
        }
    }

    /// Keeps a sample, and shows it if a line is due: once a minute, and at least ten times.
    pub(super) fn take(&mut self, sample: Sample) {
        if sample.elapsed >= self.line_due {
            self.line_due += (self.time / 10).min(Duration::from_mins(1));
            let cpu = sample.cpu.as_secs_f64() / sample.elapsed.as_secs_f64();
            println!(
                "{:>7.1} {:>8.1} {:>6} {:>9} {:>8} {:>9} {:>12} {:>6} {:>7.1}",
                sample.elapsed.as_secs_f64() / 60.0,
                mebibytes(sample.memory),
                sample.descriptors,
                sample.sessions,
                sample.threads,
                sample.cycles,
                sample.lines,
                sample.slow,
                cpu * 100.0,
            );
        }
        self.samples.push(sample);
    }

    /// Holds the last quarter of the time against the second; the first is for warming up.
    ///
    /// # Panics
    /// Something grows.
    pub(super) fn judge(&self) {
        let quarter = self.samples.len() / 4;
        assert!(quarter > 2, "too few samples to judge by");
        let (early, late) = (&self.samples[quarter..2 * quarter], &self.samples[3 * quarter..]);
        let medians = |of: fn(&Sample) -> usize| (median(early, of), median(late, of));
        let (before, after) = medians(|sample| sample.memory);
        println!(
            "memory in the second quarter {:.1} MiB, in the last {:.1} MiB (medians)",
            mebibytes(before),
            mebibytes(after)
        );
        let most = before + before * MEMORY_PERCENT / 100 + MEMORY_BYTES;
        assert!(after <= most, "memory grows from {before} to {after} bytes");
        let (before, after) = medians(|sample| sample.descriptors);
        assert!(after <= before + MORE_BY_CHANCE, "descriptors grow from {before} to {after}");
        let (before, after) = medians(|sample| sample.threads);
        assert!(after <= before + MORE_BY_CHANCE, "threads grow from {before} to {after}");
    }
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> usize) -> usize {
    let mut values: Vec<_> = samples.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

fn mebibytes(bytes: usize) -> f64 {
    (bytes >> 10) as f64 / 1024.0
}
