//! Others on the topic: a second keeper, one that lies, an account that may not speak.

use std::process::Command;

use linebus_client::Event;
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::users::{self, TestUser};
use rooms::backup::{Error, Owner, restore};
use rooms_backup::{Hash, Message, TOPIC};

use super::processes::{Keeper, World};
use super::{LIMIT, PATIENCE, name, owner};
use crate::ROOMS;

#[tokio::test]
async fn two_keepers_tell_of_each_other_and_both_keep() {
    let world = World::new();
    let mut first = world.keeper();
    let mut second = Keeper::spawn(&world, &world.path("second"), Command::new(ROOMS));
    second.until_ready();
    let another = "another keeper speaks on this topic";
    first.until_told(another);
    let sets = [(name("a"), vec![7; 100_000])];
    let mut sender = Owner::start(world.builder(), owner("rooms"), sets, PATIENCE)
        .await
        .expect("the bus is there");
    assert!(sender.settled(LIMIT).await.expect("they answer").is_complete());
    second.until_told(another);
    drop(first);
    let restored = world.path("restored");
    let count = restore(world.builder(), owner("rooms"), &restored, PATIENCE, LIMIT).await;
    assert_eq!(count.expect("the second has it"), 1);
}

/// A keeper whose catalogue has just these lines, until the end of the test.
async fn lie(world: &World, catalogue: String) {
    let (liar, mut events) = world.builder().connect().await.expect("the bus is there");
    liar.recv(TOPIC).await.expect("joined");
    tokio::spawn(async move {
        let hash = Hash::of(catalogue.as_bytes());
        while let Some(event) = events.next().await {
            let Event::Message(line) = event else { continue };
            let said = match Message::parse(&line.text).expect("it is a message") {
                Message::Restore { owner, id } => {
                    vec![Message::Catalogue { owner, id, hash, bytes: catalogue.len() as u64 }]
                }
                Message::Want { owner, ask, .. } => {
                    let bytes = catalogue.clone().into_bytes();
                    let part = Message::Part { owner: owner.clone(), hash, number: 1, bytes };
                    vec![part, Message::End { owner, hash, ask }]
                }
                _ => vec![],
            };
            for message in said {
                liar.send(TOPIC, &message.to_string()).await.expect("the bus is there");
            }
        }
    });
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder_that_is_restored() {
    for bad in ["../evil", "/tmp/evil", "a/../../evil", "%2e%2e/evil"] {
        let world = World::new();
        let hash = Hash::of(b"x");
        lie(&world, format!("{bad} 1 {hash} 1\n")).await;
        let to = world.path("restored");
        let silence_max = PATIENCE.first;
        let error = restore(world.builder(), owner("rooms"), &to, PATIENCE, silence_max).await;
        let error = error.expect_err("it is not to be had");
        assert!(matches!(error, Error::Silence { .. }), "{error}");
        let mut there = std::fs::read_dir(world.folder.path()).expect("it is there");
        assert!(there.next().is_none(), "nothing was written");
    }
}

#[tokio::test]
async fn an_owner_that_may_not_speak_says_so() {
    let world = World::configured(|folder| {
        let rules = Rules { send: lists(&["rooms"], &[]), recv: lists(&[">"], &[]), see: false };
        let users = users::write(folder, &[TestUser::new("mute", "secret", rules)]);
        format!("users = {users:?}\n")
    });
    let bus = world.builder().login("mute", Some("secret")).expect("a login");
    let mut sender = Owner::start(bus, owner("rooms"), [(name("a"), vec![])], PATIENCE)
        .await
        .expect("it may hear");
    let error = sender.settled(LIMIT).await.expect_err("it may not send").to_string();
    assert!(error.contains("the bus refused send (denied)"), "{error}");
    assert!(sender.trouble().is_some_and(|trouble| error.contains(&trouble)));
}
