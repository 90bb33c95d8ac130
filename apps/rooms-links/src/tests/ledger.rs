//! Answers: one for each wish, and the first one again.

use std::time::Duration;

use expect_test::expect;

use super::transcript::{check, online, rooms};
use crate::ledger::WISHES_MAX;
use crate::{Effect, Event, Fact, Links, Reason, Request, Wish};

#[test]
fn a_wish_said_twice_within_a_minute_gets_the_first_answer() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > wish p1 connect a b
        accepted p1
        > failed a device-error
        link a b disconnecting device-error: The codec of Vienna could not do it.
        failed p1 device-error: The codec of Vienna could not do it.
        link a b idle device-error: The codec of Vienna could not do it.
        room a free
        room b free
        > wish p1 connect c b
        accepted p1
        failed p1 device-error: The codec of Vienna could not do it.
        > after 59
        > wish p1 connect c b
        accepted p1
        failed p1 device-error: The codec of Vienna could not do it.
        > after 1
        > wish p1 connect c b
        accepted p1
        link c b preparing
        prepare c
        prepare b
        room b busy with=c
        room c busy with=b
    "#]]);
}

#[test]
fn a_refusal_said_twice_is_the_same_even_when_it_no_longer_would_be() {
    check(&expect![[r#"
        > offline b
        room b offline
        > wish p1 connect a b
        refused p1 offline-far: The codec of Lisbon is not reachable.
        > online b
        room b free
        > wish p1 connect a b
        refused p1 offline-far: The codec of Lisbon is not reachable.
        > wish p2 connect a b
        accepted p2
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
    "#]]);
}

fn connect(links: &mut Links, id: usize) -> Vec<Effect> {
    let wish = Wish::Connect("a".into(), "b".into());
    let id = Some(format!("p{id}").into());
    links.handle(Event::Wish(Request { wish, id, by: None }), Duration::ZERO)
}

fn refusal(effects: &[Effect]) -> Option<Reason> {
    effects.iter().find_map(|effect| match effect {
        Effect::Fact(Fact::Refused { why, .. }) => Some(why.reason),
        _ => None,
    })
}

#[test]
fn more_wishes_than_can_wait_are_refused_and_none_of_the_others_is_lost() {
    let mut links = online(rooms());
    for id in 0..WISHES_MAX {
        assert_eq!(refusal(&connect(&mut links, id)), None);
    }
    assert_eq!(refusal(&connect(&mut links, WISHES_MAX)), Some(Reason::Busy));
    let effects = links
        .handle(Event::Failed { room: "a".into(), reason: Reason::DeviceError }, Duration::ZERO);
    let failed = |effect: &&Effect| matches!(effect, Effect::Fact(Fact::Failed { .. }));
    assert_eq!(effects.iter().filter(failed).count(), WISHES_MAX);
}

#[test]
fn more_answers_than_can_be_remembered_forget_the_oldest() {
    let mut links = online(rooms());
    links.handle(Event::Offline { room: "b".into(), asleep: false }, Duration::ZERO);
    for id in 0..=WISHES_MAX {
        assert_eq!(refusal(&connect(&mut links, id)), Some(Reason::OfflineFar));
    }
    links.handle(Event::Online { room: "b".into(), calls: vec![] }, Duration::ZERO);
    assert_eq!(refusal(&connect(&mut links, 1)), Some(Reason::OfflineFar), "it is remembered");
    assert_eq!(refusal(&connect(&mut links, 0)), None, "it is forgotten, thus a new wish");
}
