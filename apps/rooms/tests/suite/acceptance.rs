//! What a release must be able to do, from end to end: the bus, `rooms devices` and `rooms
//! simulate` as programs of their own, and a person who wishes and listens.

use std::process::Command;

use linebus_testkit::process::Server;
use linebus_testkit::telnet::Telnet;
use tempfile::TempDir;

use crate::programs::{Program, bus, example, linebus, until, until_all};

const GRAZ: &str = r#"
[room]
id = "room-c"
city = "Graz"
title = "Graz, Room 1"
incoming = "ask"
[device.codec]
driver = "cisco-xapi"
connect = "tcp:10.3.0.9:23"
dial = "sip:graz@example.net"
number_match = ["graz@example.net"]
"#;

/// A bus, the devices of Vienna, Lisbon and Graz, played ten times as fast, who speaks with them,
/// and a person.
struct Bench {
    rooms: TempDir,
    bus: Server,
    simulator: Program,
    devices: Option<Program>,
    facts: Telnet,
    orders: Telnet,
}

impl Bench {
    fn start() -> Bench {
        let rooms = TempDir::new().expect("a temporary folder");
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(example().join(".")).arg(rooms.path());
        assert!(copy.status().expect("cp is there").success());
        std::fs::write(rooms.path().join("room-c.toml"), GRAZ).expect("it can be written");
        let bus = bus();
        let facts = person(&bus, "rooms");
        let orders = person(&bus, "simulator");
        let simulate = ["simulate", "--bus", &bus.url(), "--base-port", "0", "--speed", "10"];
        let simulator = Program::start(with_rooms(&rooms, &simulate));
        let mut bench = Bench { rooms, bus, simulator, devices: None, facts, orders };
        bench.start_devices();
        bench
    }

    fn start_devices(&mut self) {
        let base = self.simulator.said[0].rsplit(':').next().expect("an address");
        let devices = ["devices", "--bus", &self.bus.url(), "--simulated", base];
        self.devices = Some(Program::start(with_rooms(&self.rooms, &devices)));
    }

    /// All three rooms can be called.
    fn free() -> Bench {
        let mut bench = Bench::start();
        bench.until_all(&["room room-a free", "room room-b free", "room room-c free"]);
        bench
    }

    fn connected() -> Bench {
        let mut bench = Bench::free();
        bench.wish("connect room-a room-b id=c1");
        bench.until("accepted id=c1");
        bench.until_all(&["connect room-a room-b", "done id=c1"]);
        bench
    }

    fn wish(&mut self, wish: &str) {
        self.facts.say(&format!("send syslib {wish}"));
    }

    #[track_caller]
    fn order(&mut self, order: &str) {
        self.orders.say(&format!("send simulator {order}"));
        self.orders.expect(&format!("recv simulator ok {order}"));
    }

    /// What a device's states are, by itself.
    #[track_caller]
    fn shown(&mut self, device: &str) -> String {
        self.orders.say(&format!("send simulator show {device}"));
        self.orders.hear().expect("the bus lives")
    }

    #[track_caller]
    fn until(&mut self, wanted: &str) -> String {
        until(&mut self.facts, wanted)
    }

    #[track_caller]
    fn until_all(&mut self, wanted: &[&str]) -> Vec<String> {
        until_all(&mut self.facts, wanted)
    }

    /// All that holds, without numbers and times.
    fn everything(&self) -> Vec<String> {
        let mut newcomer = person(&self.bus, "rooms");
        newcomer.say("send syslib give me everything");
        until(&mut newcomer, "everything begin");
        let lines = until_all(&mut newcomer, &["everything end"]);
        let bare = lines.iter().map(|line| line.split(" seq=").next().unwrap_or_default());
        bare.map(str::to_owned).collect()
    }
}

fn with_rooms(rooms: &TempDir, arguments: &[&str]) -> Command {
    let mut command = crate::programs::rooms(arguments);
    command.arg("--rooms").arg(rooms.path());
    command
}

fn person(bus: &Server, topic: &str) -> Telnet {
    let mut person = bus.telnet();
    person.ask(&format!("recv {topic}"), &format!("ok recv {topic}"));
    person
}

/// Whether it is the same each time that everything is told: states go on changing.
fn stays(fact: &&String) -> bool {
    !fact.starts_with("state ") && !fact.starts_with("everything ")
}

/// How many calls a codec shows.
fn calls(shown: &str) -> usize {
    shown.matches(" call.").count()
}

#[test]
fn case_1_and_2_rooms_are_connected_and_a_side_that_is_lost_ends_the_other() {
    let mut bench = Bench::connected();
    assert_eq!(calls(&bench.shown("room-a codec")), 1);
    assert_eq!(calls(&bench.shown("room-b codec")), 1);
    bench.order("drop call room-a room-b side=room-b");
    bench.until("disconnect room-a room-b reason=dropped side=room-b");
    bench.until_all(&["room room-a free", "room room-b free"]);
    assert_eq!(calls(&bench.shown("room-a codec")), 0, "the near side was hung up");
}

#[test]
fn case_3_who_is_in_another_call_is_busy() {
    let mut bench = Bench::free();
    bench.order("ring room-b from=\"+43 1 555\"");
    bench.until("room room-b busy other=\"+43 1 555\"");
    bench.wish("connect room-a room-b id=c1");
    bench.until("refused id=c1 reason=busy text=\"Lisbon is in another call.\"");
}

#[test]
fn case_4_who_is_away_can_not_be_called_and_who_goes_away_in_a_call_is_waited_for() {
    let mut bench = Bench::connected();
    bench.order("fault room-c codec close");
    bench.until_all(&["device room-c codec offline", "room room-c offline"]);
    bench.wish("disconnect room-a id=d1");
    bench.until_all(&["done id=d1", "room room-a free", "room room-b free"]);
    bench.wish("connect room-a room-c id=c2");
    bench.until("refused id=c2 reason=offline-far");
    bench.wish("connect room-b room-a id=c3");
    bench.until_all(&["connect room-b room-a", "done id=c3"]);
    bench.order("cut room-b moxa seconds=5");
    bench.until("link room-b room-a recovering");
    bench.until("link room-b room-a connected");
}

#[test]
fn case_5_who_call_each_other_at_once_have_one_call() {
    let mut bench = Bench::free();
    bench.wish("connect room-a room-b id=a");
    bench.wish("connect room-b room-a id=b");
    let heard = bench.until_all(&["done id=a", "done id=b"]);
    let accepted: Vec<_> = heard.iter().filter(|fact| fact.starts_with("accepted")).collect();
    assert!(accepted[0].starts_with("accepted id=a"), "{accepted:?}");
    assert!(accepted[1].starts_with("accepted already id=b"), "{accepted:?}");
    assert_eq!(heard.iter().filter(|fact| fact.starts_with("connect ")).count(), 1, "{heard:#?}");
    assert_eq!(calls(&bench.shown("room-a codec")), 1);
    assert_eq!(calls(&bench.shown("room-b codec")), 1);
}

#[test]
fn case_6_of_two_who_call_a_third_the_first_has_it() {
    let mut bench = Bench::free();
    bench.wish("connect room-a room-b id=a");
    bench.wish("connect room-c room-b id=c");
    bench.until("refused id=c reason=busy with=room-a text=\"Lisbon is in another call.\"");
    bench.until_all(&["connect room-a room-b", "done id=a"]);
    assert_eq!(calls(&bench.shown("room-c codec")), 0);
}

#[test]
fn case_7_a_call_is_cancelled_while_it_rings() {
    let mut bench = Bench::free();
    bench.wish("connect room-a room-c id=c1");
    bench.until("link room-a room-c dialing");
    let asked = bench.until("link room-a room-c dialing");
    assert!(asked.contains("asking=room-c"), "{asked}");
    bench.wish("disconnect room-a room-c id=d1");
    bench.until_all(&[
        "failed id=c1 reason=cancelled",
        "done id=d1",
        "room room-a free",
        "room room-c free",
    ]);
    assert_eq!(calls(&bench.shown("room-a codec")), 0);
    assert_eq!(calls(&bench.shown("room-c codec")), 0);
}

#[test]
fn case_8_a_codec_that_reboots_in_a_call_has_lost_it() {
    let mut bench = Bench::connected();
    bench.order("reboot room-b codec");
    bench.until("link room-a room-b recovering");
    bench.until("disconnect room-a room-b reason=dropped");
    bench.until_all(&["room room-a free", "room room-b free"]);
    assert_eq!(calls(&bench.shown("room-a codec")), 0);
}

#[test]
fn case_9_a_new_interface_finds_the_call() {
    let mut bench = Bench::connected();
    bench.devices = None;
    bench.start_devices();
    bench.until("link room-a room-b connected");
    bench.until("connect room-a room-b");
    let everything = bench.everything();
    assert!(everything.iter().any(|fact| fact.starts_with("link room-a room-b connected")));
    bench.wish("disconnect room-a room-b id=d1");
    bench.until_all(&["done id=d1", "room room-a free", "room room-b free"]);
    assert_eq!(calls(&bench.shown("room-b codec")), 0);
}

#[test]
fn case_10_who_comes_new_hears_what_others_know() {
    let bench = Bench::connected();
    let first = bench.everything();
    for fact in ["room room-a busy with=room-b", "room room-c free", "link room-a room-b connected"]
    {
        assert!(first.iter().any(|known| known.starts_with(fact)), "{fact}: {first:#?}");
    }
    let second = bench.everything();
    assert_eq!(
        first.iter().filter(stays).collect::<Vec<_>>(),
        second.iter().filter(stays).collect::<Vec<_>>()
    );
}

#[test]
fn case_11_an_input_pressed_while_warming_is_shown_when_it_is_on() {
    let mut bench = Bench::start();
    bench.until("device room-a projector online");
    bench.wish("turn room-a projector on id=p1");
    bench.until("state room-a projector power=warming");
    bench.wish("select room-a projector hdmi2 id=p2");
    bench.until("accepted id=p2");
    bench.until_all(&["state room-a projector power=on", "state room-a projector input=hdmi2"]);
    assert!(bench.shown("room-a projector").contains("input=hdmi2"));
}

#[test]
fn case_12_a_bridge_that_is_cut_is_one_alert_and_its_devices_come_back() {
    let mut bench = Bench::start();
    bench.until_all(&["device room-b codec online", "state room-b document-camera power=off"]);
    bench.order("cut room-b moxa seconds=110");
    let heard = bench
        .until_all(&["device room-b moxa offline", "alert room-b moxa level=error code=offline"]);
    bench.order("press room-b doccam power");
    let back = bench.until_all(&[
        "alert room-b moxa clear code=offline",
        "device room-b codec online",
        "device room-b document-camera online",
        "device room-b projector online",
        "state room-b document-camera power=on",
    ]);
    let alerts = heard.iter().chain(&back).filter(|fact| fact.starts_with("alert room-b "));
    assert_eq!(alerts.count(), 2, "raised and cleared once: {heard:#?} {back:#?}");
}

#[test]
fn case_13_a_wrong_password_is_tried_once() {
    let mut bench = Bench::free();
    bench.order("fault room-a codec wrong-password");
    bench.until("device room-a codec offline reason=auth-failed");
    bench.orders.say("send simulator expect room-a codec \"*\" within=30s");
    bench.orders.expect(
        "recv simulator error expect room-a codec \"*\" within=30s: it did not come in time",
    );
    bench.order("fault room-a codec off");
    bench.wish("reconnect room-a codec");
    bench.until("device room-a codec online");
}

#[test]
fn case_14_when_the_bus_is_back_old_presses_are_not_carried_out() {
    let mut bench = Bench::connected();
    let address = bench.bus.addresses[0].to_string();
    let before = bench.everything();
    bench.bus = {
        drop(bench.bus);
        Server::start(&linebus(), &["--listen", &address])
    };
    bench.facts = person(&bench.bus, "rooms");
    bench.until("alive");
    // What was pressed meanwhile says until when it counts.
    bench.wish("turn room-a projector on id=old expires=2020-01-01T00:00:00Z");
    bench.until("refused id=old reason=expired");
    let after = bench.everything();
    assert_eq!(
        after.iter().filter(stays).collect::<Vec<_>>(),
        before.iter().filter(stays).collect::<Vec<_>>(),
        "the call goes on"
    );
}

#[test]
fn what_a_device_does_wrong_is_said_and_others_feel_nothing() {
    let mut bench = Bench::start();
    bench.until_all(&[
        "state room-a projector power=off",
        "state room-b projector power=off",
        "state room-a camera power=off",
        "device room-b lights online",
    ]);
    bench.order("fault room-a projector no-reply");
    bench.order("fault room-b projector garbage");
    bench.order("fault room-a camera slow=3000");
    bench.wish("turn room-a projector on id=silent");
    bench.wish("turn room-b projector on id=noisy");
    bench.wish("turn room-a camera on id=slow");
    bench.wish("turn room-b lights on id=well");
    bench.until_all(&[
        "failed id=silent reason=",
        "failed id=noisy reason=timeout text=\"the device did not answer in time\"",
        "done id=slow",
        "done id=well",
        "device room-a projector offline reason=no-response",
        "device room-b projector offline reason=no-response",
    ]);
    bench.wish("juggle room-a id=verb");
    let refused = bench.until("refused id=verb reason=bad-wish");
    assert!(refused.contains("there is no verb"), "{refused}");
    bench.wish("turn room-z projector on id=room");
    bench.until("refused id=room reason=unknown-room text=\"there is no room room-z\"");
    bench.wish("turn room-a toaster on id=device");
    bench.until("refused id=device reason=unknown-device");
}
