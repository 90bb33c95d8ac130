//! Room files as values.

use arbtest::arbtest;

use super::*;

/// The example's rooms.
fn example() -> Rooms {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rooms/example");
    read(&folder).expect("the example is right").0
}

fn room<'a>(rooms: &'a Rooms, id: &str) -> &'a Room {
    rooms.get(&RoomName::new(id).expect("a name")).expect("it is there")
}

fn device<'a>(room: &'a Room, name: &str) -> &'a Device {
    &room.devices[&DeviceName::new(name).expect("a name")]
}

#[test]
fn a_room_is_as_its_file_says() {
    let rooms = example();
    assert_eq!((rooms.len(), rooms.is_empty()), (2, false));
    let vienna = room(&rooms, "room-a");
    assert_eq!((&*vienna.city, &*vienna.title), ("Vienna", "Vienna, Room 2.14"));
    assert_eq!((vienna.incoming, vienna.idle_stop_minutes), (Incoming::Announce, 90));
    let steps: Vec<_> = vienna.stop.iter().map(ToString::to_string).collect();
    let expected =
        ["codec hangup", "document-camera power=off", "projector power=off", "lights scene=off"];
    assert_eq!(steps, expected);
    let lisbon = room(&rooms, "room-b");
    assert_eq!((lisbon.incoming, lisbon.idle_stop_minutes), (Incoming::Announce, 0));
    assert_eq!(lisbon.start, []);
    let moxa = &lisbon.bridges[&DeviceName::new("moxa").expect("a name")];
    assert_eq!((moxa.kind, &*moxa.host), (BridgeKind::Rfc2217, "10.2.7.20"));
    assert_eq!(moxa.ports["3"], 952);
}

#[test]
fn a_device_is_as_its_table_says() {
    let rooms = example();
    let vienna = room(&rooms, "room-a");
    let camera = device(vienna, "document-camera");
    assert_eq!((camera.role, &*camera.driver), ("document-camera", "lumens-dc"));
    assert_eq!(camera.connect.to_string(), "bridge:rack1/1");
    assert_eq!(camera.line.map(|line| line.to_string()).as_deref(), Some("9600 8N1"));
    let codec = DeviceName::new("codec").expect("a name");
    assert_eq!(camera.routes_to, Some((codec, "content".to_owned())));
    let presets = BTreeMap::from([(1, "Table".to_owned()), (2, "Whiteboard".to_owned())]);
    assert_eq!(device(vienna, "camera").presets, presets);
    let projector = device(vienna, "projector");
    assert_eq!((projector.warm_seconds, projector.cool_seconds), (Some(45), Some(90)));
    assert_eq!(projector.settings["inputs"]["hdmi2"].as_str(), Some("32"));
    assert_eq!(projector.settings.len(), 1, "what every device has is no setting of its driver");
    let camera = device(room(&rooms, "room-b"), "document-camera");
    assert_eq!(camera.settings["kind"].as_str(), Some("document-camera"));
    let described = device(room(&rooms, "room-b"), "projector");
    assert!(described.description.as_ref().is_some_and(|device| device.name == "benq"));
}

#[test]
fn a_secret_reaches_the_driver_and_nobody_else() {
    let rooms = example();
    let codec = device(room(&rooms, "room-a"), "codec");
    assert_eq!(codec.password.as_ref().map(Secret::expose), Some("example-only"));
    assert_eq!(codec.driver_settings()["password"].as_str(), Some("example-only"));
    assert!(!codec.settings.contains_key("password"));
    assert!(!format!("{codec:?}").contains("example-only"));
}

/// A folder with one room that has one device, of this driver.
fn folder_with(driver: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let text = format!(
        "room = {{ id = \"a\", city = \"A\", title = \"A\" }}\ndevice.projector = {{ driver = {driver:?}, connect = \"tcp:a:1\" }}"
    );
    std::fs::write(folder.path().join("a.toml"), text).expect("it can be written");
    folder
}

#[test]
fn a_description_that_comes_with_the_program_is_used_unless_the_folder_has_its_own() {
    let folder = folder_with("text:benq");
    let about = |folder: &Path| {
        let (rooms, _) = read(folder)?;
        let device = device(room(&rooms, "a"), "projector");
        Ok(device.description.as_ref().expect("it has one").about.clone())
    };
    let said = |mistakes: Vec<Mistake>| -> Vec<String> {
        let errors = mistakes.into_iter().filter(|mistake| mistake.severity == Severity::Error);
        errors.map(|mistake| mistake.text).collect()
    };
    let built_in = about(folder.path()).expect("it is right");
    assert_ne!(built_in, "our own");
    std::fs::create_dir(folder.path().join("drivers")).expect("a folder can be made");
    let own = folder.path().join("drivers/benq.toml");
    let text = "name = \"benq\"\nabout = \"our own\"\nkind = \"projector\"\nread.until = [\"#\"]\ncommand.power_on.send = \"pow=on\"";
    std::fs::write(&own, text).expect("it can be written");
    assert_eq!(about(folder.path()).as_deref(), Ok("our own"));
    std::fs::write(&own, text.replace("projector", "display")).expect("it can be written");
    let mistakes = said(about(folder.path()).expect_err("it is for something else"));
    assert_eq!(mistakes, ["this description is for a display, not for projector"]);
    std::fs::write(&own, "wrong = true").expect("it can be written");
    let mistakes = said(about(folder.path()).expect_err("it is wrong"));
    assert!(mistakes[0].starts_with("drivers/benq.toml:1:1: unknown field"), "{mistakes:?}");
    let mistakes = read(folder_with("text:nec").path()).expect_err("there is none");
    assert!(mistakes[0].text.starts_with("no description of that name"), "{mistakes:?}");
}

#[test]
fn a_room_that_cannot_be_called_is_right_but_said() {
    let (rooms, warnings) = read(folder_with("pjlink").path()).expect("right");
    assert_eq!(rooms.len(), 1);
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(warning.text, "no codec: this room can't be connected with another");
    assert_eq!((warning.severity, warning.line, &*warning.key), (Severity::Warning, 2, "device"));
}

#[test]
fn a_file_is_a_room_or_a_mistake_whatever_becomes_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rooms/example");
    let file = folder.join("room-a.toml");
    let text = std::fs::read_to_string(&file).expect("it is there");
    let pieces = [
        "",
        "7",
        "\"\"",
        "[]",
        "{}",
        "true",
        "\"a b\"",
        "[[device.codec]]",
        "\"\\n\"",
        "a.b.c = 1",
    ];
    arbtest(|u| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        for _ in 0..u.int_in_range(1..=4)? {
            let (at, other) = (u.choose_index(lines.len())?, u.choose_index(lines.len())?);
            let piece = *u.choose(&pieces)?;
            match u.int_in_range(0..=3)? {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                2 => lines[at] = piece.to_owned(),
                _ => {
                    let key = lines[at].split('=').next().unwrap_or_default().to_owned();
                    lines[at] = format!("{key}= {piece}");
                }
            }
        }
        let mut found = Found::default();
        read_file(&file, &lines.join("\n"), &folder, &mut found);
        let errors = found.mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
        assert!(found.rooms.len() == 1 || errors.count() > 0, "{}", lines.join("\n"));
        Ok(())
    });
}

#[test]
fn numbers_end_at_their_limits() {
    for (key, last) in [("idle_stop_minutes", 1440), ("warm_seconds", 600)] {
        for (number, right) in [(0, true), (last, true), (last + 1, false), (-1, false)] {
            let folder = folder_with("pjlink");
            let file = folder.path().join("a.toml");
            let text = std::fs::read_to_string(&file).expect("it is there");
            let text = match key {
                "warm_seconds" => text.replace("{ driver", &format!("{{ {key} = {number}, driver")),
                _ => text.replace("{ id", &format!("{{ {key} = {number}, id")),
            };
            std::fs::write(&file, text).expect("it can be written");
            assert_eq!(read(folder.path()).is_ok(), right, "{key} {number}");
        }
    }
}

#[test]
fn a_folder_is_read_as_if_a_file_were_another() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rooms/example");
    let city = |name, text| -> Result<Vec<String>, Vec<Mistake>> {
        let (rooms, _) = read_as_if(&folder, Draft { name, text })?;
        Ok(rooms.iter().map(|room| room.city.clone()).collect())
    };
    let text = std::fs::read_to_string(folder.join("room-a.toml")).expect("it is there");
    let changed = text.replace("\"Vienna\"", "\"Wien\"");
    assert_eq!(
        city("room-a.toml", Some(&changed)),
        Ok(vec!["Wien".to_owned(), "Lisbon".to_owned()])
    );
    assert_eq!(city("room-a.toml", None), Ok(vec!["Lisbon".to_owned()]));
    let twice = city("room-c.toml", Some(&text)).expect_err("the room is there twice");
    assert!(twice.iter().any(|mistake| mistake.file.ends_with("room-c.toml")), "{twice:?}");
    let mistakes = city("room-a.toml", Some("[room\n")).expect_err("no TOML");
    assert_eq!((mistakes.len(), mistakes[0].line), (1, 1));
}
