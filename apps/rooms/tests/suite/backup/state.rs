//! What `rooms devices` remembers goes to the keeper with the room files, and comes back.

use std::collections::BTreeMap;
use std::path::Path;

use linebus_testkit::telnet::Telnet;
use rustix::process::Signal;

use super::processes::World;
use crate::programs::{Program, example, rooms, until, until_all};
use crate::text;

fn devices(world: &World, simulator: &Program, rooms_folder: &Path) -> Program {
    let base = simulator.said[0].rsplit(':').next().expect("an address");
    let mut command = rooms(&["devices", "--bus", &world.url, "--simulated", base, "--rooms"]);
    command.arg(rooms_folder).arg("--state").arg(world.path("state"));
    Program::start(command)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = rooms::backup::read(folder).expect("there are some");
    files.into_iter().map(|(name, content)| (name.as_str().to_owned(), content)).collect()
}

fn person(world: &World) -> Telnet {
    let mut person = world.bus.as_ref().expect("it runs").telnet();
    person.ask("recv rooms", "ok recv rooms");
    person
}

#[test]
fn what_people_did_outlasts_the_interface_and_its_machine() {
    let world = World::new();
    let mut keeper = world.keeper();
    let mut simulate = rooms(&["simulate", "--bus", &world.url, "--base-port", "0"]);
    simulate.args(["--speed", "20", "--rooms"]).arg(example());
    let simulator = Program::start(simulate);
    let mut person = person(&world);
    let mut interface = devices(&world, &simulator, &example());
    until_all(
        &mut person,
        &["room room-a free", "room room-b free", "device room-a camera online"],
    );
    person.say("send syslib turn room-a camera on id=p0");
    until(&mut person, "done id=p0");
    person.say("send syslib preset room-a camera save 2 id=p1");
    until(&mut person, "done id=p1");
    person.say("send syslib connect room-a room-b id=c1");
    until(&mut person, "done id=c1");
    keeper.until_told("kept rooms-devices state/calls/room-b/");
    interface.signal(Signal::TERM);
    assert!(interface.wait().success());

    // Another one finds the call, and it is the same call.
    let mut interface = devices(&world, &simulator, &example());
    until(&mut person, "link room-a room-b connected");
    person.say("send syslib disconnect room-a room-b id=d1");
    until(&mut person, "done id=d1");
    person.say("send syslib turn room-a projector on id=p2");
    until(&mut person, "done id=p2");
    keeper.until_told("kept rooms-devices state/wanted/room-a version 2");
    interface.signal(Signal::TERM);
    assert!(interface.wait().success());

    let restored = world.path("restored");
    let output =
        world.rooms(&["restore", restored.to_str().expect("text"), "--owner", "rooms-devices"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(files(&restored.join("state")), files(&world.path("state")));
    let mut room_files = files(&example());
    room_files.retain(|name, _| !name.starts_with("secrets/"));
    assert_eq!(files(&restored.join("rooms")), room_files, "all but passwords");
    let state = files(&world.path("state"));
    let calls: Vec<_> = state.iter().filter(|(name, _)| name.starts_with("calls/room-a")).collect();
    let calls = text(calls[0].1).lines().map(|line| line.split(" at=").next().unwrap_or_default());
    let ended = "disconnect room-a room-b";
    assert_eq!(calls.collect::<Vec<_>>(), ["connect room-a room-b", ended]);
    let presets = text(&state["presets/room-a"]);
    assert!(presets.starts_with("state room-a camera preset.2=Whiteboard at="), "{presets}");
    let wanted = text(&state["wanted/room-a"]);
    assert!(wanted.contains("state room-a projector wanted.power=on at="), "{wanted}");
}

#[test]
fn room_files_that_change_are_kept_when_they_are_read_again() {
    let world = World::new();
    let mut keeper = world.keeper();
    let folder = world.path("rooms");
    std::fs::create_dir(&folder).expect("a folder");
    let room =
        |title: &str| format!("[room]\nid = \"room-a\"\ncity = \"Vienna\"\ntitle = \"{title}\"\n");
    std::fs::write(folder.join("a.toml"), room("one")).expect("it can be written");
    let mut command = rooms(&["devices", "--bus", &world.url, "--rooms"]);
    command.arg(&folder).arg("--state").arg(world.path("state"));
    let interface = Program::start(command);
    keeper.until_told("kept rooms-devices rooms/a.toml version 1");
    std::fs::write(folder.join("a.toml"), room("two")).expect("it can be written");
    interface.signal(Signal::HUP);
    keeper.until_told("kept rooms-devices rooms/a.toml version 2");
    std::fs::rename(folder.join("a.toml"), folder.join("b.toml")).expect("it is there");
    interface.signal(Signal::HUP);
    keeper.until_told("rooms-devices rooms/a.toml is gone");
}
