//! One coming and going: a few receivers and a sender on a topic that was never used before.

use std::collections::BTreeMap;
use std::net::Shutdown;
use std::sync::atomic::Ordering;

use fastrand::Rng;

use super::{HALF_DEAF, Soak, WORKERS};
use crate::telnet::Telnet;

/// Most receivers of one cycle.
const RECEIVERS_MAX: usize = 6;
/// Most lines of one cycle, and the longest message in bytes.
const LINES_MAX: usize = 120;
const MESSAGE_BYTES_MAX: usize = 3_000;

/// What a receiver has joined, where lines go to `<topic>.a` and `<topic>.b` in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// All of it, by a wildcard.
    All,
    /// Only `.a`, because it asked for no more.
    A,
    /// Only `.a`, because it may not hear the rest.
    NotB,
    /// All, with time and sender.
    Watch,
    /// All of it, in turn with others.
    Group,
    /// It has left again.
    Left,
}

/// One worker's cycles.
pub(super) struct Cycles<'a> {
    soak: &'a Soak,
    worker: usize,
    played: usize,
    rng: Rng,
}

impl<'a> Cycles<'a> {
    pub(super) fn new(soak: &'a Soak, worker: usize) -> Self {
        Self { soak, worker, played: 0, rng: Rng::new() }
    }

    /// How many were played.
    pub(super) fn played(&self) -> usize {
        self.played
    }

    /// Plays one.
    ///
    /// # Panics
    /// Somebody did not hear what was due.
    pub(super) fn play(&mut self) {
        let topic = format!("soak.{}.{}", self.worker, self.played);
        let count = self.rng.usize(1..=RECEIVERS_MAX);
        let mut receivers: Vec<_> = (0..count).map(|_| self.receiver(&topic)).collect();
        let mut sender = self.soak.enter("alice");
        let lines = self.lines(&topic);
        let mut text: String =
            lines.iter().map(|(topic, message)| format!("send {topic} {message}\n")).collect();
        // One line for those who stay: they count how many each worker sent.
        text.push_str(&format!("send news.{} {}\n", self.worker, self.played));
        sender.say_bytes(text.as_bytes());
        assert_eq!(sender.barrier(), Vec::<String>::new(), "everything was taken");
        let mut by_group = Vec::new();
        for (receiver, join) in &mut receivers {
            let heard = receiver.barrier();
            self.soak.done.lines.fetch_add(heard.len(), Ordering::Relaxed);
            match join {
                Join::Group => by_group.extend(heard),
                join => expect(*join, &heard, &lines),
            }
        }
        if receivers.iter().any(|(_, join)| *join == Join::Group) {
            let sorted = |mut lines: Vec<String>| {
                lines.sort();
                lines
            };
            assert_eq!(sorted(by_group), sorted(due(Join::Group, &lines)), "each line once");
        }
        // These may be heard or not: their receivers go while they come.
        if self.rng.bool() {
            sender.say_bytes(text.replace("send news.", "send nobody.").as_bytes());
        }
        let everybody = receivers.into_iter().map(|(receiver, _)| receiver).chain([sender]);
        everybody.for_each(|client| self.goes(client));
        self.played += 1;
        self.soak.done.cycles.fetch_add(1, Ordering::Relaxed);
    }

    fn receiver(&mut self, topic: &str) -> (Telnet, Join) {
        let joins = [Join::All, Join::A, Join::NotB, Join::Watch, Join::Group, Join::Left];
        let join = joins[self.rng.usize(..joins.len())];
        let mut client = self.soak.enter(if join == Join::NotB { HALF_DEAF } else { "bob" });
        let said = match join {
            Join::All | Join::Left => format!("recv {topic}.*"),
            Join::A => format!("recv {topic}.a"),
            Join::NotB => format!("recv {topic}.>"),
            Join::Watch => format!("watch {topic}.>"),
            Join::Group => format!("recv {topic}.* workers"),
        };
        client.ask(&said, &format!("ok {said}"));
        if join == Join::Left {
            client.ask(&format!("leave {topic}.*"), &format!("ok leave {topic}.*"));
        }
        (client, join)
    }

    /// Topics and messages.
    fn lines(&mut self, topic: &str) -> Vec<(String, String)> {
        let line = |n: usize, rng: &mut Rng| {
            let topic = format!("{topic}.{}", if rng.bool() { "a" } else { "b" });
            (topic, format!("{n} {}", "x".repeat(rng.usize(..MESSAGE_BYTES_MAX))))
        };
        (0..self.rng.usize(1..=LINES_MAX)).map(|n| line(n, &mut self.rng)).collect()
    }

    /// One client goes, in one of the ways in which clients go.
    fn goes(&mut self, mut client: Telnet) {
        match self.rng.u32(..4) {
            0 => {
                client.say("logoff");
                while let Some(line) = client.hear() {
                    if line.starts_with("bye ") {
                        assert_eq!(line, "bye logoff see you");
                    }
                }
            }
            // With a line begun, and perhaps with lines unread, which breaks the connection off.
            1 => client.say_bytes(b"send half.a.li"),
            2 => {
                let socket = client.socket.get_ref();
                socket.shutdown(Shutdown::Write).expect("it is open");
                while client.hear().is_some() {}
            }
            _ => {}
        }
    }
}

/// What a receiver hears of these lines; of a group, all members together.
fn due(join: Join, lines: &[(String, String)]) -> Vec<String> {
    let hears = |topic: &str| match join {
        Join::All | Join::Watch | Join::Group => true,
        Join::A | Join::NotB => topic.ends_with(".a"),
        Join::Left => false,
    };
    let heard = lines.iter().filter(|(topic, _)| hears(topic));
    heard.map(|(topic, message)| format!("recv {topic} {message}")).collect()
}

fn expect(join: Join, heard: &[String], lines: &[(String, String)]) {
    let without_stamp = |line: &String| {
        // `watch <topic> <time> <user> <message>`
        let words: Vec<_> = line.splitn(5, ' ').collect();
        match words[..] {
            ["watch", topic, _, "alice", message] => format!("recv {topic} {message}"),
            _ => line.clone(),
        }
    };
    let heard: Vec<_> = heard.iter().map(without_stamp).collect();
    let due = due(join, lines);
    let same = heard.iter().zip(&due).take_while(|(heard, due)| heard == due).count();
    assert!(
        heard == due,
        "{join:?} heard {} lines of {} that were due, of which the first {same} are right",
        heard.len(),
        due.len()
    );
}

/// Hears from every worker, in order and without a hole, until the end is announced; returns how
/// many lines of each.
///
/// # Panics
/// Something is missing.
pub(super) fn listen(listener: &mut Telnet) -> Vec<usize> {
    let mut heard = BTreeMap::from_iter((0..WORKERS).map(|worker| (worker.to_string(), 0_usize)));
    loop {
        let line = listener.hear().expect("who reads is not cut off");
        let words: Vec<_> = line.splitn(3, ' ').collect();
        let ["recv", topic, message] = words[..] else { panic!("heard {line}") };
        let worker = topic.strip_prefix("news.").expect("it joined nothing else");
        if worker == "end" {
            return heard.into_values().collect();
        }
        let next = heard.get_mut(worker).expect("it is a worker");
        assert_eq!(message, next.to_string(), "of worker {worker}");
        *next += 1;
    }
}
