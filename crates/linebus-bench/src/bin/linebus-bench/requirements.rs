//! What linebus promises of its speed, as numbers that a run meets or doesn't.
//!
//! Most are ratios within one and the same comparison, so that they hold on other machines too; memory and the times that
//! the protocol's page names are absolute.

use linebus_bench::Shape;

use crate::results::{Quantity, Results, Row, Section};
use crate::server::Server;
use crate::suite::{
    BUDGET, BUDGET_BYTES, LATENCY_HUNDRED, LATENCY_ONE, ONE_TOPIC, OWN_TOPIC, PAYLOAD_BYTES,
    STEADY, SUSPENDED, TOPIC_COUNTS, among_key, grouped, pairs, tls_key, tls_shapes,
};

/// How much dearer than with one receiver or one topic a delivery may get: a quarter.
const FLAT: f64 = 1.25;

/// "No slower" with two threads than with one, less what two runs of the same thing differ by anyway.
const NO_SLOWER: f64 = 0.95;

/// What 50 rules may cost: a tenth of the rate.
const WITH_RULES: f64 = 0.9;

/// `drain_ms` as it comes (linebus.toml), and a margin: everybody's turn comes once in a while only, in the server as in
/// the generator, and it takes a moment until the marks are reached and until the backlog has been read.
const SUSPENSION_MS: f64 = 500.0;
const GAP_MARGIN_MS: f64 = 100.0;

/// What the memory may rise by beyond the budget. A joined connection has [`CONNECTION_KIB`]. Of the budget an eighth is
/// allowed for: outboxes count bytes, and the last chunk of each has room for more, besides what the allocator wastes.
const BEYOND_BUDGET: f64 = 1.0 / 8.0;

/// Memory of an idle joined connection; and as many of them as stop reading in one measurement.
const CONNECTION_KIB: f64 = 2.0;
const SUSPENDED_CONNECTIONS: f64 = 1000.0;

const RATE: Quantity = Quantity::DeliveriesPerSecond;

/// One promise and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Requirement {
    pub(crate) what: String,
    pub(crate) bound: Bound,
    pub(crate) unit: &'static str,
    /// None if it was not measured, or a server failed.
    pub(crate) measured: Option<f64>,
    /// Whether the generator set the rate in all of what was compared, so that the server can't be judged by it.
    pub(crate) generator_bound: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    /// The generator was the limit: neither.
    GeneratorBound,
    NotMeasured,
}

impl Requirement {
    fn new(what: String, bound: Bound, unit: &'static str, measured: Option<f64>) -> Requirement {
        Requirement { what, bound, unit, measured, generator_bound: false }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let Some(measured) = self.measured else {
            return Verdict::NotMeasured;
        };
        let is_met = match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        };
        match is_met {
            _ if self.generator_bound => Verdict::GeneratorBound,
            true => Verdict::Pass,
            false => Verdict::Fail,
        }
    }

    /// Whether a check must fail: it is missed, or it is missing although everything was to be measured.
    pub(crate) fn is_unmet(&self, results: &Results) -> bool {
        match self.verdict() {
            Verdict::Pass | Verdict::GeneratorBound => false,
            Verdict::Fail => true,
            Verdict::NotMeasured => !results.partial,
        }
    }
}

/// All promises, in the order of the page.
pub(crate) fn all(results: &Results) -> Vec<Requirement> {
    let mut all = against_nats(results);
    all.extend(over_tls(results));
    all.extend(against_relay(results));
    all.extend(latency(results));
    all.extend(memory(results));
    all.extend(flatness(results));
    all.extend(threads(results));
    all.extend(rules(results));
    all.extend(slow(results));
    all
}

fn against_nats(results: &Results) -> Vec<Requirement> {
    let bound = |shape: &Shape| match (shape.senders, shape.receivers, shape.payload_bytes) {
        (1, 1, 16) => 6.0,
        (1, 1000, _) => 2.5,
        (_, _, 1024) => 2.0,
        _ => 3.0,
    };
    let ratio = |shape: Shape| {
        Requirement::new(
            format!("deliveries/s, {}, against NATS", shape.title()),
            Bound::AtLeast(bound(&shape)),
            "×",
            against(Server::Nats, results, Section::Throughput, &shape.key(), RATE),
        )
    };
    Shape::standard().into_iter().map(ratio).collect()
}

fn over_tls(results: &Results) -> Vec<Requirement> {
    let ratio = |shape: Shape| {
        let what = format!("deliveries/s over TLS, {}, against NATS over TLS", shape.title());
        let measured = against(Server::Nats, results, Section::Tls, &tls_key(&shape), RATE);
        Requirement::new(what, Bound::AtLeast(2.0), "×", measured)
    };
    tls_shapes().into_iter().map(ratio).collect()
}

fn against_relay(results: &Results) -> Vec<Requirement> {
    let ratio = |shape: Shape| {
        Requirement::new(
            format!("CPU per delivery, {}, against the relay", shape.title()),
            Bound::AtMost(1.6),
            "×",
            against(Server::Relay, results, Section::Throughput, &shape.key(), Quantity::ServerNs),
        )
    };
    let shapes = Shape::standard().into_iter();
    shapes.filter(|shape| shape.payload_bytes == PAYLOAD_BYTES).map(ratio).collect()
}

fn latency(results: &Results) -> Vec<Requirement> {
    let promises =
        [(LATENCY_ONE, "1 → 1 at 10 000/s", 0.95), (LATENCY_HUNDRED, "1 → 100 at 1 000/s", 0.7)];
    let ratio = |(key, what, bound): (&str, &str, f64)| {
        Requirement::new(
            format!("latency p50, {what}, against NATS"),
            Bound::AtMost(bound),
            "×",
            against(Server::Nats, results, Section::Latency, key, Quantity::P50),
        )
    };
    promises.into_iter().map(ratio).collect()
}

fn memory(results: &Results) -> Vec<Requirement> {
    let ways = [(OWN_TOPIC, "each its own topic"), (ONE_TOPIC, "all one topic")];
    let bytes = |(key, way): (&str, &str)| {
        let quantity = Quantity::BytesPerConnection;
        let spread = results.spread(Section::Connections, key, Server::Linebus, quantity);
        Requirement::new(
            format!("memory per idle joined connection, {way}"),
            Bound::AtMost(2.0),
            "KiB",
            spread.map(|spread| spread.median / 1024.0),
        )
    };
    ways.into_iter().map(bytes).collect()
}

/// Only upwards: a delivery that gets cheaper in company breaks no promise.
fn flatness(results: &Results) -> Vec<Requirement> {
    let cost = |section, of: &str, by: &str| within(results, section, of, by, Quantity::ServerNs);
    let key = |receivers| Shape::one_topic(1, receivers, PAYLOAD_BYTES).key();
    let receivers = [10, 100, 1000].map(|receivers| {
        Requirement::new(
            format!("CPU per delivery, {receivers} receivers against 1"),
            Bound::AtMost(FLAT),
            "×",
            cost(Section::Throughput, &key(receivers), &key(1)),
        )
    });
    let topics = TOPIC_COUNTS.into_iter().skip(1).map(|count| {
        Requirement::new(
            format!("CPU per delivery, {} topics joined against 1", grouped(&count)),
            Bound::AtMost(FLAT),
            "×",
            cost(Section::Topics, &among_key(count), &among_key(1)),
        )
    });
    receivers.into_iter().chain(topics).collect()
}

fn threads(results: &Results) -> Vec<Requirement> {
    let pairs = pairs(results, Section::Threads).into_iter();
    let ratio = |(title, one, two): (&str, String, &str)| {
        let what = format!("deliveries/s, {title}, two threads against one");
        let measured = within(results, Section::Threads, two, &one, RATE);
        let row = |key| results.row(Section::Threads, key, Server::Linebus);
        let bound = |key| row(key).is_some_and(Row::is_generator_bound);
        Requirement {
            generator_bound: bound(&one) && bound(two),
            ..Requirement::new(what, Bound::AtLeast(NO_SLOWER), "×", measured)
        }
    };
    pairs.map(ratio).collect()
}

fn rules(results: &Results) -> Vec<Requirement> {
    let pairs = pairs(results, Section::Rules).into_iter();
    let ratio = |(title, open, rules): (&str, String, &str)| {
        let what = format!("deliveries/s, {title}, 50 rules against none");
        let measured = within(results, Section::Rules, rules, &open, RATE);
        Requirement::new(what, Bound::AtLeast(WITH_RULES), "×", measured)
    };
    pairs.map(ratio).collect()
}

/// Rule 7 of delivery, "what you have not read waits for you".
pub(crate) fn slow(results: &Results) -> Vec<Requirement> {
    let mib = |bytes: u64| u32::try_from(bytes >> 20).map_or(f64::INFINITY, f64::from);
    let budget = mib(BUDGET_BYTES);
    let rise =
        (budget * (1.0 + BEYOND_BUDGET) + SUSPENDED_CONNECTIONS * CONNECTION_KIB / 1024.0).round();
    let (most, least) = (Bound::AtMost, Bound::AtLeast);
    [
        (
            "longest gap at 99 receivers in the 3 s after one more was suspended",
            most(SUSPENSION_MS + GAP_MARGIN_MS),
            "ms",
            (SUSPENDED, Quantity::EarlyGapMs),
        ),
        (
            "longest gap at these 99 afterwards",
            most(GAP_MARGIN_MS),
            "ms",
            (SUSPENDED, Quantity::LaterGapMs),
        ),
        (
            "deliveries/s to each of these 99, afterwards against before",
            least(0.9),
            "×",
            (SUSPENDED, Quantity::RateKept),
        ),
        (
            "lines lost by a receiver that reads 50 MB/s in a flood of 60 s",
            most(0.0),
            "lines",
            (STEADY, Quantity::Lost),
        ),
        ("what it reads meanwhile", least(47.5), "MB/s", (STEADY, Quantity::MegabytesPerSecond)),
        (
            "rise of peak memory with 1 000 suspended receivers and a budget of 256 MiB",
            most(rise),
            "MiB",
            (BUDGET, Quantity::RiseMib),
        ),
    ]
    .into_iter()
    .map(|(what, bound, unit, (key, quantity))| {
        let spread = results.spread(Section::Slow, key, Server::Linebus, quantity);
        // What is promised of every run is judged by the worst.
        let worst = spread.map(|spread| match bound {
            Bound::AtMost(_) => spread.max,
            Bound::AtLeast(_) => spread.min,
        });
        Requirement::new(what.to_owned(), bound, unit, worst)
    })
    .collect()
}

/// linebus by another server.
fn against(
    by: Server,
    results: &Results,
    section: Section,
    key: &str,
    quantity: Quantity,
) -> Option<f64> {
    let place = |server| (section, key, server);
    results.ratio(place(Server::Linebus), place(by), quantity).map(|ratio| ratio.median)
}

/// linebus in one measurement by linebus in another.
fn within(
    results: &Results,
    section: Section,
    of: &str,
    by: &str,
    quantity: Quantity,
) -> Option<f64> {
    let place = |key| (section, key, Server::Linebus);
    results.ratio(place(of), place(by), quantity).map(|ratio| ratio.median)
}
