//! The grammar of a line, whatever its verb: words, then keys with values.
//!
//! ```text
//! line  = word *( SP word ) *( SP word "=" value )
//! value = 1*( any but SP " \ ) | DQUOTE *( any but " \ | \\ | \" | \n ) DQUOTE
//! ```
//! Several blanks count as one, so that people may type. Everything here borrows from the line.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use crate::error::{BadName, Malformed, TooLong};

/// Longest message in bytes, without the line's end. The bus would take more; a screen would not.
pub const LINE_BYTES_MAX: usize = 1024;
/// Longest word or key.
pub const WORD_BYTES_MAX: usize = 40;

/// One line, taken apart.
pub(crate) struct Line<'a> {
    /// The verb is the first.
    pub(crate) words: Vec<&'a str>,
    /// In the order of the line, none twice.
    pub(crate) pairs: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Line<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > LINE_BYTES_MAX {
            return Err(TooLong { bytes: text.len() }.into());
        }
        if text.contains(char::is_control) {
            return Err(Malformed::Control);
        }
        let mut line = Self { words: Vec::new(), pairs: Vec::new() };
        let mut rest = text.trim_start_matches(' ');
        while !rest.is_empty() {
            let end = rest.find([' ', '=']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            check_word(name)?;
            rest = match after.strip_prefix('=') {
                Some(after) => {
                    let (value, after) = value(name, after)?;
                    if line.pairs.iter().any(|(key, _)| *key == name) {
                        return Err(Malformed::Grammar(format!("{name}= stands there twice")));
                    }
                    line.pairs.push((name, value));
                    after
                }
                None if !line.pairs.is_empty() => {
                    return Err(Malformed::Grammar(format!(
                        "the word {name:?} stands after a key: words first, then key=value; a value with blanks is written in \"quotes\""
                    )));
                }
                None => {
                    line.words.push(name);
                    after
                }
            };
            rest = rest.trim_start_matches(' ');
        }
        if line.words.is_empty() {
            return Err(match line.pairs.first() {
                Some((key, _)) => Malformed::Grammar(format!("a verb is wanted before {key}=")),
                None => Malformed::Empty,
            });
        }
        Ok(line)
    }
}

/// Whether `word` is one.
pub(crate) fn check_word(word: &str) -> Result<(), BadName> {
    let good = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'+')
    };
    if (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(good) {
        Ok(())
    } else {
        Err(BadName::Word(word.to_owned()))
    }
}

/// The value that `text` begins with, and what follows it.
fn value<'a>(key: &str, text: &'a str) -> Result<(Cow<'a, str>, &'a str), Malformed> {
    let grammar = |problem: &str| Malformed::Grammar(format!("{key}=: {problem}"));
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
        return match token {
            "" => Err(grammar("an empty value is written \"\"")),
            _ if is_token(token) => Ok((Cow::Borrowed(token), rest)),
            _ => Err(grammar("a value with \" or \\ in it is written in quotes, as \\\" and \\\\")),
        };
    };
    let mut plain = String::new();
    let mut at = 0;
    loop {
        let stop = quoted[at..].find(['"', '\\']).map(|found| at + found);
        let stop = stop.ok_or_else(|| grammar("the closing \" is missing"))?;
        plain.push_str(&quoted[at..stop]);
        if quoted.as_bytes()[stop] == b'"' {
            let rest = &quoted[stop + 1..];
            return if rest.is_empty() || rest.starts_with(' ') {
                Ok((Cow::Owned(plain), rest))
            } else {
                Err(grammar("a blank is wanted after the closing \""))
            };
        }
        plain.push(match quoted.as_bytes().get(stop + 1) {
            Some(b'n') => '\n',
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            _ => return Err(grammar("after \\ one of n, \" and \\ is wanted")),
        });
        at = stop + 2;
    }
}

/// Whether a value may stand without quotes.
fn is_token(value: &str) -> bool {
    !value.is_empty() && !value.contains([' ', '"', '\\', '\n'])
}

/// Writes one line.
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn new(verb: &str) -> Self {
        Self(verb.to_owned())
    }

    pub(crate) fn word(&mut self, word: impl Display) -> &mut Self {
        write!(self.0, " {word}").expect("a string takes all");
        self
    }

    pub(crate) fn pair(&mut self, key: impl Display, value: impl Display) -> &mut Self {
        let value = value.to_string();
        write!(self.0, " {key}=").expect("a string takes all");
        if is_token(&value) {
            self.0.push_str(&value);
        } else {
            self.0.push('"');
            for character in value.chars() {
                match character {
                    '\n' => self.0.push_str("\\n"),
                    '"' | '\\' => self.0.extend(['\\', character]),
                    _ => self.0.push(character),
                }
            }
            self.0.push('"');
        }
        self
    }

    /// The pair, if there is a value.
    pub(crate) fn optional(&mut self, key: &str, value: Option<&impl Display>) -> &mut Self {
        match value {
            Some(value) => self.pair(key, value),
            None => self,
        }
    }

    /// How long it is now.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn finish(self) -> Result<String, TooLong> {
        let bytes = self.0.len();
        if bytes > LINE_BYTES_MAX { Err(TooLong { bytes }) } else { Ok(self.0) }
    }
}

#[cfg(test)]
mod tests;
