//! A client's line as a value: [`Command::parse`], or the [`Refusal`] to answer it with.

use std::borrow::Cow;
use std::fmt;

use crate::code::ErrorCode;
use crate::event::Event;
use crate::topic::{BadTopic, Pattern, Topic};
use crate::verb::Verb;
use crate::{NAME_BYTES_MAX, is_name};

/// One line from a client, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// Says who the client is.
    Login {
        /// The name, checked by [`is_name`].
        user: &'a str,
        /// The rest of the line after one separator, if there is any.
        password: Option<&'a str>,
    },
    /// Joins a topic.
    Recv {
        /// What to join.
        pattern: Pattern<'a>,
        /// Of all members of a group one hears each line. Checked by [`is_name`].
        group: Option<&'a str>,
    },
    /// Joins a topic, each line with time and sender.
    Watch {
        /// What to join.
        pattern: Pattern<'a>,
    },
    /// Ends both kinds of join.
    Leave {
        /// What was joined, written the same way.
        pattern: Pattern<'a>,
    },
    /// A message for everybody else in the topic.
    Send {
        /// Where to.
        topic: Topic<'a>,
        /// The rest of the line after one separator, byte for byte.
        message: &'a str,
    },
    /// Asks for a pong.
    Ping {
        /// Comes back with the pong.
        word: Option<&'a str>,
    },
    /// Who is connected, or in a topic.
    Who {
        /// A topic, or a pattern as somebody joined it.
        pattern: Option<Pattern<'a>>,
    },
    /// Which topics somebody has joined.
    Topics {
        /// Only those that it covers.
        pattern: Option<Pattern<'a>>,
    },
    /// How to use the bus.
    Help {
        /// Only this verb.
        verb: Option<Verb>,
    },
    /// Ends the connection.
    Logoff,
}

/// Why a line is not carried out: the parts of the `error` line that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The verb it answers, or `line` where there was none to speak of.
    pub verb: &'a str,
    /// For programs.
    pub code: ErrorCode,
    /// For people: says what to do.
    pub text: Cow<'static, str>,
}

impl<'a> Refusal<'a> {
    /// A refusal of `verb`.
    pub fn new(verb: Verb, code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { verb: verb.name(), code, text: text.into() }
    }

    /// A refusal of a line whose verb is unknown or not to be trusted.
    pub fn of_line(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { verb: "line", code, text: text.into() }
    }

    /// The line that says so.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        Event::Error { verb: self.verb, code: self.code.word(), text: &self.text }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event().fmt(f)
    }
}

impl<'a> Command<'a> {
    /// Reads one line, its end taken off and its text checked. `None` for a blank line, which
    /// means nothing.
    ///
    /// # Errors
    /// The [`Refusal`] with which the server answers.
    pub fn parse(line: &'a str) -> Option<Result<Self, Refusal<'a>>> {
        let (word, rest) = next_word(line)?;
        Some(match Verb::parse(word) {
            Some(verb) => Self::parse_arguments(verb, rest),
            None => Err(unknown(word)),
        })
    }

    /// The verb of this command.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Login { .. } => Verb::Login,
            Self::Recv { .. } => Verb::Recv,
            Self::Watch { .. } => Verb::Watch,
            Self::Leave { .. } => Verb::Leave,
            Self::Send { .. } => Verb::Send,
            Self::Ping { .. } => Verb::Ping,
            Self::Who { .. } => Verb::Who,
            Self::Topics { .. } => Verb::Topics,
            Self::Help { .. } => Verb::Help,
            Self::Logoff => Verb::Logoff,
        }
    }

    fn parse_arguments(verb: Verb, rest: &'a str) -> Result<Self, Refusal<'a>> {
        let usage = || Refusal::new(verb, ErrorCode::Usage, format!("usage: {}", verb.usage()));
        match verb {
            Verb::Login => {
                let (user, password) = next_word(rest).ok_or_else(usage)?;
                Ok(Self::Login {
                    user: name(verb, "user", user)?,
                    password: after_separator(password),
                })
            }
            Verb::Send => {
                let (topic, message) = next_word(rest).ok_or_else(usage)?;
                let message = after_separator(message).ok_or_else(usage)?;
                Ok(Self::Send { topic: Topic::parse(topic).map_err(bad_topic(verb))?, message })
            }
            Verb::Recv | Verb::Watch | Verb::Leave => {
                let (word, rest) = next_word(rest).ok_or_else(usage)?;
                let pattern = Pattern::parse(word).map_err(bad_topic(verb))?;
                let second = next_word(rest);
                match (verb, second) {
                    (Verb::Recv, Some((group, rest))) if next_word(rest).is_none() => {
                        Ok(Self::Recv { pattern, group: Some(name(verb, "group", group)?) })
                    }
                    (_, Some(_)) => Err(usage()),
                    (Verb::Recv, None) => Ok(Self::Recv { pattern, group: None }),
                    (Verb::Watch, None) => Ok(Self::Watch { pattern }),
                    (_, None) => Ok(Self::Leave { pattern }),
                }
            }
            Verb::Ping => Ok(Self::Ping { word: at_most_one(rest).ok_or_else(usage)? }),
            Verb::Who | Verb::Topics => {
                let word = at_most_one(rest).ok_or_else(usage)?;
                let pattern = word.map(Pattern::parse).transpose().map_err(bad_topic(verb))?;
                Ok(match verb {
                    Verb::Who => Self::Who { pattern },
                    _ => Self::Topics { pattern },
                })
            }
            Verb::Help => match at_most_one(rest).ok_or_else(usage)? {
                None => Ok(Self::Help { verb: None }),
                Some(word) => match Verb::parse(word) {
                    Some(known) => Ok(Self::Help { verb: Some(known) }),
                    None => Err(Refusal { verb: verb.name(), ..unknown(word) }),
                },
            },
            Verb::Logoff => match next_word(rest) {
                None => Ok(Self::Logoff),
                Some(_) => Err(usage()),
            },
        }
    }
}

const fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// The next word and what follows it, its separator included.
fn next_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(is_separator);
    if text.is_empty() {
        return None;
    }
    Some(text.split_at(text.find(is_separator).unwrap_or(text.len())))
}

/// The rest of the line after exactly one separator; `None` if there is no separator.
fn after_separator(rest: &str) -> Option<&str> {
    rest.strip_prefix(is_separator)
}

/// One word or none; `None` where there are more.
#[expect(clippy::option_option, reason = "outer: is it right at all; inner: is there a word")]
fn at_most_one(rest: &str) -> Option<Option<&str>> {
    match next_word(rest) {
        None => Some(None),
        Some((word, rest)) => next_word(rest).is_none().then_some(Some(word)),
    }
}

fn name<'a>(verb: Verb, what: &str, name: &'a str) -> Result<&'a str, Refusal<'a>> {
    if is_name(name) {
        return Ok(name);
    }
    let text = format!("a {what} name is 1 to {NAME_BYTES_MAX} letters, digits, _ . or -");
    Err(Refusal::new(verb, ErrorCode::Usage, text))
}

fn bad_topic<'a>(verb: Verb) -> impl Fn(BadTopic) -> Refusal<'a> {
    move |why| Refusal::new(verb, ErrorCode::BadTopic, why.to_string())
}

fn unknown(word: &str) -> Refusal<'_> {
    let echo = if is_name(word) { word } else { "line" };
    let text = match Verb::nearest(word) {
        Some(near) => {
            format!("did you mean `{}`? verbs are lower case; `help` lists them", near.usage())
        }
        None => "`help` lists the verbs".to_owned(),
    };
    Refusal { verb: echo, code: ErrorCode::UnknownVerb, text: text.into() }
}

#[cfg(test)]
mod tests;
