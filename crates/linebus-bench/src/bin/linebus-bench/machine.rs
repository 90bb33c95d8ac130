//! The machine that a comparison ran on, and which of its cores are used for what. Linux only, like the comparison.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// What a reader needs to know to judge the numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) system: String,
    pub(crate) kernel: String,
    /// TCP congestion control, which takes part on loopback too.
    pub(crate) congestion_control: String,
}

impl Machine {
    pub(crate) fn describe() -> Machine {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let field = |text: &str, key: &str, sign: char| {
            text.lines()
                .find(|line| line.starts_with(key))
                .and_then(|line| line.split_once(sign))
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
                .unwrap_or_default()
        };
        let cpuinfo = read("/proc/cpuinfo");
        let memory = field(&read("/proc/meminfo"), "MemTotal", ':');
        let kibibytes = memory.split(' ').next().and_then(|number| number.parse::<u64>().ok());
        Machine {
            processor: field(&cpuinfo, "model name", ':'),
            cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
            memory_gib: kibibytes.unwrap_or_default().div_ceil(1 << 20),
            system: field(&read("/etc/os-release"), "PRETTY_NAME", '='),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            congestion_control: read("/proc/sys/net/ipv4/tcp_congestion_control").trim().to_owned(),
        }
    }
}

/// The cores that this program was given when it started.
pub(crate) struct Cores {
    all: Vec<usize>,
}

impl Cores {
    pub(crate) fn given() -> Result<Cores> {
        let set = sched_getaffinity(None).context("cannot ask for this program's cores")?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect();
        anyhow::ensure!(!all.is_empty(), "this program has no core to run on");
        Ok(Cores { all })
    }

    /// The server's, when it is pinned: the first.
    pub(crate) fn of_server(&self) -> String {
        self.all[0].to_string()
    }

    /// Everything, for a server that is not pinned.
    pub(crate) fn everything(&self) -> String {
        let words: Vec<String> = self.all.iter().map(ToString::to_string).collect();
        words.join(",")
    }

    /// Keeps this thread off the server's core, on the second one. With one core in all they have to share it.
    pub(crate) fn pin_generator(&self) -> Result<()> {
        let core = self.all.get(1).unwrap_or(&self.all[0]);
        keep_to(&[*core])
    }

    /// Lets this thread run anywhere again.
    pub(crate) fn unpin_generator(&self) -> Result<()> {
        keep_to(&self.all)
    }
}

fn keep_to(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).context("cannot choose this program's cores")
}

/// Thousands of connections need as many file descriptors, here and in the servers, which inherit the limit.
pub(crate) fn raise_file_limit() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit on open files")
}

/// The day, in UTC, for the head of the page.
pub(crate) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// `1.5 s` or `80 ms`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_millis() {
        millis if millis >= 1000 => format!("{} s", time.as_secs_f64()),
        millis => format!("{millis} ms"),
    }
}
