//! Free text of a value: what people and devices say.

use std::fmt;
use std::str::FromStr;

use crate::error::BadName;

/// A text without control characters, except that it may have several lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Box<str>);

impl Text {
    /// What [`Text::clean`] keeps at most: with it a message's other words still find room.
    pub const CLEAN_BYTES_MAX: usize = 300;

    /// Checks `text`.
    ///
    /// # Errors
    /// It has control characters other than `\n` in it.
    pub fn new(text: &str) -> Result<Self, BadName> {
        if text.contains(|c: char| c.is_control() && c != '\n') {
            return Err(BadName::Text);
        }
        Ok(Self(text.into()))
    }

    /// What can be kept of any text, such as one that a device sent: control characters become
    /// blanks, and what is too long for a message ends in `…`.
    #[must_use]
    pub fn clean(text: &str) -> Self {
        let mut clean: String =
            text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        if clean.len() > Self::CLEAN_BYTES_MAX {
            clean.truncate(clean.floor_char_boundary(Self::CLEAN_BYTES_MAX - "…".len()));
            clean.push('…');
        }
        Self(clean.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Text {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_no_control_characters_but_a_lines_end() {
        assert_eq!(Text::new("no sound\nat all").expect("it is one").as_str(), "no sound\nat all");
        for bad in ["a\tb", "a\rb", "\u{1b}[2J", "\u{85}", "\0"] {
            assert_eq!(Text::new(bad), Err(BadName::Text));
        }
    }

    #[test]
    fn of_any_text_what_can_be_kept_is_kept() {
        assert_eq!(Text::clean("\u{1b}[2J\tab").as_str(), " [2J ab");
        assert_eq!(Text::clean(&"x".repeat(300)).as_str(), "x".repeat(300));
        assert_eq!(Text::clean(&"x".repeat(301)).as_str(), format!("{}…", "x".repeat(297)));
        assert_eq!(Text::clean(&"ü".repeat(200)).as_str(), format!("{}…", "ü".repeat(148)));
    }
}
