//! Every protocol's bytes, spelled out. No server is needed: the comparison itself shows that servers agree.

use super::*;

fn exact(topics: &[&str]) -> Vec<Join> {
    topics.iter().map(|topic| Join::Exact((*topic).to_owned())).collect()
}

fn below() -> Vec<Join> {
    vec![Join::Below("bench".to_owned())]
}

fn opening(protocol: Protocol, role: Role<'_>) -> Vec<Step> {
    protocol.wire().opening(role, None)
}

fn receiver(joins: &[Join]) -> Role<'_> {
    Role::Receiver { group: 3, joins }
}

fn say(bytes: &[u8]) -> Step {
    Step::Say(bytes.to_vec())
}

fn exactly(bytes: &[u8]) -> Step {
    Step::Exactly(bytes.to_vec())
}

/// The bytes that send `hi there` to `bench.07`.
fn sent(protocol: Protocol) -> Vec<u8> {
    let mut bytes = Vec::new();
    protocol.wire().send("bench.07", b"hi there", &mut bytes);
    bytes
}

/// The bytes that a receiver gets of it; checks that the payload is where it is said to be.
fn delivered(protocol: Protocol, joins: &[Join], heard_by: usize) -> Vec<u8> {
    let delivery = protocol.wire().delivery(joins, heard_by, "bench.07", b"hi there");
    assert!(delivery.bytes[delivery.payload_at..].starts_with(b"hi there"));
    delivery.bytes
}

#[test]
fn linebus_joins_sends_and_delivers_lines() {
    let hello = Step::LineStarting("hello linebus 1 ");
    let sender = opening(Protocol::Linebus, Role::Sender { group: 0 });
    assert_eq!(sender, std::slice::from_ref(&hello));
    assert_eq!(
        opening(Protocol::Linebus, receiver(&exact(&["bench.0", "bench.1"]))),
        [
            hello.clone(),
            say(b"recv bench.0\nrecv bench.1\n"),
            exactly(b"ok recv bench.0\nok recv bench.1\n")
        ]
    );
    assert_eq!(
        opening(Protocol::Linebus, receiver(&below())),
        [hello, say(b"recv bench.>\n"), exactly(b"ok recv bench.>\n")]
    );
    assert_eq!(sent(Protocol::Linebus), b"send bench.07 hi there\n");
    assert_eq!(delivered(Protocol::Linebus, &below(), 0), b"recv bench.07 hi there\n");
}

#[test]
fn a_login_is_confirmed_before_anything_is_joined() {
    let login = Login { user: "bench".to_owned(), password: Some("two words".to_owned()) };
    let joins = exact(&["bench.0"]);
    let steps = Protocol::Linebus.wire().opening(receiver(&joins), Some(&login));
    assert_eq!(
        steps[1..],
        [
            say(b"login bench two words\n"),
            exactly(b"ok login bench\n"),
            say(b"recv bench.0\n"),
            exactly(b"ok recv bench.0\n")
        ]
    );
}

#[test]
fn encryption_begins_at_once_or_where_the_protocol_has_it() {
    let address = ([127, 0, 0, 1], 1).into();
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
    let certificate = certificate.expect("it can be made").cert;
    let tls = crate::Tls::trusting(certificate.der()).expect("a certificate");
    for (protocol, place) in [(Protocol::Linebus, 0), (Protocol::Nats, 1)] {
        let plain = crate::Target::new(protocol, address);
        let secured = crate::Target { tls: Some(tls.clone()), ..plain.clone() };
        let mut steps = secured.opening(Role::Sender { group: 0 });
        assert_eq!(steps.remove(place), Step::Secure);
        assert_eq!(steps, plain.opening(Role::Sender { group: 0 }));
    }
}

#[test]
fn the_relay_moves_as_many_bytes_as_linebus() {
    let joins = exact(&["bench.07"]);
    assert_eq!(
        opening(Protocol::Relay, receiver(&joins)),
        [say(b"receiver 3\n"), exactly(b"ok\n")]
    );
    assert_eq!(
        opening(Protocol::Relay, Role::Sender { group: 12 }),
        [say(b"sender 12\n"), exactly(b"ok\n")]
    );
    assert_eq!(sent(Protocol::Relay), sent(Protocol::Linebus));
    assert_eq!(delivered(Protocol::Relay, &joins, 0), sent(Protocol::Relay));
    assert_eq!(
        delivered(Protocol::Relay, &joins, 0).len(),
        delivered(Protocol::Linebus, &joins, 0).len()
    );
}

#[test]
fn nats_confirms_subscriptions_with_a_pong() {
    let steps = opening(Protocol::Nats, receiver(&exact(&["bench.0", "bench.1"])));
    let [Step::LineStarting("INFO "), Step::Say(said), pong] = &steps[..] else {
        panic!("{steps:?}");
    };
    assert!(said.starts_with(b"CONNECT {\"verbose\":false,"));
    assert!(said.ends_with(b"}\r\nSUB bench.0 1\r\nSUB bench.1 2\r\nPING\r\n"));
    assert_eq!(*pong, exactly(b"PONG\r\n"));
    assert_eq!(sent(Protocol::Nats), b"PUB bench.07 8\r\nhi there\r\n");
    assert_eq!(delivered(Protocol::Nats, &below(), 0), b"MSG bench.07 1 8\r\nhi there\r\n");
}

#[test]
fn nats_subscription_ids_on_one_connection_have_one_width() {
    for count in [1, 2, 9, 10, 90, 91, 900, 4096] {
        let joins = exact(&vec!["bench.07"; count]);
        let first = delivered(Protocol::Nats, &joins, 0);
        let last = delivered(Protocol::Nats, &joins, count - 1);
        assert_eq!(first.len(), last.len(), "{count} joins");
    }
}

#[test]
fn resp_counts_subscriptions_and_spells_patterns() {
    assert_eq!(
        opening(Protocol::Resp, receiver(&exact(&["bench.0", "bench.1"]))),
        [
            say(b"*2\r\n$9\r\nSUBSCRIBE\r\n$7\r\nbench.0\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$7\r\nbench.1\r\n"),
            exactly(
                b"*3\r\n$9\r\nsubscribe\r\n$7\r\nbench.0\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$7\r\nbench.1\r\n:2\r\n"
            )
        ]
    );
    assert_eq!(
        opening(Protocol::Resp, receiver(&below())),
        [
            say(b"*2\r\n$10\r\nPSUBSCRIBE\r\n$7\r\nbench.*\r\n"),
            exactly(b"*3\r\n$10\r\npsubscribe\r\n$7\r\nbench.*\r\n:1\r\n")
        ]
    );
    assert_eq!(
        opening(Protocol::Resp, Role::Sender { group: 0 }),
        [
            say(b"*1\r\n$4\r\nPING\r\n*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"),
            exactly(b"+PONG\r\n")
        ]
    );
    assert_eq!(
        sent(Protocol::Resp),
        b"*3\r\n$7\r\nPUBLISH\r\n$8\r\nbench.07\r\n$8\r\nhi there\r\n"
    );
    assert_eq!(
        delivered(Protocol::Resp, &exact(&["bench.07"]), 0),
        b"*3\r\n$7\r\nmessage\r\n$8\r\nbench.07\r\n$8\r\nhi there\r\n"
    );
    assert_eq!(
        delivered(Protocol::Resp, &below(), 0),
        b"*4\r\n$8\r\npmessage\r\n$7\r\nbench.*\r\n$8\r\nbench.07\r\n$8\r\nhi there\r\n"
    );
}

#[test]
fn mqtt_packets_have_their_lengths() {
    let connect = say(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00");
    let connack = exactly(b"\x20\x02\x00\x00");
    assert_eq!(
        opening(Protocol::Mqtt, Role::Sender { group: 0 }),
        [connect.clone(), connack.clone()]
    );
    assert_eq!(
        opening(Protocol::Mqtt, receiver(&exact(&["bench.0", "bench.1"]))),
        [
            connect.clone(),
            connack.clone(),
            say(b"\x82\x16\x00\x01\x00\x07bench/0\x00\x00\x07bench/1\x00"),
            exactly(b"\x90\x04\x00\x01\x00\x00")
        ]
    );
    assert_eq!(
        opening(Protocol::Mqtt, receiver(&below())),
        [
            connect,
            connack,
            say(b"\x82\x0c\x00\x01\x00\x07bench/#\x00"),
            exactly(b"\x90\x03\x00\x01\x00")
        ]
    );
    assert_eq!(sent(Protocol::Mqtt), b"\x30\x12\x00\x08bench/07hi there");
    assert_eq!(delivered(Protocol::Mqtt, &below(), 0), sent(Protocol::Mqtt));
}

#[test]
fn mqtt_remaining_length_takes_a_second_byte_from_128_on() {
    let length = |payload: usize| {
        let mut bytes = Vec::new();
        Protocol::Mqtt.wire().send("bench.07", &vec![b'x'; payload], &mut bytes);
        bytes
    };
    assert!(length(117).starts_with(b"\x30\x7f\x00\x08"));
    assert!(length(118).starts_with(b"\x30\x80\x01\x00\x08"));
    assert_eq!(length(118).len(), length(117).len() + 2);
}

#[test]
fn names_read_back() {
    for protocol in Protocol::ALL {
        assert_eq!(protocol.name().parse(), Ok(protocol));
    }
    assert!("kafka".parse::<Protocol>().is_err());
}
