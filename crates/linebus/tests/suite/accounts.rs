//! The real binary with accounts: who gets in, what he may do, and what happens to those who are
//! connected when the users file changes.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use linebus_testkit::certificates::Authority;
use linebus_testkit::http;
use linebus_testkit::process::Server;
use linebus_testkit::rules::{Lists, Rules, lists};
use linebus_testkit::telnet::Telnet;
use linebus_testkit::tls;
use linebus_testkit::users::{self, TestUser};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

const WRONG: &str = "error login wrong-login user or password is wrong";

/// Somebody who may send anywhere and hear what `recv` says. The password is `secret`.
fn user(name: &str, recv: Lists) -> TestUser {
    let rules = Rules { send: lists(&[">"], &[]), recv, see: true };
    TestUser::new(name, "secret", rules)
}

fn everything(name: &str) -> TestUser {
    user(name, lists(&[">"], &[]))
}

struct Bus {
    server: Server,
    folder: TempDir,
}

impl Bus {
    /// A bus with these users; `more` is more of its configuration, beginning with top-level keys.
    fn start(all: &[TestUser], more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        users::write(folder.path(), all);
        let text = format!("metrics = \"127.0.0.1:0\"\nusers = \"users.toml\"\n{more}\n");
        let server = Server::configured(binary(), folder.path(), &text);
        Self { server, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Somebody who has logged in.
    fn login(&self, name: &str) -> Telnet<TcpStream> {
        self.server.login(name)
    }

    fn write_users(&self, all: &[TestUser]) {
        users::write(self.folder.path(), all);
    }

    /// Whether a user can log in with the password `secret`.
    fn admits(&self, name: &str) -> bool {
        let mut client = self.server.telnet();
        client.say(&format!("login {name} secret"));
        match client.hear().as_deref() {
            Some(WRONG) => false,
            answer => {
                assert_eq!(answer, Some(&*format!("ok login {name}")));
                true
            }
        }
    }

    /// Reloads; whether that was good.
    fn reload(&self) -> bool {
        let before = self.reloads();
        self.server.signal(Signal::HUP);
        let began = Instant::now();
        loop {
            let now = self.reloads();
            if now != before {
                let good = now[0] > before[0];
                let successful = self.metrics()["linebus_config_last_reload_successful"];
                assert_eq!(successful, f64::from(u8::from(good)));
                return good;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "nothing is reloaded");
        }
    }

    /// How many reloads were good, and how many were not.
    fn reloads(&self) -> [f64; 2] {
        let series = self.metrics();
        ["good", "bad"]
            .map(|result| series[&format!("linebus_config_reloads_total{{result={result:?}}}")])
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        http::metrics(self.server.http.expect("metrics are shown"))
    }
}

#[test]
fn whoever_has_an_account_gets_in_and_nobody_else() {
    let bus = Bus::start(&[everything("alice")], "");
    let mut alice = bus.server.telnet();
    alice.ask("recv t", "error recv login-first log in first: login <user> <password>");
    alice.ask("login alice wrong", WRONG);
    alice.ask("login alice secret", "ok login alice");
    alice.ask("recv t", "ok recv t");
    assert!(!bus.admits("mallory"));
    let url = |who: &str| format!("linebus://{who}@{}", bus.server.addresses[0]);
    let send = |who: &str| {
        let mut command = Command::new(binary());
        command.args(["send", "t", "hello"]).env("LINEBUS_URL", url(who));
        command.output().expect("it can be started")
    };
    assert!(send("alice:secret").status.success());
    alice.expect("recv t hello");
    let refused = send("alice:wrong");
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(text.contains("user or password is wrong"), "{text}");
}

#[test]
fn a_reload_closes_who_is_gone_ends_joins_and_disturbs_nobody_else() {
    let bus = Bus::start(&[everything("alice"), everything("bob"), everything("carol")], "");
    let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| bus.login(name));
    for client in [&mut alice, &mut bob, &mut carol] {
        client.ask("recv plans", "ok recv plans");
        client.ask("recv rooms.>", "ok recv rooms.>");
    }
    let alice_now = user("alice", lists(&[">"], &["plans"]));
    bus.write_users(&[alice_now, everything("carol"), everything("dave")]);
    assert!(bus.reload());
    alice.expect("note left plans: you may no longer hear it");
    bob.expect("bye kicked your account was disabled or removed");
    assert_eq!(bob.hear(), None);
    assert_eq!(carol.barrier(), Vec::<String>::new());
    let mut dave = bus.login("dave");
    dave.say("send plans secret");
    dave.say("send rooms.vienna lights on");
    dave.ask("ping", "pong");
    alice.expect("recv rooms.vienna lights on");
    carol.expect("recv plans secret");
    carol.expect("recv rooms.vienna lights on");
}

#[test]
fn a_reload_with_any_mistake_changes_nothing() {
    let bus = Bus::start(&[everything("alice")], "reload_on_change = false");
    let good = std::fs::read_to_string(bus.path("users.toml")).expect("it is there");
    let mut alice = bus.login("alice");
    for text in ["", "[users.alice", "[users.bob]\nsend = { allow = [\"a..b\"] }\n"] {
        std::fs::write(bus.path("users.toml"), text).expect("it can be written");
        assert!(!bus.reload(), "{text}");
        assert!(bus.admits("alice"), "as before");
    }
    std::fs::remove_file(bus.path("users.toml")).expect("it is there");
    assert!(!bus.reload(), "a file that is gone opens nothing");
    std::fs::write(bus.path("users.toml"), good).expect("it can be written");
    assert!(!bus.reload(), "others may read it");
    bus.write_users(&[everything("alice")]);
    // Here it is a mistake to have no accounts: the file lies there, and without it everybody could
    // do everything.
    let config = std::fs::read_to_string(bus.path("linebus.toml")).expect("it is there");
    let open = config.replace("users = \"users.toml\"", "");
    std::fs::write(bus.path("linebus.toml"), open).expect("it can be written");
    assert!(!bus.reload());
    std::fs::write(bus.path("linebus.toml"), config).expect("it can be written");
    assert!(bus.reload());
    assert!(!bus.admits("mallory") && bus.admits("alice"));
    assert_eq!(alice.barrier(), Vec::<String>::new());
}

#[test]
fn accounts_may_come_and_go() {
    let bus = Bus::start(&[everything("alice")], "reload_on_change = false");
    let config = std::fs::read_to_string(bus.path("linebus.toml")).expect("it is there");
    let open = config.replace("users = \"users.toml\"", "");
    let mut alice = bus.login("alice");
    alice.ask("recv t", "ok recv t");
    std::fs::rename(bus.path("users.toml"), bus.path("away.toml")).expect("it is there");
    std::fs::write(bus.path("linebus.toml"), open).expect("it can be written");
    assert!(bus.reload());
    let mut guest = bus.server.telnet();
    guest.ask("send t hello\nrecv t", "ok recv t");
    alice.expect("recv t hello");
    std::fs::rename(bus.path("away.toml"), bus.path("users.toml")).expect("it is there");
    std::fs::write(bus.path("linebus.toml"), config).expect("it can be written");
    assert!(bus.reload());
    guest.expect("note left t: you may no longer hear it");
    guest.ask("recv t", "error recv login-first log in first: login <user> <password>");
}

#[test]
fn a_changed_users_file_counts_without_a_signal() {
    let bus = Bus::start(&[everything("alice")], "");
    let (mut alice, [before, _]) = (bus.login("alice"), bus.reloads());
    bus.write_users(&[everything("bob")]);
    alice.expect("bye kicked your account was disabled or removed");
    assert!(bus.reloads()[0] > before);
    assert!(bus.admits("bob"));
}

#[test]
fn a_reload_works_when_no_file_descriptor_is_free() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    users::write(folder.path(), &[everything("alice"), everything("bob")]);
    let file = folder.path().join("linebus.toml");
    let text = "listen = [\"127.0.0.1:0\"]\nusers = \"users.toml\"\nreload_on_change = false\n";
    std::fs::write(&file, text).expect("the folder can be written");
    let mut command = Command::new("prlimit");
    command.args(["--nofile=64:64"]).arg(binary()).arg("serve").arg("--config").arg(&file);
    let bus = Bus { server: Server::spawn(command), folder };
    let (mut alice, mut bob) = (bus.login("alice"), bus.login("bob"));
    let crowd: Vec<_> = (0..80)
        .map(|_| TcpStream::connect(bus.server.addresses[0]).expect("the kernel takes it"))
        .collect();
    bus.write_users(&[everything("alice")]);
    bus.server.signal(Signal::HUP);
    bob.expect("bye kicked your account was disabled or removed");
    alice.ask("ping", "pong");
    drop(crowd);
    assert!(bus.admits("alice"), "there is room again");
}

#[test]
fn a_storm_of_reloads_disturbs_nobody() {
    let bus = Bus::start(&[everything("alice"), everything("bob")], "reload_on_change = false");
    let (mut alice, mut bob) = (bus.login("alice"), bus.login("bob"));
    alice.ask("recv t", "ok recv t");
    for number in 0..300 {
        bus.server.signal(Signal::HUP);
        bob.say(&format!("send t {number}"));
    }
    bob.ask("ping", "pong");
    for number in 0..300 {
        alice.expect(&format!("recv t {number}"));
    }
}

#[test]
fn certificate_users_and_limits_change_together_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    old.server(&["localhost"]).write(folder.path(), "bus");
    users::write(folder.path(), &[everything("alice")]);
    let text = |limits: &str| {
        format!(
            "users = \"users.toml\"\nreload_on_change = false\nmetrics = \"127.0.0.1:0\"\n\
             [tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = \"bus.pem\"\nkey = \"bus.key\"\n\
             [limits]\n{limits}\n"
        )
    };
    let server = Server::configured(binary(), folder.path(), &text("line_bytes_max = 1000"));
    let bus = Bus { server, folder };
    let is_trusted = |authority: &Authority| {
        let config = tls::client(&authority.pem(), None);
        tls::connect(bus.server.tls_addresses[0], "localhost", config).is_ok()
    };
    assert!(is_trusted(&old) && !is_trusted(&new));
    // A key that does not belong to the certificate: nothing of it all counts.
    new.server(&["localhost"]).write(bus.folder.path(), "bus");
    let right = std::fs::read(bus.path("bus.key")).expect("it is there");
    std::fs::write(bus.path("bus.key"), "no key").expect("it can be written");
    bus.write_users(&[everything("bob")]);
    std::fs::write(bus.path("linebus.toml"), text("line_bytes_max = 2000")).expect("it is ours");
    assert!(!bus.reload());
    assert!(is_trusted(&old) && bus.admits("alice") && !bus.admits("bob"));
    std::fs::write(bus.path("bus.key"), right).expect("it can be written");
    assert!(bus.reload());
    assert!(is_trusted(&new) && !is_trusted(&old) && bus.admits("bob"));
    let mut bob = bus.login("bob");
    bob.say(&format!("send t {}", "x".repeat(1500)));
    bob.ask("ping", "pong");
}

#[test]
fn a_certificate_that_names_a_user_needs_no_password() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let authority = Authority::new("ours");
    authority.server(&["localhost"]).write(folder.path(), "bus");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("it can be written");
    users::write(folder.path(), &[everything("alice"), everything("bob")]);
    let text = "users = \"users.toml\"\n[tls]\nlisten = [\"127.0.0.1:0\"]\n\
                certificate = \"bus.pem\"\nkey = \"bus.key\"\nclient_ca = \"ca.pem\"\n";
    let server = Server::configured(binary(), folder.path(), text);
    let config = tls::client(&authority.pem(), Some(&authority.client("alice")));
    let mut client = tls::telnet(server.tls_addresses[0], "localhost", config);
    client.ask("login bob", WRONG);
    client.ask("login alice", "ok login alice");
    client.ask("login bob secret", "ok login bob");
}

#[test]
fn who_does_not_log_in_in_time_is_told_and_closed() {
    let bus = Bus::start(&[everything("alice")], "[limits]\nlogin_timeout_ms = 200");
    let mut silent = bus.server.telnet();
    let mut alice = bus.login("alice");
    silent.expect("bye login-timeout you took too long to log in");
    assert_eq!(silent.hear(), None);
    alice.ask("ping", "pong");
}

#[test]
fn a_password_of_megabytes_costs_nothing() {
    let bus = Bus::start(&[everything("alice")], "");
    // What a login costs is there already.
    drop(bus.login("alice"));
    let before = bus.server.memory_peak();
    let mut client = bus.server.telnet();
    client.say_bytes(format!("login alice {}\n", "x".repeat(8 << 20)).as_bytes());
    client
        .expect("error line too-long a line has at most 512 bytes; the rest of it was thrown away");
    client.ask("login alice secret", "ok login alice");
    assert!(bus.server.memory_peak() - before < 4 << 20);
}

#[test]
fn a_flood_of_logins_does_not_hold_up_the_bus() {
    let bus = Bus::start(&[everything("alice"), everything("bob")], "");
    let (mut alice, mut bob) = (bus.login("alice"), bus.login("bob"));
    alice.ask("recv t", "ok recv t");
    let mut flood: Vec<_> = (0..200).map(|_| bus.server.telnet()).collect();
    for client in &mut flood {
        client.say("login alice wrong");
    }
    // Nobody waits for a hash: each round trip is done long before the flood is.
    let began = Instant::now();
    for number in 0..100 {
        bob.say(&format!("send t {number}"));
        alice.expect(&format!("recv t {number}"));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The first few are wrong, which they are told later and later; then nothing is hashed.
    for client in flood.iter_mut().rev().take(100) {
        let answer = client.hear().expect("each has an answer");
        assert!(answer.starts_with("error login busy "), "{answer}");
    }
}

#[test]
fn bench_logs_in() {
    let bus = Bus::start(&[everything("ann")], "");
    let bench = |login: &str| {
        let url = bus.server.url().replace("://", &format!("://{login}"));
        let mut command = Command::new(binary());
        let output = command.args(["bench", "--seconds", "0.1", "--bus", &url]).output();
        output.expect("it can be started")
    };
    let measured = bench("ann:secret@");
    let said = String::from_utf8_lossy(&measured.stdout);
    assert!(measured.status.success() && said.contains(" deliveries/s"), "{measured:?}");
    for (login, why) in [("", "login-first"), ("ann:wrong@", "wrong-login")] {
        let refused = bench(login);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(why), "{said}");
    }
}
