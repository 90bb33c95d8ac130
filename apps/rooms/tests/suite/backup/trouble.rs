//! Disks that are full, stores that are damaged or taken, data sets that are too large.

use std::fs;
use std::process::Command;

use linebus_testkit::process::Server;
use rooms::backup::{Error, Owner};
use rooms::store::{Retention, SqliteStore};
use rooms_backup::{DATA_SET_BYTES_MAX, Hash, RefusedReason, Store};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::processes::{Keeper, World};
use super::{LIMIT, PATIENCE, name, owner};
use crate::{ROOMS, text};

/// A keeper whose files can't grow beyond 150 KiB, as if the disk ended there.
fn keeper_on_a_small_disk(world: &World) -> Keeper {
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -S -f 300; exec \"$0\" \"$@\"";
    command.args(["-c", limited, ROOMS]);
    let mut keeper = Keeper::spawn(&world.url, &world.store(), command);
    keeper.until_ready();
    keeper
}

#[tokio::test]
async fn a_full_disk_is_told_and_healed_when_there_is_room() {
    let world = World::new();
    let mut keeper = keeper_on_a_small_disk(&world);
    let sets = [(name("large"), vec![7; 400_000]), (name("small"), b"x".to_vec())];
    let mut sender = Owner::start(world.builder(), owner("rooms"), sets, PATIENCE)
        .await
        .expect("the bus is there");
    let status = sender.settled(LIMIT).await.expect("the keeper answers");
    assert_eq!((status.kept, status.pending), (1, 1));
    let refusal = &status.refused[&name("large")];
    assert_eq!(refusal.reason, RefusedReason::Store);
    assert!(refusal.text.contains("disk"), "{}", refusal.text);
    let told = keeper.until_told("refused");
    let expected = format!("rooms: refused rooms large version 1: {} (store)", refusal.text);
    assert_eq!(told, expected);

    let room = Rlimit { current: None, maximum: None };
    prlimit(Some(Pid::from_child(keeper.child())), Resource::Fsize, room).expect("it is our child");
    while !sender.status().is_complete() {
        sender.changed().await;
    }
    assert_eq!(sender.status().kept, 2);
}

#[test]
fn a_folder_that_is_not_kept_whole_is_a_failure() {
    let world = World::new();
    let _keeper = keeper_on_a_small_disk(&world);
    let dir = world.path("rooms");
    fs::create_dir(&dir).expect("written");
    fs::write(dir.join("large"), vec![7; 400_000]).expect("written");
    fs::write(dir.join("small"), "x").expect("written");
    let output = world.rooms(&["backup", dir.to_str().expect("UTF-8")]);
    let said = text(&output.stderr);
    assert!(said.starts_with("rooms: large: not kept: the disk "), "{said}");
    assert!(said.ends_with(" (store)\n"), "{said}");
    assert_eq!(text(&output.stdout), format!("{}: 1 file kept as rooms\n", dir.display()));
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_data_set_that_is_too_large_is_refused_and_the_others_are_kept() {
    let world = World::new();
    let _keeper = world.keeper();
    let large = vec![0; DATA_SET_BYTES_MAX + 1];
    let sets = [(name("large"), large), (name("small"), b"x".to_vec())];
    let mut sender = Owner::start(world.builder(), owner("rooms"), sets, PATIENCE)
        .await
        .expect("the bus is there");
    let status = sender.settled(LIMIT).await.expect("the keeper answers");
    assert_eq!((status.kept, status.pending), (1, 1));
    assert_eq!(status.refused[&name("large")].reason, RefusedReason::TooLarge);
    sender.set(name("large"), vec![0; 1000]);
    assert!(sender.settled(LIMIT).await.expect("the keeper answers").is_complete());
}

#[tokio::test]
async fn a_bus_whose_lines_are_too_short_is_said() {
    let world = World::configured(|_| "[limits]\nline_bytes_max = 1023\n".to_owned());
    let error = Owner::start(world.builder(), owner("rooms"), [], PATIENCE).await;
    let error = error.expect_err("it is too short");
    assert!(matches!(error, Error::LinesTooShort { bytes: 1023 }), "{error}");
    let output = world.rooms(&["keep"]);
    assert_eq!(
        text(&output.stderr),
        "rooms: this bus takes lines of at most 1023 bytes, and a backup needs 1024\n"
    );
}

/// Who asks for parts that don't fit into the bus's lines gets none, and the keeper goes on.
#[tokio::test]
async fn the_shortest_lines_do() {
    let world = World::configured(|_| "[limits]\nline_bytes_max = 1024\n".to_owned());
    let _keeper = world.keeper();
    let sets = [(name("a"), vec![7; 6144])];
    let mut sender = Owner::start(world.builder(), owner("rooms"), sets, PATIENCE)
        .await
        .expect("the bus is there");
    assert!(sender.settled(LIMIT).await.expect("the keeper answers").is_complete());
    drop(sender);
    let mut person = world.bus.as_ref().map(Server::telnet).expect("it is there");
    person.ask("recv backup", "ok recv backup");
    let hash = Hash::of(&[7; 6144]);
    person.say(&format!("send backup want rooms {hash} 1 6144 1"));
    person.expect(&format!("recv backup end rooms {hash} 1"));
}

#[test]
fn a_store_serves_one_keeper() {
    let world = World::new();
    let keeper = world.keeper();
    let output = world.rooms(&["keep"]);
    let store = world.store();
    let expected = format!("rooms: {} is in use: another keeper runs with it\n", store.display());
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(1));
    assert!(keeper.end().success());
    assert!(world.keeper().end().success(), "it is free again");
}

#[test]
fn a_file_that_is_no_store_is_left_as_it_is() {
    let world = World::new();
    let store = world.store();
    let mut stored = SqliteStore::open(&store, Retention::default()).expect("it is made");
    for number in 0..100 {
        let kept = stored.keep(&owner("rooms"), &name(&number.to_string()), 1, Some(&[7; 3000]));
        kept.expect("it is written");
    }
    drop(stored);
    let whole = fs::read(&store).expect("it is there");
    let mut damaged = whole.clone();
    damaged[4096..100_000].fill(0xaa);
    // Where SQLite's header has the number that the program's version owns (its file format, 1.3).
    let mut newer = whole;
    newer[60..64].copy_from_slice(&[0, 0, 0, 9]);
    for (content, because) in [
        (damaged, "is damaged: "),
        (newer, "was written by a newer version (its schema is 9); use that one"),
        (vec![b'#'; 5000], "is not a keeper's store; name another file"),
    ] {
        fs::write(&store, &content).expect("it is written");
        let output = world.rooms(&["keep"]);
        assert!(text(&output.stderr).contains(because), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(1));
        assert!(fs::read(&store).expect("it is there") == content, "{because}");
    }
}

#[test]
fn a_folder_that_can_not_be_restored_whole_is_not_restored() {
    let world = World::new();
    let mut keeper = world.keeper();
    fs::create_dir(world.path("rooms")).expect("written");
    fs::write(world.path("rooms/room-a.toml"), "a").expect("written");
    fs::write(world.path("rooms/room-b.toml"), "b").expect("written");
    let from = world.path("rooms");
    let from = from.to_str().expect("UTF-8");
    assert!(world.rooms(&["backup", from]).status.success());
    let damage = "UPDATE version SET content = x'00' WHERE name = 'room-b.toml'";
    let store = rusqlite::Connection::open(world.store()).expect("it is there");
    store.execute(damage, []).expect("written");

    let to = world.path("restored");
    let output = world.rooms(&["restore", to.to_str().expect("UTF-8")]);
    let expected = format!(
        "rooms: {}: not restored, because the keeper can't give room-b.toml\n",
        to.display()
    );
    assert_eq!(text(&output.stderr), expected);
    assert!(!to.exists());
    keeper.until_told("can't read what rooms has: the store is damaged");
    let output = world.rooms(&["keep", "get", "rooms", "room-b.toml"]);
    assert!(text(&output.stderr).starts_with("rooms: the store is damaged: the content of "));
}
