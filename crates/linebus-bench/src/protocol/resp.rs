//! Redis' protocol, RESP version 2, as redis.io describes it ("Redis serialization protocol specification", and
//! "Redis Pub/Sub" for the wire format of pushed messages).
//!
//! Senders say `CLIENT REPLY OFF` (since Redis 3.2), so that `PUBLISH` has no answer. That is in Redis' favour: with
//! answers, it would write one more line per message.

use super::{Delivery, Join, Role, Step, Wire};
use crate::Login;

/// RESP version 2.
pub(super) struct Resp;

impl Wire for Resp {
    fn opening(&self, role: Role<'_>, _login: Option<&Login>) -> Vec<Step> {
        let mut say = Vec::new();
        let mut hear = Vec::new();
        match role {
            Role::Sender { .. } => {
                array(&["PING"], &mut say);
                array(&["CLIENT", "REPLY", "OFF"], &mut say);
                hear.extend_from_slice(b"+PONG\r\n");
            }
            Role::Receiver { joins, .. } => {
                for (number, join) in joins.iter().enumerate() {
                    let (command, answer, channel) = match join {
                        Join::Exact(topic) => ("SUBSCRIBE", "subscribe", topic.clone()),
                        Join::Below(word) => ("PSUBSCRIBE", "psubscribe", format!("{word}.*")),
                    };
                    array(&[command, &channel], &mut say);
                    hear.extend_from_slice(b"*3\r\n");
                    bulk(answer.as_bytes(), &mut hear);
                    bulk(channel.as_bytes(), &mut hear);
                    hear.extend_from_slice(format!(":{}\r\n", number + 1).as_bytes());
                }
            }
        }
        vec![Step::Say(say), Step::Exactly(hear)]
    }

    fn send(&self, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"*3\r\n");
        bulk(b"PUBLISH", out);
        bulk(topic.as_bytes(), out);
        bulk(payload, out);
    }

    fn delivery(&self, joins: &[Join], heard_by: usize, topic: &str, payload: &[u8]) -> Delivery {
        let mut bytes = Vec::new();
        match &joins[heard_by] {
            Join::Exact(_) => {
                bytes.extend_from_slice(b"*3\r\n");
                bulk(b"message", &mut bytes);
            }
            Join::Below(word) => {
                bytes.extend_from_slice(b"*4\r\n");
                bulk(b"pmessage", &mut bytes);
                bulk(format!("{word}.*").as_bytes(), &mut bytes);
            }
        }
        bulk(topic.as_bytes(), &mut bytes);
        bulk(payload, &mut bytes);
        let payload_at = bytes.len() - b"\r\n".len() - payload.len();
        Delivery { bytes, payload_at }
    }
}

fn array(words: &[&str], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bulk(word.as_bytes(), out);
    }
}

fn bulk(string: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("${}\r\n", string.len()).as_bytes());
    out.extend_from_slice(string);
    out.extend_from_slice(b"\r\n");
}
