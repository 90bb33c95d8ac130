//! The keeper is killed at many points of a transfer and started again.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use linebus_client::{Event, Events};
use rooms::backup::{Owner, read, restore};
use rooms::store::SqliteStore;
use rooms_backup::{DataSetName, Hash, Message, OwnerName, Patience, Store, TOPIC};

use super::processes::World;

const PATIENCE: Patience =
    Patience { first: Duration::from_millis(200), most: Duration::from_millis(400) };
const LIMIT: Duration = Duration::from_secs(60);

/// What the keeper said that it keeps: version and hash, for each that was acknowledged.
type Acknowledged = BTreeMap<(DataSetName, u64), Hash>;

/// Hears `count` lines of the topic, or those that there are.
async fn hear(events: &mut Events, count: usize, acknowledged: &mut Acknowledged) {
    for _ in 0..count {
        let event = tokio::time::timeout(LIMIT, events.next()).await.expect("lines come");
        let Some(Event::Message(message)) = event else { panic!("the bus is there: {event:?}") };
        note(&message.text, acknowledged);
    }
}

fn note(line: &str, acknowledged: &mut Acknowledged) {
    if let Ok(Message::Kept { name, version, hash: Some(hash), .. }) = Message::parse(line) {
        acknowledged.insert((name, version), hash);
    }
}

fn content(rng: &mut Rng) -> Vec<u8> {
    let bytes = rng.usize(20_000..40_000);
    std::iter::repeat_with(|| rng.u8(..)).take(bytes).collect()
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_the_restore_is_byte_equal() {
    let world = World::new();
    let mut rng = Rng::with_seed(1);
    let name = |number: usize| DataSetName::new(&format!("set-{number}")).expect("a name");
    let mut wanted: BTreeMap<_, _> =
        (0..12).map(|number| (name(number), content(&mut rng))).collect();
    let owner: OwnerName = "rooms".parse().expect("an owner");
    let (watcher, mut events) = world.builder().connect().await.expect("the bus is there");
    watcher.recv(TOPIC).await.expect("joined");
    let mut sender = Owner::start(world.builder(), owner.clone(), wanted.clone(), PATIENCE)
        .await
        .expect("the bus is there");
    let mut acknowledged = Acknowledged::new();
    for round in 0..18 {
        let keeper = world.keeper();
        hear(&mut events, 1 + round * 4, &mut acknowledged).await;
        keeper.kill();
        // What it said before its end has been routed by the time of the pong.
        watcher.ping().await.expect("the bus is there");
        while let Some(event) = events.try_next() {
            if let Event::Message(message) = event {
                note(&message.text, &mut acknowledged);
            }
        }
        let store = SqliteStore::open(&world.store(), rooms::store::Retention::default())
            .expect("it is not damaged");
        let kept = store.versions(Some(&owner), true).expect("it can be read");
        for ((name, version), hash) in &acknowledged {
            let is_it = |kept: &&rooms::store::Version| {
                kept.name == *name
                    && kept.entry.version == *version
                    && kept.entry.hash == Some(*hash)
            };
            assert!(kept.iter().any(|one| is_it(&one)), "round {round}: {name} {version} is lost");
            let content = store.content(&owner, *hash).expect("it can be read");
            assert!(content.is_some_and(|content| Hash::of(&content) == *hash));
        }
        drop(store);
        // All change, so that each round has more lines than are waited for.
        for number in 0..12 {
            let (name, content) = (name(number), content(&mut rng));
            sender.set(name.clone(), content.clone());
            wanted.insert(name, content);
        }
    }
    assert!(acknowledged.len() > 12, "some were acknowledged in between");
    let _keeper = world.keeper();
    let status = sender.settled(LIMIT).await.expect("it is kept");
    assert!(status.is_complete(), "{status:?}");
    let to = world.path("restored");
    let count = restore(world.builder(), owner, &to, PATIENCE, LIMIT).await.expect("it is there");
    assert_eq!(count, wanted.len());
    assert_eq!(read(&to).expect("it is there"), wanted);
}

#[tokio::test]
async fn a_keeper_that_lost_its_store_gets_everything_again() {
    let world = World::new();
    let owner: OwnerName = "rooms".parse().expect("an owner");
    let name = DataSetName::new("a").expect("a name");
    let sets = [(name.clone(), b"one".to_vec())];
    let keeper = world.keeper();
    let mut sender = Owner::start(world.builder(), owner.clone(), sets, PATIENCE)
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
    let store = SqliteStore::open_to_read(&world.store()).expect("it is there");
    assert_eq!(store.content_of(&owner, &name, None), Ok(Some(Some(b"one".to_vec()))));
}
