//! The first connection: hello, login, and what is no bus.

use std::io;
use std::time::Duration;

use super::peer::{Bus, HELLO, connect};
use crate::{Error, Lost};

#[tokio::test(start_paused = true)]
async fn a_login_comes_before_everything_else() {
    let mut bus = Bus::new();
    let builder = bus.builder().login("alice", Some("s e cret")).expect("good");
    let (connected, mut peer) = tokio::join!(builder.connect(), async {
        let mut peer = bus.accept().await;
        peer.expect("login alice s e cret").await;
        peer.say("note soon a restart\nok login alice").await;
        peer
    });
    let (client, mut events) = connected.expect("it is let in");
    assert_eq!(client.line_bytes_max(), 1000);
    client.send("t", "x").await.expect("connected");
    peer.expect("send t x").await;
    let event = format!("{:?}", events.next().await);
    assert_eq!(event, r#"Some(Note { code: "soon", text: "a restart" })"#);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_refused_is_an_error() {
    for answer in ["error login wrong-login no", "error line too-long no"] {
        let mut bus = Bus::new();
        let builder = bus.builder().login("alice", None).expect("good");
        let (connected, _peer) = tokio::join!(builder.connect(), async {
            let mut peer = bus.accept().await;
            peer.expect("login alice").await;
            peer.say(answer).await;
            peer
        });
        assert!(matches!(connected, Err(Error::Refused(_))), "{connected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_bus_is_named() {
    for (says, expected) in [
        ("SSH-2.0-OpenSSH", "is no bus: it said `SSH-2.0-OpenSSH` instead of hello"),
        ("\x15\x03\x01", "is no bus: it said `\\x15\\x03\\x01` instead of hello"),
        ("hello world", "is no bus: it said `hello world` instead of hello"),
        (
            "hello linebus 2 line-max=1 login=open",
            "not connected: the bus sent what is not the protocol: version 2 of it; this client speaks 1",
        ),
        ("bye busy full", "not connected: the bus said goodbye (busy): full"),
        (&"x".repeat(2000), "instead of hello"),
    ] {
        let mut bus = Bus::new();
        let (connected, _peer) = tokio::join!(bus.builder().connect(), async {
            let mut peer = bus.accept_in_silence().await;
            peer.say(says).await;
            peer
        });
        let error = connected.expect_err("it is no bus").to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_says_nothing_is_not_waited_for_longer_than_chosen() {
    let mut bus = Bus::new();
    let after = Duration::from_secs(3);
    let builder = bus.builder().connect_timeout(after);
    let (connected, _peer) = tokio::join!(builder.connect(), bus.accept_in_silence());
    let error = connected.expect_err("nothing was said");
    assert!(matches!(error, Error::ConnectTimeout { after: said, .. } if said == after));
}

#[tokio::test(start_paused = true)]
async fn a_place_without_a_bus_is_an_error_or_waited_for() {
    let bus = Bus::new();
    let builder = bus.builder();
    drop(bus);
    let error = builder.connect().await.expect_err("nobody listens");
    assert!(matches!(error, Error::Connect { kind: io::ErrorKind::ConnectionRefused, .. }));

    let mut bus = Bus::new();
    let builder = bus.builder().retry_first_connection(true);
    let (connected, _peer) = tokio::join!(builder.connect(), async {
        drop(bus.accept_in_silence().await);
        drop(bus.accept_in_silence().await);
        bus.accept().await
    });
    assert!(connected.is_ok(), "the third time it is there");
}

#[tokio::test(start_paused = true)]
async fn lines_may_come_in_pieces() {
    let mut bus = Bus::new();
    let (connected, mut peer) = tokio::join!(bus.builder().connect(), async {
        let mut peer = bus.accept_in_silence().await;
        for byte in format!("{HELLO}\nrecv t half").bytes() {
            peer.say_bytes(&[byte]).await;
            tokio::task::yield_now().await;
        }
        peer
    });
    let (_client, mut events) = connected.expect("greeted");
    tokio::task::yield_now().await;
    assert_eq!(events.try_next(), None, "half a line is none");
    peer.say(" and half").await;
    assert_eq!(super::peer::message(events.next().await), "half and half");
}

#[tokio::test(start_paused = true)]
async fn dropping_every_handle_writes_what_was_accepted_and_closes() {
    let (_bus, client, events, mut peer) = connect().await;
    for _ in 0..1000 {
        client.send("t", "last words").await.expect("connected");
    }
    drop((client, events));
    for _ in 0..1000 {
        peer.expect("send t last words").await;
    }
    assert_eq!(peer.hear().await, None);
}

#[tokio::test(start_paused = true)]
async fn events_go_on_without_a_client() {
    let (_bus, client, mut events, mut peer) = connect().await;
    drop(client);
    peer.say("recv t x").await;
    assert_eq!(super::peer::message(events.next().await), "x");
    drop(events);
    assert_eq!(peer.hear().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_logoff_is_an_end() {
    let (_bus, client, mut events, mut peer) = connect().await;
    client.send("t", "x").await.expect("connected");
    let logoff = async {
        peer.expect("send t x").await;
        peer.expect("logoff").await;
        peer.say("recv t one more\nbye logoff see you").await;
    };
    let (done, ()) = tokio::join!(client.logoff(), logoff);
    done.expect("the peer says bye");
    assert_eq!(super::peer::message(events.next().await), "one more");
    assert!(
        matches!(events.next().await, Some(crate::Event::Disconnected(lost)) if !lost.retrying)
    );
    assert_eq!(events.next().await, None);
    assert!(!client.is_connected());
    let closed = Error::Closed(Lost::Bye { reason: "logoff".into(), text: "see you".into() });
    assert_eq!(client.send("t", "x").await, Err(closed.clone()));
    assert_eq!(client.ping().await, Err(closed));
}
