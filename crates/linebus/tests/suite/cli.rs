//! The command line against a real bus, as scripts and people use it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use linebus_testkit::process::Server;

use crate::{binary, text};

/// A bus, and commands that talk to it.
struct Bus {
    server: Server,
}

impl Bus {
    fn start() -> Self {
        Self { server: Server::on_free_port(binary()) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).env("LINEBUS_URL", self.server.url()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it can be started")
    }

    /// Runs a command with something on its standard input.
    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        child.stdin.take().expect("it is a pipe").write_all(input).expect("it reads");
        child.wait_with_output().expect("it is our child")
    }

    /// Starts a command that listens, and waits until it has joined everything.
    fn listen(&self, arguments: &[&str], joins: usize) -> Listener {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        let mut errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
        for _ in 0..joins {
            let mut line = String::new();
            errors.read_line(&mut line).expect("it says so");
            assert!(line.starts_with("linebus: joined "), "{line}");
        }
        Listener { child, errors }
    }

    #[track_caller]
    fn send(&self, topic: &str, message: &str) {
        let output = self.run(&["send", topic, message]);
        assert!(output.status.success(), "{output:?}");
    }
}

struct Listener {
    child: Child,
    errors: BufReader<ChildStderr>,
}

impl Listener {
    /// Its whole output, and its exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut text = String::new();
        let mut out = self.child.stdout.take().expect("it is a pipe");
        out.read_to_string(&mut text).expect("it prints text");
        (text, self.child.wait().expect("it is our child").code())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_one_sends_the_other_receives() {
    let bus = Bus::start();
    let recv = bus.listen(&["recv", "syslib", "rooms.>", "-n", "3"], 2);
    let sent = bus.run(&["send", "syslib", "connect", "room1", "room2"]);
    assert!(sent.status.success() && sent.stdout.is_empty() && sent.stderr.is_empty(), "{sent:?}");
    bus.send("rooms.vienna", "-n is a message, too");
    bus.send("elsewhere", "nobody hears it");
    bus.send("syslib", "");
    let expected = "syslib connect room1 room2\nrooms.vienna -n is a message, too\nsyslib \n";
    assert_eq!(recv.end(), (expected.to_owned(), Some(0)));
}

#[test]
fn each_line_of_standard_input_is_a_message_sent_as_it_comes() {
    let bus = Bus::start();
    let mut command = bus.command(&["send", "t"]);
    let mut sender = command.stdin(Stdio::piped()).spawn().expect("it can be started");
    let mut input = sender.stdin.take().expect("it is a pipe");
    let mut receiver = bus.server.telnet();
    receiver.ask("recv t", "ok recv t");
    for line in ["one", "  two  ", ""] {
        // The next one is written only when this one has arrived.
        writeln!(input, "{line}").expect("it reads");
        receiver.expect(&format!("recv t {line}"));
    }
    write!(input, "without an end").expect("it reads");
    drop(input);
    receiver.expect("recv t without an end");
    assert!(sender.wait().expect("it is our child").success());
}

#[test]
fn many_lines_arrive_whole_and_in_order() {
    let bus = Bus::start();
    let recv = bus.listen(&["recv", "t", "-n", "100000", "--raw"], 1);
    let lines: String = (0..100_000).map(|i| format!("{i}\n")).collect();
    let sending = std::thread::scope(|scope| {
        let sending = scope.spawn(|| bus.run_with(&["send", "t"], lines.as_bytes()));
        let (heard, code) = recv.end();
        assert!(heard == lines && code == Some(0), "all lines, byte for byte");
        sending.join().expect("it does not fail")
    });
    assert!(sending.status.success());
}

#[test]
fn a_line_that_cannot_be_sent_is_named_and_the_others_are_sent() {
    let bus = Bus::start();
    let recv = bus.listen(&["recv", "t", "-n", "2", "--raw"], 1);
    let output = bus.run_with(&["send", "t"], b"good\nb\x1bad\n\xff\nalso good\r\n");
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("line 2 was not sent") && errors.contains("line 3 was not sent"));
    assert_eq!(recv.end(), ("good\nalso good\n".to_owned(), Some(0)));
}

#[test]
fn output_takes_the_form_that_is_asked_for() {
    let bus = Bus::start();
    let json = bus.listen(&["recv", "t", "-n", "1", "--json"], 1);
    let format =
        bus.listen(&["watch", "t", "-n", "1", "--format", "{user}\\t{topic}: {message}"], 1);
    let watch = bus.listen(&["watch", "t", "-n", "1"], 1);
    let watch_json = bus.listen(&["watch", "t", "-n", "1", "--json"], 1);
    let mut command = bus.command(&["send", "t", "say \"hi\""]);
    command.env("LINEBUS_URL", bus.server.url().replace("//", "//bob@"));
    assert!(command.status().expect("it can be started").success());
    assert_eq!(json.end().0, "{\"topic\":\"t\",\"message\":\"say \\\"hi\\\"\"}\n");
    assert_eq!(format.end().0, "bob\tt: say \"hi\"\n");
    let watched = watch.end().0;
    assert_eq!(watched.split_once(' ').map(|(_, rest)| rest), Some("bob t say \"hi\"\n"));
    let object: serde_json::Value = serde_json::from_str(&watch_json.end().0).expect("it is JSON");
    assert_eq!(object["user"], "bob");
    assert_eq!(object["time"].as_str().map(str::len), Some(27));
}

#[test]
fn the_time_can_be_up() {
    let bus = Bus::start();
    let output = bus.run(&["recv", "t", "-n", "1", "--timeout", "0.05"]);
    assert_eq!(output.status.code(), Some(124));
    assert!(
        text(&output.stderr).ends_with("linebus: the time is up, 1 more messages were wanted\n")
    );
    let output = bus.run(&["recv", "-q", "t", "--timeout", "0.05"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn a_reader_that_has_enough_ends_it_with_success() {
    let bus = Bus::start();
    let mut recv = bus.listen(&["recv", "t"], 1);
    bus.send("t", "one");
    let mut line = String::new();
    let mut out = BufReader::new(recv.child.stdout.take().expect("it is a pipe"));
    out.read_line(&mut line).expect("it prints");
    assert_eq!(line, "t one\n");
    // Without a further message it notices that nobody reads.
    drop(out);
    assert_eq!(recv.child.wait().expect("it is our child").code(), Some(0));
    let mut rest = String::new();
    recv.errors.read_to_string(&mut rest).expect("it is text");
    assert_eq!(rest, "", "a closed pipe is no error");
}

#[test]
fn groups_share_the_work() {
    let bus = Bus::start();
    let one = bus.listen(&["recv", "jobs", "--group", "g", "-n", "2", "--raw"], 1);
    let two = bus.listen(&["recv", "jobs", "--group", "g", "-n", "2", "--raw"], 1);
    let sent = bus.run_with(&["send", "jobs"], b"1\n2\n3\n4\n");
    assert!(sent.status.success());
    let mut all = one.end().0 + &two.end().0;
    let mut lines: Vec<_> = all.split_inclusive('\n').collect();
    lines.sort_unstable();
    all = lines.concat();
    assert_eq!(all, "1\n2\n3\n4\n");
}

#[test]
fn lists_are_columns_for_programs_and_objects_on_request() {
    let bus = Bus::start();
    let _recv = bus.listen(&["recv", "rooms.>", "syslib"], 2);
    assert_eq!(text(&bus.run(&["topics"]).stdout), "rooms.>\t1\nsyslib\t1\n");
    assert_eq!(text(&bus.run(&["topics", "rooms.>"]).stdout), "rooms.>\t1\n");
    assert_eq!(text(&bus.run(&["topics", "sys*", "--json"]).stderr).lines().count(), 1);
    assert_eq!(
        text(&bus.run(&["topics", "syslib", "--json"]).stdout),
        "{\"topic\":\"syslib\",\"receivers\":1}\n"
    );
    let who = bus.run(&["who", "rooms.vienna"]);
    assert!(text(&who.stdout).starts_with("guest\t1\t127.0.0.1:"), "{who:?}");
    let who = bus.run(&["who", "--json"]);
    assert_eq!(text(&who.stdout).lines().count(), 2, "the listener, and who asks");
}

#[test]
fn ping_measures_and_sums_up() {
    let bus = Bus::start();
    let output = bus.run(&["ping", "-c", "3", "-i", "0"]);
    assert!(output.status.success());
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[2].contains("seq=3 time=") && lines[3].starts_with("3 round trips, min/avg/max ")
    );
}

#[test]
fn a_command_gets_each_message_as_data_and_never_as_command() {
    let bus = Bus::start();
    let script = "read line; echo \"$LINEBUS_TOPIC|$LINEBUS_MESSAGE|$LINEBUS_USER|$line|$#\"";
    let on = bus.listen(&["on", "t", "-n", "2", "--", "sh", "-c", script], 1);
    let nasty = "$(touch /tmp/x) `id` '; exit \"";
    bus.send("t", nasty);
    bus.send("t", "second");
    let expected = format!("t|{nasty}|guest|{nasty}|0\nt|second|guest|second|0\n");
    assert_eq!(on.end(), (expected, Some(0)));
}

#[test]
fn jobs_run_side_by_side_and_failures_are_told() {
    let bus = Bus::start();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // Each job waits for the other one: with one at a time neither would end.
    let script = "touch $LINEBUS_MESSAGE; while [ ! -e a -o ! -e b ]; do :; done; exit 3";
    let mut command = bus.command(&["on", "t", "-j", "2", "-n", "2", "--", "sh", "-c", script]);
    command.current_dir(folder.path()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let mut errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    errors.read_line(&mut line).expect("it says that it has joined");
    bus.send("t", "a");
    bus.send("t", "b");
    let mut rest = String::new();
    errors.read_to_string(&mut rest).expect("it is text");
    assert_eq!(rest, "linebus: sh: exit status: 3\n".repeat(2));
    assert_eq!(child.wait().expect("it is our child").code(), Some(1));
}

#[test]
fn a_chat_without_a_terminal_talks_and_listens() {
    let bus = Bus::start();
    let mut command = bus.command(&["chat", "lobby", "--user", "alice"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut alice = command.spawn().expect("it can be started");
    let mut heard = BufReader::new(alice.stdout.take().expect("it is a pipe"));
    let mut said = alice.stdin.take().expect("it is a pipe");
    let mut hear = || {
        let mut line = String::new();
        heard.read_line(&mut line).expect("it prints");
        line
    };
    assert_eq!(hear(), "joined lobby; /help says more\n");
    let mut bob = bus.server.telnet();
    bob.ask("login bob\nwatch lobby", "ok login bob");
    bob.expect("ok watch lobby");
    bob.say("send lobby hi alice");
    assert!(hear().ends_with(" bob: hi alice\n"));
    writeln!(said, "hi bob").expect("it reads");
    assert!(bob.hear().is_some_and(|line| line.ends_with(" alice hi bob")));
    writeln!(said, "/who").expect("it reads");
    assert!(
        hear().starts_with("alice from 127.0.0.1:") && hear().starts_with("bob from 127.0.0.1:")
    );
    writeln!(said, "/quit").expect("it reads");
    assert!(alice.wait().expect("it is our child").success());
}

#[test]
fn a_listener_says_what_it_may_have_missed_and_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("bus");
    let path = path.to_str().expect("its name is UTF-8");
    let mut first = Server::start(binary(), &["--unix", path]);
    let url = format!("unix:{path}");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command.args(["--bus", &url]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it can be started")
    };
    let mut recv = run(&["recv", "t", "-n", "1"]);
    let mut errors = BufReader::new(recv.stderr.take().expect("it is a pipe"));
    let mut next = || {
        let mut line = String::new();
        errors.read_line(&mut line).expect("it is text");
        line
    };
    assert_eq!(next(), "linebus: joined t\n");
    first.signal(rustix::process::Signal::TERM);
    assert!(first.wait().success());
    assert_eq!(next(), "linebus: note: the bus stops (shutdown)\n");
    assert!(next().ends_with("connecting again, messages may be missed\n"));
    let _second = Server::start(binary(), &["--unix", path]);
    assert!(next().starts_with("linebus: connected again; messages of "));
    assert!(run(&["send", "t", "again"]).wait().expect("it is our child").success());
    let mut heard = String::new();
    recv.stdout.take().expect("it is a pipe").read_to_string(&mut heard).expect("it is text");
    assert_eq!(heard, "t again\n");
    assert!(recv.wait().expect("it is our child").success());
}

#[test]
fn what_is_wrong_is_said_with_its_exit_code_and_a_way_out() {
    let bus = Bus::start();
    let check = |arguments: &[&str], code: i32, said: &str| {
        let output = bus.run(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty());
    };
    // Port 1 is reserved (tcpmux) and nobody listens there.
    check(&["--bus", "127.0.0.1:1", "who"], 3, "`linebus serve` starts a bus");
    check(&["--bus", "unix:/nowhere/bus", "who"], 3, "can't connect to unix:/nowhere/bus");
    check(&["--bus", "http://x", "who"], 2, "write linebus://host:port");
    check(&["send", "a.*", "x"], 2, "no wildcards here");
    check(&["send", "$bus.clients", "x"], 2, "nobody but the bus itself");
    check(&["recv"], 2, "<TOPIC>...");
    check(&["recv", "t", "--format", "{time}"], 2, "only known to `linebus watch`");
    check(&["recv", "t", "--raw", "--json"], 2, "cannot be used with");
    check(&["recv", "t", "--timeout", "soon"], 2, "a number of seconds is wanted");
    check(&["send", "t", &"x".repeat(70_000)], 1, "this bus accepts 65536");
    check(&["on", "t", "-n", "0", "--", "true"], 2, "invalid value");
}

#[test]
fn completions_and_man_pages_are_made() {
    let bus = Bus::start();
    for shell in ["bash", "zsh", "fish"] {
        let output = bus.run(&["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("linebus"), "{shell}");
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let output = bus.run(&["man", folder.path().to_str().expect("its name is UTF-8")]);
    assert!(output.status.success(), "{output:?}");
    let page = std::fs::read_to_string(folder.path().join("linebus-recv.1")).expect("it is there");
    assert!(page.contains(".TH linebus-recv") || page.contains(".TH \"linebus-recv\""), "{page}");
}

#[test]
fn bench_measures_this_bus() {
    let bus = Bus::start();
    let output = bus.run(&["bench", "--seconds", "0.1", "--receivers", "2"]);
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert!(lines[1].contains(" deliveries/s") && lines[2].contains("p99.9"), "{lines:?}");
    let mut unread = bus.command(&["bench", "--seconds", "0.1"]);
    let mut unread = unread.stdout(Stdio::piped()).spawn().expect("it can be started");
    drop(unread.stdout.take());
    assert!(unread.wait().expect("it ends").success(), "a closed pipe is no error");
}
