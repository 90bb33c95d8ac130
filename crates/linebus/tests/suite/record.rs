//! Recording, from inside the bus and over it: nothing is lost but what is said to be lost, and
//! nothing that befalls the disk is felt by the bus.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use linebus_testkit::http;
use linebus_testkit::process::{Server, signal};
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// A bus that records into `rec` below the folder, with more of a configuration.
fn recording(folder: &Path, config: &str) -> Server {
    let config = format!("{config}\n[record]\nfolder = \"rec\"\nfile = \"bus.log\"\n");
    Server::configured(binary(), folder, &config)
}

/// All lines of a record, in the order of its files' names.
fn recorded(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let text = |path: &PathBuf| std::fs::read_to_string(path).expect("it is text");
    paths
        .iter()
        .flat_map(|path| text(path).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The same without the times.
fn said(folder: &Path) -> Vec<String> {
    recorded(folder).iter().map(|line| line[28..].to_owned()).collect()
}

#[test]
fn everything_that_is_said_is_recorded_to_the_last_line() {
    let folder = folder();
    let server = recording(folder.path(), "");
    let mut sender = server.telnet();
    sender.ask("login alice", "ok login alice");
    let count = 20_000;
    let lines: String = (0..count).map(|i| format!("send rooms.{} {i}\n", i % 7)).collect();
    sender.say_bytes(lines.as_bytes());
    assert_eq!(sender.barrier(), Vec::<String>::new());
    server.end();
    let said = said(&folder.path().join("rec"));
    let (clients, messages): (Vec<_>, Vec<_>) =
        said.into_iter().partition(|line| line.starts_with("$bus "));
    let expected = (0..count).map(|i| format!("alice rooms.{} {i}", i % 7));
    assert!(messages.iter().cloned().eq(expected), "{} of {count}", messages.len());
    assert_eq!(clients.len(), 2, "{clients:?}");
    assert!(clients[0].starts_with("$bus $bus.clients joined alice "), "{clients:?}");
    assert!(clients[1].ends_with(" shutdown"), "the last thing that happens: {clients:?}");
    let file = folder.path().join("rec/bus.log").metadata().expect("it is there");
    assert_eq!(file.permissions().mode() & 0o137, 0, "0640");
}

#[test]
fn the_recorder_is_there_for_all_to_see_and_in_nobodys_way() {
    let folder = folder();
    let limits = "[limits]\nconnections_max = 1\njoins_max = 1\nalso_loopback = true\n";
    let server = recording(folder.path(), limits);
    let mut client = server.telnet();
    client.say("who\ntopics\nsend t x");
    let lines = client.barrier();
    assert!(lines.contains(&"who $record 1 inside".to_owned()), "{lines:?}");
    assert!(lines.contains(&"topic $bus.clients 1".to_owned()), "{lines:?}");
    assert!(lines.contains(&"topic > 1".to_owned()), "{lines:?}");
    server.end();
    assert_eq!(said(&folder.path().join("rec")), ["guest t x"]);
}

#[test]
fn only_what_is_configured_is_recorded() {
    let folder = folder();
    let config = "[record]\nfolder = \"rec\"\nfile = \"bus.log\"\ntopics = [\"rooms.*\"]\n";
    let server = Server::configured(binary(), folder.path(), config);
    let mut client = server.telnet();
    client.say("login alice\nsend rooms.vienna 1\nsend rooms 2\nsend rooms.a.b 3\nsend rooms.x 4");
    client.barrier();
    server.end();
    assert_eq!(said(&folder.path().join("rec")), ["alice rooms.vienna 1", "alice rooms.x 4"]);
}

#[test]
fn accounts_and_their_changes_do_not_concern_the_recorder() {
    let folder = folder();
    let all = |name| {
        let rules = Rules { send: lists(&[">"], &[]), ..Rules::default() };
        TestUser::new(name, "long enough", rules)
    };
    users::write(folder.path(), &[all("alice")]);
    let server = recording(folder.path(), "users = \"users.toml\"\nlog_file = \"log\"\n");
    let mut client = server.telnet();
    client.ask("login alice long enough", "ok login alice");
    client.say("send t before");
    client.barrier();
    users::write(folder.path(), &[all("alice"), all("bob")]);
    server.signal(Signal::HUP);
    let log = folder.path().join("log");
    while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains(": reloaded")) {
        client.barrier();
    }
    client.say("send t after");
    client.barrier();
    server.end();
    let said = said(&folder.path().join("rec"));
    let lines: Vec<_> = said.iter().filter(|line| line.starts_with("alice ")).collect();
    assert_eq!(lines, ["alice t before", "alice t after"]);
}

#[test]
fn a_lame_duck_records_to_its_end() {
    let folder = folder();
    let mut server = recording(folder.path(), "lame_duck_ms = 300");
    let (mut one, mut two) = (server.telnet(), server.telnet());
    server.signal(Signal::USR2);
    for client in [&mut one, &mut two] {
        client.expect("note lame-duck the bus stops within 1 s; connect to another one");
    }
    // The last to come is the first to go.
    two.expect("bye shutdown the bus stops");
    one.say("send t last words");
    while one.hear().is_some() {}
    drop((one, two));
    assert!(server.wait().success(), "exit 0");
    assert!(said(&folder.path().join("rec")).contains(&"guest t last words".to_owned()));
}

#[test]
fn a_file_that_was_renamed_is_followed_by_a_new_one() {
    let folder = folder();
    let server = recording(folder.path(), "");
    let rec = folder.path().join("rec");
    let (log, old) = (rec.join("bus.log"), rec.join("bus.log.1"));
    let mut client = server.telnet();
    client.say("send t before");
    server.until(|| said(&rec).len() == 1);
    std::fs::rename(&log, &old).expect("it is there");
    server.signal(Signal::USR1);
    // The signal takes a moment; each line is in one of the two.
    let mut count = 0;
    server.until(|| {
        let mut client = server.telnet();
        client.say("send t after");
        client.barrier();
        log.exists()
    });
    server.end();
    for (file, first) in [(&old, "before"), (&log, "after")] {
        let text = std::fs::read_to_string(file).expect("it is there");
        assert!(text.lines().next().is_some_and(|line| line.ends_with(first)), "{text}");
        count += text.lines().count();
    }
    assert!(count >= 2);
}

#[test]
fn a_folder_that_cannot_be_recorded_into_is_explained_at_the_start() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").expect("it can be written");
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--record"]).arg(folder.path().join("file"));
    let output = command.output().expect("it can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("can't record into /"), "{errors}");
    assert!(output.stdout.is_empty());
    let server = recording(folder.path(), "");
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--record"]).arg(folder.path().join("rec"));
    let output = command.output().expect("it can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("another recorder writes"), "{errors}");
    server.end();
}

#[test]
fn what_was_written_outlives_a_kill_and_a_torn_line_is_skipped() {
    let folder = folder();
    let mut server = recording(folder.path(), "");
    let rec = folder.path().join("rec");
    let mut sender = std::net::TcpStream::connect(server.addresses[0]).expect("it listens");
    let flood = std::thread::spawn(move || {
        let mut number = 0_u64;
        loop {
            let lines: String = (number..number + 500)
                .map(|i| format!("send t {i} {}\n", "x".repeat(200)))
                .collect();
            number += 500;
            if sender.write_all(lines.as_bytes()).is_err() {
                return;
            }
        }
    });
    let log = rec.join("bus.log");
    server.until(|| log.metadata().is_ok_and(|about| about.len() > 1 << 20));
    server.signal(Signal::KILL);
    server.wait();
    flood.join().expect("it does not fail");
    // As a machine leaves it that went down amid a write.
    let len = log.metadata().expect("it is there").len();
    let file = std::fs::File::options().write(true).open(&log).expect("it is there");
    file.set_len(len - 100).expect("it is ours");
    let server = recording(folder.path(), "");
    server.telnet().ask("send u again\nping", "pong");
    server.end();
    let output = Command::new(binary()).arg("log").arg(&rec).output().expect("it can be started");
    assert!(output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.lines().count() == 1 && errors.contains("the line has no end"), "{errors}");
    let lines = String::from_utf8(output.stdout).expect("it is text");
    let mut lines: Vec<_> = lines.lines().map(|line| &line[28..]).collect();
    assert_eq!(lines.pop(), Some("guest u again"));
    for (number, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("guest t {number} ")), "{number}: {line}");
    }
    assert!(lines.len() > 1_000);
}

/// A bus in a file system of its own of 512 KiB, of which a file takes the half; none where the
/// system does not let one be made.
fn on_a_small_disk(folder: &Path) -> Option<Server> {
    let config = folder.join("linebus.toml");
    let text = "metrics = \"127.0.0.1:0\"\n[record]\nfolder = \"disk/rec\"\nfile = \"bus.log\"\n";
    std::fs::write(&config, text).expect("it can be written");
    std::fs::create_dir(folder.join("disk")).expect("it can be made");
    let in_namespace = |program: &Path| {
        let script = "mount -t tmpfs -o size=512k none \"$1/disk\" && shift && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
        command.arg(folder).arg(program);
        command
    };
    let possible = in_namespace(Path::new("true")).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("this system has no name spaces for everybody");
        return None;
    }
    let mut command = in_namespace(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config);
    Some(Server::spawn(command))
}

#[test]
fn a_full_disk_costs_lines_that_are_counted_and_nothing_else() {
    let folder = folder();
    let Some(server) = on_a_small_disk(folder.path()) else { return };
    // The server's own view of the file system, for we have none.
    let disk = PathBuf::from(format!("/proc/{}/root{}/disk", server.id(), folder.path().display()));
    std::fs::write(disk.join("filler"), vec![0; 256 << 10]).expect("there is room");
    let (mut sender, mut receiver) = (server.telnet(), server.telnet());
    receiver.ask("recv t", "ok recv t");
    let send = |sender: &mut linebus_testkit::telnet::Telnet, numbers: std::ops::Range<u32>| {
        let lines: String =
            numbers.map(|i| format!("send t {i} {}\n", "x".repeat(1_000))).collect();
        sender.say_bytes(lines.as_bytes());
        assert_eq!(sender.barrier(), Vec::<String>::new());
    };
    send(&mut sender, 0..1_000);
    let metric = |name: &str| http::metrics(server.http.expect("it shows them"))[name];
    server.until(|| metric("linebus_record_lines_lost_total") > 0.0);
    for i in 0..1_000 {
        let line = receiver.hear().expect("the bus goes on");
        assert!(line.starts_with(&format!("recv t {i} ")), "{line}");
    }
    std::fs::remove_file(disk.join("filler")).expect("it is there");
    let rec = disk.join("rec");
    let gap = |line: &String| line.starts_with("$record $record.gap lines=");
    // Nothing more comes, and the gap is told all the same.
    server.until(|| said(&rec).iter().any(gap));
    send(&mut sender, 1_000..1_010);
    server.until(|| said(&rec).iter().any(|line| line.starts_with("guest t 1009 ")));
    let lines = said(&rec);
    let at = lines.iter().position(gap).expect("it is told");
    let lost: usize =
        lines[at].split(['=', ' ']).nth(3).and_then(|n| n.parse().ok()).expect("told");
    for (number, line) in lines[..at].iter().enumerate() {
        assert!(line.starts_with(&format!("guest t {number} ")), "{number}: {line}");
    }
    assert_eq!(at + lost, 1_000, "what is not there is counted: {}", lines[at]);
    assert!(lines[at].contains("No space left on device"), "{}", lines[at]);
    assert_eq!(lines.len(), at + 1 + 10);
    assert_eq!(metric("linebus_record_lines_lost_total") as usize, lost);
    assert_eq!(metric("linebus_recorded_lines_total") as usize, at + 10);
    server.end();
}

/// `linebus record`, which has joined.
struct Recorder(Child);

impl Recorder {
    fn start(url: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.arg("record").args(arguments).env("LINEBUS_URL", url);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it can be started");
        let mut errors = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
        let joined = |line: &std::io::Result<String>| {
            line.as_ref().is_ok_and(|line| line.contains("joined "))
        };
        assert!(errors.by_ref().any(|line| joined(&line)), "it joins");
        // What it says later goes nowhere, but somebody reads it.
        std::thread::spawn(move || errors.count());
        Self(child)
    }

    fn signal(&self, kind: Signal) {
        signal(&self.0, kind);
    }

    fn end(mut self) {
        self.signal(Signal::TERM);
        assert!(self.0.wait().expect("it is our child").success());
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_recorder_over_the_bus_records_what_it_joined_and_tells_when_it_was_away() {
    let folder = folder();
    let socket = folder.path().join("bus");
    let rec = folder.path().join("rec");
    let start = || {
        let mut command = Command::new(binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--unix"]).arg(&socket);
        Server::spawn(command)
    };
    let server = start();
    let url = format!("unix:{}", socket.display());
    let arguments = [rec.to_str().expect("it is text"), "t", "--file", "bus.log"];
    let recorder = Recorder::start(&url, &arguments);
    let mut client = server.telnet();
    client.say("send t  one \nsend u not asked for");
    client.barrier();
    server.until(|| said(&rec).len() == 1);
    drop(client);
    server.end();
    let server = start();
    let joined = || {
        let mut client = server.telnet();
        client.say("topics");
        client.barrier().contains(&"topic t 1".to_owned())
    };
    server.until(joined);
    let mut client = server.telnet();
    client.say("send t two");
    client.barrier();
    server.until(|| said(&rec).len() == 3);
    recorder.end();
    let said = said(&rec);
    assert_eq!((said[0].as_str(), said[2].as_str()), ("guest t  one ", "guest t two"));
    let gap = "$record $record.gap lines=? bytes=? reason=the connection was lost: ";
    assert!(said[1].starts_with(gap), "{said:?}");
}

#[test]
fn whoever_may_not_watch_may_not_record() {
    let folder = folder();
    let rules = Rules { recv: lists(&[">"], &[]), ..Rules::default() };
    users::write(folder.path(), &[TestUser::new("alice", "long enough", rules)]);
    let server = Server::configured(binary(), folder.path(), "users = \"users.toml\"\n");
    let url = format!("linebus://alice:long%20enough@{}", server.addresses[0]);
    let mut command = Command::new(binary());
    command.arg("record").arg(folder.path().join("rec")).env("LINEBUS_URL", url);
    let output = command.output().expect("it can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("your account has no `see`"), "{errors}");
}
