//! Calls of codecs, in words that all makes share.

use std::fmt;

/// What a codec says of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFact {
    /// These are all its calls; any other that was known is over.
    All(Vec<Call>),
    /// This call is now as it says.
    Is(Call),
    /// This call is over.
    Ended {
        /// Its name.
        id: String,
        /// Why, as far as the codec says.
        reason: EndReason,
    },
}

impl fmt::Display for CallFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallFact::All(calls) if calls.is_empty() => f.write_str("all: none"),
            CallFact::All(calls) => {
                let calls: Vec<_> = calls.iter().map(ToString::to_string).collect();
                write!(f, "all: {}", calls.join("; "))
            }
            CallFact::Is(call) => call.fmt(f),
            CallFact::Ended { id, reason } => write!(f, "{id} ended {}", reason.word()),
        }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The codec's name of it, unique while the call lasts.
    pub id: String,
    /// How far it is.
    pub state: CallState,
    /// Who began it.
    pub direction: Direction,
    /// The far side's number or address, empty while unknown.
    pub far: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.id, self.direction.word(), self.state.word())?;
        if self.far.is_empty() { Ok(()) } else { write!(f, " {}", self.far) }
    }
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// It is being set up; neither side has answered.
    Dialing,
    /// It rings: at the far side if it is outgoing, here if it is incoming.
    Ringing,
    /// Both sides are in it.
    Connected,
    /// It is ending.
    Ending,
}

impl CallState {
    /// As a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            CallState::Dialing => "dialing",
            CallState::Ringing => "ringing",
            CallState::Connected => "connected",
            CallState::Ending => "ending",
        }
    }
}

/// Who began a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This codec.
    Outgoing,
    /// The far side.
    Incoming,
}

impl Direction {
    /// As a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Direction::Outgoing => "outgoing",
            Direction::Incoming => "incoming",
        }
    }
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// One of the sides hung up.
    Normal,
    /// The far side is in another call.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// The far side declined.
    Rejected,
    /// Nobody has this number, or no way leads there.
    Unreachable,
    /// The network lost it; trying again may help.
    Network,
    /// The codec says nothing of use.
    Unknown,
}

impl EndReason {
    /// As a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            EndReason::Normal => "normal",
            EndReason::Busy => "busy",
            EndReason::NoAnswer => "no-answer",
            EndReason::Rejected => "rejected",
            EndReason::Unreachable => "unreachable",
            EndReason::Network => "network",
            EndReason::Unknown => "unknown",
        }
    }
}

/// What can be dialled: an optional `sip:` or `h323:`, then an address or number. It is put into
/// the codecs' command lines, so it holds nothing that could end a word or a line there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DialString(String);

impl DialString {
    /// The longest that can be dialled, in bytes.
    pub const BYTES_MAX: usize = 200;

    /// Reads what is to be dialled.
    ///
    /// # Errors
    ///
    /// Says what such a string looks like.
    pub fn parse(text: &str) -> Result<DialString, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.:+_-*#=~/[]".contains(&byte);
        let dial = DialString(text.to_owned());
        if dial.address().is_empty() || !text.bytes().all(plain) || text.len() > Self::BYTES_MAX {
            return Err(format!(
                "{text:?} cannot be dialled: write sip:name@host, h323:name, or a number, \
                 at most {} characters, without spaces and quotes",
                Self::BYTES_MAX
            ));
        }
        Ok(dial)
    }

    /// `sip` or `h323`, if it says so.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.0.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme))
    }

    /// What follows the scheme.
    #[must_use]
    pub fn address(&self) -> &str {
        match self.0.split_once(':') {
            Some((scheme, address)) if is_scheme(scheme) => address,
            _ => &self.0,
        }
    }
}

impl fmt::Display for DialString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_scheme(word: &str) -> bool {
    matches!(word, "sip" | "h323")
}
