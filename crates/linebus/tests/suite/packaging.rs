//! What is packaged fits the program: the packaged configuration is right, the unit starts what
//! there is, and every file that the Debian package names exists.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use linebus_testkit::process::Server;

use crate::binary;

fn krate() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn packaged(name: &str) -> PathBuf {
    krate().join("../../packaging").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(packaged(name)).expect("it is packaged")
}

#[test]
fn the_packaged_configuration_is_right_with_its_examples() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    let text = read("linebus.toml");
    // What is commented out is an example, but for the users, who are not there.
    let examples = text.replace("\n# metrics", "\nmetrics").replace("\n# log_file", "\nlog_file");
    assert_eq!(
        examples.matches("\nmetrics = ").count() + examples.matches("\nlog_file = ").count(),
        2
    );
    for text in [text, examples] {
        std::fs::write(&file, text).expect("it can be written");
        let output = Command::new(binary()).arg("check").arg(&file).output();
        let output = output.expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_unit_starts_what_there_is() {
    let unit = read("linebus.service");
    let commands: Vec<_> = unit
        .lines()
        .filter_map(|line| line.split_once("=/usr/bin/linebus "))
        .map(|(_, arguments)| arguments.split(' ').collect::<Vec<_>>())
        .collect();
    assert_eq!(commands.len(), 2, "start and reload");
    for arguments in commands {
        // With --help the command line is read, up to the first mistake in it.
        let output = Command::new(binary()).args(&arguments).arg("--help").output();
        let output = output.expect("it can be started");
        assert!(output.status.success(), "{arguments:?}");
        let help = String::from_utf8_lossy(&output.stdout);
        let options = arguments.iter().filter(|argument| argument.starts_with("--"));
        options.for_each(|option| assert!(help.contains(option), "{option}: {help}"));
        assert!(arguments.contains(&"/etc/linebus/linebus.toml"), "{arguments:?}");
    }
    let stop: u64 = value(&unit, "TimeoutStopSec").parse().expect("seconds");
    let drain_ms = linebus_server::Config::default().shutdown_drain_ms;
    assert!(stop * 1_000 >= drain_ms + 10_000, "the end has its time");
    let files: usize = value(&unit, "LimitNOFILE").parse().expect("a number");
    assert!(files > linebus_server::Config::default().admission.connections_max);
}

fn value<'a>(unit: &'a str, key: &str) -> &'a str {
    let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.expect("the unit says it")
}

#[test]
fn unit_and_logrotate_speak_of_the_user_that_is_made() {
    let user = read("linebus.sysusers");
    assert!(user.lines().any(|line| line.starts_with("u linebus ")));
    assert_eq!(value(&read("linebus.service"), "User"), "linebus");
    assert!(read("linebus.logrotate").contains("su linebus linebus"));
    assert!(read("linebus.logrotate").contains("--signal=SIGUSR1"));
}

#[test]
fn every_file_that_the_debian_package_names_exists() {
    let manifest = std::fs::read_to_string(krate().join("Cargo.toml")).expect("the manifest");
    let begin = manifest.find("\nassets = [").expect("the list");
    let files: Vec<_> = manifest[begin..]
        .lines()
        .filter_map(|line| line.trim().strip_prefix("[\"")?.split('"').next())
        .filter(|file| !file.starts_with("target/release/"))
        .collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files.iter().chain(&["../../LICENSE-MIT"]) {
        assert!(krate().join(file).is_file(), "{file}");
    }
}

#[test]
fn systemd_is_told_when_the_bus_is_ready() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).expect("the folder is ours");
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", &path);
    let _server = Server::spawn(command);
    systemd.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket has timeouts");
    let mut told = [0; 64];
    let len = systemd.recv(&mut told).expect("it is told");
    assert_eq!(String::from_utf8_lossy(&told[..len]).trim_end(), "READY=1");
}
