//! `$bus.stats`: once a second, how busy the bus is, in lines that a person can read.
//!
//! Every number is of the time since the lines before, of which the first line says how long it
//! was, unless it is something that there is, such as `queued`. Topics are counted where lines are
//! routed; of a topic that is joined or left in the same moment a few lines may be missed.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linebus_protocol::run::write_recv;
use linebus_protocol::{BUS_USER, STATS_TOPIC, Topic};

use crate::broker::{Broker, Now, stamp};
use crate::connection::Work;
use crate::counts::{Amount, Totals};
use crate::delivery::{Delivery, Way};
use crate::lines::Lines;
use crate::session::{Link, Session};

/// Most clients in one second's lines, and most topics. The last line says how many more there are.
const LISTED_MAX: usize = 100;

/// What was there when the last lines were written. Whoever has a clock keeps one.
#[derive(Debug, Default)]
pub struct Stats {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    at: Duration,
    totals: Totals,
    clients: HashMap<u64, Traffic>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    received: Amount,
    delivered: Amount,
}

/// One client's line to be.
struct Client<L> {
    session: Arc<Session<L>>,
    traffic: Traffic,
    queued: usize,
}

impl Stats {
    /// To be called once a second: sends the lines if anybody has joined `$bus.stats`. The first
    /// call after somebody has only begins to count.
    pub fn tick<L: Link>(&mut self, broker: &Broker<L>, work: &mut Work<L>, now: Now) {
        let topic = Topic::parse(STATS_TOPIC).expect("it is a topic");
        if !broker.topics.read().is_heard(topic) {
            if self.last.take().is_some() {
                broker.observe(false);
            }
            return;
        }
        let totals = broker.totals();
        let traffic = |session: &Arc<Session<L>>| Traffic {
            received: session.received(),
            delivered: session.delivered(),
        };
        let everybody = broker.everybody();
        let clients: HashMap<_, _> =
            everybody.iter().map(|session| (session.id(), traffic(session))).collect();
        let now_there = Last { at: now.elapsed, totals, clients };
        match self.last.replace(now_there) {
            None => broker.observe(true),
            Some(before) => {
                let now_there = self.last.as_ref().expect("it was just put there");
                let text = report(broker, everybody, now_there, &before);
                broker.send_stats(topic, &text, work, now);
            }
        }
    }
}

impl<L: Link> Broker<L> {
    fn observe(&self, yes: bool) {
        self.topics.write().observe(yes);
        self.observed.store(yes, Ordering::Relaxed);
    }

    fn send_stats(&self, topic: Topic<'_>, text: &str, work: &mut Work<L>, now: Now) {
        let mut bytes = Vec::new();
        text.lines().for_each(|line| write_recv(&mut bytes, topic, line.as_bytes()));
        let lines = Lines::new(&bytes, text.lines().count());
        let mut waits = Vec::new();
        let mut delivery = Delivery::new(self, now, None, &mut waits, &mut work.outgoing);
        let changes = self.changes();
        let stamp = stamp(now, BUS_USER);
        delivery.deliver(&self.resolve(topic), changes, lines, &stamp, Way::Gathered);
    }
}

/// All lines of one second.
fn report<L: Link>(
    broker: &Broker<L>,
    everybody: Vec<Arc<Session<L>>>,
    now: &Last,
    before: &Last,
) -> String {
    let mut text = String::new();
    let traffic = Traffic {
        received: now.totals.received - before.totals.received,
        delivered: now.totals.delivered - before.totals.delivered,
    };
    line(
        &mut text,
        format_args!(
            "bus ms={} up_s={} clients={} {} queued={} budget={}",
            now.at.saturating_sub(before.at).as_millis(),
            now.at.as_secs(),
            now.totals.sessions,
            words(traffic),
            now.totals.queued,
            broker.limits().sessions_bytes_max,
        ),
    );
    let mut clients: Vec<_> = everybody
        .into_iter()
        .map(|session| {
            let of = |there: &Last| there.clients.get(&session.id()).copied().unwrap_or_default();
            let (now, before) = (of(now), of(before));
            let traffic = Traffic {
                received: now.received - before.received,
                delivered: now.delivered - before.delivered,
            };
            Client { queued: session.queued(), session, traffic }
        })
        .collect();
    let more_clients = busiest(&mut clients, LISTED_MAX, |client| {
        let Traffic { received, delivered } = client.traffic;
        let busy = received.bytes + delivered.bytes + client.queued as u64;
        (busy, client.session.id())
    });
    for Client { session, traffic, queued } in &clients {
        let behind = if session.is_behind() { "yes" } else { "no" };
        let (id, user, address) = (session.id(), session.user(), session.address());
        let up_s = now.at.saturating_sub(session.since()).as_secs();
        let traffic = words(*traffic);
        line(
            &mut text,
            format_args!(
                "client {id} {user} {address} {traffic} queued={queued} behind={behind} up_s={up_s}"
            ),
        );
    }
    let (topics, more_topics) = broker.topics.write().take_counts(LISTED_MAX);
    for topic in topics {
        let Amount { lines, bytes } = topic.sent;
        let (topic, receivers) = (topic.topic, topic.receivers);
        line(
            &mut text,
            format_args!("topic {topic} receivers={receivers} lines={lines} bytes={bytes}"),
        );
    }
    line(&mut text, format_args!("end more_clients={more_clients} more_topics={more_topics}"));
    text
}

fn words(Traffic { received, delivered }: Traffic) -> String {
    format!(
        "in_lines={} in_bytes={} out_lines={} out_bytes={}",
        received.lines, received.bytes, delivered.lines, delivered.bytes
    )
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(text, "{words}").expect("writing to memory does not fail");
}

/// Keeps the `most` busiest, the busiest first, by a key of how busy they are and a name that
/// decides between equals; says how many were left out.
pub(crate) fn busiest<T, K: Ord>(
    items: &mut Vec<T>,
    most: usize,
    key: impl Fn(&T) -> (u64, K),
) -> usize {
    let order = |item: &T| {
        let (busy, name) = key(item);
        (Reverse(busy), name)
    };
    items.sort_by_cached_key(order);
    let left_out = items.len().saturating_sub(most);
    items.truncate(most);
    left_out
}
