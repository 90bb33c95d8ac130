//! What an operator does to a running bus: its signals.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use linebus_testkit::process::Server;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::binary;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[test]
fn a_lame_duck_says_goodbye_to_one_after_the_other() {
    let folder = folder();
    let mut server = Server::configured(binary(), folder.path(), "lame_duck_ms = 300\n");
    let mut clients = [server.telnet(), server.telnet(), server.telnet()];
    let began = Instant::now();
    server.signal(Signal::USR2);
    for client in &mut clients {
        client.expect("note lame-duck the bus stops within 1 s; connect to another one");
    }
    assert!(TcpStream::connect(server.addresses[0]).is_err(), "nobody is accepted");
    let [one, two, three] = &mut clients;
    for (number, client) in [(1, three), (2, two), (3, one)] {
        client.expect("bye shutdown the bus stops");
        assert_eq!(client.hear(), None);
        assert!(began.elapsed() >= Duration::from_millis(number * 100), "{number}");
    }
    drop(clients);
    assert!(server.wait().success(), "exit 0");
}

#[test]
fn a_lame_duck_can_be_ended_at_once() {
    let folder = folder();
    let mut server = Server::configured(binary(), folder.path(), "lame_duck_ms = 3600000\n");
    let mut client = server.telnet();
    server.signal(Signal::USR2);
    client.expect("note lame-duck the bus stops within 3600 s; connect to another one");
    server.signal(Signal::TERM);
    client.expect("note shutdown the bus stops");
    client.expect("bye shutdown the bus stops");
    drop(client);
    assert!(server.wait().success(), "exit 0");
}
