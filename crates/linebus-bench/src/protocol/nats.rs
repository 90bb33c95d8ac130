//! The NATS client protocol, as docs.nats.io describes it ("NATS Protocols", "Client").
//!
//! `verbose` is off, as in every NATS client, so that publishing has no answers. A `PONG` after the subscriptions
//! confirms them, because the server handles a connection's commands in order.

use super::{Delivery, Interjection, Join, Role, Step, Wire};
use crate::Login;

/// The NATS client protocol.
pub(super) struct Nats;

const CONNECT: &str = concat!(
    r#"CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"#,
    r#""lang":"rust","version":"1","protocol":1,"echo":false}"#,
    "\r\n"
);

impl Wire for Nats {
    fn opening(&self, role: Role<'_>, _login: Option<&Login>) -> Vec<Step> {
        let mut say = CONNECT.as_bytes().to_vec();
        if let Role::Receiver { joins, .. } = role {
            for (number, join) in joins.iter().enumerate() {
                let subject = match join {
                    Join::Exact(topic) => topic.clone(),
                    Join::Below(word) => format!("{word}.>"),
                };
                let sid = sid(number, joins.len());
                say.extend_from_slice(format!("SUB {subject} {sid}\r\n").as_bytes());
            }
        }
        say.extend_from_slice(b"PING\r\n");
        vec![Step::LineStarting("INFO "), Step::Say(say), Step::Exactly(b"PONG\r\n".to_vec())]
    }

    /// The server speaks first, in the clear, before the handshake ("INFO", field `tls_required`).
    fn steps_in_the_clear(&self) -> usize {
        1
    }

    fn send(&self, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(format!("PUB {topic} {}\r\n", payload.len()).as_bytes());
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }

    fn delivery(&self, joins: &[Join], heard_by: usize, topic: &str, payload: &[u8]) -> Delivery {
        let sid = sid(heard_by, joins.len());
        let mut bytes = format!("MSG {topic} {sid} {}\r\n", payload.len()).into_bytes();
        let payload_at = bytes.len();
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(b"\r\n");
        Delivery { bytes, payload_at }
    }

    /// The server asks each client for a sign of life about two seconds after it connected, then every two minutes, and
    /// gives up after two unanswered ones (nats-server's `ping_interval` and `ping_max`). No run lasts that long, so
    /// the question is overlooked rather than answered: an answer would have to be fitted between two halves of a
    /// half-written message.
    fn interjection(&self) -> Option<Interjection> {
        Some(Interjection { word: b"PING\r\n", delivery_lead: b"MSG " })
    }
}

/// Subscription ids of equal width, so that all deliveries on one connection have one size: 1 for a single join,
/// 10, 11, … for up to ninety, and so on.
fn sid(number: usize, of: usize) -> usize {
    let mut first = 1;
    while first * 9 < of {
        first *= 10;
    }
    first + number
}
