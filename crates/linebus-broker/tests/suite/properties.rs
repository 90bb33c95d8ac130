//! However a client's bytes are cut, they mean the same; and what an unfinished line keeps is
//! bounded.

use std::time::Duration;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use linebus_broker::{Broker, Connection, Limits, Now, Stage, Work};
use linebus_testkit::simulation::pipe::{Pipe, PipeEnd, pipe};

const LINE_BYTES_MAX: usize = 32;
const NOW: Now = Now { elapsed: Duration::ZERO, unix_us: 1_359_849_600_000_000 };

/// Some bytes of a stream: sense, nonsense, and what stands between.
const PARTS: [&[u8]; 40] = [
    b"send t ",
    b"send a.b ",
    b"send",
    b"ping",
    b"ping x",
    b"recv t",
    b"recv *.b g",
    b"watch >",
    b"leave t",
    b"login bob",
    b"who t",
    b"topics",
    b"logoff",
    b"\n",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r\0",
    b"\r",
    b"\r\r\n",
    b" ",
    b"\t",
    b"x",
    b"1234567890",
    b"123456789012345678901234",
    b"1234567890123456789012345678",
    "é".as_bytes(),
    "🙂".as_bytes(),
    b"\xc3",
    b"\xc2",
    b"\x9b",
    b"\xed\xa0\x80",
    b"\0",
    b"\x1b[2J",
    b"\x7f",
    "\u{feff}".as_bytes(),
    b"\x16\x03\x01",
    b"GET / HTTP/1.1",
    b"send t",
    b"$bus.clients x",
];

/// Telnet's negotiation, whole and in parts.
const TELNET: [&[u8]; 10] = [
    b"\xff\xfd\x03",
    b"\xff\xfb\x41",
    b"\xff\xfa\x18a\xff\xff\xf0b\xff\xf0",
    b"\xff\xff",
    b"\xff\xf1",
    b"\xff",
    b"\xff\xfb",
    b"\xff\xfa",
    b"\xff\xf0",
    b"\xf0",
];

fn stream(u: &mut Unstructured<'_>, telnet: bool) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    if u.ratio(1, 8)? {
        stream.extend_from_slice(u.choose(&["\u{feff}".as_bytes(), b"\x16", b"\n", b"\r"])?);
    }
    for _ in 0..u.int_in_range(0..=40)? {
        if telnet && u.ratio(1, 6)? {
            stream.extend_from_slice(u.choose(&TELNET)?);
        } else if u.ratio(1, 8)? {
            // A line about as long as one may be.
            let count = u.int_in_range(LINE_BYTES_MAX - 3..=LINE_BYTES_MAX + 2)?;
            stream.extend(b"send t ".iter().copied().chain(std::iter::repeat(b'y')).take(count));
        } else {
            stream.extend_from_slice(u.choose(&PARTS)?);
        }
    }
    Ok(stream)
}

struct Client {
    connection: Connection<Pipe>,
    pipe: PipeEnd,
    heard: Vec<u8>,
}

struct Bus {
    broker: Broker<Pipe>,
    work: Work<Pipe>,
}

impl Bus {
    fn connect(&mut self) -> Client {
        let (link, pipe) = pipe();
        let connection = self.broker.connect(link, "test", &mut self.work, NOW);
        Client { connection, pipe, heard: Vec::new() }
    }

    fn receive(&mut self, client: &mut Client, bytes: &[u8]) {
        self.work.space(&client.connection, &self.broker, NOW)[..bytes.len()]
            .copy_from_slice(bytes);
        self.broker.receive(&mut client.connection, &mut self.work, bytes.len(), NOW);
        let unread = client.connection.unread_bytes();
        // One may be a CR whose partner has not come, and three a byte-order mark.
        assert!(unread <= LINE_BYTES_MAX + 3, "{unread} bytes are kept of {bytes:?}");
        if client.connection.session().stage() != Stage::Open {
            self.broker.flush(client.connection.session());
        }
        client.heard.extend(client.pipe.written());
    }
}

/// What the speaker and two listeners hear when the stream comes in pieces of these lengths.
fn play(stream: &[u8], mut cut: impl FnMut() -> usize) -> [Vec<u8>; 3] {
    let limits = Limits { line_bytes_max: LINE_BYTES_MAX, ..Limits::default() };
    let mut bus = Bus { broker: Broker::new(limits), work: Work::default() };
    let mut speaker = bus.connect();
    let mut listeners = [bus.connect(), bus.connect()];
    bus.receive(&mut listeners[0], b"recv >\nwatch >\nrecv $bus.*\n");
    bus.receive(&mut listeners[1], b"recv t g\nrecv *.b g\nwatch a.*\n");
    let mut rest = stream;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut().clamp(1, rest.len()));
        bus.receive(&mut speaker, piece);
        rest = after;
    }
    for client in &mut listeners {
        bus.receive(client, b"ping end\n");
    }
    [
        speaker.heard,
        std::mem::take(&mut listeners[0].heard),
        std::mem::take(&mut listeners[1].heard),
    ]
}

/// Telnet's refusals go out at the end of a read, wherever in it the request stood, and only so
/// many of them: what they stand between is compared without them.
fn without_refusals(heard: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = heard.iter();
    while let Some(byte) = rest.next() {
        match byte {
            255 => drop(rest.nth(1)),
            byte => text.push(*byte),
        }
    }
    text
}

fn show(heard: &[Vec<u8>; 3]) -> String {
    heard.iter().map(|heard| format!("{}\n", heard.escape_ascii())).collect()
}

#[test]
fn a_stream_means_the_same_however_it_is_cut() {
    arbtest(|u| {
        let stream = stream(u, false)?;
        let cuts: Vec<usize> = u
            .arbitrary_iter::<u8>()?
            .map(|cut| Ok(usize::from(cut? % 40)))
            .collect::<Result<_>>()?;
        let mut cuts = cuts.into_iter().chain(std::iter::repeat(7));
        let whole = play(&stream, || usize::MAX);
        for pieces in [play(&stream, || 1), play(&stream, || cuts.next().unwrap_or(1))] {
            let (stream, pieces_shown) = (stream.escape_ascii(), show(&pieces));
            assert_eq!(
                whole,
                pieces,
                "{stream}\n--- whole\n{}--- in pieces\n{pieces_shown}",
                show(&whole)
            );
        }
        Ok(())
    });
}

#[test]
fn negotiation_amid_a_stream_leaves_its_meaning() {
    arbtest(|u| {
        let stream = stream(u, true)?;
        let cut = u.int_in_range(2..=9)?;
        let clean = |heard: [Vec<u8>; 3]| heard.map(|heard| without_refusals(&heard));
        let whole = clean(play(&stream, || usize::MAX));
        for pieces in [play(&stream, || 1), play(&stream, || cut)] {
            let (stream, pieces) = (stream.escape_ascii(), clean(pieces));
            assert_eq!(
                whole,
                pieces,
                "{stream}\n--- whole\n{}--- in pieces\n{}",
                show(&whole),
                show(&pieces)
            );
        }
        Ok(())
    });
}
