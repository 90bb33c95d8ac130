//! A disk that is full, and a bus whose lines are too short.

use std::process::Command;
use std::time::Duration;

use linebus_testkit::process::Server;
use rooms::backup::{Error, Owner};
use rooms_backup::{DataSetName, Patience, RefusedReason};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::processes::{Keeper, ROOMS, World};

const PATIENCE: Patience =
    Patience { first: Duration::from_millis(100), most: Duration::from_millis(200) };
const LIMIT: Duration = Duration::from_secs(60);

/// A keeper whose files can't grow beyond 150 KiB, as if the disk ended there.
fn keeper_on_a_small_disk(world: &World) -> Keeper {
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -S -f 300; exec \"$0\" \"$@\"";
    command.args(["-c", limited, ROOMS]);
    Keeper::spawn(world, command)
}

#[tokio::test]
async fn a_full_disk_is_told_and_healed_when_there_is_room() {
    let world = World::new();
    let keeper = keeper_on_a_small_disk(&world);
    let name = |text| DataSetName::new(text).expect("a name");
    let sets = [(name("large"), vec![7; 400_000]), (name("small"), b"x".to_vec())];
    let owner = "rooms".parse().expect("an owner");
    let mut sender =
        Owner::start(world.builder(), owner, sets, PATIENCE).await.expect("the bus is there");
    let status = sender.settled(LIMIT).await.expect("the keeper answers");
    assert_eq!((status.kept, status.pending), (1, 1));
    let refusal = &status.refused[&name("large")];
    assert_eq!(refusal.reason, RefusedReason::Store);
    assert!(refusal.text.contains("disk"), "{}", refusal.text);

    let pid = i32::try_from(keeper.id()).ok().and_then(Pid::from_raw).expect("a process");
    let room = Rlimit { current: None, maximum: None };
    prlimit(Some(pid), Resource::Fsize, room).expect("it is our child");
    while !sender.status().is_complete() {
        sender.changed().await.expect("the bus is there");
    }
    assert_eq!(sender.status().kept, 2);
}

#[tokio::test]
async fn a_bus_whose_lines_are_too_short_is_said() {
    let world = World::new();
    let linebus = std::path::Path::new(ROOMS).with_file_name("linebus");
    let config = "[limits]\nline_bytes_max = 1023\n";
    let bus = Server::configured(&linebus, world.folder.path(), config);
    let builder = linebus_client::Builder::new(bus.url().parse().expect("a URL"));
    let owner = "rooms".parse().expect("an owner");
    let error = Owner::start(builder, owner, [], PATIENCE).await.expect_err("it is too short");
    assert!(matches!(error, Error::LinesTooShort { bytes: 1023 }), "{error}");
}
