//! What wishes want of the devices of the example rooms.

use std::path::Path;

use rooms_files::Rooms;
use rooms_messages::{Epoch, Report, Request, RoomName};

use super::*;

struct Bench {
    rooms: Rooms,
    infos: BTreeMap<DeviceName, DriverInfo>,
    board: Board,
    in_call: bool,
}

impl Bench {
    /// The room in Vienna.
    fn new() -> Bench {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("example");
        let (rooms, _) = rooms_files::read(&folder).expect("it is right");
        let room = rooms.get(&room()).expect("it is there");
        let infos = room.devices.iter().map(|(name, device)| {
            let driver = rooms_drivers::build(&device.driver, &device.driver_settings());
            (name.clone(), driver.expect("it is right").info().clone())
        });
        let infos = infos.collect();
        Bench { rooms, infos, board: Board::new(Epoch(1)), in_call: false }
    }

    fn with(mut self, fact: &str) -> Bench {
        self.board.say(Report::parse(fact).expect("it is one").fact);
        self
    }

    fn view(&self) -> View<'_> {
        let room = self.rooms.get(&room()).expect("it is there");
        View { room, infos: &self.infos, board: &self.board, in_call: self.in_call }
    }

    /// What it wants, as `device: command`, or why not.
    fn wants(&self, wish: &str) -> Result<Vec<String>, String> {
        let wish = Request::parse(wish).expect("it is one").wish;
        let parts = of_wish(&self.view(), &wish).expect("it is for devices");
        match parts {
            Ok(parts) => {
                Ok(parts.iter().map(|part| format!("{}: {}", part.device, part.command)).collect())
            }
            Err(refused) => Err(format!("{}: {}", refused.reason, refused.text)),
        }
    }
}

fn room() -> RoomName {
    "room-a".parse().expect("it is one")
}

/// Its screen is away, and so it does not follow the projector.
fn without_screen() -> Bench {
    Bench::new().with("device room-a screen offline reason=unreachable")
}

#[test]
fn each_wish_finds_its_device() {
    let bench = without_screen();
    for (wish, wanted) in [
        ("turn room-a projector on", "projector: power on"),
        ("select room-a projector hdmi2", "projector: input hdmi2"),
        ("blank room-a projector on", "projector: blank on"),
        ("scene room-a meeting", "lights: scene meeting"),
        ("volume room-a 45", "codec: volume 45"),
        ("volume room-a -5", "codec: volume -5"),
        ("mute room-a microphone on", "codec: mute on"),
        ("move room-a camera left", "camera: move left 50"),
        ("move room-a camera up-right speed=0", "camera: move up-right 1"),
        ("move room-a camera stop", "camera: move stop"),
        ("zoom room-a camera in", "camera: zoom in"),
        ("preset room-a camera save 2", "camera: preset save 2"),
        ("set room-a screen down=pulse", "screen: relay down pulse"),
    ] {
        assert_eq!(bench.wants(wish), Ok(vec![wanted.to_owned()]), "{wish}");
    }
    assert_eq!(
        bench.wants("set room-a lights table=60 front=10"),
        Ok(vec!["lights: level table 60".to_owned(), "lights: level front 10".to_owned()])
    );
}

#[test]
fn what_can_not_be_says_what_can() {
    let bench = Bench::new();
    for (wish, why) in [
        (
            "turn room-a fridge on",
            "unknown-device: room-a has no fridge; it has camera, codec, document-camera, lights, projector, screen",
        ),
        (
            "select room-a projector hdmi9",
            "unsupported: projector has no input hdmi9; it has hdmi1, hdmi2",
        ),
        (
            "set room-a lights table=bright",
            "bad-wish: table=bright: a whole number from 0 to 100 is wanted",
        ),
        (
            "set room-a lights table=101",
            "bad-wish: table=101: a whole number from 0 to 100 is wanted",
        ),
        ("set room-a screen down=maybe", "bad-wish: down=maybe: on, off or pulse is wanted"),
    ] {
        assert_eq!(bench.wants(wish), Err(why.to_owned()), "{wish}");
    }
    let Err(why) = bench.wants("zoom room-a lights in") else { panic!("lights don't zoom") };
    assert!(why.starts_with("unsupported: lights can't zoom; it can "), "{why}");
}

#[test]
fn a_toggle_turns_what_is_reported_or_wanted() {
    let on = "projector: power on".to_owned();
    let off = "projector: power off".to_owned();
    let toggle = "turn room-a projector toggle";
    assert_eq!(without_screen().wants(toggle), Ok(vec![on.clone()]));
    let bench = without_screen().with("state room-a projector power=on");
    assert_eq!(bench.wants(toggle), Ok(vec![off.clone()]));
    let bench = bench.with("state room-a projector wanted.power=off");
    assert_eq!(bench.wants(toggle), Ok(vec![on]));
    let bench = without_screen().with("state room-a projector power=warming");
    assert_eq!(bench.wants(toggle), Ok(vec![off]));
    let bench = without_screen().with("state room-a lights level.table=40");
    assert_eq!(bench.wants("turn room-a lights toggle"), Ok(vec!["lights: power off".to_owned()]));
}

#[test]
fn a_document_camera_is_shared_in_a_call_if_its_file_says_so() {
    let mut bench = Bench::new();
    let wish = "turn room-a doccam on";
    assert_eq!(bench.wants(wish), Ok(vec!["document-camera: power on".to_owned()]));
    bench.in_call = true;
    let both = ["document-camera: power on".to_owned(), "codec: share on".to_owned()];
    assert_eq!(bench.wants(wish), Ok(both.to_vec()));
}

#[test]
fn the_screen_follows_the_projector_unless_it_is_away() {
    let mut bench = Bench::new();
    let wants = |bench: &Bench, to| bench.wants(&format!("turn room-a projector {to}"));
    let both = |power: &str, relay: &str| {
        Ok(vec![format!("projector: power {power}"), format!("screen: relay {relay} pulse")])
    };
    assert_eq!(wants(&bench, "on"), both("on", "down"));
    assert_eq!(wants(&bench, "off"), both("off", "up"));
    bench = bench.with("device room-a screen offline reason=unreachable");
    assert_eq!(wants(&bench, "on"), Ok(vec!["projector: power on".to_owned()]));
}

#[test]
fn steps_are_what_the_file_says() {
    let bench = Bench::new();
    let view = bench.view();
    let steps = view.room.start.iter().chain(&view.room.stop);
    for step in steps {
        let parts = of_step(&view, step).unwrap_or_else(|refused| panic!("{step}: {refused:?}"));
        assert_eq!(parts[0].device, step.device);
    }
}

#[test]
fn numbers_that_a_device_rounds_are_met() {
    assert!(is_met("45", "44"));
    assert!(is_met("on", "on"));
    assert!(!is_met("45", "42"));
    assert!(!is_met("on", "off"));
}
