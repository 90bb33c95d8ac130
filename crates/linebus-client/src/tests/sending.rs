//! What goes out, when, and what never does.

use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::peer::connect;
use crate::{Builder, Error};

#[tokio::test(start_paused = true)]
async fn what_the_bus_would_not_take_is_not_sent() {
    let (_bus, client, _events, mut peer) = connect().await;
    for topic in ["", "a b", "a..b", "a.*", ">", "zürich", "a\nb"] {
        let error = client.send(topic, "x").await;
        assert!(matches!(error, Err(Error::BadTopic { .. })), "{topic}: {error:?}");
    }
    for text in ["a\nb", "\r", "\0", "\x1b[2J", "\u{7f}", "\u{9b}"] {
        assert_eq!(client.send("t", text).await, Err(Error::BadText), "{text:?}");
    }
    let error = client.send("$bus.clients", "x").await;
    assert!(matches!(error, Err(Error::SystemTopic { .. })));
    // `send t ` and LF are 8 bytes; the hello said 1000.
    let error = client.send("t", &"x".repeat(993)).await;
    assert_eq!(error, Err(Error::TooLong { bytes: 1001, bytes_max: 1000 }));
    for pattern in ["", "a b", "*a", "a.>.b", "t\nping"] {
        assert!(matches!(client.recv(pattern).await, Err(Error::BadTopic { .. })));
        assert!(matches!(client.watch(pattern).await, Err(Error::BadTopic { .. })));
        assert!(matches!(client.leave(pattern).await, Err(Error::BadTopic { .. })));
        assert!(matches!(client.who(Some(pattern)).await, Err(Error::BadTopic { .. })));
        assert!(matches!(client.topics(Some(pattern)).await, Err(Error::BadTopic { .. })));
    }
    for name in ["", "a b", "a\nping", &"x".repeat(65)] {
        assert!(matches!(client.recv_in_group("t", name).await, Err(Error::BadGroup { .. })));
        assert!(matches!(client.login(name, None).await, Err(Error::Url(_))));
    }
    assert!(matches!(client.login("a", Some("x\ny")).await, Err(Error::Url(_))));
    let long = "x".repeat(1000);
    assert!(matches!(client.login("a", Some(&long)).await, Err(Error::TooLong { .. })));

    // What is right goes out as it is, and it is the first that does.
    client.send("t", " ümläut\t ").await.expect("good");
    client.send("t", "").await.expect("good");
    client.send("t", &"x".repeat(992)).await.expect("just as long as may be");
    peer.expect("send t  ümläut\t ").await;
    peer.expect("send t ").await;
    assert_eq!(peer.hear().await.expect("a line").len(), 999);
}

#[tokio::test(start_paused = true)]
async fn a_message_alone_goes_out_at_once() {
    let (_bus, client, _events, mut peer) = connect().await;
    let began = Instant::now();
    for _ in 0..3 {
        client.send("t", "x").await.expect("connected");
        peer.expect("send t x").await;
    }
    assert_eq!(began.elapsed().as_nanos(), 0, "no timer was waited for");
}

#[tokio::test(start_paused = true)]
async fn many_messages_share_a_write() {
    let (_bus, client, _events, mut peer) = connect().await;
    let sending = async {
        for _ in 0..1000 {
            client.send("t", "0123456789").await.expect("connected");
        }
    };
    let mut reads = 0;
    let reading = async {
        let (mut bytes, mut buffer) = (0, vec![0; 65536]);
        while bytes < 18 * 1000 {
            bytes += peer.stream.get_mut().read(&mut buffer).await.expect("there is more");
            reads += 1;
        }
    };
    tokio::join!(sending, reading);
    assert!(reads < 50, "1000 messages in {reads} pieces");
}

#[tokio::test(start_paused = true)]
async fn messages_of_all_tasks_arrive_whole_and_each_tasks_in_order() {
    let (_bus, client, _events, mut peer) = connect().await;
    for task in 0..4 {
        let client = client.clone();
        tokio::spawn(async move {
            for number in 0..500 {
                client.send("t", &format!("{task} {number}")).await.expect("connected");
            }
        });
    }
    let mut next = [0; 4];
    for _ in 0..4 * 500 {
        let line = peer.hear().await.expect("there is more");
        let words: Vec<usize> =
            line["send t ".len()..].split(' ').map(|word| word.parse().expect("whole")).collect();
        assert_eq!(words[1], next[words[0]]);
        next[words[0]] += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn try_send_says_when_there_is_no_room() {
    let mut bus = super::peer::Bus::new();
    let builder: Builder = bus.builder().outgoing_bytes_max(100);
    let (client, _events, mut peer) = bus.connect(builder).await;
    let text = "x".repeat(42);
    assert_eq!(client.try_send("t", &text), Ok(true));
    assert_eq!(client.try_send("t", &text), Ok(true));
    assert_eq!(client.try_send("t", &text), Ok(false));
    client.send("t", &text).await.expect("there is room once the writer took the others");
    for _ in 0..3 {
        peer.expect(&format!("send t {text}")).await;
    }
    let long = "x".repeat(500);
    assert_eq!(client.try_send("t", &long), Ok(true), "one longer than the buffer goes alone");
    peer.expect(&format!("send t {long}")).await;
}
