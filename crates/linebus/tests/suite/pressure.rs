//! The command line under pressure: floods, lines without an end, jobs that fail while nothing
//! comes, and a terminal that must be left as it was.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use linebus_testkit::process::Server;
use linebus_testkit::terminal::Terminal;

use crate::binary;

fn start(server: &Server, arguments: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut command = Command::new(binary());
    command.args(arguments).env("LINEBUS_URL", server.url());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
    (child, errors)
}

fn next_line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("it is text");
    line
}

/// Sends to `topic` as fast as it goes, while `meanwhile` runs.
fn flooded<T>(server: &Server, topic: &str, meanwhile: impl FnOnce() -> T) -> T {
    let enough = AtomicBool::new(false);
    let lines = format!("send {topic} {}\n", "x".repeat(100)).repeat(1000);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sender = server.telnet();
            while !enough.load(Ordering::Relaxed) {
                sender.say_bytes(lines.as_bytes());
                assert_eq!(sender.barrier(), Vec::<String>::new());
            }
        });
        let done = meanwhile();
        enough.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn a_flood_on_one_topic_does_not_hold_up_the_join_of_the_next() {
    let server = Server::on_free_port(binary());
    flooded(&server, "a", || {
        let (mut child, mut errors) = start(&server, &["recv", "a", "b", "c", "--raw"]);
        let mut out = child.stdout.take().expect("it is a pipe");
        let reading = std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        for topic in ["a", "b", "c"] {
            assert_eq!(next_line(&mut errors), format!("linebus: joined {topic}\n"));
        }
        child.kill().expect("it runs");
        child.wait().expect("it is our child");
        reading.join().expect("it does not panic").expect("it can be read");
    });
}

#[test]
fn the_time_is_up_in_a_flood_too() {
    let server = Server::on_free_port(binary());
    flooded(&server, "a", || {
        let (mut child, _errors) = start(&server, &["recv", "a", "--timeout", "0.2", "--raw"]);
        let mut out = child.stdout.take().expect("it is a pipe");
        std::io::copy(&mut out, &mut std::io::sink()).expect("it can be read");
        assert!(child.wait().expect("it is our child").success());
    });
}

#[test]
fn a_line_longer_than_the_bus_takes_is_named_and_the_next_is_sent() {
    let server = Server::on_free_port(binary());
    let mut receiver = server.telnet();
    receiver.ask("recv t", "ok recv t");
    let mut command = Command::new(binary());
    command.args(["send", "t"]).env("LINEBUS_URL", server.url());
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let mut input = child.stdin.take().expect("it is a pipe");
    for _ in 0..10 {
        input.write_all(&[b'x'; 1_000_000]).expect("it reads");
    }
    input.write_all(b"\nshort\n").expect("it reads");
    receiver.expect("recv t short");
    drop(input);
    let output = child.wait_with_output().expect("it is our child");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).expect("it is text");
    let said = "line 1 was not sent: the line would have 10000000 bytes";
    assert!(errors.contains(said), "{errors}");
}

#[test]
fn a_job_that_fails_is_told_before_the_next_message() {
    let server = Server::on_free_port(binary());
    let (mut child, mut errors) = start(&server, &["on", "t", "--", "sh", "-c", "exit 7"]);
    assert_eq!(next_line(&mut errors), "linebus: joined t\n");
    server.telnet().ask("send t x\nping", "pong");
    assert_eq!(next_line(&mut errors), "linebus: sh: exit status: 7\n");
    child.kill().expect("it runs");
    child.wait().expect("it is our child");
}

/// A chat in a terminal of its own.
fn chat(url: &str, home: &Path) -> (Child, Terminal) {
    let mut command = Command::new(binary());
    command.args(["chat", "lobby"]).env("LINEBUS_URL", url.replace("//", "//alice@"));
    command.env("XDG_STATE_HOME", home);
    Terminal::start(command)
}

#[test]
fn a_chat_in_a_terminal_edits_lines_and_leaves_it_as_it_was() {
    let server = Server::on_free_port(binary());
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut bob = server.telnet();
    bob.ask("login bob\nrecv lobby", "ok login bob");
    bob.expect("ok recv lobby");
    let (mut child, mut terminal) = chat(&server.url(), home.path());
    terminal.expect("joined lobby");
    terminal.expect("> ");
    assert!(!terminal.is_as_it_was(), "lines are edited by the chat itself");
    bob.say("send lobby evil \u{202e}text");
    terminal.expect(" bob: evil \\u{202e}text");
    // A slip of the finger, taken back.
    terminal.press(b"hello evereyone\x1b[D\x1b[D\x1b[D\x1b[D\x7f\r");
    bob.expect("recv lobby hello everyone");
    terminal.press(b"/quit\r");
    assert!(child.wait().expect("it is our child").success());
    assert!(terminal.is_as_it_was());
    let history = home.path().join("linebus/chat_history");
    let history = std::fs::read_to_string(history).expect("it was written");
    assert!(history.contains("hello everyone"), "{history}");
}

#[test]
fn ctrl_c_ends_a_chat_and_leaves_the_terminal_as_it_was() {
    let server = Server::on_free_port(binary());
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let (mut child, mut terminal) = chat(&server.url(), home.path());
    terminal.expect("> ");
    terminal.press(b"half a line\x03");
    assert!(child.wait().expect("it is our child").success());
    assert!(terminal.is_as_it_was());
}

#[test]
fn a_chat_that_is_thrown_out_leaves_the_terminal_as_it_was() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let url = format!("linebus://{}", listener.local_addr().expect("it is bound"));
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let (mut child, mut terminal) = chat(&url, home.path());
    let bus = listener.accept().expect("the chat connects").0;
    let mut lines = BufReader::new(bus.try_clone().expect("there are descriptors"));
    let say = |text: &str| (&bus).write_all(text.as_bytes()).expect("the chat reads");
    say("hello linebus 1 line-max=1000 login=open\n");
    assert_eq!(next_line(&mut lines), "login alice\n");
    say("ok login alice\n");
    assert_eq!(next_line(&mut lines), "watch lobby\n");
    say("ok watch lobby\n");
    terminal.expect("> ");
    say("bye kicked be nice\n");
    terminal.expect("linebus: the bus said goodbye (kicked): be nice");
    assert_eq!(child.wait().expect("it is our child").code(), Some(3));
    assert!(terminal.is_as_it_was(), "although it was waiting for a line");
}
