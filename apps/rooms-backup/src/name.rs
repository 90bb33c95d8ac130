//! Names: of who owns data sets, and of a data set among those of one owner.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// Longest name of an owner.
pub const OWNER_BYTES_MAX: usize = 40;
/// Longest name of a data set, as it is, not as it is written in a line.
pub const NAME_BYTES_MAX: usize = 200;

/// What would end a word in a line.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadName {
    /// No name of an owner.
    #[error(
        "{0:?} is no owner: 1 to {OWNER_BYTES_MAX} of a-z, 0-9, -, . and + are wanted, a letter or digit first"
    )]
    Owner(String),
    /// No name of a data set.
    #[error(
        "{0:?} is no name of a data set: a path such as drivers/benq.toml is wanted, at most {NAME_BYTES_MAX} bytes, not absolute, without `.`, `..` and control characters"
    )]
    DataSet(String),
}

/// Who owns data sets, such as `rooms`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerName(Box<str>);

impl OwnerName {
    /// The name, as it stands in a line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OwnerName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let begins = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let good = |byte| begins(byte) || matches!(byte, b'-' | b'.' | b'+');
        let is_owner = text.len() <= OWNER_BYTES_MAX
            && text.bytes().next().is_some_and(begins)
            && text.bytes().all(good);
        if is_owner { Ok(Self(text.into())) } else { Err(BadName::Owner(text.to_owned())) }
    }
}

impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for OwnerName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A data set of an owner: a relative path that no file system misunderstands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataSetName(Box<str>);

impl DataSetName {
    /// Checks `text`, which is the name as it is.
    ///
    /// # Errors
    /// [`BadName::DataSet`].
    pub fn new(text: &str) -> Result<Self, BadName> {
        let good = |segment: &str| !matches!(segment, "" | "." | "..");
        if text.len() <= NAME_BYTES_MAX
            && text.split('/').all(good)
            && !text.contains(char::is_control)
        {
            Ok(Self(text.into()))
        } else {
            Err(BadName::DataSet(text.to_owned()))
        }
    }

    /// Reads it from a line, where it is one word: `%20` is a blank, and so on.
    ///
    /// # Errors
    /// [`BadName::DataSet`].
    pub fn from_word(word: &str) -> Result<Self, BadName> {
        let text = percent_decode_str(word).decode_utf8();
        Self::new(&text.map_err(|_| BadName::DataSet(word.to_owned()))?)
    }

    /// As it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The word of a line.
impl fmt::Display for DataSetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        utf8_percent_encode(&self.0, ESCAPED).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_word() {
        for good in ["rooms", "7", "rooms-devices.vienna+1", &"a".repeat(40)] {
            assert_eq!(
                good.parse::<OwnerName>().map(|owner| owner.to_string()).as_deref(),
                Ok(good)
            );
        }
        for bad in ["", "Rooms", "-a", "a b", "ä", &"a".repeat(41)] {
            assert_eq!(bad.parse::<OwnerName>(), Err(BadName::Owner(bad.to_owned())));
        }
    }

    #[test]
    fn a_name_is_one_word_of_a_line_whatever_is_in_it() {
        for (name, word) in [
            ("room-a.toml", "room-a.toml"),
            ("drivers/benq.toml", "drivers/benq.toml"),
            ("Saal 2 (100 %).toml", "Saal%202%20(100%20%25).toml"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("...", "..."),
        ] {
            let read = DataSetName::new(name).expect("a name");
            assert_eq!(read.to_string(), word);
            assert_eq!(DataSetName::from_word(word), Ok(read));
        }
    }

    #[test]
    fn no_name_leads_out_of_a_folder() {
        let long = "a".repeat(201);
        for bad in ["", "/etc/passwd", "a/../../b", "..", "./a", "a//b", "a/", "a\0", "a\nb", &long]
        {
            assert_eq!(DataSetName::new(bad), Err(BadName::DataSet(bad.to_owned())));
        }
        assert!(DataSetName::new(&"a".repeat(200)).is_ok());
        for bad in ["%2e%2e", "a%2f..", "%00", "%ff", "%2fetc"] {
            assert!(DataSetName::from_word(bad).is_err(), "{bad}");
        }
    }
}
