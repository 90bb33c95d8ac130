//! The broker and its reference side by side: whatever is done to one is done to the other, and
//! after each step all that anybody heard is held against what was due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linebus_broker::{
    Account, Broker, Connection, Fact, Limits, LoginAttempt, LoginRefused, Now, Session, Stage,
    Work,
};
use linebus_protocol::ByeReason;

use super::pipe::{Pipe, PipeEnd, pipe};
use super::reader::{Reader, Said, Text};
use super::record::Record;
use crate::ledger::Verdict;
use crate::model::Model;
use crate::rules::Accounts;

/// 2013-02-03, when the simulated time begins.
const BEGIN_UNIX_US: i64 = 1_359_849_600_000_000;

/// One connection, as the bus and its client see it.
struct Guest {
    name: String,
    connection: Connection<Pipe>,
    pipe: Arc<PipeEnd>,
    text: Text,
    reader: Reader,
    /// Its login that is being checked.
    attempt: Option<LoginAttempt>,
    /// The beginning of a line that it hears.
    hearing: Vec<u8>,
    /// The connection broke, as the model was told.
    lost: bool,
    /// It was read since rates are limited: a limit younger than the connection holds from then on.
    metered: bool,
    /// It was above its soft mark for too long; nobody waits for it until it has drained.
    given_up: bool,
}

/// Both of them.
pub struct Pair {
    broker: Broker<Pipe>,
    model: Model,
    work: Work<Pipe>,
    guests: BTreeMap<u64, Guest>,
    accounts: Option<BTreeMap<String, Arc<Account>>>,
    /// Lines that each user or connection has sent and that the rate has not yet allowed for,
    /// since the limits changed, in millionths.
    sent: BTreeMap<String, u64>,
    /// The longest line that was ever allowed, in bytes.
    line_bytes_max: usize,
    elapsed: Duration,
    /// What happened.
    pub record: Record,
}

impl Pair {
    /// A bus on which nobody is.
    #[must_use]
    pub fn new(limits: &Limits, record: Record) -> Self {
        Self {
            broker: Broker::new(limits.clone()),
            model: Model::new(limits),
            work: Work::default(),
            guests: BTreeMap::new(),
            accounts: None,
            sent: BTreeMap::new(),
            line_bytes_max: limits.line_bytes_max,
            elapsed: Duration::ZERO,
            record,
        }
    }

    /// The broker, to be asked.
    #[must_use]
    pub fn broker(&self) -> &Broker<Pipe> {
        &self.broker
    }

    /// The time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.elapsed += by;
        let us = u64::try_from(by.as_micros()).expect("a simulation is short");
        let allowed = us * self.broker.limits().user_lines_per_second;
        self.sent.values_mut().for_each(|sent| *sent = sent.saturating_sub(allowed));
    }

    fn now(&self) -> Now {
        let us = i64::try_from(self.elapsed.as_micros()).expect("a simulation is short");
        Now { elapsed: self.elapsed, unix_us: BEGIN_UNIX_US + us }
    }

    /// The time as those see it who watch.
    fn time(&self) -> String {
        let us = self.elapsed.as_micros();
        let seconds = us / 1_000_000;
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        let (us, s, m) = (us % 1_000_000, seconds % 60, minutes % 60);
        format!("2013-02-03T{hours:02}:{m:02}:{s:02}.{us:06}Z")
    }

    /// What the bus knows of a connection.
    #[must_use]
    pub fn session(&self, id: u64) -> Arc<Session<Pipe>> {
        Arc::clone(self.guests[&id].connection.session())
    }

    /// A client comes, and `name` is what records call it. Returns its number and its end of the
    /// pipe, which holds `room` bytes.
    ///
    /// # Errors
    /// Something that must not be, as in all that follows.
    pub fn connect(&mut self, name: &str, room: usize) -> Result<(u64, Arc<PipeEnd>), String> {
        let ((link, end), now) = (pipe(), self.now());
        let connection = self.broker.connect(link, name, &mut self.work, now);
        self.model.connect(connection.session().id(), name);
        self.welcome(name, connection, end, room)
    }

    /// The same for a part of the server itself.
    ///
    /// # Errors
    /// As above.
    pub fn connect_inside(
        &mut self,
        name: &str,
        room: usize,
    ) -> Result<(u64, Arc<PipeEnd>), String> {
        let ((link, end), now) = (pipe(), self.now());
        let connection = self.broker.connect_inside(link, name, &mut self.work, now);
        self.model.connect_inside(connection.session().id(), name);
        self.welcome(name, connection, end, room)
    }

    fn welcome(
        &mut self,
        name: &str,
        connection: Connection<Pipe>,
        end: PipeEnd,
        room: usize,
    ) -> Result<(u64, Arc<PipeEnd>), String> {
        end.limit(room, usize::MAX);
        let (id, pipe) = (connection.session().id(), Arc::new(end));
        let guest = Guest {
            name: name.to_owned(),
            connection,
            pipe: Arc::clone(&pipe),
            text: Text::default(),
            reader: Reader::default(),
            attempt: None,
            hearing: Vec::new(),
            lost: false,
            metered: true,
            given_up: false,
        };
        self.guests.insert(id, guest);
        self.settle()?;
        Ok((id, pipe))
    }

    /// The broker takes what was read from a client; nothing where it holds lines already read.
    ///
    /// # Errors
    /// As above.
    pub fn receive(&mut self, id: u64, bytes: &[u8]) -> Verdict {
        let (now, time) = (self.now(), self.time());
        let queued: Vec<_> = self.queued().collect();
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        *self.sent.entry(self.model.payer(id)).or_default() += lines * 1_000_000;
        let guest = self.guests.get_mut(&id).expect("it is connected");
        self.work.space(&guest.connection, &self.broker, now)[..bytes.len()].copy_from_slice(bytes);
        self.broker.receive(&mut guest.connection, &mut self.work, bytes.len(), now);
        guest.metered = true;
        bytes.iter().for_each(|byte| guest.text.read(*byte));
        let (session, unread) = (guest.connection.session(), guest.connection.unread_bytes());
        let is_partial = !guest.connection.holds_lines() && !guest.connection.is_logging_in();
        let partial_max = self.broker.limits().line_bytes_max + "\r".len() + "\u{feff}".len();
        if session.stage() == Stage::Open && is_partial && unread > partial_max {
            return Err(format!("{} keeps {unread} bytes of a line", guest.name));
        }
        if guest.connection.holds_lines() {
            self.record.count("held");
        }
        while let Some(byte) = guest.text.next(unread) {
            if self.model.is_logging_in(id) && session.stage() == Stage::Open {
                return Err(format!("{} goes on while its login is checked", guest.name));
            }
            match guest.reader.read(byte, self.model.line_bytes_max(id)) {
                Some(Said::Line(line)) => {
                    self.record.said(&guest.name, &line);
                    self.model.says(id, &line, &time);
                }
                Some(Said::Tls) => self.model.close(id, ByeReason::NotLines),
                None => {}
            }
        }
        self.settle()?;
        self.check_that_it_waits(id, &queued)
    }

    /// How much may be read from a client at once, in bytes.
    pub fn space_bytes(&mut self, id: u64) -> usize {
        let now = self.now();
        self.work.space(&self.guests[&id].connection, &self.broker, now).len()
    }

    /// Whether a client's login waits to be checked, so that nothing may be read.
    pub fn is_logging_in(&mut self, id: u64) -> bool {
        let guest = self.guests.get_mut(&id).expect("it is connected");
        let attempt = guest.connection.take_login();
        guest.attempt = guest.attempt.take().or(attempt);
        guest.connection.is_logging_in()
    }

    /// A client's login was checked, if one was to be: the password `right` is right.
    ///
    /// # Errors
    /// As above.
    pub fn finish_login(&mut self, id: u64) -> Verdict {
        self.is_logging_in(id);
        let (now, time) = (self.now(), self.time());
        let guest = self.guests.get_mut(&id).expect("it is connected");
        let Some(LoginAttempt { user, password }) = guest.attempt.take() else { return Ok(()) };
        let checked = match password.as_deref() {
            Some("right") => Ok(()),
            Some("busy") => Err(LoginRefused::Busy(Some(Duration::from_secs(1)))),
            None => Err(LoginRefused::ReadableByOthers),
            Some(_) => Err(LoginRefused::Wrong),
        };
        self.record.remark(|| format!("the login of {} is checked: {checked:?}", guest.name));
        let account = || self.accounts.as_ref()?.get(&*user).cloned();
        let connection = &mut guest.connection;
        self.broker.finish_login(connection, &user, checked, account, &mut self.work, now);
        self.model.finish_login(id, &user, checked, &time);
        self.settle()
    }

    /// There are other accounts from now on.
    ///
    /// # Errors
    /// As above.
    pub fn set_accounts(&mut self, accounts: Accounts) -> Verdict {
        self.record.remark(|| format!("new accounts: {accounts:?}"));
        let now = self.now();
        self.accounts = accounts.as_ref().map(|accounts| {
            accounts.iter().map(|(user, rules)| (user.clone(), rules.account(user))).collect()
        });
        let account = |user: &str| self.accounts.as_ref()?.get(user).cloned();
        self.broker.set_accounts(accounts.is_some(), account, &mut self.work, now);
        self.model.set_accounts(accounts);
        self.settle()
    }

    /// There are other limits from now on; the marks of outboxes stay as they are.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.record.remark(|| format!("new limits: {limits:?}"));
        self.sent.clear();
        self.guests.values_mut().for_each(|guest| guest.metered = false);
        self.line_bytes_max = self.line_bytes_max.max(limits.line_bytes_max);
        self.broker.set_limits(limits.clone());
        self.model.limits = limits.clone();
    }

    /// Rule 7: whoever adds to an outbox above its soft mark waits, unless it was given up.
    fn check_that_it_waits(&mut self, id: u64, before: &[(u64, usize)]) -> Verdict {
        let soft = self.broker.limits().outbox_soft_bytes;
        let grown = |(other, queued): (u64, usize)| {
            let known = before.iter().find(|(id, _)| *id == other);
            queued > soft && known.is_none_or(|(_, known)| *known < queued)
        };
        let behind: Vec<_> = self
            .queued()
            .filter(|now| grown(*now))
            .map(|(id, _)| &self.guests[&id])
            .filter(|guest| !guest.given_up && guest.connection.session().stage() == Stage::Open)
            .map(|guest| guest.name.clone())
            .collect();
        let open = self.session(id).stage() == Stage::Open;
        if open && !behind.is_empty() && self.paused_until(id)?.is_none() {
            return Err(format!("{} does not wait for {behind:?}", self.guests[&id].name));
        }
        Ok(())
    }

    fn queued(&self) -> impl Iterator<Item = (u64, usize)> {
        let queued = |(id, guest): (&u64, &Guest)| (*id, guest.connection.session().queued());
        self.guests.iter().map(queued)
    }

    /// Until when nothing may be read from a client.
    ///
    /// # Errors
    /// As above.
    pub fn paused_until(&mut self, id: u64) -> Result<Option<Duration>, String> {
        let now = self.now();
        let guest = self.guests.get_mut(&id).expect("it is connected");
        let until = guest.connection.paused_until(&self.broker, now);
        let metered = guest.metered;
        let Limits {
            drain_ms, outbox_soft_bytes, user_lines_per_second: rate, user_burst_ms, ..
        } = *self.broker.limits();
        let sent = self.sent.get(&self.model.payer(id)).copied().unwrap_or(0);
        if let Some(until) = until {
            self.record.count("paused");
            if rate == 0 && until > now.elapsed + Duration::from_millis(drain_ms) {
                return Err(format!("{} waits too long", self.guests[&id].name));
            }
            if rate == 0 && self.queued().all(|(_, queued)| queued <= outbox_soft_bytes / 2) {
                return Err(format!("{} waits for nobody", self.guests[&id].name));
            }
        } else if rate > 0 && metered && sent > rate * user_burst_ms * 1_000 {
            let name = &self.guests[&id].name;
            return Err(format!("{name} may go on after {sent} millionths of a line too many"));
        } else if rate > 0 && sent > 0 {
            self.record.count("in a burst");
        }
        Ok(until)
    }

    /// Whether lines are held that the broker has read.
    #[must_use]
    pub fn holds_lines(&self, id: u64) -> bool {
        self.guests[&id].connection.holds_lines()
    }

    /// A client's link can write again.
    ///
    /// # Errors
    /// As above.
    pub fn flush(&mut self, id: u64) -> Verdict {
        self.broker.flush(self.guests[&id].connection.session());
        self.settle()
    }

    /// A client has closed its half.
    ///
    /// # Errors
    /// As above.
    pub fn leave(&mut self, id: u64) -> Verdict {
        let guest = self.guests.get_mut(&id).expect("it is connected");
        self.broker.leave(&mut guest.connection);
        self.model.leave(id);
        self.settle()
    }

    /// The shell forgets a connection.
    ///
    /// # Errors
    /// As above.
    pub fn disconnect(&mut self, id: u64) -> Verdict {
        let (now, time) = (self.now(), self.time());
        let mut guest = self.guests.remove(&id).expect("it is connected");
        self.broker.disconnect(&mut guest.connection, &mut self.work, now);
        self.model.disconnect(id, &time);
        if !guest.pipe.is_ended() {
            return Err(format!("{} is gone, and its link is not", guest.name));
        }
        self.settle()
    }

    /// All clients are told something.
    ///
    /// # Errors
    /// As above.
    pub fn note_all(&mut self, code: &str, text: &str) -> Verdict {
        let now = self.now();
        for id in self.ids(false) {
            self.model.tell(id, &format!("note {code} {text}"));
        }
        self.broker.note_all(code, text, &mut self.work, now);
        self.settle()
    }

    /// All clients are told goodbye.
    ///
    /// # Errors
    /// As above.
    pub fn close_all(&mut self, reason: ByeReason, text: &str) -> Verdict {
        self.ids(false).into_iter().for_each(|id| self.model.close(id, reason));
        self.broker.close_all(reason, text);
        self.settle()
    }

    /// What is inside is told goodbye.
    ///
    /// # Errors
    /// As above.
    pub fn close_inside(&mut self, reason: ByeReason, text: &str) -> Verdict {
        self.ids(true).into_iter().for_each(|id| self.model.close(id, reason));
        self.broker.close_inside(reason, text);
        self.settle()
    }

    /// The numbers of those who are inside, or of those who are not.
    fn ids(&self, inside: bool) -> Vec<u64> {
        let wanted = |guest: &Guest| guest.connection.session().is_inside() == inside;
        self.guests.iter().filter(|(_, guest)| wanted(guest)).map(|(id, _)| *id).collect()
    }

    /// Holds what the broker did against what it should have done.
    fn settle(&mut self) -> Verdict {
        for fact in self.work.facts() {
            match fact {
                Fact::Cut { id, reason, queued } => {
                    self.model.end(id, Some(reason));
                    self.model.due.cut(id, reason);
                    if reason == ByeReason::Slow && queued <= self.broker.limits().outbox_hard_bytes
                    {
                        return Err(format!("{queued} bytes are no reason to cut {id} off"));
                    }
                }
                Fact::NotWaitedFor { id, .. } => {
                    self.record.count("not waited for");
                    self.guests.get_mut(&id).expect("it is connected").given_up = true;
                }
                _ => {}
            }
        }
        for (id, guest) in &mut self.guests {
            guest.hear(*id, &mut self.model, &mut self.record)?;
            guest.settle(*id, &mut self.model, &self.broker.limits())?;
        }
        self.check_sums()
    }

    /// What waits for each is what waits for all, and inside the limits.
    fn check_sums(&self) -> Verdict {
        let limits = self.broker.limits();
        let sum: usize = self.queued().map(|(_, queued)| queued).sum();
        if sum != self.broker.queued() {
            return Err(format!("{sum} bytes wait, and {} are counted", self.broker.queued()));
        }
        if sum > limits.sessions_bytes_max {
            // Nothing is left but goodbyes, each after the line that was begun.
            let least = 2 * self.line_bytes_max + 300;
            let most = self.queued().map(|(_, queued)| queued).max().unwrap_or(0);
            if most > least {
                return Err(format!("{sum} bytes wait in all, {most} of them for one"));
            }
        }
        Ok(())
    }
}

impl Guest {
    /// Looks at everything that was written to it.
    fn hear(&mut self, id: u64, model: &mut Model, record: &mut Record) -> Verdict {
        self.hearing.extend(self.pipe.written());
        let mut at = 0;
        loop {
            let rest = &self.hearing[at..];
            // A refusal of telnet's negotiation: IAC, DONT or WONT, an option.
            if rest.first() == Some(&255) && rest.len() >= 3 {
                at += 3;
                continue;
            }
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
            let line = str::from_utf8(&rest[..end]).map_err(|_| format!("{rest:?} is no text"))?;
            record.heard(&self.name, line);
            let verdict = model.due.hears(id, line);
            verdict.map_err(|wrong| format!("{} {wrong}", self.name))?;
            at += end + 1;
        }
        self.hearing.drain(..at);
        Ok(())
    }

    /// Looks at what its session has come to.
    fn settle(&mut self, id: u64, model: &mut Model, limits: &Limits) -> Verdict {
        let session = self.connection.session();
        let queued = session.queued();
        if session.stage() == Stage::Open && queued > limits.outbox_hard_bytes {
            return Err(format!("{queued} bytes wait for {}", self.name));
        }
        if queued <= limits.outbox_soft_bytes / 2 {
            self.given_up = false;
        }
        if session.stage() == Stage::Closed {
            if !std::mem::replace(&mut self.lost, true) {
                model.end(id, None);
                model.due.lose(id);
            }
        } else if session.is_drained() {
            if !self.hearing.is_empty() {
                return Err(format!("{} heard half a line: {:?}", self.name, self.hearing));
            }
            let verdict = model.due.drained(id);
            return verdict.map_err(|wrong| format!("{} {wrong}", self.name));
        }
        Ok(())
    }
}
