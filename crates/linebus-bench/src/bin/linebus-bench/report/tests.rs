//! Page, chart and verdicts from made-up results: what a reader must find, and that nothing is claimed of nothing.

use super::*;
use crate::machine::Machine;
use crate::results::{Budget, Connections, Latency, Steady, Suspended, Throughput};
use crate::suite::threads_key;
use crate::suite::tls_key;

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
        cipher: None,
    })
}

fn verdict(results: &Results, what: &str) -> Verdict {
    let all = requirements::all(results);
    let one = all.iter().find(|one| one.what == what);
    one.unwrap_or_else(|| panic!("no requirement {what:?}")).verdict()
}

#[test]
fn a_ratio_is_met_or_not() {
    let what = "deliveries/s, 1 → 10, 128 B, against NATS";
    assert_eq!(verdict(&results(3.1e6), what), Verdict::Pass);
    assert_eq!(verdict(&results(2.9e6), what), Verdict::Fail);
    assert!(page(&results(2.9e6)).contains("**fail**"));
}

#[test]
fn what_was_not_measured_is_neither_met_nor_quietly_passed() {
    let mut results = results(9e6);
    let what = "latency p50, 1 → 1 at 10 000/s, against NATS";
    assert_eq!(verdict(&results, what), Verdict::NotMeasured);
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
    results.add(Section::Tls, "tls-1-1-128", "1 → 1", Server::Nats, throughput(2e6));
    for word in ["open", "rules"] {
        let key = format!("{word}-1-1-128");
        results.add(Section::Rules, &key, "1 → 1, 128 B", Server::Linebus, throughput(5e6));
    }
    results.add(Section::Slow, STEADY, "one reads", Server::Linebus, steady());
    let page = page(&results);
    for title in [
        PROMISES,
        DELIVERIES,
        CPU,
        GENERATOR,
        TLS,
        LATENCY,
        CONNECTIONS,
        RECEIVERS,
        TOPICS,
        THREADS,
        RULES,
        SLOW,
    ] {
        assert!(page.contains(&format!("\n## {title}\n")), "{title}");
    }
    for cell in ["| 31.2 |", "| 1 234 |", "| 18 432 |", "| 1.25 × |"] {
        let cell = cell.trim_start_matches('|');
        assert!(page.contains(cell), "{cell}");
    }
    assert_eq!(
        verdict(&results, "deliveries/s, 1 → 1, 128 B, two threads against one"),
        Verdict::Pass
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

/// Two rates of one shape, with one thread and with two, and how busy the generator was.
fn with_threads(one: (f64, f64), two: (f64, f64)) -> Results {
    let mut results = Results { partial: true, ..Results::default() };
    for (threads, (rate, share)) in [(1, one), (2, two)] {
        let Sample::Throughput(sample) = throughput(rate) else {
            panic!("that is what it makes");
        };
        let sample = Sample::Throughput(Throughput { generator_share: share, ..sample });
        let key = threads_key("1-100-128", threads);
        results.add(Section::Threads, &key, "1 → 100, 128 B", Server::Linebus, sample);
    }
    results
}

#[test]
fn two_threads_are_not_judged_where_the_generator_was_the_limit_both_times() {
    let what = "deliveries/s, 1 → 100, 128 B, two threads against one";
    let limited = with_threads((40e6, 0.98), (37e6, 0.97));
    assert_eq!(verdict(&limited, what), Verdict::GeneratorBound);
    let page = page(&limited);
    assert!(page.contains("**Of 0 requirements, 0 are met; 1 could not be judged"), "{page}");
    assert!(page.contains("| generator-bound |"), "{page}");
    assert!(!requirements::all(&limited).iter().any(|one| one.is_unmet(&limited)));
    // Once is not enough, in neither direction.
    for (one, two, expected) in [
        ((40e6, 0.98), (37e6, 0.96), Verdict::Fail),
        ((40e6, 0.96), (37e6, 0.98), Verdict::Fail),
        ((40e6, 0.96), (41e6, 0.98), Verdict::Pass),
    ] {
        assert_eq!(verdict(&with_threads(one, two), what), expected);
    }
}

#[test]
fn over_tls_the_page_says_what_encrypted_each() {
    let mut results = Results { partial: true, ..Results::default() };
    let key = tls_key(&Shape::one_topic(1, 1, PAYLOAD_BYTES));
    for (server, rate, cipher) in
        [(Server::Linebus, 5e6, "TLS13_A"), (Server::Nats, 2e6, "TLS13_B")]
    {
        let Sample::Throughput(sample) = throughput(rate) else {
            panic!("that is what it makes");
        };
        let sample = Throughput { cipher: Some(cipher.to_owned()), ..sample };
        results.add(Section::Tls, &key, "1 → 1, 128 B", server, Sample::Throughput(sample));
    }
    let what = "deliveries/s over TLS, 1 → 1, 128 B, against NATS over TLS";
    assert_eq!(verdict(&results, what), Verdict::Pass);
    assert!(page(&results).contains("| TLS13_A / TLS13_B |"));
}

#[test]
fn rules_may_cost_a_tenth() {
    let mut results = Results { partial: true, ..Results::default() };
    for (key, title, rate) in [
        ("open-wildcard-100-128", "wildcard", 10e6),
        ("rules-wildcard-100-128", "wildcard", 9.1e6),
        ("overlap-wildcard-100-128", "wildcard, overlapping a deny", 8.9e6),
    ] {
        results.add(Section::Rules, key, title, Server::Linebus, throughput(rate));
    }
    let of = |title| verdict(&results, &format!("deliveries/s, {title}, 50 rules against none"));
    assert_eq!(of("wildcard"), Verdict::Pass);
    assert_eq!(of("wildcard, overlapping a deny"), Verdict::Fail);
    let page = page(&results);
    assert!(page.contains("| wildcard, overlapping a deny |"), "{page}");
}

fn steady() -> Sample {
    Sample::Steady(Steady { seconds: 60.0, deliveries: 20_000_000, megabytes_per_second: 49.9 })
}

#[test]
fn slow_receivers_are_judged_by_the_worst_repeat() {
    let mut results = Results { partial: true, ..Results::default() };
    for early_gap_ms in [510.0, 640.0, 520.0] {
        let sample = Sample::Suspended(Suspended {
            early_gap_ms,
            later_gap_ms: 4.0,
            before_per_second: 400_000.0,
            later_per_second: 380_000.0,
        });
        results.add(Section::Slow, SUSPENDED, "one suspended", Server::Linebus, sample);
    }
    let sample =
        Sample::Budget(Budget { idle_mib: 5.0, peak_mib: 275.0, closed: 70, deliveries: 9 });
    results.add(Section::Slow, BUDGET, "a thousand", Server::Linebus, sample);
    results.add(Section::Slow, STEADY, "one reads", Server::Linebus, steady());
    let verdicts: Vec<Verdict> =
        requirements::slow(&results).iter().map(Requirement::verdict).collect();
    let mut expected = [Verdict::Pass; 6];
    expected[0] = Verdict::Fail;
    assert_eq!(verdicts, expected);
    let page = page(&results);
    for cell in ["| 640.0 ms |", "| 0.95 × |", "| 0 lines |", "| 49.9 MB/s |", "| 270.0 MiB |"] {
        assert!(page.contains(cell.trim_start_matches('|')), "{cell} in {page}");
    }
}
