//! Bringing lines to everybody on a route.
//!
//! Two ways: a batch that went to one topic only is written straight from the reader's buffer to
//! each link, without a copy; a batch that went to several is gathered in the receivers'
//! outboxes, so that each receiver is written to once.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use linebus_protocol::Topic;
use linebus_protocol::run::{lines, topic_of, write_watch};

use crate::access::Wish;
use crate::broker::{Broker, Now};
use crate::fact::Fact;
use crate::limits::Limits;
use crate::lines::{Kept, Lines};
use crate::route::{Group, Route, Target};
use crate::session::{Link, Offered, Session};

/// Memory that deliveries use again and again, one per thread.
pub(crate) struct Outgoing<L> {
    watch: Vec<u8>,
    both: Vec<u8>,
    /// Sessions whose outboxes this delivery promised to flush.
    touched: Vec<Arc<Session<L>>>,
    pub(crate) facts: Vec<Fact>,
}

impl<L> Default for Outgoing<L> {
    fn default() -> Self {
        Self { watch: Vec::new(), both: Vec::new(), touched: Vec::new(), facts: Vec::new() }
    }
}

/// How lines travel to the receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Written at once.
    Direct,
    /// Gathered until [`Delivery::flush`].
    Gathered,
}

/// One sender's deliveries at one moment.
pub(crate) struct Delivery<'a, L: Link> {
    pub(crate) broker: &'a Broker<L>,
    pub(crate) now: Now,
    /// Who does not hear the lines, and is asked to wait when a receiver is above its soft mark.
    pub(crate) sender: Option<&'a Arc<Session<L>>>,
    /// The receivers that the sender waits for.
    pub(crate) waits: &'a mut Vec<Arc<Session<L>>>,
    pub(crate) facts: &'a mut Vec<Fact>,
    limits: Arc<Limits>,
    watch: &'a mut Vec<u8>,
    both: &'a mut Vec<u8>,
    touched: &'a mut Vec<Arc<Session<L>>>,
}

impl<'a, L: Link> Delivery<'a, L> {
    pub(crate) fn new(
        broker: &'a Broker<L>,
        now: Now,
        sender: Option<&'a Arc<Session<L>>>,
        waits: &'a mut Vec<Arc<Session<L>>>,
        outgoing: &'a mut Outgoing<L>,
    ) -> Self {
        let Outgoing { watch, both, touched, facts } = outgoing;
        let limits = broker.limits();
        Self { broker, now, sender, waits, facts, limits, watch, both, touched }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What waits in all outboxes, in bytes.
    pub(crate) fn queued(&self) -> &'a AtomicUsize {
        &self.broker.queued
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.elapsed
    }

    /// Brings `recv` lines to everybody on `route` but the sender. `changes` is the count of
    /// changes from before the route was resolved; `stamp` is the `<time> <user>` of those who
    /// watch.
    pub(crate) fn deliver(
        &mut self,
        route: &Route<L>,
        changes: u64,
        recv: Lines<'_>,
        stamp: &str,
        way: Way,
    ) {
        if route.groups.is_empty() {
            return self.deliver_to_targets(route, changes, recv, stamp, way);
        }
        // Members take turns line by line; who watches besides hears `recv` first, as always.
        for line in lines(recv.bytes).map(Lines::one) {
            self.deliver_to_groups(route, changes, line);
            self.deliver_to_targets(route, changes, line, stamp, Way::Gathered);
        }
    }

    fn deliver_to_targets(
        &mut self,
        route: &Route<L>,
        changes: u64,
        recv: Lines<'_>,
        stamp: &str,
        way: Way,
    ) {
        let (mut watch, mut both) = (std::mem::take(self.watch), std::mem::take(self.both));
        if route.watched {
            stamp_lines(route, recv.bytes, stamp, &mut watch, &mut both);
        }
        let sender = self.sender.map(|sender| sender.id());
        let kept: [Kept; 3] = Default::default();
        for target in &route.targets {
            if Some(target.session.id()) == sender {
                continue;
            }
            let lines = match (target.recv, target.watch) {
                (true, false) => recv.kept_in(&kept[0]),
                (false, _) => Lines::new(&watch, recv.count).kept_in(&kept[1]),
                (true, true) => Lines::new(&both, 2 * recv.count).kept_in(&kept[2]),
            };
            if !self.offer(&target.session, changes, lines, way) {
                self.deliver_again(&target.session, lines.bytes);
            }
        }
        (*self.watch, *self.both) = (watch, both);
    }

    fn deliver_to_groups(&mut self, route: &Route<L>, changes: u64, line: Lines<'_>) {
        let mut heard = Vec::new();
        for group in &route.groups {
            let (mut changes, mut fresh) = (changes, None);
            while let Some(member) = self.turn(fresh.as_deref().unwrap_or(route), group) {
                if heard.contains(&member.id()) {
                    break; // its turn in another group, too: the line comes once
                }
                if self.offer(&member, changes, line, Way::Gathered) {
                    if route.groups.len() > 1 {
                        heard.push(member.id());
                    }
                    break;
                }
                // A member that left in the meantime is not the one: the next is asked.
                changes = self.broker.changes();
                fresh = self.resolve_line(line.bytes);
                if fresh.is_none() {
                    return;
                }
            }
        }
    }

    /// Whose turn it is in one of the groups; nobody's, if that member hears the line anyway.
    fn turn(&self, route: &Route<L>, group: &Group<L>) -> Option<Arc<Session<L>>> {
        let member = route.group(group)?.pick(self.sender.map(|sender| sender.id()))?;
        let hears_anyway = route.target(member).is_some_and(|target| target.recv);
        (!hears_anyway).then(|| Arc::clone(member))
    }

    /// Hands bytes to one session, unless joins have changed: then false.
    fn offer(
        &mut self,
        session: &Arc<Session<L>>,
        changes: u64,
        lines: Lines<'_>,
        way: Way,
    ) -> bool {
        let broker = self.broker;
        let current = || broker.changes() == changes;
        let offered = match way {
            Way::Direct => session.write(lines, self, current),
            Way::Gathered => session.append(lines, self, current),
        };
        if offered == Offered::Flush {
            self.touched.push(Arc::clone(session));
        }
        // Not once for all receivers: a thousand who do not read would take a thousand reads more
        // than the budget.
        broker.shed(&self.limits, self.facts);
        offered != Offered::Stale
    }

    /// Brings lines to one session although joins have changed since they were routed: line by
    /// line, what it still wants to hear.
    fn deliver_again(&mut self, session: &Arc<Session<L>>, bytes: &[u8]) {
        for line in lines(bytes) {
            loop {
                let changes = self.broker.changes();
                let Some(route) = self.resolve_line(line) else { return };
                let recv = line.starts_with(b"recv ");
                let hears = |target: &Target<L>| if recv { target.recv } else { target.watch };
                if !route.target(session).is_some_and(hears)
                    || self.offer(session, changes, Lines::one(line), Way::Gathered)
                {
                    break;
                }
            }
        }
    }

    /// Who hears a line's topic now; nothing if its sender may no longer send there.
    fn resolve_line(&self, line: &[u8]) -> Option<Arc<Route<L>>> {
        let topic = Topic::parse_bytes(topic_of(line)).expect("it was checked before");
        // What the bus itself says may come in the course of a client's command.
        let may = |sender: &Arc<Session<L>>| topic.is_system() || sender.may(Wish::Send(topic));
        self.sender.is_none_or(may).then(|| self.broker.resolve(topic))
    }

    /// Whether lines were gathered that wait for a flush.
    pub(crate) fn has_gathered(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Writes everything that was gathered, and keeps all outboxes together inside their budget.
    pub(crate) fn flush(&mut self) {
        for session in self.touched.drain(..) {
            session.flush(&self.limits, &self.broker.queued);
        }
        self.broker.shed(&self.limits, self.facts);
    }
}

/// A panic amid a batch ends one session; what it promised to others is kept.
impl<L: Link> Drop for Delivery<'_, L> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Writes each line once as those who watch see it, and once as those who do both.
fn stamp_lines<L: Link>(
    route: &Route<L>,
    recv: &[u8],
    stamp: &str,
    watch: &mut Vec<u8>,
    both: &mut Vec<u8>,
) {
    let wanted = route.targets.iter().any(|target| target.recv && target.watch);
    watch.clear();
    both.clear();
    for line in lines(recv) {
        let start = watch.len();
        write_watch(watch, stamp, line);
        if wanted {
            both.extend_from_slice(line);
            both.extend_from_slice(&watch[start..]);
        }
    }
}
