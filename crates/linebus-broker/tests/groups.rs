//! Of a group one member hears each line: in turn, and rather one that keeps up.

use std::time::Duration;

use arbtest::arbtest;
use linebus_broker::{Broker, Connection, Limits, Now, Work};
use linebus_testkit::simulation::pipe::{Pipe, PipeEnd, pipe};

const NOW: Now = Now { elapsed: Duration::ZERO, unix_us: 1_359_849_600_000_000 };

struct Bus {
    broker: Broker<Pipe>,
    work: Work<Pipe>,
}

struct Client {
    connection: Connection<Pipe>,
    pipe: PipeEnd,
}

impl Bus {
    fn new(limits: Limits) -> Self {
        Self { broker: Broker::new(limits), work: Work::default() }
    }

    fn connect(&mut self, says: &str) -> Client {
        let (link, pipe) = pipe();
        let connection = self.broker.connect(link, "test", &mut self.work, NOW);
        let mut client = Client { connection, pipe };
        self.says(&mut client, says);
        client
    }

    fn says(&mut self, client: &mut Client, line: &str) {
        let space = self.work.space(&client.connection, &self.broker, NOW);
        space[..line.len()].copy_from_slice(line.as_bytes());
        self.broker.receive(&mut client.connection, &mut self.work, line.len(), NOW);
    }
}

impl Client {
    /// How many lines of topics it has heard since this was asked last.
    fn heard(&self) -> usize {
        let written = self.pipe.written();
        written.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"recv ")).count()
    }
}

#[test]
fn turns_are_fair_while_everybody_keeps_up() {
    arbtest(|u| {
        let mut bus = Bus::new(Limits::default());
        let patterns = ["recv jobs g\n", "recv * g\n", "recv > g\nrecv jobs g\n"];
        let mut members = Vec::new();
        for _ in 0..u.int_in_range(1..=6)? {
            members.push(bus.connect(u.choose(&patterns)?));
        }
        let mut senders = [bus.connect(""), bus.connect("")];
        let (mut sent, mut heard) = (0, vec![0; members.len()]);
        for _ in 0..u.int_in_range(1..=20)? {
            let count = u.int_in_range(1..=9)?;
            let sender = &mut senders[u.int_in_range(0..=1)?];
            bus.says(sender, &"send jobs x\n".repeat(count));
            sent += count;
            heard.iter_mut().zip(&members).for_each(|(heard, member)| *heard += member.heard());
            assert_eq!(heard.iter().sum::<usize>(), sent);
            let spread = heard.iter().max().zip(heard.iter().min());
            assert!(spread.is_some_and(|(most, least)| most - least <= 1), "{heard:?}");
        }
        Ok(())
    });
}

#[test]
fn a_member_that_is_behind_is_passed_over_until_it_has_drained() {
    let mut bus = Bus::new(Limits { outbox_soft_bytes: 20, ..Limits::default() });
    let (slow, quick) = (bus.connect("recv jobs g\n"), bus.connect("recv jobs g\n"));
    let mut sender = bus.connect("");
    assert_eq!((slow.heard(), quick.heard()), (0, 0));
    slow.pipe.limit(0, usize::MAX);
    // Two lines of 12 bytes are more than 20.
    let mut four_lines =
        |bus: &mut Bus| (0..4).for_each(|_| bus.says(&mut sender, "send jobs x\n"));
    four_lines(&mut bus);
    assert_eq!((slow.heard(), quick.heard()), (0, 2));
    four_lines(&mut bus);
    assert_eq!((slow.heard(), quick.heard()), (0, 4));
    slow.pipe.limit(usize::MAX, usize::MAX);
    bus.broker.flush(slow.connection.session());
    four_lines(&mut bus);
    assert_eq!((slow.heard(), quick.heard()), (4, 2));
}

#[test]
fn a_line_goes_to_a_member_that_is_behind_when_all_are() {
    let mut bus = Bus::new(Limits { outbox_soft_bytes: 5, ..Limits::default() });
    let only = bus.connect("recv jobs g\n");
    let mut sender = bus.connect("");
    assert_eq!(only.heard(), 0);
    only.pipe.limit(0, usize::MAX);
    bus.says(&mut sender, &"send jobs x\n".repeat(4));
    only.pipe.limit(usize::MAX, usize::MAX);
    bus.broker.flush(only.connection.session());
    assert_eq!(only.heard(), 4);
}
