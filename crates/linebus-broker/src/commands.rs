//! What each verb but `send` does.

use linebus_protocol::{ByeReason, Command, ErrorCode, Event, Pattern, Refusal, Verb};

use crate::access::{Access, Wish};
use crate::batch::Batch;
use crate::fact::{Bound, Fact};
use crate::login::LoginAttempt;
use crate::session::Link;
use crate::topics::{Joined, Want};

impl<L: Link> Batch<'_, L> {
    /// Carries out a command; everything before it is in `buf` and may still be pending.
    pub(crate) fn execute(&mut self, buf: &[u8], command: Command<'_>) {
        match command {
            Command::Login { user, password } => self.log_in(buf, user, password),
            Command::Recv { pattern, group } => self.join(Verb::Recv, pattern, Want::Recv(group)),
            Command::Watch { pattern } => self.join(Verb::Watch, pattern, Want::Watch),
            Command::Leave { pattern } => self.leave(pattern),
            Command::Send { .. } => unreachable!("sends are delivered where they are read"),
            Command::Ping { word } => self.answer(&Event::Pong { word: word.unwrap_or("") }),
            Command::Who { pattern } => self.who(pattern),
            Command::Topics { pattern } => self.topics(pattern),
            Command::Help { verb } => self.help(verb),
            Command::Logoff => self.close(buf, ByeReason::Logoff, "see you"),
        }
    }

    fn log_in(&mut self, buf: &[u8], user: &str, password: Option<&str>) {
        // Lines sent before belong to the name before.
        self.spill(buf);
        self.forget_stamp();
        let broker = self.delivery.broker;
        broker.leave_all(self.session);
        self.joins_changed = true;
        let granted = {
            // Accounts can't come between looking whether there are any and letting somebody in.
            let _unchanged = broker.topics.read();
            let open = matches!(self.session.access(), Access::Open);
            if open {
                self.session.log_in(user, Access::Open);
            }
            open
        };
        if !granted {
            let attempt = LoginAttempt { user: user.into(), password: password.map(Into::into) };
            self.login.attempt = Some(Box::new(attempt));
            return;
        }
        self.answer(&Event::Ok { verb: "login", rest: user });
        let id = self.session.id();
        self.delivery.facts.push(Fact::LoggedIn { id, user: user.into() });
        broker.announce_with(&mut self.delivery, &format!("joined {user} {id}"));
    }

    fn join(&mut self, verb: Verb, pattern: Pattern<'_>, want: Want<'_>) {
        let broker = self.delivery.broker;
        let joins_max = self.delivery.limits().joins_max;
        self.joins_changed = true;
        let joined = {
            let mut topics = broker.topics.write();
            // Asked while accounts can't change: what has been left then is not joined again.
            let may = |wish| self.session.may(wish);
            if !may(Wish::Join(pattern)) || (want == Want::Watch && !may(Wish::See)) {
                None
            } else {
                broker.count_change();
                let mut joins = self.session.joins.lock();
                let room = joins.count < joins_max || self.session.is_inside();
                let joined = topics.join(self.session, pattern, want, room);
                if let Joined::Yes { new, first } = joined {
                    joins.count += usize::from(new);
                    if first {
                        joins.add(pattern.as_str());
                    }
                }
                Some(joined)
            }
        };
        match joined {
            None => return self.deny(verb, self.why_not(verb, pattern)),
            Some(Joined::TooMany) => {
                self.reached(Bound::Joins);
                let text = format!(
                    "a connection joins at most {joins_max} topics; use a wildcard or leave one"
                );
                return self.refuse(&Refusal::new(verb, ErrorCode::TooMany, text));
            }
            Some(Joined::Yes { .. }) => {}
        }
        let rest = match want {
            Want::Recv(Some(group)) => format!("{pattern} {group}"),
            _ => pattern.to_string(),
        };
        self.answer(&Event::Ok { verb: verb.name(), rest: &rest });
    }

    /// Why a join is denied, and what would not be.
    fn why_not(&self, verb: Verb, pattern: Pattern<'_>) -> String {
        if (verb == Verb::Watch || pattern.is_system()) && !self.session.may(Wish::See) {
            return format!("you may not {verb} {pattern}: your account has no `see`");
        }
        match pattern.as_topic() {
            Some(topic) => format!("you may not hear {topic}"),
            None => format!("you may not hear all of {pattern}; name less"),
        }
    }

    /// Whether the client may know who is there; if not, it is told so.
    fn may_see(&mut self, verb: Verb) -> bool {
        let may = self.session.may(Wish::See);
        if !may {
            self.deny(verb, format!("you may not say {verb}: your account has no `see`"));
        }
        may
    }

    fn leave(&mut self, pattern: Pattern<'_>) {
        let broker = self.delivery.broker;
        self.joins_changed = true;
        let left = {
            let mut topics = broker.topics.write();
            broker.count_change();
            let left = topics.leave(self.session, pattern);
            let mut joins = self.session.joins.lock();
            joins.count -= left;
            joins.remove(pattern.as_str());
            left
        };
        if left == 0 {
            let text = "you have not joined that; leave what you joined, written the same way";
            return self.refuse(&Refusal::new(Verb::Leave, ErrorCode::NotJoined, text));
        }
        self.answer(&Event::Ok { verb: "leave", rest: pattern.as_str() });
    }

    fn who(&mut self, pattern: Option<Pattern<'_>>) {
        if !self.may_see(Verb::Who) {
            return;
        }
        let broker = self.delivery.broker;
        let sessions = match pattern.map(|pattern| (pattern, pattern.as_topic())) {
            None => broker.everybody(),
            Some((_, Some(topic))) => {
                broker.resolve(topic).everybody().into_iter().cloned().collect()
            }
            Some((pattern, None)) => {
                let topics = broker.topics.read();
                topics.members(pattern).iter().map(|member| member.session.clone()).collect()
            }
        };
        for session in &sessions {
            let (user, id, address) = (&session.user(), session.id(), session.address());
            self.answer(&Event::Who { user, id, address });
        }
        self.answer(&Event::Ok { verb: "who", rest: &sessions.len().to_string() });
    }

    fn topics(&mut self, filter: Option<Pattern<'_>>) {
        if !self.may_see(Verb::Topics) {
            return;
        }
        let topics = self.delivery.broker.topics.read();
        let list = topics.list(filter);
        for (topic, receivers) in &list {
            self.answer(&Event::Topic { topic, receivers: *receivers as u64 });
        }
        self.answer(&Event::Ok { verb: "topics", rest: &list.len().to_string() });
    }

    fn help(&mut self, verb: Option<Verb>) {
        for known in Verb::all().filter(|known| verb.is_none_or(|verb| verb == *known)) {
            let text = format!("{:<26} {}", known.usage(), known.help());
            self.answer(&Event::Help { text: &text });
        }
        self.answer(&Event::Ok { verb: "help", rest: "" });
    }
}
