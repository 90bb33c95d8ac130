//! The table of joins: who joined which pattern, and from it, who hears a topic.
//!
//! A resolved topic is kept with its [`Route`] in a bounded cache of two generations: one look-up
//! for each run of lines. Topics used once flow through it without evicting others one by one.
//! Topics that are resolved one after the other and heard by the same sessions share a route, so
//! that one address says that they do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use linebus_protocol::{Pattern, Topic};

use crate::access::{Access, Wish};
use crate::counts::{Amount, Meter};
use crate::patterns::{Map, Patterns};
use crate::route::Route;
use crate::session::{Link, Session};
use crate::stats::busiest;

/// Most topics in one generation of the cache. When a second one is full, the first is forgotten.
const GENERATION_MAX: usize = 65_536;

/// How a member hears `recv` lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recv {
    No,
    Plain,
    Group(Box<str>),
}

/// One session's join of one pattern.
pub(crate) struct Member<L> {
    pub(crate) session: Arc<Session<L>>,
    pub(crate) recv: Recv,
    pub(crate) watch: bool,
}

/// What a session wants to hear in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want<'a> {
    Recv(Option<&'a str>),
    Watch,
}

/// By session number: new ones come last, so joining is a push, and leaving a binary search.
type Members<L> = Vec<Member<L>>;

pub(crate) struct Topics<L> {
    joins: Patterns<Members<L>>,
    recent: Map<Resolved<L>>,
    older: Map<Resolved<L>>,
    /// The last route that was made, which the next topic may share.
    last: Weak<Route<L>>,
    /// How many routes were made.
    resolved: usize,
    /// What forgotten routes carried since somebody looked; none while nobody does.
    forgotten: Option<Map<Amount>>,
}

impl<L: Link> Topics<L> {
    pub(crate) fn new() -> Self {
        Self {
            joins: Patterns::default(),
            recent: Map::default(),
            older: Map::default(),
            last: Weak::new(),
            resolved: 0,
            forgotten: None,
        }
    }

    /// A topic that was resolved before.
    pub(crate) fn cached(&self, topic: &[u8]) -> Option<&Resolved<L>> {
        self.recent.get(topic).or_else(|| self.older.get(topic))
    }

    /// Resolves a topic and remembers the route.
    pub(crate) fn resolve(&mut self, topic: Topic<'_>) -> Arc<Route<L>> {
        let name = topic.as_str();
        let found = self.joins.matching(topic);
        let members = found.into_iter().flatten();
        let allowed = |member: &&Member<L>| member.session.may(Wish::Hear(topic));
        let route = Route::new(members.filter(allowed), self.resolved);
        let shared = self.last.upgrade().filter(|last| last.has_same_audience(&route));
        let route = shared.unwrap_or_else(|| Arc::new(route));
        self.last = Arc::downgrade(&route);
        self.resolved += 1;
        if self.joins.may_match(topic) {
            if self.recent.len() >= GENERATION_MAX {
                let older = std::mem::replace(&mut self.older, std::mem::take(&mut self.recent));
                self.keep_counts(older);
            }
            self.recent.insert(name.as_bytes().into(), Resolved::new(&route));
        }
        route
    }

    /// Adds a join, or changes the group of one. A join that would be one more than the session
    /// had is made only if `allowed`.
    pub(crate) fn join(
        &mut self,
        session: &Arc<Session<L>>,
        pattern: Pattern<'_>,
        want: Want<'_>,
        allowed: bool,
    ) -> Joined {
        let position = |members: &Members<L>| {
            members.binary_search_by_key(&session.id(), |member| member.session.id())
        };
        let at = self.joins.get(pattern).map_or(Err(0), position);
        let member = at.ok().and_then(|at| self.joins.get(pattern)?.get(at));
        let new = match (want, member) {
            (_, None) => true,
            (Want::Recv(_), Some(member)) => member.recv == Recv::No,
            (Want::Watch, Some(member)) => !member.watch,
        };
        if new && !allowed {
            return Joined::TooMany;
        }
        let members = self.joins.entry(pattern);
        let first = at.is_err();
        let at = at.unwrap_or_else(|at| {
            let member = Member { session: Arc::clone(session), recv: Recv::No, watch: false };
            members.insert(at, member);
            at
        });
        match want {
            Want::Watch => members[at].watch = true,
            Want::Recv(None) => members[at].recv = Recv::Plain,
            Want::Recv(Some(group)) => members[at].recv = Recv::Group(group.into()),
        }
        self.changed(pattern);
        Joined::Yes { new, first }
    }

    /// Ends a session's joins of a pattern; says how many that were, `recv` and `watch` apart.
    pub(crate) fn leave(&mut self, session: &Session<L>, pattern: Pattern<'_>) -> usize {
        let Some(members) = self.joins.get_mut(pattern) else {
            return 0;
        };
        let found = members.binary_search_by_key(&session.id(), |m| m.session.id());
        let Ok(at) = found else { return 0 };
        let member = members.remove(at);
        let empty = members.is_empty();
        self.changed(pattern);
        if empty {
            self.joins.remove(pattern);
        }
        usize::from(member.recv != Recv::No) + usize::from(member.watch)
    }

    /// Ends those joins of a session that it may not have any more; returns their patterns, sorted.
    pub(crate) fn leave_denied(&mut self, session: &Session<L>) -> Vec<Box<str>> {
        let mut joins = session.joins.lock();
        let patterns = std::mem::take(&mut joins.patterns);
        let (kept, mut denied): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|name| {
            let pattern = Pattern::parse(name).expect("a joined pattern was checked");
            let watches = || self.member(session, pattern).is_some_and(|member| member.watch);
            session.may(Wish::Join(pattern)) && (session.may(Wish::See) || !watches())
        });
        joins.patterns = kept;
        for name in &denied {
            let pattern = Pattern::parse(name).expect("a joined pattern was checked");
            joins.count -= self.leave(session, pattern);
            joins.forget(name);
        }
        denied.sort_unstable();
        denied
    }

    /// Forgets who hears what: the rules by which that was found have changed.
    pub(crate) fn forget_routes(&mut self) {
        for topics in [std::mem::take(&mut self.recent), std::mem::take(&mut self.older)] {
            self.keep_counts(topics);
        }
    }

    /// Forgets the routes that a change of this pattern's joins concerns.
    fn changed(&mut self, pattern: Pattern<'_>) {
        if pattern.as_topic().is_none() {
            return self.forget_routes();
        }
        let name = pattern.as_str().as_bytes();
        for topic in [self.recent.remove_entry(name), self.older.remove_entry(name)] {
            self.keep_counts(topic);
        }
    }

    /// Remembers what routes that are forgotten have carried, if somebody looks; of so many
    /// topics as one generation has, which bounds it.
    fn keep_counts(&mut self, topics: impl IntoIterator<Item = (Box<[u8]>, Resolved<L>)>) {
        let Some(forgotten) = &mut self.forgotten else { return };
        for (name, topic) in topics {
            let sent = topic.sent.take();
            if sent != Amount::default()
                && (forgotten.len() < GENERATION_MAX || forgotten.contains_key(&name))
            {
                *forgotten.entry(name).or_default() += sent;
            }
        }
    }

    /// Begins or ends counting by topic.
    pub(crate) fn observe(&mut self, yes: bool) {
        self.forgotten = yes.then(Map::default);
    }

    /// What was sent to each topic since the last time: the busiest, at most `most`, of those that
    /// are heard or were used; and how many more there are.
    pub(crate) fn take_counts(&mut self, most: usize) -> (Vec<Busy>, usize) {
        let mut forgotten = self.forgotten.replace(Map::default()).unwrap_or_default();
        let mut topics = Vec::new();
        for (name, topic) in self.recent.iter().chain(&self.older) {
            let mut sent = forgotten.remove(name).unwrap_or_default();
            sent += topic.sent.take();
            if topic.route.is_heard() || sent != Amount::default() {
                topics.push((name, sent, Some(&topic.route)));
            }
        }
        topics.extend(forgotten.iter().map(|(name, sent)| (name, *sent, None)));
        let left_out = busiest(&mut topics, most, |(name, sent, _)| (sent.bytes, *name));
        let busy = topics.into_iter().map(|(name, sent, route)| Busy {
            topic: String::from_utf8_lossy(name).into_owned(),
            sent,
            receivers: route.map_or(0, |route| route.everybody().len()),
        });
        (busy.collect(), left_out)
    }

    /// Whether anybody hears a topic.
    pub(crate) fn is_heard(&self, topic: Topic<'_>) -> bool {
        self.joins.matching(topic).iter().any(|members| !members.is_empty())
    }

    /// A session's join of exactly this pattern.
    fn member(&self, session: &Session<L>, pattern: Pattern<'_>) -> Option<&Member<L>> {
        let members = self.members(pattern);
        let at = members.binary_search_by_key(&session.id(), |member| member.session.id());
        at.ok().map(|at| &members[at])
    }

    /// Who joined exactly this pattern.
    pub(crate) fn members(&self, pattern: Pattern<'_>) -> &[Member<L>] {
        self.joins.get(pattern).map_or(&[], Vec::as_slice)
    }

    /// Every joined pattern that `filter` covers, with the number of sessions, by name.
    pub(crate) fn list(&self, filter: Option<Pattern<'_>>) -> Vec<(&str, usize)> {
        let named = self.joins.iter().map(|(name, members)| (name.as_str(), members.len()));
        let covered = |(name, _): &(&str, usize)| filter.is_none_or(|filter| filter.covers(name));
        let mut list: Vec<_> = named.filter(covered).collect();
        list.sort_unstable();
        list
    }
}

/// What is known of a topic that was resolved.
pub(crate) struct Resolved<L> {
    pub(crate) route: Arc<Route<L>>,
    /// The serial number of the account that was last found to be allowed to send here; 0 is none.
    admitted: AtomicU64,
    /// What was sent to it since somebody looked, while somebody looks.
    pub(crate) sent: Meter,
}

impl<L: Link> Resolved<L> {
    fn new(route: &Arc<Route<L>>) -> Self {
        Self { route: Arc::clone(route), admitted: AtomicU64::new(0), sent: Meter::default() }
    }

    /// Whether a sender may send to the topic, whose name this is. The last answer is remembered:
    /// all of this is forgotten when accounts change.
    pub(crate) fn admits(&self, sender: &Access, name: &[u8]) -> bool {
        let serial = sender.serial();
        if serial == Some(self.admitted.load(Ordering::Relaxed)) {
            return true;
        }
        let topic = Topic::parse_bytes(name);
        let admitted = topic.is_ok_and(|topic| sender.authorize(Wish::Send(topic)));
        if let Some(serial) = serial.filter(|_| admitted) {
            self.admitted.store(serial, Ordering::Relaxed);
        }
        admitted
    }
}

/// A topic and what was sent to it.
pub(crate) struct Busy {
    pub(crate) topic: String,
    pub(crate) sent: Amount,
    pub(crate) receivers: usize,
}

/// What became of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It holds. `new`: it did not before. `first`: nor did another of this pattern.
    Yes { new: bool, first: bool },
    /// It would have been new, and was not allowed.
    TooMany,
}

#[cfg(test)]
mod tests;
