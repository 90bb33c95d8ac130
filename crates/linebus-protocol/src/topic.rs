//! Topics and patterns: their grammar, and which pattern matches which topic.
//!
//! The rules are those of NATS subjects, so that topics map to subjects unchanged: tokens joined
//! by `.`, `*` for exactly one token, `>` at the end for one or more. Tokens are narrower than
//! NATS allows: `[A-Za-z0-9_-]`, and `$` only to begin the first one, which makes the topic the
//! bus's own. Matching is a loop, never a recursion.

use std::fmt;

use thiserror::Error;

/// Longest topic or pattern in bytes; a longer one is refused with `bad-topic`.
pub const TOPIC_BYTES_MAX: usize = 200;
/// Most tokens in a topic or pattern; one with more is refused with `bad-topic`.
pub const TOPIC_TOKENS_MAX: usize = 16;

/// Why a word is no topic or no pattern. The text says what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadTopic {
    /// Longer than [`TOPIC_BYTES_MAX`].
    #[error("a topic has at most {TOPIC_BYTES_MAX} bytes")]
    TooLong,
    /// More than [`TOPIC_TOKENS_MAX`] tokens.
    #[error("a topic has at most {TOPIC_TOKENS_MAX} tokens between its dots")]
    TooManyTokens,
    /// Two dots in a row, or one at an end, or nothing at all.
    #[error("a topic has no empty tokens: no dot at either end and no two in a row")]
    EmptyToken,
    /// A character outside `[A-Za-z0-9_-]`.
    #[error("a topic is made of letters, digits, _ and -, in tokens joined by dots")]
    Character,
    /// `>` elsewhere than alone as the last token, or `*` beside other characters.
    #[error("* stands for one whole token, > for all that follow and only at the end")]
    Wildcard,
    /// A wildcard where a plain topic is wanted.
    #[error("no wildcards here: name one topic")]
    NotOneTopic,
}

/// The name of one topic, without wildcards, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic<'a>(&'a str);

/// What `recv`, `watch` and `leave` take: a topic, perhaps with wildcards, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern<'a>(&'a str);

impl<'a> Topic<'a> {
    /// Checks `word`.
    ///
    /// # Errors
    /// [`BadTopic`] says which rule it breaks.
    pub fn parse(word: &'a str) -> Result<Self, BadTopic> {
        if check(word.as_bytes())? {
            return Err(BadTopic::NotOneTopic);
        }
        Ok(Self(word))
    }

    /// Checks bytes that need not be UTF-8: a topic is plain ASCII, so that the check itself
    /// proves it. This is what the path of `send` uses, which looks at bytes only.
    ///
    /// # Errors
    /// As [`Topic::parse`].
    pub fn parse_bytes(word: &'a [u8]) -> Result<Self, BadTopic> {
        if check(word)? {
            return Err(BadTopic::NotOneTopic);
        }
        Ok(Self(str::from_utf8(word).map_err(|_| BadTopic::Character)?))
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether it is one of the bus's own topics, to which nobody may send.
    #[must_use]
    pub fn is_system(self) -> bool {
        self.0.starts_with('$')
    }
}

impl<'a> Pattern<'a> {
    /// Checks `word`.
    ///
    /// # Errors
    /// [`BadTopic`] says which rule it breaks.
    pub fn parse(word: &'a str) -> Result<Self, BadTopic> {
        check(word.as_bytes())?;
        Ok(Self(word))
    }

    /// The pattern as written.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The topic this pattern names, if it has no wildcard.
    #[must_use]
    pub fn as_topic(self) -> Option<Topic<'a>> {
        (!self.0.contains(['*', '>'])).then_some(Topic(self.0))
    }

    /// Whether it asks for the bus's own topics.
    #[must_use]
    pub fn is_system(self) -> bool {
        self.0.starts_with('$')
    }

    /// Whether a line sent to `topic` is one that this pattern asks for.
    #[must_use]
    pub fn matches(self, topic: Topic<'_>) -> bool {
        self.covers(topic.0)
    }

    /// Whether this pattern's tokens fit those of `other`, which may be a pattern itself whose
    /// wildcards then count as ordinary tokens: `rooms.>` covers `rooms.*`.
    #[must_use]
    pub fn covers(self, other: &str) -> bool {
        if other.starts_with('$') && self.0.starts_with(['*', '>']) {
            return false;
        }
        let mut tokens = other.split('.');
        for wanted in self.0.split('.') {
            match (wanted, tokens.next()) {
                (">", Some(_)) => return true,
                ("*", Some(token)) if token != ">" => {}
                (wanted, Some(token)) if wanted == token => {}
                _ => return false,
            }
        }
        tokens.next().is_none()
    }
}

impl<'a> From<Topic<'a>> for Pattern<'a> {
    fn from(topic: Topic<'a>) -> Self {
        Self(topic.0)
    }
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// Checks the grammar; says whether there is a wildcard.
fn check(word: &[u8]) -> Result<bool, BadTopic> {
    if word.len() > TOPIC_BYTES_MAX {
        return Err(BadTopic::TooLong);
    }
    let named = word.strip_prefix(b"$").unwrap_or(word);
    let mut wildcard = false;
    let mut tokens = 0;
    let mut ended = false;
    for token in named.split(|&b| b == b'.') {
        tokens += 1;
        if ended {
            return Err(BadTopic::Wildcard);
        }
        match token {
            b"" => return Err(BadTopic::EmptyToken),
            b"*" | b">" if named.len() < word.len() && tokens == 1 => {
                return Err(BadTopic::Wildcard);
            }
            b"*" => wildcard = true,
            b">" => (wildcard, ended) = (true, true),
            _ => check_token(token)?,
        }
    }
    if tokens > TOPIC_TOKENS_MAX {
        return Err(BadTopic::TooManyTokens);
    }
    Ok(wildcard)
}

fn check_token(token: &[u8]) -> Result<(), BadTopic> {
    for &byte in token {
        match byte {
            b'*' | b'>' => return Err(BadTopic::Wildcard),
            b'_' | b'-' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return Err(BadTopic::Character),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
