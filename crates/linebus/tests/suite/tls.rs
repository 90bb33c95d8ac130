//! The real binary over TLS: the command line as a client, and clients that are slow, silent or
//! have come to the wrong port.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use linebus_testkit::certificates::{Authority, Identity};
use linebus_testkit::process::Server;
use linebus_testkit::telnet::Telnet;
use linebus_testkit::tls::{self, TlsStream};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

/// A bus with a plain port and a TLS port, whose certificate is for `localhost`.
struct Bus {
    server: Server,
    authority: Authority,
    folder: TempDir,
}

impl Bus {
    /// `more` are lines of the configuration, before its `[tls]` table and in it.
    fn start(more: &str, more_tls: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let authority = Authority::new("ours");
        authority.server(&["localhost"]).write(folder.path(), "bus");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("the folder can be written");
            path
        };
        write("ca.pem", &authority.pem());
        let file = write(
            "linebus.toml",
            &format!(
                "listen = [\"127.0.0.1:0\"]\n{more}\n[tls]\nlisten = [\"127.0.0.1:0\"]\n\
                 certificate = \"bus.pem\"\nkey = \"bus.key\"\n{more_tls}\n"
            ),
        );
        let file = file.to_str().expect("its name is UTF-8");
        let server = Server::start(binary(), &["--config", file]);
        Self { server, authority, folder }
    }

    fn url(&self) -> String {
        format!("linebuss://localhost:{}", self.server.tls_addresses[0].port())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("its name is UTF-8").to_owned()
    }

    fn telnet(&self) -> Telnet<TlsStream> {
        let config = tls::client(&self.authority.pem(), None);
        tls::telnet(self.server.tls_addresses[0], "localhost", config)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).env("LINEBUS_URL", self.url()).stdin(Stdio::null());
        command
    }

    fn write(&self, identity: &Identity, name: &str) -> (PathBuf, PathBuf) {
        identity.write(self.folder.path(), name)
    }
}

#[track_caller]
fn check_fails(command: &mut Command, code: i32, expected: &str) {
    let Output { status, stderr, .. } = command.output().expect("it can be started");
    let errors = String::from_utf8(stderr).expect("errors are text");
    assert!(errors.contains(expected), "{errors}");
    assert_eq!(status.code(), Some(code), "{errors}");
}

#[test]
fn the_command_line_speaks_tls() {
    let bus = Bus::start("", "");
    let ca = bus.path("ca.pem");
    let mut receiver = bus.command(&["--ca", &ca, "recv", "t", "--count", "2", "--raw"]);
    let mut receiver =
        receiver.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let mut joined = String::new();
    let mut errors = BufReader::new(receiver.stderr.take().expect("it is a pipe"));
    errors.read_line(&mut joined).expect("it says so");
    assert_eq!(joined, "linebus: joined t\n");
    let sent = bus.command(&["send", "t", "over", "TLS"]).env("LINEBUS_CA", &ca).output();
    assert!(sent.expect("it can be started").status.success());
    // Those who came by the plain port are on the same bus.
    bus.server.telnet().ask("send t plain\nping", "pong");
    let mut heard = String::new();
    receiver.stdout.take().expect("it is a pipe").read_to_string(&mut heard).expect("text");
    assert_eq!(heard, "over TLS\nplain\n");
    assert!(receiver.wait().expect("it is our child").success());
}

#[test]
fn who_is_not_trusted_or_at_the_wrong_port_is_told_what_to_do() {
    let bus = Bus::start("", "");
    let ca = bus.path("ca.pem");
    std::fs::write(bus.path("other.pem"), Authority::new("theirs").pem()).expect("written");
    let other = bus.path("other.pem");
    check_fails(&mut bus.command(&["ping", "--ca", &other]), 3, "with --ca FILE");
    check_fails(&mut bus.command(&["ping"]), 3, "--ca FILE");
    check_fails(&mut bus.command(&["ping", "--ca", &bus.path("none")]), 3, "none: No such file");
    let url = bus.url().replace("localhost", "127.0.0.1");
    check_fails(
        bus.command(&["ping", "--ca", &ca]).env("LINEBUS_URL", url),
        3,
        "its certificate is for localhost, not for 127.0.0.1; use such a name in the URL",
    );
    let plain = bus.server.url();
    check_fails(
        bus.command(&["ping", "--ca", &ca]).env("LINEBUS_URL", plain.replace("bus:", "buss:")),
        3,
        "that port speaks plain lines, not TLS; use linebus:// there",
    );
    let plain = format!("linebus://{}", bus.server.tls_addresses[0]);
    check_fails(
        bus.command(&["ping"]).env("LINEBUS_URL", plain),
        3,
        "this port speaks TLS; use linebuss://",
    );
    check_fails(&mut bus.command(&["ping", "--cert", &ca]), 2, "--key <FILE>");
    check_fails(&mut bus.command(&["bench"]), 3, "with --ca FILE");
    let unix = bus.path("none");
    check_fails(
        bus.command(&["bench"]).env("LINEBUS_URL", format!("unix:{unix}")),
        2,
        "bench measures over TCP; name a bus as linebus://host:port",
    );
}

#[test]
fn bench_measures_over_tls() {
    let bus = Bus::start("", "");
    let output = bus.command(&["bench", "--seconds", "0.1", "--ca", &bus.path("ca.pem")]).output();
    let Output { status, stdout, stderr } = output.expect("it can be started");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let measured = String::from_utf8_lossy(&stdout);
    assert!(measured.contains(" deliveries/s") && measured.contains("p99.9"), "{measured}");
}

#[test]
fn a_bus_may_want_a_certificate_of_its_clients() {
    let bus = Bus::start("", "client_ca = \"ca.pem\"\nclient_certificate_required = true");
    let ca = bus.path("ca.pem");
    bus.write(&bus.authority.client("alice"), "alice");
    bus.write(&Authority::new("theirs").client("alice"), "mallory");
    let ping = |name: &str| {
        let (certificate, key) =
            (bus.path(&format!("{name}.pem")), bus.path(&format!("{name}.key")));
        let mut command = bus.command(&["--ca", &ca, "ping", "-c", "1"]);
        command.args(["--cert", &certificate, "--key", &key]);
        command
    };
    assert!(ping("alice").output().expect("it can be started").status.success());
    check_fails(&mut ping("mallory"), 3, "the bus does not accept this client's certificate");
    check_fails(
        &mut bus.command(&["--ca", &ca, "ping"]),
        3,
        "give it with --cert FILE and --key FILE",
    );
    check_fails(&mut ping("bus"), 3, "the bus does not accept this client's certificate");
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let bus = Bus::start("", "");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = tls::client_of(&[version], &bus.authority.pem(), None);
        let mut client = tls::telnet(bus.server.tls_addresses[0], "localhost", config);
        client.ask("recv t", "ok recv t");
        bus.server.telnet().ask("send t hello\nping", "pong");
        client.expect("recv t hello");
        client.ask("logoff", "bye logoff see you");
        assert_eq!(client.hear(), None, "with close_notify");
    }
}

#[test]
fn a_slow_receiver_gets_every_byte_in_order_when_it_reads() {
    let bus = Bus::start("", "");
    let (mut receiver, mut sender) = (bus.telnet(), bus.telnet());
    receiver.ask("recv t", "ok recv t");
    let lines = 100_000;
    let text: String = (0..lines).map(|i| format!("send t {i} {}\n", "x".repeat(90))).collect();
    sender.say_bytes(text.as_bytes());
    assert_eq!(sender.barrier(), Vec::<String>::new());
    for i in 0..lines {
        let line = receiver.hear().expect("it is written");
        assert!(line.starts_with(&format!("recv t {i} ")), "{line}");
    }
    // In both directions at once: what it says meanwhile is heard.
    receiver.ask("ping", "pong");
}

#[test]
fn beyond_the_hard_mark_there_is_a_goodbye() {
    let bus = Bus::start(
        "[limits]\noutbox_soft_bytes = 1000000\noutbox_hard_bytes = 4000000\ndrain_ms = 10",
        "",
    );
    let (mut receiver, mut sender) = (bus.telnet(), bus.telnet());
    receiver.ask("recv t", "ok recv t");
    let line = format!("send t {}\n", "x".repeat(60_000));
    for _ in 0..400 {
        sender.say_bytes(line.as_bytes());
    }
    assert_eq!(sender.barrier(), Vec::<String>::new());
    let mut last = String::new();
    while let Some(line) = receiver.hear() {
        assert!(line.len() > 60_000 || line.starts_with("bye "), "no part of a line: {line:.20}");
        last = line;
    }
    assert!(last.starts_with("bye slow "), "{last:.20}");
}

#[test]
fn at_the_end_what_waits_is_written_and_the_stream_ends_decently() {
    let mut bus = Bus::start("", "");
    let (mut receiver, mut sender) = (bus.telnet(), bus.telnet());
    // Somebody who never finishes the handshake holds up neither others nor the end.
    let mut silent = TcpStream::connect(bus.server.tls_addresses[0]).expect("it listens");
    silent.write_all(b"\x16\x03").expect("it is connected");
    receiver.ask("recv t", "ok recv t");
    let lines = 50_000;
    let text: String = (0..lines).map(|i| format!("send t {i} {}\n", "x".repeat(90))).collect();
    sender.say_bytes(text.as_bytes());
    assert_eq!(sender.barrier(), Vec::<String>::new());
    bus.server.signal(Signal::TERM);
    for i in 0..lines {
        let line = receiver.hear().expect("it is written");
        assert!(line.starts_with(&format!("recv t {i} ")), "{line}");
    }
    for client in [&mut receiver, &mut sender] {
        client.expect("note shutdown the bus stops");
        client.expect("bye shutdown the bus stops");
        assert_eq!(client.hear(), None, "with close_notify");
    }
    drop((receiver, sender));
    assert!(bus.server.wait().success(), "exit 0");
}

#[test]
fn a_client_that_vanishes_is_gone() {
    let bus = Bus::start("", "");
    let mut watcher = bus.telnet();
    watcher.ask("recv $bus.clients", "ok recv $bus.clients");
    for decent in [true, false] {
        let mut client = bus.telnet();
        client.ask("login bob", "ok login bob");
        let joined = watcher.hear().expect("it is told");
        assert!(joined.starts_with("recv $bus.clients joined bob "), "{joined}");
        if decent {
            tls::close(client.socket.get_mut());
            assert_eq!(client.hear(), None, "answered with close_notify");
        }
        drop(client);
        let left = watcher.hear().expect("it is told");
        assert!(left.starts_with("recv $bus.clients left bob "), "{left}");
        assert!(left.ends_with(" gone"), "{left}");
    }
}

#[test]
fn beyond_loopback_tls_alone_does_not_make_a_bus_safe() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    Authority::new("ours").server(&["localhost"]).write(folder.path(), "bus");
    let text = "listen = []\n[tls]\nlisten = [\"0.0.0.0:0\"]\ncertificate = \"bus.pem\"\nkey = ";
    std::fs::write(&file, format!("{text}\"bus.key\"")).expect("it can be written");
    let mut serve = Command::new(binary());
    check_fails(serve.args(["serve", "--config"]).arg(&file), 1, "--open-to-the-network");
    std::fs::write(&file, format!("{text}\"bus.pem\"")).expect("it can be written");
    for arguments in [&["check"][..], &["serve", "--config"]] {
        let mut command = Command::new(binary());
        check_fails(command.args(arguments).arg(&file), 1, "linebus.toml: line 5: tls.key: ");
    }
}
