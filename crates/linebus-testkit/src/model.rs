//! What the bus should do, said as simply as it can be: the reference that simulations and fuzzing
//! hold the broker against. It keeps no bytes, no marks and no time. It is told what the broker
//! carried out, in that order, and notes in its ledger what each client is due to hear.

use std::collections::{BTreeMap, BTreeSet};

use linebus_broker::{Limits, LoginRefused};
use linebus_protocol::text::check_line;
use linebus_protocol::{ByeReason, Command, Pattern, Verb};

use crate::ledger::{Due, Ledger};
use crate::rules::{Accounts, Rules, fits};

#[derive(Default)]
struct Client {
    address: String,
    user: Option<String>,
    /// It is a part of the server itself: it may hear and see everything, and never send.
    inside: bool,
    /// What its account may, once it has logged in on a bus that has accounts.
    rules: Option<Rules>,
    /// Its login is being checked.
    logging_in: bool,
    /// Logins that were wrong, and lines that came before a login that was needed.
    failures: u32,
    lines: u32,
    /// Pattern, whether it is a `watch`, and the group.
    joins: BTreeMap<(String, bool), Option<String>>,
    /// It said something before.
    begun: bool,
    /// Goodbye is on its way, or the connection broke: no more lines.
    deaf: bool,
    /// Why it ends, in the words of `bye`.
    reason: Option<&'static str>,
}

impl Client {
    fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("guest")
    }

    fn may(&self, accounts: &Accounts, allowed: impl Fn(&Rules) -> bool) -> bool {
        self.inside || accounts.is_none() || self.rules.as_ref().is_some_and(allowed)
    }
}

/// The reference.
pub struct Model {
    /// The limits that hold now.
    pub limits: Limits,
    accounts: Accounts,
    clients: BTreeMap<u64, Client>,
    /// What each client is due.
    pub due: Ledger,
}

impl Model {
    /// A bus on which nobody is.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let (clients, due) = Default::default();
        Self { limits: limits.clone(), accounts: None, clients, due }
    }

    /// Somebody connected.
    pub fn connect(&mut self, id: u64, address: &str) {
        self.greet(id, Client { address: address.to_owned(), ..Client::default() });
    }

    /// A part of the server itself connected.
    pub fn connect_inside(&mut self, id: u64, name: &str) {
        let (address, user) = ("inside".to_owned(), Some(name.to_owned()));
        self.greet(id, Client { address, user, inside: true, ..Client::default() });
    }

    fn greet(&mut self, id: u64, client: Client) {
        self.clients.insert(id, client);
        let max = self.limits.line_bytes_max;
        let login = if self.must_log_in(id) { "required" } else { "open" };
        self.tell(id, &format!("hello linebus 1 line-max={max} login={login}"));
    }

    /// There are other accounts from now on.
    pub fn set_accounts(&mut self, accounts: Accounts) {
        let was_open = std::mem::replace(&mut self.accounts, accounts).is_none();
        let concerned = self.clients.iter().filter(|(_, client)| !client.inside);
        for id in concerned.map(|(id, _)| *id).collect::<Vec<_>>() {
            let client = self.clients.get_mut(&id).expect("it was just there");
            let known = client.rules.take().zip(self.accounts.as_ref());
            let gone = known.is_some_and(|(_, accounts)| {
                client.rules = accounts.get(client.user()).cloned();
                client.rules.is_none()
            });
            if was_open && self.accounts.is_some() {
                client.user = None;
            }
            let joins = std::mem::take(&mut self.client(id).joins);
            let denied = |(pattern, watch): &(String, bool)| {
                let may = |rules: &Rules| rules.may_hear(pattern) && (rules.see || !watch);
                !self.may(id, may)
            };
            let left: BTreeSet<_> =
                joins.keys().filter(|join| denied(join)).map(|(p, _)| p).collect();
            if !gone {
                left.iter().for_each(|left| self.refuse(id, &format!("note left {left}:")));
            }
            let kept = joins.iter().filter(|((pattern, _), _)| !left.contains(pattern));
            self.client(id).joins =
                kept.map(|(join, group)| (join.clone(), group.clone())).collect();
            if gone {
                self.close(id, ByeReason::Kicked);
            }
        }
    }

    /// Whether a client may do what its rules may allow.
    fn may(&self, id: u64, allowed: impl Fn(&Rules) -> bool) -> bool {
        self.clients[&id].may(&self.accounts, allowed)
    }

    fn must_log_in(&self, id: u64) -> bool {
        !self.may(id, |_| true)
    }

    /// Whether a client's login is being checked; nothing of it is carried out meanwhile.
    #[must_use]
    pub fn is_logging_in(&self, id: u64) -> bool {
        self.clients[&id].logging_in
    }

    /// Who pays for what a client sends: the user by name, or the connection.
    #[must_use]
    pub fn payer(&self, id: u64) -> String {
        let client = &self.clients[&id];
        client.rules.as_ref().map_or_else(|| id.to_string(), |_| format!("user {}", client.user()))
    }

    /// Longest line that a client may say, in bytes with its end.
    #[must_use]
    pub fn line_bytes_max(&self, id: u64) -> usize {
        let Limits { line_bytes_max, login_line_bytes_max, .. } = self.limits;
        if self.must_log_in(id) { login_line_bytes_max.min(line_bytes_max) } else { line_bytes_max }
    }

    /// A login was checked.
    pub fn finish_login(
        &mut self,
        id: u64,
        user: &str,
        checked: Result<(), LoginRefused>,
        time: &str,
    ) {
        self.client(id).logging_in = false;
        let rules = self.accounts.as_ref().map(|accounts| accounts.get(user).cloned());
        let granted = match rules {
            Some(None) => checked.and(Err(LoginRefused::Wrong)),
            known => checked.map(|()| known.flatten()),
        };
        match granted {
            Ok(rules) => {
                self.client(id).rules = rules;
                self.log_in(id, user, time);
            }
            Err(refused) => {
                self.refuse(id, "error login");
                let client = self.client(id);
                client.failures += u32::from(refused == LoginRefused::Wrong);
                if client.failures >= self.limits.login_failures_max {
                    self.close(id, ByeReason::Abuse);
                }
            }
        }
    }

    fn log_in(&mut self, id: u64, user: &str, time: &str) {
        self.client(id).user = Some(user.to_owned());
        self.tell(id, &format!("ok login {user}"));
        let (by, joined) = (format!("{time} $bus"), format!("joined {user} {id}"));
        self.deliver(Some(id), "$bus.clients", &by, &joined);
    }

    /// Told goodbye after all that is due, unless it was told before.
    pub fn close(&mut self, id: u64, reason: ByeReason) {
        if !self.client(id).deaf {
            self.refuse(id, &format!("bye {reason}"));
            self.end(id, Some(reason));
        }
    }

    /// Told goodbye in place of what waits, or nothing more at all because the connection broke.
    pub fn end(&mut self, id: u64, reason: Option<ByeReason>) {
        let client = self.client(id);
        (client.deaf, client.reason) = (true, reason.map(ByeReason::word));
    }

    /// It closed its half: no more lines from topics.
    pub fn leave(&mut self, id: u64) {
        self.client(id).joins.clear();
    }

    /// The bus forgets it; what is due is lost.
    pub fn disconnect(&mut self, id: u64, time: &str) {
        self.due.lose(id);
        let client = self.clients.remove(&id).expect("it was there");
        if let Some(user) = client.user.filter(|_| !client.inside) {
            let left = format!("left {user} {id} {}", client.reason.unwrap_or("gone"));
            self.deliver(None, "$bus.clients", &format!("{time} $bus"), &left);
        }
    }

    /// A client's line, its end taken off, is carried out at `time` (RFC 3339).
    pub fn says(&mut self, id: u64, line: &[u8], time: &str) {
        let client = self.client(id);
        let first = !std::mem::replace(&mut client.begun, true);
        if client.deaf {
            return;
        }
        if self.must_log_in(id) {
            self.client(id).lines += 1;
            if self.client(id).lines > self.limits.login_lines_max {
                return self.close(id, ByeReason::Abuse);
            }
        }
        if line.len() >= self.line_bytes_max(id) {
            return self.refuse(id, "error line too-long");
        }
        let Some(text) = check_line(line) else {
            return self.refuse(id, "error");
        };
        let http = |text: &str| text.rsplit_once(' ').is_some_and(|(_, v)| v.starts_with("HTTP/"));
        match Command::parse(text) {
            None => {}
            Some(Ok(command)) if command.verb().needs_login() && !self.may_obey(id, command) => {
                let code = if self.must_log_in(id) { "login-first" } else { "denied" };
                self.refuse(id, &format!("error {} {code}", command.verb()));
            }
            Some(Ok(command)) => self.obey(id, command, time),
            Some(Err(_)) if first && http(text) => self.close(id, ByeReason::NotLines),
            Some(Err(refusal)) => self.tell(id, &refusal.to_string()),
        }
    }

    /// Whether a client's rules allow what it says.
    fn may_obey(&self, id: u64, command: Command<'_>) -> bool {
        if self.clients[&id].inside {
            return !matches!(command, Command::Send { .. });
        }
        self.may(id, |rules| match command {
            Command::Recv { pattern, .. } => rules.may_hear(pattern.as_str()),
            Command::Watch { pattern } => rules.see && rules.may_hear(pattern.as_str()),
            Command::Send { topic, .. } => rules.may_send(topic.as_str()),
            Command::Who { .. } | Command::Topics { .. } => rules.see,
            _ => true,
        })
    }

    fn obey(&mut self, id: u64, command: Command<'_>, time: &str) {
        let client = self.client(id);
        let by = format!("{time} {}", client.user());
        match command {
            Command::Login { user, .. } => {
                client.joins.clear();
                let checked = self.accounts.is_some();
                self.client(id).logging_in = checked;
                if !checked {
                    self.log_in(id, user, time);
                }
            }
            Command::Recv { pattern, group } => self.join(id, pattern.as_str(), "recv", group),
            Command::Watch { pattern } => self.join(id, pattern.as_str(), "watch", None),
            Command::Leave { pattern } => {
                let before = client.joins.len();
                client.joins.retain(|(joined, _), _| joined != pattern.as_str());
                match before - client.joins.len() {
                    0 => self.refuse(id, "error leave not-joined"),
                    _ => self.tell(id, &format!("ok leave {pattern}")),
                }
            }
            Command::Send { topic, .. } if topic.is_system() => {
                self.refuse(id, "error send denied");
            }
            Command::Send { topic, message } => {
                self.deliver(Some(id), topic.as_str(), &by, message);
            }
            Command::Ping { word } => self.tell(id, &format!("pong {}", word.unwrap_or(""))),
            Command::Who { pattern } => self.who(id, pattern.map(Pattern::as_str)),
            Command::Topics { pattern } => self.topics(id, pattern.map(Pattern::as_str)),
            Command::Help { verb } => {
                let asked = Verb::all().filter(|known| verb.is_none_or(|verb| verb == *known));
                asked.for_each(|_| self.refuse(id, "help"));
                self.tell(id, "ok help");
            }
            Command::Logoff => self.close(id, ByeReason::Logoff),
        }
    }

    fn join(&mut self, id: u64, pattern: &str, verb: &str, group: Option<&str>) {
        let joins_max = self.limits.joins_max;
        let Client { joins, inside, .. } = self.client(id);
        let key = (pattern.to_owned(), verb == "watch");
        if joins.len() >= joins_max && !joins.contains_key(&key) && !*inside {
            return self.refuse(id, &format!("error {verb} too-many"));
        }
        joins.insert(key, group.map(str::to_owned));
        self.tell(id, &format!("ok {verb} {pattern} {}", group.unwrap_or("")));
    }

    /// Who hears it: everybody else, once, however many joins fit; of a group somebody.
    fn deliver(&mut self, from: Option<u64>, topic: &str, by: &str, message: &str) {
        let (due, mut turns) = (&mut self.due, BTreeMap::new());
        for (&id, client) in &self.clients {
            let may = client.may(&self.accounts, |rules| rules.may_hear(topic));
            if client.deaf || Some(id) == from || !may {
                continue;
            }
            let fitting = client.joins.iter().filter(|((pattern, _), _)| fits(pattern, topic));
            let wanted: BTreeSet<_> = fitting.map(|((_, watch), group)| (watch, group)).collect();
            let groups = wanted.iter().filter_map(|(_, group)| group.as_deref());
            let recv = format!("recv {topic} {message}");
            let turn = |group| *turns.entry(group).or_insert_with(|| due.turn(group, &recv));
            let turns: Vec<_> = groups.map(turn).collect();
            if wanted.contains(&(&false, &None)) {
                due.settle(&turns);
                due.owe(id, Due::Line(recv));
            } else if !turns.is_empty() {
                due.owe(id, Due::Turn(recv, turns));
            }
            if wanted.contains(&(&true, &None)) {
                due.owe(id, Due::Line(format!("watch {topic} {by} {message}")));
            }
        }
    }

    fn who(&mut self, id: u64, topic: Option<&str>) {
        let asked = |joined: &str| match topic {
            Some(topic) => joined == topic || (!topic.contains(['*', '>']) && fits(joined, topic)),
            None => true,
        };
        let there = |client: &Client| client.joins.keys().any(|(joined, _)| asked(joined));
        let may = |id: u64| topic.is_none_or(|topic| self.may(id, |rules| rules.may_hear(topic)));
        let there =
            |(id, client): &(&u64, &Client)| topic.is_none() || (there(client) && may(**id));
        let there = self.clients.iter().filter(there);
        let line = |(id, c): (&u64, &Client)| format!("who {} {id} {}", c.user(), c.address);
        self.list(id, "who", there.map(line).collect());
    }

    fn topics(&mut self, id: u64, filter: Option<&str>) {
        let joined =
            self.clients.iter().flat_map(|(id, c)| c.joins.keys().map(move |(p, _)| (p, id)));
        let asked = joined.filter(|(pattern, _)| filter.is_none_or(|filter| fits(filter, pattern)));
        let pairs: BTreeSet<_> = asked.collect();
        let mut counts = BTreeMap::new();
        pairs.iter().for_each(|(pattern, _)| *counts.entry(pattern).or_insert(0) += 1);
        let line = |(pattern, count)| format!("topic {pattern} {count}");
        self.list(id, "topics", counts.into_iter().map(line).collect());
    }

    fn list(&mut self, id: u64, verb: &str, lines: Vec<String>) {
        let ok = format!("ok {verb} {}", lines.len());
        lines.into_iter().for_each(|line| self.tell(id, &line));
        self.tell(id, &ok);
    }

    /// Told this.
    pub fn tell(&mut self, id: u64, line: &str) {
        self.owe(id, Due::Line(line.trim_end().to_owned()));
    }

    fn refuse(&mut self, id: u64, start: &str) {
        self.owe(id, Due::Start(format!("{start} ")));
    }

    fn owe(&mut self, id: u64, due: Due) {
        if !self.client(id).deaf {
            self.due.owe(id, due);
        }
    }

    fn client(&mut self, id: u64) -> &mut Client {
        self.clients.get_mut(&id).expect("it is connected")
    }
}
