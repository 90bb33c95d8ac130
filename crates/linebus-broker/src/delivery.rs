//! Bringing lines to everybody on a route.
//!
//! Two ways: a batch that went to one topic only is written straight from the reader's buffer to
//! each link, without a copy; a batch that went to several is gathered in the receivers'
//! outboxes, so that each receiver is written to once.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use linebus_protocol::Topic;
use linebus_protocol::run::{lines, write_watch};

use crate::broker::{Broker, Now};
use crate::fact::Fact;
use crate::limits::Limits;
use crate::route::Route;
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
        Self {
            watch: Vec::new(),
            both: Vec::new(),
            touched: Vec::new(),
            facts: Vec::new(),
        }
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
        let Outgoing {
            watch,
            both,
            touched,
            facts,
        } = outgoing;
        Self {
            broker,
            now,
            sender,
            waits,
            facts,
            watch,
            both,
            touched,
        }
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        &self.broker.limits
    }

    /// What waits in all outboxes, in bytes.
    pub(crate) fn queued(&self) -> &'a AtomicUsize {
        &self.broker.queued
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.elapsed
    }

    /// Brings `recv` lines to everybody on `route` but the sender; `stamp` is the
    /// `<time> <user>` of those who watch.
    pub(crate) fn deliver(&mut self, route: &Arc<Route<L>>, recv: &[u8], stamp: &str, way: Way) {
        let mut valid = Arc::clone(route);
        if route.groups.is_empty() {
            return self.deliver_to_targets(route, &mut valid, recv, stamp, way);
        }
        // Members take turns line by line; who watches besides hears `recv` first, as always.
        for line in lines(recv) {
            self.deliver_to_groups(route, &mut valid, line);
            self.deliver_to_targets(route, &mut valid, line, stamp, Way::Gathered);
        }
    }

    fn deliver_to_targets(
        &mut self,
        route: &Arc<Route<L>>,
        valid: &mut Arc<Route<L>>,
        recv: &[u8],
        stamp: &str,
        way: Way,
    ) {
        let (mut watch, mut both) = (std::mem::take(self.watch), std::mem::take(self.both));
        if route.watched {
            stamp_lines(route, recv, stamp, &mut watch, &mut both);
        }
        let sender = self.sender.map(|sender| sender.id());
        for target in &route.targets {
            if Some(target.session.id()) == sender {
                continue;
            }
            let bytes = match (target.recv, target.watch) {
                (true, false) => recv,
                (false, _) => &watch,
                (true, true) => &both,
            };
            self.offer(&target.session, bytes, valid, way, |now| {
                let now = now.target(&target.session);
                now.is_some_and(|now| now.recv == target.recv && now.watch == target.watch)
            });
        }
        (*self.watch, *self.both) = (watch, both);
    }

    fn deliver_to_groups(&mut self, route: &Arc<Route<L>>, valid: &mut Arc<Route<L>>, line: &[u8]) {
        let sender = self.sender.map(|sender| sender.id());
        for group in &route.groups {
            let Some(member) = group.pick(sender) else {
                continue;
            };
            if route.target(member).is_some_and(|target| target.recv) {
                continue; // it hears the line anyway
            }
            self.offer(member, line, valid, Way::Gathered, |now| {
                now.has_member(member)
            });
        }
    }

    /// Hands bytes to one session, unless it has left in the meantime: `hears` judges the route
    /// as it is now.
    fn offer(
        &mut self,
        session: &Arc<Session<L>>,
        bytes: &[u8],
        valid: &mut Arc<Route<L>>,
        way: Way,
        hears: impl Fn(&Route<L>) -> bool,
    ) {
        let broker = self.broker;
        loop {
            let current = || valid.is_current(&broker.wildcards);
            let offered = match way {
                Way::Direct => session.write(bytes, self, current),
                Way::Gathered => session.append(bytes, self, current),
            };
            match offered {
                Offered::Settled => return,
                Offered::Flush => return self.touched.push(Arc::clone(session)),
                Offered::Stale => {
                    let topic = Topic::parse(&valid.topic).expect("a route's topic was checked");
                    *valid = broker.resolve(topic);
                    if !hears(valid) {
                        return;
                    }
                }
            }
        }
    }

    /// Whether lines were gathered that wait for a flush.
    pub(crate) fn has_gathered(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Writes everything that was gathered, and keeps all outboxes together inside their budget.
    pub(crate) fn flush(&mut self) {
        for session in self.touched.drain(..) {
            session.flush(&self.broker.limits, &self.broker.queued);
        }
        self.broker.shed(self.facts);
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
    let topic = Topic::parse(&route.topic).expect("a route's topic was checked");
    let wanted = route
        .targets
        .iter()
        .any(|target| target.recv && target.watch);
    watch.clear();
    both.clear();
    for line in lines(recv) {
        let start = watch.len();
        write_watch(watch, topic, stamp, line);
        if wanted {
            both.extend_from_slice(line);
            both.extend_from_slice(&watch[start..]);
        }
    }
}
