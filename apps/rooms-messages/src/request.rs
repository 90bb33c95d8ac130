//! A wish with what every wish may carry: an id, a name, a time until which it is meant.

use std::str::FromStr;

use jiff::Timestamp;

use crate::error::{Malformed, TooLong};
use crate::line::Line;
use crate::name::Id;
use crate::number::Time;
use crate::text::Text;
use crate::wish::Wish;

/// One line of the topic of wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is wished.
    pub wish: Wish,
    /// What the sender calls it; the answers name it.
    pub id: Option<Id>,
    /// The user or panel that wishes it: as true as the bus's permissions make it.
    pub by: Option<Text>,
    /// It is not to be fulfilled later than this.
    pub expires: Option<Timestamp>,
}

impl Request {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// [`Malformed`] says what would be right.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let (wish, a) = Wish::parse(line)?;
        let expires = a.key::<Time>("expires")?.map(|time| time.0);
        Ok(Self { wish, id: a.key("id")?, by: a.key("by")?, expires })
    }

    /// The id of a line that may be no wish otherwise, so that its refusal can name it.
    #[must_use]
    pub fn id_in(line: &str) -> Option<Id> {
        let line = Line::parse(line).ok()?;
        let (_, id) = line.pairs.iter().find(|(key, _)| *key == "id")?;
        Id::new(id).ok()
    }

    /// The line, without its end.
    ///
    /// # Errors
    /// Its texts are too long for a message.
    pub fn to_line(&self) -> Result<String, TooLong> {
        let mut w = self.wish.write();
        w.optional("id", self.id.as_ref());
        w.optional("by", self.by.as_ref());
        w.optional("expires", self.expires.as_ref());
        w.finish()
    }
}

/// The bare form.
impl From<Wish> for Request {
    fn from(wish: Wish) -> Self {
        Self { wish, id: None, by: None, expires: None }
    }
}

impl FromStr for Request {
    type Err = Malformed;

    fn from_str(line: &str) -> Result<Self, Malformed> {
        Self::parse(line)
    }
}
