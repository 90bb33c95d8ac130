//! A bus that is killed, comes again, or is not there yet.

use std::process::Command;

use rooms::backup::{Owner, read, restore};

use super::processes::{Keeper, World};
use super::{LIMIT, PATIENCE, name, owner};
use crate::ROOMS;

#[tokio::test]
async fn what_changes_while_the_bus_is_gone_is_kept_when_it_is_back() {
    let mut world = World::without_bus();
    world.start_bus();
    let mut keeper = world.keeper();
    let sets = [(name("a"), b"one".to_vec()), (name("b"), vec![7; 300_000])];
    let mut sender = Owner::start(world.builder(), owner("rooms"), sets, PATIENCE)
        .await
        .expect("the bus is there");
    assert!(sender.settled(LIMIT).await.expect("the keeper answers").is_complete());
    for round in 0..3_u8 {
        let changed = vec![round; 200_000];
        sender.set(name("b"), changed.clone());
        // Killed, perhaps in the middle of it.
        world.bus = None;
        keeper.until_told("the bus is lost: ");
        sender.set(name("a"), [round]);
        world.start_bus();
        keeper.until_ready();
        let status = sender.settled(LIMIT).await.expect("the keeper answers");
        assert!(status.is_complete(), "{status:?}");
        let to = world.path(&round.to_string());
        restore(world.builder(), owner("rooms"), &to, PATIENCE, LIMIT).await.expect("it is kept");
        let expected = [(name("a"), vec![round]), (name("b"), changed)];
        assert!(read(&to).expect("it is there") == expected.into(), "byte for byte");
    }
    assert!(keeper.end().success());
}

#[test]
fn a_keeper_waits_for_its_bus_and_can_be_ended_meanwhile() {
    let mut world = World::without_bus();
    let spawn = |world: &World| Keeper::spawn(&world.url, &world.store(), Command::new(ROOMS));
    let mut keeper = spawn(&world);
    keeper.until_told("can't connect to ");
    assert!(keeper.end().success());
    let mut keeper = spawn(&world);
    keeper.until_told("waiting for it");
    world.start_bus();
    keeper.until_ready();
    world.bus = None;
    keeper.until_told("the bus is lost: ");
    assert!(keeper.end().success());
}
