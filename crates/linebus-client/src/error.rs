//! What can go wrong: [`Error`] for a call, [`Lost`] for a connection, [`Refused`] for a line.

use std::fmt;
use std::io;
use std::time::Duration;

use linebus_protocol::{BadTopic, ByeReason, ErrorCode, NAME_BYTES_MAX};
use thiserror::Error;

use crate::tls;
use crate::url::UrlError;

/// Why a call failed. What it asked for has not happened, except where a variant says that it
/// can't know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// No connection came about.
    #[error("can't connect to {address}: {text}")]
    Connect {
        /// Where to.
        address: String,
        /// What the system says.
        kind: io::ErrorKind,
        /// The same for people.
        text: String,
    },
    /// No connection came about, or no hello and login, within the time set for it.
    #[error("{address} did not answer within {after:?}")]
    ConnectTimeout {
        /// Where to.
        address: String,
        /// The time set for it.
        after: Duration,
    },
    /// Something answered that is no bus.
    #[error("{address} is no bus: it said `{line}` instead of hello")]
    NotABus {
        /// Where.
        address: String,
        /// Its first line, shortened.
        line: String,
    },
    /// Not sent: this is no topic, or no pattern.
    #[error("`{word}` is no topic: {why}")]
    BadTopic {
        /// What was given.
        word: String,
        /// The rule that it breaks.
        why: BadTopic,
    },
    /// Not sent: topics that begin with `$` are the bus's own.
    #[error("nobody but the bus itself sends to `{topic}`")]
    SystemTopic {
        /// What was given.
        topic: String,
    },
    /// Not sent: this is no name of a group.
    #[error("`{name}` is no group: a name is 1 to {NAME_BYTES_MAX} letters, digits, _ . or -")]
    BadGroup {
        /// What was given.
        name: String,
    },
    /// Not sent: the text holds a newline or another control character.
    #[error(
        "a message is one line of text without control characters; send several lines as several messages"
    )]
    BadText,
    /// Not sent: the line would be longer than the bus accepts.
    #[error("the line would have {bytes} bytes, and this bus accepts {bytes_max}")]
    TooLong {
        /// How long it would be, verb and topic and line end included.
        bytes: usize,
        /// What the bus accepts.
        bytes_max: usize,
    },
    /// The bus refused the command.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The bus did not answer in time; whether it carried the command out is unknown.
    ///
    /// The usual cause is in this program: answers come on the same connection as messages, in
    /// order, so while the program leaves [`Events`](crate::Events) unread until the queue is
    /// full, the answer can't arrive. `unread` tells.
    #[error("no answer to {verb} within {after:?}, while {unread} events wait to be read")]
    AnswerTimeout {
        /// The command.
        verb: &'static str,
        /// The time set for it.
        after: Duration,
        /// How many events the program has not read.
        unread: usize,
    },
    /// Nobody said `done` on the reply topic in time.
    #[error("the answers were not complete within {after:?}")]
    AskTimeout {
        /// The time set for it.
        after: Duration,
    },
    /// More lines came as one answer than a client holds in memory.
    #[error("the answer is longer than {bytes_max} bytes; ask for less")]
    AnswerTooLong {
        /// What a client holds.
        bytes_max: usize,
    },
    /// There is no connection at the moment, or it broke before the answer came. A command that
    /// was under way may have been carried out; nothing is ever sent again.
    #[error("not connected: {0}")]
    Disconnected(Lost),
    /// The connection is gone and there will be no other.
    #[error("the connection is closed: {0}")]
    Closed(Lost),
    /// The system gave no random bytes for a reply topic, or no thread.
    #[error("the system failed: {0}")]
    System(String),
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Lost {
    /// The bus said why.
    #[error("the bus said goodbye ({reason}): {text}")]
    Bye {
        /// One word, a [`ByeReason`]; see [`Lost::bye_reason`].
        reason: String,
        /// For people.
        text: String,
    },
    /// It ended without a word.
    #[error("the connection ended without a word")]
    End,
    /// The system reported an error.
    #[error("{text}")]
    Io {
        /// Which.
        kind: io::ErrorKind,
        /// The same for people.
        text: String,
    },
    /// Nothing came for so long, not even the answer to a ping.
    #[error("nothing came for {after:?}, not even the answer to a ping")]
    Silent {
        /// How long.
        after: Duration,
    },
    /// The bus sent what this version can't understand.
    #[error("the bus sent what is not the protocol: {0}")]
    Garbage(String),
    /// The bus took the connection, but not the login.
    #[error(transparent)]
    Login(Refused),
    /// This program let go of it.
    #[error("this program closed it")]
    Dropped,
}

/// A line that the bus did not accept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the bus refused {verb} ({code}): {text}")]
pub struct Refused {
    /// The command's verb, or `line`.
    pub verb: String,
    /// One word, for programs; see [`Refused::error_code`].
    pub code: String,
    /// What to do about it, for people.
    pub text: String,
}

impl Refused {
    /// The code, if this version knows it.
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        ErrorCode::parse(&self.code)
    }
}

impl Lost {
    /// The word of `bye`, if there was one and this version knows it.
    #[must_use]
    pub fn bye_reason(&self) -> Option<ByeReason> {
        match self {
            Self::Bye { reason, .. } => ByeReason::parse(reason),
            _ => None,
        }
    }

    /// Whether another try would end the same way, or was not wanted.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Bye { .. } => matches!(
                self.bye_reason(),
                Some(
                    ByeReason::Logoff
                        | ByeReason::Kicked
                        | ByeReason::LoginTimeout
                        | ByeReason::Abuse
                        | ByeReason::NotLines
                )
            ),
            Self::Login(refused) => {
                !matches!(refused.error_code(), None | Some(ErrorCode::Busy | ErrorCode::TooMany))
            }
            Self::Dropped => true,
            Self::End | Self::Io { .. } | Self::Silent { .. } | Self::Garbage(_) => false,
        }
    }
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // TLS without close_notify, which is how a bus that was killed ends.
            io::ErrorKind::UnexpectedEof => Self::End,
            kind => Self::Io { kind, text: describe(&error) },
        }
    }
}

/// What TLS needs, or the system's words without its number: `Connection refused`.
pub(crate) fn describe(error: &io::Error) -> String {
    if let Some(text) = tls::explain(error) {
        return text;
    }
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// The beginning of what a stranger said, fit to be printed.
pub(crate) struct Excerpt<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(60)];
        write!(f, "{}", shown.trim_ascii_end().escape_ascii())?;
        if shown.len() < self.0.len() {
            f.write_str("…")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_ends_are_final_and_some_are_worth_another_try() {
        let bye = |reason: &str| Lost::Bye { reason: reason.into(), text: String::new() };
        for reason in ["logoff", "kicked", "abuse", "login-timeout", "not-lines"] {
            assert!(bye(reason).is_final(), "{reason}");
        }
        for reason in ["shutdown", "slow", "memory", "busy", "error", "of-later"] {
            assert!(!bye(reason).is_final(), "{reason}");
        }
        let login = |code: &str| {
            Lost::Login(Refused { verb: "login".into(), code: code.into(), text: String::new() })
        };
        assert!(login("wrong-login").is_final() && login("denied").is_final());
        assert!(!login("busy").is_final() && !Lost::End.is_final());
    }

    #[test]
    fn what_strangers_say_is_shortened_and_escaped() {
        assert_eq!(Excerpt(b"\x1b[2J\r\n").to_string(), r"\x1b[2J");
        assert_eq!(Excerpt(&[b'x'; 61]).to_string(), "x".repeat(60) + "…");
    }
}
