//! Who may do what: accounts, their rules, and the one function that decides.
//!
//! Every way in and every way out asks [`Access::authorize`]: `send` before a line is routed, `recv`
//! and `watch` when they are said, and each line once more when its topic's receivers are looked
//! up, so that a wildcard which overlaps what is denied hears only the rest. Routes are forgotten
//! when accounts change, so nobody hears a line by an answer from before.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use linebus_protocol::{Pattern, Topic};

use crate::patterns::Patterns;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'a> {
    /// Send a line to a topic.
    Send(Topic<'a>),
    /// Hear a line that was sent to a topic.
    Hear(Topic<'a>),
    /// Join a pattern.
    Join(Pattern<'a>),
    /// Know who is there and what they do: `who`, `topics`, `watch` and the bus's own topics.
    See,
}

/// What a session may do.
#[derive(Debug, Clone)]
pub enum Access {
    /// There are no accounts: everything.
    Open,
    /// There are accounts and it has not logged in: nothing.
    LoginFirst,
    /// What its account may.
    Account(Arc<Account>),
    /// It is a part of the server itself, such as its recorder: it may hear and see everything, and
    /// never send. No account and no limit of clients concerns it.
    Inside,
}

/// A user of a bus that has accounts.
pub struct Account {
    name: Box<str>,
    send: Rules,
    recv: Rules,
    see: bool,
    /// Unlike that of any other account value, so that a route can remember whom it admitted.
    serial: u64,
}

/// Patterns to allow and to deny. Deny wins, and what nothing allows is denied.
#[derive(Default)]
pub struct Rules {
    allow: Patterns<()>,
    deny: Patterns<()>,
}

impl Access {
    /// Whether a wish is granted. Nothing else decides.
    ///
    /// A join is granted when one allowed pattern covers all that it asks for and no denied one
    /// does; what it overlaps of the denied ones is kept from it line by line.
    #[must_use]
    pub fn authorize(&self, wish: Wish<'_>) -> bool {
        let account = match self {
            // Only the bus itself sends to its own topics.
            _ if matches!(wish, Wish::Send(topic) if topic.is_system()) => return false,
            Self::Open => return true,
            Self::Inside => return !matches!(wish, Wish::Send(_)),
            Self::LoginFirst => return false,
            Self::Account(account) => account,
        };
        match wish {
            Wish::See => account.see,
            Wish::Hear(topic) if topic.is_system() => account.see,
            Wish::Join(pattern) if pattern.is_system() => account.see,
            Wish::Send(topic) => account.send.permit(topic),
            Wish::Hear(topic) => account.recv.permit(topic),
            Wish::Join(pattern) => account.recv.permit_all(pattern),
        }
    }

    /// Whether it is that of an account.
    pub(crate) fn is_account(&self) -> bool {
        matches!(self, Self::Account(_))
    }

    /// Whether it is that of a part of the server.
    pub(crate) fn is_inside(&self) -> bool {
        matches!(self, Self::Inside)
    }

    /// What tells this access from any other, for answers that are remembered. Open access and that
    /// from inside have none: there is nothing to remember.
    pub(crate) fn serial(&self) -> Option<u64> {
        match self {
            Self::Account(account) => Some(account.serial),
            Self::Open | Self::LoginFirst | Self::Inside => None,
        }
    }
}

impl Account {
    /// An account. Without rules it may do nothing.
    pub fn new(name: impl Into<Box<str>>, send: Rules, recv: Rules, see: bool) -> Self {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        Self { name: name.into(), send, recv, see, serial }
    }

    /// The user's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Rules {
    /// Rules from their patterns.
    pub fn new<'a>(
        allow: impl IntoIterator<Item = Pattern<'a>>,
        deny: impl IntoIterator<Item = Pattern<'a>>,
    ) -> Self {
        let mut rules = Self::default();
        allow.into_iter().for_each(|pattern| *rules.allow.entry(pattern) = ());
        deny.into_iter().for_each(|pattern| *rules.deny.entry(pattern) = ());
        rules
    }

    fn permit(&self, topic: Topic<'_>) -> bool {
        self.allow.matches(topic) && !self.deny.matches(topic)
    }

    fn permit_all(&self, pattern: Pattern<'_>) -> bool {
        if let Some(topic) = pattern.as_topic() {
            return self.permit(topic);
        }
        let covered =
            |rules: &Patterns<()>| rules.iter().any(|(rule, ())| rule.covers(pattern.as_str()));
        covered(&self.allow) && !covered(&self.deny)
    }
}
