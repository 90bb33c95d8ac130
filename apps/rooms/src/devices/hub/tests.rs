//! The rooms without devices: what sessions would say is put in, what they would be told is looked
//! at, and the facts are read. Time is paused.

use std::path::Path;

use rooms_drivers::{Call, CallFact, CallState, Direction, EndReason, Reason, Refusal};
use tempfile::TempDir;

use super::*;

mod idle;

const VIENNA: &str = r#"
[room]
id = "room-a"
city = "Vienna"
title = "Vienna, Room 2.14"
incoming = "open"
start = ["projector power=on", "lights scene=meeting", "codec power=on"]
stop = ["codec hangup", "projector power=off"]
[bridge.rack1]
kind = "raw-tcp"
host = "10.1.2.20"
ports = { 1 = 4001, 2 = 4002 }
[device.codec]
driver = "cisco-xapi"
connect = "tcp:10.1.2.10:23"
dial = "sip:vienna@example.net"
[device.projector]
driver = "pjlink"
connect = "tcp:10.1.2.12:4352"
inputs = { hdmi1 = "31" }
[device.camera]
driver = "visca-serial"
connect = "bridge:rack1/1"
[device.doccam]
driver = "lumens-dc"
connect = "bridge:rack1/2"
[device.lights]
driver = "lutron"
connect = "tcp:10.1.2.13:23"
outputs = { table = 12 }
scenes.meeting = { table = 80 }
"#;

const LISBON: &str = r#"
[room]
id = "room-b"
city = "Lisbon"
title = "Lisbon, Tejo room"
incoming = "open"
[device.codec]
driver = "cisco-xapi"
connect = "tcp:10.2.7.10:23"
dial = "sip:lisbon@example.net"
"#;

struct Bench {
    folder: TempDir,
    hub: Hub,
    orders: BTreeMap<(RoomName, DeviceName), mpsc::Receiver<Order>>,
    _news: mpsc::Receiver<(SessionId, News)>,
}

impl Bench {
    fn new() -> Bench {
        let folder = TempDir::new().expect("a temporary folder");
        write(folder.path(), "vienna", VIENNA);
        write(folder.path(), "lisbon", LISBON);
        let (rooms, _) = rooms_files::read(folder.path()).expect("they are right");
        let (sender, news) = mpsc::channel(64);
        let path = folder.path().to_owned();
        let (frames, _) = mpsc::channel(1);
        let hub = Hub::start(path, rooms, None, Epoch(1), sender, frames);
        let hub = hub.expect("ports are not needed");
        let mut bench = Bench { folder, hub, orders: BTreeMap::new(), _news: news };
        bench.take_over();
        bench.lines();
        bench
    }

    /// Takes the place of the sessions that were begun.
    fn take_over(&mut self) {
        for (key, device) in &mut self.hub.devices {
            if !self.orders.contains_key(key) {
                let (sender, receiver) = mpsc::channel(ORDERS_MAX);
                device.orders = Some(sender);
                self.orders.insert(key.clone(), receiver);
            }
        }
    }

    /// What was said since the last time, without numbers.
    fn lines(&mut self) -> Vec<String> {
        let lines = self.hub.take_lines();
        let bare = lines.iter().map(|line| line.split(" seq=").next().unwrap_or_default());
        // Times differ.
        bare.map(|line| line.split(" since=").next().unwrap_or_default().to_owned()).collect()
    }

    fn wish(&mut self, line: &str) -> Vec<String> {
        self.hub.wish(line, Instant::now());
        self.lines()
    }

    fn session(&self, room: &str, device: &str) -> SessionId {
        self.hub.devices[&key(room, device)].session
    }

    fn news(&mut self, room: &str, device: &str, news: News) -> Vec<String> {
        let session = self.session(room, device);
        self.hub.news(session, news, Instant::now());
        self.lines()
    }

    fn online(&mut self, room: &str, device: &str) -> Vec<String> {
        self.news(room, device, News::Opened);
        self.news(room, device, News::Online)
    }

    fn offline(&mut self, room: &str, device: &str, reason: OfflineReason) -> Vec<String> {
        self.news(room, device, News::Offline(reason, "so it is".to_owned()))
    }

    fn state(&mut self, device: &str, key: &str, value: &str) -> Vec<String> {
        self.news("room-a", device, News::State(key.to_owned(), value.to_owned()))
    }

    fn calls(&mut self, room: &str, calls: Vec<Call>) -> Vec<String> {
        self.news(room, "codec", News::Call(CallFact::All(calls)))
    }

    /// The next command for a device, and its ticket.
    fn ordered(&mut self, room: &str, device: &str) -> Option<(String, Ticket)> {
        match self.orders.get_mut(&key(room, device))?.try_recv().ok()? {
            Order::Command(command, ticket) => Some((command.to_string(), ticket)),
            other => Some((format!("{other:?}"), Ticket(0))),
        }
    }

    /// The device accepts the next command, which is this one.
    #[track_caller]
    fn accepts(&mut self, room: &str, device: &str, wanted: &str) -> Vec<String> {
        let (command, ticket) = self.ordered(room, device).expect("it was told something");
        assert_eq!(command, wanted);
        self.news(room, device, News::Answer(ticket, Ok(())))
    }

    async fn after(&mut self, seconds: u64) -> Vec<String> {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        self.hub.tick(Instant::now());
        self.lines()
    }

    /// Both codecs are there and idle.
    fn codecs(&mut self) {
        for room in ["room-a", "room-b"] {
            self.online(room, "codec");
            self.calls(room, Vec::new());
        }
    }

    /// From nothing to a call between the two rooms.
    fn connected(&mut self) {
        self.codecs();
        self.wish("connect room-a room-b id=p7");
        self.accepts("room-a", "codec", "prepare");
        self.accepts("room-b", "codec", "prepare");
        self.accepts("room-a", "codec", "dial sip:lisbon@example.net");
        self.calls("room-b", vec![call("b1", "vienna@example.net", false)]);
        self.calls("room-a", vec![call("a1", "lisbon@example.net", true)]);
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(format!("{name}.toml")), text).expect("it can be written");
}

fn key(room: &str, device: &str) -> (RoomName, DeviceName) {
    (room.parse().expect("it is one"), device.parse().expect("it is one"))
}

fn call(id: &str, far: &str, outgoing: bool) -> Call {
    Call {
        id: id.to_owned(),
        state: CallState::Connected,
        direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
        far: far.to_owned(),
    }
}

fn has(lines: &[String], wanted: &str) -> bool {
    lines.iter().any(|line| line == wanted)
}

#[tokio::test(start_paused = true)]
async fn a_wish_is_accepted_wanted_and_done_when_it_is_so() {
    let mut bench = Bench::new();
    assert_eq!(bench.online("room-a", "projector"), ["device room-a projector online"]);
    bench.state("projector", "power", "off");
    assert_eq!(
        bench.wish("turn room-a projector on id=p1"),
        ["accepted id=p1", "state room-a projector wanted.power=on"]
    );
    assert_eq!(bench.accepts("room-a", "projector", "power on"), Vec::<String>::new());
    assert_eq!(
        bench.state("projector", "power", "warming"),
        ["state room-a projector power=warming"]
    );
    assert_eq!(
        bench.state("projector", "power", "on"),
        [
            "state room-a projector power=on",
            "state room-a projector wanted.power=\"\"",
            "done id=p1"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_is_said_again_is_done_once() {
    let mut bench = Bench::new();
    bench.online("room-a", "projector");
    bench.wish("blank room-a projector on id=p1");
    assert_eq!(bench.wish("blank room-a projector on id=p1"), ["accepted id=p1"]);
    assert!(bench.ordered("room-a", "projector").is_some());
    assert!(bench.ordered("room-a", "projector").is_none());
    tokio::time::advance(Duration::from_secs(60)).await;
    bench.wish("blank room-a projector on id=p1");
    assert!(bench.ordered("room-a", "projector").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_is_refused_with_a_reason_and_a_remedy() {
    let mut bench = Bench::new();
    bench.offline("room-a", "projector", OfflineReason::Refused);
    for (wish, refused) in [
        (
            "turn room-a projector on id=1",
            "refused id=1 reason=offline text=\"projector is offline (refused)\"",
        ),
        ("start room-z id=2", "refused id=2 reason=unknown-room text=\"there is no room room-z\""),
        (
            "stat room-a id=3",
            "refused id=3 reason=bad-wish text=\"there is no verb \\\"stat\\\"; did you mean `start <room>`?\"",
        ),
        (
            "turn room-a lights on id=4 expires=2020-01-01T00:00:00Z",
            "refused id=4 reason=expired text=\"it came too late: press again\"",
        ),
        (
            "connect room-a room-b id=5",
            "refused id=5 reason=starting text=\"The rooms are being asked for their calls - try again.\"",
        ),
    ] {
        assert_eq!(bench.wish(wish), [refused]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_device_is_the_wishes_failure() {
    let mut bench = Bench::new();
    bench.online("room-a", "projector");
    bench.wish("select room-a projector hdmi1 id=p1");
    let (_, ticket) = bench.ordered("room-a", "projector").expect("it was told");
    let refusal = Refusal { reason: Reason::DeviceError, text: "the lamp is broken".to_owned() };
    assert_eq!(
        bench.news("room-a", "projector", News::Answer(ticket, Err(refusal))),
        [
            "state room-a projector wanted.input=\"\"",
            "failed id=p1 reason=device-error text=\"the lamp is broken\""
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_nobody_tells_to_go_on_stops_after_a_second() {
    let mut bench = Bench::new();
    bench.online("room-a", "camera");
    bench.wish("move room-a camera left speed=40");
    assert_eq!(bench.ordered("room-a", "camera").expect("it moves").0, "move left 40");
    tokio::time::advance(Duration::from_millis(900)).await;
    bench.wish("move room-a camera left speed=40");
    assert_eq!(bench.ordered("room-a", "camera"), None, "it moves already");
    tokio::time::advance(Duration::from_millis(900)).await;
    bench.hub.tick(Instant::now());
    assert_eq!(bench.ordered("room-a", "camera"), None);
    tokio::time::advance(Duration::from_millis(100)).await;
    assert!(bench.hub.due() <= Instant::now());
    bench.hub.tick(Instant::now());
    assert_eq!(bench.ordered("room-a", "camera").expect("it stops").0, "move stop");
}

#[tokio::test(start_paused = true)]
async fn a_bridge_that_is_gone_is_one_alert_and_none_when_it_is_back() {
    let mut bench = Bench::new();
    for device in ["camera", "document-camera"] {
        bench.online("room-a", device);
    }
    assert_eq!(
        bench.offline("room-a", "camera", OfflineReason::Bridge),
        ["device room-a camera offline reason=bridge"]
    );
    assert_eq!(
        bench.offline("room-a", "document-camera", OfflineReason::Bridge),
        [
            "device room-a document-camera offline reason=bridge",
            "device room-a rack1 offline reason=unreachable"
        ]
    );
    let lines = bench.after(10).await;
    let alerts: Vec<_> = lines.iter().filter(|line| line.starts_with("alert")).collect();
    assert_eq!(alerts.len(), 1, "{lines:?}");
    assert!(alerts[0].starts_with("alert room-a rack1 level=error code=offline"), "{lines:?}");
    assert!(bench.hub.due() > Instant::now(), "nothing is due all the time");
    let mut lines = bench.online("room-a", "camera");
    lines.extend(bench.online("room-a", "document-camera"));
    assert!(has(&lines, "alert room-a rack1 clear code=offline"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_an_alert_at_once() {
    let mut bench = Bench::new();
    let lines = bench.offline("room-a", "projector", OfflineReason::AuthFailed);
    assert_eq!(lines[0], "device room-a projector offline reason=auth-failed");
    assert!(lines[1].starts_with("alert room-a projector level=error code=offline"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_room_is_started_step_after_step() {
    let mut bench = Bench::new();
    for device in ["codec", "projector", "lights"] {
        bench.online("room-a", device);
    }
    bench.wish("start room-a id=p1");
    assert_eq!(bench.wish("start room-a id=p2"), ["accepted already id=p2"]);
    bench.accepts("room-a", "projector", "power on");
    assert_eq!(bench.ordered("room-a", "lights"), None, "the projector is not on yet");
    bench.state("projector", "power", "on");
    let (command, ticket) = bench.ordered("room-a", "lights").expect("it is their turn");
    assert_eq!(command, "scene meeting");
    let refusal = Refusal { reason: Reason::DeviceError, text: "no power".to_owned() };
    let lines = bench.news("room-a", "lights", News::Answer(ticket, Err(refusal)));
    let alert =
        "alert room-a lights level=warning code=start text=\"lights scene=meeting: no power\"";
    assert!(has(&lines, alert), "{lines:?}");
    bench.accepts("room-a", "codec", "power on");
    let lines = bench.state("codec", "power", "on");
    assert!(has(&lines, "done id=p1") && has(&lines, "done id=p2"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_without_its_codec_fails_and_a_stop_cancels_a_start() {
    let mut bench = Bench::new();
    bench.online("room-a", "projector");
    bench.offline("room-a", "codec", OfflineReason::Unreachable);
    bench.offline("room-a", "lights", OfflineReason::Unreachable);
    bench.wish("start room-a id=p1");
    let lines = bench.wish("stop room-a id=p2");
    assert_eq!(lines[0], "state room-a projector wanted.power=\"\"");
    assert!(lines[1].starts_with("failed id=p1 reason=cancelled"), "{lines:?}");
    assert!(has(&lines, "accepted id=p2"), "{lines:?}");
    bench.state("projector", "power", "on");
    bench.accepts("room-a", "projector", "power on");
    bench.accepts("room-a", "projector", "power off");
    let lines = bench.state("projector", "power", "off");
    assert!(has(&lines, "done id=p2"), "{lines:?}");
    bench.wish("start room-a id=p3");
    bench.accepts("room-a", "projector", "power on");
    let lines = bench.state("projector", "power", "on");
    let failed =
        "failed id=p3 reason=offline text=\"codec power=on: codec is offline (unreachable)\"";
    assert!(has(&lines, failed), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn what_warms_up_says_how_long() {
    let mut bench = Bench::new();
    let warm = VIENNA.replace("inputs = { hdmi1", "warm_seconds = 45\ninputs = { hdmi1");
    write(bench.folder.path(), "vienna", &warm);
    bench.wish("reload");
    bench.online("room-a", "projector");
    let ready_in = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| line.contains("ready-in")).cloned().collect()
    };
    assert_eq!(ready_in(&bench.state("projector", "power", "off")), Vec::<String>::new());
    let lines = bench.state("projector", "power", "warming");
    assert_eq!(ready_in(&lines), ["state room-a projector ready-in=45"]);
    let lines = bench.state("projector", "power", "on");
    assert_eq!(ready_in(&lines), ["state room-a projector ready-in=\"\""]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_touches_only_what_changed() {
    let mut bench = Bench::new();
    let (projector, camera) =
        (bench.session("room-a", "projector"), bench.session("room-a", "camera"));
    bench.online("room-a", "projector");
    write(bench.folder.path(), "vienna", &VIENNA.replace("4001", "4007"));
    write(bench.folder.path(), "lisbon", "nonsense");
    let lines = bench.wish("reload id=p1");
    assert!(lines[0].starts_with("refused id=p1 reason=bad-wish text="), "{lines:?}");
    assert!(lines[0].contains("lisbon.toml: line 1"), "{lines:?}");
    assert_eq!(bench.session("room-a", "camera"), camera, "nothing is changed");
    std::fs::remove_file(bench.folder.path().join("lisbon.toml")).expect("it is there");
    assert_eq!(bench.wish("reload id=p2"), ["accepted id=p2", "done id=p2"]);
    assert_eq!(bench.session("room-a", "projector"), projector);
    assert_ne!(bench.session("room-a", "camera"), camera);
    let everything = bench.wish("give me everything");
    assert!(has(&everything, "device room-a projector online"), "{everything:?}");
    assert!(!everything.iter().any(|line| line.contains("room-b")), "{everything:?}");
}

#[tokio::test(start_paused = true)]
async fn everything_is_said_between_two_marks() {
    let mut bench = Bench::new();
    bench.online("room-a", "projector");
    bench.state("projector", "power", "off");
    let lines = bench.wish("give me everything id=p1");
    assert_eq!(
        lines,
        [
            "accepted id=p1",
            "everything begin",
            "room room-a offline city=Vienna title=\"Vienna, Room 2.14\"",
            "room room-b offline city=Lisbon title=\"Lisbon, Tejo room\"",
            "device room-a projector online",
            "offers room-a camera verbs=turn,move,zoom,preset",
            "offers room-a codec verbs=turn,mute,volume,move,zoom,preset",
            "offers room-a document-camera verbs=turn,zoom",
            "offers room-a lights verbs=turn,scene,set scenes=meeting outputs=table",
            "offers room-a projector verbs=turn,select,blank,mute sources=hdmi1",
            "offers room-b codec verbs=turn,mute,volume,move,zoom,preset",
            "state room-a projector power=off",
            "everything end lines=10",
            "done id=p1",
        ]
    );
}

/// The offers among these lines.
fn offers(lines: &[String]) -> Vec<String> {
    lines.iter().filter(|line| line.starts_with("offers ")).cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn a_reload_says_what_can_be_wished_now_where_that_is_something_else() {
    let mut bench = Bench::new();
    let other = VIENNA
        .replace("hdmi1 = \"31\"", "hdmi1 = \"31\", vga = \"11\"")
        .replace("10.1.2.13", "10.1.2.99")
        .replace("rack1/1\"", "rack1/1\"\npresets = { 1 = \"Table, left\", 2 = \"Door\" }");
    write(bench.folder.path(), "vienna", &other);
    let lights = bench.session("room-a", "lights");
    assert_eq!(
        offers(&bench.wish("reload")),
        [
            "offers room-a camera verbs=turn,move,zoom,preset presets=\"1=Table  left,2=Door\"",
            "offers room-a projector verbs=turn,select,blank,mute sources=hdmi1,vga",
        ]
    );
    assert_ne!(bench.session("room-a", "lights"), lights, "they can do what they could");
    assert_eq!(offers(&bench.wish("reload")), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn of_a_device_that_is_gone_nothing_can_be_wished() {
    let mut bench = Bench::new();
    let (without, _) = VIENNA.split_once("[device.lights]").expect("it is there");
    let without = without.replace(", \"lights scene=meeting\"", "");
    let without = without.replace("[device.codec]\ndriver", "[device.camera-2]\ndriver");
    let without = without.replace("cisco-xapi\"", "visca-ip\"\nrole = \"camera\"");
    let without = without.replace("tcp:10.1.2.10:23", "udp:10.1.2.10:52381");
    let without = without.replace("dial = \"sip:vienna@example.net\"\n", "");
    let without = without.replace(", \"codec power=on\"", "").replace("\"codec hangup\", ", "");
    write(bench.folder.path(), "vienna", &without);
    assert_eq!(
        offers(&bench.wish("reload")),
        [
            "offers room-a camera-2 verbs=turn,move,zoom,preset",
            "offers room-a projector verbs=turn,select,blank,mute,volume sources=hdmi1",
        ],
        "the projector is the one to be made louder now"
    );
    let of_room = offers(&bench.wish("give me room-a"));
    let of_room: Vec<_> = of_room.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(of_room, ["camera", "camera-2", "document-camera", "projector"]);
    std::fs::remove_file(bench.folder.path().join("vienna.toml")).expect("it is there");
    bench.wish("reload");
    let everything = offers(&bench.wish("give me everything"));
    assert_eq!(everything, ["offers room-b codec verbs=turn,mute,volume,move,zoom,preset"]);
}

#[tokio::test(start_paused = true)]
async fn what_can_be_wished_fits_into_a_line() {
    let mut bench = Bench::new();
    let outputs: Vec<_> = (100..300).map(|number| format!("zone-{number} = {number}")).collect();
    let long = VIENNA.replace("table = 12", &format!("table = 12, {}", outputs.join(", ")));
    write(bench.folder.path(), "vienna", &long);
    let lines = bench.wish("reload");
    assert!(has(&lines, "done"), "{lines:?}");
    let lines = offers(&lines);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("offers room-a lights verbs=turn,scene,set scenes=meeting "));
    assert!((800..1000).contains(&lines[0].len()), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn alive_is_said_every_5_seconds() {
    let mut bench = Bench::new();
    bench.after(0).await;
    assert_eq!(bench.after(4).await, Vec::<String>::new());
    assert_eq!(bench.after(1).await, ["alive"]);
}

#[tokio::test(start_paused = true)]
async fn two_rooms_are_connected_when_both_codecs_say_so() {
    let mut bench = Bench::new();
    bench.codecs();
    let lines = bench.wish("connect room-a room-b id=p7 by=panel");
    assert_eq!(lines[0], "accepted id=p7");
    assert!(has(&lines, "link room-a room-b preparing by=panel"), "{lines:?}");
    bench.accepts("room-a", "codec", "prepare");
    bench.accepts("room-b", "codec", "prepare");
    bench.accepts("room-a", "codec", "dial sip:lisbon@example.net");
    let lines = bench.calls("room-b", vec![call("b1", "vienna@example.net", false)]);
    assert!(!has(&lines, "connect room-a room-b"), "{lines:?}");
    let lines = bench.calls("room-a", vec![call("a1", "lisbon@example.net", true)]);
    assert!(has(&lines, "connect room-a room-b"), "{lines:?}");
    assert!(has(&lines, "done id=p7"), "{lines:?}");
    let ended = CallFact::Ended { id: "b1".to_owned(), reason: EndReason::Normal };
    let lines = bench.news("room-b", "codec", News::Call(ended));
    assert!(has(&lines, "disconnect room-a room-b reason=dropped side=room-b"), "{lines:?}");
    assert_eq!(bench.ordered("room-a", "codec").expect("it is told").0, "hangup a1");
}

#[tokio::test(start_paused = true)]
async fn a_bare_connect_is_done_without_a_name() {
    let mut bench = Bench::new();
    bench.codecs();
    assert_eq!(bench.wish("connect room-a room-b")[0], "accepted");
    bench.accepts("room-a", "codec", "prepare");
    bench.accepts("room-b", "codec", "prepare");
    bench.accepts("room-a", "codec", "dial sip:lisbon@example.net");
    bench.calls("room-b", vec![call("b1", "vienna@example.net", false)]);
    let lines = bench.calls("room-a", vec![call("a1", "lisbon@example.net", true)]);
    assert!(has(&lines, "done"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_comes_to_nothing_says_why() {
    let mut bench = Bench::new();
    bench.codecs();
    bench.wish("connect room-a room-b id=p7");
    bench.accepts("room-a", "codec", "prepare");
    bench.accepts("room-b", "codec", "prepare");
    bench.accepts("room-a", "codec", "dial sip:lisbon@example.net");
    let dialing = Call { state: CallState::Dialing, ..call("a1", "lisbon@example.net", true) };
    bench.news("room-a", "codec", News::Call(CallFact::Is(dialing)));
    let ended = CallFact::Ended { id: "a1".to_owned(), reason: EndReason::Busy };
    let lines = bench.news("room-a", "codec", News::Call(ended));
    let failed = lines.iter().find(|line| line.starts_with("failed id=p7"));
    assert!(failed.is_some_and(|line| line.contains("reason=busy")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_room_in_a_call_takes_its_new_codec_after_the_call() {
    let mut bench = Bench::new();
    bench.connected();
    let codec = bench.session("room-a", "codec");
    write(bench.folder.path(), "vienna", &VIENNA.replace("10.1.2.10:23", "10.1.2.99:23"));
    assert_eq!(bench.wish("reload"), ["accepted", "done"]);
    assert_eq!(bench.session("room-a", "codec"), codec);
    bench.wish("disconnect room-a room-b");
    bench.calls("room-a", Vec::new());
    bench.calls("room-b", Vec::new());
    assert_ne!(bench.session("room-a", "codec"), codec);
}

#[tokio::test(start_paused = true)]
async fn a_reload_of_another_room_leaves_a_call_alone() {
    let mut bench = Bench::new();
    bench.connected();
    write(
        bench.folder.path(),
        "porto",
        &LISBON
            .replace("room-b", "room-c")
            .replace("lisbon", "porto")
            .replace("10.2.7.10", "10.3.7.10"),
    );
    bench.wish("reload");
    bench.take_over();
    bench.offline("room-c", "codec", OfflineReason::Unreachable);
    let everything = bench.wish("give me everything");
    let link = everything.iter().find(|line| line.starts_with("link"));
    assert!(
        link.is_some_and(|line| line.starts_with("link room-a room-b connected")),
        "{everything:?}"
    );
    assert!(bench.ordered("room-a", "codec").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_stopped_ends_its_call_decently() {
    let mut bench = Bench::new();
    bench.connected();
    let lines = bench.wish("stop room-a id=p1");
    assert_eq!(lines.iter().filter(|line| line.starts_with("accepted")).count(), 1, "{lines:?}");
    let mut lines = bench.calls("room-a", Vec::new());
    lines.extend(bench.calls("room-b", Vec::new()));
    let ended = lines.iter().find(|line| line.starts_with("disconnect room-a room-b"));
    assert!(ended.is_some_and(|line| !line.contains("dropped")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_codec_that_sleeps_is_woken_when_it_is_wanted() {
    let mut bench = Bench::new();
    bench.online("room-a", "codec");
    bench.offline("room-a", "codec", OfflineReason::Asleep);
    assert_eq!(bench.wish("turn room-a codec on id=p1")[0], "accepted id=p1");
    assert_eq!(bench.ordered("room-a", "codec").expect("it is woken").0, "Reconnect");
    assert_eq!(bench.ordered("room-a", "codec").expect("it is told").0, "power on");
    assert!(!bench.after(11).await.iter().any(|line| line.starts_with("alert")), "no alarm");
}

#[tokio::test(start_paused = true)]
async fn a_room_in_maintenance_is_not_connected() {
    let mut bench = Bench::new();
    bench.codecs();
    let lines = bench.wish("maintenance room-b on");
    assert!(
        has(&lines, "room room-b maintenance city=Lisbon title=\"Lisbon, Tejo room\""),
        "{lines:?}"
    );
    let lines = bench.wish("connect room-a room-b id=p1");
    assert!(lines[0].starts_with("refused id=p1 reason=maintenance"), "{lines:?}");
    let lines = bench.wish("maintenance room-b off");
    assert!(has(&lines, "room room-b free city=Lisbon title=\"Lisbon, Tejo room\""), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn help_is_asked_for_and_called_off() {
    let mut bench = Bench::new();
    let lines = bench.wish("help room-a text=\"no sound\" by=panel");
    assert!(has(&lines, "help room-a requested by=panel text=\"no sound\""), "{lines:?}");
    let lines = bench.wish("help room-a cancel");
    assert!(has(&lines, "help room-a closed"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn who_comes_to_help_says_so_and_is_done() {
    let mut bench = Bench::new();
    let refused =
        "refused id=p1 reason=not-requested text=\"nobody asks for help in room-a, or no longer\"";
    assert_eq!(bench.wish("help room-a acknowledge text=coming id=p1"), [refused]);
    bench.wish("help room-a text=\"no sound\" by=panel");
    let lines = bench.wish("help room-a acknowledge by=Ben");
    assert!(has(&lines, "help room-a acknowledged by=Ben text=\"no sound\""), "{lines:?}");
    let lines = bench.wish("help room-a acknowledge by=Ida text=\"coming at 9:04\"");
    let acknowledged = "help room-a acknowledged by=Ida text=\"coming at 9:04\"";
    assert!(has(&lines, acknowledged), "{lines:?}");
    assert!(has(&bench.wish("give me room-a"), acknowledged));
    let lines = bench.wish("help room-a close by=Ida text=\"a cable was loose\"");
    assert!(has(&lines, "help room-a closed by=Ida text=\"a cable was loose\""), "{lines:?}");
    assert!(!bench.wish("give me room-a").iter().any(|line| line.starts_with("help")));
    let lines = bench.wish("help room-a acknowledge by=Ben id=p2");
    assert_eq!(lines, [refused.replace("p1", "p2")], "it is over");
    assert_eq!(bench.wish("help room-a close"), ["accepted", "done"], "nothing is left to close");
    let lines = bench.wish("help room-z acknowledge");
    assert!(lines[0].starts_with("refused reason=unknown-room"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn administrators_orders_reach_the_session() {
    let mut bench = Bench::new();
    assert_eq!(bench.wish("reconnect room-a projector"), ["accepted", "done"]);
    assert_eq!(bench.ordered("room-a", "projector").expect("it is told").0, "Reconnect");
    bench.wish("raw room-a projector text=\"%1POWR ?\"");
    let raw = bench.ordered("room-a", "projector").expect("it is told").0;
    assert_eq!(raw, format!("Raw({:?})", b"%1POWR ?\r"));
    bench.wish("trace room-a projector seconds=60");
    assert_eq!(bench.ordered("room-a", "projector").expect("it is told").0, "Trace(60s)");
    let lines = bench.wish("reconnect room-a fridge");
    assert!(lines[0].starts_with("refused reason=unknown-device"), "{lines:?}");
}
