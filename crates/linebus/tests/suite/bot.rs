//! `linebus bot` at a real bus: what it does, what it refuses, and how it ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use linebus_testkit::process::{Server, signal};
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{binary, text};

/// A folder with a file of rules, in which bots work.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new(rules: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a temporary folder can be made") };
        desk.write(rules);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, rules: &str) {
        std::fs::write(self.path("rules.toml"), rules).expect("the folder can be written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it is there")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.arg("bot").args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a bot to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it can be started")
    }

    /// Starts a bot, and waits until its rules count.
    fn bot(&self, url: &str) -> Bot {
        let mut command = self.command(&["rules.toml"]);
        command.env("LINEBUS_URL", url).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        let errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut bot = Bot { child, errors };
        bot.wait_for_rules();
        bot
    }

    /// A named pipe, which commands wait at.
    fn gate(&self) {
        let made = Command::new("mkfifo").arg(self.path("gate")).status();
        assert!(made.expect("mkfifo is there").success());
    }

    /// Opens the gate: returns when somebody waits there, and whoever does goes on when it is
    /// dropped.
    fn open_gate(&self) -> File {
        File::options().write(true).open(self.path("gate")).expect("it is there")
    }
}

struct Bot {
    child: Child,
    errors: BufReader<ChildStderr>,
}

impl Bot {
    /// The next line of its log.
    fn said(&mut self) -> String {
        let mut line = String::new();
        self.errors.read_line(&mut line).expect("it prints text");
        let line = line.strip_prefix("linebus: ").and_then(|line| line.strip_suffix('\n'));
        line.unwrap_or_else(|| panic!("a line of the log is wanted, not {line:?}")).to_owned()
    }

    #[track_caller]
    fn says(&mut self, line: &str) {
        assert_eq!(self.said(), line);
    }

    fn wait_for_rules(&mut self) {
        while !self.said().starts_with("rules.toml: rules that count now: ") {}
    }

    fn signal(&self, kind: Signal) {
        signal(&self.child, kind);
    }

    /// The rest of its log, and its exit code.
    fn wait(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.errors.read_to_string(&mut rest).expect("it prints text");
        (rest, self.child.wait().expect("it is our child").code())
    }

    /// Ends it decently, when it has nothing left to say.
    #[track_caller]
    fn end(self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait(), (String::new(), Some(0)));
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_documented_example_does_what_it_says() {
    let page = include_str!("../../../../docs/bots.md");
    let (_, example) = page.split_once("```toml\n").expect("there is an example");
    let (example, _) = example.split_once("```").expect("it has an end");
    let desk = Desk::new(example);
    let checked = desk.run(&["--check", "rules.toml"]);
    assert_eq!((text(&checked.stdout), text(&checked.stderr)), ("rules.toml: good\n", ""));

    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.ask("login alice", "ok login alice");
    person.ask("recv ops.>", "ok recv ops.>");
    person.ask("watch ops.alarm", "ok watch ops.alarm");
    person.say("send rooms.vienna.temperature 29 degrees");
    person.say("send rooms.vienna.temperature 31 degrees");
    person.expect("recv ops.alarm vienna has 31 degrees, says alice");
    let watched = person.hear().expect("it comes both ways");
    assert!(watched.ends_with(" alarmbot vienna has 31 degrees, says alice"), "{watched}");
    bot.says("hot: sent to ops.alarm: vienna has 31 degrees, says alice");

    person.say("send stairs.fire behind the door");
    person.say("send rooms.vienna.fire $(echo) `echo`");
    bot.says("fire: ran sh");
    bot.says("fire: ran sh");
    let fires = "stairs.fire: behind the door\nrooms.vienna.fire: $(echo) `echo`\n";
    assert_eq!(desk.read("fires.txt"), fires);

    person.ask("recv _reply.7f3c", "ok recv _reply.7f3c");
    person.say("send ops.bot help @_reply.7f3c");
    person.expect("recv _reply.7f3c I watch the temperature of all rooms");
    person.expect("recv _reply.7f3c and write down every fire");
    person.expect("recv _reply.7f3c done");
    for said in ["I watch the temperature of all rooms", "and write down every fire", "done"] {
        bot.says(&format!("help: sent to _reply.7f3c: {said}"));
    }
    bot.end();
}

#[test]
fn a_line_is_for_every_rule_that_it_fits_once() {
    let desk = Desk::new(
        "[[rule]]\non = [\"t.*\", \"t.>\"]\nsend = \"one\"\n\
         [[rule]]\non = \"t.a\"\nsend = \"two\"\ntext = \"{user}\"\n\
         [[rule]]\non = \"t.a\"\nmatch = \"y\"\nsend = \"three\"\n",
    );
    let server = Server::on_free_port(binary());
    let bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.ask("recv >", "ok recv >");
    let mut other = server.telnet();
    other.say("send t.a x");
    other.say("send t.a y");
    person.expect("recv t.a x");
    let mut heard: Vec<_> = (0..6).map(|_| person.hear().expect("it comes")).collect();
    heard.sort_unstable();
    let expected = [
        "recv one x",
        "recv one y",
        "recv t.a y",
        "recv three y",
        "recv two guest",
        "recv two guest",
    ];
    assert_eq!(heard, expected);
    drop(bot);
}

#[test]
fn a_reload_changes_what_is_joined_and_done_and_a_bad_file_changes_nothing() {
    let desk = Desk::new(
        "[[rule]]\non = \"a\"\nsend = \"out\"\n[[rule]]\non = \"b\"\nsend = \"out\"\ntext = \"{user}\"",
    );
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.ask("recv out", "ok recv out");
    person.say("send b 1");
    person.expect("recv out guest");
    bot.says("rule 2: sent to out: guest");

    desk.write("[[rule]]\non = \"b\"\nsnd = \"out\"");
    bot.signal(Signal::HUP);
    bot.says("rules.toml: line 1: rule.send: say what the rule does, such as send = \"ops.alarm\"; or `reply`, or `run`");
    bot.says("rules.toml: line 3: rule.snd: there is no such key; did you mean `rule.send`?");
    bot.says("the rules stay as they were");
    person.say("send a still there");
    person.expect("recv out still there");
    bot.says("rule 1: sent to out: still there");

    desk.write(
        "user = \"bot\"\n[[rule]]\nname = \"new\"\non = [\"b\", \"c\"]\nsend = \"out\"\ntext = \"new {message}\"",
    );
    bot.signal(Signal::HUP);
    bot.says("another `user` counts from the next start on");
    bot.says("joined b");
    bot.says("joined c");
    bot.says("rules.toml: rules that count now: 1");
    person.say("send a nobody hears it");
    person.say("send b 2");
    person.say("send c 3");
    person.expect("recv out new 2");
    person.expect("recv out new 3");
    bot.says("new: sent to out: new 2");
    bot.says("new: sent to out: new 3");
    person.say("topics");
    for topic in ["topic b 1", "topic c 1", "topic out 1", "ok topics 3"] {
        person.expect(topic);
    }
    bot.end();
}

#[test]
fn two_bots_that_answer_each_other_stop_at_their_limits() {
    let server = Server::on_free_port(binary());
    let rules =
        |on, send| format!("[[rule]]\non = \"{on}\"\nsend = \"{send}\"\nat_most = \"3 per day\"");
    let (ping, pong) = (Desk::new(&rules("ping", "pong")), Desk::new(&rules("pong", "ping")));
    let (mut ping, mut pong) = (ping.bot(&server.url()), pong.bot(&server.url()));
    let mut person = server.telnet();
    person.ask("recv ping", "ok recv ping");
    person.ask("recv pong", "ok recv pong");
    person.say("send ping ball");
    for _ in 0..3 {
        ping.says("rule 1: sent to pong: ball");
        pong.says("rule 1: sent to ping: ball");
    }
    ping.says("rule 1: more than 3 per day; what is over it is not done");
    let mut heard: Vec<_> = (0..6).map(|_| person.hear().expect("it comes")).collect();
    heard.sort_unstable();
    assert_eq!(heard, [["recv ping ball"; 3], ["recv pong ball"; 3]].concat());
    assert_eq!(person.barrier(), [""; 0], "and no more");
    pong.end();
    ping.signal(Signal::TERM);
    let counted = "linebus: rule 1: lines over 3 per day, not acted on: 1\n";
    assert_eq!(ping.wait(), (counted.to_owned(), Some(0)));
}

#[test]
fn who_may_not_see_has_rules_without_who_and_when() {
    let desk = Desk::new(
        "[[rule]]\non = \"rooms.>\"\nsend = \"ops\"\ntext = \"{user}\"\n[[rule]]\non = \"secret\"\nsend = \"ops\"",
    );
    let allowed = lists(&["rooms.>", "ops"], &[]);
    let rules = Rules { send: lists(&[">"], &[]), recv: allowed, see: false };
    let users = users::write(desk.folder.path(), &[TestUser::new("bot", "secret", rules)]);
    let server = Server::configured(binary(), desk.folder.path(), &format!("users = {users:?}"));
    let url = format!("linebus://bot:secret@{}", server.addresses[0]);
    let output = desk.command(&["rules.toml", "--bus", &url]).output().expect("it can be started");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "linebus: rooms.> is not joined: the bus refused watch (denied): you may not watch rooms.>: your account has no `see`; rules with {user}, {time}, `from` or `watch` need `see`\n\
         linebus: secret is not joined: the bus refused recv (denied): you may not hear secret\n"
    );
    desk.write("[[rule]]\non = \"rooms.>\"\nsend = \"ops\"");
    let mut bot = desk.bot(&url);
    let mut person = server.telnet();
    person.ask("login bot secret", "ok login bot");
    person.ask("recv ops", "ok recv ops");
    person.say("send rooms.vienna lights on");
    person.expect("recv ops lights on");
    bot.says("rule 1: sent to ops: lights on");
    bot.end();
}

#[test]
fn a_hostile_message_is_data_to_a_command() {
    let desk = Desk::new(
        "[[rule]]\non = \"t\"\nmatch = '(?<all>.*)'\nwatch = true\n\
         run = [\"sh\", \"-c\", '''printf '%s|' \"$LINEBUS_ALL\" \"$LINEBUS_MESSAGE\" \"$LINEBUS_USER\" \"$LINEBUS_TOPIC\" > told; cat >> told''']",
    );
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    let long = "x".repeat(65_000);
    for message in [
        "$(touch pwned)`touch pwned`; touch pwned & touch pwned | touch pwned\t> pwned",
        "'; touch pwned; '\"; touch pwned; \"\\",
        "{message} {all} %s%n ${IFS} --help",
        "-rf /",
        "",
        &long,
    ] {
        person.say(&format!("send t {message}"));
        bot.says("rule 1: ran sh");
        assert_eq!(desk.read("told"), format!("{message}|{message}|guest|t|{message}\n"));
    }
    assert!(!desk.path("pwned").exists());
    bot.end();
}

#[test]
fn a_message_too_long_for_an_environment_does_not_end_the_bot() {
    // Linux takes at most 6 MiB of arguments and environment (execve(2)).
    let captures = 120;
    let names: String = (0..captures).map(|number| format!("(?<c{number}>")).collect();
    let pattern = format!("{names}.*{}", ")".repeat(captures));
    let desk = Desk::new(&format!(
        "[[rule]]\non = \"t\"\nmatch = '{pattern}'\nrun = [\"sh\", \"-c\", 'echo \"$LINEBUS_C119\" > told']"
    ));
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.say(&format!("send t {}", "x".repeat(65_000)));
    bot.says("rule 1: can't run sh: Argument list too long (os error 7); the message is too long for its environment");
    person.say("send t short");
    bot.says("rule 1: ran sh");
    assert_eq!(desk.read("told"), "short\n");
    bot.end();
}

#[test]
fn a_command_that_fails_is_said_with_how() {
    let desk = Desk::new(
        "[[rule]]\non = \"fail\"\nrun = [\"sh\", \"-c\", \"exit 3\"]\n[[rule]]\non = \"none\"\nrun = [\"./none\"]",
    );
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.say("send fail x");
    bot.says("rule 1: sh: exit status: 3");
    person.say("send none x");
    bot.says("rule 2: can't run ./none: No such file or directory (os error 2)");
    bot.end();
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    // Whoever holds the gate open is alive: the shell, and the one that it waits for.
    let desk = Desk::new(
        "[[rule]]\non = \"t\"\ntimeout_s = 1\nrun = [\"sh\", \"-c\", \"exec 3> gate; tail -f /dev/null & wait\"]",
    );
    desk.gate();
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    server.telnet().say("send t x");
    let mut gate = File::open(desk.path("gate")).expect("it is there");
    bot.says("rule 1: sh was ended: it took longer than 1 s");
    let mut nothing = Vec::new();
    gate.read_to_end(&mut nothing).expect("all who held it are gone");
    bot.end();
}

/// A rule whose commands wait at the gate, and one that says when it has heard a message.
const SLOW: &str = "[[rule]]\nname = \"slow\"\non = \"t\"\nat_most = \"100000 per second\"\n\
                    run = [\"sh\", \"-c\", \"cat gate\"]\n\
                    [[rule]]\nname = \"mark\"\non = \"t\"\nmatch = \"^last$\"\nsend = \"heard\"\n";

#[test]
fn at_the_end_what_runs_may_finish_and_what_waits_is_counted() {
    let desk = Desk::new(SLOW);
    desk.gate();
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.ask("recv heard", "ok recv heard");
    person.say("send t first");
    let gate = desk.open_gate();
    person.say("send t second");
    person.say("send t last");
    person.expect("recv heard last");
    bot.says("mark: sent to heard: last");
    bot.signal(Signal::TERM);
    bot.says("slow: commands that waited and were not run: 2");
    drop(gate);
    bot.says("slow: ran sh");
    assert_eq!(bot.wait(), (String::new(), Some(0)));
}

#[test]
fn at_the_end_a_command_that_does_not_finish_is_ended() {
    let desk = Desk::new(SLOW);
    desk.gate();
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    server.telnet().say("send t x");
    let mut gate = desk.open_gate();
    bot.signal(Signal::INT);
    bot.says("slow: commands that took too long and were ended: 1");
    assert_eq!(bot.wait(), (String::new(), Some(0)));
    assert!(gate.write_all(b"x").is_err(), "nobody waits there any more");
}

#[test]
fn a_flood_for_a_slow_command_is_bounded_and_counted_and_holds_nobody_up() {
    let desk = Desk::new(SLOW);
    desk.gate();
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.ask("recv heard", "ok recv heard");
    person.say("send t first");
    let gate = desk.open_gate();
    let lines = 50_000;
    let flood = format!("send t {}\n", "x".repeat(990)).repeat(lines);
    person.say_bytes(flood.as_bytes());
    person.say("send t last");
    person.expect("recv heard last");
    bot.says("slow: 1048576 bytes wait for commands; what is more is not run");
    bot.says("mark: sent to heard: last");
    let status = std::fs::read_to_string(format!("/proc/{}/status", bot.child.id()));
    let status = status.expect("it is running");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is listed");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < 64 << 10, "{peak} kB for 50 MB of messages");
    bot.signal(Signal::TERM);
    let mut count = |begin: &str| {
        let said = bot.said();
        let count = said.strip_prefix(begin).unwrap_or_else(|| panic!("{said}"));
        count.parse::<usize>().expect("it is a number")
    };
    let too_many = count("slow: commands that were too many and not run: ");
    let waited = count("slow: commands that waited and were not run: ");
    assert_eq!(too_many + waited, lines + 1, "each line is accounted for");
    drop(gate);
    bot.says("slow: ran sh");
    assert_eq!(bot.wait(), (String::new(), Some(0)));
}

#[test]
fn lines_that_never_stop_do_not_drown_a_signal() {
    let desk =
        Desk::new("[[rule]]\nname = \"mark\"\non = \"t\"\nmatch = \"^begun$\"\nsend = \"heard\"");
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.say("send t begun");
    std::thread::spawn(move || {
        let lines = "send t nothing to do\n".repeat(3_000);
        // Until the bus is gone.
        while person.socket.get_mut().write_all(lines.as_bytes()).is_ok() {}
    });
    bot.says("mark: sent to heard: begun");
    bot.end();
}

#[test]
fn a_lost_bus_is_found_again_and_the_rules_go_on() {
    let desk = Desk::new("user = \"bot\"\n[[rule]]\non = \"t\"\nsend = \"out\"");
    let server = Server::on_free_port(binary());
    let address = server.addresses[0].to_string();
    let mut bot = desk.bot(&server.url());
    drop(server);
    bot.says("the connection ended without a word; connecting again, messages may be missed");
    // Meanwhile the rules change.
    desk.write("user = \"bot\"\n[[rule]]\non = [\"t\", \"new\"]\nsend = \"out\"");
    bot.signal(Signal::HUP);
    for pattern in ["new", "t"] {
        let why = "not connected: the connection ended without a word";
        bot.says(&format!("{pattern} is not joined: {why}"));
    }
    bot.says("rules.toml: rules that count now: 1");
    let server = Server::start(binary(), &["--listen", &address]);
    let again = bot.said();
    assert!(again.starts_with("connected again; messages of "), "{again}");
    bot.says("joined new");
    bot.wait_for_rules();
    let mut person = server.telnet();
    person.ask("watch out", "ok watch out");
    person.say("send new x");
    let heard = person.hear().expect("it comes");
    assert!(heard.starts_with("watch out ") && heard.ends_with(" bot x"), "{heard}");
    bot.says("rule 1: sent to out: x");
    bot.end();
}

#[test]
fn a_message_that_cannot_be_sent_is_said() {
    let desk = Desk::new(
        "[[rule]]\non = \"t\"\nmatch = '^\\S*'\nsend = \"out\"\ntext = \"{message}{message}\"\n[[rule]]\non = \"u\"\nmatch = '(?<to>.*)'\nsend = \"out.{to}\"",
    );
    let server = Server::on_free_port(binary());
    let mut bot = desk.bot(&server.url());
    let mut person = server.telnet();
    person.say(&format!("send t {}", "x".repeat(40_000)));
    bot.says(
        "rule 1: not sent to out: the line would have 80010 bytes, and this bus accepts 65536",
    );
    person.say("send u a b");
    bot.says("rule 2: not sent: `out.a b` is no topic: a topic is made of letters, digits, _ and -, in tokens joined by dots");
    person.say(&format!("send u {}", "long".repeat(100)));
    assert!(bot.said().ends_with("is no topic: a topic has at most 200 bytes"));
    bot.end();
}

#[test]
fn a_file_with_mistakes_is_not_taken() {
    let desk = Desk::new("[[rule]]\nom = \"t\"\nmatch = '('\nsend = \"u\"");
    let problems = "linebus: rules.toml: line 1: rule.on: say where the rule listens, such as on = \"rooms.>\"\n\
                    linebus: rules.toml: line 2: rule.om: there is no such key; did you mean `rule.on`?\n\
                    linebus: rules.toml: line 3: rule.match: that is no regular expression: unclosed group\n";
    for arguments in
        [&["--check", "rules.toml"][..], &["rules.toml"], &["--dry-run", "-", "rules.toml"]]
    {
        let output = desk.run(arguments);
        assert_eq!((text(&output.stderr), text(&output.stdout)), (problems, ""), "{arguments:?}");
        assert_eq!(output.status.code(), Some(1));
    }
    for (arguments, why) in [
        (
            &["--dry-run", "rules.toml"][..],
            "name a recording before the file with the rules; - is standard input",
        ),
        (&["a", "rules.toml"], "one file with rules is wanted; recordings are for --dry-run"),
    ] {
        let output = desk.run(arguments);
        assert_eq!(text(&output.stderr), format!("linebus: {why}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_dry_run_reads_recordings_and_skips_what_is_damaged() {
    let desk = Desk::new(
        "[[rule]]\nname = \"hot\"\non = \"t\"\nmatch = '^3'\nsend = \"ops\"\nat_most = \"1 per hour\"",
    );
    std::fs::write(
        desk.path("monday"),
        "2026-01-31T12:00:00.000000Z bob t 31\n2026-01-31T12:00:01.000000Z bob t 20\n",
    )
    .expect("it can be written");
    std::fs::write(desk.path("torn"), "2026-01-31T13:00:00.000000Z bob t 32\n2026-01-31T13")
        .expect("it can be written");
    let mut command = desk.command(&["--dry-run", "monday", "-", "rules.toml"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let mut input = child.stdin.take().expect("it is a pipe");
    input
        .write_all(b"2026-01-31T12:30:00.000000Z bob t 33\n2026-01-31T13:00:00.000000Z bob t 34\n")
        .expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it is our child");
    assert_eq!(
        text(&output.stdout),
        "2026-01-31T12:00:00.000000Z hot: send ops 31\n\
         2026-01-31T12:30:00.000000Z hot: more than 1 per hour; what is over it is not done\n\
         2026-01-31T13:00:00.000000Z hot: lines over 1 per hour, not acted on: 1\n\
         2026-01-31T13:00:00.000000Z hot: send ops 34\n"
    );
    assert_eq!(text(&output.stderr), "linebus: lines that would be acted on: 2 of 4\n");
    assert!(output.status.success());
    let output = desk.run(&["--dry-run", "monday", "torn", "rules.toml"]);
    assert_eq!(
        text(&output.stderr),
        "linebus: torn: line 2: the line has no end, skipped\n\
         linebus: lines that would be acted on: 2 of 3\n"
    );
    assert!(output.status.success());
    let output = desk.run(&["--dry-run", "none", "rules.toml"]);
    assert!(text(&output.stderr).starts_with("linebus: can't read none: No such file"));
    assert_eq!(output.status.code(), Some(1));
}
