//! The table of joins: who joined which pattern, and from it, who hears a topic.
//!
//! All joins live in one map under the text of their pattern. A topic finds its exact joins under
//! its own name; it finds wildcard joins by writing itself in each *shape* that is in use: with
//! `rooms.*` and `rooms.*.>` joined, `rooms.vienna.lights` looks up `rooms.*.>` and nothing else,
//! because only that shape fits three tokens. The shapes in use are few, whatever the number of
//! patterns. (A trie finds the same with more code and a node per token.)
//!
//! A resolved topic is kept as a [`Route`] in a bounded cache of two generations: one look-up for
//! each run of lines. Topics used once flow through it without evicting others one by one.

use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use linebus_protocol::{Pattern, Topic};

use crate::route::Route;
use crate::session::{Link, Session};

/// Most topics in one generation of the cache. When a second one is full, the first is forgotten.
const GENERATION_MAX: usize = 65_536;

/// Keys are clients' words, hence a hasher with a random seed.
type Map<V> = HashMap<Box<[u8]>, V, RandomState>;

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
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want<'a> {
    Recv(Option<&'a str>),
    Watch,
}

/// By session number: new ones come last, so joining is a push, and leaving a binary search.
type Members<L> = Vec<Member<L>>;

/// Which tokens of a pattern are wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Tokens before the `>`, if there is one, or all.
    tokens: u32,
    /// Bit i: token i is `*`.
    stars: u32,
    /// Ends with `>`.
    tail: bool,
}

pub(crate) struct Topics<L> {
    joins: Map<Members<L>>,
    shapes: Vec<(Shape, usize)>,
    recent: Map<Arc<Route<L>>>,
    older: Map<Arc<Route<L>>>,
    /// How many routes were made.
    resolved: usize,
}

impl<L: Link> Topics<L> {
    pub(crate) fn new() -> Self {
        Self {
            joins: Map::default(),
            shapes: Vec::new(),
            recent: Map::default(),
            older: Map::default(),
            resolved: 0,
        }
    }

    /// The route of a topic that was resolved before.
    pub(crate) fn cached(&self, topic: &[u8]) -> Option<&Arc<Route<L>>> {
        self.recent.get(topic).or_else(|| self.older.get(topic))
    }

    /// Resolves a topic and remembers the route.
    pub(crate) fn resolve(&mut self, topic: Topic<'_>) -> Arc<Route<L>> {
        let name = topic.as_str();
        let mut found = Vec::from_iter(self.joins.get(name.as_bytes()));
        let mut written = String::new();
        for (shape, _) in &self.shapes {
            if shape.write(name, &mut written) {
                found.extend(self.joins.get(written.as_bytes()));
            }
        }
        let members = found.iter().flat_map(|members| members.iter());
        let route = Arc::new(Route::new(members, self.resolved));
        self.resolved += 1;
        if self.joins.contains_key(name.as_bytes()) || !self.shapes.is_empty() {
            if self.recent.len() >= GENERATION_MAX {
                self.older = std::mem::take(&mut self.recent);
            }
            self.recent.insert(name.as_bytes().into(), Arc::clone(&route));
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
        let name = pattern.as_str().as_bytes();
        let position = |members: &Members<L>| {
            members.binary_search_by_key(&session.id(), |member| member.session.id())
        };
        let at = self.joins.get(name).map_or(Err(0), position);
        let member = at.ok().and_then(|at| self.joins.get(name)?.get(at));
        let new = match (want, member) {
            (_, None) => true,
            (Want::Recv(_), Some(member)) => member.recv == Recv::No,
            (Want::Watch, Some(member)) => !member.watch,
        };
        if new && !allowed {
            return Joined::TooMany;
        }
        if !self.joins.contains_key(name) {
            self.joins.insert(name.into(), Vec::new());
            self.add_shape(pattern);
        }
        let members = self.joins.get_mut(name).expect("it is there or was just put there");
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
        let name = pattern.as_str().as_bytes();
        let Some(members) = self.joins.get_mut(name) else {
            return 0;
        };
        let found = members.binary_search_by_key(&session.id(), |m| m.session.id());
        let Ok(at) = found else { return 0 };
        let member = members.remove(at);
        let empty = members.is_empty();
        self.changed(pattern);
        if empty {
            self.joins.remove(name);
            self.remove_shape(pattern);
        }
        usize::from(member.recv != Recv::No) + usize::from(member.watch)
    }

    /// Forgets the routes that a change of this pattern's joins concerns.
    fn changed(&mut self, pattern: Pattern<'_>) {
        if pattern.as_topic().is_none() {
            self.recent.clear();
            self.older.clear();
            return;
        }
        let name = pattern.as_str().as_bytes();
        self.recent.remove(name);
        self.older.remove(name);
    }

    /// Who joined exactly this pattern.
    pub(crate) fn members(&self, pattern: Pattern<'_>) -> &[Member<L>] {
        self.joins.get(pattern.as_str().as_bytes()).map_or(&[], Vec::as_slice)
    }

    /// Every joined pattern that `filter` covers, with the number of sessions, by name.
    pub(crate) fn list(&self, filter: Option<Pattern<'_>>) -> Vec<(&str, usize)> {
        let named = self.joins.iter().map(|(name, members)| {
            (str::from_utf8(name).expect("a pattern is ASCII"), members.len())
        });
        let covered = |(name, _): &(&str, usize)| filter.is_none_or(|filter| filter.covers(name));
        let mut list: Vec<_> = named.filter(covered).collect();
        list.sort_unstable();
        list
    }

    fn add_shape(&mut self, pattern: Pattern<'_>) {
        let Some(shape) = Shape::of(pattern) else {
            return;
        };
        match self.shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, count)) => *count += 1,
            None => self.shapes.push((shape, 1)),
        }
    }

    fn remove_shape(&mut self, pattern: Pattern<'_>) {
        let Some(shape) = Shape::of(pattern) else {
            return;
        };
        if let Some(at) = self.shapes.iter().position(|(known, _)| *known == shape) {
            self.shapes[at].1 -= 1;
            if self.shapes[at].1 == 0 {
                self.shapes.swap_remove(at);
            }
        }
    }
}

/// What became of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It holds. `new`: it did not before. `first`: nor did another of this pattern.
    Yes { new: bool, first: bool },
    /// It would have been new, and was not allowed.
    TooMany,
}

impl Shape {
    /// The shape of a pattern; none for a plain topic.
    fn of(pattern: Pattern<'_>) -> Option<Self> {
        if pattern.as_topic().is_some() {
            return None;
        }
        let mut shape = Self { tokens: 0, stars: 0, tail: false };
        for token in pattern.as_str().split('.') {
            match token {
                ">" => shape.tail = true,
                "*" => {
                    shape.stars |= 1 << shape.tokens;
                    shape.tokens += 1;
                }
                _ => shape.tokens += 1,
            }
        }
        Some(shape)
    }

    /// Writes `topic` in this shape; false if it does not fit.
    fn write(self, topic: &str, out: &mut String) -> bool {
        let first_is_wild = self.stars & 1 == 1 || self.tokens == 0;
        if first_is_wild && topic.starts_with('$') {
            return false;
        }
        out.clear();
        let mut at = 0;
        for token in topic.split('.') {
            if at == self.tokens {
                if self.tail {
                    out.push('>');
                    return true;
                }
                return false;
            }
            out.push_str(if (self.stars >> at) & 1 == 1 { "*" } else { token });
            out.push('.');
            at += 1;
        }
        out.pop();
        at == self.tokens && !self.tail
    }
}

#[cfg(test)]
mod tests;
