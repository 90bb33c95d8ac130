//! The broker: sessions, topics, budget. What reading does is in `batch`, what commands do in
//! `commands`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use linebus_protocol::run::write_recv;
use linebus_protocol::{BUS_USER, ByeReason, CLIENTS_TOPIC, Event, Pattern, Topic, VERSION};
use parking_lot::RwLock;

use crate::connection::{Connection, Joins, Work};
use crate::counts::{Counts, Lines, Totals};
use crate::delivery::{Delivery, Way};
use crate::fact::Fact;
use crate::limits::Limits;
use crate::route::Route;
use crate::session::{Link, Session};
use crate::topics::Topics;

/// The time, as the caller reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic, since any fixed moment: for waiting.
    pub elapsed: Duration,
    /// Microseconds since 1970-01-01 UTC: for people.
    pub unix_us: i64,
}

/// The bus itself. Shared by all threads that serve it.
pub struct Broker<L> {
    pub(crate) limits: Limits,
    pub(crate) topics: RwLock<Topics<L>>,
    /// Changes with every join and leave, before it is answered.
    changes: AtomicU64,
    pub(crate) sessions: RwLock<HashMap<u64, Arc<Session<L>>, RandomState>>,
    next_id: AtomicU64,
    /// Bytes that wait in all outboxes.
    pub(crate) queued: AtomicUsize,
    pub(crate) counts: Counts,
    /// Somebody wants to know which topics are busy.
    pub(crate) observed: AtomicBool,
}

impl<L: Link> Broker<L> {
    /// A bus on which nobody is.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            topics: RwLock::new(Topics::new()),
            changes: AtomicU64::new(0),
            sessions: RwLock::default(),
            next_id: AtomicU64::new(1),
            queued: AtomicUsize::new(0),
            counts: Counts::default(),
            observed: AtomicBool::new(false),
        }
    }

    /// The limits it keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many sessions there are.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.read().len()
    }

    /// Bytes that wait for all receivers together.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// What it has done so far. Looks at every session: for once a second, not more.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let sessions = self.sessions.read();
        let mut totals = Totals::new(&self.counts);
        totals.sessions = sessions.len();
        totals.queued = self.queued();
        for session in sessions.values() {
            totals.received += session.received();
            totals.delivered += session.delivered();
        }
        totals
    }

    /// Takes on a client and says hello to it. `address` is what `who` shows.
    pub fn connect(
        &self,
        link: L,
        address: impl Into<Box<str>>,
        work: &mut Work<L>,
        now: Now,
    ) -> Connection<L> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session::new(id, address.into(), link, now.elapsed));
        self.sessions.write().insert(id, Arc::clone(&session));
        let hello = Event::Hello {
            version: VERSION,
            line_bytes_max: self.limits.line_bytes_max,
            login_required: false,
        };
        self.tell(&session, &hello, work, now);
        Connection::new(session)
    }

    /// Says goodbye to a session after all that waits for it. It is at its end when
    /// [`Session::is_drained`] says so; then call [`Broker::disconnect`].
    pub fn close(&self, session: &Session<L>, reason: ByeReason, text: &str) {
        session.close(reason, text, &self.queued);
    }

    /// Says goodbye to everybody.
    pub fn close_all(&self, reason: ByeReason, text: &str) {
        for session in self.everybody() {
            self.close(&session, reason, text);
        }
    }

    /// Tells everybody something worth knowing.
    pub fn note_all(&self, code: &str, text: &str, work: &mut Work<L>, now: Now) {
        for session in self.everybody() {
            self.tell(&session, &Event::Note { code, text }, work, now);
        }
    }

    /// Ends a connection's joins: its client has closed, though answers may still go out.
    pub fn leave(&self, connection: &mut Connection<L>) {
        let session = Arc::clone(connection.session());
        self.leave_all(connection.joins_mut(), &session);
    }

    /// Ends a connection: its joins, what waits for it, its place in the registry. Those who
    /// watch the bus learn of it if it had logged in.
    pub fn disconnect(&self, connection: &mut Connection<L>, work: &mut Work<L>, now: Now) {
        self.leave(connection);
        let session = connection.session();
        let reason = session.end(&self.queued);
        let registered = {
            let mut sessions = self.sessions.write();
            let registered = sessions.remove(&session.id()).is_some();
            if registered {
                // While nobody can add up: what it did is in one place or the other.
                self.counts.past_received.add(session.received());
                self.counts.past_delivered.add(session.delivered());
                self.counts.end(reason);
            }
            registered
        };
        if registered && session.is_logged_in() {
            let reason = reason.map_or("gone", ByeReason::word);
            let message = format!("left {} {} {reason}", session.user(), session.id());
            self.announce(&message, work, now);
        }
    }

    /// Writes what waits for `session`, whose link can write again.
    pub fn flush(&self, session: &Session<L>) {
        session.flush(&self.limits, &self.queued);
    }

    /// All sessions, by number.
    #[must_use]
    pub fn everybody(&self) -> Vec<Arc<Session<L>>> {
        let mut all: Vec<_> = self.sessions.read().values().cloned().collect();
        all.sort_by_key(|session| session.id());
        all
    }

    fn tell(&self, session: &Arc<Session<L>>, event: &Event<'_>, work: &mut Work<L>, now: Now) {
        let mut waits = Vec::new();
        let mut delivery = Delivery::new(self, now, None, &mut waits, &mut work.outgoing);
        let line = format!("{event}\n");
        session.write(Lines::one(line.as_bytes()), &mut delivery, || true);
    }

    /// Sends a line of the bus's own.
    pub(crate) fn announce(&self, message: &str, work: &mut Work<L>, now: Now) {
        let mut waits = Vec::new();
        let mut delivery = Delivery::new(self, now, None, &mut waits, &mut work.outgoing);
        self.announce_with(&mut delivery, message);
    }

    pub(crate) fn announce_with(&self, delivery: &mut Delivery<'_, L>, message: &str) {
        let topic = Topic::parse(CLIENTS_TOPIC).expect("it is a topic");
        let mut line = Vec::new();
        write_recv(&mut line, topic, message.as_bytes());
        let stamp = stamp(delivery.now, BUS_USER);
        let changes = self.changes();
        delivery.deliver(&self.resolve(topic), changes, Lines::one(&line), &stamp, Way::Gathered);
    }

    /// Who hears `topic`.
    pub(crate) fn resolve(&self, topic: Topic<'_>) -> Arc<Route<L>> {
        let name = topic.as_str().as_bytes();
        if let Some(route) = self.topics.read().cached(name) {
            return Arc::clone(route);
        }
        self.topics.write().resolve(topic)
    }

    /// The number of changes of joins so far. Routes that were resolved after reading it are
    /// right as long as it stays the same.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Counts a change of joins; whoever made it holds the table's lock.
    pub(crate) fn count_change(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Ends joins by their patterns' names.
    pub(crate) fn leave_all(&self, joins: &mut Joins, session: &Session<L>) {
        if joins.patterns.is_empty() {
            return;
        }
        let mut topics = self.topics.write();
        for name in std::mem::take(&mut joins.patterns) {
            let pattern = Pattern::parse(&name).expect("a joined pattern was checked");
            topics.leave(session, pattern);
        }
        joins.count = 0;
        self.count_change();
    }

    /// Cuts off the fullest outbox as long as all together exceed their budget.
    pub(crate) fn shed(&self, facts: &mut Vec<Fact>) {
        while self.queued() > self.limits.outboxes_bytes_max {
            let fullest = self.everybody().into_iter().max_by_key(|session| session.queued());
            match fullest.and_then(|session| session.cut(ByeReason::Memory, &self.queued)) {
                Some(fact) => facts.push(fact),
                None => return,
            }
        }
    }
}

/// When and who, as those see it who watch: `2013-02-03T00:00:00.000000Z bob`.
pub(crate) fn stamp(now: Now, user: &str) -> String {
    let time =
        jiff::Timestamp::from_microsecond(now.unix_us).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.6} {user}")
}
