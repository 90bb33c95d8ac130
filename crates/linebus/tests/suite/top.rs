//! `linebus top` against a real bus: for scripts, and in a terminal with a person before it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use linebus_testkit::process::{Server, signal};
use linebus_testkit::rules::Rules;
use linebus_testkit::telnet::Telnet;
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::binary;

fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("top").args(arguments).env("LINEBUS_URL", url).stdin(Stdio::null());
    command
}

/// Two clients, one of which hears the other, and each second's figures.
fn pair(server: &Server) -> (Telnet, Telnet) {
    let (mut ear, mut mouth) = (server.telnet(), server.telnet());
    ear.ask("login ear\nrecv rooms.vienna\nrecv $bus.stats", "ok login ear");
    ear.expect("ok recv rooms.vienna");
    mouth.ask("login mouth", "ok login mouth");
    wait_for_figures(&mut ear);
    (ear, mouth)
}

fn wait_for_figures(ear: &mut Telnet) {
    while !ear.hear().expect("it stays").starts_with("recv $bus.stats bus ") {}
}

/// Sends with each second's figures until `meanwhile` is done: there are lines in all of them.
fn while_they_talk<T>((ear, mouth): &mut (Telnet, Telnet), meanwhile: impl FnOnce() -> T) -> T {
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                mouth.say("send rooms.vienna lights on");
                wait_for_figures(ear);
            }
        });
        let _end = End(&enough);
        meanwhile()
    })
}

/// Ends the talk, also when a check fails meanwhile.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn once_prints_what_there_is_for_scripts() {
    let server = Server::on_free_port(binary());
    let mut pair = pair(&server);
    // Without a terminal `--once` need not be said.
    for arguments in [&["--once"][..], &[]] {
        let run = || command(&server.url(), arguments).output().expect("it can be started");
        let output = while_they_talk(&mut pair, run);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("it is text");
        let parts: Vec<_> = text.split("\n\n").collect();
        let [bus, topics, clients] = parts[..] else { panic!("three parts: {text}") };
        assert!(bus.starts_with(&format!("bus {}\nup_s ", server.addresses[0])), "{text}");
        assert!(bus.contains("\nsessions 3\n") && !bus.contains("\nin_lines_per_s 0\n"), "{text}");
        let row = |table: &str, name: &str| {
            let row = table.lines().find(|line| line.split_whitespace().any(|word| word == name));
            let words = row.unwrap_or_else(|| panic!("{name}: {text}")).split_whitespace();
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let vienna = row(topics, "rooms.vienna");
        assert!(vienna[1] == "1" && vienna[2] != "0" && vienna[3] != "0", "{text}");
        let (heads, ear) = (row(clients, "USER"), row(clients, "ear"));
        assert_eq!((heads.len(), ear.len()), (10, 10), "{text}");
        assert!(ear[0] == "1" && ear[4] == "0" && ear[6] != "0" && ear[9] == "no", "{text}");
    }
}

#[test]
fn json_comes_each_second_until_nobody_reads() {
    let server = Server::on_free_port(binary());
    let mut child = command(&server.url(), &["--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut out = BufReader::new(child.stdout.take().expect("it is a pipe"));
    for _ in 0..2 {
        let mut line = String::new();
        out.read_line(&mut line).expect("it prints");
        let object: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        assert_eq!(object["sessions"], 1);
        assert_eq!(object["clients"][0]["user"], "guest");
    }
    drop(out);
    assert!(child.wait().expect("it is our child").success());
    let once = command(&server.url(), &["--json", "--once"]).output().expect("it can be started");
    assert!(once.status.success() && once.stdout.ends_with(b"}\n"), "{once:?}");
}

#[test]
fn who_may_not_see_is_told_so() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let user = |name, see| TestUser::new(name, "long enough", Rules { see, ..Rules::default() });
    users::write(folder.path(), &[user("blind", false), user("seer", true)]);
    let server = Server::configured(binary(), folder.path(), "users = \"users.toml\"\n");
    let url = |user: &str| server.url().replace("//", &format!("//{user}:long%20enough@"));
    let seer = command(&url("seer"), &["--once"]).output().expect("it can be started");
    assert!(seer.status.success(), "{seer:?}");
    let blind = command(&url("blind"), &["--once"]).output().expect("it can be started");
    let said = "you may not recv $bus.stats: your account has no `see`";
    assert_eq!((blind.status.code(), blind.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&blind.stderr).contains(said), "{blind:?}");
    // A terminal is not even taken over.
    let mut terminal = Terminal::top(&url("blind"), (80, 24));
    terminal.expect(said);
    assert_eq!(terminal.end(), Some(1));
    assert!(!terminal.was_taken && terminal.is_as_it_was());
}

/// A terminal, from the side of the person before it. It knows of xterm's control sequences what
/// `linebus top` needs.
struct Terminal {
    child: Child,
    file: File,
    /// The characters by row and column.
    screen: Vec<Vec<char>>,
    /// Row and column, from 0.
    cursor: (usize, usize),
    /// A control sequence that has not ended.
    sequence: String,
    on_other_screen: bool,
    was_taken: bool,
    is_cursor_hidden: bool,
    /// What was printed since the screen is the one before again.
    after: String,
}

/// Rows and columns of the largest window.
const SIZE_MAX: (usize, usize) = (100, 300);

impl Terminal {
    /// `linebus top` in a terminal of its own, of so many columns and rows.
    fn top(url: &str, (columns, rows): (u16, u16)) -> Self {
        // What it holds of this side would keep the terminal alive.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).expect("there are some");
        grantpt(&terminal).expect("it is ours");
        unlockpt(&terminal).expect("it is ours");
        let name = ptsname(&terminal, Vec::new()).expect("it has a name");
        let name = name.to_str().expect("it is text");
        let open = || File::options().read(true).write(true).open(name).expect("it is there");
        // So that it is the terminal which the system tells of a change of size (setsid(1)).
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(binary()).arg("top").env("LINEBUS_URL", url);
        command.env("TERM", "xterm").env("LC_ALL", "C").env("NO_COLOR", "1");
        command.stdin(open()).stdout(open()).stderr(open());
        let file = File::from(terminal);
        resize(&file, columns, rows);
        Self {
            child: command.spawn().expect("it can be started"),
            file,
            screen: vec![vec![' '; SIZE_MAX.1]; SIZE_MAX.0],
            cursor: (0, 0),
            sequence: String::new(),
            on_other_screen: false,
            was_taken: false,
            is_cursor_hidden: false,
            after: String::new(),
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.file.write_all(keys).expect("it reads");
    }

    /// Reads more; false when nobody has the terminal open any more.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4000];
        // A terminal that the last one has closed reports an error (EIO, tty_ioctl(4)).
        let len = self.file.read(&mut buffer).unwrap_or(0);
        buffer[..len].iter().for_each(|byte| self.show(char::from(*byte)));
        len > 0
    }

    fn show(&mut self, c: char) {
        if !self.on_other_screen {
            self.after.push(c);
        }
        if self.sequence.is_empty() && c != '\x1b' {
            if let Some(cell) =
                self.screen.get_mut(self.cursor.0).and_then(|row| row.get_mut(self.cursor.1))
            {
                *cell = c;
            }
            self.cursor.1 += 1;
            return;
        }
        self.sequence.push(c);
        if c.is_ascii_alphabetic() {
            let sequence = std::mem::take(&mut self.sequence);
            self.obey(&sequence);
        }
    }

    fn obey(&mut self, sequence: &str) {
        match sequence {
            "\x1b[?1049h" => (self.on_other_screen, self.was_taken) = (true, true),
            "\x1b[?1049l" => {
                self.on_other_screen = false;
                self.after.clear();
            }
            "\x1b[?25l" => self.is_cursor_hidden = true,
            "\x1b[?25h" => self.is_cursor_hidden = false,
            "\x1b[2J" => self.screen.iter_mut().for_each(|row| row.fill(' ')),
            _ => {
                let place = sequence.strip_prefix("\x1b[").and_then(|rest| rest.strip_suffix('H'));
                if let Some((row, column)) = place.and_then(|place| place.split_once(';')) {
                    let number = |text: &str| text.parse::<usize>().expect("a number") - 1;
                    self.cursor = (number(row), number(column));
                }
            }
        }
    }

    fn text(&self) -> String {
        let rows = self.screen.iter().map(|row| row.iter().collect::<String>());
        rows.map(|row| row.trim_end().to_owned() + "\n").collect::<String>().trim_end().to_owned()
    }

    /// Waits until this is to be seen somewhere.
    #[track_caller]
    fn expect(&mut self, wanted: &str) {
        self.wait(wanted, |text| text.contains(wanted));
    }

    #[track_caller]
    fn wait(&mut self, wanted: &str, is_there: impl Fn(&str) -> bool) {
        while !is_there(&self.text()) {
            assert!(self.read(), "{wanted:?} is missing in:\n{}", self.text());
        }
    }

    /// Waits for the end of the program; its exit code.
    fn end(&mut self) -> Option<i32> {
        while self.read() {}
        self.child.wait().expect("it is our child").code()
    }

    fn is_as_it_was(&self) -> bool {
        let modes = tcgetattr(&self.file).expect("it is a terminal").local_modes;
        let lines = modes.contains(LocalModes::ICANON | LocalModes::ECHO);
        lines && !self.on_other_screen && !self.is_cursor_hidden
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: &File, columns: u16, rows: u16) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("it is a terminal");
}

#[test]
fn keys_work_in_a_terminal_and_q_leaves_it_as_it_was() {
    let server = Server::on_free_port(binary());
    let mut pair = pair(&server);
    let mut terminal = Terminal::top(&server.url(), (80, 24));
    while_they_talk(&mut pair, || {
        terminal.expect("linebus top");
        terminal.expect("[Topics ");
        terminal.expect("rooms.vienna");
        assert!(!terminal.is_as_it_was(), "keys come one by one");
        terminal.press(b"c");
        terminal.expect("[Clients ");
        terminal.expect("mouth");
        terminal.press(b"?");
        terminal.expect("reverse the order");
        terminal.press(b"\x1b");
        terminal.expect("[Clients ");
        terminal.press(b"/ear\r");
        terminal.expect("only `ear`");
        terminal.press(b"p");
        terminal.expect("PAUSED");
        terminal.press(b"q");
        assert_eq!(terminal.end(), Some(0));
    });
    assert!(terminal.was_taken && terminal.is_as_it_was());
}

#[test]
fn every_way_out_leaves_the_terminal_as_it_was() {
    let server = Server::on_free_port(binary());
    for (way, keys) in [("Ctrl-C", &b"\x03"[..]), ("Esc", b"\x1b"), ("SIGTERM", b"")] {
        let mut terminal = Terminal::top(&server.url(), (40, 10));
        terminal.expect("[Topics ");
        if keys.is_empty() {
            signal(&terminal.child, Signal::TERM);
        }
        terminal.press(keys);
        assert_eq!(terminal.end(), Some(0), "{way}");
        assert!(terminal.was_taken && terminal.is_as_it_was(), "{way}");
    }
}

#[test]
fn it_ends_when_its_terminal_goes_away() {
    let server = Server::on_free_port(binary());
    let mut terminal = Terminal::top(&server.url(), (80, 24));
    terminal.expect("[Topics ");
    terminal.file = File::open("/dev/null").expect("it is there");
    assert_eq!(terminal.child.wait().expect("it is our child").code(), Some(0));
}

#[test]
fn a_window_may_change_its_size_at_any_time() {
    let server = Server::on_free_port(binary());
    let mut terminal = Terminal::top(&server.url(), (80, 24));
    terminal.expect("/ filter  p pause");
    for (columns, rows) in [(10, 3), (1, 1), (300, 100)] {
        resize(&terminal.file, columns, rows);
    }
    terminal.wait("a last line at the end", |text| {
        text.lines().nth(99).is_some_and(|line| line.ends_with("/ filter  p pause"))
    });
    terminal.press(b"q");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.is_as_it_was());
}

#[test]
fn a_lost_connection_is_shown_and_made_again() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("bus");
    let path = path.to_str().expect("its name is UTF-8");
    let mut server = Server::start(binary(), &["--unix", path]);
    let mut terminal = Terminal::top(&format!("unix:{path}"), (120, 24));
    terminal.expect("[Topics ");
    server.signal(Signal::KILL);
    server.wait();
    terminal.expect("no connection for ");
    terminal.expect("figures are ");
    let _second = Server::start(binary(), &["--unix", path]);
    terminal.expect("? help");
    terminal.wait("fresh figures", |text| !text.contains("figures are"));
    terminal.press(b"q");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.is_as_it_was());
}

#[test]
fn a_goodbye_for_good_is_told_on_the_terminal_as_it_was() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let url = format!("linebus://{}", listener.local_addr().expect("it is bound"));
    let mut terminal = Terminal::top(&url, (80, 24));
    let bus = listener.accept().expect("it connects").0;
    let say = |text: &str| (&bus).write_all(text.as_bytes()).expect("it reads");
    say("hello linebus 1 line-max=1000 login=open\n");
    let mut line = String::new();
    BufReader::new(&bus).read_line(&mut line).expect("it joins");
    assert_eq!(line, "recv $bus.stats\n");
    say("ok recv $bus.stats\nrecv $bus.stats garbage \u{202e}\nrecv $bus.stats bus ms=\n");
    terminal.expect("The first figures come");
    say("bye kicked be nice\n");
    assert_eq!(terminal.end(), Some(3));
    let after = &terminal.after;
    assert!(after.contains("linebus: the bus said goodbye (kicked): be nice"), "{after:?}");
    assert!(terminal.is_as_it_was());
}
