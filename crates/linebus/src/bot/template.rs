//! A text with gaps, which a message fills: `{topic} has {degrees} degrees`.
//!
//! Filled once, from left to right: braces in a message mean nothing.

use linebus_protocol::text::check_line;
use linebus_protocol::topic::TOPIC_TOKENS_MAX;
use regex::{Captures, Regex};

use crate::job::Heard;

/// A text with gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Gap(Gap),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Topic,
    /// One token of the topic, counted from 1.
    Token(usize),
    Message,
    User,
    Time,
    /// A capture of the rule's pattern, by its number.
    Capture(usize),
}

/// Which names may stand in a gap.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Names<'a> {
    /// What every message has, and the captures of a pattern if there is one.
    Known(Option<&'a Regex>),
    /// Any: the rule's pattern is wrong, which has been said.
    Any,
}

impl Template {
    /// The message as it is.
    pub(crate) fn message() -> Self {
        Self(vec![Piece::Gap(Gap::Message)])
    }

    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(crate) fn parse(text: &str, names: Names<'_>) -> Result<Self, String> {
        if check_line(text.as_bytes()).is_none() {
            return Err("a message is one line of text without control characters".to_owned());
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = ["{{", "}}"].iter().find_map(|pair| rest.strip_prefix(pair)) {
                plain.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let Some((name, after)) = rest[1..].split_once('}').filter(|_| rest.starts_with('{'))
            else {
                let brace = &rest[..1];
                return Err(format!("a {brace} stands alone; one that is meant is {brace}{brace}"));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Gap(names.find(name)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The text for a message.
    pub(crate) fn fill(&self, heard: &Heard<'_>, captures: Option<&Captures<'_>>) -> String {
        self.fill_with(|gap| match gap {
            Gap::Topic => heard.topic,
            Gap::Token(number) => heard.topic.split('.').nth(number - 1).unwrap_or_default(),
            Gap::Message => heard.text,
            Gap::User => heard.user.unwrap_or_default(),
            Gap::Time => heard.time.unwrap_or_default(),
            Gap::Capture(number) => {
                captures.and_then(|all| all.get(number)).map_or("", |found| found.as_str())
            }
        })
    }

    /// What it looks like when every gap is filled by one letter.
    pub(crate) fn example(&self) -> String {
        self.fill_with(|_| "x")
    }

    /// Whether it says who or when, which only a watched message tells.
    pub(crate) fn needs_watch(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Gap(Gap::User | Gap::Time)))
    }

    fn fill_with<'a>(&'a self, fill: impl Fn(Gap) -> &'a str) -> String {
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Gap(gap) => fill(*gap),
        });
        texts.collect()
    }
}

impl Names<'_> {
    fn find(self, name: &str) -> Result<Gap, String> {
        let token = name.strip_prefix("topic.").and_then(|number| number.parse().ok());
        Ok(match (name, token) {
            ("topic", _) => Gap::Topic,
            ("message", _) => Gap::Message,
            ("user", _) => Gap::User,
            ("time", _) => Gap::Time,
            (_, Some(number @ 1..=TOPIC_TOKENS_MAX)) => Gap::Token(number),
            _ => Gap::Capture(self.number(name)?),
        })
    }

    /// The number of a capture.
    fn number(self, name: &str) -> Result<usize, String> {
        let Self::Known(pattern) = self else { return Ok(0) };
        let names = || pattern.into_iter().flat_map(Regex::capture_names);
        names().position(|known| known == Some(name)).ok_or_else(|| {
            let captures: String = names().flatten().map(|name| format!(", {{{name}}}")).collect();
            let known =
                format!("{{message}}, {{user}}, {{time}}, {{topic}}, {{topic.2}}{captures}");
            format!("there is no {{{name}}} here, but there are {known}; {{{{ is a brace")
        })
    }

    /// The first name in braces in `text` that stands for something here.
    pub(crate) fn stand_in(self, text: &str) -> Option<&str> {
        let names = text.split('{').skip(1).filter_map(|after| Some(after.split_once('}')?.0));
        let mut known = names.filter(|name| !matches!(self, Self::Any) && self.find(name).is_ok());
        known.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, pattern: &str, text: &str) -> String {
        let pattern = Regex::new(pattern).expect("it is right");
        let template = Template::parse(template, Names::Known(Some(&pattern)));
        let (user, time) = (Some("bob"), Some("2026-01-31T12:00:00Z"));
        let heard = Heard { topic: "rooms.vienna.alarm", text, user, time };
        template.expect("it is right").fill(&heard, pattern.captures(text).as_ref())
    }

    #[test]
    fn gaps_are_filled_by_the_message_and_its_captures() {
        assert_eq!(
            filled(
                "{topic.2}: {degrees}°, said {user} at {time}",
                r"(?<degrees>\d+)",
                "31 in {topic}"
            ),
            "vienna: 31°, said bob at 2026-01-31T12:00:00Z"
        );
        assert_eq!(filled("{{{topic}}} }}{{", "", "x"), "{rooms.vienna.alarm} }{");
        // What was not found, and a token that the topic does not have, are empty.
        assert_eq!(filled("[{a}{topic.9}]", "(?<a>a)?", "x"), "[]");
    }

    #[test]
    fn what_others_say_is_never_a_template() {
        assert_eq!(
            filled("{message}{m}", "(?<m>.*)", "{topic} }{ {{"),
            "{topic} }{ {{{topic} }{ {{"
        );
    }

    #[test]
    fn a_wrong_template_says_what_would_be_right() {
        let pattern = Regex::new("(?<degrees>.)").expect("it is right");
        let names = Names::Known(Some(&pattern));
        for (wrong, why) in [
            ("a { b", "a { stands alone; one that is meant is {{"),
            ("a } b", "a } stands alone; one that is meant is }}"),
            ("{{a}", "a } stands alone; one that is meant is }}"),
            (
                "{degrees} {1}",
                "there is no {1} here, but there are {message}, {user}, {time}, {topic}, {topic.2}, {degrees}; {{ is a brace",
            ),
            ("a\nb", "a message is one line of text without control characters"),
        ] {
            assert_eq!(Template::parse(wrong, names), Err(why.to_owned()), "{wrong}");
        }
        for unknown in ["{}", "{topic.0}", "{topic.17}", "{topic.}", "{Topic}", "{ topic }"] {
            let why = Template::parse(unknown, names).expect_err("there is none");
            assert!(why.starts_with(&format!("there is no {unknown} here")), "{why}");
        }
        assert!(Template::parse("{whatever}", Names::Any).is_ok());
    }
}
