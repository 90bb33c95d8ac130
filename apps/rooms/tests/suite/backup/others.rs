//! Others on the topic: a second keeper, one that lies, an account that may not speak.

use std::path::{Path, PathBuf};
use std::process::Command;

use linebus_client::Event;
use linebus_testkit::process::Server;
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::users::{self, TestUser};
use rooms::backup::{Owner, restore};
use rooms_backup::{Hash, Message, PART_BYTES_MAX, TOPIC};
use rustix::process::Signal;

use super::processes::{Keeper, World};
use super::{LIMIT, PATIENCE, name, owner};
use crate::ROOMS;

#[tokio::test]
async fn two_keepers_tell_of_each_other_and_both_keep() {
    let world = World::new();
    let mut first = world.keeper();
    let mut second = Keeper::spawn(&world.url, &world.path("second"), Command::new(ROOMS));
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

/// A keeper that has one data set, whose content is `x` and whose name may be none.
async fn lie(world: &World, name: &str) {
    let (liar, mut events) = world.builder().connect().await.expect("the bus is there");
    liar.recv(TOPIC).await.expect("joined");
    let content = b"x".to_vec();
    let catalogue = format!("{name} 1 {} 1\n", Hash::of(&content)).into_bytes();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let Event::Message(line) = event else { continue };
            let said = match Message::parse(&line.text).expect("it is a message") {
                Message::Restore { owner, id } => {
                    let (hash, bytes) = (Hash::of(&catalogue), catalogue.len() as u64);
                    Message::Catalogue { owner, id, hash, bytes }
                }
                Message::Want { owner, hash, .. } => {
                    let mut known = [&catalogue, &content].into_iter();
                    let bytes = known.find(|bytes| Hash::of(bytes) == hash);
                    let bytes = bytes.expect("nothing else is there").clone();
                    Message::Part { owner, hash, number: 1, bytes }
                }
                other => panic!("nobody says {other}"),
            };
            liar.send(TOPIC, &said.to_string()).await.expect("the bus is there");
        }
    });
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder_that_is_restored() {
    for bad in ["../evil", "/tmp/evil", "a/../../evil", "%2e%2e/evil"] {
        let world = World::new();
        lie(&world, bad).await;
        let to = world.path("restored");
        let error = restore(world.builder(), owner("rooms"), &to, PATIENCE, LIMIT).await;
        let error = error.expect_err("it is not to be had").to_string();
        let wrong = format!(
            "not restored, because what the keeper says can't be read: line 1 of the catalogue is \
             wrong: \"{bad} 1 "
        );
        assert!(error.starts_with(&wrong), "{error}");
        let mut there = std::fs::read_dir(world.folder.path()).expect("it is there");
        assert!(there.next().is_none(), "nothing was written");
    }
    let world = World::new();
    lie(&world, "a/good").await;
    let to = world.path("restored");
    let count = restore(world.builder(), owner("rooms"), &to, PATIENCE, LIMIT).await;
    assert_eq!(count.expect("it is to be had"), 1);
    assert_eq!(std::fs::read(to.join("a/good")).expect("it is there"), b"x");
}

#[tokio::test]
async fn who_asks_without_end_and_does_not_listen_takes_no_memory() {
    let world = World::new();
    let keeper = world.keeper();
    let content = vec![7; 64 * PART_BYTES_MAX];
    let hash = Hash::of(&content);
    let mut sender =
        Owner::start(world.builder(), owner("rooms"), [(name("a"), content)], PATIENCE)
            .await
            .expect("the bus is there");
    assert!(sender.settled(LIMIT).await.expect("it answers").is_complete());
    let mut deaf = world.bus.as_ref().map(Server::telnet).expect("it is there");
    deaf.say("recv backup");
    for ask in 0..250 {
        deaf.say(&format!("send backup want rooms {hash} {ask} {PART_BYTES_MAX} 1-64"));
    }
    sender.set(name("b"), *b"after all this");
    assert!(sender.settled(LIMIT).await.expect("it answers").is_complete());
    // The answers to all have 125 MiB.
    let peak = keeper.memory_peak_kib();
    assert!(peak < 64 * 1024, "{peak} KiB");
}

fn accounts(folder: &Path, send: &[&str]) -> PathBuf {
    let rules = Rules { send: lists(send, &[]), recv: lists(&[">"], &[]), see: false };
    users::write(folder, &[TestUser::new("devices", "secret", rules)])
}

#[tokio::test]
async fn an_owner_that_may_not_speak_says_so_and_goes_on_when_it_may() {
    let world = World::configured(|folder| format!("users = {:?}\n", accounts(folder, &["rooms"])));
    let builder = || world.builder().login("devices", Some("secret")).expect("a login");
    let mut sender = Owner::start(builder(), owner("rooms"), [(name("a"), vec![])], PATIENCE)
        .await
        .expect("it may hear");
    let error = sender.settled(LIMIT).await.expect_err("it may not send").to_string();
    assert!(error.starts_with("the bus refused send (denied): "), "{error}");
    assert_eq!(sender.trouble(), Some(error));

    accounts(world.folder.path(), &["rooms", "backup"]);
    world.bus.as_ref().expect("it is there").signal(Signal::HUP);
    let mut url = world.url.clone();
    url.insert_str("linebus://".len(), "devices:secret@");
    let _keeper = Keeper::spawn(&url, &world.store(), Command::new(ROOMS));
    while !sender.status().is_complete() {
        sender.changed().await;
    }
    assert_eq!(sender.trouble(), None);
}
