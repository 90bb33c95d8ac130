//! What RFC 2217 is made of, byte by byte, without a connection.

use super::*;
use crate::telnet::{SB, SE};

fn line() -> LineSettings {
    "19200 8N1".parse().expect("it is one")
}

/// Takes in bytes whole and one by one, and gives what was data and what is answered.
fn receive(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut whole = Rfc2217::new(line());
    whole.outgoing.clear();
    let mut data = Vec::new();
    whole.receive(bytes, &mut data).expect("nothing is refused");
    let mut pieces = Rfc2217::new(line());
    pieces.outgoing.clear();
    let mut pieced = Vec::new();
    for byte in bytes {
        pieces.receive(&[*byte], &mut pieced).expect("nothing is refused");
    }
    assert_eq!((&data, &whole.outgoing), (&pieced, &pieces.outgoing));
    (data, whole.outgoing)
}

#[test]
fn data_bytes_of_255_are_doubled_both_ways() {
    assert_eq!(doubled(&[1, 255, 2]), [1, 255, 255, 2]);
    assert_eq!(receive(&[1, 255, 255, 2]), (vec![1, 255, 2], vec![]));
}

#[test]
fn settings_are_said_when_the_bridge_takes_the_option() {
    let (data, answer) = receive(&[IAC, DO, COM_PORT]);
    assert_eq!(data, Vec::<u8>::new());
    let baud = [IAC, SB, COM_PORT, SET_BAUDRATE, 0, 0, 0x4b, 0, IAC, SE];
    assert!(answer.starts_with(&baud), "{answer:x?}");
    assert!(answer.ends_with(&[IAC, SB, COM_PORT, SET_STOPSIZE, 1, IAC, SE]), "{answer:x?}");
}

#[test]
fn a_speed_with_a_byte_of_255_is_doubled_in_the_command() {
    let mut telnet = Rfc2217::new("65280 8N1".parse().expect("it is one"));
    telnet.outgoing.clear();
    telnet.receive(&[IAC, DO, COM_PORT], &mut Vec::new()).expect("it is taken");
    let baud = [IAC, SB, COM_PORT, SET_BAUDRATE, 0, 0, 255, 255, 0, IAC, SE];
    assert!(telnet.outgoing.starts_with(&baud));
    telnet
        .receive(&[IAC, SB, COM_PORT, 101, 0, 0, 255, 255, 0, IAC, SE], &mut Vec::new())
        .expect("it is what was wanted");
    assert_eq!(telnet.wanted.len(), 3);
}

#[test]
fn options_that_are_not_wanted_are_declined_once() {
    let (_, answer) = receive(&[IAC, WILL, 1, IAC, WILL, 1, IAC, DO, 24, IAC, DO, 24]);
    assert_eq!(answer, [IAC, DONT, 1, IAC, WONT, 24]);
}

#[test]
fn a_setting_that_the_bridge_does_not_take_is_named() {
    let mut telnet = Rfc2217::new(line());
    let said = [IAC, SB, COM_PORT, 101, 0, 0, 0x25, 0x80, IAC, SE];
    assert_eq!(
        telnet.receive(&said, &mut Vec::new()),
        Err(Closed::Config("the bridge does not take the speed of 19200 8N1".to_owned()))
    );
}

#[test]
fn news_of_the_line_between_data_are_no_data() {
    let modem_state = [IAC, SB, COM_PORT, 107, 0, IAC, SE];
    let bytes = [&b"In1"[..], &modem_state, b" All\r\n"].concat();
    assert_eq!(receive(&bytes), (b"In1 All\r\n".to_vec(), vec![]));
}

#[test]
fn what_a_bridge_says_before_it_closes_is_its_refusal() {
    assert_eq!(refusal(b"Port already in use\r\n"), Some(Closed::SomeoneElse));
    let words = b"Device open failure: Value or file not found\r\n";
    let text = "Device open failure: Value or file not found".to_owned();
    assert_eq!(refusal(words), Some(Closed::Bridge(text)));
    assert_eq!(refusal(b"\r\n"), None);
}
