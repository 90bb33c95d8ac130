//! `rooms backup`, `rooms keep list`, `rooms keep get` and `rooms restore`.

use std::fs;

use rooms::backup::read;

use super::processes::World;
use crate::text;

fn fill(world: &World) {
    fs::create_dir_all(world.path("rooms/drivers")).expect("written");
    for (name, content) in [
        ("room-a.toml", b"[room]\nid = \"room-a\"\n".to_vec()),
        ("drivers/benq.toml", Vec::new()),
        ("Saal 2 (100 %).toml", vec![0, 255, 13, 10]),
        ("large", (0..300_000_u32).map(|byte| (byte % 251) as u8).collect()),
    ] {
        fs::write(world.path("rooms").join(name), content).expect("written");
    }
}

#[test]
fn a_folder_is_kept_listed_read_and_restored_byte_for_byte() {
    let world = World::new();
    fill(&world);
    let mut keeper = world.keeper();
    let dir = world.path("rooms");
    let dir = dir.to_str().expect("UTF-8");
    let output = world.rooms(&["backup", dir]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), format!("{dir}: 4 files kept as rooms\n"));
    assert_eq!(output.status.code(), Some(0));

    fs::write(world.path("rooms/room-a.toml"), "[room]\nid = \"room-b\"\n").expect("written");
    fs::remove_file(world.path("rooms/drivers/benq.toml")).expect("removed");
    assert_eq!(world.rooms(&["backup", dir]).status.code(), Some(0));

    let output = world.rooms(&["keep", "list", "--all"]);
    let listed: Vec<_> = text(&output.stdout)
        .lines()
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            let [owner, name, version, _time, bytes, hash] = words[..] else { panic!("{line}") };
            format!(
                "{owner} {name} {version} {bytes} {}",
                if hash == "gone" { "gone" } else { "there" }
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            "rooms Saal%202%20(100%20%25).toml 1 4 there",
            "rooms drivers/benq.toml 1 0 there",
            "rooms drivers/benq.toml 2 0 gone",
            "rooms large 1 300000 there",
            "rooms room-a.toml 1 21 there",
            "rooms room-a.toml 2 21 there",
        ]
    );
    let output = world.rooms(&["keep", "list", "others"]);
    assert_eq!(text(&output.stdout), "");

    let get = |arguments: &[&str]| world.rooms(&[&["keep", "get", "rooms"], arguments].concat());
    assert_eq!(get(&["Saal%202%20(100%20%25).toml"]).stdout, [0, 255, 13, 10]);
    assert_eq!(text(&get(&["room-a.toml", "--version", "1"]).stdout), "[room]\nid = \"room-a\"\n");
    assert_eq!(text(&get(&["room-a.toml"]).stdout), "[room]\nid = \"room-b\"\n");
    let output = get(&["drivers/benq.toml"]);
    assert!(text(&output.stderr).contains("is gone in this version"));
    assert_eq!(output.status.code(), Some(1));
    let output = get(&["room-a.toml", "--version", "3"]);
    assert!(text(&output.stderr).contains("there is no rooms room-a.toml of such a version"));

    let to = world.path("restored");
    let to = to.to_str().expect("UTF-8");
    let output = world.rooms(&["restore", to]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), format!("{to}: 3 files restored of rooms\n"));
    assert_eq!(read(to.as_ref()).expect("it is there"), read(dir.as_ref()).expect("it is there"));
    for told in [
        "kept rooms large version 1, 300000 bytes",
        "rooms drivers/benq.toml is gone since version 2",
        "rooms is being restored",
    ] {
        assert_eq!(keeper.until_told(told), format!("rooms: {told}"));
    }

    let output = world.rooms(&["restore", to]);
    assert!(text(&output.stderr).contains("is not empty; restore into an empty folder"));
    assert_eq!(output.status.code(), Some(1));
    let output = world.rooms(&["restore", &format!("{to}2"), "--owner", "others"]);
    assert!(text(&output.stderr).contains("nothing is kept of the owner others"));
    assert!(!world.path("restored2").exists());
}

#[test]
fn without_a_keeper_the_commands_say_so() {
    let world = World::new();
    fill(&world);
    let (from, to) = (world.path("rooms"), world.path("restored"));
    for (command, dir) in [("backup", from), ("restore", to)] {
        let output = world.rooms(&[command, dir.to_str().expect("UTF-8"), "--timeout", "1"]);
        let said = text(&output.stderr);
        assert!(
            said.contains("nothing came on the topic `backup` for 1s; does `rooms keep` run"),
            "{said}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(fs::read_dir(world.folder.path()).expect("it is there").count(), 1);
}

#[test]
fn a_store_that_is_not_there_is_said() {
    let world = World::new();
    let output = world.rooms(&["keep", "list"]);
    assert!(
        text(&output.stderr).contains("store.sqlite can't be opened"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(1));
}
