//! The log of a running bus: where it goes, what never stands in it, and that nothing which
//! befalls it is felt by the bus.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use linebus_testkit::http;
use linebus_testkit::process::Server;
use linebus_testkit::rules::Rules;
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[track_caller]
fn read(file: &Path) -> String {
    std::fs::read_to_string(file).expect("the log was written")
}

const PASSWORD: &str = "correct-horse-7319";
const WRONG: &str = "incorrect-cow-8260";

/// A folder with users, and lines of a configuration that names them.
fn with_users() -> (TempDir, &'static str) {
    let folder = folder();
    users::write(folder.path(), &[TestUser::new("alice", PASSWORD, Rules::default())]);
    (folder, "users = \"users.toml\"\n")
}

#[test]
fn passwords_never_reach_the_log_however_much_is_logged() {
    for format in ["text", "json"] {
        let (folder, users) = with_users();
        let config =
            format!("{users}log = \"trace\"\nlog_format = \"{format}\"\nlog_file = \"log\"\n");
        let server = Server::configured(binary(), folder.path(), &config);
        let mut client = server.telnet();
        client.ask(
            &format!("login alice {WRONG}"),
            "error login wrong-login user or password is wrong",
        );
        client.ask(&format!("login alice {PASSWORD}"), "ok login alice");
        client.say(&format!("login alice\x1b {PASSWORD}"));
        client.say(&format!("logn alice {PASSWORD}"));
        assert_eq!(client.barrier().len(), 2, "two errors");
        drop(client);
        server.end();
        let log = read(&folder.path().join("log"));
        assert!(log.contains("login refused") && log.contains("logged in"), "{log}");
        for secret in [PASSWORD, WRONG, "argon2id"] {
            assert!(!log.contains(secret), "{secret}: {log}");
        }
    }
}

#[test]
fn what_clients_say_cannot_steer_a_terminal() {
    let folder = folder();
    let config = "log = \"trace\"\nlog_file = \"log\"\n";
    let server = Server::configured(binary(), folder.path(), config);
    let mut client = server.telnet();
    for line in ["login a\x1b[31mb", "recv t\x1b]0;x\x07", "login a\u{9b}2J", "recv \u{202e}x"] {
        client.say(line);
    }
    assert_eq!(client.barrier().len(), 4, "all are refused");
    drop(client);
    server.end();
    let log = read(&folder.path().join("log"));
    assert!(log.contains("disconnected"), "{log}");
    let steers = |char: char| char.is_control() && char != '\n' || char == '\u{202e}';
    assert!(!log.contains(steers), "{log:?}");
}

#[test]
fn json_is_an_object_per_line() {
    let folder = folder();
    let config = "log = \"debug\"\nlog_format = \"json\"\nlog_file = \"log\"\n";
    let server = Server::configured(binary(), folder.path(), config);
    server.telnet().ask("login alice", "ok login alice");
    server.end();
    let log = read(&folder.path().join("log"));
    let events: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let login = events.iter().find(|event| event["message"] == "logged in").expect("it is logged");
    assert_eq!((&login["user"], &login["level"]), (&"alice".into(), &"INFO".into()));
}

#[test]
fn a_log_file_that_was_renamed_is_opened_again() {
    let folder = folder();
    let server = Server::configured(binary(), folder.path(), "log_file = \"log\"\n");
    let (log, old) = (folder.path().join("log"), folder.path().join("log.1"));
    assert_eq!(log.metadata().expect("it is there").permissions().mode() & 0o137, 0, "0640");
    let mut client = server.telnet();
    client.ask("login before", "ok login before");
    // It is logged before more is read.
    client.barrier();
    client.barrier();
    std::fs::rename(&log, &old).expect("it can be renamed");
    server.signal(Signal::USR1);
    server.until(|| log.exists());
    server.telnet().ask("login after", "ok login after");
    server.end();
    assert!(read(&old).contains("before") && !read(&old).contains("after"));
    assert!(read(&log).contains("opened again") && read(&log).contains("after"));
}

#[test]
fn a_log_file_that_cannot_be_opened_again_stays_open() {
    let folder = folder();
    let (place, moved) = (folder.path().join("logs"), folder.path().join("moved"));
    std::fs::create_dir(&place).expect("it can be made");
    let server = Server::configured(binary(), folder.path(), "log_file = \"logs/log\"\n");
    std::fs::rename(&place, &moved).expect("it can be renamed");
    server.signal(Signal::USR1);
    let log = moved.join("log");
    server.until(|| read(&log).contains("can't be opened again; the one that is open stays"));
    server.telnet().ask("login after", "ok login after");
    server.end();
    assert!(read(&log).contains("user=after"));
}

#[test]
fn a_log_file_that_cannot_be_opened_is_explained_at_the_start() {
    let folder = folder();
    let mut command =
        Server::configured_command(binary(), folder.path(), "log_file = \"none/log\"\n");
    let output = command.output().expect("it can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("can't open log_file "), "{errors}");
}

/// How many lines of the log a server says were lost.
fn lost(server: &Server) -> f64 {
    http::metrics(server.http.expect("it shows metrics"))["linebus_log_lines_lost_total"]
}

#[test]
fn a_full_disk_under_the_log_is_not_felt_but_counted() {
    let folder = folder();
    let config = "log_file = \"/dev/full\"\nmetrics = \"127.0.0.1:0\"\n";
    let server = Server::configured(binary(), folder.path(), config);
    let (mut sender, mut receiver) = (server.telnet(), server.telnet());
    receiver.ask("login alice\nrecv t", "ok login alice");
    receiver.expect("ok recv t");
    sender.say("send t it goes on");
    receiver.expect("recv t it goes on");
    server.until(|| lost(&server) >= 3.0);
    server.end();
}

#[test]
fn a_standard_error_that_was_closed_is_not_felt_but_counted() {
    let folder = folder();
    let config = "metrics = \"127.0.0.1:0\"\n";
    let mut command = Server::configured_command(binary(), folder.path(), config);
    command.stderr(Stdio::piped());
    let mut server = Server::spawn(command);
    drop(server.take_errors());
    server.telnet().ask("login alice", "ok login alice");
    server.until(|| lost(&server) >= 1.0);
    server.end();
}

#[test]
fn a_log_that_nobody_reads_holds_up_neither_the_bus_nor_its_end() {
    let folder = folder();
    let mut command = Server::configured_command(binary(), folder.path(), "log = \"debug\"\n");
    command.stderr(Stdio::piped());
    let mut server = Server::spawn(command);
    let errors = server.take_errors().expect("it is a pipe");
    // Each logs two lines; the pipe takes 64 KiB.
    for _ in 0..500 {
        let _ = server.telnet();
    }
    server.telnet().ask("login alice", "ok login alice");
    server.end();
    let logged = BufReader::new(errors).lines().map_while(Result::ok).count();
    assert!(logged < 1_000, "the pipe was full: {logged}");
}

#[test]
fn a_client_cannot_flood_the_log_but_everything_is_accounted_for() {
    let folder = folder();
    let config = "log_file = \"log\"\n[limits]\njoins_max = 1\n";
    let server = Server::configured(binary(), folder.path(), config);
    let mut client = server.telnet();
    client.ask("recv one", "ok recv one");
    let refused = 2_000;
    client.say_bytes("recv two\n".repeat(refused).as_bytes());
    assert_eq!(client.barrier().len(), refused);
    assert_eq!(client.barrier(), Vec::<String>::new());
    server.end();
    let log = read(&folder.path().join("log"));
    let said =
        log.lines().filter(|line| line.ends_with("limit=\"joins\"") && !line.contains("more"));
    let said = said.count();
    let more = log.lines().filter_map(|line| {
        let (_, more) = line.split_once("limit reached: ")?;
        more.split(' ').next()?.parse::<usize>().ok()
    });
    assert_eq!(said + more.sum::<usize>(), refused, "{log}");
    assert!((10..refused / 2).contains(&said), "{said}");
}
