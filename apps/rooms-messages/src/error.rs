//! What is wrong with a line or a name. Every text says what would be right.

use thiserror::Error;

use crate::line::{LINE_BYTES_MAX, WORD_BYTES_MAX};
use crate::name::ID_CHARACTERS_MAX;

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Nothing but blanks.
    #[error("an empty line is no message")]
    Empty,
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("{0}")]
    TooLong(#[from] TooLong),
    /// It holds a control character, TAB included.
    #[error("a message has no control characters; a line's end within a value is written \\n")]
    Control,
    /// A word or key is none.
    #[error("{0}")]
    Name(#[from] BadName),
    /// Blanks, quotes, `=`: where a word or value begins and ends.
    #[error("{0}")]
    Grammar(String),
    /// The first word is no verb here.
    #[error("there is no verb {verb:?}; {remedy}")]
    UnknownVerb {
        /// As it was written.
        verb: String,
        /// The nearest verb, or where to find them.
        remedy: String,
    },
    /// The words after the verb are not what it takes.
    #[error("usage: {usage}; {problem}")]
    Usage {
        /// What it takes.
        usage: &'static str,
        /// What is wrong.
        problem: String,
    },
}

/// A message that does not fit into one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a message has at most {LINE_BYTES_MAX} bytes, this one has {bytes}: shorten its text")]
pub struct TooLong {
    /// How many it would have.
    pub bytes: usize,
}

/// Why a word, name, id or text is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadName {
    /// Not 1 to 40 of the characters that words are made of.
    #[error("{0:?} is no word: 1 to {WORD_BYTES_MAX} of a-z, 0-9, -, . and + are wanted")]
    Word(String),
    /// Begins with a sign, or is taken.
    #[error(
        "{0:?} can't be a name: a name begins with a letter or digit, and `everything` means all rooms"
    )]
    Taken(String),
    /// Empty, too long, or with blanks or quotes in it.
    #[error(
        "{0:?} is no id: 1 to {ID_CHARACTERS_MAX} characters without blanks and quotes are wanted"
    )]
    Id(String),
    /// One of the keys that every message may carry.
    #[error("{0:?} is no key of a device: every message may carry it, with its own meaning")]
    Reserved(String),
    /// The name of a view with `,`, `=` or a control character.
    #[error("{0:?} can't be the name of a view: it has no comma, no = and no control character")]
    Preset(String),
    /// A text with control characters other than a line's end.
    #[error("a text has no control characters but a line's end")]
    Text,
}
