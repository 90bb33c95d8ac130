//! One connected client as all threads see it: its name, and the way its lines go out.
//!
//! The rule that everything rests on: **when something waits in an outbox, somebody has promised
//! to write it**. That is whoever holds the link at the moment, or the batch that pushed first
//! onto an empty outbox and flushes it at its end, or, once the link was full, the session's own
//! task, which waits until the link can write again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;

use atomic_waker::AtomicWaker;
use linebus_protocol::{ByeReason, Event, GUEST};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::access::{Access, Wish};
use crate::counts::{Amount, Meter};
use crate::delivery::Delivery;
use crate::fact::Fact;
use crate::limits::Limits;
use crate::lines::Lines;
use crate::outbox::{Outbox, Pressure, Pushed, Stage};

/// The peer has gone: nothing written to it will arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// Where a session's bytes go: a socket that does not block, or anything like it.
pub trait Link: Send {
    /// Writes as much of `bytes` as can be written now and says how much that was. Less than all
    /// means that the link is full; [`Broker::flush`](crate::Broker::flush) is to be called when it no longer is.
    ///
    /// # Errors
    /// [`Gone`] when nothing can ever be written again.
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone>;
}

/// One connected client.
pub struct Session<L> {
    id: u64,
    address: Box<str>,
    user: Mutex<Option<Box<str>>>,
    access: RwLock<Access>,
    /// What it has joined. Changed only while the table of topics is held.
    pub(crate) joins: Mutex<Joins>,
    /// What it holds besides what waits for it, in bytes: an unfinished line, joins.
    held: AtomicUsize,
    /// When it came.
    since: Duration,
    received: Meter,
    /// Above its soft mark or leaving: groups rather choose another.
    behind: AtomicBool,
    /// Was told goodbye, or its link is gone: groups choose another.
    leaving: AtomicBool,
    waker: AtomicWaker,
    out: Mutex<Out<L>>,
}

/// What a session has joined.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    pub(crate) patterns: Vec<Box<str>>,
    /// `recv` and `watch` counted apart.
    pub(crate) count: usize,
    /// About how much memory they take.
    pub(crate) bytes: usize,
}

/// What a join takes besides its pattern, which is kept twice, in bytes: its places in the table.
const JOIN_BYTES: usize = 160;

impl Joins {
    pub(crate) fn add(&mut self, pattern: &str) {
        self.patterns.push(pattern.into());
        self.bytes += JOIN_BYTES + 2 * pattern.len();
    }

    pub(crate) fn remove(&mut self, pattern: &str) {
        if let Some(at) = self.patterns.iter().position(|joined| **joined == *pattern) {
            self.patterns.swap_remove(at);
            self.forget(pattern);
        }
    }

    /// A pattern was taken out.
    pub(crate) fn forget(&mut self, pattern: &str) {
        self.bytes -= JOIN_BYTES + 2 * pattern.len();
    }
}

struct Out<L> {
    outbox: Outbox,
    delivered: Amount,
    /// Absent while somebody writes with it, and after the end.
    link: Option<L>,
    /// The link was full; the session's own task waits for it.
    blocked: bool,
    /// Its own task waits until it is drained.
    drain_awaited: bool,
    /// Sessions that wait for this outbox to drain.
    waiters: Vec<Arc<Session<L>>>,
}

/// What became of lines offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// Written, or waiting with somebody's promise to write it, or thrown away because the
    /// session is at its end.
    Settled,
    /// Waiting, and it is the caller who has to flush.
    Flush,
    /// Not taken, because what the caller knows about joins is out of date.
    Stale,
}

impl<L> Out<L> {
    /// What becomes of lines that are not even looked at: the session is at its end, or what
    /// their sender knows of joins is out of date.
    fn untaken(&self, current: impl Fn() -> bool) -> Option<Offered> {
        match self.outbox.stage {
            Stage::Open if current() => None,
            Stage::Open => Some(Offered::Stale),
            Stage::Closing(_) | Stage::Closed => Some(Offered::Settled),
        }
    }
}

impl<L: Link> Session<L> {
    pub(crate) fn new(
        id: u64,
        address: Box<str>,
        access: Access,
        link: L,
        since: Duration,
    ) -> Self {
        Self {
            id,
            address,
            user: Mutex::new(None),
            access: RwLock::new(access),
            joins: Mutex::default(),
            held: AtomicUsize::new(0),
            since,
            received: Meter::default(),
            behind: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            out: Mutex::new(Out {
                outbox: Outbox::new(),
                delivered: Amount::default(),
                link: Some(link),
                blocked: false,
                drain_awaited: false,
                waiters: Vec::new(),
            }),
        }
    }

    /// Its number, unique while the broker lives.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Where it comes from, as the caller of [`Broker::connect`](crate::Broker::connect) put it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its user; `guest` before a login.
    #[must_use]
    pub fn user(&self) -> Box<str> {
        self.user.lock().clone().unwrap_or_else(|| GUEST.into())
    }

    /// The name under which it logged in.
    pub(crate) fn login_name(&self) -> Option<Box<str>> {
        self.user.lock().clone()
    }

    /// Forgets who it said it is: nobody checked that.
    pub(crate) fn log_out(&self) {
        *self.user.lock() = None;
    }

    /// Whether it has said who it is.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.user.lock().is_some()
    }

    pub(crate) fn log_in(&self, user: &str, access: Access) {
        *self.user.lock() = Some(user.into());
        *self.access.write() = access;
    }

    /// What it may do.
    pub(crate) fn access(&self) -> Access {
        self.access.read().clone()
    }

    pub(crate) fn set_access(&self, access: Access) {
        *self.access.write() = access;
    }

    /// Whether it may do something.
    pub(crate) fn may(&self, wish: Wish<'_>) -> bool {
        self.access.read().authorize(wish)
    }

    /// Whether it has to log in before anything else.
    #[must_use]
    pub fn must_log_in(&self) -> bool {
        matches!(*self.access.read(), Access::LoginFirst)
    }

    /// Whether it is a part of the server itself, and no client.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.access.read().is_inside()
    }

    /// Bytes that it holds: what waits for it, an unfinished line, joins.
    pub(crate) fn bytes(&self) -> usize {
        self.queued() + self.held.load(Ordering::Relaxed)
    }

    /// Notes what it holds besides what waits for it, in bytes.
    pub(crate) fn hold(&self, bytes: usize, total: &AtomicUsize) {
        adjust(total, self.held.swap(bytes, Ordering::Relaxed), bytes);
    }

    /// When it came, on the broker's monotonic clock.
    pub(crate) const fn since(&self) -> Duration {
        self.since
    }

    /// All that came from it.
    #[must_use]
    pub fn received(&self) -> Amount {
        self.received.read()
    }

    /// All that was handed to it, answers included, whether its client has read it or not.
    #[must_use]
    pub fn delivered(&self) -> Amount {
        self.out.lock().delivered
    }

    pub(crate) fn count_received(&self, amount: Amount) {
        self.received.add(amount);
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Has `waker` woken when the link was found full, the session is at its end, or a receiver
    /// that it waited for has drained.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(crate) fn wake(&self) {
        self.waker.wake();
    }

    /// How far it is on its way to the end.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.out.lock().outbox.stage
    }

    /// Bytes that wait for it.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.out.lock().outbox.queued()
    }

    /// Whether something waits that only the session's own task will write, once the link can.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.out.lock().blocked
    }

    /// Whether everything is written and nothing is being written. If not, it is woken when
    /// that changes.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let mut out = self.out.lock();
        let at_rest = out.link.is_some() || out.outbox.stage == Stage::Closed;
        out.drain_awaited = !at_rest || out.outbox.queued() > 0;
        !out.drain_awaited
    }

    /// Whether it is still above its soft mark, `sender` waits for that to end, and how long it
    /// may: the time since the pressure began is limited for all senders together.
    pub(crate) fn pressure_end(&self, sender: &Self, drain: Duration) -> Option<Duration> {
        let out = self.out.lock();
        match out.outbox.pressure {
            Pressure::Since(since) if out.waiters.iter().any(|waiter| waiter.id == sender.id) => {
                Some(since + drain)
            }
            _ => None,
        }
    }

    /// Writes lines, directly if nothing waits before them. `current` is asked, while nobody
    /// else can push, whether the caller's knowledge of joins still holds: after `ok leave`
    /// there is not one line more.
    pub(crate) fn write(
        self: &Arc<Self>,
        lines: Lines<'_>,
        delivery: &mut Delivery<'_, L>,
        current: impl Fn() -> bool,
    ) -> Offered {
        let mut out = self.out.lock();
        if let Some(untaken) = out.untaken(current) {
            return untaken;
        }
        out.delivered += lines.amount();
        let link = if out.outbox.queued() == 0 { out.link.take() } else { None };
        let Some(mut link) = link else {
            self.push(&mut out, delivery, |outbox, limits, now| outbox.push(lines, limits, now));
            return Offered::Settled;
        };
        drop(out);
        let written = link.try_write(lines.bytes);
        let mut out = self.out.lock();
        if out.outbox.stage == Stage::Closed {
            return Offered::Settled;
        }
        let Ok(written) = written else {
            self.end_now(out, delivery.queued());
            return Offered::Settled;
        };
        out.link = Some(link);
        if written < lines.bytes.len() {
            self.push(&mut out, delivery, |outbox, limits, now| {
                outbox.push_rest(lines, written, limits, now)
            });
            self.block(&mut out);
        } else {
            self.write_out(out, delivery.limits(), delivery.queued());
        }
        Offered::Settled
    }

    /// Lets lines wait for a flush at the end of a batch.
    pub(crate) fn append(
        self: &Arc<Self>,
        lines: Lines<'_>,
        delivery: &mut Delivery<'_, L>,
        current: impl Fn() -> bool,
    ) -> Offered {
        let mut out = self.out.lock();
        if let Some(untaken) = out.untaken(current) {
            return untaken;
        }
        out.delivered += lines.amount();
        let first = out.outbox.queued() == 0 && out.link.is_some();
        self.push(&mut out, delivery, |outbox, limits, now| outbox.push(lines, limits, now));
        if first { Offered::Flush } else { Offered::Settled }
    }

    /// Pushes and draws the consequences.
    fn push(
        self: &Arc<Self>,
        out: &mut Out<L>,
        delivery: &mut Delivery<'_, L>,
        push: impl FnOnce(&mut Outbox, &Limits, Duration) -> Pushed,
    ) {
        let pushed = counted(out, delivery.queued(), |outbox| {
            push(outbox, delivery.limits(), delivery.elapsed())
        });
        match pushed {
            Pushed::Fine => {}
            Pushed::Wait => {
                self.behind.store(true, Ordering::Relaxed);
                if let Some(sender) = delivery.sender
                    && !delivery.waits.iter().any(|awaited| awaited.id == self.id)
                {
                    out.waiters.push(Arc::clone(sender));
                    delivery.waits.push(Arc::clone(self));
                }
            }
            Pushed::GivesUp => {
                let queued = out.outbox.queued();
                delivery.facts.push(Fact::NotWaitedFor { id: self.id, queued });
            }
            Pushed::Overflow => {
                let fact = self.cut_now(out, ByeReason::Slow, delivery.queued());
                delivery.facts.push(fact);
            }
        }
    }

    /// Keeps the promise to write what waits, as far as the link takes it.
    pub(crate) fn flush(&self, limits: &Limits, queued: &AtomicUsize) {
        let mut out = self.out.lock();
        out.blocked = false;
        self.write_out(out, limits, queued);
    }

    /// Writes what waits. Does nothing if somebody else is at it, who then also writes what was
    /// pushed in the meantime.
    fn write_out<'a>(
        &'a self,
        mut out: MutexGuard<'a, Out<L>>,
        limits: &Limits,
        queued: &AtomicUsize,
    ) {
        let mut waiters = Vec::new();
        while !out.blocked
            && let Some(mut link) = out.link.take()
        {
            let Some((chunk, head)) = out.outbox.take() else {
                out.link = Some(link);
                break;
            };
            drop(out);
            let wanted = chunk.len() - head;
            let written = link.try_write(&chunk[head..]);
            out = self.out.lock();
            let released = counted(&mut out, queued, |outbox| {
                outbox.put_back(chunk, head, written.unwrap_or(0), limits)
            });
            if released {
                self.behind.store(out.outbox.stage != Stage::Open, Ordering::Relaxed);
                waiters.append(&mut out.waiters);
            }
            if out.outbox.stage == Stage::Closed {
                break;
            }
            let Ok(written) = written else {
                self.end_now(out, queued);
                wake_all(waiters);
                return;
            };
            out.link = Some(link);
            if written < wanted {
                self.block(&mut out);
            }
        }
        if out.drain_awaited && out.outbox.queued() == 0 {
            self.wake();
        }
        drop(out);
        wake_all(waiters);
    }

    /// The session's own task takes over.
    fn block(&self, out: &mut Out<L>) {
        out.blocked = out.outbox.queued() > 0;
        if out.blocked {
            self.wake();
        }
    }

    /// Throws away what waits and says goodbye; what is left of the reason is a fact.
    pub(crate) fn cut(&self, reason: ByeReason, queued: &AtomicUsize) -> Option<Fact> {
        let mut out = self.out.lock();
        out.outbox.can_be_cut().then(|| self.cut_now(&mut out, reason, queued))
    }

    fn cut_now(&self, out: &mut Out<L>, reason: ByeReason, queued: &AtomicUsize) -> Fact {
        let waited = out.outbox.queued();
        counted(out, queued, |outbox| {
            outbox.cut(reason, &bye_line(reason, reason.meaning()));
        });
        self.leave_open(out);
        // Nobody may have promised to write the goodbye: its own task does.
        out.blocked |= out.link.is_some();
        Fact::Cut { id: self.id, reason, queued: waited }
    }

    /// Says goodbye after all that waits. Does nothing if that was done before.
    pub(crate) fn close(&self, reason: ByeReason, text: &str, queued: &AtomicUsize) {
        let mut out = self.out.lock();
        if out.outbox.stage == Stage::Open {
            counted(&mut out, queued, |outbox| {
                outbox.close(reason, &bye_line(reason, text));
            });
            self.leave_open(&mut out);
            out.blocked |= out.link.is_some();
        }
    }

    /// Nobody waits for it any more, groups pass it over, its task looks after its end.
    fn leave_open(&self, out: &mut Out<L>) {
        self.behind.store(true, Ordering::Relaxed);
        self.leaving.store(true, Ordering::Relaxed);
        out.outbox.release();
        wake_all(std::mem::take(&mut out.waiters));
        self.wake();
    }

    /// The reason that its client is told for its end, if it is.
    pub(crate) fn closing(&self) -> Option<ByeReason> {
        match self.out.lock().outbox.stage {
            Stage::Closing(reason) => Some(reason),
            Stage::Open | Stage::Closed => None,
        }
    }

    /// Drops the link and all that waits.
    pub(crate) fn end(&self, queued: &AtomicUsize) {
        self.end_now(self.out.lock(), queued);
    }

    fn end_now(&self, mut out: MutexGuard<'_, Out<L>>, queued: &AtomicUsize) {
        counted(&mut out, queued, Outbox::end);
        out.blocked = false;
        let link = out.link.take();
        self.leave_open(&mut out);
        drop(out);
        drop(link);
    }
}

fn bye_line(reason: ByeReason, text: &str) -> Vec<u8> {
    format!("{}\n", Event::Bye { reason: reason.word(), text }).into_bytes()
}

fn wake_all<L>(sessions: Vec<Arc<Session<L>>>) {
    for session in sessions {
        session.waker.wake();
    }
}

/// Changes the outbox and keeps the sum over all outboxes right.
fn counted<L, R>(
    out: &mut Out<L>,
    queued: &AtomicUsize,
    change: impl FnOnce(&mut Outbox) -> R,
) -> R {
    let before = out.outbox.queued();
    let result = change(&mut out.outbox);
    adjust(queued, before, out.outbox.queued());
    result
}

fn adjust(sum: &AtomicUsize, before: usize, after: usize) {
    if after > before {
        sum.fetch_add(after - before, Ordering::Relaxed);
    } else if before > after {
        sum.fetch_sub(before - after, Ordering::Relaxed);
    }
}
