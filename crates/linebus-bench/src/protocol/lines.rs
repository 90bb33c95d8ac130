//! linebus itself, and the blind relay that carries the same bytes.
//!
//! `send T P` and `recv T P` have the same length, so the relay, which delivers the sender's own bytes, moves exactly
//! as many bytes as linebus.

use super::{Delivery, Join, Role, Step, Wire};
use crate::Login;

/// linebus, version 1 (PROTOCOL.md).
pub(super) struct Linebus;

impl Wire for Linebus {
    fn opening(&self, role: Role<'_>, login: Option<&Login>) -> Vec<Step> {
        let mut steps = vec![Step::LineStarting("hello linebus 1 ")];
        if let Some(Login { user, password }) = login {
            let password = password.as_ref().map(|known| format!(" {known}")).unwrap_or_default();
            steps.push(Step::Say(format!("login {user}{password}\n").into_bytes()));
            steps.push(Step::Exactly(format!("ok login {user}\n").into_bytes()));
        }
        if let Role::Receiver { joins, .. } = role {
            let mut say = Vec::new();
            let mut hear = Vec::new();
            for join in joins {
                let pattern = pattern(join);
                say.extend_from_slice(format!("recv {pattern}\n").as_bytes());
                hear.extend_from_slice(format!("ok recv {pattern}\n").as_bytes());
            }
            steps.push(Step::Say(say));
            steps.push(Step::Exactly(hear));
        }
        steps
    }

    fn send(&self, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
        line("send", topic, payload, out);
    }

    fn delivery(&self, _joins: &[Join], _heard_by: usize, topic: &str, payload: &[u8]) -> Delivery {
        delivered_line("recv", topic, payload)
    }
}

/// The floor: a server that copies what senders write to the receivers of their group. A connection's first line says
/// which it is; the answer is `ok`.
pub(super) struct Relay;

impl Wire for Relay {
    fn opening(&self, role: Role<'_>, _login: Option<&Login>) -> Vec<Step> {
        let first_line = match role {
            Role::Sender { group } => format!("sender {group}\n"),
            Role::Receiver { group, .. } => format!("receiver {group}\n"),
        };
        vec![Step::Say(first_line.into_bytes()), Step::Exactly(b"ok\n".to_vec())]
    }

    fn send(&self, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
        line("send", topic, payload, out);
    }

    fn delivery(&self, _joins: &[Join], _heard_by: usize, topic: &str, payload: &[u8]) -> Delivery {
        delivered_line("send", topic, payload)
    }
}

fn pattern(join: &Join) -> String {
    match join {
        Join::Exact(topic) => topic.clone(),
        Join::Below(word) => format!("{word}.>"),
    }
}

fn line(verb: &str, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(verb.as_bytes());
    out.push(b' ');
    out.extend_from_slice(topic.as_bytes());
    out.push(b' ');
    out.extend_from_slice(payload);
    out.push(b'\n');
}

fn delivered_line(verb: &str, topic: &str, payload: &[u8]) -> Delivery {
    let mut bytes = Vec::new();
    line(verb, topic, payload, &mut bytes);
    let payload_at = bytes.len() - 1 - payload.len();
    Delivery { bytes, payload_at }
}
