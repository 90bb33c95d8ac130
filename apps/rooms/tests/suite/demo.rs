//! `rooms demo`: everything together, and nothing left when it ends.

use std::path::Path;

use linebus_testkit::http;
use linebus_testkit::telnet::Telnet;
use rustix::process::Signal;

use crate::programs::{Program, rooms, until, until_all};

/// The processes that a process has started.
fn children(of: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("it is there").flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.lines().any(|line| line == format!("PPid:\t{of}"))
    };
    ids.filter(is_child).collect()
}

#[test]
fn the_demonstration_says_where_everything_is_and_leaves_nothing_behind() {
    let mut demo = Program::start(rooms(&["demo", "--speed", "10"]));
    let said = |words: &str| {
        let line = demo.said.iter().find_map(|line| line.strip_prefix(words));
        line.unwrap_or_else(|| panic!("{words:?} is not in {:?}", demo.said)).trim().to_owned()
    };
    let page = said("Two rooms side by side");
    let address = page.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/demo"));
    let address = address.expect("an address").parse().expect("an address");
    let asked = http::request(address, b"GET /demo HTTP/1.0\r\n\r\n");
    let (status, text) = asked.expect("it answers");
    assert!(
        status == 200 && text.contains("/panel/vienna") && text.contains("/panel/lisbon"),
        "{text}"
    );
    assert!(said("The administration").contains("password"));
    let bus = said("The bus").strip_prefix("telnet ").expect("a command").replace(' ', ":");
    let mut person = Telnet::connect(bus.parse().expect("an address"));
    person.ask("recv rooms", "ok recv rooms");
    person.say("send syslib give me everything");
    until_all(&mut person, &["room vienna free", "room lisbon free"]);
    person.say("send syslib connect vienna lisbon");
    until(&mut person, "connect vienna lisbon");
    let folder = said("Room files and logs");
    assert!(Path::new(&folder).join("rooms/vienna.toml").exists());
    let parts = children(demo.id());
    assert_eq!(parts.len(), 5, "bus, simulator, keeper, devices, panel");
    demo.signal(Signal::INT);
    assert!(demo.wait().success());
    for part in parts {
        assert!(!Path::new(&format!("/proc/{part}")).exists(), "{part} still runs");
    }
    assert!(!Path::new(&folder).exists());
}
