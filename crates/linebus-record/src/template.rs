//! How a record's files are named: a template with the date and time of a file's first line, UTC.
//!
//! A name that is taken gets a number before its extension, as in `bus_002.log`: a recorder never
//! writes to a file of another run, so that a torn line can only be a file's last one.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::time::Time;

/// What a compressed file's name ends with.
pub const COMPRESSED: &str = ".zst";
/// Longest name that a template may make, in bytes: file systems take 255.
const NAME_BYTES_MAX: usize = 200;

/// A template of names, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
    /// How much of the last piece is the extension.
    extension: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Where it stands in a time, and how many digits it has.
    Digits(usize, usize),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadTemplate {
    /// After a `%` stands something else than what is known.
    #[error("after % one of Y, m, d, H, M, S (the date and time, UTC) or another % is wanted")]
    Placeholder,
    /// It is empty, hidden, or has a folder in it.
    #[error("the name of a file is wanted: no / in it, no dot or blank at its beginning")]
    Name,
    /// It ends like a compressed file.
    #[error("a name must not end with {COMPRESSED}: that is added to compressed files")]
    Compressed,
    /// Longer than file systems take.
    #[error("a name has at most {NAME_BYTES_MAX} bytes")]
    TooLong,
}

impl Template {
    /// What holds where nothing else is said.
    pub const DEFAULT: &str = "linebus-%Y%m%dT%H%M%SZ.log";

    /// The name of the `number`th file, counted from 1, whose first line is of `time`.
    #[must_use]
    pub fn name(&self, time: Time, number: u32) -> String {
        let mut name = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Digits(at, len) => name.push_str(&time.as_str()[*at..*at + *len]),
            }
        }
        if number > 1 {
            name.push_str(&format!("_{number:03}"));
        }
        name + &self.extension
    }

    /// Whether a file may be one of this template's, compressed or not.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let name = name.strip_suffix(COMPRESSED).unwrap_or(name);
        let Some(stem) = name.strip_suffix(&self.extension) else { return false };
        let unnumbered = stem.rsplit_once('_').filter(|(_, number)| {
            number.len() >= 3 && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        self.fits_stem(stem) || unnumbered.is_some_and(|(stem, _)| self.fits_stem(stem))
    }

    fn fits_stem(&self, stem: &str) -> bool {
        let mut rest = stem.as_bytes();
        for piece in &self.pieces {
            let after = match piece {
                Piece::Text(text) => rest.strip_prefix(text.as_bytes()),
                Piece::Digits(_, len) => rest
                    .split_at_checked(*len)
                    .filter(|(digits, _)| digits.iter().all(u8::is_ascii_digit))
                    .map(|(_, after)| after),
            };
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::DEFAULT.parse().expect("it is one")
    }
}

impl FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Self, BadTemplate> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            if char != '%' {
                plain.push(char);
                continue;
            }
            let digits = match chars.next() {
                Some('%') => {
                    plain.push('%');
                    continue;
                }
                Some('Y') => Piece::Digits(0, 4),
                Some('m') => Piece::Digits(5, 2),
                Some('d') => Piece::Digits(8, 2),
                Some('H') => Piece::Digits(11, 2),
                Some('M') => Piece::Digits(14, 2),
                Some('S') => Piece::Digits(17, 2),
                _ => return Err(BadTemplate::Placeholder),
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(digits);
        }
        // What is left is the end; its extension is kept apart for the number before it.
        let dot = plain.rfind('.').unwrap_or(plain.len());
        let extension = plain.split_off(dot);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        let template = Self { text: text.to_owned(), pieces, extension };
        template.check()?;
        Ok(template)
    }
}

impl Template {
    fn check(&self) -> Result<(), BadTemplate> {
        let name = self.name(Time::now(), 1);
        if name.is_empty()
            || name.starts_with(['.', ' '])
            || name.contains('/')
            || name.chars().any(char::is_control)
        {
            return Err(BadTemplate::Name);
        }
        if name.ends_with(COMPRESSED) {
            return Err(BadTemplate::Compressed);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(BadTemplate::TooLong);
        }
        Ok(())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        text.parse().expect("it is one")
    }

    #[test]
    fn names_have_the_time_and_numbers_and_are_known_again() {
        let time = Time::parse(b"2026-11-27T13:47:24.000001Z").expect("it is one");
        for (text, first, second) in [
            (Template::DEFAULT, "linebus-20261127T134724Z.log", "linebus-20261127T134724Z_002.log"),
            ("bus.log", "bus.log", "bus_002.log"),
            ("%Y", "2026", "2026_002"),
            ("100%%_%m%d.a.b", "100%_1127.a.b", "100%_1127.a_002.b"),
        ] {
            let template = template(text);
            assert_eq!(template.to_string(), text);
            assert_eq!(template.name(time, 1), first);
            assert_eq!(template.name(time, 2), second);
            for name in [first, second] {
                assert!(template.fits(name) && template.fits(&format!("{name}.zst")), "{name}");
            }
            for name in ["", "other.log", &format!("{first}.1"), &format!("x{first}"), "bus_2.log"]
            {
                assert!(!template.fits(name), "{text}: {name}");
            }
        }
        assert!(template("a_%H%M%S").fits("a_134724"));
    }

    #[test]
    fn what_makes_no_name_is_explained() {
        for (text, expected) in [
            ("", BadTemplate::Name),
            (".hidden", BadTemplate::Name),
            ("a/b", BadTemplate::Name),
            ("a\nb", BadTemplate::Name),
            ("%y.log", BadTemplate::Placeholder),
            ("50%", BadTemplate::Placeholder),
            ("%Y.zst", BadTemplate::Compressed),
            (&"x".repeat(201), BadTemplate::TooLong),
        ] {
            assert_eq!(text.parse::<Template>(), Err(expected), "{text:?}");
        }
    }
}
