//! What a running bus says about itself over HTTP: that the figures are right and well formed, and
//! that nobody who asks can harm the bus.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use linebus_testkit::http::{get, metrics, request};
use linebus_testkit::process::Server;
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::telnet::Telnet;
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

/// The page that says what each metric means.
const OPERATIONS: &str = include_str!("../../../../docs/operations.md");

/// Names the users file, which is made, too.
const USERS: &str = "users = \"users.toml\"\n";

/// A server that shows its metrics, where it shows them, and the folder that it lives in.
fn server(config: &str) -> (Server, SocketAddr, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    if config.starts_with(USERS) {
        let rules = Rules { recv: lists(&["t"], &[]), ..Rules::default() };
        users::write(folder.path(), &[TestUser::new("alice", "long enough", rules)]);
    }
    let config = format!("metrics = \"127.0.0.1:0\"\n{config}");
    let server = Server::configured(binary(), folder.path(), &config);
    let http = server.http.expect("it says where");
    (server, http, folder)
}

/// Waits until what the client said is not only answered but counted: that happens before the
/// next read.
fn settle(client: &mut Telnet) {
    client.barrier();
    client.barrier();
}

/// Looks until this is the value, and far longer than it ever takes if it never is. What is said
/// last is counted just after it is answered.
fn look(http: SocketAddr, name: &str, value: f64) -> BTreeMap<String, f64> {
    let mut looks = std::iter::repeat_with(|| metrics(http)).take(1_000);
    looks.find(|series| series.get(name) == Some(&value)).unwrap_or_else(|| metrics(http))
}

#[track_caller]
fn check(series: &BTreeMap<String, f64>, name: &str, expected: f64) {
    assert_eq!(series.get(name), Some(&expected), "{name}");
}

#[test]
fn figures_follow_the_traffic() {
    let (server, http, _folder) = server("");
    let before = metrics(http);
    for name in ["linebus_connections", "linebus_received_lines_total", "linebus_logins_total"] {
        check(&before, name, 0.0);
    }
    let (mut sender, mut receiver) = (server.telnet(), server.telnet());
    receiver.ask("login alice\nrecv t", "ok login alice");
    receiver.expect("ok recv t");
    sender.say("send t 1\nsend t 22\nsend > no");
    sender.say("ping");
    receiver.expect("recv t 1");
    receiver.expect("recv t 22");
    settle(&mut sender);
    // Two of the receiver; four and two barriers of the sender.
    let received = 2.0 + 4.0 + 2.0;
    let now = look(http, "linebus_received_lines_total", received);
    check(&now, "linebus_connections", 2.0);
    check(&now, "linebus_connections_accepted_total", 2.0);
    check(&now, "linebus_logins_total", 1.0);
    check(&now, "linebus_received_lines_total", received);
    let bytes = "login alice\nrecv t\nsend t 1\nsend t 22\nsend > no\nping\n".len();
    let bytes = bytes + 2 * "ping barrier\n".len();
    check(&now, "linebus_received_bytes_total", bytes as f64);
    // A greeting each; two answers and two lines; an error and three pongs.
    check(&now, "linebus_delivered_lines_total", 2.0 + 4.0 + 4.0);
    check(&now, "linebus_refusals_total{code=\"bad-topic\"}", 1.0);
    check(&now, "linebus_queued_bytes", 0.0);
    assert!(now["linebus_held_bytes"] > 0.0, "a join is held");
    sender.ask("logoff", "bye logoff see you");
    assert_eq!(sender.hear(), None);
    let ended = "linebus_connections_ended_total{reason=\"logoff\"}";
    check(&look(http, ended, 1.0), ended, 1.0);
}

#[test]
fn every_limit_that_a_client_reaches_is_counted() {
    let config = "[limits]\nline_bytes_max = 512\njoins_max = 1\nuser_lines_per_second = 10\n\
                  user_burst_ms = 100\n";
    let (server, http, _folder) = server(config);
    let reached =
        |limit: &str| metrics(http)[&format!("linebus_limits_reached_total{{limit=\"{limit}\"}}")];
    let mut client = server.telnet();
    for limit in ["line_bytes", "joins", "rate"] {
        assert_eq!(reached(limit), 0.0, "{limit}");
    }
    client.ask("recv a", "ok recv a");
    client.say(&"x".repeat(600));
    client.say("recv b");
    settle(&mut client);
    for limit in ["line_bytes", "joins", "rate"] {
        assert!(reached(limit) >= 1.0, "{limit}");
    }
}

#[test]
fn limits_before_a_login_and_logins_that_fail_are_counted() {
    let config = "[limits]\nlogin_lines_max = 3\nlogin_failures_max = 1\n\
                  login_timeout_ms = 300\n";
    let (server, http, _folder) = server(&format!("{USERS}{config}"));
    let mut client = server.telnet();
    client.ask("login alice wrong", "error login wrong-login user or password is wrong");
    client.expect("bye abuse too many wrong logins");
    assert_eq!(client.hear(), None);
    let mut client = server.telnet();
    client.say("recv t\nrecv t\nrecv t\nrecv t");
    while client.hear().is_some() {}
    let mut client = server.telnet();
    let last = std::iter::from_fn(|| client.hear()).last();
    assert!(last.is_some_and(|line| line.starts_with("bye login-timeout ")));
    let last = "linebus_limits_reached_total{limit=\"login_timeout\"}";
    let now = look(http, last, 1.0);
    for limit in ["login_failures", "login_lines", "login_timeout"] {
        check(&now, &format!("linebus_limits_reached_total{{limit=\"{limit}\"}}"), 1.0);
    }
    check(&now, "linebus_login_failures_total{reason=\"wrong\"}", 1.0);
    check(&now, "linebus_login_failures_total{reason=\"throttled\"}", 0.0);
    check(&now, "linebus_logins_total", 0.0);
}

#[test]
fn what_the_rules_deny_is_counted() {
    let (server, http, _folder) = server(USERS);
    let mut client = server.telnet();
    client.ask("login alice long enough", "ok login alice");
    client.say("recv secret\nsend t x");
    assert_eq!(client.barrier().len(), 2, "both are refused");
    settle(&mut client);
    let now = metrics(http);
    check(&now, "linebus_denied_total", 2.0);
    check(&now, "linebus_logins_total", 1.0);
}

#[test]
fn connections_that_are_turned_away_are_counted() {
    for (config, limit) in [
        ("connections_max = 1", "connections"),
        ("connections_per_address_max = 1", "connections_per_address"),
        (
            "connections_per_address_per_second = 1\nconnections_per_address_max = 0",
            "connections_per_address_per_second",
        ),
    ] {
        let (server, http, _folder) =
            server(&format!("[limits]\nalso_loopback = true\n{config}\n"));
        let _one = server.telnet();
        let mut two = TcpStream::connect(server.addresses[0]).expect("it listens");
        let mut told = String::new();
        two.read_to_string(&mut told).expect("it is told");
        assert!(told.contains("bye busy "), "{told}");
        let now = metrics(http);
        check(&now, &format!("linebus_limits_reached_total{{limit=\"{limit}\"}}"), 1.0);
        check(&now, &format!("linebus_connections_refused_total{{reason=\"{limit}\"}}"), 1.0);
    }
}

/// A metric's name as Prometheus' documentation wants it (“Metric and label naming”).
fn is_name(name: &str) -> bool {
    name.starts_with("linebus_")
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'0'..=b'9'))
}

#[test]
fn the_page_is_well_formed() {
    let (server, http, _folder) = server("");
    server.telnet().ask("nonsense", "error nonsense unknown-verb `help` lists the verbs");
    let (_, text) = get(http, "/metrics");
    assert!(text.ends_with('\n'));
    let (mut kinds, mut helps, mut seen) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(helps.insert(name), "twice: {line}");
            assert!(help.ends_with('.') && !help.ends_with(".."), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(kinds.insert(name, kind).is_none(), "twice: {line}");
            assert!(is_name(name), "{line}");
            match kind {
                "counter" => assert!(name.ends_with("_total"), "{line}"),
                "gauge" => assert!(!name.ends_with("_total"), "{line}"),
                _ => panic!("{line}"),
            }
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            assert!(kinds.contains_key(name) && helps.contains(name), "no HELP, no TYPE: {line}");
            assert!(seen.insert(series), "twice: {line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
    }
    assert_eq!(kinds.len(), helps.len());
    for name in kinds.keys() {
        assert!(OPERATIONS.contains(&format!("`{name}")), "docs/operations.md leaves out {name}");
    }
    let labels =
        seen.iter().filter_map(|series| series.strip_prefix("linebus_limits_reached_total"));
    for limit in labels.filter_map(|label| label.split('"').nth(1)) {
        assert!(
            OPERATIONS.contains(&format!("`{limit}`")),
            "docs/operations.md leaves out {limit}"
        );
    }
}

#[test]
fn health_is_told_and_a_lame_duck_is_not_ready() {
    let (server, http, _folder) = server("lame_duck_ms = 3600000\n");
    assert_eq!(get(http, "/healthz"), (200, "running\n".to_owned()));
    assert_eq!(get(http, "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(get(http, "/metrics?x=1").0, 200);
    assert_eq!(get(http, "/").0, 404);
    let mut client = server.telnet();
    server.signal(Signal::USR2);
    client.expect("note lame-duck the bus stops within 3600 s; connect to another one");
    assert_eq!(get(http, "/readyz"), (503, "lame duck\n".to_owned()));
    assert_eq!(get(http, "/healthz").0, 200);
}

#[test]
fn whoever_asks_for_metrics_cannot_harm_the_bus() {
    let (server, http, _folder) = server("");
    let (mut one, mut two) = (server.telnet(), server.telnet());
    one.ask("recv t", "ok recv t");
    let post = b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(request(http, post).map(|(status, _)| status), Some(405));
    let long = format!("GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100 << 10));
    assert!(request(http, long.as_bytes()).is_none_or(|(status, _)| status == 431));
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(500));
    assert!(request(http, many.as_bytes()).is_none_or(|(status, _)| status == 431));
    let garbage: [&[u8]; 4] =
        [b"\x16\x03\x01\x02\0\x01\0", b"\0\0\0\0\r\n\r\n", b"send t x\n\n", b"\xff\n"];
    for garbage in garbage {
        let mut socket = TcpStream::connect(http).expect("it listens");
        socket.write_all(garbage).expect("it reads");
    }
    // Heads that never end, and far more connections than are answered at a time.
    let slow: Vec<_> = (0..200)
        .map(|_| {
            let mut socket = TcpStream::connect(http).expect("it listens");
            // Those beyond the limit are closed at once.
            let _ = socket.write_all(b"GET /healthz HTTP/1.1\r\nX: ");
            socket
        })
        .collect();
    two.say("send t unharmed");
    one.expect("recv t unharmed");
    // The places are free again when those who are slow are gone.
    drop(slow);
    let answered = std::iter::repeat_with(|| {
        assert_eq!(two.barrier(), Vec::<String>::new());
        request(http, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    });
    let answer = answered.flatten().next();
    assert_eq!(answer, Some((200, "running\n".to_owned())));
    assert!(server.memory() < 64 << 20, "{}", server.memory());
}

#[test]
fn metrics_are_shown_beyond_loopback_only_when_that_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = "metrics = \"0.0.0.0:0\"\n";
    let mut command = Server::configured_command(binary(), folder.path(), config);
    let output = command.output().expect("it can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it refuses");
    assert!(errors.contains("metrics_open_to_the_network = true"), "{errors}");
    // The unspecified address is bound and nothing connects to it.
    let config = format!("{config}metrics_open_to_the_network = true\n");
    let server = Server::configured(binary(), folder.path(), &config);
    assert!(server.http.is_some_and(|address| address.ip().is_unspecified()));
}
