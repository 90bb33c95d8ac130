//! The broker under several threads that deliver to each other while they join, leave, close and
//! come again. Nothing here reads a clock: time stands still, so that whoever waits for a receiver
//! goes on only when he is woken. A wake-up that is lost, or a deadlock, ends the test by its
//! watchdog.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use fastrand::Rng;
use linebus_broker::{Broker, Connection, Limits, Now, Session, Stage, Work};
use linebus_protocol::ByeReason;
use linebus_testkit::simulation::pipe::{Pipe, PipeEnd, pipe};

const THREADS: u64 = 6;
const ROUNDS: usize = 2_000;
const TOPICS: [&str; 4] = ["a", "a.b", "c", "c.d"];
/// Longer than anything takes, on any machine.
const WATCHDOG: Duration = Duration::from_secs(60);
const NOW: Now = Now { elapsed: Duration::ZERO, unix_us: 1_359_849_600_000_000 };

/// Stands still until it is woken.
#[derive(Default)]
struct Parker {
    woken: Mutex<bool>,
    bell: Condvar,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().expect("no panic inside") = true;
        self.bell.notify_one();
    }
}

impl Parker {
    fn park(&self, why: &str) {
        let woken = self.woken.lock().expect("no panic inside");
        let waited = self.bell.wait_timeout_while(woken, WATCHDOG, |woken| !*woken);
        let (mut woken, timeout) = waited.expect("no panic inside");
        assert!(!timeout.timed_out(), "never woken while {why}");
        *woken = false;
    }
}

/// Checks what one connection hears.
#[derive(Default)]
struct Ear {
    /// The beginning of a line.
    part: Vec<u8>,
    joined: BTreeSet<String>,
    /// To be joined: lines may come as soon as the bus has read that, before it says ok.
    asked: Vec<String>,
    /// The last line of each sender to each topic, and over all topics.
    last: BTreeMap<(String, String), u64>,
    last_of_all: BTreeMap<String, u64>,
    pongs: u64,
    bye: Option<String>,
}

impl Ear {
    fn hear(&mut self, bytes: &[u8]) {
        self.part.extend_from_slice(bytes);
        let lines = std::mem::take(&mut self.part);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            match str::from_utf8(line).expect("lines are text").strip_suffix('\n') {
                Some(line) => self.line(line),
                None => self.part = line.to_vec(),
            }
        }
    }

    fn line(&mut self, line: &str) {
        assert_eq!(self.bye, None, "{line} after goodbye");
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["ok", "recv", topic] => {
                assert_eq!(self.asked.remove(0), topic, "answers come in order");
                self.joined.insert(topic.to_owned());
            }
            ["ok", "leave", topic] => {
                self.joined.remove(topic);
                self.last.retain(|(_, known), _| known != topic && topic != ">");
            }
            ["recv", topic, sender, of_topic, of_all] => {
                self.message(topic, sender, of_topic, of_all);
            }
            ["pong", number] => {
                assert_eq!(number.parse(), Ok(self.pongs), "answers come in order");
                self.pongs += 1;
            }
            ["bye", reason, ..] => self.bye = Some(reason.to_owned()),
            ["hello", ..] => {}
            _ => panic!("unexpected: {line}"),
        }
    }

    fn message(&mut self, topic: &str, sender: &str, of_topic: &str, of_all: &str) {
        let names = |joined: &String| joined == topic || joined == ">";
        let joined = self.joined.iter().chain(&self.asked).any(names);
        assert!(joined, "a line to {topic} without a join, or after `ok leave`");
        let [of_topic, of_all]: [u64; 2] = [of_topic, of_all].map(|n| n.parse().expect("a number"));
        let last = self.last.insert((sender.to_owned(), topic.to_owned()), of_topic);
        assert!(
            last.is_none_or(|last| last + 1 == of_topic),
            "a hole between {last:?} and {of_topic}"
        );
        let last = self.last_of_all.insert(sender.to_owned(), of_all);
        assert!(last.is_none_or(|last| last < of_all), "{of_all} after {last:?}");
    }
}

/// One connection and the thread that serves it.
struct Actor {
    broker: Arc<Broker<Pipe>>,
    connection: Connection<Pipe>,
    pipe: PipeEnd,
    work: Work<Pipe>,
    parker: Arc<Parker>,
    ear: Ear,
    rng: Rng,
    /// Joins everything by a wildcard, or topics by their names.
    wildcard: bool,
    wants: BTreeSet<&'static str>,
    sent: BTreeMap<&'static str, u64>,
    sent_of_all: u64,
    pings: u64,
}

impl Actor {
    fn connect(broker: &Arc<Broker<Pipe>>, mut rng: Rng) -> Self {
        let (link, pipe) = pipe();
        pipe.limit(rng.usize(100..20_000), usize::MAX);
        let mut work = Work::default();
        let connection = broker.connect(link, "thread", &mut work, NOW);
        let parker = Arc::new(Parker::default());
        Self {
            broker: Arc::clone(broker),
            connection,
            pipe,
            work,
            parker,
            ear: Ear::default(),
            wildcard: rng.bool(),
            rng,
            wants: BTreeSet::new(),
            sent: BTreeMap::new(),
            sent_of_all: 0,
            pings: 0,
        }
    }

    fn is_open(&self) -> bool {
        self.connection.session().stage() == Stage::Open
    }

    /// The client reads, and the session writes what others could not. Whatever changes after
    /// this began wakes the thread.
    fn drain(&mut self) {
        self.connection.session().register(&Waker::from(Arc::clone(&self.parker)));
        loop {
            self.pipe.drain(usize::MAX);
            if !self.connection.session().is_blocked() {
                break;
            }
            self.broker.flush(self.connection.session());
        }
        self.ear.hear(&self.pipe.written());
    }

    fn round(&mut self) {
        let mut lines = String::new();
        // At most once in a read: who leaves and joins again in one hears both answered at its
        // end, after lines to the second join.
        if self.rng.u32(..3) == 0 {
            self.drain();
            self.join_or_leave(&mut lines);
        }
        for _ in 0..self.rng.usize(1..4) {
            self.run(&mut lines);
        }
        lines += &format!("ping {}\n", self.pings);
        self.pings += 1;
        let space = self.work.space(&self.connection, &self.broker, NOW);
        space[..lines.len()].copy_from_slice(lines.as_bytes());
        self.broker.receive(&mut self.connection, &mut self.work, lines.len(), NOW);
        self.work.facts().for_each(drop);
        if self.connection.paused_until(&self.broker, NOW).is_none() && self.rng.bool() {
            return;
        }
        self.drain();
        while self.connection.paused_until(&self.broker, NOW).is_some() {
            self.parker.park("others are to drain");
            self.drain();
        }
    }

    fn join_or_leave(&mut self, lines: &mut String) {
        let topic = if self.wildcard { ">" } else { TOPICS[self.rng.usize(..TOPICS.len())] };
        let verb = if self.wants.remove(topic) { "leave" } else { "recv" };
        if verb == "recv" {
            self.wants.insert(topic);
            self.ear.asked.push(topic.to_owned());
        }
        *lines += &format!("{verb} {topic}\n");
    }

    fn run(&mut self, lines: &mut String) {
        let topic = TOPICS[self.rng.usize(..TOPICS.len())];
        let id = self.connection.session().id();
        for _ in 0..self.rng.usize(1..20) {
            let of_topic = self.sent.entry(topic).or_insert(0);
            *lines += &format!("send {topic} {id} {of_topic} {}\n", self.sent_of_all);
            *of_topic += 1;
            self.sent_of_all += 1;
        }
    }

    /// Ends as the server does: what waits still goes out.
    fn end(mut self) -> Weak<Session<Pipe>> {
        let told = !self.is_open();
        self.broker.leave(&mut self.connection);
        self.drain();
        while !self.connection.session().is_drained() {
            self.parker.park("the rest is to go out");
            self.drain();
        }
        self.drain();
        assert!(self.ear.part.is_empty(), "half a line: {:?}", self.ear.part);
        match &self.ear.bye {
            None => assert_eq!((self.ear.pongs, told), (self.pings, false), "every answer came"),
            Some(reason) => assert!(reason == "slow" || reason == "shutdown", "{reason}"),
        }
        self.broker.disconnect(&mut self.connection, &mut self.work, NOW);
        Arc::downgrade(self.connection.session())
    }
}

/// One thread's work: a connection after the other.
fn act(broker: &Arc<Broker<Pipe>>, seed: u64) -> Vec<Weak<Session<Pipe>>> {
    let mut rng = Rng::with_seed(seed);
    let mut past = Vec::new();
    let mut actor = Actor::connect(broker, rng.fork());
    for _ in 0..ROUNDS {
        if !actor.is_open() || rng.u32(..25) == 0 {
            past.push(actor.end());
            actor = Actor::connect(broker, rng.fork());
        }
        actor.round();
        if rng.u32(..400) == 0 {
            broker.close_all(ByeReason::Shutdown, "everybody out");
        }
    }
    past.push(actor.end());
    past
}

fn check(seed: u64, soft: usize, hard: usize) {
    println!("seed {seed}");
    let limits = Limits { outbox_soft_bytes: soft, outbox_hard_bytes: hard, ..Limits::default() };
    let broker = Arc::new(Broker::new(limits));
    let (sender, done) = channel();
    for thread in 0..THREADS {
        let (broker, sender) = (Arc::clone(&broker), sender.clone());
        let work = move || sender.send(act(&broker, seed.wrapping_add(thread)));
        std::thread::Builder::new().name(format!("actor {thread}")).spawn(work).expect("a thread");
    }
    drop(sender);
    let mut past = Vec::new();
    for _ in 0..THREADS {
        match done.recv_timeout(2 * WATCHDOG) {
            Ok(sessions) => past.extend(sessions),
            Err(RecvTimeoutError::Timeout) => panic!("seed {seed}: a thread stands still"),
            Err(RecvTimeoutError::Disconnected) => panic!("seed {seed}: a thread panicked"),
        }
    }
    assert_eq!((broker.queued(), broker.sessions()), (0, 0), "seed {seed}");
    assert!(
        past.iter().all(|session| session.upgrade().is_none()),
        "seed {seed}: somebody is left"
    );
}

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn threads_that_wait_for_each_other_lose_nothing() {
    check(fastrand::u64(..), 2_000, 1 << 30);
}

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn threads_that_do_not_wait_are_cut_at_a_lines_end() {
    check(fastrand::u64(..), 2_000, 3_000);
}
