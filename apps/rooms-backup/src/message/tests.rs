//! Every verb read and written, and what is said about lines that are none.

use super::*;

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn every_verb_is_read_and_written_again() {
    let lines = [
        "list rooms 1".to_owned(),
        "restore rooms 18446744073709551615".to_owned(),
        format!("begin rooms drivers/benq.toml 7 {HASH} 3"),
        "gone rooms Saal%202.toml 8".to_owned(),
        format!("want rooms {HASH} 1 6144 1-32,40"),
        format!("part rooms {HASH} 1 YWJj"),
        format!("end rooms {HASH} 1"),
        format!("drop rooms {HASH}"),
        format!("unknown rooms {HASH}"),
        "ready".to_owned(),
        format!("catalogue rooms 1 {HASH} 100"),
        format!("kept rooms room-a.toml 7 {HASH}"),
        "kept rooms room-a.toml 8 gone".to_owned(),
        "refused rooms room-a.toml 7 store the disk  is full".to_owned(),
        "malformed there is no such verb".to_owned(),
    ];
    for line in &lines {
        assert_eq!(Message::parse(line).map(|message| message.to_string()).as_ref(), Ok(line));
    }
    for (verb, usage) in USAGES {
        assert!(usage.starts_with(verb));
        assert!(lines.iter().any(|line| line.split(' ').next() == Some(verb)), "{verb}");
    }
}

#[track_caller]
fn check(line: &str, because: &str) {
    let error = Message::parse(line).expect_err("it is no message").to_string();
    assert!(error.contains(because), "{error}");
}

#[test]
fn what_is_wrong_with_a_line_is_said() {
    check("", "there is no verb \"\"; the verbs are list, restore, begin,");
    check("keep rooms", "there is no verb \"keep\"");
    check("list", "usage: list <owner> <id>; a word is missing");
    check("list rooms", "usage: list <owner> <id>; a word is missing");
    check("list rooms ", "one blank is wanted between words");
    check("list  rooms 1", "one blank is wanted between words");
    check("list rooms 1 2", "\"2\" is too much");
    check("ready now", "\"now\" is too much");
    check("list Rooms 1", "\"Rooms\" is no owner");
    check("gone rooms ../a 1", "\"../a\" is no name of a data set");
    check("gone rooms a -1", "\"-1\" is no whole number");
    check("begin rooms a 1 abc 3", "a hash is 64 digits");
    check(&format!("part rooms {HASH} 1 ä"), "in base64");
    check(&format!("kept rooms a 1 {}", &HASH[1..]), "or it is `gone`");
    check("refused rooms a 1 mood bad", "\"mood\" is no reason");
    check(&"x".repeat(60_000), &format!("no verb {:?}", "x".repeat(40)));
}

#[test]
fn numbers_end_at_their_limits() {
    check("list rooms 18446744073709551616", "is no whole number");
    assert!(Message::parse("gone rooms a 9007199254740991").is_ok());
    check("gone rooms a 9007199254740992", "a version is a number from 1 to 9007199254740991");
    check("gone rooms a 0", "a version is a number from 1 to");
    check(&format!("end rooms {HASH} 4294967296"), "is no whole number");
    check(&format!("want rooms {HASH} 1 0 1"), "a part has 1 to 6144 bytes");
    check(&format!("want rooms {HASH} 1 6145 1"), "a part has 1 to 6144 bytes");
    check(&format!("want rooms {HASH} 1 6144 1-65"), "at most 16 runs and 64 parts");
    let part = |bytes: usize| format!("part rooms {HASH} 1 {}", BASE64.encode(vec![0; bytes]));
    assert!(Message::parse(&part(PART_BYTES_MAX)).is_ok());
    check(&part(PART_BYTES_MAX + 1), "a part has 1 to 6144 bytes");
}

#[test]
fn a_text_stays_one_line_that_a_person_can_read() {
    let text = format!("a\nb\0{}", "c".repeat(1000));
    let line = Message::Malformed { text }.to_string();
    assert_eq!(line, format!("malformed a b {}", "c".repeat(296)));
}

#[test]
fn no_text_is_worse_than_an_error() {
    let pieces =
        ["begin", "part", "want", "rooms", " ", " ", "a", "%", "%2", "1", "-", HASH, "YWJj", "="];
    arbtest::arbtest(|u| {
        let mut line = String::new();
        for _ in 0..u.int_in_range(0..=12)? {
            line.push_str(u.choose(&pieces)?);
            line.push_str(u.choose(&["", " "])?);
        }
        if let Ok(message) = Message::parse(&line) {
            assert_eq!(Message::parse(&message.to_string()), Ok(message));
        }
        Ok(())
    });
}
