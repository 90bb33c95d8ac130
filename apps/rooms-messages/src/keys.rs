//! Keys of a device with their values, as in `power=warming ready-in=22`. Which keys a kind of
//! device has is the drivers' business.

use std::fmt;
use std::str::FromStr;

use crate::error::BadName;
use crate::line::check_word;
use crate::name::name;
use crate::text::Text;

/// Keys that every message may carry; a device's state can't have them.
const RESERVED: [&str; 6] = ["id", "by", "expires", "seq", "epoch", "at"];

name! {
    /// A key of a device's state, such as `power` or `wanted.power`.
    Key
}

impl Key {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is no word, or one of the keys that every message may carry.
    pub fn new(text: &str) -> Result<Self, BadName> {
        check_word(text)?;
        if RESERVED.contains(&text) {
            return Err(BadName::Reserved(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

/// At least one key with its value, each key once, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Keys(Vec<(Key, Text)>);

impl Keys {
    /// The first.
    #[must_use]
    pub fn of(key: Key, value: Text) -> Self {
        Self(vec![(key, value)])
    }

    /// Several; none if there is none. Of a key that comes twice the last value holds.
    #[must_use]
    pub fn collect(pairs: impl IntoIterator<Item = (Key, Text)>) -> Option<Self> {
        let mut pairs = pairs.into_iter();
        let (key, value) = pairs.next()?;
        let mut keys = Self::of(key, value);
        for (key, value) in pairs {
            keys.set(key, value);
        }
        Some(keys)
    }

    /// One more, or another value for one that is there.
    pub fn set(&mut self, key: Key, value: Text) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.as_str() == key).map(|(_, value)| value.as_str())
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Text)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl IntoIterator for Keys {
    type Item = (Key, Text);
    type IntoIter = std::vec::IntoIter<(Key, Text)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> (Key, Text) {
        (Key::new(key).expect("a key"), Text::new(value).expect("a text"))
    }

    #[test]
    fn the_last_value_of_a_key_holds_where_the_first_stood() {
        let pairs = [pair("power", "off"), pair("input", "hdmi1"), pair("power", "on")];
        let keys = Keys::collect(pairs).expect("there are some");
        assert_eq!(keys.get("power"), Some("on"));
        assert_eq!(keys.get("lamp-hours"), None);
        assert_eq!(
            keys.into_iter().collect::<Vec<_>>(),
            [pair("power", "on"), pair("input", "hdmi1")]
        );
        assert_eq!(Keys::collect([]), None);
    }

    #[test]
    fn a_key_of_every_message_is_none_of_a_device() {
        for reserved in RESERVED {
            assert_eq!(Key::new(reserved), Err(BadName::Reserved(reserved.to_owned())));
        }
        assert!(Key::new("wanted.power").is_ok());
        assert!(Key::new(&"x".repeat(41)).is_err());
    }
}
