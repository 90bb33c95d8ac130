//! What the bus should do, said as simply as it can be: the reference that simulations and fuzzing
//! hold the broker against. It keeps no bytes, no marks and no time. It is told what the broker
//! carried out, in that order; every line that a client hears must be the next that it is due.

use std::collections::{BTreeMap, BTreeSet};

use linebus_broker::Limits;
use linebus_protocol::text::check_line;
use linebus_protocol::{ByeReason, Command, Verb};

use crate::ledger::{Due, Ledger};

#[derive(Default)]
struct Join {
    plain: bool,
    group: Option<String>,
    watch: bool,
}

#[derive(Default)]
struct Client {
    address: String,
    user: Option<String>,
    joins: BTreeMap<String, Join>,
    /// It said something before.
    begun: bool,
    /// Goodbye is on its way, or the connection broke: no more lines.
    deaf: bool,
    /// Why it ends, in the words of `bye`.
    reason: Option<&'static str>,
}

/// The reference.
pub struct Model {
    limits: Limits,
    clients: BTreeMap<u64, Client>,
    /// What each client is due.
    pub due: Ledger,
}

impl Model {
    /// A bus on which nobody is.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let limits = limits.clone();
        Self { limits, clients: BTreeMap::new(), due: Ledger::default() }
    }

    /// Somebody connected.
    pub fn connect(&mut self, id: u64, address: &str) {
        let address = address.to_owned();
        self.clients.insert(id, Client { address, ..Client::default() });
        let max = self.limits.line_bytes_max;
        self.tell(id, format!("hello linebus 1 line-max={max} login=open"));
    }

    /// Everybody is told something.
    pub fn note(&mut self, code: &str, text: &str) {
        for id in self.open() {
            self.tell(id, format!("note {code} {text}"));
        }
    }

    /// Told goodbye after all that is due.
    pub fn close(&mut self, id: u64, reason: ByeReason) {
        if self.client(id).reason.is_none() {
            self.refuse(id, &format!("bye {reason}"));
            (self.client(id).deaf, self.client(id).reason) = (true, Some(reason.word()));
        }
    }

    /// Everybody is told goodbye.
    pub fn close_all(&mut self, reason: ByeReason) {
        self.open().into_iter().for_each(|id| self.close(id, reason));
    }

    /// Told goodbye in place of what waited.
    pub fn cut(&mut self, id: u64, reason: ByeReason) {
        (self.client(id).deaf, self.client(id).reason) = (true, Some(reason.word()));
        self.due.cut(id, reason);
    }

    /// The connection broke: what is due is lost.
    pub fn lose(&mut self, id: u64) {
        (self.client(id).deaf, self.client(id).reason) = (true, None);
        self.due.lose(id);
    }

    /// It closed its half: no more lines from topics.
    pub fn leave(&mut self, id: u64) {
        self.client(id).joins.clear();
    }

    /// The bus forgot it; what is due is lost.
    pub fn disconnect(&mut self, id: u64, time: &str) {
        self.due.lose(id);
        let client = self.clients.remove(&id).expect("it was there");
        if let Some(user) = client.user {
            let reason = client.reason.unwrap_or("gone");
            self.deliver(None, "$bus.clients", time, "$bus", &format!("left {user} {id} {reason}"));
        }
    }

    /// A client's line, its end taken off, is carried out at `time` (RFC 3339).
    pub fn says(&mut self, id: u64, line: &[u8], time: &str) {
        let client = self.client(id);
        let first = !std::mem::replace(&mut client.begun, true);
        if client.deaf {
            return;
        }
        if line.len() >= self.limits.line_bytes_max {
            return self.refuse(id, "error line too-long");
        }
        let Some(text) = check_line(line) else {
            let word = line.split(|byte| matches!(byte, b' ' | b'\t')).next();
            let verb = word.and_then(|word| Verb::parse(str::from_utf8(word).ok()?));
            let verb = verb.map_or("line", Verb::name);
            return self.refuse(id, &format!("error {verb} bad-text"));
        };
        match Command::parse(text) {
            None => {}
            Some(Ok(command)) => self.obey(id, command, time),
            Some(Err(_)) if first && text.contains(" HTTP/") => self.close(id, ByeReason::NotLines),
            Some(Err(refusal)) => self.tell(id, refusal.to_string()),
        }
    }

    fn obey(&mut self, id: u64, command: Command<'_>, time: &str) {
        let joins_max = self.limits.joins_max;
        let client = self.client(id);
        let sender = client.user.clone().unwrap_or("guest".to_owned());
        let joins = &mut client.joins;
        let recvs = joins.values().filter(|join| (join.plain || join.group.is_some())).count();
        let full = recvs + joins.values().filter(|join| join.watch).count() >= joins_max;
        match command {
            Command::Login { user, .. } => {
                joins.clear();
                client.user = Some(user.to_owned());
                self.tell(id, format!("ok login {user}"));
                let joined = format!("joined {user} {id}");
                self.deliver(Some(id), "$bus.clients", time, "$bus", &joined);
            }
            Command::Recv { pattern, group } => {
                let name = pattern.as_str();
                if full && !joins.get(name).is_some_and(Join::hears) {
                    return self.refuse(id, "error recv too-many");
                }
                let join = joins.entry(name.to_owned()).or_default();
                (join.plain, join.group) = (group.is_none(), group.map(str::to_owned));
                self.tell(id, format!("ok recv {name} {}", group.unwrap_or("")));
            }
            Command::Watch { pattern } => {
                let name = pattern.as_str();
                if full && !joins.get(name).is_some_and(|join| join.watch) {
                    return self.refuse(id, "error watch too-many");
                }
                joins.entry(name.to_owned()).or_default().watch = true;
                self.tell(id, format!("ok watch {name}"));
            }
            Command::Leave { pattern } => match joins.remove(pattern.as_str()) {
                Some(_) => self.tell(id, format!("ok leave {pattern}")),
                None => self.refuse(id, "error leave not-joined"),
            },
            Command::Send { topic, message } if !topic.is_system() => {
                self.deliver(Some(id), topic.as_str(), time, &sender, message);
            }
            Command::Send { .. } => self.refuse(id, "error send denied"),
            Command::Ping { word } => self.tell(id, format!("pong {}", word.unwrap_or(""))),
            Command::Who { pattern } => self.who(id, pattern.map(|pattern| pattern.as_str())),
            Command::Topics { pattern } => self.topics(id, pattern.map(|pattern| pattern.as_str())),
            Command::Help { verb } => {
                let asked = |known: &Verb| verb.is_none_or(|verb| verb == *known);
                Verb::all().filter(asked).for_each(|_| self.refuse(id, "help"));
                self.tell(id, "ok help".to_owned());
            }
            Command::Logoff => self.close(id, ByeReason::Logoff),
        }
    }

    fn deliver(&mut self, from: Option<u64>, topic: &str, time: &str, user: &str, message: &str) {
        let mut turns = BTreeMap::new();
        for (&id, client) in self.clients.iter().filter(|(id, c)| Some(**id) != from && !c.deaf) {
            let joins = client.joins.iter().filter(|(pattern, _)| fits(pattern, topic));
            let joins: Vec<_> = joins.map(|(_, join)| join).collect();
            let groups: BTreeSet<_> = joins.iter().filter_map(|join| join.group.as_ref()).collect();
            let turns = groups
                .into_iter()
                .map(|group| *turns.entry(group).or_insert_with(|| self.due.turn()));
            let (turns, recv) = (turns.collect::<Vec<_>>(), format!("recv {topic} {message}"));
            if joins.iter().any(|join| join.plain) {
                self.due.owe(id, Due::Line(recv));
                self.due.settle(&turns);
            } else if !turns.is_empty() {
                self.due.owe(id, Due::Turn(recv, turns));
            }
            if joins.iter().any(|join| join.watch) {
                self.due.owe(id, Due::Line(format!("watch {topic} {time} {user} {message}")));
            }
        }
    }

    fn who(&mut self, id: u64, pattern: Option<&str>) {
        let asked = |joined: &String| match pattern {
            Some(topic) if !topic.contains(['*', '>']) => fits(joined, topic),
            pattern => pattern.is_none_or(|pattern| joined == pattern),
        };
        let mut lines = Vec::new();
        for (id, client) in &self.clients {
            if pattern.is_none() || client.joins.keys().any(asked) {
                let user = client.user.as_deref().unwrap_or("guest");
                lines.push(format!("who {user} {id} {}", client.address));
            }
        }
        self.list(id, "who", lines);
    }

    fn topics(&mut self, id: u64, filter: Option<&str>) {
        let mut topics = BTreeMap::new();
        for joined in self.clients.values().flat_map(|client| client.joins.keys()) {
            if filter.is_none_or(|filter| fits(filter, joined)) {
                *topics.entry(joined).or_insert(0) += 1;
            }
        }
        let line = |(topic, count)| format!("topic {topic} {count}");
        let lines = topics.into_iter().map(line).collect();
        self.list(id, "topics", lines);
    }

    fn list(&mut self, id: u64, verb: &str, lines: Vec<String>) {
        let count = lines.len();
        lines.into_iter().for_each(|line| self.tell(id, line));
        self.tell(id, format!("ok {verb} {count}"));
    }

    fn tell(&mut self, id: u64, line: String) {
        self.due.owe(id, Due::Line(line.trim_end().to_owned()));
    }

    fn refuse(&mut self, id: u64, start: &str) {
        self.due.owe(id, Due::Start(format!("{start} ")));
    }

    fn client(&mut self, id: u64) -> &mut Client {
        self.clients.get_mut(&id).expect("it is connected")
    }

    fn open(&self) -> Vec<u64> {
        let open = self.clients.iter().filter(|(_, client)| !client.deaf);
        open.map(|(id, _)| *id).collect()
    }
}

/// Whether a topic is one that a pattern asks for, token by token.
fn fits(pattern: &str, topic: &str) -> bool {
    let (pattern, topic): (Vec<_>, Vec<_>) =
        (pattern.split('.').collect(), topic.split('.').collect());
    let tail = pattern.last() == Some(&">");
    let wild = |token: &str| token == "*" || token == ">";
    let enough = if tail { topic.len() >= pattern.len() } else { topic.len() == pattern.len() };
    enough
        && !(wild(pattern[0]) && topic[0].starts_with('$'))
        && pattern.iter().zip(&topic).all(|(p, t)| *p == ">" || (*p == "*" && *t != ">") || p == t)
}
