//! Questions, answers, and the topic on which they come.

use std::time::Duration;

use super::peer::{Peer, connect, message};
use crate::{Answers, Client, Error, Event, split_reply};

const LIMIT: Duration = Duration::from_secs(10);

/// Lets the client ask `which?` on `rooms`; the answers, and where to send them.
async fn ask(client: &Client, peer: &mut Peer) -> (Answers, String) {
    let script = async {
        let line = peer.hear().await.expect("a join");
        let topic = line.strip_prefix("recv ").expect("it joins").to_owned();
        assert!(topic.starts_with("_reply."));
        peer.say(&format!("ok recv {topic}")).await;
        let line = peer.hear().await.expect("the question");
        let message = line.strip_prefix("send rooms ").expect("it asks");
        assert_eq!(split_reply(message), ("which?", Some(topic.as_str())));
        topic
    };
    let (answers, topic) = tokio::join!(client.ask("rooms", "which?", LIMIT), script);
    (answers.expect("it is let"), topic)
}

#[tokio::test(start_paused = true)]
async fn answers_come_until_done_and_then_the_topic_is_left() {
    let (_bus, client, mut events, mut peer) = connect().await;
    let (mut answers, topic) = ask(&client, &mut peer).await;
    peer.say(&format!("recv {topic} vienna\nrecv other x\nrecv {topic} done deal")).await;
    peer.say(&format!("recv {topic} done\nrecv {topic} too late")).await;
    assert_eq!(answers.next().await, Some(Ok("vienna".into())));
    assert_eq!(answers.next().await, Some(Ok("done deal".into())));
    assert_eq!(answers.next().await, None);
    assert_eq!(answers.next().await, None);
    drop(answers);
    peer.expect(&format!("leave {topic}")).await;
    peer.say(&format!("recv {topic} much too late\nok leave {topic}\nrecv t after")).await;
    assert_eq!(message(events.next().await), "x");
    assert_eq!(message(events.next().await), "after");
}

#[tokio::test(start_paused = true)]
async fn answers_are_not_waited_for_longer_than_chosen() {
    let (_bus, client, _events, mut peer) = connect().await;
    let (mut answers, topic) = ask(&client, &mut peer).await;
    peer.say(&format!("recv {topic} vienna")).await;
    assert_eq!(answers.next().await, Some(Ok("vienna".into())));
    assert_eq!(answers.next().await, Some(Err(Error::AskTimeout { after: LIMIT })));
    assert_eq!(answers.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_not_answered_counts_as_time_too() {
    let (_bus, client, _events, mut peer) = connect().await;
    let asked = client.ask("rooms", "which?", LIMIT).await;
    assert_eq!(asked.map(drop), Err(Error::AskTimeout { after: LIMIT }));
    let line = peer.hear().await.expect("a join");
    let topic = line.strip_prefix("recv ").expect("it joins").to_owned();
    peer.expect(&format!("leave {topic}")).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_ends_the_answers_and_is_not_joined_again() {
    let (mut bus, client, _events, mut peer) = connect().await;
    peer.let_join(&client, "t").await;
    let (mut answers, _topic) = ask(&client, &mut peer).await;
    drop(peer);
    assert!(matches!(answers.next().await, Some(Err(Error::Disconnected(_)))));
    assert_eq!(answers.next().await, None);
    let mut peer = bus.accept().await;
    peer.expect("recv t").await;
    peer.say("ok recv t").await;
    drop(answers);
    let line = peer.hear().await.expect("a harmless leave");
    assert!(line.starts_with("leave _reply."), "{line}");
    peer.say("error leave not-joined no").await;
    assert!(peer.answer(client.ping(), "ping", "pong").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_others_ask_is_heard_by_who_listens_to_everything() {
    let (_bus, client, mut events, mut peer) = connect().await;
    peer.let_join(&client, ">").await;
    let (mut answers, topic) = ask(&client, &mut peer).await;
    peer.say(&format!("recv _reply.0123 theirs\nrecv {topic} ours")).await;
    assert_eq!(message(events.next().await), "theirs");
    assert_eq!(answers.next().await, Some(Ok("ours".into())));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_can_not_be_asked_leaves_nothing_behind() {
    let (_bus, client, _events, mut peer) = connect().await;
    let script = async {
        let line = peer.hear().await.expect("a join");
        let topic = line.strip_prefix("recv ").expect("it joins").to_owned();
        peer.say(&format!("ok recv {topic}")).await;
        peer.expect(&format!("leave {topic}")).await;
    };
    let (asked, ()) = tokio::join!(client.ask("rooms", "a\nb", LIMIT), script);
    assert_eq!(asked.map(drop), Err(Error::BadText));
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_make_the_socket_full_too() {
    let (_bus, client, mut events, mut peer) = connect().await;
    let (mut answers, topic) = ask(&client, &mut peer).await;
    let flood = async {
        let line = format!("recv {topic} {}", "x".repeat(900));
        for _ in 0..2000 {
            peer.say(&line).await;
        }
        peer.say(&format!("recv {topic} done\nrecv t after")).await;
    };
    let reading = async {
        // The other side waits until somebody reads.
        tokio::time::advance(Duration::from_secs(1)).await;
        let mut count = 0;
        while let Some(answer) = answers.next().await {
            assert!(answer.is_ok());
            count += 1;
        }
        count
    };
    let ((), count) = tokio::join!(flood, reading);
    assert_eq!(count, 2000);
    assert!(matches!(events.next().await, Some(Event::Message(_))));
}
