//! The bot of the folder `examples` in every language that is installed, against a real bus.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use linebus_testkit::process::Server;
use linebus_testkit::telnet::Telnet;
use rustix::process::Signal;

use crate::binary;

/// Set where every language must be there, as in CI.
const ALL: &str = "LINEBUS_ALL_EXAMPLES";

/// How each bot but Rust's is started, in the folder `examples`.
const BOTS: [&[&str]; 7] = [
    &["bash", "clock.bash"],
    &["gawk", "-f", "clock.awk"],
    &["python3", "clock.py"],
    &["node", "clock.mjs"],
    &["perl", "clock.pl"],
    &["tclsh", "clock.tcl"],
    &["java", "Clock.java"],
];

/// Rust's bot. Cargo builds it before it runs all tests, but not before it runs a single file's.
fn built() -> PathBuf {
    binary().with_file_name("examples").join("clock")
}

/// A running bot.
struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Bot {
    /// None if the program is not installed.
    fn start(words: &[&str], server: &Server) -> Option<Self> {
        let address = server.addresses[0];
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(address.ip().to_string()).arg(address.port().to_string());
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
        match command.stdin(Stdio::null()).spawn() {
            Ok(child) => Some(Self(child)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{command:?}: {error}"),
        }
    }

    /// Waits until it has joined; round trips are the pace.
    fn wait_until_it_listens(&mut self, telnet: &mut Telnet) {
        loop {
            assert_eq!(self.0.try_wait().expect("it is our child"), None, "it ended too early");
            telnet.say("who clock");
            if telnet.barrier().iter().any(|line| line == "ok who 1") {
                return;
            }
        }
    }
}

#[track_caller]
fn expect_time(telnet: &mut Telnet) {
    let line = telnet.hear().expect("it answers");
    let time = line.strip_prefix("recv clock ").unwrap_or_default();
    let parts: Vec<_> = time.split(':').map(|part| (part.len(), part.parse::<u8>())).collect();
    let [(2, Ok(0..24)), (2, Ok(0..60)), (2, Ok(0..61))] = parts[..] else {
        panic!("no time: {line}");
    };
}

/// Whether the bot's program is installed; its bot then tells the time.
fn tells_the_time(words: &[&str]) -> bool {
    let mut server = Server::on_free_port(binary());
    let Some(mut bot) = Bot::start(words, &server) else { return false };
    let mut telnet = server.telnet();
    bot.wait_until_it_listens(&mut telnet);
    telnet.ask("recv clock", "ok recv clock");
    telnet.say("send clock time? ümläut\nsend clock time?\nsend clock what?\nsend clock time?");
    expect_time(&mut telnet);
    expect_time(&mut telnet);
    server.signal(Signal::TERM);
    telnet.expect("note shutdown the bus stops");
    assert!(bot.0.wait().expect("it is our child").success(), "it ends with the bus");
    drop(telnet);
    server.wait();
    true
}

#[test]
fn a_bot_in_any_language_tells_the_time() {
    let rust = built();
    let rust = [rust.to_str().expect("its name is UTF-8")];
    let bots: Vec<_> = BOTS.into_iter().chain([&rust[..]]).collect();
    let missing: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> =
            bots.iter().map(|bot| (bot[0], scope.spawn(|| tells_the_time(bot)))).collect();
        let told =
            tries.into_iter().map(|(name, told)| (name, told.join().expect("it says what failed")));
        told.filter(|(_, told)| !told).map(|(name, _)| name).collect()
    });
    if !missing.is_empty() {
        assert!(
            std::env::var_os(ALL).is_none(),
            "{ALL} is set, but these are missing: {missing:?}"
        );
        eprintln!("skipped, because they are not installed: {missing:?}");
    }
}
