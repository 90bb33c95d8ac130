//! The broker: sessions, topics, budget. What reading does is in `batch`, what commands do in
//! `commands`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use linebus_protocol::run::write_recv;
use linebus_protocol::{BUS_USER, ByeReason, CLIENTS_TOPIC, Event, Pattern, Topic, VERSION};
use parking_lot::{Mutex, RwLock};

use crate::access::{Access, Account};
use crate::connection::{Connection, Input, Work};
use crate::counts::{Counts, Totals};
use crate::delivery::{Delivery, Way};
use crate::fact::Fact;
use crate::limits::Limits;
use crate::lines::Lines;
use crate::rate::Bucket;
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
    limits: RwLock<Arc<Limits>>,
    /// Whether there are accounts, so that most verbs wait for a login.
    login_required: AtomicBool,
    pub(crate) topics: RwLock<Topics<L>>,
    /// Changes with every join and leave, before it is answered.
    changes: AtomicU64,
    pub(crate) sessions: RwLock<HashMap<u64, Arc<Session<L>>, RandomState>>,
    next_id: AtomicU64,
    /// Bytes that wait in all outboxes.
    pub(crate) queued: AtomicUsize,
    /// Bytes that sessions hold besides: unfinished lines, joins.
    pub(crate) held: AtomicUsize,
    /// How much each user has sent lately, while rates are limited: also of users who have gone
    /// and might come back for the next burst.
    buckets: Mutex<HashMap<Box<str>, Arc<Bucket>, RandomState>>,
    pub(crate) counts: Counts,
    /// Somebody wants to know which topics are busy.
    pub(crate) observed: AtomicBool,
}

impl<L: Link> Broker<L> {
    /// An open bus on which nobody is.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: RwLock::new(Arc::new(limits)),
            login_required: AtomicBool::new(false),
            topics: RwLock::new(Topics::new()),
            changes: AtomicU64::new(0),
            sessions: RwLock::default(),
            next_id: AtomicU64::new(1),
            queued: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            buckets: Mutex::default(),
            counts: Counts::default(),
            observed: AtomicBool::new(false),
        }
    }

    /// The limits it keeps.
    #[must_use]
    pub fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits.read())
    }

    /// Keeps other limits from now on. What is already beyond a new one stays; it is not exceeded
    /// further.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.write() = Arc::new(limits);
    }

    /// What somebody may do who has not logged in.
    pub(crate) fn guest(&self) -> Access {
        match self.login_required.load(Ordering::Relaxed) {
            true => Access::LoginFirst,
            false => Access::Open,
        }
    }

    /// How much a session's user has sent lately, over all connections; without accounts, how much
    /// the session has. Nothing if that does not matter.
    pub(crate) fn bucket(&self, session: &Session<L>, now: Now) -> Option<Arc<Bucket>> {
        if !self.limits().is_rate_limited() {
            return None;
        }
        let account = session.access().is_account();
        let Some(user) = session.login_name().filter(|_| account) else {
            return Some(Arc::default());
        };
        let mut buckets = self.buckets.lock();
        if let Some(bucket) = buckets.get(&user) {
            return Some(Arc::clone(bucket));
        }
        // Users that are gone and have paid leave nothing behind once another one comes.
        buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_full(now.elapsed));
        Some(Arc::clone(buckets.entry(user).or_default()))
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

    /// Bytes that sessions hold besides: unfinished lines, joins.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
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
        let session = {
            // Accounts can't change between looking whether there are any and being registered.
            let _unchanged = self.topics.read();
            self.register(link, address.into(), self.guest(), now)
        };
        self.greet(session, work, now)
    }

    /// Takes on a part of the server itself under a name that no user has: it may hear and see
    /// everything, and never send. It is not among those to whom all of [`close_all`] and
    /// [`note_all`] speak: who starts it ends it.
    ///
    /// [`close_all`]: Self::close_all
    /// [`note_all`]: Self::note_all
    pub fn connect_inside(
        &self,
        link: L,
        name: &str,
        work: &mut Work<L>,
        now: Now,
    ) -> Connection<L> {
        let session = self.register(link, "inside".into(), Access::Inside, now);
        session.log_in(name, Access::Inside);
        self.greet(session, work, now)
    }

    fn register(&self, link: L, address: Box<str>, access: Access, now: Now) -> Arc<Session<L>> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session::new(id, address, access, link, now.elapsed));
        self.sessions.write().insert(id, Arc::clone(&session));
        session
    }

    fn greet(&self, session: Arc<Session<L>>, work: &mut Work<L>, now: Now) -> Connection<L> {
        let limits = self.limits();
        let hello = Event::Hello {
            version: VERSION,
            line_bytes_max: limits.line_bytes_max,
            login_required: session.must_log_in(),
        };
        self.tell(&session, &hello, work, now);
        let bucket = limits.is_rate_limited().then(Arc::default);
        Connection::new(session, bucket)
    }

    /// Says goodbye to a session after all that waits for it. It is at its end when
    /// [`Session::is_drained`] says so; then call [`Broker::disconnect`].
    pub fn close(&self, session: &Session<L>, reason: ByeReason, text: &str) {
        session.close(reason, text, &self.queued);
    }

    /// Says goodbye to all clients.
    pub fn close_all(&self, reason: ByeReason, text: &str) {
        for session in self.clients() {
            self.close(&session, reason, text);
        }
    }

    /// Says goodbye to what is inside: last, so that it has heard everything.
    pub fn close_inside(&self, reason: ByeReason, text: &str) {
        for session in self.everybody().into_iter().filter(|session| session.is_inside()) {
            self.close(&session, reason, text);
        }
    }

    /// Tells all clients something worth knowing.
    pub fn note_all(&self, code: &str, text: &str, work: &mut Work<L>, now: Now) {
        for session in self.clients() {
            self.tell(&session, &Event::Note { code, text }, work, now);
        }
    }

    /// Ends a connection's joins and forgets its unfinished line: its client has closed or was told
    /// goodbye, though answers may still go out.
    pub fn leave(&self, connection: &mut Connection<L>) {
        connection.input = Input::default();
        self.leave_all(connection.session());
        connection.session().hold(0, &self.held);
    }

    /// Says on `$bus.clients` that a connection has ended, if it was told that it began: for when
    /// everything is written and the client has yet to see the end of the stream.
    pub fn announce_end(&self, connection: &Connection<L>, work: &mut Work<L>, now: Now) {
        let session = connection.session();
        let reason = session.closing();
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
        if registered && session.is_logged_in() && !session.is_inside() {
            let reason = reason.map_or("gone", ByeReason::word);
            let message = format!("left {} {} {reason}", session.user(), session.id());
            self.announce(&message, work, now);
        }
    }

    /// Forgets a connection with its joins and what waits for it, says so as
    /// [`announce_end`](Self::announce_end) does, and drops its link.
    pub fn disconnect(&self, connection: &mut Connection<L>, work: &mut Work<L>, now: Now) {
        self.leave(connection);
        self.announce_end(connection, work, now);
        connection.session().end(&self.queued);
    }

    /// Writes what waits for `session`, whose link can write again.
    pub fn flush(&self, session: &Session<L>) {
        session.flush(&self.limits(), &self.queued);
    }

    /// Has accounts from now on, or no longer (`login_required`), or other ones: `account` says what
    /// a user may do, nothing if there is no such user any more.
    ///
    /// When it returns, everybody may do what the new accounts allow and not one line more: users
    /// who are gone are closed, joins that are no longer allowed are left, and their sessions told.
    /// Whoever chose a name while the bus was open has to log in under it.
    pub fn set_accounts(
        &self,
        login_required: bool,
        account: impl Fn(&str) -> Option<Arc<Account>>,
        work: &mut Work<L>,
        now: Now,
    ) {
        let mut left = Vec::new();
        let mut gone = Vec::new();
        {
            let mut topics = self.topics.write();
            self.login_required.store(login_required, Ordering::Relaxed);
            for session in self.everybody() {
                let user = session.login_name();
                match (session.access(), user.filter(|_| login_required)) {
                    (Access::Inside, _) => continue,
                    (Access::Account(_), Some(user)) => match account(&user) {
                        Some(account) => session.set_access(Access::Account(account)),
                        None => {
                            session.set_access(Access::LoginFirst);
                            gone.push(Arc::clone(&session));
                        }
                    },
                    (Access::Open, Some(_)) => {
                        // On an open bus a name is only a name: its password was never asked for.
                        session.log_out();
                        session.set_access(Access::LoginFirst);
                    }
                    _ => session.set_access(self.guest()),
                }
                // Who has to log in now has a time for it, which begins.
                session.wake();
                let denied = topics.leave_denied(&session);
                // Who is told goodbye need not know more.
                if gone.last().is_none_or(|gone| !Arc::ptr_eq(gone, &session)) {
                    left.extend(denied.into_iter().map(|pattern| (Arc::clone(&session), pattern)));
                }
            }
            topics.forget_routes();
            self.count_change();
        }
        for (session, pattern) in left {
            let text = format!("{pattern}: you may no longer hear it");
            self.tell(&session, &Event::Note { code: "left", text: &text }, work, now);
            work.outgoing.facts.push(Fact::Left { id: session.id(), pattern });
        }
        for session in gone {
            self.close(&session, ByeReason::Kicked, "your account was disabled or removed");
        }
    }

    /// Counts what a session holds in memory for later.
    pub(crate) fn hold(&self, session: &Session<L>, input: &Input) {
        let bytes = input.carried() + session.joins.lock().bytes;
        session.hold(bytes, &self.held);
    }

    /// All sessions, by number.
    #[must_use]
    pub fn everybody(&self) -> Vec<Arc<Session<L>>> {
        let mut all: Vec<_> = self.sessions.read().values().cloned().collect();
        all.sort_by_key(|session| session.id());
        all
    }

    /// All sessions but those of the server itself, by number.
    #[must_use]
    pub fn clients(&self) -> Vec<Arc<Session<L>>> {
        let mut all = self.everybody();
        all.retain(|session| !session.is_inside());
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
        if let Some(topic) = self.topics.read().cached(name) {
            return Arc::clone(&topic.route);
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

    /// Ends all joins of a session.
    pub(crate) fn leave_all(&self, session: &Session<L>) {
        if session.joins.lock().patterns.is_empty() {
            return;
        }
        let mut topics = self.topics.write();
        let joins = std::mem::take(&mut *session.joins.lock());
        for name in joins.patterns {
            let pattern = Pattern::parse(&name).expect("a joined pattern was checked");
            topics.leave(session, pattern);
        }
        self.count_change();
    }

    /// Cuts off the session that holds most as long as all together exceed their budget.
    pub(crate) fn shed(&self, limits: &Limits, facts: &mut Vec<Fact>) {
        while self.queued() + self.held.load(Ordering::Relaxed) > limits.sessions_bytes_max {
            let fullest = self.everybody().into_iter().max_by_key(|session| session.bytes());
            let cut = fullest.and_then(|session| {
                // Its task frees it as soon as it learns of its end.
                session.hold(0, &self.held);
                session.cut(ByeReason::Memory, &self.queued)
            });
            match cut {
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
