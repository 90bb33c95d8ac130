//! One rule: which lines it is for, and what is to be done then. It does nothing itself.

use std::time::Duration;

use linebus_client::split_reply;
use linebus_protocol::{Pattern, Topic};
use regex::{Captures, Regex};

use super::rate::{Missed, Rate};
use super::template::Template;
use crate::job::{Heard, Job};

/// What ends the answers to a question (PROTOCOL.md, “A convention: asking”).
const DONE: &str = "done";

/// A rule, and how often it has acted.
#[derive(Debug)]
pub(crate) struct Rule {
    /// How the log calls it.
    pub(crate) name: String,
    /// Where it listens: patterns, checked.
    pub(crate) on: Vec<String>,
    /// Whose lines it is for; all if there is nobody.
    pub(crate) from: Vec<String>,
    /// What must be found in the message.
    pub(crate) pattern: Option<Regex>,
    /// Where to send `text`.
    pub(crate) send: Vec<Template>,
    pub(crate) text: Template,
    /// What to answer; with it, the rule is for questions only.
    pub(crate) reply: Vec<Template>,
    pub(crate) run: Option<Run>,
    /// Whether it wants to know who and when.
    pub(crate) watch: bool,
    pub(crate) rate: Rate,
    /// Lines over the limit.
    pub(crate) missed: Missed,
}

/// A command and its limits.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The program and its arguments; not empty.
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Duration,
    /// How many may run at a time.
    pub(crate) jobs: usize,
}

/// Something to do.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send this; the topic is one to which clients send.
    Send { topic: String, text: String },
    /// Run the rule's command; `captures` are those of its variables that the rule has named.
    Run { job: Job, captures: Vec<(String, String)> },
    /// Nothing: what the message makes of the rule can't be done.
    Refused(String),
}

impl Rule {
    /// What is to be done about a message: nothing if the rule is not for it, or is over its limit.
    /// `now` counts from whenever; `tell` hears when the limit is reached, and when it is over.
    pub(crate) fn take(
        &mut self,
        heard: Heard<'_>,
        now: Duration,
        mut tell: impl FnMut(String),
    ) -> Vec<Action> {
        if !self.listens_to(&heard) {
            return Vec::new();
        }
        let (text, reply_topic) = match split_reply(heard.text) {
            _ if self.reply.is_empty() => (heard.text, None),
            (_, None) => return Vec::new(),
            question => question,
        };
        let heard = Heard { text, ..heard };
        let captures = self.pattern.as_ref().map(|pattern| pattern.captures(text));
        let captures = match captures {
            Some(None) => return Vec::new(),
            found => found.flatten(),
        };
        if !self.rate.allow(now) {
            if self.missed.note() {
                let at_most = self.rate.at_most;
                tell(format!("{}: more than {at_most}; what is over it is not done", self.name));
            }
            return Vec::new();
        }
        self.tell_missed(tell);
        self.actions(&heard, captures.as_ref(), reply_topic)
    }

    /// Tells how many lines were over the limit since the rule acted last.
    pub(crate) fn tell_missed(&mut self, mut tell: impl FnMut(String)) {
        if let Some(count) = self.missed.end() {
            let at_most = self.rate.at_most;
            tell(format!("{}: lines over {at_most}, not acted on: {count}", self.name));
        }
    }

    fn listens_to(&self, heard: &Heard<'_>) -> bool {
        let matches =
            |pattern: &String| Pattern::parse(pattern).expect("it was checked").covers(heard.topic);
        let is_from = || self.from.iter().any(|user| heard.user == Some(user));
        self.on.iter().any(matches) && (self.from.is_empty() || is_from())
    }

    fn actions(
        &self,
        heard: &Heard<'_>,
        captures: Option<&Captures<'_>>,
        reply_topic: Option<&str>,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        for topic in &self.send {
            actions.push(send(topic.fill(heard, captures), self.text.fill(heard, captures)));
        }
        if let Some(topic) = reply_topic {
            let answers = self.reply.iter().map(|answer| answer.fill(heard, captures));
            for text in answers.chain([DONE.to_owned()]) {
                actions.push(send(topic.to_owned(), text));
            }
        }
        if let Some(run) = &self.run {
            let captures = self.variables(captures);
            let job = Job::new(&run.command, *heard).with(captures.clone());
            actions.push(Action::Run { job, captures });
        }
        actions
    }

    /// The captures as variables of an environment.
    fn variables(&self, captures: Option<&Captures<'_>>) -> Vec<(String, String)> {
        let names = self.pattern.iter().flat_map(Regex::capture_names).flatten();
        let variables = names.map(|name| {
            let found = captures.and_then(|captures| captures.name(name));
            (variable(name), found.map_or("", |found| found.as_str()).to_owned())
        });
        variables.collect()
    }
}

/// How a command finds a capture.
pub(crate) fn variable(capture: &str) -> String {
    format!("LINEBUS_{}", capture.to_ascii_uppercase())
}

fn send(topic: String, text: String) -> Action {
    match Topic::parse(&topic) {
        Ok(named) if named.is_system() => {
            Action::Refused(format!("nobody but the bus itself sends to `{topic}`"))
        }
        Ok(_) => Action::Send { topic, text },
        Err(why) => Action::Refused(format!("`{topic}` is no topic: {why}")),
    }
}

#[cfg(test)]
mod tests;
