//! What nobody should do to a bus, done to the real server: a clear answer, nothing lost for
//! others, bounded memory.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use linebus_testkit::bystanders::Bystanders;
use linebus_testkit::process::{Server, signal};
use linebus_testkit::telnet::Telnet;
use rustix::process::Signal;

use crate::binary;

const MIB: usize = 1 << 20;

fn server() -> Server {
    Server::on_free_port(binary())
}

/// A server with a configuration.
fn configured(folder: &tempfile::TempDir, text: &str) -> Server {
    Server::configured(binary(), folder.path(), text)
}

#[test]
fn a_line_of_ten_megabytes_is_refused_once_and_not_kept() {
    let server = server();
    let mut others = Bystanders::on(&server);
    let mut client = server.telnet();
    others.talk();
    let before = server.memory();
    for _ in 0..10 {
        client.say_bytes(&vec![b'x'; MIB]);
        others.talk();
    }
    client.say("");
    client.expect(
        "error line too-long a line has at most 65536 bytes; the rest of it was thrown away",
    );
    assert_eq!(client.barrier(), Vec::<String>::new());
    let grown = server.memory_peak().saturating_sub(before);
    assert!(grown < 4 * MIB, "{grown} bytes");
}

#[test]
fn a_stream_without_any_newline_is_read_and_forgotten() {
    let server = server();
    let mut others = Bystanders::on(&server);
    others.talk();
    let before = server.memory();
    let mut client = server.telnet();
    for _ in 0..64 {
        client.say_bytes(&vec![b' '; MIB]);
    }
    others.talk();
    let grown = server.memory_peak().saturating_sub(before);
    assert!(grown < 4 * MIB, "{grown} bytes");
}

#[test]
fn binary_garbage_gets_errors_and_disturbs_nobody() {
    let server = server();
    let mut others = Bystanders::on(&server);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20 {
        let mut client = server.telnet();
        let garbage: Vec<u8> = (0..100_000).map(|_| random.u8(..)).collect();
        client.say_bytes(&garbage);
        // It may be amid an overlong line or a telnet command; a line's end or two end both.
        client.say_bytes(b"\xff\xf0\n\nping end\n");
        loop {
            // Answers to telnet's questions are no text, so bytes are read.
            let mut line = Vec::new();
            let n = BufRead::read_until(&mut client.socket, b'\n', &mut line);
            assert!(n.expect("the connection holds") > 0, "the connection holds");
            if line.ends_with(b"pong end\n") {
                break;
            }
        }
        others.talk();
    }
}

#[test]
fn a_real_tls_hello_gets_one_plain_explanation() {
    // The beginning of what a TLS 1.3 client sends (RFC 8448, 3).
    let hello = b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03\xcb\x34\xec\xb1\xe7\x81\x63\xba\x1c";
    let server = server();
    let mut client = server.telnet();
    client.say_bytes(hello);
    client.expect("bye not-lines this port speaks plain lines, not TLS; try `telnet` or `nc`");
    assert_eq!(client.hear(), None);
}

#[test]
fn joins_beyond_the_limit_are_refused_a_hundred_thousand_times() {
    let server = server();
    let mut client = server.telnet();
    let mut writer = client.socket.get_ref().try_clone().expect("a socket can be cloned");
    let joins = 100_000;
    let saying = std::thread::spawn(move || {
        for i in 0..joins {
            if i % 1000 == 0 {
                writer.flush().expect("it is connected");
            }
            writer.write_all(format!("recv t{i}\n").as_bytes()).expect("the server takes it");
        }
    });
    for i in 0..joins {
        let line = client.hear().expect("every join is answered");
        if i < 4096 {
            assert_eq!(line, format!("ok recv t{i}"));
        } else {
            assert!(line.starts_with("error recv too-many "), "{line}");
        }
    }
    saying.join().expect("it does not fail");
    client.say("topics");
    let count =
        std::iter::from_fn(|| client.hear()).take_while(|l| l.starts_with("topic ")).count();
    assert_eq!(count, 4096);
}

#[test]
fn connections_that_say_nothing_cost_little() {
    let server = server();
    let mut others = Bystanders::on(&server);
    others.talk();
    let before = server.memory();
    // Each is a file descriptor here, too.
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("the limit can be raised");
    let count = 10_000.min(files.saturating_sub(2_000) as usize / 2);
    assert!(count >= 1_000, "a limit of {files} files is too low for this test");
    let silent: Vec<_> = (0..count).map(|_| server.telnet()).collect();
    others.talk();
    let each = server.memory().saturating_sub(before) / count;
    assert!(each < 4096, "{each} bytes each");
    drop(silent);
    others.talk();
}

#[test]
fn answers_that_nobody_reads_are_bounded_and_end_in_bye_slow() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = configured(
        &folder,
        "[limits]\noutbox_soft_bytes = 1000000\noutbox_hard_bytes = 4000000\nsessions_bytes_max = 40000000\ndrain_ms = 50\n",
    );
    let mut others = Bystanders::on(&server);
    let client = server.telnet();
    let mut socket = client.socket.into_inner();
    let questions = "help\n".repeat(10_000);
    // Until the server stops reading and closes; its answers stay unread.
    let mut written = 0;
    while socket.write_all(questions.as_bytes()).is_ok() {
        written += questions.len();
        assert!(written < 1_000 * MIB, "the server reads for ever");
        others.talk();
    }
    assert!(server.memory_peak() < 64 * MIB, "{} bytes", server.memory_peak());
    others.talk();
}

#[test]
fn a_disconnect_in_mid_line_sends_nothing() {
    let server = server();
    let mut others = Bystanders::on(&server);
    let mut half = server.telnet();
    half.say_bytes(b"send bystanders half a li");
    half.socket.get_ref().shutdown(std::net::Shutdown::Write).expect("it is connected");
    assert_eq!(half.hear(), None);
    others.talk();
}

#[test]
fn a_suspended_receiver_costs_its_neighbours_little_and_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = configured(
        &folder,
        "[limits]\noutbox_soft_bytes = 1000000\noutbox_hard_bytes = 8000000\nsessions_bytes_max = 80000000\n",
    );
    let (mut suspended, mut healthy, mut sender) =
        (server.telnet(), server.telnet(), server.telnet());
    suspended.ask("recv t", "ok recv t");
    healthy.ask("recv t", "ok recv t");
    let lines = 200_000;
    let sending = std::thread::spawn(move || {
        let payload = "x".repeat(120);
        for batch in 0..lines / 100 {
            let batch: String =
                (0..100).map(|i| format!("send t {} {payload}\n", batch * 100 + i)).collect();
            sender.say_bytes(batch.as_bytes());
        }
    });
    for i in 0..lines {
        let line = healthy.hear().expect("the healthy one is served");
        assert!(line.starts_with(&format!("recv t {i} ")), "line {i}: {line}");
    }
    sending.join().expect("the sender is never closed");
    // The suspended one wakes up: an unbroken run of lines, then the reason.
    let mut heard = 0;
    loop {
        let line = suspended.hear().expect("it is told why");
        if line.starts_with("bye ") {
            assert!(line.starts_with("bye slow "), "{line}");
            break;
        }
        assert!(line.starts_with(&format!("recv t {heard} ")), "no hole: {line}");
        heard += 1;
    }
    assert!(heard < lines, "it was cut off");
    assert_eq!(suspended.hear(), None);
}

#[test]
fn a_receiver_that_is_stopped_delays_the_others_half_a_second_once() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = configured(
        &folder,
        "[limits]\noutbox_soft_bytes = 1000000\noutbox_hard_bytes = 100000000\n",
    );
    let mut command = Command::new(binary());
    command.args(["recv", "t"]).env("LINEBUS_URL", server.url());
    let mut stopped =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let mut said = String::new();
    let mut errors = BufReader::new(stopped.stderr.take().expect("it is a pipe"));
    errors.read_line(&mut said).expect("it says that it has joined");
    assert_eq!(said, "linebus: joined t\n");
    signal(&stopped, Signal::STOP);
    let (mut healthy, mut sender) = (server.telnet(), server.telnet());
    healthy.ask("recv t", "ok recv t");
    let lines = 100_000;
    let sending = std::thread::spawn(move || {
        let text: String =
            (0..lines).map(|i| format!("send t {i} {}\n", "x".repeat(120))).collect();
        sender.say_bytes(text.as_bytes());
        sender
    });
    let mut gaps = Vec::new();
    for i in 0..lines {
        let began = Instant::now();
        let line = healthy.hear().expect("the healthy one is served");
        assert!(line.starts_with(&format!("recv t {i} ")), "line {i}: {line}");
        gaps.push(began.elapsed());
    }
    drop(sending.join().expect("the sender is never closed"));
    gaps.sort();
    let [.., fourth, _, _, longest] = gaps[..] else { panic!("there are many") };
    // It is waited for once, and not longer than it should be; a busy machine may add a pause or two,
    // but a bus that waited for each megabyte would make a dozen.
    let (wait, room) = (Duration::from_millis(400), Duration::from_secs(5));
    assert!(longest > wait && longest < room && fourth < wait, "{longest:?}, {fourth:?}");
    signal(&stopped, Signal::KILL);
    stopped.wait().expect("it is our child");
}

#[test]
fn out_of_file_descriptors_accepting_pauses_and_resumes() {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n 40; exec {} serve --listen 127.0.0.1:0", binary().display());
    command.args(["-c", &script]);
    let server = Server::spawn(command);
    let mut others = Bystanders::on(&server);
    // More than it can accept; the kernel takes them all.
    let mut waiting: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(server.addresses[0]).expect("the kernel takes it"))
        .collect();
    others.talk();
    let last = waiting.pop().expect("there are many");
    drop(waiting);
    others.talk();
    let mut hello = [0; 5];
    (&last).read_exact(&mut hello).expect("accepting resumes");
    assert_eq!(&hello, b"hello");
}

#[test]
fn more_connections_than_allowed_are_told_so() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = configured(&folder, "[limits]\nconnections_max = 2\n");
    let (first, mut second, mut third) = (server.telnet(), server.telnet(), server.telnet());
    third.expect("bye busy all 2 connections are taken; try again later");
    assert_eq!(third.hear(), None);
    second.ask("ping", "pong");
    drop(first);
}

#[test]
fn a_crowd_that_says_nothing_is_told_goodbye_and_does_not_hold_the_end() {
    rlimit::increase_nofile_limit(4_096).expect("the limit can be raised");
    let mut server = server();
    let mut crowd: Vec<_> = (0..1_000).map(|_| server.telnet()).collect();
    server.signal(Signal::TERM);
    for client in &mut crowd {
        client.expect("note shutdown the bus stops");
        client.expect("bye shutdown the bus stops");
    }
    assert!(TcpStream::connect(server.addresses[0]).is_err(), "nobody is accepted");
    // None of them closes its half, so the server does not wait for that.
    assert!(server.wait().success(), "exit 0");
}

#[test]
fn one_read_for_hundreds_who_do_not_read_stays_in_the_budget() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    let config = "listen = [\"127.0.0.1:0\"]\nunix = \"bus.sock\"\nthreads = 1\n[limits]\n\
                  outbox_hard_bytes = 16000000\nsessions_bytes_max = 16000000\n";
    std::fs::write(&file, config).expect("the folder can be written");
    let server = Server::start(binary(), &["--config", file.to_str().expect("it is UTF-8")]);
    // The kernel keeps little for a Unix socket.
    let mut suspended: Vec<_> = (0..400)
        .map(|_| {
            let socket = UnixStream::connect(folder.path().join("bus.sock")).expect("it listens");
            Telnet::greeted(BufReader::new(socket))
        })
        .collect();
    for receiver in &mut suspended {
        receiver.ask("recv t", "ok recv t");
    }
    let mut sender = server.telnet();
    let before = server.memory();
    let lines = format!("send t {}\n", "x".repeat(1_000)).repeat(100);
    for _ in 0..20 {
        // 100 kB for each: 40 MB beyond the budget, if they were all kept before anybody is cut off.
        sender.say_bytes(lines.as_bytes());
        sender.ask("ping", "pong");
    }
    let grown = server.memory_peak().saturating_sub(before);
    // What the allocator keeps comes on top.
    assert!(grown < 40 * MIB, "{grown} bytes");
}
