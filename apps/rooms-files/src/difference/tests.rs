//! What a change of a file means for the sessions with its devices.

use std::path::Path;

use super::super::read;
use super::Change::{Changed, Gone, New, Unchanged};
use super::*;

const ROOM: &str = r#"
[room]
id = "room-a"
city = "Vienna"
title = "Room 2.14"
[bridge.rack1]
kind = "raw-tcp"
host = "10.1.2.20"
ports = { 1 = 4001, 2 = 4002 }
[device.doccam]
driver = "lumens-dc"
connect = "bridge:rack1/1"
[device.projector]
driver = "text:benq"
connect = "bridge:rack1/2"
[device.codec]
driver = "polycom-group"
connect = "tcp:10.1.2.10:24"
password_file = "secret"
dial = "sip:vienna@example.net"
"#;

const BENQ: &str = r##"
name = "benq"
about = "ours"
kind = "projector"
read.until = ["#"]
command.power_on.send = "pow=on"
"##;

fn rooms(folder: &Path) -> Rooms {
    read(folder).expect("it is right").0
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder can be made");
    std::fs::write(path, text).expect("it can be written");
}

/// What became of the room, its bridge, and its document camera, projector and codec, once
/// `change` has been at their folder.
#[track_caller]
fn check(change: impl FnOnce(&Path), expected: [Change; 5]) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write(folder.path(), "a.toml", ROOM);
    write(folder.path(), "secret", "one\n");
    write(folder.path(), "drivers/benq.toml", BENQ);
    let before = rooms(folder.path());
    change(folder.path());
    let changes = Changes::between(&before, &rooms(folder.path()));
    let [room] = &changes.0.values().collect::<Vec<_>>()[..] else { panic!("it is one room") };
    let device = |name: &str| room.devices[&DeviceName::new(name).expect("a name")];
    let bridge = room.bridges[&DeviceName::new("rack1").expect("a name")];
    let found =
        [room.room, bridge, device("document-camera"), device("projector"), device("codec")];
    assert_eq!(found, expected);
    assert_eq!(changes.is_nothing(), expected == [Unchanged; 5]);
}

#[track_caller]
fn check_text(from: &str, to: &str, expected: [Change; 5]) {
    assert!(ROOM.contains(from));
    check(|folder| write(folder, "a.toml", &ROOM.replace(from, to)), expected);
}

#[test]
fn what_stays_as_it_was_goes_on() {
    check(|_| {}, [Unchanged; 5]);
    check(
        |folder| {
            let moved = std::fs::rename(folder.join("a.toml"), folder.join("vienna.toml"));
            moved.expect("it can be renamed");
        },
        [Unchanged; 5],
    );
    check_text("[room]", "# Nothing but a remark.\n[room]", [Unchanged; 5]);
}

#[test]
fn a_room_may_change_without_its_devices() {
    check_text(
        "city = \"Vienna\"",
        "city = \"Wien\"",
        [Changed, Unchanged, Unchanged, Unchanged, Unchanged],
    );
}

#[test]
fn a_device_changes_without_the_others() {
    check_text(
        "10.1.2.10:24",
        "10.1.2.11:24",
        [Unchanged, Unchanged, Unchanged, Unchanged, Changed],
    );
}

#[test]
fn what_a_device_reads_elsewhere_changes_it() {
    check(
        |folder| write(folder, "secret", "two\n"),
        [Unchanged, Unchanged, Unchanged, Unchanged, Changed],
    );
    check(
        |folder| write(folder, "drivers/benq.toml", &format!("pace_ms = 200\n{BENQ}")),
        [Unchanged, Unchanged, Unchanged, Changed, Unchanged],
    );
}

#[test]
fn devices_change_with_the_part_of_the_bridge_that_they_use() {
    check_text("10.1.2.20", "10.1.2.21", [Unchanged, Changed, Changed, Changed, Unchanged]);
    check_text("raw-tcp", "itach", [Unchanged, Changed, Changed, Changed, Unchanged]);
    check_text("2 = 4002", "2 = 4003", [Unchanged, Changed, Unchanged, Changed, Unchanged]);
}

#[test]
fn rooms_and_devices_come_and_go() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write(folder.path(), "a.toml", ROOM);
    write(folder.path(), "secret", "one\n");
    write(folder.path(), "drivers/benq.toml", BENQ);
    let (none, one) = (Rooms::default(), rooms(folder.path()));
    for (old, new, expected) in [(&none, &one, New), (&one, &none, Gone)] {
        let changes = Changes::between(old, new);
        let room = changes.0.values().next().expect("there is one");
        assert_eq!(room.room, expected);
        assert_eq!(room.devices.values().copied().collect::<Vec<_>>(), [expected; 3]);
        assert_eq!(room.bridges.values().copied().collect::<Vec<_>>(), [expected]);
    }
    write(
        folder.path(),
        "a.toml",
        &ROOM
            .replace("device.doccam", "device.document-camera-2")
            .replace("\"lumens-dc\"", "\"lumens-dc\"\nrole = \"document-camera\""),
    );
    let changes = Changes::between(&one, &rooms(folder.path()));
    let room = changes.0.values().next().expect("there is one");
    assert_eq!(room.room, Unchanged);
    let names: Vec<_> =
        room.devices.iter().map(|(name, change)| (name.as_str(), *change)).collect();
    assert_eq!(
        names,
        [
            ("codec", Unchanged),
            ("document-camera", Gone),
            ("document-camera-2", New),
            ("projector", Unchanged),
        ]
    );
}
