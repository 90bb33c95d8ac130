//! Nothing grows without bound, and nothing that came is dropped.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::peer::{Bus, Peer, connect, message};
use crate::{Error, Event};

/// Says messages until the client takes no more; how many it took.
async fn flood(peer: &mut Peer) -> usize {
    for said in 0.. {
        let line = format!("recv t {said:0>100}\n");
        let saying = peer.stream.write_all(line.as_bytes());
        if timeout(Duration::from_secs(1), saying).await.is_err() {
            return said;
        }
        assert!(said < 100_000, "the client takes everything");
    }
    unreachable!("it returns")
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_read_makes_the_socket_full() {
    let mut bus = Bus::new();
    let builder = bus.builder().events_bytes_max(50_000);
    let (_client, mut events, mut peer) = bus.connect(builder).await;
    let said = flood(&mut peer).await;
    // The queue, one read of the pipe beyond it, one more in the hand, and the pipe itself.
    assert!((50_000..50_000 + 4 * 4096).contains(&(said * 108)), "{said} lines");
    for number in 0..said {
        assert_eq!(message(events.next().await), format!("{number:0>100}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_a_program_that_does_not_read_ends_in_an_error_that_says_so() {
    let mut bus = Bus::new();
    let builder = bus.builder().events_bytes_max(50_000).answer_timeout(Duration::from_secs(5));
    let (client, mut events, mut peer) = bus.connect(builder).await;
    flood(&mut peer).await;
    match client.recv("t").await {
        Err(error @ Error::AnswerTimeout { verb: "recv", unread, .. }) => {
            assert!(unread > 400, "{unread}");
            let text =
                format!("no answer to recv within 5s, while {unread} events wait to be read");
            assert_eq!(error.to_string(), text);
        }
        other => panic!("{other:?}"),
    }
    // Nothing is broken: when the program reads again, answers come again.
    let reading = async { while let Some(Event::Message(_)) = events.next().await {} };
    let script = async {
        peer.expect("recv t").await;
        // The flood's last line was cut off.
        peer.say("\nok recv t").await;
        peer.answer(client.ping(), "ping", "pong").await
    };
    tokio::select! {
        () = reading => panic!("the connection is as good as before"),
        pong = script => assert!(pong.is_ok()),
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_events_hold_nothing_up() {
    let (_bus, client, events, mut peer) = connect().await;
    drop(events);
    let line = format!("recv t {}\n", "x".repeat(900));
    for _ in 0..5000 {
        peer.say_bytes(line.as_bytes()).await;
    }
    assert!(peer.answer(client.ping(), "ping", "pong").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn events_dropped_while_the_queue_is_full_let_the_connection_go_on() {
    let mut bus = Bus::new();
    let builder = bus.builder().events_bytes_max(10_000);
    let (client, events, mut peer) = bus.connect(builder).await;
    flood(&mut peer).await;
    drop(events);
    peer.say("").await;
    assert!(peer.answer(client.ping(), "ping", "pong").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn sending_waits_for_a_bus_that_does_not_read() {
    let mut bus = Bus::new();
    let builder = bus.builder().outgoing_bytes_max(10_000).silence_max(Duration::MAX);
    let (client, _events, mut peer) = bus.connect(builder).await;
    let text = "x".repeat(92);
    let mut accepted = 0;
    while timeout(Duration::from_secs(60), client.send("t", &text)).await.is_ok() {
        accepted += 1;
        assert!(accepted < 10_000, "everything is accepted");
    }
    // As much that waits as is being written, and what the pipe holds.
    assert!((100..=250).contains(&accepted), "{accepted} messages of 100 bytes");
    let sending = async {
        for number in 0..1000 {
            client.send("t", &number.to_string()).await.expect("connected");
        }
    };
    let reading = async {
        for _ in 0..accepted {
            peer.expect(&format!("send t {text}")).await;
        }
        for number in 0..1000 {
            peer.expect(&format!("send t {number}")).await;
        }
    };
    tokio::join!(sending, reading);
}

#[tokio::test(start_paused = true)]
async fn time_in_which_the_program_does_not_read_is_no_silence_of_the_bus() {
    let mut bus = Bus::new();
    let builder = bus.builder().events_bytes_max(10_000).silence_max(Duration::from_secs(1));
    let (_client, mut events, mut peer) = bus.connect(builder).await;
    let said = flood(&mut peer).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    for _ in 0..said {
        assert!(matches!(events.next().await, Some(Event::Message(_))));
    }
}
