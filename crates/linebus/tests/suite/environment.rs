//! What a machine and its network may do to a bus: peers that vanish without a word, a clock that
//! jumps.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use linebus_testkit::bystanders::Bystanders;
use linebus_testkit::process::Server;
use linebus_testkit::rules::{Rules, lists};
use linebus_testkit::telnet::Telnet;
use linebus_testkit::users::{self, TestUser};

use crate::binary;

/// Runs in the network of a server that has one of its own.
fn beside(server: &Server) -> Command {
    let mut command = Command::new("nsenter");
    let id = server.id().to_string();
    command.args(["--target", &id, "--user", "--net", "--preserve-credentials"]);
    command
}

#[test]
fn a_peer_whose_machine_is_gone_is_noticed_though_it_says_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    let config = "listen = [\"127.0.0.1:0\"]\nunix = \"bus.sock\"\nkeepalive_s = 1\n";
    std::fs::write(&file, config).expect("the folder can be written");
    // A network of its own, which needs no rights, so that it can be cut.
    let script = "ip link set lo up && exec \"$0\" serve --config \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", script]).arg(binary()).arg(file);
    let server = Server::spawn(command);
    let observer = UnixStream::connect(folder.path().join("bus.sock")).expect("it listens");
    let mut observer = Telnet::greeted(BufReader::new(observer));
    observer.ask("recv $bus.clients", "ok recv $bus.clients");
    // The empty line at last acknowledges all that the bus has said: what is not acknowledged, the
    // kernel would send again for a quarter of an hour (tcp_retries2), and ask nothing.
    let script = "exec 3<>/dev/tcp/127.0.0.1/$0; read -u 3; echo login bob >&3; read -u 3; \
                  echo >&3; echo done; read -u 3";
    let mut peer = beside(&server);
    peer.args(["bash", "-c", script, &server.addresses[0].port().to_string()]);
    let mut peer = peer.stdout(Stdio::piped()).spawn().expect("it can be started");
    let mut said = String::new();
    let output = peer.stdout.take().expect("it is a pipe");
    BufReader::new(output).read_line(&mut said).expect("it is text");
    assert_eq!(said, "done\n");
    observer.expect("recv $bus.clients joined bob 2");
    let cut = beside(&server).args(["ip", "link", "set", "lo", "down"]).status();
    assert!(cut.expect("iproute2 is installed").success());
    observer.expect("recv $bus.clients left bob 2 gone");
    peer.kill().expect("it still believes in its connection");
    peer.wait().expect("it is our child");
}

#[test]
fn a_password_that_others_could_read_on_the_way_is_refused_unless_configured() {
    for plain_passwords in [false, true] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        users::write(folder.path(), &[TestUser::new("alice", "secret", Rules::default())]);
        let file = folder.path().join("linebus.toml");
        let config = format!(
            "listen = [\"192.0.2.1:0\"]\nusers = \"users.toml\"\nplain_passwords = {plain_passwords}\n"
        );
        std::fs::write(&file, config).expect("the folder can be written");
        // A network of its own, with an address that is not loopback's (RFC 5737).
        let script = "ip link set lo up && ip address add 192.0.2.1/32 dev lo && \
                      exec \"$0\" serve --config \"$1\"";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", script]).arg(binary()).arg(file);
        let server = Server::spawn(command);
        let script =
            "exec 3<>/dev/tcp/192.0.2.1/$0; printf 'login alice secret\\nlogoff\\n' >&3; cat <&3";
        let mut client = beside(&server);
        client.args(["bash", "-c", script, &server.addresses[0].port().to_string()]);
        let output = client.output().expect("it can be started");
        let said = String::from_utf8(output.stdout).expect("it is text");
        let answer = said.lines().nth(1).expect("it answers");
        match plain_passwords {
            true => assert_eq!(answer, "ok login alice"),
            false => assert!(answer.starts_with("error login denied "), "{said}"),
        }
    }
}

/// The library that lies to a process about the time of day.
fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("every system has it");
    folders
        .map(|folder| folder.expect("it is readable").path().join("faketime/libfaketime.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is installed: `cargo xtask setup` does that")
}

#[test]
fn a_clock_that_jumps_changes_only_the_times_that_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let clock = folder.path().join("clock");
    let set = |time: &str| std::fs::write(&clock, time).expect("the folder can be written");
    set("@2030-06-01 12:00:00");
    let everything = lists(&[">"], &[]);
    let rules = Rules { send: everything.clone(), recv: everything, see: true };
    users::write(folder.path(), &[TestUser::new("alice", "secret", rules)]);
    let config = "users = \"users.toml\"\n[limits]\nuser_lines_per_second = 10000\n\
                  connections_per_address_per_second = 100\nalso_loopback = true\n";
    let mut command = Server::configured_command(binary(), folder.path(), config);
    command.env("LD_PRELOAD", libfaketime()).env("FAKETIME_TIMESTAMP_FILE", &clock);
    // The time since the start goes on as it does: that is not what operators set.
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let server = Server::spawn(command);
    let mut others = Bystanders::between(server.login("alice"), server.login("alice"));
    let mut stranger = server.telnet();
    let (mut watcher, mut sender) = (server.login("alice"), server.login("alice"));
    watcher.ask("watch t", "ok watch t");
    for year in ["2030", "2055", "1999", "1970", "2030"] {
        set(&format!("@{year}-06-01 12:00:00"));
        sender.say(&format!("send t in {year}"));
        let heard = watcher.hear().expect("it is delivered");
        assert!(heard.starts_with(&format!("watch t {year}-06-01T")), "{heard}");
        assert!(heard.ends_with(&format!("Z alice in {year}")), "{heard}");
        // Neither rates nor time-outs notice.
        others.talk();
        stranger.ask("ping", "pong");
        drop(server.login("alice"));
    }
    drop((others, stranger, watcher, sender));
    // Whoever is killed leaves what libfaketime shares with its children.
    server.end();
}
