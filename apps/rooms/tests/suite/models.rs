//! Every model against its driver, in memory: bytes of one into the other until both are quiet.

mod page;
mod rig;

use rooms_drivers::{CallState, Command, DialString, Fault, Heading, Move, PresetAction, Reason};
use rooms_drivers::{RelayAction, Volume, Zoom};

use self::rig::Rig;

fn dial(number: &str) -> Command {
    Command::Dial(DialString::parse(number).expect("a number"))
}

#[test]
fn every_driver_finds_its_device_online_and_agrees_with_it() {
    let mut rig = Rig::new(7);
    rig.run(30);
    for device in rig.names() {
        assert!(rig.is_online(&device), "{device} is online");
        rig.agrees(&device);
    }
}

#[test]
fn a_projector_warms_up_and_cools_down() {
    let mut rig = Rig::new(1);
    rig.run(5);
    rig.does("room-a projector", &Command::Power(true));
    rig.run(3);
    assert_eq!(rig.state("room-a projector", "power"), "warming");
    let early = rig.tell("room-a projector", &Command::Input("hdmi2".to_owned()));
    assert_eq!(early.expect_err("it is warming").reason, Reason::NotNow);
    rig.run(60);
    assert_eq!(rig.state("room-a projector", "power"), "on");
    rig.does("room-a projector", &Command::Input("hdmi2".to_owned()));
    rig.does("room-a projector", &Command::Blank(true));
    rig.run(12);
    rig.agrees("room-a projector");
    assert_eq!(rig.state("room-a projector", "input"), "hdmi2");
    rig.does("room-a projector", &Command::Power(false));
    rig.run(120);
    assert_eq!(rig.state("room-a projector", "power"), "off");
}

#[test]
fn a_projector_reports_its_errors_and_somebodys_finger() {
    let mut rig = Rig::new(1);
    rig.run(5);
    assert_eq!(
        rig.order("fault room-a projector erst=002000"),
        "ok fault room-a projector erst=002000"
    );
    rig.order("press room-a projector power");
    rig.run(90);
    assert_eq!(rig.state("room-a projector", "health.temperature"), "error");
    assert_eq!(rig.state("room-a projector", "power"), "on");
    rig.order("fault room-a projector off");
    rig.run(90);
    assert_eq!(rig.state("room-a projector", "health.temperature"), "ok");
}

#[test]
fn a_wrong_password_is_a_fault_of_every_device_that_has_one() {
    for device in ["room-a codec", "room-a projector", "room-a lights", "room-c switcher"] {
        let mut rig = Rig::new(3);
        rig.run(10);
        rig.order(&format!("fault {device} wrong-password"));
        rig.reopen(device);
        rig.run(30);
        assert_eq!(rig.fault(device), Some(Fault::Auth), "{device}");
        rig.order(&format!("fault {device} off"));
        rig.reopen(device);
        rig.run(30);
        assert!(rig.is_online(device), "{device}");
    }
}

#[test]
fn cameras_move_until_they_are_stopped_and_find_their_presets_again() {
    for device in ["room-a camera", "room-b document-camera"] {
        let mut rig = Rig::new(1);
        rig.run(5);
        let early = rig.tell(device, &Command::Move(Move::Home));
        assert_eq!(early.expect_err("it sleeps").reason, Reason::NotNow, "{device}");
        rig.does(device, &Command::Power(true));
        rig.does(device, &Command::Move(Move::Toward(Heading::Right, 50)));
        rig.run(2);
        rig.does(device, &Command::Move(Move::Stop));
        rig.does(device, &Command::Zoom(Zoom::In));
        rig.run(1);
        rig.does(device, &Command::Zoom(Zoom::Stop));
        rig.run(12);
        rig.agrees(device);
        let pan = rig.state(device, "pan").to_owned();
        assert_ne!(pan, "0", "{device}");
        rig.does(device, &Command::Preset(PresetAction::Save, 3));
        rig.does(device, &Command::Move(Move::Home));
        rig.run(12);
        assert_eq!(rig.state(device, "pan"), "0", "{device}");
        rig.does(device, &Command::Preset(PresetAction::Recall, 3));
        rig.run(12);
        assert_eq!(rig.state(device, "pan"), pan, "{device}");
        rig.agrees(device);
    }
}

#[test]
fn a_document_camera_starts_with_its_lamp() {
    let mut rig = Rig::new(1);
    rig.run(5);
    rig.does("room-a document-camera", &Command::Power(true));
    rig.run(10);
    assert_eq!(rig.state("room-a document-camera", "power"), "on");
    assert_eq!(rig.state("room-a document-camera", "lamp"), "on");
    rig.does("room-a document-camera", &Command::Zoom(Zoom::In));
    rig.run(1);
    rig.does("room-a document-camera", &Command::Zoom(Zoom::Stop));
    rig.run(12);
    rig.agrees("room-a document-camera");
    assert_ne!(rig.state("room-a document-camera", "zoom"), "0");
}

#[test]
fn lights_relays_and_switchers_do_as_they_are_told() {
    let mut rig = Rig::new(1);
    rig.run(5);
    rig.does("room-a lights", &Command::Scene("meeting".to_owned()));
    assert_eq!(rig.state("room-a lights", "level.table"), "80");
    assert_eq!(rig.state("room-a lights", "scene"), "meeting");
    rig.order("press room-a lights table");
    rig.run(1);
    assert_eq!(rig.state("room-a lights", "scene"), "none");
    rig.does("room-a screen", &Command::Relay("down".to_owned(), RelayAction::Pulse));
    rig.run(5);
    assert_eq!(rig.state("room-a screen", "relay.down"), "off");
    rig.does("room-c switcher", &Command::Input("laptop".to_owned()));
    rig.does("room-c switcher", &Command::Volume(Volume::To(30)));
    rig.does("room-c switcher", &Command::Mute(true));
    assert_eq!(rig.state("room-c switcher", "input"), "laptop");
    rig.order("press room-c switcher 4");
    rig.run(1);
    assert_eq!(rig.state("room-c switcher", "input"), "4");
    for device in ["room-a lights", "room-a screen", "room-c switcher"] {
        rig.agrees(device);
    }
}

#[test]
fn described_devices_are_switched_on_and_off() {
    for device in ["room-b projector", "room-c projector", "room-c display"] {
        let mut rig = Rig::new(1);
        rig.run(20);
        rig.does(device, &Command::Power(true));
        rig.run(45);
        assert_eq!(rig.state(device, "power"), "on", "{device}");
        rig.does(device, &Command::Blank(true));
        rig.run(45);
        assert_eq!(rig.state(device, "blank"), "on", "{device}");
        rig.order(&format!("press {device} blank"));
        rig.run(45);
        assert_eq!(rig.state(device, "blank"), "off", "{device}");
    }
}

#[test]
fn two_codecs_are_connected_and_parted() {
    let mut rig = Rig::new(1);
    rig.run(10);
    for codec in ["room-a codec", "room-b codec"] {
        rig.does(codec, &Command::Prepare);
    }
    rig.does("room-a codec", &dial("sip:lisbon@example.net"));
    rig.run(2);
    assert_eq!(
        rig.calls("room-a codec"),
        [(CallState::Connected, "lisbon@example.net".to_owned())]
    );
    assert_eq!(rig.calls("room-b codec"), [(CallState::Connected, "10.1.2.10".to_owned())]);
    rig.does("room-b codec", &Command::Hangup(None));
    rig.run(2);
    assert_eq!(rig.calls("room-a codec"), []);
    assert_eq!(rig.calls("room-b codec"), []);

    rig.does("room-b codec", &dial("sip:vienna@example.net"));
    rig.run(2);
    assert_eq!(rig.calls("room-a codec").len(), 1);
    assert_eq!(
        rig.order("drop call room-a room-b side=room-b"),
        "ok drop call room-a room-b side=room-b"
    );
    rig.run(2);
    assert_eq!(rig.calls("room-b codec"), []);
    assert_eq!(rig.calls("room-a codec").len(), 1, "only one side has lost it");
    rig.does("room-a codec", &Command::Hangup(None));
    rig.run(2);
    assert_eq!(rig.calls("room-a codec"), []);
}

#[test]
fn a_codec_that_reboots_leaves_its_call_and_comes_back() {
    let mut rig = Rig::new(1);
    rig.run(10);
    rig.does("room-b codec", &Command::Prepare);
    rig.does("room-a codec", &dial("lisbon@example.net"));
    rig.run(2);
    rig.order("reboot room-b codec");
    rig.run(1);
    assert!(!rig.is_online("room-b codec"));
    rig.run(4);
    assert_eq!(rig.calls("room-a codec"), []);
    rig.run(10);
    assert!(rig.is_online("room-b codec"));
    assert_eq!(rig.calls("room-b codec"), []);
}

#[test]
fn a_bridge_that_is_cut_takes_its_devices_with_it() {
    let mut rig = Rig::new(1);
    rig.run(10);
    rig.order("cut room-b moxa seconds=20");
    rig.run(1);
    let behind = ["room-b codec", "room-b document-camera", "room-b projector"];
    assert!(behind.iter().all(|device| !rig.is_online(device)));
    assert!(rig.is_online("room-b lights"));
    rig.run(40);
    assert!(behind.iter().all(|device| rig.is_online(device)));
    assert_eq!(
        rig.order("cut room-b rack9"),
        "error cut room-b rack9: room-b has no rack9; it has codec, document-camera, lights, moxa, \
         projector"
    );
}

#[test]
fn a_device_on_the_network_can_be_cut_too() {
    let mut rig = Rig::new(1);
    rig.run(10);
    assert_eq!(rig.order("cut room-a projector seconds=5"), "ok cut room-a projector seconds=5");
    rig.run(1);
    assert!(!rig.is_online("room-a projector"));
    rig.run(20);
    assert!(rig.is_online("room-a projector"));
}

#[test]
fn faults_of_a_line_are_noticed_and_pass() {
    for fault in ["no-reply", "garbage"] {
        let mut rig = Rig::new(1);
        rig.run(10);
        rig.order(&format!("fault room-a projector {fault}"));
        rig.run(60);
        assert_eq!(rig.fault("room-a projector"), Some(Fault::NoResponse), "{fault}");
        rig.order("fault room-a projector off");
        rig.reopen("room-a projector");
        rig.run(10);
        assert!(rig.is_online("room-a projector"));
    }
    let mut rig = Rig::new(1);
    rig.run(10);
    rig.order("fault room-a camera slow=700");
    rig.does("room-a camera", &Command::Power(true));
    rig.order("fault room-a lights close");
    rig.run(1);
    assert!(!rig.is_online("room-a lights"));
}

#[test]
fn what_is_expected_comes_or_does_not() {
    let mut rig = Rig::new(1);
    rig.run(10);
    assert_eq!(rig.order("expect room-b codec \"xCommand Dial*\" within=5s"), "");
    rig.does("room-b codec", &dial("sip:vienna@example.net"));
    assert_eq!(rig.answers(), ["ok expect room-b codec \"xCommand Dial*\" within=5s"]);
    rig.order("expect room-b codec nothing within=5s");
    rig.run(6);
    assert_eq!(
        rig.answers(),
        ["error expect room-b codec nothing within=5s: it did not come in time"]
    );
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_others() {
    let play = |seed| {
        let mut rig = Rig::new(seed);
        rig.order("fault room-a lights garbage");
        rig.run(60);
        rig.frames()
    };
    assert_eq!(play(5), play(5));
    assert_ne!(play(5), play(6));
}

#[test]
fn what_is_shown_are_the_states() {
    let mut rig = Rig::new(1);
    assert_eq!(
        rig.order("show room-a projector"),
        "ok show room-a projector power=off input=hdmi1 blank=off mute=off lamp-hours=812"
    );
    assert_eq!(
        rig.order("show room-a microphone"),
        "error show room-a microphone: room-a has no microphone; it has camera, codec, \
         document-camera, lights, projector, screen"
    );
    for line in ["show room-z codec", "ring room-z", "drop call room-a room-z", "cut room-z moxa"] {
        let none = "there is no room room-z; there is room-a, room-b, room-c";
        assert_eq!(rig.order(line), format!("error {line}: {none}"));
    }
}

#[test]
fn a_person_finds_rooms_devices_orders_and_buttons_by_asking() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.order("show"), "ok show rooms=room-a,room-b,room-c");
    assert_eq!(
        rig.order("show room-b"),
        "ok show room-b devices=codec,document-camera,lights,projector"
    );
    rig.order("help");
    let help = rig.answers();
    let fault = "ok help fault ROOM DEVICE no-reply|garbage|close|slow=MS|wrong-password|\
                 erst=DIGITS|off: something is wrong with it, until off";
    assert!(help.iter().any(|line| line == fault), "{help:?}");
    assert!(help.iter().all(|line| line.starts_with("ok help ")), "{help:?}");
    for (device, buttons) in [
        ("room-a codec", "answer, hangup, mute, share, dial:NUMBER"),
        ("room-a camera", "power, home"),
        ("room-a document-camera", "power, lamp, freeze"),
        ("room-a projector", "power, blank, mute, hdmi1, hdmi2"),
        ("room-a lights", "table, front"),
        ("room-a screen", "down, up"),
        ("room-b projector", "blank, mute, power"),
        ("room-c switcher", "camera, laptop, 1 to 8"),
    ] {
        let wrong = format!("there is no button \"x\"; there is {buttons}");
        assert_eq!(
            rig.order(&format!("press {device} x")),
            format!("error press {device} x: {wrong}")
        );
    }
}
