//! Processor time and memory of a process, from Linux' `/proc` (proc(5)).
//!
//! Loopback traffic is worked on by whoever writes: the receiver's half of TCP runs inside the sender's system call and
//! is accounted there. So a server's time contains both halves of its deliveries and neither half of what it is sent;
//! that is so for every server alike.

use std::fs;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::BenchError;

/// From where a processor time was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuSource {
    /// The scheduler's own sums, in nanoseconds: `/proc/PID/task/*/schedstat`.
    Schedstat,
    /// User and system time in clock ticks, mostly of 10 ms: `/proc/PID/stat`. For kernels without the above.
    Ticks,
}

/// User and system time that the process's present threads have used so far.
///
/// # Errors
/// [`BenchError::Io`] if there is no such process or `/proc` is not what it should be.
pub fn cpu_time(pid: u32) -> Result<(Duration, CpuSource), BenchError> {
    let doing = BenchError::io("read the server's processor time");
    match schedstat(pid) {
        Ok(Duration::ZERO) => {}
        Ok(time) => return Ok((time, CpuSource::Schedstat)),
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(doing(e)),
    }
    ticks(pid).map(|time| (time, CpuSource::Ticks)).map_err(doing)
}

/// Resident memory (`VmRSS` of `/proc/PID/status`), in bytes. What the kernel keeps for sockets is not part of it.
///
/// # Errors
/// [`BenchError::Io`] as above.
pub fn resident_bytes(pid: u32) -> Result<u64, BenchError> {
    status_bytes(pid, "VmRSS:")
}

/// The most that the resident memory has been so far (`VmHWM` of `/proc/PID/status`), in bytes.
///
/// # Errors
/// [`BenchError::Io`] as above.
pub fn peak_resident_bytes(pid: u32) -> Result<u64, BenchError> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, field: &str) -> Result<u64, BenchError> {
    let doing = BenchError::io("read the server's memory");
    let status = match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => status,
        Err(e) => return Err(doing(e)),
    };
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    match kibibytes {
        Some(kibibytes) => Ok(kibibytes * 1024),
        None => Err(doing(malformed("status"))),
    }
}

/// Processor time of the calling thread.
#[must_use]
pub fn own_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("a thread has not run for a negative time");
    let nanos = u32::try_from(time.tv_nsec).expect("nanoseconds are below a thousand million");
    Duration::new(seconds, nanos)
}

fn schedstat(pid: u32) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = match fs::read_to_string(task?.path().join("schedstat")) {
            Ok(text) => text,
            // A thread that ended in between, or a kernel that keeps no such file: then the sum stays zero.
            Err(e) if has_ended(&e) => continue,
            Err(e) => return Err(e),
        };
        let on_processor = text.split_whitespace().next();
        let nanos = on_processor.and_then(|word| word.parse().ok());
        total += Duration::from_nanos(nanos.ok_or_else(|| malformed("schedstat"))?);
    }
    Ok(total)
}

fn has_ended(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

fn ticks(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the command's name in brackets and may contain anything; the next is number 3, the state.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| malformed("stat"))?;
    let mut times = fields.split_whitespace().skip(14 - 3);
    let mut next = || times.next().and_then(|word| word.parse::<u64>().ok());
    let (Some(user), Some(system)) = (next(), next()) else {
        return Err(malformed("stat"));
    };
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_nanos((user + system) * (1_000_000_000 / per_second)))
}

fn malformed(file: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("/proc/PID/{file} is not as expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> u64 {
        (0..3_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n))
    }

    #[test]
    fn working_costs_time_and_both_sources_can_be_read() {
        let pid = std::process::id();
        let own = own_cpu_time();
        work();
        assert!(own_cpu_time() > own);
        let (time, _) = cpu_time(pid).expect("this process can be read");
        assert!(time > Duration::ZERO);
        ticks(pid).expect("this process can be read");
    }

    #[test]
    fn a_process_has_memory_and_a_missing_one_is_an_error() {
        assert!(resident_bytes(std::process::id()).expect("this process can be read") > 100_000);
        let own = std::process::id();
        let peak = peak_resident_bytes(own).expect("this process can be read");
        assert!(peak >= resident_bytes(own).expect("this process can be read") / 2);
        assert!(resident_bytes(u32::MAX).is_err());
        assert!(cpu_time(u32::MAX).is_err());
    }
}
