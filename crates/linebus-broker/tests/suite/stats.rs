//! `$bus.stats` and the totals, to the last line and byte.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use linebus_broker::{Amount, Broker, Connection, Gone, Limits, Link, Now, Stats, Work};
use linebus_protocol::{ByeReason, ErrorCode};

struct Pipe(Sender<Vec<u8>>);

impl Link for Pipe {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        self.0.send(bytes.to_vec()).map_err(|_| Gone)?;
        Ok(bytes.len())
    }
}

/// A bus in this thread; its clock is moved by hand.
struct Bus {
    broker: Broker<Pipe>,
    work: Work<Pipe>,
    stats: Stats,
    elapsed_ms: u64,
}

struct Client {
    connection: Connection<Pipe>,
    output: Receiver<Vec<u8>>,
}

impl Bus {
    fn new() -> Self {
        let broker = Broker::new(Limits::default());
        Self { broker, work: Work::default(), stats: Stats::default(), elapsed_ms: 0 }
    }

    fn now(&self) -> Now {
        Now { elapsed: Duration::from_millis(self.elapsed_ms), unix_us: 1_359_849_600_000_000 }
    }

    fn connect(&mut self) -> Client {
        self.connect_from("memory")
    }

    fn connect_from(&mut self, address: &str) -> Client {
        let (sender, output) = channel();
        let now = self.now();
        let connection = self.broker.connect(Pipe(sender), address, &mut self.work, now);
        let client = Client { connection, output };
        client.hear();
        client
    }

    /// Has a client say something; returns what it hears.
    fn say(&mut self, client: &mut Client, text: &str) -> String {
        let now = self.now();
        self.work.space(&client.connection, &self.broker, now)[..text.len()]
            .copy_from_slice(text.as_bytes());
        self.broker.receive(&mut client.connection, &mut self.work, text.len(), now);
        self.broker.flush(client.connection.session());
        client.hear()
    }

    fn tick(&mut self, after_ms: u64) {
        self.elapsed_ms += after_ms;
        let now = self.now();
        self.stats.tick(&self.broker, &mut self.work, now);
    }
}

impl Client {
    fn hear(&self) -> String {
        String::from_utf8(self.output.try_iter().flatten().collect()).expect("lines are UTF-8")
    }

    /// What it heard on `$bus.stats`, without the words before it.
    fn stats(&self) -> Vec<String> {
        let line = |line: &str| line.strip_prefix("recv $bus.stats ").map(str::to_owned);
        self.hear().lines().map(|text| line(text).expect("nothing else comes")).collect()
    }
}

#[test]
fn while_somebody_listens_each_second_says_what_it_carried() {
    let mut bus = Bus::new();
    let mut eye = bus.connect();
    let (mut ear, mut mouth) = (bus.connect(), bus.connect());
    bus.say(&mut ear, "login ear\nrecv t\nwatch t\nrecv other.*\n");
    bus.say(&mut eye, "recv $bus.stats\n");
    bus.tick(1_000);
    assert_eq!(eye.stats(), Vec::<String>::new(), "it begins to count");
    bus.say(&mut mouth, "send t one\nsend t two\nsend other.x 3\nsend  t unusual\nsend nobody 4\n");
    bus.say(&mut mouth, "nonsense\n");
    bus.tick(1_500);
    assert_eq!(
        eye.stats(),
        [
            "bus ms=1500 up_s=2 clients=3 in_lines=6 in_bytes=76 out_lines=8 out_bytes=245 queued=0 budget=1073741824",
            "client 2 ear memory in_lines=0 in_bytes=0 out_lines=7 out_bytes=194 queued=0 behind=no up_s=2",
            "client 3 guest memory in_lines=6 in_bytes=76 out_lines=1 out_bytes=51 queued=0 behind=no up_s=2",
            "client 1 guest memory in_lines=0 in_bytes=0 out_lines=0 out_bytes=0 queued=0 behind=no up_s=2",
            "topic t receivers=1 lines=3 bytes=37",
            "topic other.x receivers=1 lines=1 bytes=15",
            "topic nobody receivers=0 lines=1 bytes=14",
            "end more_clients=0 more_topics=0",
        ]
    );
    bus.tick(1_000);
    let quiet = eye.stats();
    assert!(quiet[0].contains(" in_lines=0 in_bytes=0 out_lines=8 "), "{quiet:?}");
    assert!(quiet.contains(&"topic t receivers=1 lines=0 bytes=0".to_owned()), "{quiet:?}");
}

#[test]
fn what_was_sent_before_a_topic_was_left_counts() {
    let mut bus = Bus::new();
    let (mut eye, mut ear, mut mouth) = (bus.connect(), bus.connect(), bus.connect());
    bus.say(&mut eye, "recv $bus.stats\n");
    bus.say(&mut ear, "recv t\nrecv w.>\n");
    bus.tick(1_000);
    bus.say(&mut mouth, "send t one\nsend w.1 two\n");
    bus.say(&mut ear, "leave t\nleave w.>\n");
    bus.tick(1_000);
    let heard = eye.stats();
    for topic in ["topic w.1 receivers=0 lines=1 bytes=13", "topic t receivers=0 lines=1 bytes=11"]
    {
        assert!(heard.contains(&topic.to_owned()), "{heard:?}");
    }
}

#[test]
fn nobody_hears_more_than_a_hundred_clients_and_topics() {
    let mut bus = Bus::new();
    let (mut eye, mut ear, mut mouth) = (bus.connect(), bus.connect(), bus.connect());
    let others: Vec<_> = (0..150).map(|_| bus.connect()).collect();
    bus.say(&mut eye, "recv $bus.stats\n");
    bus.say(&mut ear, "recv >\n");
    bus.tick(1_000);
    let text: String = (0..130).map(|number| format!("send t{number} x\n")).collect();
    bus.say(&mut mouth, &text);
    bus.tick(1_000);
    let heard = eye.stats();
    assert_eq!(heard.len(), 1 + 100 + 100 + 1);
    assert_eq!(heard.last().map(String::as_str), Some("end more_clients=53 more_topics=30"));
    drop(others);
}

#[test]
fn ten_thousand_clients_and_the_longest_names_make_a_second_of_less_than_64_kib() {
    let mut bus = Bus::new();
    let (mut eye, mut ear, mut mouth) = (bus.connect(), bus.connect(), bus.connect());
    // As long as an IPv6 address with its port can be, and as a user's name and a topic may be.
    let address = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    let others: Vec<_> = (0..10_000)
        .map(|number| {
            let mut client = bus.connect_from(address);
            bus.say(&mut client, &format!("login {number:0>64}\n"));
            client
        })
        .collect();
    bus.say(&mut ear, "recv >\n");
    bus.say(&mut eye, "recv $bus.stats\n");
    bus.tick(1_000);
    let text: String = (0..300).map(|number| format!("send {number:0>200} x\n")).collect();
    bus.say(&mut mouth, &text);
    bus.tick(1_000);
    let heard = eye.hear();
    assert!(heard.len() < 64 << 10, "{} bytes", heard.len());
    // The shortest longest line that can be configured.
    assert!(heard.lines().all(|line| line.len() < 512), "{heard}");
    assert!(heard.ends_with("recv $bus.stats end more_clients=9903 more_topics=200\n"));
    drop(others);
}

#[test]
fn totals_do_not_shrink_when_clients_leave() {
    let mut bus = Bus::new();
    let (mut one, mut two) = (bus.connect(), bus.connect());
    bus.say(&mut one, "recv t\n");
    bus.say(&mut two, "send t hi\nwhat\nleave nothing\nleave nothing\nlogoff\n");
    let before = bus.broker.totals();
    let now = bus.now();
    bus.broker.disconnect(&mut two.connection, &mut bus.work, now);
    bus.broker.disconnect(&mut one.connection, &mut bus.work, now);
    let after = bus.broker.totals();
    assert_eq!((after.received, after.delivered), (before.received, before.delivered));
    assert_eq!(after.received, Amount { lines: 6, bytes: 7 + 10 + 5 + 28 + 7 });
    assert_eq!((before.sessions, after.sessions), (2, 0));
    let refused = |code| after.refused.iter().find(|(known, _)| *known == code).map(|(_, n)| *n);
    assert_eq!(refused(ErrorCode::NotJoined), Some(2));
    assert_eq!(refused(ErrorCode::UnknownVerb), Some(1));
    assert_eq!(refused(ErrorCode::Denied), Some(0));
    let ended = |reason| after.ended.iter().find(|(known, _)| *known == reason).map(|(_, n)| *n);
    assert_eq!((ended(ByeReason::Logoff), after.gone), (Some(1), 1));
}
