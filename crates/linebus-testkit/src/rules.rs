//! What an account may do, said as simply as it can be, for the reference; and the same as an
//! account of the broker.

use std::collections::BTreeMap;
use std::sync::Arc;

use linebus_broker::Account;
use linebus_protocol::Pattern;

/// Patterns that are allowed, and patterns that are denied.
pub type Lists = [Vec<String>; 2];

/// Lists of these patterns.
#[must_use]
pub fn lists(allow: &[&str], deny: &[&str]) -> Lists {
    [allow, deny].map(|list| list.iter().map(|pattern| (*pattern).to_owned()).collect())
}

/// What a user may do.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Where it may send.
    pub send: Lists,
    /// What it may hear.
    pub recv: Lists,
    /// Whether it may know who is there.
    pub see: bool,
}

/// The accounts of a bus; none on an open one.
pub type Accounts = Option<BTreeMap<String, Rules>>;

impl Rules {
    /// Whether it may send to a topic.
    #[must_use]
    pub fn may_send(&self, topic: &str) -> bool {
        permit(&self.send, topic)
    }

    /// Whether it may join a pattern, or hear a topic.
    #[must_use]
    pub fn may_hear(&self, pattern: &str) -> bool {
        if pattern.starts_with('$') { self.see } else { permit(&self.recv, pattern) }
    }

    /// The broker's account of these rules.
    ///
    /// # Panics
    /// Something in the lists is no pattern.
    #[must_use]
    pub fn account(&self, user: &str) -> Arc<Account> {
        let rules =
            |[allow, deny]: &Lists| linebus_broker::Rules::new(patterns(allow), patterns(deny));
        Arc::new(Account::new(user, rules(&self.send), rules(&self.recv), self.see))
    }
}

fn patterns(list: &[String]) -> impl Iterator<Item = Pattern<'_>> {
    list.iter().map(|text| Pattern::parse(text).expect("a rule is a pattern"))
}

/// Something allowed fits and nothing denied does.
fn permit([allow, deny]: &Lists, name: &str) -> bool {
    let any = |list: &[String]| list.iter().any(|pattern| fits(pattern, name));
    any(allow) && !any(deny)
}

/// Whether a topic is one that a pattern asks for, token by token. The topic may be a pattern
/// itself, whose wildcards then are tokens like others.
#[must_use]
pub fn fits(pattern: &str, topic: &str) -> bool {
    let system = topic.starts_with('$') && !pattern.starts_with('$');
    match (pattern.split_once('.'), topic.split_once('.')) {
        _ if system => false,
        (None, None) => pattern == ">" || (pattern == "*" && topic != ">") || pattern == topic,
        (None, Some(_)) => pattern == ">",
        (Some((p, pattern)), Some((t, topic))) => {
            (p == t || (p == "*" && t != ">")) && fits(pattern, topic)
        }
        (Some(_), None) => false,
    }
}
