//! `rooms devices` as people run it: a real bus, the real program, and devices that are scripts on
//! TCP ports.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use linebus_testkit::process::{Server, signal};
use linebus_testkit::telnet::Telnet;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::programs::{Program, bus, rooms, until, until_all};

/// Room files, a bus, the program between them, and a person on the bus.
struct Bench {
    folder: TempDir,
    bus: Server,
    program: Program,
    person: Telnet,
}

impl Bench {
    fn start(files: &[(&str, String)]) -> Bench {
        let folder = TempDir::new().expect("a temporary folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("it can be written");
        }
        let bus = bus();
        let mut person = bus.telnet();
        person.ask("recv rooms", "ok recv rooms");
        let mut command = rooms(&["devices", "--bus", &bus.url(), "--rooms"]);
        command.arg(folder.path());
        Bench { folder, bus, program: Program::start(command), person }
    }

    fn wish(&mut self, wish: &str) {
        self.person.say(&format!("send syslib {wish}"));
    }

    #[track_caller]
    fn until(&mut self, wanted: &str) -> String {
        until(&mut self.person, wanted)
    }
}

/// A listener for a device, and its port.
fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    (listener, port)
}

/// Lines that end with CR, without LF.
fn lines(stream: &TcpStream) -> impl Iterator<Item = String> + use<> {
    let reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    let lines = reader.split(b'\r').map_while(Result::ok);
    lines.map(|line| String::from_utf8_lossy(&line).trim().to_owned())
}

/// A projector; says over the channel each connection and each order that it got.
fn projector(password_is_right: bool) -> (u16, Receiver<String>) {
    let (listener, port) = listen();
    let (sender, orders) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            play_projector(stream, password_is_right, &sender);
        }
    });
    (port, orders)
}

fn play_projector(mut stream: TcpStream, password_is_right: bool, orders: &Sender<String>) {
    let _ = orders.send("connected".to_owned());
    let greeting = if password_is_right { "PJLINK 0\r" } else { "PJLINK 1 498e4a67\r" };
    let heard = lines(&stream);
    let mut say = |text: &str| stream.write_all(text.as_bytes()).is_ok();
    say(greeting);
    let mut power = '0';
    for line in heard {
        let answer = match line.as_str() {
            _ if !password_is_right => "PJLINK ERRA\r".to_owned(),
            "%1POWR ?" => format!("%1POWR={power}\r"),
            "%1POWR 1" | "%1POWR 0" => {
                power = line.chars().last().unwrap_or('0');
                let _ = orders.send(line);
                "%1POWR=OK\r".to_owned()
            }
            query => format!("{}=ERR1\r", &query[..query.len().min(6)]),
        };
        if !say(&answer) {
            return;
        }
    }
}

fn room(id: &str, devices: &str) -> String {
    format!(
        "[room]\nid = \"{id}\"\ncity = \"City of {id}\"\ntitle = \"Room {id}\"\nincoming = \"open\"\n\n{devices}\n"
    )
}

fn projector_of(port: u16, more: &str) -> String {
    format!("[device.projector]\ndriver = \"pjlink\"\nconnect = \"tcp:127.0.0.1:{port}\"\n{more}\n")
}

#[test]
fn a_press_reaches_the_projector_and_its_state_everybody() {
    let (port, orders) = projector(true);
    let mut bench = Bench::start(&[("a.toml", room("room-a", &projector_of(port, "")))]);
    bench.until("device room-a projector online");
    bench.until("state room-a projector power=off");
    bench.wish("turn room-a projector on id=p1");
    bench.until("accepted id=p1");
    bench.until("state room-a projector wanted.power=on");
    bench.until("state room-a projector power=on");
    bench.until("done id=p1");
    bench.wish("turn room-a projector on id=p1");
    bench.until("accepted id=p1");
    bench.wish("turn room-a projector off id=p2");
    bench.until("done id=p2");
    drop(bench);
    assert_eq!(orders.try_iter().collect::<Vec<_>>(), ["connected", "%1POWR 1", "%1POWR 0"]);
}

#[test]
fn everything_is_said_on_wish_and_what_can_not_be_is_refused() {
    let (port, _orders) = projector(true);
    let mut bench = Bench::start(&[("a.toml", room("room-a", &projector_of(port, "")))]);
    bench.until("state room-a projector power=off");
    bench.wish("give me everything");
    bench.until("everything begin");
    bench.until("room room-a free city=\"City of room-a\"");
    bench.until("device room-a projector online");
    bench.until("offers room-a projector verbs=turn,blank,mute,volume ");
    bench.until("state room-a projector power=off");
    bench.until("everything end lines=4");
    bench.wish("turn room-b projector on id=1");
    bench.until("refused id=1 reason=unknown-room");
    bench.wish("connect room-a room-a id=2");
    bench.until("refused id=2 reason=unsupported text=\"room-a has no codec");
    bench.wish("dance id=3");
    bench.until("refused id=3 reason=bad-wish");
    bench.until("alive");
}

#[test]
fn a_wrong_password_is_tried_once() {
    let (port, orders) = projector(false);
    let files = room("room-a", &projector_of(port, "password_file = \"secret\""));
    let mut bench = Bench::start(&[("secret", "wrong".to_owned()), ("a.toml", files)]);
    bench.until("device room-a projector offline reason=auth-failed");
    bench.until("alert room-a projector level=error code=offline");
    bench.until("alive");
    assert_eq!(orders.try_iter().count(), 1);
    bench.wish("reconnect room-a projector");
    assert_eq!(orders.recv().expect("it is tried again"), "connected");
}

#[test]
fn a_hangup_reads_the_files_again_and_touches_only_what_changed() {
    let (port, orders) = projector(true);
    let mut bench = Bench::start(&[("a.toml", room("room-a", &projector_of(port, "")))]);
    bench.until("device room-a projector online");
    let (port, _others) = projector(true);
    let file = bench.folder.path().join("b.toml");
    std::fs::write(&file, "nonsense").expect("it can be written");
    bench.program.signal(Signal::HUP);
    bench.wish("give me room-b id=1");
    bench.until("refused id=1 reason=unknown-room");
    std::fs::write(&file, room("room-b", &projector_of(port, ""))).expect("it can be written");
    bench.program.signal(Signal::HUP);
    bench.until("room room-b free");
    bench.until("device room-b projector online");
    assert_eq!(orders.try_iter().count(), 1, "the first one has its session still");
}

#[test]
fn what_a_traced_device_is_told_and_says_comes_to_who_hears_frames() {
    let (port, _orders) = projector(true);
    let mut bench = Bench::start(&[("a.toml", room("room-a", &projector_of(port, "")))]);
    bench.until("state room-a projector power=off");
    let mut curious = bench.bus.telnet();
    curious.ask("recv frames", "ok recv frames");
    let mut hear = |wanted: &str| {
        let line = curious.hear().expect("the bus lives");
        let frame = line.strip_prefix("recv frames frame room-a projector ").unwrap_or(&line);
        assert_eq!(frame.split(" at=").next(), Some(wanted));
    };
    bench.wish("trace room-a projector seconds=60");
    hear(r#"received text="PJLINK 0\\r""#);
    hear(r#"sent text="%1POWR ?\\r""#);
    bench.wish("raw room-a projector text=now");
    let line = (0..200).find_map(|_| curious.hear().filter(|line| line.contains("now")));
    let line = line.expect("it is said");
    assert!(
        line.starts_with(r#"recv frames frame room-a projector sent text="now\\r" at="#),
        "{line}"
    );
    bench.wish("give me everything");
    let heard = until_all(&mut bench.person, &["everything end"]);
    assert!(!heard.iter().any(|line| line.contains("frame")), "facts only: {heard:?}");
}

#[test]
fn it_ends_decently_and_the_bus_goes_on() {
    let (port, _orders) = projector(true);
    let mut bench = Bench::start(&[("a.toml", room("room-a", &projector_of(port, "")))]);
    bench.program.signal(Signal::TERM);
    assert!(bench.program.wait().success());
    assert_eq!(bench.bus.telnet().barrier(), Vec::<String>::new());
}

#[test]
fn without_a_bus_it_says_so_and_can_be_ended() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = room("room-a", &projector_of(1, ""));
    std::fs::write(folder.path().join("a.toml"), file).expect("writable");
    let bus = format!("unix:{}", folder.path().join("bus").display());
    let mut command = rooms(&["devices", "--bus", &bus, "--rooms"]);
    let mut child = command.arg(folder.path()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
    let waits = |line: std::io::Result<String>| line.expect("text").contains("waiting for it");
    assert!(said.any(waits), "it says that it waits");
    signal(&child, Signal::TERM);
    assert!(child.wait().expect("it is our child").success());
}

#[test]
fn wrong_files_are_explained_and_nothing_is_started() {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("a.toml"), "[room]\nid = \"room-a\"\n").expect("writable");
    let output = rooms(&["devices", "--bus", "linebus://127.0.0.1:1", "--rooms"])
        .arg(folder.path())
        .output()
        .expect("it can be started");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("it speaks UTF-8");
    assert!(said.contains("a.toml: line 1: room.city"), "{said}");
}

/// Two codecs that are wired to each other: who dials one is in a call with it at once.
#[derive(Clone, Default)]
struct Codecs(Arc<Mutex<HashMap<String, TcpStream>>>);

impl Codecs {
    /// A codec of this number; its port.
    fn play(&self, number: &str) -> u16 {
        let (listener, port) = listen();
        let (codecs, number) = (self.clone(), number.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                codecs.session(&number, &stream);
            }
        });
        port
    }

    fn session(&self, number: &str, stream: &TcpStream) {
        let own = stream.try_clone().expect("a socket can be cloned");
        self.0.lock().expect("nobody panics").insert(number.to_owned(), own);
        self.say(number, "*r Login successful");
        for line in lines(stream) {
            let (command, id) = match line.split_once(" | resultId=") {
                Some((command, id)) => (command.to_owned(), id.trim_matches('"').to_owned()),
                None => (line, String::new()),
            };
            if id.is_empty() {
                self.say(number, "OK");
                continue;
            }
            self.say(
                number,
                &format!("OK\r\n*r Result (status=OK):\r\n** resultId: \"{id}\"\r\n** end"),
            );
            if let Some(dialed) = command.strip_prefix("xCommand Dial Number: ") {
                let far = dialed.split(' ').next().unwrap_or_default().to_owned();
                self.connected(number, "Outgoing", &far);
                self.connected(&far, "Incoming", number);
            } else if command.starts_with("xCommand Call Disconnect") {
                self.over(number);
            }
        }
    }

    fn connected(&self, number: &str, direction: &str, far: &str) {
        let call = format!(
            "*s Call 1 Status: Connected\r\n*s Call 1 Direction: {direction}\r\n*s Call 1 RemoteNumber: {far}\r\n** end"
        );
        self.say(number, &call);
    }

    fn over(&self, number: &str) {
        self.say(number, "*s Call 1 (ghost=True):\r\n** end");
    }

    fn say(&self, number: &str, text: &str) {
        let codecs = self.0.lock().expect("nobody panics");
        if let Some(mut stream) = codecs.get(number) {
            let _ = stream.write_all(format!("{text}\r\n").as_bytes());
        }
    }
}

fn codec_of(port: u16, number: &str) -> String {
    format!(
        "[device.codec]\ndriver = \"cisco-xapi\"\nconnect = \"tcp:127.0.0.1:{port}\"\ndial = \"sip:{number}\"\n"
    )
}

#[test]
fn two_rooms_are_connected_and_one_that_drops_ends_the_other() {
    let codecs = Codecs::default();
    let (vienna, lisbon) = ("vienna@example.net", "lisbon@example.net");
    let mut bench = Bench::start(&[
        ("a.toml", room("room-a", &codec_of(codecs.play(vienna), vienna))),
        ("b.toml", room("room-b", &codec_of(codecs.play(lisbon), lisbon))),
    ]);
    for _ in 0..2 {
        bench.until("room room-");
    }
    // Both codecs have said that they are free.
    bench.until("room room-");
    bench.until("room room-");
    bench.wish("connect room-a room-b id=p7 by=panel");
    bench.until("accepted id=p7");
    bench.until("link room-a room-b preparing by=panel");
    bench.until("connect room-a room-b");
    bench.until("done id=p7");
    codecs.over(lisbon);
    bench.until("disconnect room-a room-b reason=dropped side=room-b");
    bench.until("room room-a free");
}

/// A bridge with a camera behind it, which tells what it hears.
fn camera() -> (u16, Receiver<Vec<u8>>) {
    let (listener, port) = listen();
    let (sender, frames) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut frame = Vec::new();
            let bytes = stream.try_clone().expect("a socket can be cloned");
            for byte in BufReader::new(bytes).bytes().map_while(Result::ok) {
                frame.push(byte);
                if byte != 0xff {
                    continue;
                }
                let answer: &[u8] = match frame[..] {
                    // The number of cameras in the chain, and its interface cleared.
                    [0x88, 0x30, ..] => &[0x88, 0x30, 0x02, 0xff],
                    [0x88, 0x01, 0x00, 0x01, 0xff] => &[0x88, 0x01, 0x00, 0x01, 0xff],
                    // It is on, wherever else it is asked: not executable.
                    [0x81, 0x09, 0x04, 0x00, 0xff] => &[0x90, 0x50, 0x02, 0xff],
                    [0x81, 0x09, ..] => &[0x90, 0x60, 0x41, 0xff],
                    _ => &[0x90, 0x41, 0xff, 0x90, 0x51, 0xff],
                };
                let _ = sender.send(std::mem::take(&mut frame));
                if stream.write_all(answer).is_err() {
                    break;
                }
            }
        }
    });
    (port, frames)
}

#[test]
fn a_camera_behind_a_bridge_stops_when_nobody_tells_it_to_go_on() {
    let (port, frames) = camera();
    let devices = format!(
        "[bridge.rack]\nkind = \"raw-tcp\"\nhost = \"127.0.0.1\"\nports = {{ 1 = {port} }}\n\n\
         [device.camera]\ndriver = \"visca-serial\"\nconnect = \"bridge:rack/1\"\n"
    );
    let mut bench = Bench::start(&[("a.toml", room("room-a", &devices))]);
    bench.until("device room-a rack online role=bridge");
    bench.until("device room-a camera online");
    bench.wish("move room-a camera left speed=40 id=1");
    bench.until("done id=1");
    let mut drives = frames.iter().filter(|frame| frame.starts_with(&[0x81, 0x01, 0x06, 0x01]));
    let moves = drives.next().expect("it moves");
    assert_eq!(moves[6..8], [0x01, 0x03], "to the left: {moves:x?}");
    let stops = drives.next().expect("it stops");
    assert_eq!(stops[6..8], [0x03, 0x03], "{stops:x?}");
}
