//! What simulated clients say: mostly sense, on few topics, so that they have much to do with one
//! another.

use fastrand::Rng;

use crate::rules::{Accounts, Rules};

const TOPICS: [&str; 8] = ["a", "b", "a.b", "a.c", "a.b.c", "b.c", "d.e.f.g", "a.b.d"];
const PATTERNS: [&str; 15] = [
    "a",
    "b",
    "a.b",
    "a.c",
    "a.b.c",
    "b.c",
    ">",
    "*",
    "a.*",
    "a.>",
    "*.b",
    "*.*",
    "a.*.c",
    "$bus.clients",
    "$bus.>",
];
const GROUPS: [&str; 3] = ["g", "h", "workers.1"];
const USERS: [&str; 5] = ["alice", "bob", "carol", "a.b-c_d", "guest"];
const ODD: [&[u8]; 24] = [
    b"",
    b"  ",
    b"\t",
    b"send",
    b"send a",
    b"send a.* x",
    b"send $bus.clients x",
    b"send a..b x",
    b"send\ta\tx",
    b"leave nothing.there",
    b"recv",
    b"recv a b c",
    b"watch a.",
    b"login",
    b"login a b c",
    b"login $bus",
    b"PING",
    b"recieve a",
    b"GET / HTTP/1.1",
    b"send a \x1b[2J",
    b"ping caf\xe9",
    b"send a one\rtwo",
    b"help me",
    b"logoff now",
];

/// Accounts for some of the users, each with few rules; now and then none at all.
pub fn accounts(rng: &mut Rng) -> Accounts {
    if rng.u32(..6) == 0 {
        return None;
    }
    let users = USERS.iter().filter(|_| rng.u32(..8) > 0).copied().collect::<Vec<_>>();
    let mut list = |allow_all: u32| {
        let all = rng.u32(..6) < allow_all;
        let mut list: Vec<_> = all.then(|| ">".to_owned()).into_iter().collect();
        list.extend((0..rng.usize(..3)).map(|_| one(rng, &PATTERNS[..13]).to_owned()));
        list
    };
    let mut rules = || Rules {
        send: [list(4), list(0)],
        recv: [list(4), list(0)],
        see: list(3).contains(&">".to_owned()),
    };
    Some(users.into_iter().map(|user| (user.to_owned(), rules())).collect())
}

/// How a client's lines are drawn.
#[derive(Debug, Clone)]
pub struct Script {
    /// Longest message in bytes, usually.
    pub message_bytes_max: usize,
    /// Longest run of sends.
    pub run_lines_max: usize,
    /// The bus's limit.
    pub line_bytes_max: usize,
}

impl Script {
    /// Appends the bytes of some lines, ends included. `serial` makes every message unlike all
    /// others.
    pub fn lines(&self, rng: &mut Rng, serial: &mut u64, wire: &mut Vec<u8>) {
        match rng.u32(..100) {
            0..30 => self.run(rng, serial, wire),
            30..42 => {
                for _ in 0..rng.usize(1..8) {
                    self.send(one(rng, &TOPICS), rng, serial, wire);
                }
            }
            42..60 => self.join(rng, wire),
            60..66 => line(&format!("leave {}", one(rng, &PATTERNS)), rng, wire),
            66..76 => line(&format!("ping {serial}"), rng, wire),
            76..82 => self.log_in(rng, serial, wire),
            82..84 => self.ask(rng, wire),
            84..85 => line("logoff", rng, wire),
            85..88 => self.long(rng, serial, wire),
            88..91 => wire.extend_from_slice(one(
                rng,
                &[b"\xff\xfd\x03".as_slice(), b"\xff\xfb\x41", b"\xff\xf1"],
            )),
            _ => {
                wire.extend_from_slice(one(rng, &ODD));
                end(rng, wire);
            }
        }
    }

    /// The same of a part of the server itself, which knows what it says; what it sends is refused.
    pub fn lines_inside(&self, rng: &mut Rng, serial: &mut u64, wire: &mut Vec<u8>) {
        match rng.u32(..10) {
            0..4 => self.join(rng, wire),
            4 => line(&format!("leave {}", one(rng, &PATTERNS)), rng, wire),
            5 => self.ask(rng, wire),
            6 => self.send(one(rng, &TOPICS), rng, serial, wire),
            _ => line(&format!("ping {serial}"), rng, wire),
        }
    }

    fn run(&self, rng: &mut Rng, serial: &mut u64, wire: &mut Vec<u8>) {
        let topic = one(rng, &TOPICS);
        for _ in 0..rng.usize(1..=self.run_lines_max) {
            self.send(topic, rng, serial, wire);
        }
    }

    fn send(&self, topic: &str, rng: &mut Rng, serial: &mut u64, wire: &mut Vec<u8>) {
        *serial += 1;
        let filling = rng.usize(..=self.message_bytes_max);
        let filling: String = match rng.u32(..4) {
            0 => " é🙂\t".chars().cycle().take(filling / 4).collect(),
            _ => "x".repeat(filling),
        };
        line(&format!("send {topic} {serial}{filling}"), rng, wire);
    }

    /// Logs in, and does not wait for the answer.
    pub fn log_in(&self, rng: &mut Rng, serial: &mut u64, wire: &mut Vec<u8>) {
        let password = one(rng, &[" right", " right", " right", " right", " wrong", " busy", ""]);
        line(&format!("login {}{password}", one(rng, &USERS)), rng, wire);
        if rng.bool() {
            self.join(rng, wire);
            self.send(one(rng, &TOPICS), rng, serial, wire);
        }
    }

    fn join(&self, rng: &mut Rng, wire: &mut Vec<u8>) {
        let pattern = one(rng, &PATTERNS);
        match rng.u32(..5) {
            0 | 1 => line(&format!("recv {pattern} {}", one(rng, &GROUPS)), rng, wire),
            2 => line(&format!("watch {pattern}"), rng, wire),
            _ => line(&format!("recv {pattern}"), rng, wire),
        }
    }

    fn ask(&self, rng: &mut Rng, wire: &mut Vec<u8>) {
        let pattern = one(rng, &PATTERNS);
        match rng.u32(..6) {
            0 => line("who", rng, wire),
            1 => line(&format!("who {pattern}"), rng, wire),
            2 => line("topics", rng, wire),
            3 => line(&format!("topics {pattern}"), rng, wire),
            4 => line("help ping", rng, wire),
            _ => {
                for _ in 0..rng.usize(1..=3 * self.run_lines_max) {
                    line("help", rng, wire);
                }
            }
        }
    }

    /// About as long as a line may be, now and then much longer.
    fn long(&self, rng: &mut Rng, serial: &mut u64, wire: &mut Vec<u8>) {
        let count = match rng.u32(..4) {
            0 => self.line_bytes_max * rng.usize(1..4),
            _ => (self.line_bytes_max + rng.usize(..5)).saturating_sub(3),
        };
        *serial += 1;
        let verb = one(rng, &["ping", "send a"]);
        let begin = format!("{verb} {serial}");
        line(&format!("{begin:x<count$}"), rng, wire);
    }
}

fn one<T: Copy>(rng: &mut Rng, choice: &[T]) -> T {
    choice[rng.usize(..choice.len())]
}

fn line(text: &str, rng: &mut Rng, wire: &mut Vec<u8>) {
    wire.extend_from_slice(text.as_bytes());
    end(rng, wire);
}

fn end(rng: &mut Rng, wire: &mut Vec<u8>) {
    let end: &[u8] = match rng.u32(..10) {
        0 => b"\r\n",
        1 => b"\r\0",
        _ => b"\n",
    };
    wire.extend_from_slice(end);
}
