//! A file of rules, read with every mistake explained by its line. docs/bots.md documents all keys.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use linebus_protocol::text::check_line;
use linebus_protocol::{NAME_BYTES_MAX, Pattern, Topic, is_name};
use linebus_server::Problem;
use linebus_server::config::Reader;
use regex::{Regex, RegexBuilder};

use super::rate::{AtMost, Missed, Rate};
use super::rule::{Rule, Run, variable};
use super::template::{Names, Template};

/// The page that lists all keys.
const PAGE: &str = "docs/bots.md";
/// Longest file in bytes; a longer one is refused.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How much memory a pattern may take, in bytes, once compiled. A message can't make it take more.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// How long a command may run if the rule does not say.
const TIMEOUT_S: u64 = 60;
/// Variables that a command finds in its environment besides captures, or that steer `linebus`.
const TAKEN: [&str; 8] = ["topic", "message", "user", "time", "url", "ca", "cert", "key"];

/// What stands in a file.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// The user to log in as, where any name will do.
    pub(crate) user: Option<String>,
    pub(crate) rules: Vec<Rule>,
}

/// Patterns to be joined, and whether by `watch`.
pub(crate) type Joins = BTreeSet<(String, bool)>;

impl Rules {
    /// Reads a file.
    ///
    /// # Errors
    /// Every mistake, as `FILE: line N: KEY: what is wrong`.
    pub(crate) fn read(path: &Path) -> Result<Self, Vec<String>> {
        let mut text = String::new();
        let read = File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
        if let Err(error) = read {
            return Err(vec![format!("can't read {}: {error}", path.display())]);
        }
        if text.len() as u64 > FILE_BYTES_MAX {
            let path = path.display();
            return Err(vec![format!(
                "{path}: a file of rules has at most {FILE_BYTES_MAX} bytes"
            )]);
        }
        Self::parse(&text)
            .map_err(|problems| problems.iter().map(|problem| problem.in_file(path)).collect())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every mistake in it, by line.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(text, PAGE, Path::new(""))?;
        let mut rules = Self::default();
        reader.parse("user", user, &mut rules.user);
        if !reader.has("rule") {
            let text = "there is no rule; [[rule]] in double brackets begins each of them";
            reader.problem("rule", text.to_owned());
        }
        reader.each_in_array("rule", |reader, index| {
            rules.rules.push(rule(reader, index + 1));
        });
        reader.finish()?;
        Ok(rules)
    }

    /// Where all rules listen.
    pub(crate) fn joins(&self) -> Joins {
        let joins = |rule: &Rule| {
            let watch = rule.watch;
            rule.on.clone().into_iter().map(move |pattern| (pattern, watch))
        };
        self.rules.iter().flat_map(joins).collect()
    }
}

/// Reads one rule. What is wrong in it is left out, and makes the whole file wrong.
fn rule(reader: &mut Reader<'_>, number: usize) -> Rule {
    let mut name = None;
    reader.parse("rule[].name", rule_name, &mut name);
    let mut on = Vec::new();
    reader.parse_all("rule[].on", topic_pattern, &mut on);
    if !reader.has("rule[].on") {
        let text = "say where the rule listens, such as on = \"rooms.>\"";
        reader.problem("rule[].on", text.to_owned());
    }
    let mut from = Vec::new();
    reader.parse_all("rule[].from", user, &mut from);
    let mut pattern = None;
    reader.parse("rule[].match", message_pattern, &mut pattern);
    let names = match &pattern {
        None if reader.has("rule[].match") => Names::Any,
        pattern => Names::Known(pattern.as_ref()),
    };
    let message = |text: &str| Template::parse(text, names);
    let mut send = Vec::new();
    reader.parse_all("rule[].send", |text| topic(text, names), &mut send);
    let mut text = None;
    reader.parse("rule[].text", message, &mut text);
    let mut reply = Vec::new();
    reader.parse_all("rule[].reply", message, &mut reply);
    let run = run(reader, names);
    if reader.has("rule[].text") && !reader.has("rule[].send") {
        let text = "it says what to send; say also where, such as send = \"ops.alarm\"";
        reader.problem("rule[].text", text.to_owned());
    }
    if !["rule[].send", "rule[].reply", "rule[].run"].iter().any(|key| reader.has(key)) {
        let text = "say what the rule does, such as send = \"ops.alarm\"; or `reply`, or `run`";
        reader.problem("rule[].send", text.to_owned());
    }
    let mut at_most = None;
    reader.parse("rule[].at_most", AtMost::parse, &mut at_most);
    let mut watch = false;
    reader.switch("rule[].watch", &mut watch);
    watch |= !from.is_empty();
    watch |= send.iter().chain(&text).chain(&reply).any(Template::needs_watch);
    Rule {
        name: name.unwrap_or_else(|| format!("rule {number}")),
        on,
        from,
        pattern,
        send,
        text: text.unwrap_or_else(Template::message),
        reply,
        run,
        watch,
        rate: Rate::new(at_most.unwrap_or_default()),
        missed: Missed::default(),
    }
}

/// Reads what a rule runs.
fn run(reader: &mut Reader<'_>, names: Names<'_>) -> Option<Run> {
    let mut command = Vec::new();
    if reader.is_text("rule[].run") {
        let text = "a list is wanted: the command and, each by itself, its arguments, such as \
                    [\"mail\", \"-s\", \"alarm\", \"ops\"]";
        reader.problem("rule[].run", text.to_owned());
    }
    reader.parse_all("rule[].run", |text| argument(text, names), &mut command);
    if command.first().is_some_and(String::is_empty) {
        reader.problem("rule[].run", "the command has no name".to_owned());
    }
    let (mut timeout_s, mut jobs) = (TIMEOUT_S, 1_usize);
    reader.number("rule[].timeout_s", 1..=86_400, &mut timeout_s);
    reader.number("rule[].jobs", 1..=100, &mut jobs);
    for key in ["rule[].timeout_s", "rule[].jobs"] {
        if reader.has(key) && !reader.has("rule[].run") {
            reader.problem(key, "it is for a command, and the rule has no `run`".to_owned());
        }
    }
    let timeout = Duration::from_secs(timeout_s);
    (!command.is_empty()).then_some(Run { command, timeout, jobs })
}

fn rule_name(text: &str) -> Result<String, String> {
    match check_line(text.as_bytes()) {
        Some(name) if !name.trim().is_empty() => Ok(name.to_owned()),
        _ => Err("a name is one line of text, and not empty".to_owned()),
    }
}

fn user(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!("a user's name is 1 to {NAME_BYTES_MAX} letters, digits, _ . or -"))
}

fn topic_pattern(text: &str) -> Result<String, String> {
    match Pattern::parse(text) {
        Ok(pattern) => Ok(pattern.as_str().to_owned()),
        Err(rule) => Err(format!("{text:?}: {rule}")),
    }
}

/// A topic to send to, which may have gaps.
fn topic(text: &str, names: Names<'_>) -> Result<Template, String> {
    let template = Template::parse(text, names)?;
    match Topic::parse(&template.example()) {
        Ok(topic) if topic.is_system() => {
            Err(format!("{text:?}: topics that begin with $ are the bus's own"))
        }
        Ok(_) => Ok(template),
        Err(rule) => Err(format!("{text:?}: {rule}")),
    }
}

/// What must be found in a message.
fn message_pattern(text: &str) -> Result<Regex, String> {
    let pattern = RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
    let pattern = pattern.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            format!("the pattern takes more than {PATTERN_BYTES_MAX} bytes of memory; repeat less")
        }
        // Its last line says what is wrong; those before it show where, in the pattern alone.
        error => {
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default();
            format!("that is no regular expression: {}", why.trim_start_matches("error: "))
        }
    })?;
    let mut known = BTreeSet::new();
    for name in pattern.capture_names().flatten() {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!(
                "a capture's name has letters, digits and _ only, unlike `{name}`"
            ));
        }
        let name_of_others = TAKEN.iter().find(|taken| taken.eq_ignore_ascii_case(name));
        if name_of_others.is_some() || !known.insert(variable(name)) {
            let variable = variable(name);
            return Err(format!("{variable} is something else already; name `{name}` differently"));
        }
    }
    Ok(pattern)
}

/// A part of a command, which stays as it is written.
fn argument(text: &str, names: Names<'_>) -> Result<String, String> {
    if text.contains('\0') {
        return Err("an argument has no NUL in it".to_owned());
    }
    match names.stand_in(text) {
        None => Ok(text.to_owned()),
        Some(name) => {
            let variable = variable(name.split('.').next().unwrap_or_default());
            Err(format!(
                "what others say never becomes part of a command; it finds {{{name}}} in its \
                 environment, as {variable}"
            ))
        }
    }
}

#[cfg(test)]
mod tests;
