//! One read's worth of lines: [`Broker::receive`].
//!
//! Work goes in runs, not in messages. Consecutive `send`s to one topic are one run; consecutive
//! runs on one route are one delivery. What the sender is to be told goes out last, so that a
//! `pong` is never ahead of the lines that it vouches for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use linebus_protocol::alike::Alike;
use linebus_protocol::run::{Run, write_recv};
use linebus_protocol::text::{check_line, is_clean};
use linebus_protocol::{ByeReason, Command, ErrorCode, Event, Refusal, Topic, Verb};
use memchr::{memchr, memchr_iter};
use parking_lot::RwLockReadGuard;

use crate::access::{Access, Wish};
use crate::broker::{Broker, Now, stamp};
use crate::connection::{Connection, Input, Prepared, Work};
use crate::counts::{Amount, Refusals};
use crate::delivery::{Delivery, Way};
use crate::fact::{Bound, Fact};
use crate::lines::Lines;
use crate::login::Login;
use crate::outbox::Stage;
use crate::route::Route;
use crate::session::{Link, Session};
use crate::topics::Topics;

/// Answers beyond this are handed on before the next line is read, in bytes: a read full of
/// `who` must not be answered in one piece.
const REPLIES_BYTES: usize = 64 << 10;

/// Lines for the same receivers that stand together in the buffer and were not delivered yet.
struct Pending<L> {
    route: Arc<Route<L>>,
    /// The count of changes before the first of them was routed.
    changes: u64,
    start: usize,
    end: usize,
    lines: usize,
}

/// Topics that one account may send to and that one audience hears. They hold from one read to the
/// next, as long as nothing changes.
pub(crate) struct SameWay<L> {
    topics: Alike,
    route: Weak<Route<L>>,
    /// The serial number of the account that may send there; none on an open bus.
    account: Option<u64>,
    /// The count of changes as of which that is so.
    changes: u64,
}

impl<L> Default for SameWay<L> {
    fn default() -> Self {
        Self { topics: Alike::default(), route: Weak::new(), account: None, changes: 0 }
    }
}

impl<L: Link> SameWay<L> {
    /// The next lines go this way.
    fn begin(&mut self, route: &Arc<Route<L>>, access: &Access, changes: u64) {
        let account = access.serial();
        let is_same = Weak::as_ptr(&self.route) == Arc::as_ptr(route)
            && (self.account, self.changes) == (account, changes);
        if !is_same {
            self.topics.forget();
            (self.route, self.account, self.changes) = (Arc::downgrade(route), account, changes);
        }
    }
}

/// Where a run goes.
enum Routed<'a, L> {
    /// To those who hear the pending lines before it, and nobody else.
    WithPending(&'a mut Pending<L>),
    /// To others. With the count of changes before it was routed.
    Apart(Arc<Route<L>>, u64),
    /// Nowhere: nobody may send there.
    Nowhere,
}

pub(crate) struct Batch<'a, L: Link> {
    pub(crate) session: &'a Arc<Session<L>>,
    /// What the session may do.
    pub(crate) access: Access,
    /// The count of changes as of which that is so.
    access_as_of: u64,
    pub(crate) login: &'a mut Login,
    pub(crate) replies: &'a mut Vec<u8>,
    pub(crate) delivery: Delivery<'a, L>,
    pending: Option<Pending<L>>,
    /// Topics whose lines go with the pending ones.
    alike: &'a mut SameWay<L>,
    /// The table of joins, held from one run's look-up to the next, as long as nothing is
    /// delivered or carried out between them.
    table: Option<RwLockReadGuard<'a, Topics<L>>>,
    /// `<time> <user>` for those who watch, once somebody does.
    stamp: Option<String>,
    /// Something was joined or left.
    pub(crate) joins_changed: bool,
    /// How many lines were read.
    lines: usize,
    refusals: Refusals,
    /// Topics are counted, too.
    observed: bool,
    /// The session said goodbye.
    pub(crate) closed: bool,
}

impl<L: Link> Broker<L> {
    /// Takes `received` bytes that were put into [`Work::space`]: checks, routes and delivers
    /// their lines and answers their commands.
    ///
    /// Afterwards the caller asks [`Connection::paused_until`] before it reads on, and
    /// [`Session::stage`] whether it should read at all.
    pub fn receive(
        &self,
        connection: &mut Connection<L>,
        work: &mut Work<L>,
        received: usize,
        now: Now,
    ) {
        let Connection { session, input, login, bucket, waits } = connection;
        if session.stage() != Stage::Open || login.is_open() {
            return;
        }
        let before = input.carried();
        let mut buf = std::mem::take(&mut work.buf);
        let mut ends = std::mem::take(&mut work.ends);
        work.replies.clear();
        let delivery = Delivery::new(self, now, Some(session), waits, &mut work.outgoing);
        let access_as_of = self.changes();
        let mut batch = Batch {
            session,
            access: session.access(),
            access_as_of,
            login,
            replies: &mut work.replies,
            delivery,
            pending: None,
            alike: &mut work.alike,
            table: None,
            stamp: None,
            joins_changed: false,
            lines: 0,
            refusals: Refusals::default(),
            observed: self.observed.load(Ordering::Relaxed),
            closed: false,
        };
        let text = &mut buf[..before + received];
        if bucket.is_none() && batch.delivery.limits().is_rate_limited() {
            // The limit is younger than the connection.
            *bucket = self.bucket(session, now);
        }
        if let Some(bucket) = bucket {
            // What was held when it came is paid for already.
            let lines = memchr_iter(b'\n', &text[before..]).count();
            let limits = batch.delivery.limits();
            bucket.take(lines, received, limits, now.elapsed);
            if bucket.wait_until(limits, now.elapsed).is_some() {
                let id = session.id();
                batch.delivery.facts.push(Fact::Limit { id, bound: Bound::Rate });
            }
        }
        let prepared = input.prepare(text, batch.replies, &mut ends);
        if batch.must_log_in() && session.queued() > 0 {
            // Refusals of negotiation that nobody reads must not pile up before a login.
            batch.replies.clear();
        }
        match prepared {
            Prepared::Tls => batch.close(
                &[],
                ByeReason::NotLines,
                "this port speaks plain lines, not TLS; try `telnet` or `nc`",
            ),
            Prepared::Text { range, plain } => batch.read(input, &mut text[range], &ends, plain),
        }
        let Batch { joins_changed, lines, refusals, .. } = batch;
        session.count_received(Amount { lines: lines as u64, bytes: received as u64 });
        self.counts.refuse(&refusals);
        if joins_changed || input.carried() != before {
            self.hold(session, input);
        }
        (work.buf, work.ends) = (buf, ends);
    }
}

impl<L: Link> Batch<'_, L> {
    /// Whether a login must come first.
    fn must_log_in(&self) -> bool {
        matches!(self.access, Access::LoginFirst)
    }

    /// Longest line that this client may say now, in bytes.
    fn line_bytes_max(&self) -> usize {
        let limits = self.delivery.limits();
        match self.access {
            Access::LoginFirst => limits.login_line_bytes_max.min(limits.line_bytes_max),
            _ => limits.line_bytes_max,
        }
    }

    /// Carries out the lines in `buf`, which end at `ends`, and keeps what is left.
    fn read(&mut self, input: &mut Input, buf: &mut [u8], mut ends: &[u32], plain: bool) {
        let end = ends.last().map_or(0, |end| *end as usize);
        let clean = plain || is_clean(&buf[..end]);
        let line_bytes_max = self.line_bytes_max();
        let waits_for_login = self.must_log_in();
        let mut at = 0;
        let mark = "\u{feff}".as_bytes();
        let mark_len = if !input.begun && buf.starts_with(mark) { mark.len() } else { 0 };
        at += if end > 0 { mark_len } else { 0 };
        let mut full = false;
        while let Some(&stop) = ends.first()
            && !self.closed
            && !full
            && !self.login.is_open()
        {
            if waits_for_login && self.counts_out(&mut input.lines_before_login, buf) {
                break;
            }
            let stop = stop as usize;
            let usual = !waits_for_login && (clean || is_clean(&buf[at..stop]));
            let takeable = if clean { ends } else { &ends[..1] };
            let mut lines =
                if usual { self.take_alike(buf, at, takeable, line_bytes_max) } else { 0 };
            if lines > 0 {
                at = takeable[lines - 1] as usize;
            } else if usual && let Some(run) = Run::take(buf, at, takeable, line_bytes_max) {
                lines = run.lines;
                at = self.run(buf, at, run);
            } else {
                lines = 1;
                self.line(buf, at, stop, !input.begun);
                at = stop;
            }
            self.lines += lines;
            ends = &ends[lines..];
            input.begun = true;
            full = self.replies.len() > REPLIES_BYTES && self.hand_on_replies(buf);
        }
        let tail = &buf[at..];
        let unfinished = tail.strip_suffix(b"\r").unwrap_or(tail);
        let unmarked = unfinished.len() - if end > 0 { 0 } else { mark_len };
        // While a login is checked it is open how long a line may be.
        let judged = at == end && !input.discarding && !self.closed && !self.login.is_open();
        if judged && unmarked >= line_bytes_max {
            if !waits_for_login || !self.counts_out(&mut input.lines_before_login, buf) {
                self.refuse_too_long(line_bytes_max);
            }
            (input.discarding, input.begun) = (true, true);
        }
        let skipped = if input.discarding { unfinished.len() } else { 0 };
        self.finish(buf);
        // Nothing is carried out after goodbye, so nothing need be kept.
        let kept = if self.closed { &[] } else { &tail[skipped..] };
        input.keep(kept, at < end && !self.closed);
    }

    /// Counts a line of a client that should log in; true if it was one too many.
    fn counts_out(&mut self, lines: &mut u32, buf: &[u8]) -> bool {
        *lines += 1;
        let max = self.delivery.limits().login_lines_max;
        if *lines <= max {
            return false;
        }
        self.reached(Bound::LoginLines);
        self.close(buf, ByeReason::Abuse, &format!("log in within {max} lines"));
        true
    }

    /// Adds lines at `at` to the pending ones as far as it is known that they go with them; how
    /// many.
    fn take_alike(&mut self, buf: &mut [u8], at: usize, ends: &[u32], bytes_max: usize) -> usize {
        let changes = self.refresh_access();
        let pending = self.pending.as_mut().filter(|pending| {
            // Each topic is counted by itself where somebody wants to know.
            pending.end == at && pending.changes == changes && !self.observed
        });
        let Some(pending) = pending else { return 0 };
        let lines = self.alike.topics.take(buf, at, ends, bytes_max);
        if lines > 0 {
            pending.end = ends[lines - 1] as usize;
            pending.lines += lines;
        }
        lines
    }

    /// Routes a run; returns where it ends.
    fn run(&mut self, buf: &mut [u8], at: usize, run: Run) -> usize {
        let end = at + run.len;
        let name = run.topic(&buf[at..]);
        match self.route(name, at) {
            Routed::WithPending(pending) => {
                pending.end = end;
                pending.lines += run.lines;
            }
            Routed::Apart(route, changes) => {
                self.spill(buf);
                self.alike.begin(&route, &self.access, changes);
                self.pending = Some(Pending { route, changes, start: at, end, lines: run.lines });
            }
            Routed::Nowhere => {
                // Each line gets its own error, and the errors are made in one place.
                run.undo(&mut buf[at..end]);
                let mut from = at;
                while from < end {
                    let to = line_end(buf, from, end);
                    self.line(buf, from, to, false);
                    from = to;
                }
                return end;
            }
        }
        self.alike.topics.note(&buf[at..]);
        self.observe(
            run.topic(&buf[at..]),
            Amount { lines: run.lines as u64, bytes: run.len as u64 },
        );
        end
    }

    /// Counts lines for their topic, if somebody wants to know and the topic is heard.
    fn observe(&mut self, name: &[u8], amount: Amount) {
        if self.observed {
            let broker = self.delivery.broker;
            let table = self.table.get_or_insert_with(|| broker.topics.read());
            if let Some(topic) = table.cached(name) {
                topic.sent.add(amount);
            }
        }
    }

    /// Looks again what the session may do, if accounts may have changed since the last look.
    /// Returns the count of changes as of now.
    fn refresh_access(&mut self) -> u64 {
        let changes = self.delivery.broker.changes();
        if changes != self.access_as_of {
            self.access = self.session.access();
            self.access_as_of = changes;
        }
        changes
    }

    /// Finds out who hears lines to `name` that begin at `at`.
    fn route(&mut self, name: &[u8], at: usize) -> Routed<'_, L> {
        if name.starts_with(b"$") {
            return Routed::Nowhere;
        }
        let broker = self.delivery.broker;
        let changes = self.refresh_access();
        let table = self.table.get_or_insert_with(|| broker.topics.read());
        let Some(known) = table.cached(name) else {
            self.table = None;
            return match Topic::parse_bytes(name) {
                Ok(topic) if self.access.authorize(Wish::Send(topic)) => {
                    Routed::Apart(broker.resolve(topic), changes)
                }
                _ => Routed::Nowhere,
            };
        };
        if !matches!(self.access, Access::Open) && !known.admits(&self.access, name) {
            return Routed::Nowhere;
        }
        match &mut self.pending {
            Some(pending) if pending.end == at && pending.route.has_same_audience(&known.route) => {
                Routed::WithPending(pending)
            }
            _ => Routed::Apart(Arc::clone(&known.route), changes),
        }
    }

    /// Gathers the pending lines in the outboxes, so that other lines can follow.
    pub(crate) fn spill(&mut self, buf: &[u8]) {
        self.deliver_pending(buf, Way::Gathered);
    }

    fn deliver_pending(&mut self, buf: &[u8], way: Way) {
        self.table = None;
        if let Some(Pending { route, changes, start, end, lines, .. }) = self.pending.take() {
            let stamp = self.stamp_for(&route);
            let lines = Lines::new(&buf[start..end], lines);
            self.delivery.deliver(&route, changes, lines, &stamp, way);
            self.stamp = Some(stamp).filter(|stamp| !stamp.is_empty());
        }
    }

    /// The stamp, if anybody on the route wants it.
    fn stamp_for(&mut self, route: &Route<L>) -> String {
        match self.stamp.take() {
            Some(stamp) => stamp,
            None if route.watched => stamp(self.delivery.now, &self.session.user()),
            None => String::new(),
        }
    }

    /// Carries out one line, its LF included.
    fn line(&mut self, buf: &[u8], start: usize, end: usize, first: bool) {
        self.table = None;
        self.refresh_access();
        let line_bytes_max = self.line_bytes_max();
        let line = &buf[start..end];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if end - start > line_bytes_max {
            return self.refuse_too_long(line_bytes_max);
        }
        let Some(text) = check_line(line) else {
            return self.refuse(&bad_text(line));
        };
        match Command::parse(text) {
            None => {}
            Some(Ok(command)) if command.verb().needs_login() && self.must_log_in() => {
                let text = "log in first: login <user> <password>";
                self.refuse(&Refusal::new(command.verb(), ErrorCode::LoginFirst, text));
            }
            Some(Ok(Command::Send { topic, message })) => self.send(buf, topic, message),
            Some(Ok(command)) => self.execute(buf, command),
            Some(Err(_)) if first && is_http(text) => self.close(
                buf,
                ByeReason::NotLines,
                "this is linebus, a bus for lines of text, not HTTP; try `telnet` or `nc`",
            ),
            Some(Err(refusal)) => self.refuse(&refusal),
        }
    }

    /// A message that did not come as part of a run.
    fn send(&mut self, buf: &[u8], topic: Topic<'_>, message: &str) {
        let changes = self.refresh_access();
        if !self.access.authorize(Wish::Send(topic)) {
            let text = match topic.is_system() {
                true => "topics that begin with $ are the bus's own".to_owned(),
                false => format!("you may not send to {topic}"),
            };
            return self.deny(Verb::Send, text);
        }
        self.spill(buf);
        let mut line = Vec::new();
        write_recv(&mut line, topic, message.as_bytes());
        let route = self.delivery.broker.resolve(topic);
        let stamp = self.stamp_for(&route);
        let lines = Lines::one(&line);
        self.observe(topic.as_str().as_bytes(), lines.amount());
        self.table = None;
        self.delivery.deliver(&route, changes, lines, &stamp, Way::Gathered);
        self.stamp = Some(stamp).filter(|stamp| !stamp.is_empty());
    }

    /// Who the session is has changed.
    pub(crate) fn forget_stamp(&mut self) {
        self.stamp = None;
    }

    /// Refuses what the session's rules do not allow.
    pub(crate) fn deny(&mut self, verb: Verb, text: String) {
        self.delivery.facts.push(Fact::Denied { id: self.session.id() });
        self.refuse(&Refusal::new(verb, ErrorCode::Denied, text));
    }

    /// Notes that the client has reached a limit.
    pub(crate) fn reached(&mut self, bound: Bound) {
        self.delivery.facts.push(Fact::Limit { id: self.session.id(), bound });
    }

    fn refuse_too_long(&mut self, line_bytes_max: usize) {
        self.reached(Bound::LineBytes);
        let text =
            format!("a line has at most {line_bytes_max} bytes; the rest of it was thrown away");
        self.refuse(&Refusal::of_line(ErrorCode::TooLong, text));
    }

    pub(crate) fn refuse(&mut self, refusal: &Refusal<'_>) {
        self.refusals[refusal.code as usize] += 1;
        self.answer(&refusal.event());
    }

    pub(crate) fn answer(&mut self, event: &Event<'_>) {
        use std::io::Write;
        writeln!(self.replies, "{event}").expect("writing to memory does not fail");
    }

    /// Delivers what is pending, then the answers.
    fn finish(&mut self, buf: &[u8]) {
        let way = if self.delivery.has_gathered() { Way::Gathered } else { Way::Direct };
        self.deliver_pending(buf, way);
        self.delivery.flush();
        if !self.replies.is_empty() {
            let count = memchr_iter(b'\n', self.replies).count();
            let replies = Lines::new(self.replies, count);
            self.session.write(replies, &mut self.delivery, || true);
            self.replies.clear();
        }
    }

    /// Delivers and answers so far; true if the client has too many answers to read first.
    fn hand_on_replies(&mut self, buf: &[u8]) -> bool {
        self.finish(buf);
        self.session.stage() != Stage::Open
            || self.delivery.waits.iter().any(|awaited| awaited.id() == self.session.id())
    }

    /// Says goodbye after everything that came before.
    pub(crate) fn close(&mut self, buf: &[u8], reason: ByeReason, text: &str) {
        self.finish(buf);
        self.delivery.broker.close(self.session, reason, text);
        self.closed = true;
    }
}

/// Where the line that begins at `from` ends, its LF included; lines go up to `end`.
fn line_end(buf: &[u8], from: usize, end: usize) -> usize {
    memchr(b'\n', &buf[from..end]).map_or(end, |n| from + n + 1)
}

fn bad_text(line: &[u8]) -> Refusal<'_> {
    let word = line.split(|byte| matches!(byte, b' ' | b'\t')).next();
    let verb = word.and_then(|word| Verb::parse(str::from_utf8(word).ok()?));
    let text = if memchr(b'\r', line).is_some() {
        "a line ends with LF or CR LF; a CR alone may not stand in it"
    } else {
        "a line is UTF-8 without control characters, TAB excepted"
    };
    match verb {
        Some(verb) => Refusal::new(verb, ErrorCode::BadText, text),
        None => Refusal::of_line(ErrorCode::BadText, text),
    }
}

/// The request line of HTTP/1 (RFC 9112, 3) or the preface of HTTP/2 (RFC 9113, 3.4).
fn is_http(line: &str) -> bool {
    line.rsplit_once(' ').is_some_and(|(_, last)| last.starts_with("HTTP/"))
}
