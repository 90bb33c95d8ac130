//! MQTT 3.1.1 with QoS 0, by section numbers of the OASIS standard of 29 October 2014.
//!
//! Topic levels are separated by `/` (section 4.7), so `bench.07` is `bench/07` here. The keep-alive is 0, which turns
//! it off (3.1.2.10); the client identifier is empty, so that the server makes one up (3.1.3.1).

use super::{Delivery, Join, Role, Step, Wire};
use crate::Login;

/// MQTT 3.1.1, QoS 0.
pub(super) struct Mqtt;

/// Section 3.1: packet type 1, protocol name and level 4, clean session, keep-alive 0, empty client identifier.
const CONNECT: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00";
/// Section 3.2: accepted, no session present.
const CONNACK: &[u8] = b"\x20\x02\x00\x00";
/// Section 3.3: packet type 3, no retain, QoS 0, no duplicate.
const PUBLISH: u8 = 0x30;
/// Section 3.8: packet type 8 with its reserved bits.
const SUBSCRIBE: u8 = 0x82;
/// Section 3.9: packet type 9.
const SUBACK: u8 = 0x90;
/// Any number but 0 (2.3.1): a connection subscribes once.
const PACKET_IDENTIFIER: [u8; 2] = [0, 1];
/// QoS 0 as asked for (3.8.3) and as granted (3.9.3).
const QOS_0: u8 = 0;

impl Wire for Mqtt {
    fn opening(&self, role: Role<'_>, _login: Option<&Login>) -> Vec<Step> {
        let mut steps = vec![Step::Say(CONNECT.to_vec()), Step::Exactly(CONNACK.to_vec())];
        if let Role::Receiver { joins, .. } = role {
            let mut asked = PACKET_IDENTIFIER.to_vec();
            let mut granted = PACKET_IDENTIFIER.to_vec();
            for join in joins {
                string(&filter(join), &mut asked);
                asked.push(QOS_0);
                granted.push(QOS_0);
            }
            steps.push(Step::Say(packet(SUBSCRIBE, &asked)));
            steps.push(Step::Exactly(packet(SUBACK, &granted)));
        }
        steps
    }

    fn send(&self, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
        let mut body = Vec::new();
        string(&slashed(topic), &mut body);
        body.extend_from_slice(payload);
        out.extend_from_slice(&packet(PUBLISH, &body));
    }

    fn delivery(&self, _joins: &[Join], _heard_by: usize, topic: &str, payload: &[u8]) -> Delivery {
        // Section 3.3.5: the server forwards the same packet, here with the same flags.
        let mut bytes = Vec::new();
        self.send(topic, payload, &mut bytes);
        let payload_at = bytes.len() - payload.len();
        Delivery { bytes, payload_at }
    }
}

fn filter(join: &Join) -> String {
    match join {
        Join::Exact(topic) => slashed(topic),
        // Section 4.7.1.2: the multi-level wildcard.
        Join::Below(word) => format!("{}/#", slashed(word)),
    }
}

fn slashed(topic: &str) -> String {
    topic.replace('.', "/")
}

/// Section 1.5.3: two bytes of length, then UTF-8.
fn string(text: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).expect("the topics of a run have few letters");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A control packet: first byte, remaining length as in section 2.2.3, body.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest % 128).expect("a remainder by 128 fits a byte");
        rest /= 128;
        if rest == 0 {
            bytes.push(low);
            break;
        }
        bytes.push(low | 0x80);
    }
    bytes.extend_from_slice(body);
    bytes
}
