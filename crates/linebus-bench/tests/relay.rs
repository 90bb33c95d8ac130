//! The load generator end to end: against the blind relay, and against servers that do it wrong.
//!
//! Runs end by count, not by time, and every server takes a free port, so all tests run side by side.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use linebus_bench::connections::{self, ConnectionsOptions};
use linebus_bench::latency::{self, LatencyOptions};
use linebus_bench::slow::{self, BudgetOptions, SteadyOptions, SuspendedOptions};
use linebus_bench::throughput::{self, Throughput, ThroughputOptions};
use linebus_bench::{BenchError, Protocol, Shape, Target};

const PROGRAM: &str = env!("CARGO_BIN_EXE_linebus-bench");

/// A relay process; ends with the test.
struct Relay {
    child: Child,
    address: SocketAddr,
}

impl Relay {
    fn start() -> Relay {
        let mut child = Command::new(PROGRAM)
            .arg("relay")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the relay starts");
        let stdout = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().expect("it says something").expect("in UTF-8");
        let address = first.strip_prefix("listening tcp ").expect("where it listens");
        Relay { address: address.parse().expect("an address"), child }
    }

    fn target(&self) -> Target {
        Target { pid: Some(self.child.id()), ..target(self.address) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn target(address: SocketAddr) -> Target {
    Target::new(Protocol::Relay, address)
}

/// Ends after so many deliveries; the times are only a net.
fn until(deliveries: u64) -> ThroughputOptions {
    ThroughputOptions {
        warm_up: Duration::ZERO,
        measure_for: Duration::from_secs(60),
        deliveries_max: deliveries,
        ..ThroughputOptions::default()
    }
}

fn load(shape: &Shape) -> Throughput {
    let relay = Relay::start();
    throughput::measure(&relay.target(), shape, &until(20_000)).expect("the relay loses nothing")
}

#[test]
fn one_to_one_is_counted_and_costs_time() {
    let found = load(&Shape::one_topic(1, 1, 16));
    assert!(found.deliveries >= 20_000);
    assert!(found.per_second() > 0.0);
    // The kernel brings its sums up to date some hundred times a second, so that it may have been too quick to cost.
    assert!(found.server_ns_per_delivery().is_some());
    assert!(found.generator_share() > 0.0);
}

#[test]
fn lines_of_several_senders_arrive_whole_at_every_receiver() {
    load(&Shape::one_topic(10, 10, 128));
}

#[test]
fn pairs_keep_to_themselves() {
    load(&Shape::pairs(7, 128));
}

#[test]
fn one_receiver_hears_all_topics() {
    load(&Shape::wildcard(100, 128));
}

#[test]
fn a_window_smaller_than_a_batch_is_enough() {
    let relay = Relay::start();
    let options = ThroughputOptions { window_bytes: Some(1000), ..until(2_000) };
    let shape = Shape::one_topic(1, 3, 1024);
    throughput::measure(&relay.target(), &shape, &options).expect("the relay loses nothing");
}

#[test]
fn every_message_due_in_the_time_has_a_latency() {
    let relay = Relay::start();
    let options = LatencyOptions {
        messages_per_second: 20_000,
        warm_up: Duration::from_millis(5),
        measure_for: Duration::from_millis(20),
        ..LatencyOptions::default()
    };
    let shape = Shape::one_topic(1, 3, 64);
    let found =
        latency::measure(&relay.target(), &shape, &options).expect("the relay loses nothing");
    assert_eq!(found.deliveries(), 3 * 400);
    assert!(found.percentile(50.0) > Duration::ZERO);
    assert!(found.percentile(50.0) <= found.max());
}

#[test]
fn connections_are_counted_and_weighed() {
    let relay = Relay::start();
    let options = ConnectionsOptions { connections: 200, one_topic: false, settle: Duration::ZERO };
    let found = connections::measure(&relay.target(), &options).expect("the relay takes them");
    assert!(found.per_second() > 0.0);
    assert!(found.resident_bytes.is_some());
}

#[test]
fn the_relay_is_not_asked_for_what_takes_topics() {
    let relay = Relay::start();
    for shape in [Shape::among(10, 16), Shape::spread(5_000, 16)] {
        let found = throughput::measure(&relay.target(), &shape, &until(1));
        assert!(matches!(found, Err(BenchError::Shape { .. })), "{found:?}");
    }
}

#[test]
fn a_server_that_waits_for_a_suspended_receiver_is_found_out() {
    let relay = Relay::start();
    let options = SuspendedOptions {
        receivers: 3,
        payload_bytes: 1_024,
        warm_up: Duration::ZERO,
        before: Duration::from_millis(20),
        // Long enough to fill the kernel's buffers on a busy machine, too.
        early: Duration::from_secs(1),
        later: Duration::from_millis(50),
        stalled_after: Duration::from_millis(300),
    };
    // The relay waits for everybody, for ever: either that is seen as a gap, or the end of the run is never reached.
    let error = slow::suspended(&relay.target(), &options).expect_err("the others miss something");
    assert!(matches!(error, BenchError::Lost { .. }), "{error}");
}

#[test]
fn a_slower_receiver_is_read_at_its_pace_and_to_the_end() {
    let relay = Relay::start();
    let options = SteadyOptions {
        bytes_per_second: 10_000_000,
        payload_bytes: 128,
        flood_for: Duration::from_millis(100),
    };
    let found = slow::steady(&relay.target(), &options).expect("the relay loses nothing");
    assert!(found.deliveries > 0);
    assert!(found.bytes_per_second < 10_500_000.0, "{found:?}");
}

#[test]
fn the_budget_of_a_server_that_has_none_is_not_measured() {
    let relay = Relay::start();
    let options = BudgetOptions {
        suspended: 1,
        healthy: 1,
        payload_bytes: 128,
        beyond: Duration::ZERO,
        full_within: Duration::ZERO,
    };
    let found = slow::budget(&relay.target(), &options);
    assert!(matches!(found, Err(BenchError::Shape { .. })), "{found:?}");
}

#[test]
fn a_tiny_comparison_writes_its_page() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let output = Command::new(PROGRAM)
        .args(["compare", "--tiny", "--servers", "relay", "--only", "1-1-16,latency", "--out"])
        .arg(folder.path())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let read = |file| std::fs::read_to_string(folder.path().join(file)).expect("it was written");
    assert!(read("BENCHMARKS.md").contains("| 1 → 1, 16 B "));
    assert!(read("docs/benchmarks.svg").contains("blind relay"));
    assert!(!read("docs/benchmarks.json").contains("failed"), "{said}");
}

/// Plays the relay for one receiver and one sender, but passes what is sent through `spoil`. Says so much to the
/// receiver that the fault is among the deliveries that are looked at: during warm-up that is every single one.
fn spoiling(spoil: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        let (mut receiver, mut sender) = (None, None);
        while receiver.is_none() || sender.is_none() {
            let (mut stream, _) = listener.accept().expect("the generator connects");
            match first_line(&mut stream).as_str() {
                "receiver 0\n" => receiver = Some(stream),
                "sender 0\n" => sender = Some(stream),
                other => panic!("{other:?}"),
            }
        }
        let (mut receiver, mut sender) = (receiver.expect("one came"), sender.expect("one came"));
        let mut sent = vec![0; 1 << 20];
        let read = sender.read(&mut sent).expect("the sender sends");
        // It fails, if at all, because the generator has seen enough and is gone.
        let _ = receiver.write_all(&spoil(&sent[..read]));
        let _ = receiver.shutdown(std::net::Shutdown::Write);
        let _ = sender.read_to_end(&mut sent);
    });
    address
}

fn first_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        stream.read_exact(&mut byte).expect("a first line");
        line.extend_from_slice(&byte);
    }
    stream.write_all(b"ok\n").expect("the generator listens");
    String::from_utf8(line).expect("a line of text")
}

fn run_against(spoil: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> BenchError {
    let options =
        ThroughputOptions { warm_up: Duration::from_secs(60), ..ThroughputOptions::default() };
    let target = target(spoiling(spoil));
    let found = throughput::measure(&target, &Shape::one_topic(1, 1, 16), &options);
    found.expect_err("a server that does it wrong gets no number")
}

/// Length of `send bench.0 00000000ijklmnop` with its line feed.
const LINE: usize = 30;

#[test]
fn a_dropped_message_is_found() {
    let error = run_against(|sent| [&sent[..5 * LINE], &sent[6 * LINE..]].concat());
    assert!(matches!(error, BenchError::Lost { missing: 1, expected: 6 }), "{error}");
}

#[test]
fn a_doubled_message_is_found() {
    let error = run_against(|sent| [&sent[..5 * LINE], &sent[4 * LINE..]].concat());
    assert!(!matches!(error, BenchError::Closed { .. }), "{error}");
}

#[test]
fn a_garbled_byte_is_found() {
    let error = run_against(|sent| {
        let mut garbled = sent.to_vec();
        garbled[7 * LINE + 25] = b'X';
        garbled
    });
    assert!(matches!(error, BenchError::WrongDelivery { number: 7, .. }), "{error}");
    assert!(error.to_string().contains("send bench.0 00000007ijklX"), "{error}");
}

#[test]
fn an_error_line_in_place_of_a_delivery_is_shown() {
    let error = run_against(|_| b"error send denied you may not, whatever you try\n".to_vec());
    assert!(error.to_string().contains("denied you may not"), "{error}");
}

#[test]
fn a_closed_connection_is_told() {
    let error = run_against(|sent| sent[..3 * LINE + 4].to_vec());
    let BenchError::Closed { said } = &error else {
        panic!("{error}");
    };
    assert_eq!(said, "send");
}

#[test]
fn a_wrong_greeting_is_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the generator connects");
        stream.write_all(b"220 mail.example ESMTP\r\n").expect("it listens");
        stream
    });
    let target = Target { protocol: Protocol::Linebus, ..target(address) };
    let error = throughput::measure(&target, &Shape::one_topic(1, 1, 16), &until(1))
        .expect_err("that is no bus");
    assert!(error.to_string().contains("220 mail.example"), "{error}");
    drop(server.join());
}
