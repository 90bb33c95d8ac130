//! Says what a user may do with a topic, and by which rule.
//!
//! What may be done is asked of [`Access::authorize`], which decides for the bus, too; here is only
//! which line of the file that comes from.

use std::sync::Arc;

use linebus_broker::{Access, Wish};
use linebus_protocol::Pattern;

use super::{Lists, User};

/// What a user may do with one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `send`, `hear` or `join`.
    pub wish: &'static str,
    /// Whether the bus grants it to the user, once logged in.
    pub granted: bool,
    /// The rule of the users file that it comes from.
    pub rule: String,
}

impl User {
    /// What the user may do with a topic: send, hear, join. With a pattern it is joining alone.
    #[must_use]
    pub fn explain(&self, pattern: Pattern<'_>) -> Vec<Answer> {
        let access = Access::Account(Arc::clone(self.account()));
        let answer = |wish: &'static str, asked: Wish<'_>, rule: String| Answer {
            wish,
            granted: access.authorize(asked),
            rule,
        };
        let system = pattern.is_system();
        let seen = || format!("see = {}", self.sees());
        let recv = || if system { seen() } else { rule("recv", self.recv(), pattern) };
        let mut answers = Vec::new();
        if let Some(topic) = pattern.as_topic() {
            let rule = match system {
                true => "topics that begin with $ are the bus's own".to_owned(),
                false => rule("send", self.send(), pattern),
            };
            answers.push(answer("send", Wish::Send(topic), rule));
            answers.push(answer("hear", Wish::Hear(topic), recv()));
        }
        answers.push(answer("join", Wish::Join(pattern), recv()));
        answers
    }
}

/// Which rule of a list decides about all that a pattern asks for.
fn rule(key: &str, lists: &Lists, asked: Pattern<'_>) -> String {
    let covers = |rule: &str| Pattern::parse(rule).is_ok_and(|rule| rule.covers(asked.as_str()));
    let covering = |list: &[Box<str>]| list.iter().find(|rule| covers(rule)).cloned();
    if let Some(rule) = covering(&lists.deny) {
        return format!("{key}.deny {rule:?}");
    }
    let Some(rule) = covering(&lists.allow) else {
        return match lists.allow.iter().find(|rule| overlap(rule, asked.as_str())) {
            Some(part) => format!("{key}.allow {part:?} allows only a part of it"),
            None => format!("nothing in {key}.allow"),
        };
    };
    match lists.deny.iter().find(|rule| overlap(rule, asked.as_str())) {
        Some(part) => format!("{key}.allow {rule:?}, without what {key}.deny {part:?} covers"),
        None => format!("{key}.allow {rule:?}"),
    }
}

/// Whether there is a topic that both patterns match.
fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(one), Some(other)) if one == other || one == "*" || other == "*" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
