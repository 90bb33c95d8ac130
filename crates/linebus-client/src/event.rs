//! What a program hears: [`Event`], and the [`Message`] that most of them are.

use std::time::Duration;

use linebus_protocol as protocol;

use crate::error::{Lost, Refused};

/// Something that happened on the connection, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message on a topic that was joined.
    Message(Message),
    /// A message was not accepted by the bus. `send` has no answer of its own, so this may come
    /// at any time after it; at the latest it stands before the answer to the next
    /// [`ping`](crate::Client::ping).
    ///
    /// Also a join that the bus did not accept again after a reconnect; it is forgotten.
    Refused(Refused),
    /// Something worth knowing, such as that the bus is about to stop.
    Note {
        /// One word, for programs.
        code: String,
        /// For people.
        text: String,
    },
    /// The connection ended. Until [`Event::Reconnected`], messages may be missing.
    Disconnected(Disconnected),
    /// There is a connection again, logged in as before, and every join is in place again.
    /// Messages that others sent in between are gone, because a bus stores nothing. Some that came
    /// while the joins were renewed may stand before this event.
    Reconnected {
        /// How long messages may have been missed.
        after: Duration,
    },
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The topic it was sent to, without wildcards.
    pub topic: String,
    /// The message itself, byte for byte.
    pub text: String,
    /// When the bus took it, if the topic was joined by `watch`: RFC 3339, UTC, microseconds.
    pub time: Option<String>,
    /// Who sent it, if the topic was joined by `watch`.
    pub user: Option<String>,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disconnected {
    /// Why.
    pub why: Lost,
    /// How many lines were still waiting here to be written. They are thrown away. Lines that
    /// had been written may have reached the bus or not.
    pub unsent: usize,
    /// Whether another connection is tried. If not, this is the last event.
    pub retrying: bool,
}

impl Event {
    /// Reads a line that is no answer; `None` for one that this version does not know.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        Some(match protocol::Event::parse(line) {
            protocol::Event::Recv { topic, message } => Self::Message(Message {
                topic: topic.to_owned(),
                text: message.to_owned(),
                time: None,
                user: None,
            }),
            protocol::Event::Watch { topic, time, user, message } => Self::Message(Message {
                topic: topic.to_owned(),
                text: message.to_owned(),
                time: Some(time.to_owned()),
                user: Some(user.to_owned()),
            }),
            protocol::Event::Note { code, text } => {
                Self::Note { code: code.to_owned(), text: text.to_owned() }
            }
            protocol::Event::Error { verb, code, text } => Self::Refused(Refused {
                verb: verb.to_owned(),
                code: code.to_owned(),
                text: text.to_owned(),
            }),
            _ => return None,
        })
    }
}
