//! A route: everybody who hears a topic, resolved once and used until a join changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::session::{Link, Session};
use crate::topics::{Member, Recv};

/// Most targets of routes that are compared with each other.
const AUDIENCE_COMPARED_MAX: usize = 8;

/// One receiver of a topic.
pub(crate) struct Target<L> {
    pub(crate) session: Arc<Session<L>>,
    /// Hears `recv` lines on its own account.
    pub(crate) recv: bool,
    /// Hears `watch` lines.
    pub(crate) watch: bool,
}

/// Everybody who hears one topic, or several that the same sessions hear.
pub(crate) struct Route<L> {
    /// By session number, each once.
    pub(crate) targets: Vec<Target<L>>,
    pub(crate) groups: Vec<Group<L>>,
    pub(crate) watched: bool,
}

/// Those of whom one hears each line.
pub(crate) struct Group<L> {
    name: Box<str>,
    pub(crate) members: Vec<Arc<Session<L>>>,
    next: AtomicUsize,
}

impl<L: Link> Route<L> {
    /// Merges the members of all joins that match a topic.
    pub(crate) fn new<'a>(members: impl Iterator<Item = &'a Member<L>>, turn: usize) -> Self
    where
        L: 'a,
    {
        let mut targets: Vec<Target<L>> = Vec::new();
        let mut groups: BTreeMap<&str, Vec<Arc<Session<L>>>> = BTreeMap::new();
        for member in members {
            if let Recv::Group(group) = &member.recv {
                groups.entry(group).or_default().push(Arc::clone(&member.session));
            }
            let recv = matches!(member.recv, Recv::Plain);
            if recv || member.watch {
                let session = Arc::clone(&member.session);
                targets.push(Target { session, recv, watch: member.watch });
            }
        }
        targets.sort_by_key(|target| target.session.id());
        targets.dedup_by(|later, first| {
            let same = later.session.id() == first.session.id();
            if same {
                first.recv |= later.recv;
                first.watch |= later.watch;
            }
            same
        });
        let groups = groups.into_iter().map(|(name, mut members)| {
            members.sort_by_key(|session| session.id());
            members.dedup_by_key(|session| session.id());
            // Where a route begins its round changes from route to route, so that frequent joins
            // do not favour the first member.
            Group { name: name.into(), members, next: AtomicUsize::new(turn) }
        });
        Self {
            watched: targets.iter().any(|target| target.watch),
            groups: groups.collect(),
            targets,
        }
    }

    /// Whether the same sessions hear the same of this route's topic as of another's, as far as
    /// that is cheap to see: then lines to both can be delivered as one.
    pub(crate) fn has_same_audience(&self, other: &Self) -> bool {
        let cheap = self.targets.len() <= AUDIENCE_COMPARED_MAX;
        let ungrouped = self.groups.is_empty() && other.groups.is_empty();
        let same = |(a, b): (&Target<L>, &Target<L>)| {
            (a.session.id(), a.recv, a.watch) == (b.session.id(), b.recv, b.watch)
        };
        std::ptr::eq(self, other)
            || cheap
                && ungrouped
                && self.targets.len() == other.targets.len()
                && self.targets.iter().zip(&other.targets).all(same)
    }

    /// Whether anybody hears the topic.
    pub(crate) fn is_heard(&self) -> bool {
        !self.targets.is_empty() || !self.groups.is_empty()
    }

    /// The target that is `session`.
    pub(crate) fn target(&self, session: &Session<L>) -> Option<&Target<L>> {
        let at = self.targets.binary_search_by_key(&session.id(), |target| target.session.id());
        at.ok().map(|at| &self.targets[at])
    }

    /// The group of the same name as one of another route to the topic.
    pub(crate) fn group(&self, of_other: &Group<L>) -> Option<&Group<L>> {
        self.groups.iter().find(|group| group.name == of_other.name)
    }

    /// Everybody who hears the topic in any way, each once.
    pub(crate) fn everybody(&self) -> Vec<&Arc<Session<L>>> {
        let grouped = self.groups.iter().flat_map(|group| &group.members);
        let mut all: Vec<_> = self.targets.iter().map(|target| &target.session).collect();
        all.extend(grouped);
        all.sort_by_key(|session| session.id());
        all.dedup_by_key(|session| session.id());
        all
    }
}

impl<L: Link> Group<L> {
    /// The member whose turn it is: not the sender, nobody who leaves, and preferably one that is
    /// not behind.
    pub(crate) fn pick(&self, sender: Option<u64>) -> Option<&Arc<Session<L>>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.members.len();
        let round = || (0..count).map(|i| &self.members[turn.wrapping_add(i) % count]);
        let other =
            |session: &&Arc<Session<L>>| Some(session.id()) != sender && !session.is_leaving();
        let ready = |session: &&Arc<Session<L>>| other(session) && !session.is_behind();
        round().find(ready).or_else(|| round().find(other))
    }
}
