//! What a rule makes of a message.

use super::*;
use crate::bot::rules::Rules;

fn rule(keys: &str) -> Rule {
    let rules = Rules::parse(&format!("[[rule]]\n{keys}")).expect("it is right");
    rules.rules.into_iter().next().expect("there is one")
}

fn heard<'a>(topic: &'a str, user: &'a str, text: &'a str) -> Heard<'a> {
    Heard { topic, text, user: Some(user), time: Some("2026-01-31T12:00:00Z") }
}

/// What is to be done about what alice says, as a dry run shows it.
fn done(rule: &mut Rule, topic: &str, text: &str) -> Vec<String> {
    let actions = rule.take(heard(topic, "alice", text), Duration::ZERO, |text| panic!("{text}"));
    actions.iter().map(ToString::to_string).collect()
}

#[test]
fn topic_user_and_pattern_must_all_fit() {
    let mut rule =
        rule("on = [\"rooms.*\", \"doors.>\"]\nfrom = \"alice\"\nmatch = '\\bon$'\nsend = \"u\"");
    assert_eq!(done(&mut rule, "rooms.vienna", "lights on"), ["send u lights on"]);
    assert_eq!(done(&mut rule, "doors.front.bell", "on"), ["send u on"]);
    assert_eq!(done(&mut rule, "rooms.vienna.lights", "on"), [""; 0]);
    assert_eq!(done(&mut rule, "rooms.vienna", "lights on?"), [""; 0]);
    let by_bob = heard("rooms.vienna", "bob", "on");
    assert!(rule.take(by_bob, Duration::ZERO, |text| panic!("{text}")).is_empty());
    let by_nobody = Heard { user: None, ..by_bob };
    assert!(rule.take(by_nobody, Duration::ZERO, |text| panic!("{text}")).is_empty());
}

#[test]
fn one_text_goes_to_every_topic() {
    let mut rule = rule(
        "on = \"rooms.*.temperature\"\nmatch = '(?<degrees>\\d+)'\nsend = [\"ops\", \"alarm.{topic.2}\"]\ntext = \"{degrees} in {topic.2}\"",
    );
    let expected = ["send ops 31 in vienna", "send alarm.vienna 31 in vienna"];
    assert_eq!(done(&mut rule, "rooms.vienna.temperature", "31.5"), expected);
}

#[test]
fn a_message_that_makes_no_topic_is_refused_and_the_other_topics_are_sent() {
    let mut rule = rule("on = \"t\"\nmatch = '^(?<to>\\S*)'\nsend = [\"to.{to}\", \"log\"]");
    assert_eq!(done(&mut rule, "t", "x y"), ["send to.x x y", "send log x y"]);
    for (text, why) in [
        (
            "",
            "`to.` is no topic: a topic has no empty tokens: no dot at either end and no two in a row",
        ),
        ("*", "`to.*` is no topic: no wildcards here: name one topic"),
        (
            "$(id)",
            "`to.$(id)` is no topic: a topic is made of letters, digits, _ and -, in tokens joined by dots",
        ),
    ] {
        assert_eq!(
            done(&mut rule, "t", text),
            [format!("not sent: {why}"), format!("send log {text}")]
        );
    }
    let mut system = rule_to_any_topic();
    let why = "not sent: nobody but the bus itself sends to `$bus.clients`";
    assert_eq!(done(&mut system, "t", "$bus.clients"), [why]);
}

fn rule_to_any_topic() -> Rule {
    rule("on = \"t\"\nmatch = '(?<all>.*)'\nsend = \"{all}\"")
}

#[test]
fn a_question_is_answered_and_the_answers_end() {
    let mut rule = rule(
        "on = \"syslib\"\nmatch = '^which (?<what>\\w+)$'\nreply = [\"no {what}\", \"{message}?\"]",
    );
    assert_eq!(
        done(&mut rule, "syslib", "which rooms @_reply.7f3c"),
        ["send _reply.7f3c no rooms", "send _reply.7f3c which rooms?", "send _reply.7f3c done"]
    );
    // Nobody waits for an answer.
    assert_eq!(done(&mut rule, "syslib", "which rooms"), [""; 0]);
    assert_eq!(done(&mut rule, "syslib", "which rooms @*"), [""; 0]);
    // To a rule that does not answer it is a message like any other.
    let mut forward = self::rule("on = \"syslib\"\nsend = \"u\"");
    assert_eq!(done(&mut forward, "syslib", "x @_reply.1"), ["send u x @_reply.1"]);
}

#[test]
fn a_command_stays_as_it_is_and_finds_the_message_beside_it() {
    let mut rule =
        rule("on = \"t\"\nmatch = '^(?<Room>\\S+)(?<rest> .*)?'\nrun = [\"sh\", \"-c\", \"true\"]");
    for (text, room) in [("$(reboot)", "$(reboot)"), ("`id`;'\"{topic}", "`id`;'\\\"{topic}")] {
        let expected =
            format!("run [\"sh\", \"-c\", \"true\"] LINEBUS_ROOM=\"{room}\" LINEBUS_REST=\"\"");
        assert_eq!(done(&mut rule, "t", text), [expected]);
    }
}

#[test]
fn over_the_limit_nothing_is_done_which_is_said_and_counted_once() {
    let mut rule =
        rule("name = \"hot\"\non = \"t\"\nmatch = 'x'\nsend = \"u\"\nat_most = \"2 per second\"");
    let mut told = Vec::new();
    let mut at = |ms, text| {
        let actions =
            rule.take(heard("t", "alice", text), Duration::from_millis(ms), |text| told.push(text));
        actions.len()
    };
    assert_eq!(
        [at(0, "x"), at(1, "y"), at(2, "x"), at(3, "x"), at(4, "y"), at(999, "x")],
        [1, 0, 1, 0, 0, 0]
    );
    assert_eq!([at(1000, "x"), at(1001, "x")], [1, 0]);
    rule.tell_missed(|text| told.push(text));
    rule.tell_missed(|text| told.push(text));
    assert_eq!(
        told,
        [
            "hot: more than 2 per second; what is over it is not done",
            "hot: lines over 2 per second, not acted on: 2",
            "hot: more than 2 per second; what is over it is not done",
            "hot: lines over 2 per second, not acted on: 1",
        ]
    );
}
