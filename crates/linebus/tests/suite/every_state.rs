//! Hostile input in every state of a connection: before the login, after it, and while the server
//! drains its outboxes at the end. What the server did stands in SECURITY.md; this test compares it
//! with what it does, and `UPDATE=1` writes it there.

use std::fmt::Write as _;
use std::io::{BufRead, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use linebus_testkit::bystanders::Bystanders;
use linebus_testkit::process::Server;
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::telnet::Telnet;
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

const MIB: usize = 1 << 20;

/// More than this, and somebody can take the memory away.
const GROWTH_MAX: usize = 8 * MIB;

/// What somebody sends.
struct Hostile {
    name: &'static str,
    bytes: Vec<u8>,
    /// So many bytes in one write.
    piece: usize,
    /// Closes its half after the last byte, and hears only what comes until the end.
    hangs_up: bool,
}

fn hostile(name: &'static str, bytes: impl Into<Vec<u8>>) -> Hostile {
    Hostile { name, bytes: bytes.into(), piece: usize::MAX, hangs_up: false }
}

fn all() -> Vec<Hostile> {
    let tokens = ["t"; 17].join(".");
    let joins: String = (0..1_000_000).fold(String::new(), |mut text, number| {
        writeln!(text, "recv t{number}").expect("writing to memory does not fail");
        text
    });
    vec![
        hostile("a line of 10 MB", [&[b'x'; 10_000_000][..], b"\n"].concat()),
        hostile("64 MiB without a line's end", vec![b' '; 64 * MIB]),
        hostile("a login with a password of 1 MiB", format!("login x {}\n", "p".repeat(MIB))),
        hostile("NUL, ESC and BEL", *b"send t a\0b\nsend t \x1b[2J\nping \x07\n"),
        hostile(
            "invalid UTF-8: cut short, overlong, a surrogate",
            *b"ping \xc3\nping \xc0\xaf\nping \xed\xa0\x80\n",
        ),
        // The beginning of what a TLS 1.3 client sends (RFC 8448, 3).
        hostile("a TLS hello", *b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03\xcb\x34\xec\xb1"),
        hostile("an HTTP request", *b"POST / HTTP/1.1\r\nHost: bus\r\nContent-Length: 9\r\n\r\n"),
        // IAC DO ECHO, IAC WILL NAWS (RFC 854, 857, 1073).
        hostile("10 000 telnet negotiations", b"\xff\xfd\x01\xff\xfb\x1f".repeat(5_000)),
        hostile(
            "a telnet subnegotiation of 10 MB",
            [b"\xff\xfa\x1f", &vec![b'x'; 10_000_000][..], b"\xff\xf0"].concat(),
        ),
        hostile("CR alone between commands", *b"ping\rping\rping\n"),
        Hostile { piece: 1, ..hostile("a command byte by byte", *b"ping byte by byte\n") },
        hostile("10 000 empty lines", b"\r\n".repeat(10_000)),
        hostile("a million joins", joins),
        hostile("wildcards in `send`", *b"send a.* x\nsend > x\nsend * x\n"),
        hostile("topics of 17 tokens", format!("send {tokens} x\nrecv {tokens}\n")),
        hostile("empty tokens", *b"send a..b x\nrecv .a\nrecv a.\nrecv .\n"),
        hostile("a topic of 60 000 bytes", format!("recv {}\n", "a.".repeat(30_000))),
        hostile(
            "topics of the bus itself",
            *b"send $bus.clients x\nrecv $bus.clients\nwatch $bus.>\nrecv $other\n",
        ),
        Hostile { hangs_up: true, ..hostile("half a line, then the end", *b"send bystanders ha") },
    ]
}

/// A server with three users, and senders that wait from so many bytes in an outbox on: as long as
/// it takes, for a busy machine may be slow at reading a million answers.
fn server(outbox_soft_bytes: usize) -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let everything = lists(&[">"], &[]);
    let rules = Rules { send: everything.clone(), recv: everything, see: false };
    let user = |name| TestUser::new(name, "secret", rules.clone());
    users::write(folder.path(), &["alice", "bob", "mallory"].map(user));
    let config = format!(
        "users = \"users.toml\"\nthreads = 1\nshutdown_drain_ms = 60000\n[limits]\n\
         outbox_soft_bytes = {outbox_soft_bytes}\noutbox_hard_bytes = 60000000\n\
         drain_ms = 60000\n"
    );
    let server = Server::configured(binary(), folder.path(), &config);
    (server, folder)
}

/// What a line of the server says, without what varies.
fn gist(line: &[u8]) -> String {
    // How often depends on how the reads are cut.
    if line.contains(&0xff) {
        return "telnet options refused".to_owned();
    }
    let text = String::from_utf8_lossy(line);
    let words: Vec<_> = text.split_whitespace().collect();
    let count = match words[..] {
        ["error", ..] => 3,
        ["ok" | "bye" | "note", ..] => 2,
        _ => 1,
    };
    format!("`{}`", words[..count.min(words.len())].join(" "))
}

/// Gists of what is heard until `pong end` or the end of the stream, equal neighbours as one.
fn hear(client: &mut Telnet) -> String {
    let mut heard: Vec<(String, usize)> = Vec::new();
    let mut before = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = client.socket.read_until(b'\n', &mut line);
        let has_ended = match read {
            Ok(count) => count == 0,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
            Err(error) => panic!("nothing came: {error}"),
        };
        // A million refusals are alike.
        if let Some((_, count)) = heard.last_mut().filter(|_| line == before && !has_ended) {
            *count += 1;
            continue;
        }
        let gist = match &line[..] {
            _ if has_ended => "closed".to_owned(),
            // Refusals of telnet's options are no lines: they stand before the next one.
            line if line.ends_with(b"pong end\n") && line[0] != 0xff => return shown(&heard),
            line => gist(line),
        };
        match heard.last_mut() {
            Some((last, count)) if *last == gist => *count += 1,
            _ => heard.push((gist, 1)),
        }
        if has_ended || line.ends_with(b"pong end\n") {
            return shown(&heard);
        }
        before = line;
    }
}

fn shown(heard: &[(String, usize)]) -> String {
    let shown = heard.iter().map(|(gist, count)| match count {
        1 => gist.clone(),
        _ => format!("{gist} ×{count}"),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    if shown.is_empty() { "nothing".to_owned() } else { shown }
}

/// Writes as much as the server takes: it may have closed, or not read any more.
fn write(mut socket: &TcpStream, hostile: &Hostile) {
    for piece in hostile.bytes.chunks(hostile.piece) {
        if socket.write_all(piece).is_err() {
            return;
        }
    }
    let _ = match hostile.hangs_up {
        true => socket.shutdown(Shutdown::Write),
        false => socket.write_all(b"\nping end\n"),
    };
}

/// Sends it while the server serves; what the server answered, and by how much its memory grew.
fn serving(hostile: &Hostile, with_login: bool) -> (String, usize) {
    let (server, _folder) = server(MIB);
    let mut others = Bystanders::between(server.login("alice"), server.login("bob"));
    let mut mallory = if with_login { server.login("mallory") } else { server.telnet() };
    others.talk();
    let before = server.memory();
    let socket = mallory.socket.get_ref().try_clone().expect("there are descriptors");
    let heard = std::thread::scope(|scope| {
        scope.spawn(|| write(&socket, hostile));
        others.talk();
        hear(&mut mallory)
    });
    others.talk();
    (heard, server.memory_peak().saturating_sub(before))
}

/// Sends it to a server that was told to stop and still has megabytes to write to two receivers,
/// one of whom sends it; the other must hear everything.
fn draining(hostile: &Hostile) -> (String, usize) {
    let (mut server, _folder) = server(50 * MIB);
    let [mut alice, mut bob, mut mallory] =
        ["alice", "bob", "mallory"].map(|name| server.login(name));
    for receiver in [&mut alice, &mut mallory] {
        receiver.ask("recv backlog", "ok recv backlog");
    }
    // More than the kernel's buffers take.
    let lines = 500;
    let payload = "x".repeat(30_000);
    for number in 0..lines {
        let line = format!("send backlog {number} {payload}\n");
        bob.socket.get_mut().write_all(line.as_bytes()).expect("the server reads");
    }
    bob.ask("ping", "pong");
    let before = server.memory();
    server.signal(Signal::TERM);
    bob.expect("note shutdown the bus stops");
    bob.expect("bye shutdown the bus stops");
    let socket = mallory.socket.get_ref();
    // Nobody reads any more, so a write ends when the kernel's buffers are full.
    socket.set_write_timeout(Some(Duration::from_millis(50))).expect("a socket has timeouts");
    write(socket, hostile);
    let grown = server.memory_peak().saturating_sub(before);
    for client in [&mut alice, &mut mallory] {
        for number in 0..lines {
            let line = client.hear().expect("the backlog is written");
            assert!(line.starts_with(&format!("recv backlog {number} ")), "{line:.40}");
        }
    }
    alice.expect("note shutdown the bus stops");
    alice.expect("bye shutdown the bus stops");
    let heard = hear(&mut mallory);
    drop((alice, bob, mallory));
    assert!(server.wait().success(), "exit 0");
    (heard, grown)
}

/// Sends it in one state of a connection; what was answered, and by how much memory grew.
type State = fn(&Hostile) -> (String, usize);

#[test]
fn hostile_input_is_answered_as_security_md_says_in_every_state() {
    let all = &all();
    let states: [State; 3] =
        [|hostile| serving(hostile, false), |hostile| serving(hostile, true), draining];
    // The three columns side by side.
    let columns = std::thread::scope(|scope| {
        let threads =
            states.map(|state| scope.spawn(move || all.iter().map(state).collect::<Vec<_>>()));
        threads.map(|thread| thread.join().expect("it says what failed"))
    });
    let mut rows = Vec::new();
    for (number, hostile) in all.iter().enumerate() {
        let cells = columns.each_ref().map(|column| &column[number]);
        let grown = cells.iter().map(|(_, grown)| *grown).max().expect("there are three");
        assert!(grown < GROWTH_MAX, "{}: {grown} bytes", hostile.name);
        let [before, after, draining] = cells.map(|(heard, _)| heard);
        let row = format!("| {} | {before} | {after} | {draining} |", hostile.name);
        rows.push((row, grown.div_ceil(MIB / 10)));
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SECURITY.md");
    let text = std::fs::read_to_string(&page).expect("the page is there");
    if std::env::var_os("UPDATE").is_some() {
        let (head, rest) = text.split_once("|---|---|---|---|---|\n").expect("the table is there");
        let (_, tail) = rest.split_once("\n\n").expect("something comes after the table");
        let table: Vec<_> = rows
            .iter()
            .map(|(row, tenths)| format!("{row} {}.{} MiB |", tenths / 10, tenths % 10))
            .collect();
        let text = format!("{head}|---|---|---|---|---|\n{}\n\n{tail}", table.join("\n"));
        std::fs::write(&page, text).expect("the page can be written");
        return;
    }
    for (row, _) in rows {
        assert!(text.contains(&row), "SECURITY.md does not say: {row}");
    }
}
