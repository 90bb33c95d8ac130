//! Lines cut from a stream: in pieces, with noise, and beyond their limit.

use rooms_drivers::Lines;

#[test]
fn a_line_of_the_limit_is_kept_and_a_longer_one_is_given_up_with_its_end() {
    let mut lines = Lines::new(b"\r\n");
    let longest = "x".repeat(Lines::BYTES_MAX);
    assert_eq!(lines.push(format!("{longest}\r\n").as_bytes()).concat(), longest);
    assert!(lines.push(format!("{longest}y").as_bytes()).is_empty());
    assert!(lines.rest().is_empty(), "a prompt is not looked for in it");
    assert_eq!(lines.push(b"tail\rnext\n"), ["next"]);
}

#[test]
fn nul_bytes_and_empty_lines_are_left_out_and_bytes_that_are_no_text_are_replaced() {
    let mut lines = Lines::new(b"\r\n");
    assert_eq!(lines.push(b"\0a\0b\r\r\n\n\0\r\xFFc\r"), ["ab", "\u{FFFD}c"]);
    assert!(lines.push(b"pro").is_empty());
    assert_eq!(lines.rest(), b"pro");
    lines.clear();
    assert_eq!(lines.push(b"mpt\n"), ["mpt"]);
}

#[test]
fn the_byte_that_ended_a_line_is_known() {
    let mut lines = Lines::new(b"\r\n");
    let read = lines.push_with_ends(b"echo\n\rack\r\n");
    assert_eq!(read, [("echo".to_owned(), b'\n'), ("ack".to_owned(), b'\r')]);
}
