//! The keeper is killed at any point of a transfer and started again.

use std::collections::BTreeMap;

use fastrand::Rng;
use linebus_client::{Event, Events};
use rooms::backup::{Owner, read, restore};
use rooms::store::SqliteStore;
use rooms_backup::{DataSetName, Hash, Message, PART_BYTES_MAX, Store, TOPIC};

use super::processes::World;
use super::{LIMIT, PATIENCE, name, owner};

/// What the keeper said that it keeps: version and hash, for each that was acknowledged.
type Acknowledged = BTreeMap<(DataSetName, u64), Hash>;

const SETS: usize = 12;

/// Hears `count` lines of the topic.
async fn hear(events: &mut Events, count: usize, acknowledged: &mut Acknowledged) {
    for _ in 0..count {
        let event = tokio::time::timeout(LIMIT, events.next()).await.expect("lines come");
        note(event, acknowledged);
    }
}

fn note(event: Option<Event>, acknowledged: &mut Acknowledged) {
    let Some(Event::Message(message)) = event else { panic!("the bus is there: {event:?}") };
    if let Ok(Message::Kept { name, version, hash: Some(hash), .. }) = Message::parse(&message.text)
    {
        acknowledged.insert((name, version), hash);
    }
}

fn content(rng: &mut Rng) -> Vec<u8> {
    let bytes = rng.usize(5 * PART_BYTES_MAX + 1..100_000);
    std::iter::repeat_with(|| rng.u8(..)).take(bytes).collect()
}

/// Every version that was acknowledged is there, whole.
fn check(world: &World, acknowledged: &Acknowledged) {
    let store = SqliteStore::open_to_read(&world.store()).expect("it is there");
    let kept = store.versions(Some(&owner("rooms")), true).expect("it can be read");
    let kept: BTreeMap<_, _> = kept
        .into_iter()
        .map(|version| ((version.name, version.entry.version), version.entry.hash))
        .collect();
    for (version, hash) in acknowledged {
        assert_eq!(kept.get(version), Some(&Some(*hash)), "{version:?} is lost");
        let content = store.content(&owner("rooms"), *hash).expect("it can be read");
        assert!(content.is_some(), "{version:?} is lost");
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_the_restore_is_byte_equal() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let world = World::new();
    let numbered = |number: usize| name(&format!("set-{number}"));
    let mut wanted: BTreeMap<_, _> =
        (0..SETS).map(|number| (numbered(number), content(&mut rng))).collect();
    let (watcher, mut events) = world.builder().connect().await.expect("the bus is there");
    watcher.recv(TOPIC).await.expect("joined");
    let mut sender = Owner::start(world.builder(), owner("rooms"), wanted.clone(), PATIENCE)
        .await
        .expect("the bus is there");
    let mut acknowledged = Acknowledged::new();
    for round in 0..18 {
        let keeper = world.keeper();
        // All have changed: ten lines of each are to come at least, the last of which is `kept`.
        if round % 2 == 0 {
            hear(&mut events, rng.usize(1..10 * SETS), &mut acknowledged).await;
        } else {
            let enough = acknowledged.len() + rng.usize(1..SETS);
            while acknowledged.len() < enough {
                hear(&mut events, 1, &mut acknowledged).await;
            }
        }
        keeper.kill();
        // What it said before its end has been routed by the time of the pong.
        watcher.ping().await.expect("the bus is there");
        while let Some(event) = events.try_next() {
            note(Some(event), &mut acknowledged);
        }
        check(&world, &acknowledged);
        for number in 0..SETS {
            let (name, content) = (numbered(number), content(&mut rng));
            sender.set(name.clone(), content.clone());
            wanted.insert(name, content);
        }
    }
    assert!(acknowledged.len() >= 9, "some were acknowledged in between");
    let _keeper = world.keeper();
    let status = sender.settled(LIMIT).await.expect("it is kept");
    assert!(status.is_complete(), "{status:?}");
    check(&world, &acknowledged);
    let to = world.path("restored");
    let count = restore(world.builder(), owner("rooms"), &to, PATIENCE, LIMIT).await;
    assert_eq!(count.expect("it is there"), SETS);
    assert!(read(&to).expect("it is there") == wanted, "byte for byte");
}

#[tokio::test]
async fn a_restore_goes_on_when_the_keeper_is_killed_and_started_again() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let world = World::new();
    let keeper = world.keeper();
    let large = std::iter::repeat_with(|| rng.u8(..)).take(3_000_000).collect();
    let wanted = BTreeMap::from([(name("large"), large), (name("small"), content(&mut rng))]);
    let mut sender = Owner::start(world.builder(), owner("rooms"), wanted.clone(), PATIENCE)
        .await
        .expect("the bus is there");
    assert!(sender.settled(LIMIT).await.expect("it is kept").is_complete());
    drop(sender);

    let (watcher, mut events) = world.builder().connect().await.expect("the bus is there");
    watcher.recv(TOPIC).await.expect("joined");
    let to = world.path("restored");
    let kills = async {
        let mut keeper = keeper;
        for _ in 0..4 {
            hear(&mut events, rng.usize(1..100), &mut Acknowledged::new()).await;
            keeper.kill();
            keeper = world.keeper();
        }
        keeper
    };
    let restored = restore(world.builder(), owner("rooms"), &to, PATIENCE, LIMIT);
    let (count, _keeper) = tokio::join!(restored, kills);
    assert_eq!(count.expect("it is there"), 2);
    assert!(read(&to).expect("it is there") == wanted, "byte for byte");
}

#[tokio::test]
async fn a_keeper_that_lost_its_store_gets_everything_again() {
    let world = World::new();
    let sets = [(name("a"), b"one".to_vec())];
    let keeper = world.keeper();
    let mut sender = Owner::start(world.builder(), owner("rooms"), sets, PATIENCE)
        .await
        .expect("the bus is there");
    assert!(sender.settled(LIMIT).await.expect("it is kept").is_complete());
    keeper.kill();
    for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let _ = std::fs::remove_file(world.path(file));
    }
    let (watcher, mut events) = world.builder().connect().await.expect("the bus is there");
    watcher.recv(TOPIC).await.expect("joined");
    let _keeper = world.keeper();
    let mut acknowledged = Acknowledged::new();
    while acknowledged.is_empty() {
        hear(&mut events, 1, &mut acknowledged).await;
    }
    check(&world, &acknowledged);
}
