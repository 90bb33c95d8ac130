//! What has happened to other buses, tried on this one: a test for each class of incident that
//! their advisories and issue trackers tell of, named after the class. Where a class has more
//! tests, SECURITY.md says which.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use linebus_protocol::Verb;
use linebus_testkit::bystanders::Bystanders;
use linebus_testkit::certificates::Authority;
use linebus_testkit::http;
use linebus_testkit::process::{Server, cpu_time};
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::telnet::Telnet;
use linebus_testkit::tls;
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

const MIB: usize = 1 << 20;

/// `root` may do everything, `mallory` everything but what begins with `secret`, `nobody` nothing.
fn accounts() -> [TestUser; 3] {
    let everything = || lists(&[">"], &[]);
    let no_secrets = || lists(&[">"], &["secret", "secret.>"]);
    let root = Rules { send: everything(), recv: everything(), see: true };
    let mallory = Rules { send: no_secrets(), recv: no_secrets(), see: false };
    [
        TestUser::new("root", "secret", root),
        TestUser::new("mallory", "secret", mallory),
        TestUser::new("nobody", "secret", Rules::default()),
    ]
}

/// A server with those accounts; `more` is more of its configuration, top-level keys first.
fn server(more: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    users::write(folder.path(), &accounts());
    let config = format!("users = \"users.toml\"\nmetrics = \"127.0.0.1:0\"\n{more}\n");
    let server = Server::configured(binary(), folder.path(), &config);
    (server, folder)
}

fn bystanders(server: &Server) -> Bystanders {
    Bystanders::between(server.login("root"), server.login("root"))
}

/// Everything that is heard until the server closes.
fn to_the_end<S: Read + Write>(client: &mut Telnet<S>) -> Vec<String> {
    std::iter::from_fn(|| client.hear()).collect()
}

fn linebus(server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    let url = format!("linebus://root:secret@{}", server.addresses[0]);
    command.args(arguments).env("LINEBUS_URL", url).output().expect("it can be started")
}

/// What a server says that refuses to start.
fn refusal(folder: &Path, config: &str) -> String {
    let mut command = Server::configured_command(binary(), folder, config);
    let output = command.output().expect("it can be started");
    assert!(!output.status.success(), "it should not start with {config}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Thousands of strangers with the longest unfinished line, or with answers that they do not read.
#[test]
fn pre_auth_memory() {
    let (server, _folder) = server("[limits]\nlogin_timeout_ms = 600000");
    let mut others = bystanders(&server);
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("the limit can be raised");
    let count = 5_000.min(files.saturating_sub(2_000) as usize / 2);
    assert!(count >= 1_000, "a limit of {files} files is too low for this test");
    others.talk();
    let before = server.memory();
    let strangers: Vec<_> = (0..count)
        .map(|number| {
            let mut stranger = server.telnet();
            let half = if number % 2 == 0 { "help\n".repeat(9) } else { "x".repeat(511) };
            stranger.say_bytes(half.as_bytes());
            stranger
        })
        .collect();
    others.talk();
    let each = server.memory_peak().saturating_sub(before) / count;
    assert!(each < 8 << 10, "{each} bytes each");
    drop(strangers);
}

/// Nothing is ever inflated.
#[test]
fn compression_bomb() {
    let (server, _folder) = server("");
    let mut others = bystanders(&server);
    let mut mallory = server.login("mallory");
    let before = server.memory();
    // The head of a gzip stream (RFC 1952, 2.3), and as many bytes as would make a large one.
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &vec![b'\0'; MIB]].concat();
    mallory.say_bytes(&bomb);
    mallory.ask(
        "",
        "error line too-long a line has at most 65536 bytes; the rest of it was thrown away",
    );
    let head = "GET /metrics HTTP/1.1\r\nHost: bus\r\nAccept-Encoding: gzip, br\r\n\
                Content-Encoding: gzip\r\nConnection: close\r\n";
    let head = format!("{head}Content-Length: {}\r\n\r\n", bomb.len());
    let address = server.http.expect("metrics are shown");
    let answer = http::request(address, &[head.as_bytes(), &bomb].concat());
    assert!(answer.is_none_or(|(status, text)| status != 200 || text.starts_with("# ")));
    others.talk();
    let grown = server.memory_peak().saturating_sub(before);
    assert!(grown < 2 * MIB, "{grown} bytes");
}

/// Every verb before the login, with every kind of arguments, and twice.
#[test]
fn pre_auth_panic() {
    let (server, _folder) = server("[limits]\nlogin_lines_max = 1000\nlogin_failures_max = 1000");
    let mut others = bystanders(&server);
    for verb in Verb::all() {
        let name = verb.name();
        if name == "login" {
            continue; // a wrong one is answered slowly; its forms are tried below
        }
        let mut client = server.telnet();
        for arguments in ["", " ", " x", " x y", " > *", " \u{1f574} x", " x x x x x", " $ $"] {
            for _ in 0..2 {
                client.say(&format!("{name}{arguments}"));
            }
        }
        let heard = if name == "logoff" { to_the_end(&mut client) } else { client.barrier() };
        assert!(!heard.is_empty() && heard.iter().all(|line| !line.starts_with("bye error")));
    }
    let mut client = server.telnet();
    for arguments in ["", " ", " root", " \u{1f574} x", " root ", " root secret "] {
        client.say(&format!("login{arguments}"));
        assert!(client.hear().is_some_and(|answer| answer.starts_with("error login ")));
    }
    client.ask("login root secret", "ok login root");
    client.ask("login root secret", "ok login root");
    others.talk();
}

/// Bytes that are no lines cost no processor time while nothing more comes.
#[test]
fn unterminated_or_foreign_bytes() {
    let (server, _folder) = server("[limits]\nlogin_timeout_ms = 1000");
    let garbage: [&[u8]; 5] =
        [&[b'x'; 4096], b"\x16\x03\x01\x40\0\x01", b"\xff\xfa\x18", b"\r\r\r\r", b"\xef\xbb\xbf"];
    let mut clients: Vec<_> = garbage.iter().map(|_| server.telnet()).collect();
    for (client, garbage) in clients.iter_mut().zip(garbage) {
        client.say_bytes(garbage);
    }
    // Nobody finishes a line, so the time to log in passes.
    let before = cpu_time(server.id());
    for client in &mut clients {
        let last = to_the_end(client).pop().expect("it is told why");
        assert!(last.starts_with("bye login-timeout ") || last.starts_with("bye not-lines "));
    }
    let used = cpu_time(server.id()) - before;
    assert!(used < Duration::from_millis(500), "{used:?} of one second");
}

/// Every listener wants a login, whatever comes first.
#[test]
fn auth_bypass_by_odd_path() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let authority = Authority::new("ours");
    authority.server(&["localhost"]).write(folder.path(), "bus");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("it can be written");
    users::write(folder.path(), &accounts());
    let config = "listen = [\"127.0.0.1:0\"]\nusers = \"users.toml\"\nunix = \"bus.sock\"\n[tls]\nlisten = [\"127.0.0.1:0\"]\n\
                  certificate = \"bus.pem\"\nkey = \"bus.key\"\nclient_ca = \"ca.pem\"\n\
                  [limits]\nlogin_failures_max = 1000\nlogin_lines_max = 1000\n";
    let file = folder.path().join("linebus.toml");
    std::fs::write(&file, config).expect("it can be written");
    let file = file.to_str().expect("its name is UTF-8");
    let server = Server::start(binary(), &["--config", file]);
    // A certificate for somebody who has no account opens nothing.
    let config = tls::client(&authority.pem(), Some(&authority.client("stranger")));
    let over_unix = UnixStream::connect(folder.path().join("bus.sock")).expect("it listens");
    check_that_nothing_opens(server.telnet(), "login root");
    check_that_nothing_opens(Telnet::greeted(BufReader::new(over_unix)), "login guest");
    let over_tls = tls::telnet(server.tls_addresses[0], "localhost", config);
    check_that_nothing_opens(over_tls, "login stranger");
}

fn check_that_nothing_opens<S: Read + Write>(mut client: Telnet<S>, login: &str) {
    for line in ["recv t", "watch >", "send t x", "who", "topics", "leave t"] {
        client.say(line);
        let answer = client.hear().expect("it is answered");
        assert!(answer.contains(" login-first "), "{line}: {answer}");
    }
    // One only: who is wrong often waits long.
    client.say(login);
    let answer = client.hear().expect("it is answered");
    assert!(answer.starts_with("error login "), "{login}: {answer}");
}

/// Wildcards, groups, `watch`, the bus's own topics, odd names: no way around a denial. (That this
/// holds for any rules is the property test of the broker.)
#[test]
fn acl_holes() {
    let (server, _folder) = server("");
    let (mut root, mut mallory) = (server.login("root"), server.login("mallory"));
    for allowed in ["recv >", "recv *", "recv *.plan", "recv *.* workers"] {
        mallory.ask(allowed, &format!("ok {allowed}"));
    }
    for denied in [
        "recv secret",
        "recv secret.>",
        "recv secret.* workers",
        "recv secret.plan",
        "watch >",
        "watch secret.plan",
        "recv $bus.clients",
        "recv $bus.>",
        "who secret",
        "topics",
        "send secret.plan x",
    ] {
        mallory.say(denied);
        let answer = mallory.hear().expect("it is answered");
        assert!(answer.contains(" denied "), "{denied}: {answer}");
    }
    root.ask("send secret x\nsend secret.plan x\nping", "pong");
    assert_eq!(mallory.barrier(), Vec::<String>::new());
    root.say("send open.plan once");
    mallory.expect("recv open.plan once");
    // No rules: nothing is allowed.
    let mut nobody = server.login("nobody");
    nobody.say("recv t\nsend t x\nwho");
    assert!(nobody.barrier().iter().all(|answer| answer.contains(" denied ")));
    // A name is a name, not a pattern.
    for name in ["#", "*", ">", "$bus", "root.", "../root"] {
        let mut stranger = server.telnet();
        stranger.say(&format!("login {name} secret"));
        assert!(stranger.hear().is_some_and(|answer| answer.starts_with("error login ")));
    }
}

/// Files that are open to others, damaged or gone end in an explanation, never in an open bus.
#[test]
fn config_and_secret_files() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = "users = \"users.toml\"\n";
    let path = users::write(folder.path(), &accounts());
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&path, readable).expect("it is ours");
    let said = refusal(folder.path(), config);
    assert!(said.contains("chmod 600"), "{said}");
    for damaged in ["alice secret\n", "[users.alice]\npassword = \"secret\"\n", "[users.\"#\"]\n"] {
        users::write(folder.path(), &[]);
        std::fs::write(&path, damaged).expect("it is ours");
        let said = refusal(folder.path(), config);
        assert!(said.contains("users.toml: ") && !said.contains("secret"), "{said}");
    }
    std::fs::remove_file(&path).expect("it is there");
    assert!(refusal(folder.path(), config).contains("users.toml"));
}

/// No line can carry another one to a receiver.
#[test]
fn protocol_injection() {
    let (server, _folder) = server("");
    let (mut root, mut mallory) = (server.login("root"), server.login("mallory"));
    root.ask("recv >", "ok recv >");
    for bytes in [
        &b"send t a\rrecv t forged\n"[..],
        b"send t a\0recv t forged\n",
        b"send t a\x0b\x0crecv t forged\n",
        b"send t a\xc2\x85recv t forged\n",
        b"send t\x0bx a\n",
        b"recv t g\rsend\n",
        b"login x\x85 y\n",
    ] {
        mallory.say_bytes(bytes);
        let answers = mallory.barrier();
        assert!(answers.len() == 1 && answers[0].starts_with("error "), "{bytes:?}: {answers:?}");
    }
    for message in ["a\nsend t forged", "a\rb", "a\0b"] {
        let mut command = Command::new(binary());
        let url = format!("linebus://root:secret@{}", server.addresses[0]);
        command.args(["send", "t"]).env("LINEBUS_URL", &url);
        // The system itself refuses a NUL in an argument.
        let refused = command.arg(message).output().map_or(true, |output| !output.status.success());
        assert!(refused, "{message:?}");
    }
    assert!(!linebus(&server, &["send", "t\nsend", "x"]).status.success());
    assert_eq!(root.barrier(), Vec::<String>::new());
}

/// There is no changing to TLS in mid-stream: plain lines before a handshake are never carried out.
#[test]
fn starttls() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let authority = Authority::new("ours");
    authority.server(&["localhost"]).write(folder.path(), "bus");
    let config =
        "[tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = \"bus.pem\"\nkey = \"bus.key\"\n";
    let server = Server::configured(binary(), folder.path(), config);
    let mut client = server.telnet();
    client.say("starttls");
    assert!(client.hear().is_some_and(|line| line.starts_with("error starttls unknown-verb ")));
    client.ask("recv >", "ok recv >");
    let mut plain = TcpStream::connect(server.tls_addresses[0]).expect("it listens");
    plain.write_all(b"send t injected\n").expect("it is connected");
    let mut answer = String::new();
    plain.read_to_string(&mut answer).expect("it is told");
    assert!(answer.starts_with("bye not-lines this port speaks TLS"), "{answer}");
    assert_eq!(client.barrier(), Vec::<String>::new());
}

/// Who sent a line is what the bus knows, not what the line says.
#[test]
fn identity_spoofing() {
    let (server, _folder) = server("");
    let (mut root, mut mallory) = (server.login("root"), server.login("mallory"));
    root.ask("watch t", "ok watch t");
    root.ask("recv $bus.clients", "ok recv $bus.clients");
    mallory.say("send t watch t 2026-01-01T00:00:00.000000Z root hello");
    let mut heard = root.hear().expect("it is delivered");
    // That mallory has come in may be told just now.
    if heard.starts_with("recv $bus.clients joined mallory ") {
        heard = root.hear().expect("it is delivered");
    }
    let words: Vec<_> = heard.split(' ').collect();
    assert_eq!((words[0], words[1], words[3], words[4]), ("watch", "t", "mallory", "watch"));
    mallory.say("send $bus.clients joined root 1");
    assert!(mallory.hear().is_some_and(|answer| answer.starts_with("error send denied ")));
    mallory.ask("login root guess", "error login wrong-login user or password is wrong");
    mallory.say("send t still mallory");
    let heard = root.hear().expect("it is delivered");
    assert!(heard.contains(" mallory still mallory"), "{heard}");
}

/// As many kinds of wildcards as one connection may join, joined and left for ever, do not hold up
/// the topics that people use.
#[test]
fn stack_and_cpu_blow_up() {
    let (server, _folder) = server("threads = 1");
    let mut others = bystanders(&server);
    let mut mallory = server.login("mallory");
    let deep = ["a"; 30_000].join(".");
    mallory.say(&format!("recv {deep}"));
    assert!(mallory.hear().is_some_and(|answer| answer.starts_with("error recv ")));
    let mut joins = String::new();
    for number in 0..4_000 {
        let token = |bit: u32| if number >> bit & 1 == 1 { "*" } else { "a" };
        let tokens: Vec<_> = (0..15).map(token).collect();
        writeln!(joins, "recv {}.{}", tokens.join("."), if number > 2_000 { ">" } else { "a" })
            .expect("writing to memory does not fail");
    }
    mallory.say_bytes(joins.as_bytes());
    assert!(mallory.barrier().iter().all(|answer| answer.starts_with("ok recv ")));
    let mut root = server.login("root");
    root.ask("recv room.>", "ok recv room.>");
    let before = cpu_time(server.id());
    for round in 0..100 {
        // Forgets who hears what.
        mallory.say(&format!("recv x.*\nleave x.*\nsend {} x", ["a"; 16].join(".")));
        let mut lines = String::new();
        for topic in 0..100 {
            writeln!(lines, "send room.{topic}.light {round}").expect("memory is there");
        }
        others.talk();
        let mut sender = server.login("root");
        sender.say_bytes(lines.as_bytes());
        for topic in 0..100 {
            root.expect(&format!("recv room.{topic}.light {round}"));
        }
    }
    let used = cpu_time(server.id()) - before;
    assert!(used < Duration::from_secs(5), "{used:?} for 10 000 lines");
}

/// A thousand connections that trickle bytes but never a line.
#[test]
fn slow_attacks() {
    let (server, _folder) = server("[limits]\nlogin_timeout_ms = 3000");
    let mut others = bystanders(&server);
    rlimit::increase_nofile_limit(4_096).expect("the limit can be raised");
    let before = server.memory();
    let mut slow: Vec<_> = (0..1_000).map(|_| server.telnet()).collect();
    for byte in b"login root" {
        for client in &mut slow {
            // It may be over for the first of them already.
            let _ = client.socket.get_mut().write_all(&[*byte]);
        }
        others.talk();
    }
    for client in &mut slow {
        let last = to_the_end(client).pop().expect("it is told why");
        assert_eq!(last, "bye login-timeout you took too long to log in");
    }
    others.talk();
    let grown = server.memory_peak().saturating_sub(before);
    assert!(grown < 16 * MIB, "{grown} bytes");
}

/// Numbers that are too large are mistakes, not small numbers.
#[test]
fn arithmetic() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for number in ["18446744073709551616", "9223372036854775808", "9223372036854775807", "-1"] {
        for key in ["line_bytes_max", "outbox_soft_bytes", "drain_ms", "user_lines_per_second"] {
            let said = refusal(folder.path(), &format!("[limits]\n{key} = {number}\n"));
            assert!(said.contains("line 2"), "{said}");
        }
    }
    let (server, _folder) = server("");
    for arguments in [["-n", "18446744073709551616"], ["-n", "-1"], ["--timeout", "1e300"]] {
        let output = linebus(&server, &[&["recv", "t"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for length in ["18446744073709551616", "-1", "0x10"] {
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let answer = http::request(server.http.expect("it is shown"), request.as_bytes());
        assert!(answer.is_none_or(|(status, _)| status == 400), "{length}");
    }
}

/// Everything that takes a lock, at once, from many sides.
#[test]
fn deadlock_and_lock_order() {
    let (server, folder) = server("reload_on_change = false");
    let mut others = bystanders(&server);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let path = folder.path().join("users.toml");
    let users = std::fs::read_to_string(&path).expect("it was written");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (server, mut random) = (&server, fastrand::Rng::with_seed(seed ^ number));
            scope.spawn(move || {
                for _ in 0..30 {
                    let mut client = server.login("root");
                    for _ in 0..30 {
                        let line = match random.u8(..8) {
                            0 => "recv t\nrecv *.t g\nwatch >",
                            1 => "leave t\nleave *.t\nleave >",
                            2 => "send t x\nsend a.t x\nsend t y",
                            3 => "who\nwho t",
                            4 => "topics",
                            5 => "recv $bus.clients\nrecv $bus.stats",
                            6 => "login mallory secret\nrecv t",
                            _ => "ping",
                        };
                        client.say(line);
                    }
                    if random.bool() {
                        client.say("logoff");
                        assert_eq!(
                            to_the_end(&mut client).pop().as_deref(),
                            Some("bye logoff see you")
                        );
                    }
                }
            });
        }
        for number in 0..50 {
            let denied = if number % 2 == 0 { "\"t\", \"secret\"" } else { "\"secret\"" };
            std::fs::write(&path, users.replace("\"secret\"", denied)).expect("it can be written");
            server.signal(Signal::HUP);
            others.talk();
        }
    });
    others.talk();
}

/// Sessions that end in every state leave nothing behind.
#[test]
fn memory_by_protocol_state() {
    let (server, _folder) = server("threads = 1");
    let mut others = bystanders(&server);
    let states = [
        "",
        "log",
        "login root wrong\n",
        "login root secret\n",
        "login root secret\nrecv a\nrecv b.> g\nwatch c\nsend a ha",
        "login root secret\nsend a x\nlogoff\n",
        "GET / HTTP/1.1\r\n",
    ];
    let cycle = |others: &mut Bystanders, wrong_logins: usize| {
        for state in states {
            // Each right login costs both sides a hash, and wrong ones are slowed down more and more.
            let times = match state {
                wrong if wrong.contains("wrong") => wrong_logins,
                login if login.contains("login") => 20,
                _ => 100,
            };
            for _ in 0..times {
                server.telnet().say_bytes(state.as_bytes());
            }
        }
        others.talk();
    };
    (0..2).for_each(|number| cycle(&mut others, 1 - number));
    let before = server.memory();
    (0..5).for_each(|number| cycle(&mut others, usize::from(number == 0)));
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 2 * MIB, "{grown} bytes by 1 800 sessions");
    // They are gone as soon as the wrong login is answered.
    let began = Instant::now();
    let sessions = "linebus_connections";
    while http::metrics(server.http.expect("it is shown"))[sessions] != 2.0 {
        assert!(began.elapsed() < Duration::from_secs(30), "sessions stay");
    }
}

/// What one client says can't make another one fail.
#[test]
fn poison_data() {
    let (server, _folder) = server("");
    let mut others = bystanders(&server);
    let (mut root, mut mallory) = (server.login("root"), server.login("mallory"));
    root.ask("recv >", "ok recv >");
    for poison in
        [&b"\xff\xff\xff\xfe"[..], b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x1b[2J", b"\xed\xbf\xbf"]
    {
        mallory.say_bytes(&[b"send t ", poison, b"\nsend ", poison, b" x\n"].concat());
    }
    let answers = mallory.barrier();
    assert!(answers.iter().all(|answer| answer.starts_with("error ")), "{answers:?}");
    // Text that looks odd but is text arrives as it was sent.
    let odd = "\u{feff}\u{202e}\u{200b}\u{fffd}\u{10ffff} \u{301}";
    mallory.say(&format!("send t {odd}"));
    root.expect(&format!("recv t {odd}"));
    others.talk();
}

/// The only pages that the server has are read-only text without anything for scripts to use.
#[test]
fn web_console() {
    let (server, _folder) = server("");
    let address = server.http.expect("it is shown");
    let mut socket = TcpStream::connect(address).expect("it listens");
    let request = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n\
                   Connection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("it is text");
    let head = answer.split("\r\n\r\n").next().expect("there is a head").to_ascii_lowercase();
    assert!(head.contains("content-type: ") && !head.contains("text/html"), "{head}");
    for header in ["access-control-", "set-cookie", "upgrade"] {
        assert!(!head.contains(header), "{head}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"] {
        let request = format!("{method} /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = http::request(address, request.as_bytes());
        assert!(answer.is_none_or(|(status, _)| status >= 400), "{method}");
    }
    let answer = http::get(address, "/../../etc/passwd");
    assert_eq!(answer.0, 404);
}

/// What is built comes from the registry and is checked: licences, bans and sources in `cargo xtask
/// lint`.
#[test]
fn dependencies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).expect("it is there");
    let sources: BTreeSet<_> =
        lock.lines().filter_map(|line| line.strip_prefix("source = \"")).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("registry+")), "{sources:?}");
    let deny = std::fs::read_to_string(root.join("deny.toml")).expect("it is there");
    for rule in ["unknown-registry = \"deny\"", "unknown-git = \"deny\""] {
        assert!(deny.contains(rule), "{rule}");
    }
}
