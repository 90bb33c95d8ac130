//! What is measured: the list behind every table of the page. How it is measured is the library's affair.

use std::time::Duration;

use linebus_bench::connections::ConnectionsOptions;
use linebus_bench::latency::LatencyOptions;
use linebus_bench::slow::{BudgetOptions, SteadyOptions, SuspendedOptions};
use linebus_bench::throughput::ThroughputOptions;
use linebus_bench::{Joining, Shape};

use crate::Compare;
use crate::results::{Results, Section};
use crate::server::Server;
use crate::setup::{Rules, Setup};

/// Keys of the latency measurements, and of the two ways in which idle connections join.
pub(crate) const LATENCY_ONE: &str = "latency-1-1";
pub(crate) const LATENCY_HUNDRED: &str = "latency-1-100";
pub(crate) const OWN_TOPIC: &str = "own-topic";
pub(crate) const ONE_TOPIC: &str = "one-topic";

/// Payload of all measurements but those of the first table that say otherwise.
pub(crate) const PAYLOAD_BYTES: usize = 128;

/// Topics that exist while one is used, or that are gone round.
pub(crate) const TOPIC_COUNTS: [usize; 4] = [1, 100, 10_000, 100_000];

/// Idle connections whose memory is measured.
const CONNECTIONS: usize = 5_000;
const CONNECTIONS_TINY: usize = 50;

/// Keys of the measurements of slow receivers.
pub(crate) const SUSPENDED: &str = "suspended";
pub(crate) const STEADY: &str = "steady";
pub(crate) const BUDGET: &str = "budget";

/// What the slow receiver that loses nothing reads.
pub(crate) const STEADY_BYTES_PER_SECOND: u64 = 50_000_000;

/// The budget under which a thousand receivers stop reading.
pub(crate) const BUDGET_BYTES: u64 = 256 << 20;
const BUDGET_BYTES_TINY: u64 = 8 << 20;

/// In tiny runs, the most of everything.
const SHRUNK_TO: usize = 10;

/// One line of work: a measurement that some servers take in turn.
pub(crate) struct Measurement {
    pub(crate) section: Section,
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) work: Work,
    pub(crate) servers: Vec<Server>,
    /// Threads for linebus.
    pub(crate) threads: usize,
    /// Whether server and generator are kept on a core each.
    pub(crate) pinned: bool,
    pub(crate) setup: Setup,
}

/// What to do with a running server.
pub(crate) enum Work {
    Throughput(Shape, ThroughputOptions),
    Latency(Shape, LatencyOptions),
    Connections(ConnectionsOptions),
    Suspended(SuspendedOptions),
    Steady(SteadyOptions),
    Budget(BudgetOptions),
}

/// Everything that `options` ask for, in order.
pub(crate) fn measurements(options: &Compare) -> Vec<Measurement> {
    let mut all = throughput(options);
    all.extend(tls(options));
    all.extend(latency(options));
    all.extend(connections(options));
    all.extend(topics(options));
    all.extend(threads(options));
    all.extend(rules(options));
    all.extend(slow(options));
    for measurement in &mut all {
        measurement.servers.retain(|server| options.servers.contains(server));
    }
    all.retain(|measurement| {
        !measurement.servers.is_empty() && measurement.is_asked_for(&options.only)
    });
    all
}

impl Measurement {
    /// Whether whoever comes first would pay for the machine's memory. A virtual machine may give free memory back to its
    /// host within seconds, and take it up again page by page when sockets fill: 10 → 10 then cost the first server, also
    /// the relay, up to twice as much as the same server a moment later.
    pub(crate) fn wants_warm_memory(&self) -> bool {
        matches!(self.work, Work::Throughput(..))
    }

    fn is_asked_for(&self, only: &[String]) -> bool {
        only.is_empty() || only.iter().any(|word| *word == self.key || word == self.section.name())
    }
}

fn throughput(options: &Compare) -> Vec<Measurement> {
    let shapes = Shape::standard().into_iter();
    shapes.map(|shape| of_shape(Section::Throughput, &shape, &Server::ALL, options)).collect()
}

/// The same over TLS, for linebus and NATS.
fn tls(options: &Compare) -> Vec<Measurement> {
    let servers = [Server::Linebus, Server::Nats];
    let measurement = |shape: Shape| Measurement {
        key: tls_key(&shape),
        setup: Setup::Encrypted,
        ..of_shape(Section::Tls, &shape, &servers, options)
    };
    tls_shapes().into_iter().map(measurement).collect()
}

pub(crate) fn tls_shapes() -> [Shape; 3] {
    [(1, 1), (1, 10), (10, 1)]
        .map(|(senders, receivers)| Shape::one_topic(senders, receivers, PAYLOAD_BYTES))
}

/// Key of a shape over TLS.
pub(crate) fn tls_key(shape: &Shape) -> String {
    format!("tls-{}", shape.key())
}

fn latency(options: &Compare) -> Vec<Measurement> {
    let rates = [(LATENCY_ONE, 1, 10_000), (LATENCY_HUNDRED, 100, 1_000)];
    let measurement = |(key, receivers, messages_per_second): (&str, usize, u32)| {
        let shape = Shape::one_topic(1, receivers, PAYLOAD_BYTES);
        let per_second = grouped(&messages_per_second);
        let how_fast = LatencyOptions {
            messages_per_second,
            warm_up: warm_up(options),
            measure_for: clock(options),
            ..LatencyOptions::default()
        };
        Measurement {
            section: Section::Latency,
            key: key.to_owned(),
            title: format!("{}, {per_second} messages/s", shape.title()),
            work: Work::Latency(sized(&shape, options), how_fast),
            servers: Server::ALL.to_vec(),
            threads: options.threads,
            pinned: true,
            setup: Setup::Open,
        }
    };
    rates.into_iter().map(measurement).collect()
}

fn connections(options: &Compare) -> Vec<Measurement> {
    let ways = [(OWN_TOPIC, false, "each its own topic"), (ONE_TOPIC, true, "all one topic")];
    let measurement = |(key, one_topic, way): (&str, bool, &str)| {
        let how_many = ConnectionsOptions {
            connections: if options.tiny { CONNECTIONS_TINY } else { CONNECTIONS },
            one_topic,
            settle: if options.tiny {
                Duration::ZERO
            } else {
                ConnectionsOptions::default().settle
            },
        };
        Measurement {
            section: Section::Connections,
            key: key.to_owned(),
            title: way.to_owned(),
            work: Work::Connections(how_many),
            servers: vec![Server::Linebus, Server::Nats, Server::Redis, Server::Mosquitto],
            threads: options.threads,
            pinned: true,
            setup: Setup::Open,
        }
    };
    ways.into_iter().map(measurement).collect()
}

/// The two kinds of growth in topics: many that merely exist, and many that are all used.
fn topics(options: &Compare) -> Vec<Measurement> {
    let servers = [Server::Linebus, Server::Nats];
    let shapes = TOPIC_COUNTS.map(|count| Shape::among(count, PAYLOAD_BYTES)).into_iter();
    let shapes = shapes.chain(TOPIC_COUNTS.map(|count| Shape::spread(count, PAYLOAD_BYTES)));
    shapes
        .map(|shape| {
            let mut measurement = of_shape(Section::Topics, &shape, &servers, options);
            // With one topic in all, the plain 1 → 1 gets the key of its row here.
            if shape == Shape::among(1, PAYLOAD_BYTES) {
                measurement.key = among_key(1);
            }
            measurement
        })
        .collect()
}

/// Key of the measurement on one topic among `count`.
pub(crate) fn among_key(count: usize) -> String {
    format!("among-{count}-{PAYLOAD_BYTES}")
}

/// Where a second thread may help or hinder; neither the server nor the generator is pinned.
fn threads(options: &Compare) -> Vec<Measurement> {
    let shapes = [
        Shape::one_topic(1, 1, PAYLOAD_BYTES),
        Shape::one_topic(1, 10, PAYLOAD_BYTES),
        Shape::one_topic(10, 10, PAYLOAD_BYTES),
        Shape::one_topic(1, 100, PAYLOAD_BYTES),
        Shape::pairs(100, PAYLOAD_BYTES),
    ];
    let mut all = Vec::new();
    for shape in shapes {
        for threads in [1, 2] {
            let mut measurement = of_shape(Section::Threads, &shape, &[Server::Linebus], options);
            measurement.key = threads_key(&shape.key(), threads);
            measurement.threads = threads;
            measurement.pinned = false;
            all.push(measurement);
        }
    }
    all
}

/// Key of a shape with so many server threads.
pub(crate) fn threads_key(shape: &str, threads: usize) -> String {
    format!("threads-{threads}-{shape}")
}

/// linebus with a user who has rules, beside itself without accounts.
fn rules(options: &Compare) -> Vec<Measurement> {
    let mut all = Vec::new();
    let mut add = |shape: &Shape, word: &str, title: &str, setup| {
        let mut measurement = of_shape(Section::Rules, shape, &[Server::Linebus], options);
        measurement.key = format!("{word}-{}", shape.key());
        measurement.title.push_str(title);
        measurement.setup = setup;
        all.push(measurement);
    };
    for shape in Shape::standard() {
        add(&shape, "open", "", Setup::Open);
        add(&shape, "rules", "", Setup::Accounts(Rules::Apart));
        if shape.joining == Joining::Wildcard {
            add(&shape, "overlap", ", overlapping a deny", Setup::Accounts(Rules::Overlapping));
        }
    }
    all
}

/// Two measurements of linebus that belong together: the title, the key of the one that is compared with, and the key of
/// the one that is compared.
pub(crate) fn pairs(results: &Results, section: Section) -> Vec<(&str, String, &str)> {
    let words: &[(&str, &str)] = match section {
        Section::Threads => &[("threads-1-", "threads-2-")],
        Section::Rules => &[("open-", "rules-"), ("open-", "overlap-")],
        _ => &[],
    };
    let pair = |(key, title)| {
        words.iter().find_map(|(base, compared)| {
            let shape = str::strip_prefix(key, compared)?;
            Some((title, format!("{base}{shape}"), key))
        })
    };
    results.measurements(section).into_iter().filter_map(pair).collect()
}

/// What receivers that don't keep up do to others, to themselves and to the server.
fn slow(options: &Compare) -> Vec<Measurement> {
    let (tiny, milliseconds) = (options.tiny, Duration::from_millis);
    let suspended = SuspendedOptions {
        receivers: if tiny { SHRUNK_TO } else { 100 },
        payload_bytes: PAYLOAD_BYTES,
        warm_up: warm_up(options),
        before: if tiny { clock(options) } else { milliseconds(2_000) },
        early: milliseconds(if tiny { 700 } else { 3_000 }),
        later: milliseconds(if tiny { 50 } else { 5_000 }),
        stalled_after: milliseconds(5_000),
    };
    let steady = SteadyOptions {
        bytes_per_second: STEADY_BYTES_PER_SECOND,
        payload_bytes: PAYLOAD_BYTES,
        flood_for: milliseconds(if tiny { 1_000 } else { 60_000 }),
    };
    let budget = BudgetOptions {
        suspended: if tiny { 50 } else { 1_000 },
        healthy: 4,
        payload_bytes: PAYLOAD_BYTES,
        beyond: milliseconds(if tiny { 50 } else { 2_000 }),
        full_within: milliseconds(60_000),
    };
    let budget_bytes = if tiny { BUDGET_BYTES_TINY } else { BUDGET_BYTES };
    [
        (SUSPENDED, "one of 100 suspended", Work::Suspended(suspended), Setup::Open),
        (STEADY, "one reads 50 MB/s", Work::Steady(steady), Setup::Open),
        (BUDGET, "1 000 suspended", Work::Budget(budget), Setup::Budget(budget_bytes)),
    ]
    .into_iter()
    .map(|(key, title, work, setup)| Measurement {
        section: Section::Slow,
        key: key.to_owned(),
        title: title.to_owned(),
        work,
        servers: vec![Server::Linebus],
        threads: options.threads,
        pinned: true,
        setup,
    })
    .collect()
}

fn of_shape(section: Section, shape: &Shape, servers: &[Server], options: &Compare) -> Measurement {
    let how_long = ThroughputOptions {
        warm_up: warm_up(options),
        measure_for: clock(options),
        window_bytes: options.window,
        ..ThroughputOptions::default()
    };
    Measurement {
        section,
        key: shape.key(),
        title: shape.title(),
        work: Work::Throughput(sized(shape, options), how_long),
        servers: servers.to_vec(),
        threads: options.threads,
        pinned: true,
        setup: Setup::Open,
    }
}

fn sized(shape: &Shape, options: &Compare) -> Shape {
    if options.tiny { shape.shrunk(SHRUNK_TO) } else { shape.clone() }
}

/// How long the clock runs.
pub(crate) fn clock(options: &Compare) -> Duration {
    if options.tiny { Duration::from_millis(20) } else { Duration::from_secs_f64(options.seconds) }
}

/// A quarter of that, and at least half a second: NATS takes some hundred milliseconds to size its buffers.
pub(crate) fn warm_up(options: &Compare) -> Duration {
    if options.tiny {
        Duration::from_millis(5)
    } else {
        (clock(options) / 4).max(Duration::from_millis(500))
    }
}

/// `10 000`.
pub(crate) fn grouped(number: &impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
