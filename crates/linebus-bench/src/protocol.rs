//! The protocols a run can speak: how to join, how to send, and what exactly one delivery looks like.
//!
//! A [`Wire`] is bytes only. Sockets, windows and clocks are the same for all protocols and live elsewhere, so that a
//! difference between two servers cannot come from a difference between two clients. It knows no more than the runs
//! need: no options, no acknowledgements, no reconnects.

mod lines;
mod mqtt;
mod nats;
mod resp;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Login;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// linebus, version 1.
    Linebus,
    /// The NATS client protocol.
    Nats,
    /// Redis serialization protocol, version 2: `PUBLISH`, `SUBSCRIBE`, `PSUBSCRIBE`.
    Resp,
    /// MQTT 3.1.1 with QoS 0.
    Mqtt,
    /// linebus' bytes against the blind relay, which hands them on unread.
    Relay,
}

impl Protocol {
    /// All, in the order of tables and charts.
    pub const ALL: [Protocol; 5] =
        [Protocol::Linebus, Protocol::Nats, Protocol::Resp, Protocol::Mqtt, Protocol::Relay];

    /// The word for it on command lines and in result files.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Linebus => "linebus",
            Protocol::Nats => "nats",
            Protocol::Resp => "resp",
            Protocol::Mqtt => "mqtt",
            Protocol::Relay => "relay",
        }
    }

    /// Its bytes.
    pub fn wire(self) -> &'static dyn Wire {
        match self {
            Protocol::Linebus => &lines::Linebus,
            Protocol::Nats => &nats::Nats,
            Protocol::Resp => &resp::Resp,
            Protocol::Mqtt => &mqtt::Mqtt,
            Protocol::Relay => &lines::Relay,
        }
    }

    /// Whether the server knows topics. The blind relay doesn't: its receivers hear their whole group.
    pub fn has_topics(self) -> bool {
        self != Protocol::Relay
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.name() == word)
            .ok_or_else(|| format!("no protocol {word:?}: linebus, nats, resp, mqtt or relay"))
    }
}

/// One thing to do while a connection is opened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write these bytes.
    Say(Vec<u8>),
    /// Wait for one line, LF included, that begins like this.
    LineStarting(&'static str),
    /// Wait for exactly these bytes.
    Exactly(Vec<u8>),
    /// Encrypt from here on: make the handshake.
    Secure,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug)]
pub enum Role<'a> {
    /// It will only send. Only the blind relay needs to know the group.
    Sender {
        /// Number of the group of senders and receivers that it belongs to.
        group: usize,
    },
    /// It joins and will only receive.
    Receiver {
        /// Number of the group, as above.
        group: usize,
        /// What it joins.
        joins: &'a [Join],
    },
}

/// One join: a topic, or everything below a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join {
    /// This topic, in dotted spelling: `bench.07`.
    Exact(String),
    /// All topics below this word: `bench` stands for `bench.>`.
    Below(String),
}

/// One delivery as it arrives at a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// All its bytes, framing included.
    pub bytes: Vec<u8>,
    /// Where in them the payload begins.
    pub payload_at: usize,
}

/// Something that a server may say between two deliveries and that is to be overlooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interjection {
    /// All its bytes.
    pub word: &'static [u8],
    /// How every delivery begins; differs from the beginning of `word`.
    pub delivery_lead: &'static [u8],
}

/// The bytes of one protocol.
pub trait Wire {
    /// What to say and to wait for until the connection is ready for its role and its joins are confirmed.
    /// Whoever can't log in over this protocol ignores `login`.
    fn opening(&self, role: Role<'_>, login: Option<&Login>) -> Vec<Step>;

    /// How many of the first steps come before [`Step::Secure`] when the connection is encrypted.
    fn steps_in_the_clear(&self) -> usize {
        0
    }

    /// Appends the bytes that send `payload` to `topic` (dotted spelling).
    fn send(&self, topic: &str, payload: &[u8], out: &mut Vec<u8>);

    /// What arrives at a receiver that made `joins`, when `payload` is sent to `topic` and join number `heard_by` is
    /// the one that matches.
    fn delivery(&self, joins: &[Join], heard_by: usize, topic: &str, payload: &[u8]) -> Delivery;

    /// What the server may say in between, if anything.
    fn interjection(&self) -> Option<Interjection> {
        None
    }
}
