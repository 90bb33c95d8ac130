//! Page, chart and verdicts from made-up results: what a reader must find, and that nothing is claimed of nothing.

use super::*;
use crate::machine::Machine;
use crate::results::{Connections, Latency, Throughput};

/// All shapes for all servers; linebus at `linebus` deliveries/s, NATS at 1 M.
fn results(linebus: f64) -> Results {
    let mut results = Results {
        date: "2030-01-02".to_owned(),
        machine: Machine { processor: "Abacus <9>".to_owned(), cores: 2, ..Machine::default() },
        repeats: 2,
        seconds: 2.0,
        ..Results::default()
    };
    for shape in Shape::standard() {
        for server in Server::ALL {
            let rate = match server {
                Server::Linebus => linebus,
                Server::Nats => 1e6,
                Server::Redis => 0.8e6,
                Server::Mosquitto => 1e5,
                Server::Relay => 40e6,
            };
            for repeat in [0.9, 1.1] {
                let sample = throughput(rate * repeat);
                results.add(Section::Throughput, &shape.key(), &shape.title(), server, sample);
            }
        }
    }
    results
}

fn throughput(rate: f64) -> Sample {
    Sample::Throughput(Throughput {
        deliveries_per_second: rate,
        server_ns: 1e9 / rate,
        generator_ns: 10.0,
        server_share: 1.0,
        generator_share: if rate > 30e6 { 0.99 } else { 0.4 },
    })
}

fn verdict(results: &Results, what: &str) -> Option<bool> {
    let all = requirements::all(results);
    let one = all.iter().find(|one| one.what == what);
    one.unwrap_or_else(|| panic!("no requirement {what:?}")).is_met()
}

#[test]
fn a_ratio_is_met_or_not() {
    let what = "deliveries/s, 1 → 10, 128 B, against NATS";
    assert_eq!(verdict(&results(3.1e6), what), Some(true));
    assert_eq!(verdict(&results(2.9e6), what), Some(false));
    assert!(page(&results(2.9e6)).contains("**fail**"));
}

#[test]
fn what_was_not_measured_is_neither_met_nor_quietly_passed() {
    let mut results = results(9e6);
    let what = "latency p50, 1 → 1 at 10 000/s, against NATS";
    assert_eq!(verdict(&results, what), None);
    let unmet =
        |results: &Results| requirements::all(results).iter().any(|one| one.is_unmet(results));
    assert!(unmet(&results));
    // A run that was asked for less is judged by what it measured; here CPU against the relay is met as well.
    results.partial = true;
    for row in results.rows.iter_mut().filter(|row| row.server == Server::Linebus) {
        row.samples = vec![throughput(30e6)];
    }
    assert!(!unmet(&results));
}

#[test]
fn a_server_that_lost_messages_has_no_rate() {
    let mut results = results(9e6);
    let row = results.rows.iter_mut().find(|row| row.server == Server::Mosquitto);
    let row = row.expect("all servers have rows");
    row.samples[1] = Sample::Failed("lost 17 of 1000 deliveries".to_owned());
    let page = page(&results);
    assert!(page.contains(" lost 17 |"));
    assert!(page.contains("- Mosquitto, throughput, 1 → 1, 16 B: lost 17 of 1000 deliveries"));
    assert!(chart::draw(&results).contains("failed  Mosquitto"));
}

#[test]
fn numbers_are_medians_with_their_spread_and_a_mark_where_the_generator_was_the_limit() {
    let page = page(&results(9e6));
    assert!(page.contains("9.00 M (8.10 M–9.90 M) |"), "{page}");
    assert!(page.contains("40.0 M (36.0 M–44.0 M) † |"));
    assert!(page.contains("| 9.00 × |") || page.contains(" 9.00 × |"));
}

#[test]
fn every_section_has_its_table_and_empty_ones_have_none() {
    let mut results = results(9e6);
    assert!(!page(&results).contains(LATENCY));
    let latency =
        Sample::Latency(Latency { p50: 31.25, p90: 40.0, p99: 1234.0, p99_9: 2000.0, max: 5000.0 });
    results.add(Section::Latency, LATENCY_ONE, "1 → 1", Server::Nats, latency);
    let connections = Sample::Connections(Connections {
        bytes_per_connection: 18_432.4,
        connections_per_second: 20_000.0,
    });
    results.add(Section::Connections, OWN_TOPIC, "own", Server::Nats, connections);
    results.add(Section::Topics, &among_key(100), "among", Server::Nats, throughput(2e6));
    for (threads, rate) in [(1, 8e6), (2, 10e6)] {
        let key = threads_key("1-1-128", threads);
        results.add(Section::Threads, &key, "1 → 1, 128 B", Server::Linebus, throughput(rate));
    }
    let page = page(&results);
    for title in
        [PROMISES, DELIVERIES, CPU, GENERATOR, LATENCY, CONNECTIONS, RECEIVERS, TOPICS, THREADS]
    {
        assert!(page.contains(&format!("\n## {title}\n")), "{title}");
    }
    for cell in ["| 31.2 |", "| 1 234 |", "| 18 432 |", "| 1.25 × |"] {
        let cell = cell.trim_start_matches('|');
        assert!(page.contains(cell), "{cell}");
    }
    assert_eq!(
        verdict(&results, "deliveries/s, 1 → 1, 128 B, two threads against one"),
        Some(true)
    );
}

#[test]
fn the_page_can_be_rendered_again_from_its_data() {
    let results = results(9e6);
    let folder = tempfile::tempdir().expect("a folder for a test");
    write(&results, folder.path()).expect("a folder can be written");
    let again = Results::load(&folder.path().join(DATA)).expect("what was written");
    assert_eq!(page(&again), page(&results));
    let written = fs::read_to_string(folder.path().join(PAGE)).expect("the page");
    assert_eq!(written, page(&results));
}

#[test]
fn the_chart_is_plain_markup_with_every_shape_and_server() {
    let svg = chart::draw(&results(9e6));
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("<script") && !svg.contains("href"));
    for shape in Shape::standard() {
        assert!(svg.contains(&shape.title()), "{}", shape.title());
    }
    assert_eq!(svg.matches("<rect class=\"linebus\"").count(), 10);
    assert_eq!(svg.matches("<rect class=\"relay\"").count(), 10);
    assert!(svg.contains("Abacus &lt;9&gt;"));
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}
