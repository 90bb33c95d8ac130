//! Which answer belongs to which call.

use std::time::Duration;

use super::peer::{connect, message};
use crate::{Error, Event, Lost, Refused};

#[tokio::test(start_paused = true)]
async fn answers_come_in_the_order_of_the_calls() {
    let (_bus, client, _events, mut peer) = connect().await;
    let script = async {
        for line in ["recv a.>", "watch b", "recv c g", "leave d", "who", "ping"] {
            peer.expect(line).await;
        }
        peer.say("ok recv a.>\nok watch b\nok recv c g\nerror leave not-joined no").await;
        peer.say("who bob 7 unix\nwho eve 9 10.0.0.1:5\nok who 2\npong").await;
    };
    let (a, b, c, d, who, pong, ()) = tokio::join!(
        client.recv("a.>"),
        client.watch("b"),
        client.recv_in_group("c", "g"),
        client.leave("d"),
        client.who(None),
        client.ping(),
        script
    );
    assert_eq!((a, b, c), (Ok(()), Ok(()), Ok(())));
    let refused = Refused { verb: "leave".into(), code: "not-joined".into(), text: "no".into() };
    assert_eq!(d, Err(Error::Refused(refused)));
    let who = who.expect("it is answered");
    assert_eq!(who[0].user, "bob");
    assert_eq!((who[1].id, who[1].address.as_str()), (9, "10.0.0.1:5"));
    assert!(pong.is_ok());
}

#[tokio::test(start_paused = true)]
async fn lists_are_what_the_bus_says() {
    let (_bus, client, _events, mut peer) = connect().await;
    let says = "topic a 1\ntopic rooms.> 2\nok topics 2";
    let topics = peer.answer(client.topics(Some(">")), "topics >", says).await;
    let topics = topics.expect("it is answered");
    assert_eq!((topics[1].topic.as_str(), topics[1].receivers), ("rooms.>", 2));
    let who = peer.answer(client.who(Some("a")), "who a", "ok who 0").await;
    assert_eq!(who, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_refused_send_is_an_event_and_never_an_answer() {
    let (_bus, client, mut events, mut peer) = connect().await;
    client.send("secret", "x").await.expect("connected");
    let script = async {
        peer.expect("send secret x").await;
        peer.expect("ping").await;
        peer.say("recv t before\nerror send denied not you\nerror line too-long no\npong").await;
    };
    let (pong, ()) = tokio::join!(client.ping(), script);
    assert!(pong.is_ok());
    // All that stood before the pong is here already.
    assert_eq!(message(events.try_next()), "before");
    for code in ["denied", "too-long"] {
        let event = events.try_next();
        assert!(
            matches!(&event, Some(Event::Refused(refused)) if refused.code == code),
            "{event:?}"
        );
    }
    assert_eq!(events.try_next(), None);
}

#[tokio::test(start_paused = true)]
async fn a_line_without_a_verb_answers_a_login() {
    let (_bus, client, _events, mut peer) = connect().await;
    let login = client.login("bob", Some("x"));
    let login = peer.answer(login, "login bob x", "error line too-long no").await;
    assert!(matches!(login, Err(Error::Refused(refused)) if refused.code == "too-long"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_given_up_does_not_take_the_next_answer() {
    let (_bus, client, _events, mut peer) = connect().await;
    let limit = Duration::from_secs(1);
    let gave_up = tokio::time::timeout(limit, client.recv("a")).await;
    assert!(gave_up.is_err());
    let leave = client.leave("b");
    let script = async {
        peer.expect("recv a").await;
        peer.expect("leave b").await;
        peer.say("ok recv a\nerror leave not-joined no").await;
    };
    assert!(matches!(tokio::join!(leave, script).0, Err(Error::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_asked_for_breaks_the_connection() {
    for (line, what) in [
        ("ok recv t", "an answer to recv where nothing was due"),
        ("pong", "an answer to ping where nothing was due"),
        ("error watch busy no", "an answer to watch where nothing was due"),
    ] {
        let (_bus, _client, mut events, mut peer) = connect().await;
        peer.say(line).await;
        match events.next().await {
            Some(Event::Disconnected(lost)) => assert_eq!(lost.why, Lost::Garbage(what.into())),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn verbs_of_later_versions_are_ignored() {
    let (_bus, client, mut events, mut peer) = connect().await;
    let says = "presence bob away\nhelp x\n\nhello again\nwho odd\ntopic odd\npong";
    assert!(peer.answer(client.ping(), "ping", says).await.is_ok());
    assert_eq!(events.try_next(), None);
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_is_an_error_and_the_connection_goes_on() {
    let (_bus, client, _events, mut peer) = connect().await;
    match client.recv("t").await {
        Err(Error::AnswerTimeout { verb: "recv", after, unread: 0 }) => {
            assert_eq!(after, Duration::from_secs(30));
        }
        other => panic!("{other:?}"),
    }
    // The client itself asked whether the bus is still there.
    for line in ["recv t", "ping"] {
        peer.expect(line).await;
    }
    peer.say("ok recv t\npong").await;
    assert!(peer.answer(client.ping(), "ping", "pong").await.is_ok());
}
