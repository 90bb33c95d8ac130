//! Receivers that read slowly or not at all: what they do to the others, to what they hear themselves, and to the
//! server's memory. Rule 7 of linebus' delivery (PROTOCOL.md) is what is judged.
//!
//! The sender always has more to send; nothing but the server and those receivers that do read holds it back. Every
//! single delivery is compared with what it must be, so that a hole is found wherever it is.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::load::{Load, Reading};
use crate::process::{peak_resident_bytes, resident_bytes};
use crate::protocol::Protocol;
use crate::throughput::ThroughputOptions;
use crate::{BenchError, Shape, Target};

/// Bytes under way to each receiver that reads. Far less than what the server lets wait for one.
const WINDOW_BYTES: usize = 64 << 10;

/// How often the server is asked who is still there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// One receiver among several stops reading.
#[derive(Clone, Debug)]
pub struct SuspendedOptions {
    /// How many receivers there are, the suspended one included.
    pub receivers: usize,
    /// Size of the payload.
    pub payload_bytes: usize,
    /// Under load before the clock starts.
    pub warm_up: Duration,
    /// How long the rate is taken before the suspension.
    pub before: Duration,
    /// From the suspension on: the time in which a delay is allowed.
    pub early: Duration,
    /// After that: the time in which everything must be as before.
    pub later: Duration,
    /// If nothing at all is delivered for so long, what is under way counts as lost.
    pub stalled_after: Duration,
}

/// What [`suspended`] found, of the receivers that were not suspended.
#[derive(Clone, Debug)]
pub struct Suspended {
    /// The longest time without a delivery at any one of them in the early time.
    pub early_gap: Duration,
    /// The same in the time after.
    pub later_gap: Duration,
    /// Deliveries per second to each, before the suspension.
    pub before_per_second: f64,
    /// Deliveries per second to each, in the later time.
    pub later_per_second: f64,
}

/// Suspends one of several receivers and watches the others.
///
/// # Errors
/// Any [`BenchError`]; one if the others do not hear everything.
pub fn suspended(target: &Target, options: &SuspendedOptions) -> Result<Suspended, BenchError> {
    let shape = Shape::one_topic(1, options.receivers, options.payload_bytes);
    let mut load = Load::connect(target, &shape, Some(WINDOW_BYTES), options.stalled_after)?;
    load.run(options.warm_up, u64::MAX)?;
    let before = rate(&mut load, options.before)? / count(options.receivers);
    load.forget_gaps();
    load.set_reading(0, Reading::Not);
    load.run(options.early, u64::MAX)?;
    let early_gap = load.longest_gap();
    load.forget_gaps();
    let later = rate(&mut load, options.later)? / count(options.receivers - 1);
    let later_gap = load.longest_gap();
    load.finish()?;
    Ok(Suspended { early_gap, later_gap, before_per_second: before, later_per_second: later })
}

/// A receiver keeps reading, but slower than the sender could send.
#[derive(Clone, Debug)]
pub struct SteadyOptions {
    /// How much it reads.
    pub bytes_per_second: u64,
    /// Size of the payload.
    pub payload_bytes: usize,
    /// How long the sender floods it.
    pub flood_for: Duration,
}

/// What [`steady`] found. That there is a finding at all means that nothing was lost.
#[derive(Clone, Debug)]
pub struct Steady {
    /// Deliveries in the time of the flood.
    pub deliveries: u64,
    /// How many bytes of lines per second that was.
    pub bytes_per_second: f64,
}

/// Floods a receiver that reads at an even pace; afterwards lets it read what waits for it.
///
/// # Errors
/// Any [`BenchError`]; one if a line is missing or the receiver is closed.
pub fn steady(target: &Target, options: &SteadyOptions) -> Result<Steady, BenchError> {
    let shape = Shape::one_topic(1, 1, options.payload_bytes);
    let stalled_after = ThroughputOptions::default().stalled_after;
    let mut load = Load::connect(target, &shape, None, stalled_after)?;
    let Some(delivery_len) = load.delivery_len() else {
        return Err(BenchError::Shape { why: "it needs a receiver" });
    };
    let bytes_per_second = options.bytes_per_second;
    load.set_reading(0, Reading::AtMost { bytes_per_second, since: Instant::now() });
    load.flood();
    let per_second = rate(&mut load, options.flood_for)?;
    let deliveries = load.deliveries();
    load.finish()?;
    Ok(Steady { deliveries, bytes_per_second: per_second * count(delivery_len) })
}

/// Many receivers stop reading at once, and the server has a budget for what waits.
#[derive(Clone, Debug)]
pub struct BudgetOptions {
    /// How many don't read.
    pub suspended: usize,
    /// How many read as ever.
    pub healthy: usize,
    /// Size of the payload.
    pub payload_bytes: usize,
    /// The sender goes on for so long after the server has closed the first receiver.
    pub beyond: Duration,
    /// By then the server must have closed one.
    pub full_within: Duration,
}

/// What [`budget`] found. The healthy receivers heard everything, or there would be no finding.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The server's resident memory before anybody had connected.
    pub idle_bytes: u64,
    /// The most that its resident memory ever was.
    pub peak_bytes: u64,
    /// How many receivers it has closed.
    pub closed: usize,
    /// Deliveries to each healthy receiver.
    pub deliveries: u64,
}

/// Sends until the server has to close receivers that don't read, and a while beyond. linebus only: it is asked how many
/// have joined.
///
/// # Errors
/// Any [`BenchError`]; one if a healthy receiver misses anything, or the server closes nobody.
pub fn budget(target: &Target, options: &BudgetOptions) -> Result<Budget, BenchError> {
    let (Protocol::Linebus, Some(pid)) = (target.protocol, target.pid) else {
        return Err(BenchError::Shape { why: "the budget is linebus', and its process is read" });
    };
    let idle_bytes = resident_bytes(pid)?;
    let receivers = options.suspended + options.healthy;
    let shape = Shape::one_topic(1, receivers, options.payload_bytes);
    let stalled_after = ThroughputOptions::default().stalled_after;
    let mut load = Load::connect(target, &shape, Some(WINDOW_BYTES), stalled_after)?;
    let mut audience = Audience::of(target)?;
    for index in 0..options.suspended {
        load.set_reading(index, Reading::Not);
    }
    let started = Instant::now();
    while audience.count()? == receivers {
        if started.elapsed() > options.full_within {
            let doing = "filling the budget";
            return Err(BenchError::Stalled { doing, waited: options.full_within });
        }
        load.run(LOOK_EVERY, u64::MAX)?;
    }
    load.run(options.beyond, u64::MAX)?;
    let closed = receivers - audience.count()?;
    load.finish()?;
    Ok(Budget {
        idle_bytes,
        peak_bytes: peak_resident_bytes(pid)?,
        closed,
        deliveries: load.deliveries() / to_u64(options.healthy),
    })
}

/// A connection of its own that asks how many have joined the topics of a run.
struct Audience {
    lines: BufReader<TcpStream>,
}

impl Audience {
    /// A server that doesn't answer within this has failed.
    const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

    fn of(target: &Target) -> Result<Audience, BenchError> {
        let doing = BenchError::io("connect");
        let stream = TcpStream::connect(target.address).and_then(|stream| {
            stream.set_read_timeout(Some(Audience::ANSWERS_WITHIN))?;
            Ok(stream)
        });
        Ok(Audience { lines: BufReader::new(stream.map_err(doing)?) })
    }

    fn count(&mut self) -> Result<usize, BenchError> {
        let doing = "ask who has joined";
        self.lines.get_mut().write_all(b"topics\n").map_err(BenchError::io(doing))?;
        let mut receivers = 0;
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).map_err(BenchError::io(doing))?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["hello", ..] => {}
                ["topic", _, number] => receivers += number.parse().unwrap_or(0),
                ["ok", "topics", _] => return Ok(receivers),
                _ => {
                    return Err(BenchError::Answer {
                        expected: "ok topics".to_owned(),
                        said: line,
                    });
                }
            }
        }
    }
}

/// Deliveries per second, to all together, in the next while.
fn rate(load: &mut Load, how_long: Duration) -> Result<f64, BenchError> {
    let (started, before) = (Instant::now(), load.deliveries());
    load.run(how_long, u64::MAX)?;
    let deliveries = load.deliveries() - before;
    #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^53 deliveries")]
    let deliveries = deliveries as f64;
    Ok(deliveries / started.elapsed().as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "receivers and bytes of a line are few")]
fn count(number: usize) -> f64 {
    number.max(1) as f64
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number.max(1)).expect("a count fits 64 bits")
}
