//! `rooms simulate` as people run it: the program, a bus, a client of a serial bridge.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use linebus_client::{Client, Event, Events};
use linebus_testkit::process::Server;
use rustix::process::Signal;

use crate::programs::{Program, bus, example, rooms};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `rooms simulate`.
struct Simulator(Program);

impl Simulator {
    fn start(bus: &Server, more: &[&str]) -> Simulator {
        let mut command = rooms(&["simulate", "--bus", &bus.url(), "--base-port", "0"]);
        command.args(["--speed", "20", "--rooms"]).arg(example()).args(more);
        Simulator(Program::start(command))
    }

    /// Where a device is, by the port map.
    fn place(&self, device: &str) -> String {
        let line = self.0.said.iter().find_map(|line| line.strip_prefix(device));
        let line = line.unwrap_or_else(|| panic!("{device} is in {:?}", self.0.said));
        line.split_ascii_whitespace().last().expect("it has a place").to_owned()
    }

    fn connect(&self, device: &str) -> TcpStream {
        let stream = TcpStream::connect(self.place(device)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
        stream
    }
}

async fn on_topic(bus: &Server) -> (Client, Events) {
    let (client, events) = Client::connect(&bus.url()).await.expect("the bus is there");
    client.recv("simulator").await.expect("the bus is open");
    (client, events)
}

async fn hear(events: &mut Events) -> String {
    let heard = async {
        loop {
            if let Event::Message(message) = events.next().await.expect("the bus stays") {
                return message.text;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect("an answer")
}

fn read(stream: &mut impl Read, wanted: &[u8]) {
    let mut bytes = vec![0; wanted.len()];
    stream.read_exact(&mut bytes).expect("it comes");
    assert_eq!(bytes.escape_ascii().to_string(), wanted.escape_ascii().to_string());
}

#[tokio::test]
async fn orders_on_the_bus_change_what_controllers_see() {
    let bus = bus();
    let folder = tempfile::tempdir().expect("a folder");
    let transcript = folder.path().join("frames");
    let simulator = Simulator::start(&bus, &["--transcript", transcript.to_str().expect("a path")]);
    let (client, mut events) = on_topic(&bus).await;

    let mut projector = simulator.connect("room-a projector tcp");
    read(&mut projector, b"PJLINK 0\r");
    let expect = "expect room-a projector \"%1POWR 1\"";
    client.send("simulator", expect).await.expect("sent");
    client.send("simulator", "fault room-a projector erst=002000").await.expect("sent");
    assert_eq!(hear(&mut events).await, "ok fault room-a projector erst=002000");
    projector.write_all(b"%1ERST ?\r").expect("it takes it");
    read(&mut projector, b"%1ERST=002000\r");
    projector.write_all(b"%1POWR 1\r").expect("it takes it");
    read(&mut projector, b"%1POWR=OK\r");
    assert_eq!(hear(&mut events).await, format!("ok {expect}"));
    client.send("simulator", "show room-a toaster").await.expect("sent");
    let answer = hear(&mut events).await;
    assert!(answer.starts_with("error show room-a toaster: room-a has no toaster"), "{answer}");

    // A second controller is let go; when the first one has left, the next one is welcome.
    let mut second = simulator.connect("room-a projector tcp");
    assert_eq!(second.read(&mut [0]).expect("its end"), 0);
    drop(projector);
    let mut third = simulator.connect("room-a projector tcp");
    read(&mut third, b"PJLINK 0\r");

    let frames = std::fs::read_to_string(transcript).expect("it is written");
    let said: Vec<_> = frames.lines().filter_map(|line| line.split_once(' ')).collect();
    assert_eq!(said[0].1, "room-a projector > PJLINK 0\\r");
    assert_eq!(said[1].1, "room-a projector < %1ERST ?\\r");
}

#[tokio::test]
async fn a_script_gives_its_orders_at_their_times() {
    let bus = bus();
    let (_client, mut events) = on_topic(&bus).await;
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    std::fs::write(&script, "1s press room-a doccam power\n0.5s reboot room-a codec\n")
        .expect("it");
    let _simulator = Simulator::start(&bus, &["--script", script.to_str().expect("a path")]);
    assert_eq!(hear(&mut events).await, "ok reboot room-a codec");
    assert_eq!(hear(&mut events).await, "ok press room-a doccam power");
}

#[tokio::test]
async fn a_bridge_takes_the_settings_of_its_line_and_a_line_set_wrong_is_noise() {
    let bus = bus();
    let simulator = Simulator::start(&bus, &[]);
    // This one is at 115200, and bridges are at 9600 until told otherwise.
    let mut line = simulator.connect("room-b projector rfc2217");
    let greeting =
        b"\xff\xfb\x03\xff\xfd\x03\xff\xfb\x01\xff\xfe\x01\xff\xfd\x00\xff\xfb\x00\xff\xfd\x2c";
    read(&mut line, greeting);
    line.write_all(b"\xff\xfb\x2c").expect("it takes it");
    read(&mut line, b"\xff\xfa\x2c\x6b\x00\xff\xf0");
    line.write_all(b"\r*pow=?#\r").expect("it takes it");
    line.write_all(b"\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0").expect("it takes it");
    read(&mut line, b"\xff\xfa\x2c\x65\x00\x01\xc2\x00\xff\xf0");
    line.write_all(b"\xff\xfa\x2c\x02\x08\xff\xf0\xff\xfa\x2c\x03\x01\xff\xf0")
        .expect("it takes it");
    read(&mut line, b"\xff\xfa\x2c\x66\x08\xff\xf0\xff\xfa\x2c\x67\x01\xff\xf0");
    line.write_all(b"\r*pow=?#\r").expect("it takes it");
    read(&mut line, b"*POW=OFF#\r\n");

    let mut second = simulator.connect("room-b projector rfc2217");
    read(&mut second, b"Port already in use\r\n");
}

#[tokio::test]
async fn serial_devices_can_be_on_pseudo_terminals() {
    let bus = bus();
    let folder = tempfile::tempdir().expect("a folder");
    let mut simulator = Simulator::start(&bus, &["--pty", folder.path().to_str().expect("a path")]);
    let link = simulator.place("room-b projector pty");
    let mut line = std::fs::OpenOptions::new().read(true).write(true).open(&link).expect("it is");
    line.write_all(b"\r*pow=?#\r").expect("it takes it");
    read(&mut line, b"*POW=OFF#\r\n");
    simulator.0.signal(Signal::TERM);
    assert!(simulator.0.wait().success());
    assert!(!Path::new(&link).exists(), "the link goes with the simulator");
}

#[test]
fn what_can_not_begin_says_why() {
    let run = |arguments: &[&str]| {
        let output = rooms(&["simulate"]).args(arguments).output().expect("it can be started");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    let (code, said) = run(&["--rooms", "nowhere", "--bus", "linebus://127.0.0.1:1"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("nowhere"), "{said}");
    let example = example();
    let rooms = example.to_str().expect("a path");
    let (code, said) =
        run(&["--rooms", rooms, "--bus", "linebus://127.0.0.1:1", "--base-port", "0"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("rooms: the bus: "), "{said}");
    assert_eq!(run(&["--rooms", rooms, "--bus", "x", "--speed", "0"]).0, Some(2));
    let (_, said) = run(&["--rooms", rooms, "--base-port", "0", "--pty", "nowhere"]);
    assert!(
        said.contains("rooms: room-a document-camera in the folder nowhere: No such"),
        "{said}"
    );
    // The codec's port is the second one.
    let taken = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    let base = (taken.local_addr().expect("it is bound").port() - 1).to_string();
    let (code, said) = run(&["--rooms", rooms, "--base-port", &base]);
    assert_eq!(code, Some(1));
    assert!(said.contains("; --base-port chooses others: Address already in use"), "{said}");
}
