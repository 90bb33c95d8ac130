//! Names that were checked once: words, rooms, devices, ids of wishes.

use std::fmt;
use std::str::FromStr;

use crate::error::BadName;
use crate::line::check_word;

/// Longest id of a wish.
pub const ID_CHARACTERS_MAX: usize = 16;

/// A type around a checked text: how it is read, shown and compared is the same for all.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// As it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }
    };
}
pub(crate) use name;

name! {
    /// Any word: 1 to 40 of `a-z`, `0-9`, `-`, `.` and `+`.
    Word
}
name! {
    /// The name of a room, as in `connect room-a room-b`: a word that begins with a letter or digit.
    RoomName
}
name! {
    /// The name of a device in its room: what it is for, such as `projector`. A second one of the
    /// same role has a name of its own, such as `projector-left`.
    DeviceName
}
name! {
    /// What a sender calls a wish, to know its answers: 1 to 16 characters of its choice.
    Id
}

impl Word {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is no word.
    pub fn new(text: &str) -> Result<Self, BadName> {
        check_word(text)?;
        Ok(Self(text.into()))
    }
}

impl RoomName {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is no word, begins with a sign, or is `everything`, which `give me` takes for all rooms.
    pub fn new(text: &str) -> Result<Self, BadName> {
        Ok(Self(checked(text)?.into()))
    }
}

impl DeviceName {
    /// Checks `text`. `doccam` is what people in a hurry write for `document-camera`.
    ///
    /// # Errors
    /// It is no word, or begins with a sign.
    pub fn new(text: &str) -> Result<Self, BadName> {
        let text = if text == "doccam" { "document-camera" } else { text };
        Ok(Self(checked(text)?.into()))
    }
}

fn checked(text: &str) -> Result<&str, BadName> {
    check_word(text)?;
    if text.starts_with(['-', '.', '+']) || text == "everything" {
        return Err(BadName::Taken(text.to_owned()));
    }
    Ok(text)
}

impl Id {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is empty, too long, or has blanks, quotes or control characters in it.
    pub fn new(text: &str) -> Result<Self, BadName> {
        let refused = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\');
        if text.is_empty() || text.chars().count() > ID_CHARACTERS_MAX || text.contains(refused) {
            return Err(BadName::Id(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_1_to_40_of_its_characters() {
        let longest = "x".repeat(40);
        for good in ["a", "room-a", "+5", "-5", "1.5", &longest] {
            assert_eq!(Word::new(good).expect("it is one").as_str(), good);
        }
        for bad in ["", "A", "a b", "a_b", "zürich", "a=b", "a\"", &"x".repeat(41)] {
            assert_eq!(Word::new(bad), Err(BadName::Word(bad.to_owned())));
        }
    }

    #[test]
    fn rooms_and_devices_begin_with_a_letter_or_digit_and_are_not_everything() {
        for good in ["room1", "1st", "room-a", &"x".repeat(40)] {
            assert_eq!(RoomName::new(good).expect("it is one").as_str(), good);
            assert_eq!(DeviceName::new(good).expect("it is one").as_str(), good);
        }
        for bad in ["-a", "+5", ".a", "everything"] {
            assert_eq!(RoomName::new(bad), Err(BadName::Taken(bad.to_owned())));
            assert_eq!(DeviceName::new(bad), Err(BadName::Taken(bad.to_owned())));
        }
        assert!(RoomName::new(&"x".repeat(41)).is_err());
        assert!(DeviceName::new("").is_err());
    }

    #[test]
    fn a_doccam_is_a_document_camera() {
        assert_eq!(DeviceName::new("doccam").expect("it is one").as_str(), "document-camera");
    }

    #[test]
    fn an_id_has_1_to_16_characters_of_the_senders_choice() {
        let longest = "ü".repeat(16);
        for good in ["7", "p7", "Panel_1/93", &longest] {
            assert_eq!(Id::new(good).expect("it is one").as_str(), good);
        }
        for bad in ["", "a b", "a\"b", "a\\b", "a\nb", &"ü".repeat(17)] {
            assert_eq!(Id::new(bad), Err(BadName::Id(bad.to_owned())));
        }
    }
}
