//! Lines and what they mean.

use super::*;

#[track_caller]
fn check(line: &str, expected: &str) {
    let got = match Command::parse(line) {
        None => "nothing".to_owned(),
        Some(Ok(command)) => format!("{command:?}"),
        Some(Err(refusal)) => refusal.to_string(),
    };
    assert_eq!(got, expected, "{line:?}");
}

#[test]
fn words_are_separated_by_blanks_and_a_message_by_exactly_one() {
    check("", "nothing");
    check(" \t ", "nothing");
    check("send t x", r#"Send { topic: Topic("t"), message: "x" }"#);
    check("  send \t t  x ", r#"Send { topic: Topic("t"), message: " x " }"#);
    check("send t ", r#"Send { topic: Topic("t"), message: "" }"#);
    check("send t", "error send usage usage: send <topic> <message>");
    check("send", "error send usage usage: send <topic> <message>");
    check("recv t ", r#"Recv { pattern: Pattern("t"), group: None }"#);
    check("recv  a.>  g", r#"Recv { pattern: Pattern("a.>"), group: Some("g") }"#);
    check("recv t g h", "error recv usage usage: recv <topic> [<group>]");
    check("watch t g", "error watch usage usage: watch <topic>");
    check("login a b  c", r#"Login { user: "a", password: Some("b  c") }"#);
    check("login a", r#"Login { user: "a", password: None }"#);
    check("logoff now", "error logoff usage usage: logoff");
    check("ping", "Ping { word: None }");
    check("ping a b", "error ping usage usage: ping [<word>]");
}

#[test]
fn refusals_say_what_would_be_right() {
    check(
        "SEND t x",
        "error SEND unknown-verb did you mean `send <topic> <message>`? verbs are lower case; `help` lists them",
    );
    check("subscribe t", "error subscribe unknown-verb `help` lists the verbs");
    check("<policy/>", "error line unknown-verb `help` lists the verbs");
    check("send a.* x", "error send bad-topic no wildcards here: name one topic");
    check(
        "recv a..b",
        "error recv bad-topic a topic has no empty tokens: no dot at either end and no two in a row",
    );
    check("login $bus", "error login usage a user name is 1 to 64 letters, digits, _ . or -");
    check("recv t g/h", "error recv usage a group name is 1 to 64 letters, digits, _ . or -");
    check(
        "help sned",
        "error help unknown-verb did you mean `send <topic> <message>`? verbs are lower case; `help` lists them",
    );
}

#[test]
fn every_verb_parses_to_its_own_command() {
    for verb in Verb::all() {
        let line = format!("{verb} one two");
        let line = match verb {
            Verb::Logoff => "logoff",
            Verb::Help => "help send",
            Verb::Ping | Verb::Who | Verb::Topics | Verb::Watch | Verb::Leave => {
                line.strip_suffix(" two").expect("ends so")
            }
            _ => &line,
        };
        let command = Command::parse(line).expect("not blank").expect("well-formed");
        assert_eq!(command.verb(), verb);
    }
}
