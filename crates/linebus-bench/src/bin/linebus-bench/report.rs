//! The page and the tables of a comparison, rendered from its results alone.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use linebus_bench::Shape;

use crate::chart;
use crate::requirements::{self, Bound, Requirement, Verdict};
use crate::results::{Quantity, Results, Row, Sample, Section, Spread};
use crate::server::Server;
use crate::suite::{
    BUDGET, LATENCY_HUNDRED, LATENCY_ONE, ONE_TOPIC, OWN_TOPIC, PAYLOAD_BYTES, STEADY, SUSPENDED,
    TOPIC_COUNTS, among_key, grouped, pairs,
};
use crate::table::Table;

mod prose;
#[cfg(test)]
mod tests;

/// The page, relative to the folder that is written to.
pub(crate) const PAGE: &str = "BENCHMARKS.md";
const CHART: &str = "docs/benchmarks.svg";
const DATA: &str = "docs/benchmarks.json";

/// If both server and generator are below this, something else took their time.
const BUSY_SHARE: f64 = 0.85;

/// Writes page, chart and data below `folder`.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    let write = |file: &str, text: String| {
        let file = folder.join(file);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    let docs = folder.join("docs");
    fs::create_dir_all(&docs).with_context(|| format!("cannot make {}", docs.display()))?;
    write(DATA, results.to_json())?;
    write(CHART, chart::draw(results))?;
    write(PAGE, page(results))
}

/// The tables and what failed, without the explanations.
pub(crate) fn for_terminal(results: &Results) -> String {
    let mut text = String::new();
    for table in tables(results) {
        let _ = write!(text, "\n{}\n\n{table}", table.title);
    }
    text.push_str(&prose::failures(results));
    text
}

/// BENCHMARKS.md.
pub(crate) fn page(results: &Results) -> String {
    let mut text = prose::head(results);
    for table in tables(results) {
        let _ = write!(text, "\n## {}\n\n", table.title);
        if let Some(note) = prose::above(&table.title) {
            let _ = write!(text, "{note}\n\n");
        }
        let _ = write!(text, "{table}");
    }
    text.push_str(&prose::failures(results));
    text.push_str(&prose::notes(results));
    text
}

/// One repeat in a few words, for the progress of a run.
pub(crate) fn sample(sample: &Sample) -> String {
    match sample {
        Sample::Throughput(sample) => format!(
            "{}/s, {:.0} ns of CPU each (server {:.0} % busy, generator {:.0} % with {:.0} ns each)",
            rate(sample.deliveries_per_second),
            sample.server_ns,
            sample.server_share * 100.0,
            sample.generator_share * 100.0,
            sample.generator_ns
        ),
        Sample::Latency(sample) => format!(
            "p50 {} µs, p90 {} µs, p99 {} µs, p99.9 {} µs",
            micros(sample.p50),
            micros(sample.p90),
            micros(sample.p99),
            micros(sample.p99_9)
        ),
        Sample::Connections(sample) => format!(
            "{:.0} bytes each, {:.0} connections/s",
            sample.bytes_per_connection, sample.connections_per_second
        ),
        Sample::Suspended(sample) => format!(
            "longest gap {:.0} ms, later {:.0} ms; {}/s to each before, {}/s later",
            sample.early_gap_ms,
            sample.later_gap_ms,
            rate(sample.before_per_second),
            rate(sample.later_per_second)
        ),
        Sample::Steady(sample) => format!(
            "{:.1} MB/s for {:.0} s, {} deliveries, none lost",
            sample.megabytes_per_second, sample.seconds, sample.deliveries
        ),
        Sample::Budget(sample) => format!(
            "peak {:.0} MiB, idle {:.0} MiB; {} receivers closed, {} deliveries to each healthy one",
            sample.peak_mib, sample.idle_mib, sample.closed, sample.deliveries
        ),
        Sample::Failed(why) => format!("FAILED: {why}"),
    }
}

/// All tables that have something in them.
fn tables(results: &Results) -> Vec<Table> {
    let mut tables = vec![
        promises(results),
        deliveries(results),
        cpu(results),
        generator(results),
        tls(results),
        latency(results),
        connections(results),
        receivers(results),
        topics(results),
        threads(results),
        rules(results),
        slow(results),
    ];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

pub(crate) const PROMISES: &str = "What is required";
pub(crate) const DELIVERIES: &str = "Deliveries per second";
pub(crate) const CPU: &str = "Server CPU per delivery";
pub(crate) const GENERATOR: &str = "Generator CPU per delivery";
pub(crate) const TLS: &str = "Over TLS";
pub(crate) const LATENCY: &str = "Latency at a fixed rate";
pub(crate) const CONNECTIONS: &str = "Idle connections";
pub(crate) const RECEIVERS: &str = "Cost by number of receivers";
pub(crate) const TOPICS: &str = "Cost by number of topics";
pub(crate) const THREADS: &str = "One thread and two";
pub(crate) const RULES: &str = "With 50 rules";
pub(crate) const SLOW: &str = "Slow receivers";

const REQUIRED: [&str; 4] = ["what", "required", "measured", "verdict"];

fn promises(results: &Results) -> Table {
    let mut table = Table::new(PROMISES, &REQUIRED);
    let all = requirements::all(results);
    table.rows = all.iter().filter_map(|one| promise(one, results)).collect();
    table
}

/// Nothing of what was not asked for.
fn promise(one: &Requirement, results: &Results) -> Option<Vec<String>> {
    let Requirement { what, bound, unit, measured, .. } = one;
    let (sign, number) = match bound {
        Bound::AtLeast(number) => ("≥", number),
        Bound::AtMost(number) => ("≤", number),
    };
    let verdict = match one.verdict() {
        Verdict::Pass => "pass",
        Verdict::Fail => "**fail**",
        Verdict::GeneratorBound => "generator-bound",
        Verdict::NotMeasured if results.partial => return None,
        Verdict::NotMeasured => "not measured",
    };
    Some(vec![
        what.clone(),
        format!("{sign} {number} {unit}"),
        measured.map_or(NOTHING.to_owned(), |number| match *unit {
            "×" | "KiB" => format!("{number:.2} {unit}"),
            "lines" => format!("{number:.0} {unit}"),
            _ => format!("{number:.1} {unit}"),
        }),
        verdict.to_owned(),
    ])
}

fn deliveries(results: &Results) -> Table {
    rates(results, DELIVERIES, Section::Throughput)
}

fn rates(results: &Results, title: &str, section: Section) -> Table {
    let servers = results.servers(section);
    let mut table = Table::new(title, &header("shape", &servers, Some("linebus ÷ NATS")));
    for (key, title) in results.measurements(section) {
        let mut cells = vec![title.to_owned()];
        cells.extend(servers.iter().map(|server| rate_cell(results.row(section, key, *server))));
        cells.push(ratio(results, section, key, Server::Nats, Quantity::DeliveriesPerSecond));
        table.rows.push(cells);
    }
    table
}

fn rate_cell(row: Option<&Row>) -> String {
    cell(row, |row| {
        let spread = row.spread(Quantity::DeliveriesPerSecond)?;
        Some(format!("{}{}", spread_text(spread, rate), mark(row)?))
    })
}

fn nanoseconds_cell(row: Option<&Row>) -> String {
    cell(row, |row| Some(spread_text(row.spread(Quantity::ServerNs)?, nanos)))
}

/// The rates, and with what the bytes were encrypted.
fn tls(results: &Results) -> Table {
    let section = Section::Tls;
    let servers = results.servers(section);
    let mut table = rates(results, TLS, section);
    for server in &servers {
        table.header.push(format!("{}, ns", server.title()));
    }
    table.header.push("cipher suite".to_owned());
    let keys = results.measurements(section);
    for (cells, (key, _)) in table.rows.iter_mut().zip(keys) {
        let rows: Vec<&Row> =
            servers.iter().filter_map(|server| results.row(section, key, *server)).collect();
        cells.extend(rows.iter().map(|row| nanoseconds_cell(Some(row))));
        let mut ciphers: Vec<&str> =
            rows.iter().map(|row| row.cipher().unwrap_or(NOTHING)).collect();
        ciphers.dedup();
        cells.push(ciphers.join(" / "));
    }
    table
}

/// Whose limit a rate is, if not the server's.
fn mark(row: &Row) -> Option<&'static str> {
    let server = row.spread(Quantity::ServerShare)?.median;
    let generator = row.spread(Quantity::GeneratorShare)?.median;
    Some(if row.is_generator_bound() {
        " †"
    } else if server.max(generator) < BUSY_SHARE {
        " ‡"
    } else {
        ""
    })
}

fn cpu(results: &Results) -> Table {
    nanoseconds(results, CPU, Quantity::ServerNs, Some(("linebus ÷ relay", Server::Relay)))
}

fn generator(results: &Results) -> Table {
    nanoseconds(results, GENERATOR, Quantity::GeneratorNs, None)
}

fn nanoseconds(
    results: &Results,
    title: &str,
    quantity: Quantity,
    compared: Option<(&str, Server)>,
) -> Table {
    let section = Section::Throughput;
    let servers = results.servers(section);
    let mut table =
        Table::new(title, &header("shape, ns", &servers, compared.map(|(word, _)| word)));
    for (key, title) in results.measurements(section) {
        let mut cells = vec![title.to_owned()];
        for server in &servers {
            let row = results.row(section, key, *server);
            cells.push(cell(row, |row| Some(spread_text(row.spread(quantity)?, nanos))));
        }
        if let Some((_, other)) = compared {
            cells.push(ratio(results, section, key, other, quantity));
        }
        table.rows.push(cells);
    }
    table
}

fn latency(results: &Results) -> Table {
    let header = ["rate and server, µs", "p50", "p90", "p99", "p99.9", "max"];
    let mut table = Table::new(LATENCY, &header);
    for key in [LATENCY_ONE, LATENCY_HUNDRED] {
        for server in results.servers(Section::Latency) {
            let Some(row) = results.row(Section::Latency, key, server) else {
                continue;
            };
            let mut cells = vec![format!("{}: {}", row.title, server.title())];
            for quantity in [
                Quantity::P50,
                Quantity::P90,
                Quantity::P99,
                Quantity::P99_9,
                Quantity::LongestLatency,
            ] {
                cells.push(cell(Some(row), |row| Some(spread_text(row.spread(quantity)?, micros))));
            }
            table.rows.push(cells);
        }
    }
    table
}

fn connections(results: &Results) -> Table {
    let header = ["server", "bytes each, own topic", "bytes each, one topic", "connections/s"];
    let mut table = Table::new(CONNECTIONS, &header);
    for server in results.servers(Section::Connections) {
        let of = |key, quantity| {
            let row = results.row(Section::Connections, key, server);
            cell(row, |row| {
                Some(spread_text(row.spread(quantity)?, |number| grouped(&format!("{number:.0}"))))
            })
        };
        table.rows.push(vec![
            server.title().to_owned(),
            of(OWN_TOPIC, Quantity::BytesPerConnection),
            of(ONE_TOPIC, Quantity::BytesPerConnection),
            of(OWN_TOPIC, Quantity::ConnectionsPerSecond),
        ]);
    }
    table
}

fn receivers(results: &Results) -> Table {
    let section = Section::Throughput;
    let servers = results.servers(section);
    let mut table = Table::new(RECEIVERS, &header("receivers, ns", &servers, None));
    for receivers in [1, 10, 100, 1000] {
        let key = Shape::one_topic(1, receivers, PAYLOAD_BYTES).key();
        if !results.measurements(section).iter().any(|(measured, _)| *measured == key) {
            continue;
        }
        let mut cells = vec![grouped(&receivers)];
        for server in &servers {
            let row = results.row(section, &key, *server);
            cells.push(cell(row, |row| Some(spread_text(row.spread(Quantity::ServerNs)?, nanos))));
        }
        table.rows.push(cells);
    }
    table
}

fn topics(results: &Results) -> Table {
    let section = Section::Topics;
    let servers = results.servers(section);
    let mut titles = vec!["topics, ns".to_owned()];
    for server in &servers {
        titles.push(format!("{}, one used", server.title()));
        titles.push(format!("{}, all used", server.title()));
    }
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table = Table::new(TOPICS, &titles);
    for count in TOPIC_COUNTS {
        let keys = [among_key(count), Shape::spread(count, PAYLOAD_BYTES).key()];
        let mut cells = vec![grouped(&count)];
        for server in &servers {
            for key in &keys {
                let row = results.row(section, key, *server);
                cells.push(cell(row, |row| {
                    Some(spread_text(row.spread(Quantity::ServerNs)?, nanos))
                }));
            }
        }
        if cells.iter().skip(1).any(|cell| cell != NOTHING) {
            table.rows.push(cells);
        }
    }
    table
}

fn threads(results: &Results) -> Table {
    let header = ["shape", "one thread", "two threads", "two ÷ one"];
    side_by_side(results, Table::new(THREADS, &header), Section::Threads)
}

/// Rates of two measurements of linebus that belong together.
fn side_by_side(results: &Results, mut table: Table, section: Section) -> Table {
    for (title, base, compared) in pairs(results, section) {
        let row = |key| results.row(section, key, Server::Linebus);
        let place = |key| (section, key, Server::Linebus);
        let quantity = Quantity::DeliveriesPerSecond;
        table.rows.push(vec![
            title.to_owned(),
            rate_cell(row(&base)),
            rate_cell(row(compared)),
            times(results.ratio(place(compared), place(&base), quantity)),
        ]);
    }
    table
}

fn rules(results: &Results) -> Table {
    let header = ["shape", "no rules", "50 rules", "50 ÷ none", "no rules, ns", "50 rules, ns"];
    let section = Section::Rules;
    let mut table = side_by_side(results, Table::new(RULES, &header), section);
    for (cells, (_, open, rules)) in table.rows.iter_mut().zip(pairs(results, section)) {
        for key in [&open, rules] {
            cells.push(nanoseconds_cell(results.row(section, key, Server::Linebus)));
        }
    }
    table
}

/// What is required, and below it what else was seen.
fn slow(results: &Results) -> Table {
    let mut table = Table::new(SLOW, &REQUIRED);
    if results.measurements(Section::Slow).is_empty() {
        return table;
    }
    let required = requirements::slow(results);
    table.rows = required.iter().filter_map(|one| promise(one, results)).collect();
    for (what, key, quantity) in [
        ("deliveries/s to each, before the suspension", SUSPENDED, Quantity::BeforePerSecond),
        ("deliveries/s to each of the 99, afterwards", SUSPENDED, Quantity::LaterPerSecond),
        ("deliveries in the flood", STEADY, Quantity::SteadyDeliveries),
        ("memory before anybody connected, MiB", BUDGET, Quantity::IdleMib),
        ("suspended receivers told `bye`", BUDGET, Quantity::Closed),
        ("deliveries to each healthy receiver, no hole", BUDGET, Quantity::HealthyDeliveries),
    ] {
        let Some(row) = results.row(Section::Slow, key, Server::Linebus) else {
            continue;
        };
        let number = |number: f64| match quantity {
            Quantity::IdleMib => format!("{number:.1}"),
            _ => grouped(&format!("{number:.0}")),
        };
        let measured = cell(Some(row), |row| Some(spread_text(row.spread(quantity)?, number)));
        table.rows.push(vec![what.to_owned(), NOTHING.to_owned(), measured, NOTHING.to_owned()]);
    }
    table
}

const NOTHING: &str = "–";

fn header<'a>(first: &'a str, servers: &[Server], last: Option<&'a str>) -> Vec<&'a str> {
    let titles = servers.iter().map(|server| server.title());
    [first].into_iter().chain(titles).chain(last).collect()
}

/// A number, or why there is none.
fn cell(row: Option<&Row>, number: impl Fn(&Row) -> Option<String>) -> String {
    match row {
        None => NOTHING.to_owned(),
        Some(row) => match row.failure() {
            Some(why) if why.starts_with("lost ") => {
                why.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
            }
            Some(_) => "failed".to_owned(),
            None => number(row).unwrap_or_else(|| NOTHING.to_owned()),
        },
    }
}

fn ratio(results: &Results, section: Section, key: &str, by: Server, quantity: Quantity) -> String {
    let place = |server| (section, key, server);
    times(results.ratio(place(Server::Linebus), place(by), quantity))
}

fn times(ratio: Option<Spread>) -> String {
    let number = |number: f64| format!("{number:.2}");
    ratio.map_or(NOTHING.to_owned(), |ratio| format!("{} ×", spread_text(ratio, number)))
}

/// Median, and least and most in brackets when there are several repeats.
fn spread_text(spread: Spread, number: impl Fn(f64) -> String) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(number);
    if min == max { median } else { format!("{median} ({min}–{max})") }
}

/// `12.3 M` or `456 k`.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 9.95e6 => format!("{:.1} M", rate / 1e6),
        rate if rate >= 9.995e5 => format!("{:.2} M", rate / 1e6),
        rate => format!("{:.0} k", rate / 1e3),
    }
}

fn nanos(number: f64) -> String {
    match number {
        number if number >= 1000.0 => grouped(&format!("{number:.0}")),
        number if number >= 99.5 => format!("{number:.0}"),
        number => format!("{number:.1}"),
    }
}

fn micros(number: f64) -> String {
    match number {
        number if number >= 99.5 => grouped(&format!("{number:.0}")),
        number => format!("{number:.1}"),
    }
}
