//! `linebus serve` and `linebus check` as a person starts and stops them.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};

use linebus_testkit::process::Server;
use rustix::process::Signal;

use crate::binary;

fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("it can be started")
}

#[track_caller]
fn check_fails(arguments: &[&str], expected: &str) {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).expect("errors are text");
    assert!(!output.status.success(), "{arguments:?}");
    assert!(errors.contains(expected), "{arguments:?}: {errors}");
    assert!(output.stdout.is_empty(), "errors are no output");
}

#[test]
fn both_signals_end_it_decently() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::on_free_port(binary());
        let (mut receiver, mut sender) = (server.telnet(), server.telnet());
        receiver.ask("recv t", "ok recv t");
        sender.ask("send t last words\nping", "pong");
        server.signal(signal);
        receiver.expect("recv t last words");
        for client in [&mut receiver, &mut sender] {
            client.expect("note shutdown the bus stops");
            client.expect("bye shutdown the bus stops");
            assert_eq!(client.hear(), None);
        }
        drop((receiver, sender));
        assert!(server.wait().success(), "exit 0");
    }
}

#[test]
fn what_waits_is_written_before_the_end() {
    let mut server = Server::on_free_port(binary());
    let (mut receiver, mut sender) = (server.telnet(), server.telnet());
    receiver.ask("recv t", "ok recv t");
    let lines = 50_000;
    let text: String = (0..lines).map(|i| format!("send t {i} {}\n", "x".repeat(90))).collect();
    sender.say_bytes(text.as_bytes());
    assert_eq!(sender.barrier(), Vec::<String>::new());
    server.signal(Signal::TERM);
    for i in 0..lines {
        let line = receiver.hear().expect("it is written");
        assert!(line.starts_with(&format!("recv t {i} ")), "{line}");
    }
    receiver.expect("note shutdown the bus stops");
    receiver.expect("bye shutdown the bus stops");
    drop((receiver, sender));
    assert!(server.wait().success(), "exit 0");
}

#[test]
fn a_receiver_that_does_not_read_cannot_hold_the_end() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    std::fs::write(&file, "shutdown_drain_ms = 200\n").expect("it can be written");
    let file = file.to_str().expect("its name is UTF-8");
    let mut server = Server::start(binary(), &["--listen", "127.0.0.1:0", "--config", file]);
    let (mut receiver, mut sender) = (server.telnet(), server.telnet());
    receiver.ask("recv t", "ok recv t");
    let line = format!("send t {}\n", "x".repeat(60_000));
    for _ in 0..200 {
        sender.say_bytes(line.as_bytes());
    }
    assert_eq!(sender.barrier(), Vec::<String>::new());
    server.signal(Signal::TERM);
    assert!(server.wait().success(), "exit 0");
}

#[test]
fn a_unix_socket_is_served_cleared_and_taken_over() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("bus");
    let arguments = ["--unix", path.to_str().expect("its name is UTF-8")];
    let mut server = Server::start(binary(), &arguments);
    assert!(server.addresses.is_empty(), "alone, it is the only listener");
    let mut client = UnixStream::connect(&path).expect("it listens");
    client.write_all(b"logoff\n").expect("it reads");
    let mut heard = String::new();
    client.read_to_string(&mut heard).expect("it answers");
    assert_eq!(heard, "hello linebus 1 line-max=65536 login=open\nbye logoff see you\n");
    check_fails(&["serve", "--unix", arguments[1]], "another server runs there");
    server.signal(Signal::TERM);
    assert!(server.wait().success() && !path.exists(), "the socket is cleared");
    // One that was killed leaves its socket behind; the next one takes it over.
    let mut server = Server::start(binary(), &arguments);
    server.signal(Signal::KILL);
    server.wait();
    assert!(path.exists(), "nobody cleared it");
    let _third = Server::start(binary(), &arguments);
    UnixStream::connect(&path).expect("it listens");
}

#[test]
fn what_it_cannot_do_it_explains() {
    check_fails(&["serve", "--listen", "0.0.0.0:0"], "--open-to-the-network");
    check_fails(&["serve", "--config", "/nowhere/at/all"], "can't read the configuration");
    let server = Server::on_free_port(binary());
    let taken = server.addresses[0].to_string();
    check_fails(&["serve", "--listen", &taken], "another server runs there, or choose port 0");
}

#[test]
fn said_in_full_it_listens_beyond_loopback() {
    // The unspecified address is bound and nothing connects to it.
    let arguments = ["--listen", "0.0.0.0:0", "--open-to-the-network"];
    let server = Server::start(binary(), &arguments);
    assert!(server.addresses[0].ip().is_unspecified());
}

#[test]
fn a_configuration_is_checked_line_by_line() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    let name = file.to_str().expect("its name is UTF-8");
    std::fs::write(&file, "\nthraeds = 1\n[limits]\njoins_max = 0\n").expect("it can be written");
    check_fails(
        &["check", name],
        "linebus.toml: line 2: thraeds: there is no such key; did you mean `threads`?",
    );
    check_fails(
        &["check", name],
        "linebus.toml: line 4: limits.joins_max: a whole number from 1 to 1000000 is wanted",
    );
    check_fails(&["serve", "--config", name], "line 2: thraeds");
    std::fs::write(&file, linebus_server::config::TEXT).expect("it can be written");
    let output = run(&["check", name]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{name}: good\n"));
}

#[test]
fn a_closed_standard_output_does_not_stop_it() {
    let mut child = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it can be started");
    drop(child.stdout.take());
    // It says on standard error where it listens, which means that it got there.
    let mut errors = std::io::BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut errors, &mut line).expect("it logs");
    assert!(line.contains("listening"), "{line}");
    child.kill().expect("it is running");
    child.wait().expect("it is our child");
}
