//! Asks for a page over HTTP and reads what Prometheus reads.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The status and the text behind `path`.
#[must_use]
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    request(address, format!("GET {path} HTTP/1.1\r\nHost: bus\r\n\r\n").as_bytes())
        .expect("it answers")
}

/// The status and the text after the head of what is answered to these bytes; nothing if the
/// connection just ends.
#[must_use]
pub fn request(address: SocketAddr, bytes: &[u8]) -> Option<(u16, String)> {
    let (status, _, text) = exchange(address, bytes)?;
    Some((status, text))
}

/// The same with the head.
#[must_use]
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<(u16, String, String)> {
    let mut socket = TcpStream::connect(address).expect("it listens");
    // It may have answered and closed before it has read everything.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    // A reset after the answer takes nothing of it back.
    let _ = socket.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("answers are text");
    let (head, text) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().expect("a status is a number");
    Some((status, head.to_owned(), text.to_owned()))
}

/// All series that a server shows, with their values.
#[must_use]
pub fn metrics(address: SocketAddr) -> BTreeMap<String, f64> {
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    });
    series.collect()
}
