//! The grammar by example, and each limit with what is beyond it.

use super::*;

fn parsed(text: &str) -> (Vec<&str>, Vec<(&str, String)>) {
    let line = Line::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    (line.words, line.pairs.into_iter().map(|(key, value)| (key, value.into_owned())).collect())
}

#[track_caller]
fn refused(text: &str, because: &str) {
    match Line::parse(text) {
        Ok(_) => panic!("{text} is none"),
        Err(error) => assert_eq!(error.to_string(), because, "{text}"),
    }
}

#[test]
fn words_come_first_then_keys_with_values() {
    assert_eq!(parsed("connect room1 room2"), (vec!["connect", "room1", "room2"], vec![]));
    assert_eq!(
        parsed(r#"  help  room-a   text="no \"sound\"\nat all \\" id=p7 x=a=b "#),
        (
            vec!["help", "room-a"],
            vec![
                ("text", "no \"sound\"\nat all \\".to_owned()),
                ("id", "p7".to_owned()),
                ("x", "a=b".to_owned()),
            ]
        )
    );
    assert_eq!(
        parsed("a b=\"\" c=%1POWR"),
        (vec!["a"], vec![("b", String::new()), ("c", "%1POWR".to_owned())])
    );
}

#[test]
fn a_slip_in_the_grammar_is_explained() {
    refused("", "an empty line is no message");
    refused("   ", "an empty line is no message");
    refused("id=7", "a verb is wanted before id=");
    refused(
        "turn id=7 room-a",
        "the word \"room-a\" stands after a key: words first, then key=value; a value with blanks is written in \"quotes\"",
    );
    refused("a b=1 b=2", "b= stands there twice");
    refused("a b=", "b=: an empty value is written \"\"");
    refused("a b= c", "b=: an empty value is written \"\"");
    refused("a b=\"c", "b=: the closing \" is missing");
    refused("a b=\"c\\\"", "b=: the closing \" is missing");
    refused("a b=\"c\"d", "b=: a blank is wanted after the closing \"");
    refused("a b=\"\\t\"", "b=: after \\ one of n, \" and \\ is wanted");
    refused("a b=\"\\", "b=: after \\ one of n, \" and \\ is wanted");
    for text in ["a b=c\"d", "a b=c\\d"] {
        refused(text, "b=: a value with \" or \\ in it is written in quotes, as \\\" and \\\\");
    }
    for word in ["A", "zürich", "a_b", "\"a\""] {
        let because = BadName::Word(word.to_owned()).to_string();
        refused(&format!("connect {word}"), &because);
        refused(&format!("connect {word}=1"), &because);
    }
    refused("connect =1", &BadName::Word(String::new()).to_string());
}

#[test]
fn a_line_has_at_most_1024_bytes() {
    let longest = format!("help room text={}", "x".repeat(1024 - 15));
    assert_eq!(longest.len(), 1024);
    assert_eq!(parsed(&longest).1[0].1.len(), 1009);
    refused(
        &format!("{longest}x"),
        "a message has at most 1024 bytes, this one has 1025: shorten its text",
    );
}

#[test]
fn a_word_or_key_has_at_most_40_bytes() {
    let longest = "x".repeat(40);
    assert_eq!(parsed(&longest).0, [&longest]);
    assert_eq!(parsed(&format!("a {longest}=1")).1[0].0, longest);
    let beyond = "x".repeat(41);
    let because = BadName::Word(beyond.clone()).to_string();
    refused(&beyond, &because);
    refused(&format!("a {beyond}=1"), &because);
}

#[test]
fn a_line_has_no_control_characters() {
    let because = "a message has no control characters; a line's end within a value is written \\n";
    for bad in ["a\tb", "a b=\"c\nd\"", "a b=\u{1b}[2J", "a\r", "a b=\u{85}", "a\0"] {
        refused(bad, because);
    }
}
