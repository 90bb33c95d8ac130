//! Reading records and sending them again, as scripts and people do.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use linebus_testkit::process::Server;
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{binary, text};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("it can be started")
}

#[track_caller]
fn prints(arguments: &[&str], expected: &str) {
    let output = run(arguments);
    assert_eq!(text(&output.stdout), expected, "{arguments:?}: {}", text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}");
}

const RECORD: &str = "\
2026-11-27T13:00:00.000000Z alice rooms.vienna lights on
2026-11-27T13:00:01.000000Z bob rooms.lisbon  two  blanks 
2026-11-27T14:00:00.500000Z $bus $bus.clients left bob 2 logoff
2026-11-27T14:00:01.000000Z $record $record.gap lines=3 bytes=99 reason=No space left on device
2026-11-27T15:00:00.000000Z alice jobs grüezi 🙂
";

/// A record of those lines, and its path.
fn record() -> (TempDir, String) {
    let folder = folder();
    std::fs::write(folder.path().join("bus.log"), RECORD).expect("it can be written");
    let path = folder.path().to_str().expect("it is text").to_owned();
    (folder, path)
}

fn lines(numbers: &[usize]) -> String {
    let lines: Vec<_> = RECORD.lines().collect();
    numbers.iter().map(|number| format!("{}\n", lines[*number])).collect()
}

#[test]
fn lines_are_printed_as_they_stand_in_the_record_or_as_programs_want_them() {
    let (_folder, path) = record();
    prints(&["log", &path], RECORD);
    prints(&["log", &path, "--topic", "rooms.*"], &lines(&[0, 1]));
    prints(&["log", &path, "--topic", "jobs", "--topic", "$record.>"], &lines(&[3, 4]));
    prints(&["log", &path, "--user", "bob"], &lines(&[1]));
    prints(&["log", &path, "--grep", "^lights|üe"], &lines(&[0, 4]));
    prints(
        &["log", &path, "--since", "2026-11-27T14:00", "--until", "2026-11-27T15:00"],
        &lines(&[2, 3]),
    );
    prints(&["log", &path, "--user", "bob", "--raw"], " two  blanks \n");
    let json = "{\"topic\":\"rooms.vienna\",\"message\":\"lights on\",\"time\":\"2026-11-27T13:00:00.000000Z\",\"user\":\"alice\"}\n";
    prints(&["log", &path, "--topic", "rooms.vienna", "--json"], json);
    let file = format!("{path}/bus.log");
    prints(
        &["log", &file, "--since", "2026-11-27T15:00:00+00:00", "--format", "{user}"],
        "alice\n",
    );
}

#[test]
fn what_is_missing_and_what_is_damaged_is_told_whatever_is_asked_for() {
    let (folder, path) = record();
    let output = run(&["log", &path, "--user", "alice"]);
    assert_eq!(text(&output.stdout), lines(&[0, 4]));
    assert!(text(&output.stderr).contains("the record has 1 gaps"), "{output:?}");
    let torn = format!("garbage\n{RECORD}2026-11-27T16:00:00.000000Z al");
    std::fs::write(folder.path().join("bus.log"), torn).expect("it can be written");
    let output = run(&["log", &path]);
    assert_eq!(text(&output.stdout), RECORD);
    let errors = text(&output.stderr);
    assert!(errors.contains("bus.log: line 1: it does not begin with a time, skipped"), "{errors}");
    assert!(errors.contains("bus.log: line 7: the line has no end, skipped"), "{errors}");
    assert!(output.status.success());
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let (_folder, path) = record();
    for (arguments, expected) in [
        (vec!["log", "/none"], "can't read /none"),
        (vec!["log", &path, "--since", "yesterday"], "a time is wanted, such as"),
        (vec!["log", &path, "--topic", "a..b"], "no empty tokens"),
        (vec!["log", &path, "--grep", "("], "unclosed group"),
        (vec!["log", &path, "--follow", "--stats"], "cannot be used with"),
        (vec!["replay", &path, "--speed", "0"], "a number from 0.001"),
        (vec!["replay", &path, "--to-topic", "$bus.x"], "nobody but the bus"),
        (vec!["record", &path, "--file", "%x"], "after % one of"),
        (vec!["record", &path, "--keep-bytes", "5"], "at least twice rotate_bytes"),
    ] {
        let output = run(&arguments);
        let errors = text(&output.stderr);
        assert!(!output.status.success() && errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[test]
fn stats_are_a_table_and_a_picture() {
    let (folder, path) = record();
    let svg = folder.path().join("talk.svg");
    let svg = svg.to_str().expect("it is text");
    let expected = "\
hour\t2026-11-27T13\t2\t116
hour\t2026-11-27T14\t1\t64
hour\t2026-11-27T15\t1\t52
user\talice\t2\t109
user\t$bus\t1\t64
user\tbob\t1\t59
topic\t$bus.clients\t1\t64
topic\tjobs\t1\t52
topic\trooms.lisbon\t1\t59
topic\trooms.vienna\t1\t57
all\t-\t4\t232
missing\t-\t3\t?
";
    prints(&["log", &path, "--stats", "--svg", svg], expected);
    let picture = std::fs::read_to_string(svg).expect("it was drawn");
    assert!(picture.starts_with("<svg ") && picture.contains("rooms.lisbon"), "{picture}");
    assert_eq!(picture.matches("<path ").count(), 4);
}

#[test]
fn following_shows_lines_as_they_are_recorded_through_rotation() {
    let folder = folder();
    let config = "[record]\nfolder = \"rec\"\ntopics = [\">\"]\nfile = \"bus.log\"\nrotate_bytes = 5000\n\
                  compress = true\n";
    let server = Server::configured(binary(), folder.path(), config);
    let mut client = server.telnet();
    client.say("send t 0");
    client.barrier();
    let mut command = Command::new(binary());
    command.args(["log", "--follow", "--raw"]).arg(folder.path().join("rec"));
    let mut log = command.stdout(Stdio::piped()).spawn().expect("it can be started");
    let mut shown = BufReader::new(log.stdout.take().expect("it is a pipe")).lines();
    let mut expect = |number: u32| {
        let line = shown.next().expect("it goes on").expect("it is text");
        assert!(line.starts_with(&format!("{number} ")) || line == number.to_string(), "{line}");
    };
    expect(0);
    for round in 0..5 {
        let numbers = round * 50 + 1..=round * 50 + 50;
        let lines: String =
            numbers.clone().map(|i| format!("send t {i} {}\n", "x".repeat(200))).collect();
        client.say_bytes(lines.as_bytes());
        numbers.for_each(&mut expect);
    }
    log.kill().expect("it is our child");
    log.wait().expect("it is our child");
}

/// Random text without control characters.
fn random_text(random: &mut fastrand::Rng) -> String {
    let len = random.usize(0..200);
    let char = |random: &mut fastrand::Rng| match random.u8(0..4) {
        0 => random.char(' '..='~'),
        1 => random
            .choice(['\t', ' ', '@', '$', '%', 'ü', '🙂', '\u{a0}', '\u{202e}'])
            .unwrap_or(' '),
        2 => random.char('\u{a1}'..='\u{d7ff}'),
        _ => random.char('\u{10000}'..='\u{10ffff}'),
    };
    std::iter::repeat_with(|| char(random)).take(len).collect()
}

#[test]
fn what_is_recorded_and_sent_again_is_the_same_byte_for_byte() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let messages: Vec<_> = (0..3_000).map(|_| random_text(&mut random)).collect();
    let folder = folder();
    let server = |name: &str| {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).expect("it can be made");
        let config = "[record]\nfolder = \"rec\"\ntopics = [\">\"]\nrotate_bytes = 100000\ncompress = true\n";
        Server::configured(binary(), &place, config)
    };
    let mut first = server("first");
    let mut client = first.telnet();
    let topics = ["a", "b.c", "d"];
    for message in &messages {
        let topic = topics[random.usize(0..3)];
        client.say_bytes(format!("send {topic} {message}\n").as_bytes());
    }
    assert_eq!(client.barrier(), Vec::<String>::new(), "seed {seed}");
    first.signal(Signal::TERM);
    assert!(first.wait().success());
    let mut second = server("second");
    let count = messages.len().to_string();
    let mut recv = Command::new(binary())
        .args(["recv", ">", "-n", &count, "--raw"])
        .env("LINEBUS_URL", second.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut joined = String::new();
    let errors = recv.stderr.take().expect("it is a pipe");
    BufReader::new(errors).read_line(&mut joined).expect("it says so");
    let rec = folder.path().join("first/rec");
    let rec = rec.to_str().expect("it is text");
    let replayed = Command::new(binary())
        .args(["replay", rec, "--speed", "max"])
        .env("LINEBUS_URL", second.url())
        .output()
        .expect("it can be started");
    assert!(replayed.status.success(), "{replayed:?}");
    let mut heard = String::new();
    recv.stdout.take().expect("it is a pipe").read_to_string(&mut heard).expect("it is text");
    assert!(recv.wait().expect("it is our child").success());
    let expected: String = messages.iter().map(|message| format!("{message}\n")).collect();
    assert!(heard == expected, "seed {seed}");
    // What was recorded of it says the same, but for the times.
    second.signal(Signal::TERM);
    assert!(second.wait().success());
    let said = |name: &str| {
        let output = run(&[
            "log",
            folder.path().join(name).to_str().expect("it is text"),
            "--format",
            "{user} {topic} {message}",
        ]);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        output.stdout
    };
    assert!(said("first/rec") == said("second/rec"), "seed {seed}");
}

#[test]
fn a_dry_run_prints_what_would_be_sent() {
    let (_folder, path) = record();
    let expected =
        "send rooms.vienna lights on\nsend rooms.lisbon  two  blanks \nsend jobs grüezi 🙂\n";
    prints(&["replay", &path, "--dry-run"], expected);
    let elsewhere = "send t lights on\nsend t grüezi 🙂\n";
    prints(&["replay", &path, "--dry-run", "--to-topic", "t", "--user", "alice"], elsewhere);
}

#[test]
fn a_replay_keeps_the_pace_or_is_so_many_times_as_fast() {
    let (_folder, path) = record();
    let server = Server::on_free_port(binary());
    let mut receiver = server.telnet();
    receiver.ask("recv elsewhere", "ok recv elsewhere");
    for (speed, least) in [("1", 1_000), ("4", 250), ("max", 0)] {
        let began = Instant::now();
        let output = Command::new(binary())
            .args([
                "replay",
                &path,
                "--speed",
                speed,
                "--topic",
                "rooms.>",
                "--to-topic",
                "elsewhere",
            ])
            .env("LINEBUS_URL", server.url())
            .output()
            .expect("it can be started");
        assert!(output.status.success(), "{output:?}");
        assert!(began.elapsed() >= Duration::from_millis(least), "{speed}");
        receiver.expect("recv elsewhere lights on");
        receiver.expect("recv elsewhere  two  blanks ");
    }
}

#[test]
fn a_replay_needs_the_right_to_send_and_stops_where_it_has_none() {
    let (folder, path) = record();
    let rules = Rules { send: lists(&["rooms.vienna"], &[]), ..Rules::default() };
    users::write(folder.path(), &[TestUser::new("alice", "long enough", rules)]);
    let bus = folder.path().join("bus");
    std::fs::create_dir(&bus).expect("it can be made");
    let server = Server::configured(binary(), &bus, "users = \"../users.toml\"\n");
    let url = format!("linebus://alice:long%20enough@{}", server.addresses[0]);
    for arguments in
        [&["replay", &path, "--speed", "max"][..], &["replay", &path, "--speed", "1000"]]
    {
        let output = Command::new(binary()).args(arguments).env("LINEBUS_URL", &url).output();
        let output = output.expect("it can be started");
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("you may not send to rooms.lisbon"), "{errors}");
        assert!(errors.contains("the replay has stopped"), "{errors}");
    }
    let output = Command::new(binary())
        .args(["replay", &path, "--user", "alice", "--topic", "rooms.>", "--speed", "max"])
        .env("LINEBUS_URL", &url)
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{output:?}");
}
