//! Client and server together: that they mean the same protocol. What is promised when things go
//! wrong is tested against scripted peers, in `src/tests`.

use std::net::SocketAddr;
use std::time::Duration;

use linebus_client::{Client, Event, Events, Lost, Message, blocking, split_reply};
use linebus_server::{Config, Control, Controller, Listeners, controls, run};
use tokio::task::JoinHandle;

/// A bus in this process.
struct Bus {
    address: SocketAddr,
    controller: Controller,
    served: JoinHandle<()>,
}

impl Bus {
    /// On a free port.
    fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn start_at(address: SocketAddr) -> Self {
        let config = Config { listen: vec![address], ..Config::default() };
        let listeners = Listeners::bind(&config).expect("the port is free");
        let address = listeners.addresses().next().expect("one");
        let address = address.strip_prefix("tcp ").expect("TCP").parse().expect("an address");
        let (controller, controls) = controls();
        let served = tokio::spawn(async move {
            run(listeners, &config, controls).await.expect("threads");
        });
        Self { address, controller, served }
    }

    fn url(&self) -> String {
        format!("linebus://{}", self.address)
    }

    async fn connect(&self) -> (Client, Events) {
        Client::connect(&self.url()).await.expect("it listens")
    }

    async fn stop(self) {
        self.controller.ask(Control::Shutdown);
        self.served.await.expect("it ends well");
    }
}

async fn message(events: &mut Events) -> Message {
    match events.next().await {
        Some(Event::Message(message)) => message,
        other => panic!("a message is wanted, not {other:?}"),
    }
}

#[tokio::test]
async fn every_command_is_understood() {
    let bus = Bus::start();
    let (alice, mut events) = bus.connect().await;
    alice.login("alice", None).await.expect("any name will do");
    alice.recv("a.*").await.expect("joined");
    alice.watch("b").await.expect("joined");
    alice.recv_in_group("jobs", "workers").await.expect("joined");
    assert!(alice.leave("nothing").await.is_err());

    let (bob, mut refusals) = bus.connect().await;
    for (topic, text) in [("a.b", " x "), ("b", "ümläut 🙂"), ("jobs", ""), ("c", "unheard")] {
        bob.send(topic, text).await.expect("sent");
    }
    bob.ping().await.expect("answered");
    alice.ping().await.expect("answered");
    let heard = events.try_next();
    assert!(matches!(heard, Some(Event::Message(m)) if m.text == " x " && m.user.is_none()));
    let watched = message(&mut events).await;
    assert_eq!((watched.text.as_str(), watched.user.as_deref()), ("ümläut 🙂", Some("guest")));
    assert_eq!(watched.time.map(|time| time.len()), Some("2013-02-03T00:00:00.000000Z".len()));
    assert_eq!(message(&mut events).await.topic, "jobs");
    assert_eq!(events.try_next(), None);

    let topics = bob.topics(None).await.expect("listed");
    let topics: Vec<_> = topics.iter().map(|t| (t.topic.as_str(), t.receivers)).collect();
    assert_eq!(topics, [("a.*", 1), ("b", 1), ("jobs", 1)]);
    let who = bob.who(Some("b")).await.expect("listed");
    assert_eq!((who.len(), who[0].user.as_str()), (1, "alice"));
    assert_eq!(bob.who(None).await.expect("listed").len(), 2);

    bob.logoff().await.expect("answered");
    match refusals.next().await {
        Some(Event::Disconnected(lost)) => assert!(matches!(lost.why, Lost::Bye { .. })),
        other => panic!("{other:?}"),
    }
    bus.stop().await;
}

#[tokio::test]
async fn a_restart_is_survived_and_not_hidden() {
    let bus = Bus::start();
    let address = bus.address;
    let (alice, mut events) = bus.connect().await;
    alice.login("alice", None).await.expect("any name will do");
    alice.watch("t").await.expect("joined");
    bus.stop().await;
    assert!(matches!(events.next().await, Some(Event::Note { code, .. }) if code == "shutdown"));
    match events.next().await {
        Some(Event::Disconnected(lost)) => assert!(lost.retrying, "{lost:?}"),
        other => panic!("{other:?}"),
    }
    let bus = Bus::start_at(address);
    assert!(matches!(events.next().await, Some(Event::Reconnected { .. })));
    let (bob, _) = bus.connect().await;
    bob.send("t", "back").await.expect("sent");
    assert_eq!(message(&mut events).await.text, "back");
    assert_eq!(bob.who(Some("t")).await.expect("listed")[0].user, "alice");
    drop((alice, events, bob));
    bus.stop().await;
}

#[tokio::test]
async fn a_question_is_answered() {
    let bus = Bus::start();
    let (answerer, mut questions) = bus.connect().await;
    answerer.recv("rooms").await.expect("joined");
    tokio::spawn(async move {
        while let Some(event) = questions.next().await {
            let Event::Message(message) = event else { continue };
            let ("which?", Some(reply)) = split_reply(&message.text) else { continue };
            for answer in ["vienna", "lisbon", "done"] {
                answerer.send(reply, answer).await.expect("sent");
            }
        }
    });
    let (asker, mut events) = bus.connect().await;
    let mut answers =
        asker.ask("rooms", "which?", Duration::from_secs(30)).await.expect("it may ask");
    assert_eq!(answers.next().await, Some(Ok("vienna".to_owned())));
    assert_eq!(answers.next().await, Some(Ok("lisbon".to_owned())));
    assert_eq!(answers.next().await, None);
    drop(answers);
    asker.ping().await.expect("answered");
    let topics = asker.topics(None).await.expect("listed");
    assert_eq!(topics.len(), 1, "the reply topic was left: {topics:?}");
    assert_eq!(events.try_next(), None, "the answers were no events");
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_messages_arrive_in_order() {
    let bus = Bus::start();
    let (alice, mut events) = bus.connect().await;
    alice.recv("t").await.expect("joined");
    let (bob, _) = bus.connect().await;
    let sending = tokio::spawn(async move {
        for number in 0..100_000 {
            bob.send("t", &number.to_string()).await.expect("sent");
        }
        bob.logoff().await.expect("answered");
    });
    for number in 0..100_000 {
        assert_eq!(message(&mut events).await.text, number.to_string());
    }
    sending.await.expect("it ends well");
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_without_async_can_do_the_same() {
    let bus = Bus::start();
    let url = bus.url();
    let program = move || {
        let (alice, mut events) = blocking::Client::connect(&url).expect("it listens");
        alice.login("alice", None).expect("any name will do");
        alice.recv("a").expect("joined");
        alice.watch("b").expect("joined");
        alice.recv_in_group("c", "g").expect("joined");
        alice.leave("a").expect("it was joined");
        assert!(events.next_within(Duration::from_millis(1)).is_err(), "nothing yet");
        let (bob, _) = blocking::Client::connect(&url).expect("it listens");
        for number in 0..20_000 {
            bob.send("b", &number.to_string()).expect("sent");
        }
        // Dropped without a word, it still writes what it accepted.
        drop(bob);
        for number in 0..20_000 {
            let Some(Event::Message(message)) = events.next() else { panic!("{number}") };
            assert_eq!(message.text, number.to_string());
        }
        assert_eq!(events.try_next(), None);
        assert_eq!(alice.topics(Some("b")).expect("listed")[0].receivers, 1);
        assert_eq!(alice.who(None).expect("listed")[0].user, "alice");
        alice.ping().expect("answered");
        // The time is counted from the question's beginning, so it may also be up before it is asked.
        match alice.ask("nobody", "there?", Duration::from_millis(1)) {
            Ok(mut answers) => assert!(matches!(answers.next(), Some(Err(_)))),
            Err(error) => assert!(matches!(error, linebus_client::Error::AskTimeout { .. })),
        }
        alice.logoff().expect("answered");
        assert!(matches!(events.next(), Some(Event::Disconnected(_))));
        assert_eq!(events.next(), None);
        let ended = events.next_within(Duration::from_secs(60));
        assert_eq!(ended, Ok(None));
        assert!(!alice.is_connected() && alice.ping().is_err());
    };
    tokio::task::spawn_blocking(program).await.expect("it ends well");
    bus.stop().await;
}
