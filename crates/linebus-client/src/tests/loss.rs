//! Lost connections: what is said, what is repeated, and what never is.

use std::time::Duration;

use tokio::time::Instant;

use super::peer::{Bus, Peer, connect, message};
use crate::{Client, Disconnected, Error, Event, Events, Lost};

async fn lost(events: &mut Events) -> Disconnected {
    match events.next().await {
        Some(Event::Disconnected(lost)) => lost,
        other => panic!("a loss is wanted, not {other:?}"),
    }
}

async fn bye(peer: &mut Peer, reason: &str) {
    peer.say(&format!("bye {reason} so it is")).await;
}

#[tokio::test(start_paused = true)]
async fn login_and_joins_are_repeated_in_order_before_it_is_said() {
    let mut bus = Bus::new();
    let builder = bus.builder().login("alice", Some("pw")).expect("good");
    let (connected, mut peer) = tokio::join!(builder.connect(), async {
        let mut peer = bus.accept().await;
        peer.expect("login alice pw").await;
        peer.say("ok login alice").await;
        peer
    });
    let (client, mut events) = connected.expect("let in");
    peer.let_join(&client, "a").await;
    peer.answer(client.watch("b.>"), "watch b.>", "ok watch b.>").await.expect("ok");
    peer.let_join(&client, "left").await;
    let grouped = client.recv_in_group("c", "g");
    peer.answer(grouped, "recv c g", "ok recv c g").await.expect("ok");
    peer.answer(client.leave("left"), "leave left", "ok leave left").await.expect("ok");
    let refused = peer.answer(client.recv("no"), "recv no", "error recv denied no").await;
    assert!(refused.is_err());
    bye(&mut peer, "shutdown").await;
    let told = lost(&mut events).await;
    assert_eq!(told.why.to_string(), "the bus said goodbye (shutdown): so it is");
    assert!(told.retrying && told.unsent == 0);

    let began = Instant::now();
    let mut peer = bus.accept().await;
    peer.expect("login alice pw").await;
    peer.say("ok login alice").await;
    for line in ["recv a", "watch b.>", "recv c g"] {
        peer.expect(line).await;
    }
    peer.say("ok recv a\nrecv a in between\nok watch b.>\nok recv c g").await;
    assert_eq!(message(events.next().await), "in between");
    let after = began.elapsed();
    assert!(
        matches!(events.next().await, Some(Event::Reconnected { after: said }) if said == after)
    );
    assert!(client.is_connected());
}

#[tokio::test(start_paused = true)]
async fn without_joins_it_is_back_at_once() {
    let (mut bus, client, mut events, peer) = connect().await;
    drop(peer);
    assert_eq!(lost(&mut events).await.why, Lost::End);
    let _peer = bus.accept().await;
    assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
    assert!(client.is_connected());
}

#[tokio::test(start_paused = true)]
async fn a_second_login_ends_the_joins_and_is_the_one_that_is_repeated() {
    let (mut bus, client, _events, mut peer) = connect().await;
    peer.let_join(&client, "a").await;
    peer.answer(client.login("bob", None), "login bob", "ok login bob").await.expect("ok");
    peer.let_join(&client, "b").await;
    drop(peer);
    let mut peer = bus.accept().await;
    peer.expect("login bob").await;
    peer.say("ok login bob").await;
    peer.expect("recv b").await;
}

#[tokio::test(start_paused = true)]
async fn a_join_in_another_group_replaces_the_first() {
    let (mut bus, client, _events, mut peer) = connect().await;
    peer.let_join(&client, "a").await;
    let grouped = client.recv_in_group("a", "g");
    peer.answer(grouped, "recv a g", "ok recv a g").await.expect("ok");
    drop(peer);
    let mut peer = bus.accept().await;
    peer.expect("recv a g").await;
    peer.say("ok recv a g").await;
    assert!(peer.answer(client.ping(), "ping", "pong").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_refused_the_second_time_is_told_and_forgotten() {
    let (mut bus, client, mut events, mut peer) = connect().await;
    peer.let_join(&client, "a").await;
    peer.let_join(&client, "b").await;
    drop(peer);
    let mut peer = bus.accept().await;
    peer.expect("recv a").await;
    peer.expect("recv b").await;
    peer.say("error recv denied not any more\nok recv b").await;
    lost(&mut events).await;
    assert!(
        matches!(events.next().await, Some(Event::Refused(refused)) if refused.code == "denied")
    );
    assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
    drop(peer);
    let mut peer = bus.accept().await;
    peer.expect("recv b").await;
}

#[tokio::test(start_paused = true)]
async fn some_goodbyes_are_for_good() {
    for reason in ["kicked", "abuse", "not-lines", "login-timeout"] {
        let (_bus, client, mut events, mut peer) = connect().await;
        bye(&mut peer, reason).await;
        let told = lost(&mut events).await;
        assert!(!told.retrying, "{reason}");
        assert_eq!(told.why.bye_reason().expect("known").word(), reason);
        assert_eq!(events.next().await, None);
        assert!(matches!(client.send("t", "x").await, Err(Error::Closed(_))));
    }
    for reason in ["shutdown", "slow", "memory", "busy", "error", "of-later-versions"] {
        let (mut bus, _client, mut events, mut peer) = connect().await;
        bye(&mut peer, reason).await;
        assert!(lost(&mut events).await.retrying, "{reason}");
        let _peer = bus.accept().await;
        assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_accepted_any_more_is_the_end() {
    let mut bus = Bus::new();
    let builder = bus.builder().login("alice", None).expect("good");
    let (connected, mut peer) = tokio::join!(builder.connect(), async {
        let mut peer = bus.accept().await;
        peer.expect("login alice").await;
        peer.say("ok login alice").await;
        peer
    });
    let (client, mut events) = connected.expect("let in");
    bye(&mut peer, "shutdown").await;
    assert!(lost(&mut events).await.retrying);
    for (answer, is_final) in [("busy", false), ("wrong-login", true)] {
        let mut peer = bus.accept().await;
        peer.expect("login alice").await;
        peer.say(&format!("error login {answer} no")).await;
        if is_final {
            let told = lost(&mut events).await;
            assert!(!told.retrying && matches!(told.why, Lost::Login(_)));
        }
    }
    assert_eq!(events.next().await, None);
    assert!(matches!(client.ping().await, Err(Error::Closed(Lost::Login(_)))));
}

#[tokio::test(start_paused = true)]
async fn calls_and_sends_of_a_lost_connection_fail_and_are_never_repeated() {
    let (mut bus, client, mut events, mut peer) = connect().await;
    peer.let_join(&client, "a").await;
    client.send("t", "perhaps heard").await.expect("connected");
    let calls = async { tokio::join!(client.ping(), client.recv("b"), client.logoff()) };
    let ((ping, recv, logoff), ()) = tokio::join!(calls, async {
        peer.expect("send t perhaps heard").await;
        drop(peer);
    });
    assert_eq!(ping, Err(Error::Disconnected(Lost::End)));
    assert_eq!(recv, Err(Error::Disconnected(Lost::End)));
    assert_eq!(logoff, Err(Error::Disconnected(Lost::End)));
    lost(&mut events).await;
    assert!(!client.is_connected());
    assert_eq!(client.send("t", "x").await, Err(Error::Disconnected(Lost::End)));
    assert!(matches!(client.ping().await, Err(Error::Disconnected(_))));
    let mut peer = bus.accept().await;
    peer.expect("recv a").await;
    peer.say("ok recv a").await;
    assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
    client.send("t", "after").await.expect("connected again");
    peer.expect("send t after").await;
}

#[tokio::test(start_paused = true)]
async fn lines_that_never_left_are_counted() {
    let (_bus, client, mut events, mut peer) = connect().await;
    // The pipe holds 4096 bytes: 40 lines of 100, and part of one more.
    let text = "x".repeat(92);
    for _ in 0..50 {
        client.send("t", &text).await.expect("connected");
    }
    // Everybody else comes to a halt before time goes on.
    tokio::time::advance(Duration::from_millis(1)).await;
    bye(&mut peer, "kicked").await;
    assert_eq!(lost(&mut events).await.unsent, 10);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_for_room_is_told_of_the_loss() {
    let mut bus = Bus::new();
    let builder = bus.builder().outgoing_bytes_max(100);
    let (client, _events, mut peer) = bus.connect(builder).await;
    let sending = async {
        loop {
            if let Err(error) = client.send("t", &"x".repeat(900)).await {
                return error;
            }
        }
    };
    let (error, ()) = tokio::join!(sending, bye(&mut peer, "slow"));
    assert!(matches!(error, Error::Disconnected(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn reconnecting_can_be_off() {
    let mut bus = Bus::new();
    let builder = bus.builder().reconnect(false);
    let (client, mut events, peer) = bus.connect(builder).await;
    drop(peer);
    assert!(!lost(&mut events).await.retrying);
    assert_eq!(events.next().await, None);
    assert_eq!(client.send("t", "x").await, Err(Error::Closed(Lost::End)));
}

#[tokio::test(start_paused = true)]
async fn tries_become_rarer_and_a_lasting_connection_begins_anew() {
    let mut bus = Bus::new();
    let builder = bus.builder().back_off(Duration::from_secs(1), Duration::from_secs(8));
    let (_client, mut events, peer) = bus.connect(builder).await;
    drop(peer);
    lost(&mut events).await;
    for full in [1, 2, 4, 8, 8] {
        let began = Instant::now();
        drop(bus.accept_in_silence().await);
        let waited = began.elapsed().as_secs_f64();
        assert!((f64::from(full) / 2.0..=f64::from(full) + 0.01).contains(&waited), "{waited}");
    }
    let peer = bus.accept().await;
    assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
    tokio::time::advance(Duration::from_secs(8)).await;
    drop(peer);
    let began = Instant::now();
    let _peer = bus.accept().await;
    assert!(began.elapsed() <= Duration::from_millis(1001), "{:?}", began.elapsed());
}

/// A client that hears nothing asks after 5 s.
async fn quiet() -> (Bus, Client, Events, Peer) {
    let mut bus = Bus::new();
    let builder = bus.builder().silence_max(Duration::from_secs(5));
    let (client, events, peer) = bus.connect(builder).await;
    (bus, client, events, peer)
}

#[tokio::test(start_paused = true)]
async fn a_silent_bus_is_asked_and_then_given_up() {
    let (mut bus, _client, mut events, mut peer) = quiet().await;
    let began = Instant::now();
    peer.expect("ping").await;
    assert_eq!(began.elapsed().as_secs(), 5);
    peer.say("pong").await;
    peer.expect("ping").await;
    assert_eq!(began.elapsed().as_secs(), 10);
    let told = lost(&mut events).await;
    assert_eq!(told.why, Lost::Silent { after: Duration::from_secs(10) });
    assert_eq!(began.elapsed().as_secs(), 15);
    let _peer = bus.accept().await;
    assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
}

#[tokio::test(start_paused = true)]
async fn garbage_breaks_the_connection_and_is_quoted() {
    let long = "x".repeat(2000);
    for (says, what) in [
        (&b"recv t \xff\n"[..], r"`recv t \xff`"),
        (b"recv t \x1b[2J\n", r"`recv t \x1b[2J`"),
        (long.as_bytes(), "a line of more than 1256 bytes"),
    ] {
        let (mut bus, _client, mut events, mut peer) = connect().await;
        peer.say_bytes(says).await;
        let told = lost(&mut events).await;
        assert_eq!(told.why, Lost::Garbage(what.into()));
        assert!(told.retrying);
        let _peer = bus.accept().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_end_is_not_lost() {
    let (_bus, _client, mut events, mut peer) = connect().await;
    peer.say("recv t 1\nrecv t 2\nbye kicked out\nrecv t 3\nrecv t un").await;
    drop(peer);
    assert_eq!(message(events.next().await), "1");
    assert_eq!(message(events.next().await), "2");
    assert!(lost(&mut events).await.why.bye_reason().is_some());
    assert_eq!(events.next().await, None, "a bye is the last line");
}

#[tokio::test(start_paused = true)]
async fn handles_that_are_dropped_end_the_tries() {
    let (mut bus, client, mut events, peer) = connect().await;
    drop(peer);
    lost(&mut events).await;
    drop((client, events));
    let more = tokio::time::timeout(Duration::from_secs(3600), bus.accept_in_silence()).await;
    assert!(more.is_err(), "nobody connects any more");
}
