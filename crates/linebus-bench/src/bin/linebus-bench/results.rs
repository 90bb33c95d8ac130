//! What a comparison found, as data: written once, and read again to render the page anew. No opinion on the numbers.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::server::Server;

/// From here on the generator, not the server, set the rate.
const GENERATOR_BOUND_SHARE: f64 = 0.97;

/// Everything the page is made from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) versions: Vec<(Server, String)>,
    pub(crate) repeats: usize,
    pub(crate) seconds: f64,
    /// Very small runs: the numbers mean nothing.
    pub(crate) tiny: bool,
    /// Not everything was asked for.
    pub(crate) partial: bool,
    /// Where the servers' processor time was read.
    pub(crate) cpu_source: String,
    pub(crate) rows: Vec<Row>,
}

/// The parts of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Section {
    Throughput,
    /// Throughput over TLS.
    Tls,
    Latency,
    Connections,
    /// Cost with many topics.
    Topics,
    /// linebus with one and with two threads.
    Threads,
    /// linebus without accounts and with a user who has rules.
    Rules,
    /// linebus with receivers that don't keep up.
    Slow,
}

impl Section {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Section::Throughput => "throughput",
            Section::Tls => "tls",
            Section::Latency => "latency",
            Section::Connections => "connections",
            Section::Topics => "topics",
            Section::Threads => "threads",
            Section::Rules => "rules",
            Section::Slow => "slow",
        }
    }
}

/// Where a row is: its section, its key, its server.
pub(crate) type Place<'a> = (Section, &'a str, Server);

/// One server in one measurement, over all repeats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) section: Section,
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) server: Server,
    pub(crate) samples: Vec<Sample>,
}

/// One repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sample {
    Throughput(Throughput),
    Latency(Latency),
    Connections(Connections),
    Suspended(Suspended),
    Steady(Steady),
    Budget(Budget),
    /// Why there is no number.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Throughput {
    pub(crate) deliveries_per_second: f64,
    pub(crate) server_ns: f64,
    pub(crate) generator_ns: f64,
    /// Processor time by elapsed time.
    pub(crate) server_share: f64,
    pub(crate) generator_share: f64,
    /// The cipher suite, if the connections were encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cipher: Option<String>,
}

/// Microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Connections {
    pub(crate) bytes_per_connection: f64,
    pub(crate) connections_per_second: f64,
}

/// The receivers beside a suspended one; gaps are the longest at any of them, rates those of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Suspended {
    pub(crate) early_gap_ms: f64,
    pub(crate) later_gap_ms: f64,
    pub(crate) before_per_second: f64,
    pub(crate) later_per_second: f64,
}

/// A receiver that reads evenly and lost nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Steady {
    pub(crate) seconds: f64,
    pub(crate) deliveries: u64,
    pub(crate) megabytes_per_second: f64,
}

/// The server's memory while many receivers don't read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Budget {
    pub(crate) idle_mib: f64,
    pub(crate) peak_mib: f64,
    pub(crate) closed: usize,
    /// To each receiver that reads.
    pub(crate) deliveries: u64,
}

/// What of a sample is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    DeliveriesPerSecond,
    ServerNs,
    GeneratorNs,
    GeneratorShare,
    ServerShare,
    P50,
    P90,
    P99,
    P99_9,
    LongestLatency,
    BytesPerConnection,
    ConnectionsPerSecond,
    EarlyGapMs,
    LaterGapMs,
    /// Of the rate before the suspension.
    RateKept,
    BeforePerSecond,
    LaterPerSecond,
    /// What is found at all was found without a loss.
    Lost,
    MegabytesPerSecond,
    SteadyDeliveries,
    IdleMib,
    /// The peak above [`Quantity::IdleMib`].
    RiseMib,
    Closed,
    HealthyDeliveries,
}

/// Median, least and most of the repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Results {
    pub(crate) fn load(file: &Path) -> Result<Results> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} holds no results of this version", file.display()))
    }

    pub(crate) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data has a JSON form");
        text.push('\n');
        text
    }

    /// The row of one server in one measurement.
    pub(crate) fn row(&self, section: Section, key: &str, server: Server) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.section == section && row.key == key && row.server == server)
    }

    /// Adds a sample to its row, which it makes if need be.
    pub(crate) fn add(
        &mut self,
        section: Section,
        key: &str,
        title: &str,
        server: Server,
        sample: Sample,
    ) {
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.section == section && row.key == key && row.server == server);
        match row {
            Some(row) => row.samples.push(sample),
            None => self.rows.push(Row {
                section,
                key: key.to_owned(),
                title: title.to_owned(),
                server,
                samples: vec![sample],
            }),
        }
    }

    /// Keys and titles of a section, in the order in which they were measured.
    pub(crate) fn measurements(&self, section: Section) -> Vec<(&str, &str)> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.section == section) {
            if !found.iter().any(|(key, _)| *key == row.key) {
                found.push((&row.key, &row.title));
            }
        }
        found
    }

    /// Measurements that gave no number. Of other people's servers that is a finding, not an error, unless they are
    /// only run to see that everything works.
    pub(crate) fn failed_rows(&self, of_others_too: bool) -> usize {
        let own = |server| matches!(server, Server::Linebus | Server::Relay);
        let failed = self.rows.iter().filter(|row| row.failure().is_some());
        failed.filter(|row| of_others_too || own(row.server)).count()
    }

    /// The servers that appear in a section, in the usual order.
    pub(crate) fn servers(&self, section: Section) -> Vec<Server> {
        let appears = |server: &Server| {
            self.rows.iter().any(|row| row.section == section && row.server == *server)
        };
        Server::ALL.into_iter().filter(appears).collect()
    }

    /// One row's repeats by another's, each repeat by itself: what drifts on the machine is in both. None if one of them
    /// has no number, or cost nothing.
    pub(crate) fn ratio(&self, of: Place<'_>, by: Place<'_>, quantity: Quantity) -> Option<Spread> {
        let values =
            |(section, key, server): Place<'_>| self.row(section, key, server)?.values(quantity);
        let (of, by) = (values(of)?, values(by)?);
        let ratios: Vec<f64> = of.iter().zip(&by).map(|(of, by)| of / by).collect();
        Spread::of(ratios).filter(|spread| spread.max.is_finite() && of.len() == by.len())
    }

    /// The repeats of one quantity, if it was measured and no repeat failed.
    pub(crate) fn spread(
        &self,
        section: Section,
        key: &str,
        server: Server,
        quantity: Quantity,
    ) -> Option<Spread> {
        self.row(section, key, server)?.spread(quantity)
    }
}

impl Row {
    /// One failed repeat spoils the row: a server that loses messages in one run of five has no rate.
    fn values(&self, quantity: Quantity) -> Option<Vec<f64>> {
        self.samples.iter().map(|sample| sample.value(quantity)).collect()
    }

    pub(crate) fn spread(&self, quantity: Quantity) -> Option<Spread> {
        Spread::of(self.values(quantity)?)
    }

    /// Whether the generator, not the server, set the rate.
    pub(crate) fn is_generator_bound(&self) -> bool {
        let share = self.spread(Quantity::GeneratorShare);
        share.is_some_and(|share| share.median >= GENERATOR_BOUND_SHARE)
    }

    /// What its connections were encrypted with.
    pub(crate) fn cipher(&self) -> Option<&str> {
        self.samples.iter().find_map(|sample| match sample {
            Sample::Throughput(sample) => sample.cipher.as_deref(),
            _ => None,
        })
    }

    /// The first failure.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.samples.iter().find_map(|sample| match sample {
            Sample::Failed(why) => Some(why.as_str()),
            _ => None,
        })
    }
}

impl Sample {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        match self {
            Sample::Throughput(sample) => sample.value(quantity),
            Sample::Latency(sample) => sample.value(quantity),
            Sample::Connections(sample) => sample.value(quantity),
            Sample::Suspended(sample) => sample.value(quantity),
            Sample::Steady(sample) => sample.value(quantity),
            Sample::Budget(sample) => sample.value(quantity),
            Sample::Failed(_) => None,
        }
    }
}

impl Throughput {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        Some(match quantity {
            Quantity::DeliveriesPerSecond => self.deliveries_per_second,
            Quantity::ServerNs => self.server_ns,
            Quantity::GeneratorNs => self.generator_ns,
            Quantity::ServerShare => self.server_share,
            Quantity::GeneratorShare => self.generator_share,
            _ => return None,
        })
    }
}

impl Latency {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        Some(match quantity {
            Quantity::P50 => self.p50,
            Quantity::P90 => self.p90,
            Quantity::P99 => self.p99,
            Quantity::P99_9 => self.p99_9,
            Quantity::LongestLatency => self.max,
            _ => return None,
        })
    }
}

impl Connections {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        Some(match quantity {
            Quantity::BytesPerConnection => self.bytes_per_connection,
            Quantity::ConnectionsPerSecond => self.connections_per_second,
            _ => return None,
        })
    }
}

impl Suspended {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        Some(match quantity {
            Quantity::EarlyGapMs => self.early_gap_ms,
            Quantity::LaterGapMs => self.later_gap_ms,
            Quantity::RateKept => self.later_per_second / self.before_per_second,
            Quantity::BeforePerSecond => self.before_per_second,
            Quantity::LaterPerSecond => self.later_per_second,
            _ => return None,
        })
    }
}

impl Steady {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        Some(match quantity {
            Quantity::Lost => 0.0,
            Quantity::MegabytesPerSecond => self.megabytes_per_second,
            Quantity::SteadyDeliveries => number(self.deliveries),
            _ => return None,
        })
    }
}

impl Budget {
    fn value(&self, quantity: Quantity) -> Option<f64> {
        Some(match quantity {
            Quantity::IdleMib => self.idle_mib,
            Quantity::RiseMib => self.peak_mib - self.idle_mib,
            Quantity::Closed => number(u64::try_from(self.closed).expect("a count fits 64 bits")),
            Quantity::HealthyDeliveries => number(self.deliveries),
            _ => return None,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run counts to far less than 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

impl Spread {
    /// None of nothing. Of an even number, the median is the mean of the two in the middle.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let upper = values[values.len() / 2];
        let lower = values[(values.len() - 1) / 2];
        Some(Spread { median: f64::midpoint(lower, upper), min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = |values: &[f64]| Spread::of(values.to_vec()).map(|spread| spread.median);
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn a_ratio_is_that_of_each_repeat() {
        let mut results = Results::default();
        let key = "key";
        for (server, values) in
            [(Server::Linebus, [10.0, 2.0, 9.0]), (Server::Nats, [5.0, 1.0, 9.0])]
        {
            for bytes_per_connection in values {
                let sample = Connections { bytes_per_connection, connections_per_second: 0.0 };
                let sample = Sample::Connections(sample);
                results.add(Section::Connections, key, key, server, sample);
            }
        }
        let ratio = |by, quantity| {
            let place = |server| (Section::Connections, key, server);
            results.ratio(place(Server::Linebus), place(by), quantity)
        };
        let spread = Spread { median: 2.0, min: 1.0, max: 2.0 };
        assert_eq!(ratio(Server::Nats, Quantity::BytesPerConnection), Some(spread));
        assert_eq!(ratio(Server::Nats, Quantity::ConnectionsPerSecond), None, "of nothing");
        assert_eq!(ratio(Server::Redis, Quantity::BytesPerConnection), None);
    }

    #[test]
    fn one_failed_repeat_spoils_a_row() {
        let mut results = Results::default();
        let good = Sample::Connections(Connections {
            bytes_per_connection: 1000.0,
            connections_per_second: 9000.0,
        });
        for sample in [good, Sample::Failed("lost 3 of 9 deliveries".to_owned())] {
            results.add(Section::Connections, "own", "own topic", Server::Redis, sample);
        }
        let row = results.row(Section::Connections, "own", Server::Redis).expect("it was added");
        assert_eq!(row.samples.len(), 2);
        assert_eq!(row.spread(Quantity::BytesPerConnection), None);
        assert_eq!(row.failure(), Some("lost 3 of 9 deliveries"));
        assert_eq!((results.failed_rows(false), results.failed_rows(true)), (0, 1));
    }
}
