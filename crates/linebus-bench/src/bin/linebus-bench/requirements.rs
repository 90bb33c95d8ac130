//! What linebus promises of its speed, as numbers that a run meets or doesn't.
//!
//! Each is a ratio within one and the same comparison, so that it holds on other machines too; only the memory of a
//! connection is absolute.

use linebus_bench::Shape;

use crate::results::{Quantity, Results, Section, Spread};
use crate::server::Server;
use crate::suite::{
    LATENCY_HUNDRED, LATENCY_ONE, ONE_TOPIC, OWN_TOPIC, PAYLOAD_BYTES, TOPIC_COUNTS, among_key,
    grouped, threads_key,
};

/// How much dearer than with one receiver or one topic a delivery may get: a quarter.
const FLAT: f64 = 1.25;

/// "No slower" with two threads than with one, less what two runs of the same thing differ by anyway.
const NO_SLOWER: f64 = 0.95;

/// One promise and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Requirement {
    pub(crate) what: String,
    pub(crate) bound: Bound,
    pub(crate) unit: &'static str,
    /// None if it was not measured, or a server failed.
    pub(crate) measured: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Requirement {
    /// None if there is nothing to judge.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let measured = self.measured?;
        Some(match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        })
    }

    /// Whether a check must fail: it is missed, or it is missing although everything was to be measured.
    pub(crate) fn is_unmet(&self, results: &Results) -> bool {
        !self.is_met().unwrap_or(results.partial)
    }
}

/// All promises, in the order of the page.
pub(crate) fn all(results: &Results) -> Vec<Requirement> {
    let mut all = against_nats(results);
    all.extend(against_relay(results));
    all.extend(latency(results));
    all.extend(memory(results));
    all.extend(flatness(results));
    all.extend(threads(results));
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
        let spread =
            |server| throughput(results, &shape.key(), server, Quantity::DeliveriesPerSecond);
        Requirement {
            what: format!("deliveries/s, {}, against NATS", shape.title()),
            bound: Bound::AtLeast(bound(&shape)),
            unit: "×",
            measured: quotient(spread(Server::Linebus), spread(Server::Nats)),
        }
    };
    Shape::standard().into_iter().map(ratio).collect()
}

fn against_relay(results: &Results) -> Vec<Requirement> {
    let ratio = |shape: Shape| {
        let spread = |server| throughput(results, &shape.key(), server, Quantity::ServerNs);
        Requirement {
            what: format!("CPU per delivery, {}, against the relay", shape.title()),
            bound: Bound::AtMost(1.6),
            unit: "×",
            measured: quotient(spread(Server::Linebus), spread(Server::Relay)),
        }
    };
    let shapes = Shape::standard().into_iter();
    shapes.filter(|shape| shape.payload_bytes == PAYLOAD_BYTES).map(ratio).collect()
}

fn latency(results: &Results) -> Vec<Requirement> {
    let promises =
        [(LATENCY_ONE, "1 → 1 at 10 000/s", 0.95), (LATENCY_HUNDRED, "1 → 100 at 1 000/s", 0.7)];
    let ratio = |(key, what, bound): (&str, &str, f64)| {
        let spread = |server| results.spread(Section::Latency, key, server, Quantity::P50);
        Requirement {
            what: format!("latency p50, {what}, against NATS"),
            bound: Bound::AtMost(bound),
            unit: "×",
            measured: quotient(spread(Server::Linebus), spread(Server::Nats)),
        }
    };
    promises.into_iter().map(ratio).collect()
}

fn memory(results: &Results) -> Vec<Requirement> {
    let ways = [(OWN_TOPIC, "each its own topic"), (ONE_TOPIC, "all one topic")];
    let bytes = |(key, way): (&str, &str)| {
        let quantity = Quantity::BytesPerConnection;
        let spread = results.spread(Section::Connections, key, Server::Linebus, quantity);
        Requirement {
            what: format!("memory per idle joined connection, {way}"),
            bound: Bound::AtMost(2.0),
            unit: "KiB",
            measured: spread.map(|spread| spread.median / 1024.0),
        }
    };
    ways.into_iter().map(bytes).collect()
}

/// Only upwards: a delivery that gets cheaper in company breaks no promise.
fn flatness(results: &Results) -> Vec<Requirement> {
    let cost = |key: &str| throughput(results, key, Server::Linebus, Quantity::ServerNs);
    let key = |receivers| Shape::one_topic(1, receivers, PAYLOAD_BYTES).key();
    let receivers = [10, 100, 1000].map(|receivers| Requirement {
        what: format!("CPU per delivery, {receivers} receivers against 1"),
        bound: Bound::AtMost(FLAT),
        unit: "×",
        measured: quotient(cost(&key(receivers)), cost(&key(1))),
    });
    let cost = |count| {
        let key = among_key(count);
        results.spread(Section::Topics, &key, Server::Linebus, Quantity::ServerNs)
    };
    let topics = TOPIC_COUNTS.into_iter().skip(1).map(|count| Requirement {
        what: format!("CPU per delivery, {} topics joined against 1", grouped(&count)),
        bound: Bound::AtMost(FLAT),
        unit: "×",
        measured: quotient(cost(count), cost(1)),
    });
    receivers.into_iter().chain(topics).collect()
}

fn threads(results: &Results) -> Vec<Requirement> {
    let measured = results.measurements(Section::Threads);
    let shapes = measured.iter().filter_map(|(key, title)| {
        let shape = key.strip_prefix(&threads_key("", 1))?;
        Some((shape, title))
    });
    let ratio = |(shape, title): (&str, &&str)| {
        let rate = |threads| {
            let key = threads_key(shape, threads);
            results.spread(Section::Threads, &key, Server::Linebus, Quantity::DeliveriesPerSecond)
        };
        Requirement {
            what: format!("deliveries/s, {title}, two threads against one"),
            bound: Bound::AtLeast(NO_SLOWER),
            unit: "×",
            measured: quotient(rate(2), rate(1)),
        }
    };
    shapes.map(ratio).collect()
}

fn throughput(results: &Results, key: &str, server: Server, quantity: Quantity) -> Option<Spread> {
    results.spread(Section::Throughput, key, server, quantity)
}

/// Of the medians; nothing if a run was too short to cost anything.
fn quotient(of: Option<Spread>, by: Option<Spread>) -> Option<f64> {
    Some(of?.median / by?.median).filter(|ratio| ratio.is_finite())
}
