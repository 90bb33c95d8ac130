//! What a release must be able to do, from end to end: the bus, `rooms devices` and `rooms
//! simulate` as programs of their own, and a person who wishes and listens.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use linebus_testkit::process::Server;
use linebus_testkit::telnet::Telnet;

/// The bus's program, beside this one's; built if nobody has.
fn linebus() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_rooms")).with_file_name("linebus");
    if !binary.exists() {
        let built =
            Command::new(env!("CARGO")).args(["build", "--quiet", "-p", "linebus"]).status();
        assert!(built.expect("cargo is there").success());
    }
    binary
}

/// A program, ended with the value that stands for it.
struct Program {
    child: Child,
    said: Vec<String>,
    _output: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Program {
        let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).join("example");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rooms"));
        command.args(arguments).arg("--rooms").arg(rooms).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).expect("text"), 0, "it ended: {said:?}");
            match line.trim() {
                "ready" => return Program { child, said, _output: output },
                line => said.push(line.to_owned()),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Bench {
    bus: Server,
    _simulator: Program,
    devices: Option<Program>,
    base: String,
    facts: Telnet,
    orders: Telnet,
}

impl Bench {
    fn start() -> Bench {
        let bus = Server::on_free_port(&linebus());
        let mut facts = bus.telnet();
        facts.ask("recv rooms", "ok recv rooms");
        let mut orders = bus.telnet();
        orders.ask("recv simulator", "ok recv simulator");
        let url = bus.url();
        let simulator =
            Program::start(&["simulate", "--bus", &url, "--base-port", "0", "--speed", "10"]);
        let first = simulator.said[0].rsplit(':').next().expect("an address");
        let base = first.to_owned();
        let mut bench = Bench { bus, _simulator: simulator, devices: None, base, facts, orders };
        bench.start_devices();
        bench
    }

    fn start_devices(&mut self) {
        let url = self.bus.url();
        let started = Program::start(&["devices", "--bus", &url, "--simulated", &self.base]);
        self.devices = Some(started);
    }

    fn wish(&mut self, wish: &str) {
        self.facts.say(&format!("send syslib {wish}"));
    }

    #[track_caller]
    fn order(&mut self, order: &str) {
        self.orders.say(&format!("send simulator {order}"));
        self.orders.expect(&format!("recv simulator ok {order}"));
    }

    /// Hears facts until one begins so.
    #[track_caller]
    fn until(&mut self, wanted: &str) -> String {
        let wanted = format!("recv rooms {wanted}");
        loop {
            let line = self.facts.hear().expect("the bus lives");
            if line.starts_with(&wanted) {
                return line["recv rooms ".len()..].to_owned();
            }
        }
    }

    /// Hears facts until all of these have come, in any order.
    #[track_caller]
    fn until_all(&mut self, wanted: &[&str]) {
        let mut wanted: Vec<_> = wanted.iter().map(|fact| format!("recv rooms {fact}")).collect();
        while !wanted.is_empty() {
            let line = self.facts.hear().expect("the bus lives");
            wanted.retain(|fact| !line.starts_with(fact));
        }
    }

    fn both_are_free(&mut self) {
        self.wish("give me everything");
        self.until_all(&["room room-a free", "room room-b free", "everything end"]);
    }

    fn connected() -> Bench {
        let mut bench = Bench::start();
        bench.until_all(&["device room-a codec online", "device room-b codec online"]);
        bench.wish("connect room-a room-b id=c1");
        bench.until("accepted id=c1");
        bench.until("connect room-a room-b");
        bench
    }
}

#[test]
fn case_1_and_2_rooms_are_connected_and_a_side_that_is_lost_ends_the_other() {
    let mut bench = Bench::connected();
    bench.order("drop call room-a room-b side=room-b");
    bench.until("disconnect room-a room-b reason=dropped");
    bench.until_all(&["room room-a free", "room room-b free"]);
    bench.orders.say("send simulator show room-a codec");
    let shown = bench.orders.hear().expect("the bus lives");
    assert!(!shown.contains("call."), "the near side was hung up: {shown}");
}

#[test]
fn case_3_who_is_in_another_call_is_busy() {
    let mut bench = Bench::start();
    bench.until_all(&["device room-a codec online", "device room-b codec online"]);
    bench.order("press room-b codec dial:vienna@example.net");
    bench.order("press room-b codec hangup");
    bench.order("ring room-b from=\"+43 1 555\"");
    bench.until("room room-b busy");
    bench.wish("connect room-a room-b id=c1");
    let answer = bench.until("refused id=c1");
    assert!(answer.contains("reason=busy"), "{answer}");
}

#[test]
fn case_9_and_10_a_new_interface_finds_the_call_and_tells_everything() {
    let mut bench = Bench::connected();
    bench.devices = None;
    bench.start_devices();
    bench.wish("give me everything id=e1");
    bench.until("everything begin");
    bench.until_all(&["link room-a room-b connected"]);
}

#[test]
fn case_11_an_input_pressed_while_warming_is_shown_when_it_is_on() {
    let mut bench = Bench::start();
    bench.until("device room-a projector online");
    bench.wish("turn room-a projector on id=p1");
    bench.until("state room-a projector power=warming");
    bench.wish("select room-a projector hdmi2 id=p2");
    bench.until("accepted id=p2");
    bench.until("state room-a projector input=hdmi2");
}

#[test]
fn case_12_a_bridge_that_is_cut_is_one_alert_and_its_devices_come_back() {
    let mut bench = Bench::start();
    bench.until_all(&["device room-b codec online", "device room-b document-camera online"]);
    bench.order("cut room-b moxa seconds=20");
    bench.until("device room-b document-camera offline");
    bench.until("device room-b document-camera online");
}

#[test]
fn case_13_a_wrong_password_is_tried_once() {
    let mut bench = Bench::start();
    bench.until("device room-a codec online");
    bench.order("fault room-a codec wrong-password");
    bench.until("device room-a codec offline reason=auth-failed");
    bench.order("fault room-a codec off");
    bench.wish("reconnect room-a codec");
    bench.until("device room-a codec online");
}
