//! A fact with what every fact may carry: its number, the life of the sender, the time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::error::{Malformed, TooLong};
use crate::fact::Fact;
use crate::number::{Number, Time};

/// One line of the topic of facts.
///
/// Who finds a gap in `seq`, or another `epoch`, has missed something and wishes
/// `give me everything`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is so.
    pub fact: Fact,
    /// Counts the facts of one epoch.
    pub seq: Option<u64>,
    /// Another one after each start of who says the facts.
    pub epoch: Option<Epoch>,
    /// When it became so.
    pub at: Option<Timestamp>,
}

/// Names one life of who says the facts: any number, in hexadecimal on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or_else(|| format!("{text:?} is not 1 to 16 of 0-9 and a-f"))
    }
}

impl Report {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// [`Malformed`] says what would be right.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let (fact, a) = Fact::parse(line)?;
        let seq = a.key::<Number<_>>("seq")?.map(|number| number.0);
        let at = a.key::<Time>("at")?.map(|time| time.0);
        Ok(Self { fact, seq, epoch: a.key("epoch")?, at })
    }

    /// The line, without its end.
    ///
    /// # Errors
    /// Its texts are too long for a message. [`Fact::parts`] makes several of a long state.
    pub fn to_line(&self) -> Result<String, TooLong> {
        let mut w = self.fact.write();
        w.optional("seq", self.seq.as_ref());
        w.optional("epoch", self.epoch.as_ref());
        w.optional("at", self.at.as_ref());
        w.finish()
    }
}

/// The bare form.
impl From<Fact> for Report {
    fn from(fact: Fact) -> Self {
        Self { fact, seq: None, epoch: None, at: None }
    }
}

impl FromStr for Report {
    type Err = Malformed;

    fn from_str(line: &str) -> Result<Self, Malformed> {
        Self::parse(line)
    }
}
