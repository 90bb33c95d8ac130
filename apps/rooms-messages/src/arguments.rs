//! Takes the words and keys of a line one by one; what is missing, wrong or left over is explained
//! with the verb's usage. Keys that nobody takes are ignored: newer senders may say more.

use std::fmt::Display;
use std::str::FromStr;

use crate::error::Malformed;
use crate::keys::{Key, Keys};
use crate::line::Line;
use crate::text::Text;
use crate::verb::{self, Verb};

pub(crate) struct Arguments<'a> {
    verb: &'static Verb,
    line: Line<'a>,
    /// Which word is next.
    next: usize,
}

impl<'a> Arguments<'a> {
    pub(crate) fn parse(table: &'static [Verb], text: &'a str) -> Result<Self, Malformed> {
        let line = Line::parse(text)?;
        Ok(Self { verb: verb::find(table, line.words[0])?, line, next: 1 })
    }

    pub(crate) fn verb(&self) -> &'static str {
        self.verb.name
    }

    pub(crate) fn usage(&self, problem: impl Display) -> Malformed {
        Malformed::Usage { usage: self.verb.usage, problem: problem.to_string() }
    }

    /// The next word, which must be there.
    pub(crate) fn word<T: FromStr<Err: Display>>(&mut self) -> Result<T, Malformed> {
        self.optional()?.ok_or_else(|| self.usage("a word is missing"))
    }

    /// The next word, if there is one.
    pub(crate) fn optional<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>, Malformed> {
        let Some(word) = self.line.words.get(self.next) else { return Ok(None) };
        self.next += 1;
        word.parse().map(Some).map_err(|error| self.usage(error))
    }

    /// Whether the next word is `word`; then it is taken.
    pub(crate) fn is(&mut self, word: &str) -> bool {
        let is = self.line.words.get(self.next) == Some(&word);
        self.next += usize::from(is);
        is
    }

    /// The value of a key, if it is there.
    pub(crate) fn key<T: FromStr<Err: Display>>(&self, key: &str) -> Result<Option<T>, Malformed> {
        let Some((_, value)) = self.line.pairs.iter().find(|(known, _)| *known == key) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|error| self.usage(format!("{key}=: {error}")))
    }

    /// The value of a key, which must be there.
    pub(crate) fn needed<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T, Malformed> {
        self.key(key)?.ok_or_else(|| self.usage(format!("{key}= is missing")))
    }

    /// All keys but those that every message may carry.
    pub(crate) fn keys(&self) -> Result<Keys, Malformed> {
        let pairs = self.line.pairs.iter();
        let own = pairs.filter_map(|(key, value)| Some((Key::new(key).ok()?, value)));
        let own = own.map(|(key, value)| Ok((key, Text::new(value)?)));
        let own: Vec<_> = own.collect::<Result<_, Malformed>>()?;
        Keys::collect(own).ok_or_else(|| self.usage("a key with its value is missing"))
    }

    /// Nothing may be left over.
    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        match self.line.words.get(self.next) {
            Some(word) => Err(self.usage(format!("the word {word:?} is one too many"))),
            None => Ok(()),
        }
    }
}
