//! `linebus user` as people and scripts use it: what is in the file afterwards, and that nothing
//! that goes wrong ever costs the file.

use std::fs::{File, Permissions, read_to_string};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use linebus_server::accounts::Users;
use linebus_testkit::process::Server;
use linebus_testkit::terminal::Terminal;
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::{binary, text};

/// A password that is good enough.
const PASSWORD: &str = "correct horse";

/// A folder to work in.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    /// One with a users file: alice with a password, and bob.
    fn with_users() -> Self {
        let place = Self::new();
        place.done_with(&["add", "alice", "--send", "rooms.>", "--recv", ">"], PASSWORD);
        place.done(&["add", "bob", "--no-password"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self) -> String {
        read_to_string(self.path("users.toml")).expect("it is there")
    }

    /// Writes a file that only its owner can read.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the folder can be written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
    }

    fn names(&self) -> Vec<String> {
        let entries = self.0.path().read_dir().expect("it is there");
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().expect("it is text");
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("readable"))).collect();
        names.sort();
        names
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.arg("user").args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, with something on its standard input.
    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        // It may have ended without reading.
        let _ = child.stdin.take().expect("it is a pipe").write_all(input);
        child.wait_with_output().expect("it is our child")
    }

    #[track_caller]
    fn done_with(&self, arguments: &[&str], password: &str) -> String {
        let output = self.run_with(arguments, format!("{password}\n").as_bytes());
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout).to_owned()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        self.done_with(arguments, "")
    }

    /// Runs a command that fails, and changes nothing.
    #[track_caller]
    fn refused(&self, arguments: &[&str], input: &[u8], code: i32, said: &str) {
        let before = self.names();
        let old = std::fs::read(self.path("users.toml")).ok();
        let output = self.run_with(arguments, input);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert_eq!(std::fs::read(self.path("users.toml")).ok(), old);
        assert_eq!(self.names(), before, "nothing is left behind");
    }
}

#[test]
fn whoever_is_added_logs_in_with_the_password_and_nobody_else() {
    let place = Place::new();
    let said = place.done_with(&["add", "alice", "--send", "a", "--recv", "b.>"], PASSWORD);
    assert_eq!(said, "users.toml: alice is added\n");
    place.done_with(&["add", "b.c", "--see"], "  blanks count, zürich ");
    let about = place.path("users.toml").metadata().expect("it is there");
    assert_eq!((about.mode() & 0o777, place.names()), (0o600, vec!["users.toml".to_owned()]));
    assert!(!place.text().contains(PASSWORD) && place.text().contains("[users.\"b.c\"]"));
    place.write("bus.toml", "users = \"users.toml\"\n");
    let config = place.path("bus.toml");
    let config = config.to_str().expect("it is text");
    let server = Server::start(binary(), &["--listen", "127.0.0.1:0", "--config", config]);
    let mut alice = server.telnet();
    alice.ask(&format!("login alice {PASSWORD}"), "ok login alice");
    alice.ask("recv b.x", "ok recv b.x");
    alice.say("recv a");
    assert!(alice.hear().is_some_and(|line| line.starts_with("error recv denied")));
    server.telnet().ask("login b.c   blanks count, zürich ", "ok login b.c");
    let mut stranger = server.telnet();
    stranger.say("login alice wrong horse");
    assert!(stranger.hear().is_some_and(|line| line.starts_with("error login wrong-login")));
}

#[test]
fn a_terminal_is_asked_twice_and_shows_nothing() {
    let place = Place::new();
    let (mut child, mut terminal) = Terminal::start(place.command(&["add", "alice"]));
    terminal.expect("password for alice: ");
    assert!(!terminal.is_as_it_was());
    terminal.press(format!("{PASSWORD}\r").as_bytes());
    let shown = terminal.expect("once more: ");
    assert_eq!(shown.trim(), "", "the password is not shown");
    // A slip of the finger, taken back.
    terminal.press(b"correct horsx\x7fe\r");
    assert_eq!(terminal.expect("users.toml: alice is added").trim(), "");
    assert!(child.wait().expect("it is our child").success() && terminal.is_as_it_was());
    place.done_with(&["passwd", "alice"], PASSWORD);
}

#[test]
fn a_slip_or_ctrl_c_at_the_terminal_changes_nothing_and_leaves_it_as_it_was() {
    let place = Place::new();
    let check = |first: &str, second: Option<&str>, said: &str| {
        let (mut child, mut terminal) = Terminal::start(place.command(&["add", "alice"]));
        terminal.expect("password for alice: ");
        terminal.press(first.as_bytes());
        if let Some(second) = second {
            terminal.expect("once more: ");
            terminal.press(second.as_bytes());
        }
        terminal.expect(said);
        assert_eq!(child.wait().expect("it is our child").code(), Some(1));
        assert!(terminal.is_as_it_was() && place.names().is_empty());
    };
    check("correct horse\r", Some("correct house\r"), "two passwords; nothing is changed");
    check("correct ho\x03", None, "nothing is changed");
    check("correct horse\r", Some("\x03"), "nothing is changed");
    check("short\r", None, "at least 8 characters");
    check("\r", None, "at least 8 characters");
    check("\x04", None, "a password is wanted");
}

#[test]
fn a_password_that_could_not_be_said_or_is_guessed_at_once_is_refused() {
    let place = Place::new();
    let check = |input: &[u8], said| place.refused(&["add", "alice"], input, 1, said);
    check(b"", "a password is wanted");
    check(b"\n", "at least 8 characters");
    check(b"seven..\n", "at least 8 characters");
    check(b"with\ta tab\n", "no control characters");
    check(b"a\x1b[2J colour\n", "no control characters");
    check("\u{9b}2J of C1\n".as_bytes(), "no control characters");
    check(b"l\xe4tin 1 text\n", "UTF-8");
    check(&[b'x'; 1025], "at most 1024 bytes");
    check(&[b'x'; 100_000], "at most 1024 bytes");
    place.done_with(&["add", "alice"], &"x".repeat(1024));
    place.done_with(&["add", "bob"], "ends like telnet's\r");
    place.done_with(&["add", "carol"], "the first of\nseveral lines");
    let users = Users::read(&place.path("users.toml")).expect("it is right");
    assert!(users.iter().all(|(_, user)| user.has_password()) && users.len() == 3);
}

#[test]
fn a_password_is_never_taken_from_the_command_line_or_the_environment() {
    let place = Place::new();
    let password = PASSWORD.as_bytes();
    place.refused(&["add", "alice", PASSWORD], password, 2, "unexpected argument");
    let seen = "can see what stands on a command line";
    place.refused(&["add", "alice", "--password", PASSWORD], password, 2, seen);
    place.refused(&["passwd", "alice", "--password=correct horse"], password, 2, seen);
    let mut command = place.command(&["add", "alice"]);
    for name in ["PASSWORD", "LINEBUS_PASSWORD"] {
        command.env(name, PASSWORD);
    }
    let output = command.output().expect("it can be started");
    assert!(text(&output.stderr).contains("a password is wanted"), "{output:?}");
}

#[test]
fn edits_keep_comments_and_change_what_was_asked_for() {
    let place = Place::new();
    let file =
        "# all of us\n\n# the boss\n[users.alice] # since May\nsee = true # all\n\n[users.bob]\n";
    place.write("users.toml", file);
    assert_eq!(place.done(&["disable", "bob"]), "users.toml: bob is disabled: nobody can log in\n");
    assert_eq!(place.text(), format!("{file}disabled = true\n"));
    assert_eq!(place.done(&["enable", "bob"]), "users.toml: bob is enabled\n");
    assert_eq!(place.text(), format!("{file}disabled = false\n"));
    assert_eq!(place.done(&["remove", "bob"]), "users.toml: bob is removed\n");
    assert_eq!(format!("{}\n[users.bob]\n", place.text()), file);
    assert_eq!(
        place.done_with(&["passwd", "alice"], PASSWORD),
        "users.toml: alice is given a new password\n"
    );
    let kept = file.trim_end_matches("\n[users.bob]\n");
    assert!(place.text().starts_with(&format!("{kept}password = \"$argon2id$v=19$m=19456,")));
}

#[test]
fn what_makes_no_sense_is_refused_before_a_password_is_asked_for() {
    let place = Place::new();
    place.refused(&["passwd", "alice"], b"", 1, "there is no users.toml; `linebus user add");
    place.refused(&["disable", "alice"], b"", 1, "there is no users.toml; `linebus user add");
    place.refused(&["list"], b"", 1, "there is no users.toml");
    place.refused(&["add", "guest"], b"", 2, "choose another name");
    place.refused(&["add", "a b"], b"", 2, "1 to 64 of A-Z");
    place.refused(&["add", "a", "--send", "a..b"], b"", 2, "no empty tokens");
    place.refused(&["add", "a", "--deny-recv", "$bus.>"], b"", 2, "`see = true` lets");
    place.refused(
        &["add", "a", "--file", "no/users.toml"],
        b"password",
        1,
        "can't find the folder",
    );
    let place = Place::with_users();
    place.refused(&["add", "alice"], b"", 1, "`linebus user passwd alice`");
    place.refused(&["passwd", "alcie"], b"", 1, "did you mean alice?");
    place.refused(&["remove", "carol"], b"", 1, "`linebus user list` lists all of them");
    place.done(&["remove", "bob"]);
    place.refused(&["remove", "alice"], b"", 1, "alice is the last user");
}

#[test]
fn a_bad_file_is_explained_by_line_and_left_alone() {
    let place = Place::new();
    place.write("users.toml", "[users.a]\nsee = 1\n[users.b]\npasword = 'x'\n");
    let line_2 = "linebus: users.toml: line 2: users.a.see: true or false is wanted";
    let line_4 = "linebus: users.toml: line 4: users.b.pasword: there is no such key";
    for said in [line_2, line_4] {
        for command in ["passwd", "disable", "enable", "remove"] {
            place.refused(&[command, "a"], b"password\n", 1, said);
        }
        place.refused(&["add", "c"], b"password\n", 1, said);
        place.refused(&["list"], b"", 1, said);
        place.refused(&["check", "a", "x"], b"", 1, said);
    }
    place.write("users.toml", "# nobody yet\n");
    place.refused(&["list"], b"", 1, "there are no users; `linebus user add NAME` adds one");
    place.done(&["add", "a", "--no-password"]);
    assert_eq!(place.text(), "# nobody yet\n\n[users.a]\n");
}

#[test]
fn a_file_that_others_can_get_at_is_not_edited() {
    let place = Place::with_users();
    for mode in [0o640, 0o604, 0o620] {
        let file = place.path("users.toml");
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is ours");
        place.refused(&["disable", "bob"], b"", 1, "can get at it (mode");
        place.refused(&["add", "carol"], b"password\n", 1, "; `chmod 600 users.toml`");
        assert_eq!(file.metadata().expect("it is there").mode() & 0o777, mode);
    }
}

#[test]
fn the_file_behind_a_link_is_replaced_and_the_link_stays() {
    let (place, elsewhere) = (Place::new(), Place::with_users());
    symlink(elsewhere.path("users.toml"), place.path("link")).expect("the folder can be written");
    symlink("link", place.path("users.toml")).expect("the folder can be written");
    place.done(&["disable", "bob"]);
    assert!(place.path("users.toml").is_symlink() && place.path("link").is_symlink());
    assert!(elsewhere.text().ends_with("[users.bob]\ndisabled = true\n"));
    assert_eq!(elsewhere.names(), ["users.toml"]);
    std::fs::remove_file(elsewhere.path("users.toml")).expect("it is ours");
    let dangling = "is a symbolic link, and there is no file behind it";
    place.refused(&["add", "carol"], b"password\n", 1, dangling);
    assert!(elsewhere.names().is_empty());
}

#[test]
fn the_owner_of_a_file_that_root_edits_stays_the_owner() {
    let place = Place::with_users();
    let file = place.path("users.toml");
    let owner =
        if rustix::process::geteuid().is_root() { 1 } else { rustix::process::geteuid().as_raw() };
    std::os::unix::fs::chown(&file, Some(owner), None).expect("it is ours, or we are root");
    place.done(&["disable", "bob"]);
    let about = file.metadata().expect("it is there");
    assert_eq!((about.uid(), about.mode() & 0o777), (owner, 0o600));
}

#[test]
fn many_who_edit_at_once_lose_nothing_and_no_reader_sees_a_half() {
    let place = Place::with_users();
    let start = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started")
    };
    let names: Vec<_> = (0..40).map(|number| format!("user-{number}")).collect();
    let mut editors: Vec<Child> =
        names.iter().map(|name| start(&["add", name, "--no-password"])).collect();
    editors.push(start(&["disable", "bob"]));
    while editors.iter_mut().any(|child| child.try_wait().expect("it is our child").is_none()) {
        Users::read(&place.path("users.toml")).expect("it is whole at any time");
    }
    for mut child in editors {
        assert!(child.wait().expect("it is our child").success());
    }
    let users = Users::read(&place.path("users.toml")).expect("it is right");
    assert_eq!(users.len(), 42);
    assert!(names.iter().all(|name| users.user(name).is_some()));
    assert!(users.user("bob").is_some_and(linebus_server::accounts::User::is_disabled));
    assert_eq!(place.names(), ["users.toml"]);
}

#[test]
fn whoever_has_to_wait_is_told_and_may_be_killed() {
    let place = Place::with_users();
    let before = place.text();
    let folder = File::open(place.0.path()).expect("it is there");
    flock(&folder, FlockOperation::LockExclusive).expect("nobody else has it");
    let wait = || {
        let mut command = place.command(&["disable", "bob"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        let mut line = String::new();
        let mut errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
        errors.read_line(&mut line).expect("it is text");
        assert!(line.starts_with("linebus: waiting for somebody else who edits in /"), "{line}");
        child
    };
    let mut killed = wait();
    killed.kill().expect("it runs");
    killed.wait().expect("it is our child");
    let mut child = wait();
    assert_eq!(place.text(), before);
    drop(folder);
    assert!(child.wait().expect("it is our child").success());
    assert_eq!(place.text(), format!("{before}disabled = true\n"));
}

#[test]
fn a_full_disk_or_a_kill_in_the_middle_leaves_the_old_file() {
    let place = Place::with_users();
    let before = place.text();
    // No file may grow: a write fails with EFBIG, or ends the process where SIGXFSZ is not ignored
    // (setrlimit(2)).
    let limited = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(binary());
        command.current_dir(place.0.path()).output().expect("there is a shell")
    };
    let full = limited("trap '' XFSZ; ulimit -f 0; exec \"$1\" user disable bob");
    assert_eq!(full.status.code(), Some(1));
    assert!(text(&full.stderr).contains("can't write"), "{full:?}");
    assert_eq!((place.text(), place.names()), (before.clone(), vec!["users.toml".to_owned()]));
    let killed = limited("ulimit -c 0; ulimit -f 0; exec \"$1\" user disable bob");
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert_eq!(place.text(), before);
    assert_eq!(place.names(), [".users.toml.new", "users.toml"], "what it had begun");
    place.done(&["disable", "bob"]);
    assert_eq!(place.text(), format!("{before}disabled = true\n"));
    assert_eq!(place.names(), ["users.toml"], "it is swept away");
    std::fs::create_dir(place.path(".users.toml.new")).expect("the folder can be written");
    place.refused(&["enable", "bob"], b"", 1, "can't remove");
}

#[test]
fn the_list_says_what_each_may_do() {
    let place = Place::with_users();
    let carol = ["add", "c.d", "--see", "--recv", "a", "--recv", "b", "--deny-recv", "b.c"];
    place.done(&[&carol[..], &["--deny-send", ">", "--no-password"]].concat());
    place.done(&["disable", "c.d"]);
    let alice = "alice\trooms.>\t>\tno\tpassword\n";
    let others = "bob\t-\t-\tno\tcertificate\nc.d\t!>\ta b !b.c\tyes\tdisabled\n";
    assert_eq!(place.done(&["list"]), format!("{alice}{others}"));
    let json = place.done(&["list", "--json"]);
    let first = r#"{"user":"alice","send":{"allow":["rooms.>"],"deny":[]},"recv":{"allow":[">"],"deny":[]},"see":false,"state":"password"}"#;
    assert_eq!(json.lines().next(), Some(first));
    assert!(!json.contains("argon2id"));
}

#[test]
fn a_check_names_the_rule_and_fails_unless_all_is_granted() {
    let place = Place::with_users();
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let output = place.run_with(&[&["check"], arguments].concat(), b"");
        assert_eq!(text(&output.stdout), expected);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        text(&output.stderr).to_owned()
    };
    let all = "send\tyes\tsend.allow \"rooms.>\"\nhear\tyes\trecv.allow \">\"\n\
               join\tyes\trecv.allow \">\"\n";
    check(&["alice", "rooms.vienna"], 0, all);
    check(&["alice", ">"], 0, "join\tyes\trecv.allow \">\"\n");
    let hears = "send\tno\tnothing in send.allow\nhear\tyes\trecv.allow \">\"\n\
                 join\tyes\trecv.allow \">\"\n";
    check(&["alice", "x"], 1, hears);
    check(&["bob", "*"], 1, "join\tno\tnothing in recv.allow\n");
    assert!(check(&["alice", "a..b"], 2, "").contains("no empty tokens"));
    assert!(check(&["alcie", "a"], 1, "").contains("did you mean alice?"));
    place.done(&["disable", "alice"]);
    assert!(check(&["alice", "rooms.vienna"], 1, all).contains("alice is disabled"));
}

#[test]
fn the_file_is_found_by_its_name_or_by_the_configuration() {
    let place = Place::new();
    std::fs::create_dir(place.path("etc")).expect("the folder can be written");
    place.write("etc/named.toml", "users = \"who.toml\"\n");
    place.write("etc/silent.toml", "");
    place.write("etc/bad.toml", "user = \"who.toml\"\n");
    let add = ["add", "alice", "--no-password"];
    place.done(&[&add[..], &["--config", "etc/named.toml"]].concat());
    place.done(&["--config", "etc/named.toml", "disable", "alice"]);
    assert!(place.path("etc/who.toml").exists());
    let silent = place.run_with(&[&add[..], &["--config", "etc/silent.toml"]].concat(), b"");
    assert!(silent.status.success() && place.path("etc/users.toml").exists(), "{silent:?}");
    let reminder = "linebus: it counts once etc/silent.toml says users = \"users.toml\"\n";
    assert_eq!(text(&silent.stderr), reminder);
    place.done(&[&add[..], &["--file", "mine.toml"]].concat());
    assert!(place.path("mine.toml").exists() && !place.path("users.toml").exists());
    let bad = "linebus: etc/bad.toml: line 1: user: there is no such key; did you mean `users`?";
    place.refused(&["list", "--config", "etc/bad.toml"], b"", 1, bad);
    place.refused(&["list", "--config", "etc/no.toml"], b"", 1, "can't read the configuration");
    let both = ["list", "--config", "etc/named.toml", "--file", "mine.toml"];
    place.refused(&both, b"", 2, "cannot be used with");
}
