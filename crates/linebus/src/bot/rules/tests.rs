//! A file says what it means, or each of its mistakes is explained.

use super::*;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let problems = Rules::parse(text).expect_err("there is a mistake");
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

/// What is wrong in a rule that is right but for this, in line 4 and after.
#[track_caller]
fn check_in_rule(keys: &str, expected: &[&str]) {
    check(&format!("[[rule]]\non = \"t\"\nsend = \"u\"\n{keys}"), expected);
}

#[test]
fn a_rule_that_says_little_has_sane_defaults() {
    let rules = Rules::parse("[[rule]]\non = \"t\"\nsend = \"u\"").expect("it is right");
    assert_eq!(rules.user, None);
    let [rule] = &rules.rules[..] else { panic!("there is one") };
    assert_eq!((rule.name.as_str(), rule.watch), ("rule 1", false));
    assert_eq!(rule.rate.at_most.to_string(), "60 per minute");
    assert_eq!(rule.text, Template::message());
    let rules = Rules::parse("[[rule]]\non = \"t\"\nrun = [\"true\"]").expect("it is right");
    let run = rules.rules[0].run.as_ref().expect("it runs something");
    assert_eq!((run.timeout, run.jobs), (Duration::from_secs(60), 1));
}

#[test]
fn only_a_rule_that_asks_who_or_when_watches() {
    for (keys, watch) in [
        ("text = \"{message} {topic}\"", false),
        ("text = \"{user}\"", true),
        ("text = \"{time}\"", true),
        ("reply = [\"a\", \"{user}\"]", true),
        ("from = \"bob\"", true),
        ("watch = true", true),
    ] {
        let rules = Rules::parse(&format!("[[rule]]\non = [\"t\", \"a.>\"]\nsend = \"u\"\n{keys}"));
        let joins = rules.expect("it is right").joins();
        assert_eq!(
            joins,
            Joins::from([("t".to_owned(), watch), ("a.>".to_owned(), watch)]),
            "{keys}"
        );
    }
    let topic = "[[rule]]\non = \"t\"\nsend = \"of.{user}\"";
    assert!(Rules::parse(topic).expect("it is right").rules[0].watch);
}

#[test]
fn each_mistake_has_its_line_its_key_and_its_remedy() {
    check(
        "usr = \"bot\"\n\n[[rule]]\non = \"rooms..x\"\nmach = 'a'\nsend = \"ops.alarm\"\n\n[[rule]]\nname = \"\"\non = [\"a\", \"b.*c\", 3]\n",
        &[
            "line 1: usr: there is no such key; did you mean `user`?",
            "line 4: rule.on: \"rooms..x\": a topic has no empty tokens: no dot at either end and no two in a row",
            "line 5: rule.mach: there is no such key; did you mean `rule.match`?",
            "line 8: rule.send: say what the rule does, such as send = \"ops.alarm\"; or `reply`, or `run`",
            "line 9: rule.name: a name is one line of text, and not empty",
            "line 10: rule.on: \"b.*c\": * stands for one whole token, > for all that follow and only at the end",
            "line 10: rule.on: a text in quotes is wanted, or several in brackets",
        ],
    );
    check(
        "[[rule]]\nsend = \"u\"\n\n[[rule]]\non = []\nsend = \"u\"",
        &[
            "line 1: rule.on: say where the rule listens, such as on = \"rooms.>\"",
            "line 5: rule.on: a text in quotes is wanted, or several in brackets",
        ],
    );
    check(
        "colour = 1\n[[rule]]\non = \"t\"\nsend = \"u\"\ncolour = 2",
        &[
            "line 1: colour: there is no such key; docs/bots.md lists all of them",
            "line 5: rule.colour: there is no such key; docs/bots.md lists all of them",
        ],
    );
    check(
        "match = 'x'\n[[rule]]\non = \"t\"\nsend = \"u\"",
        &["line 1: match: there is no such key; did you mean `rule.match`?"],
    );
}

#[test]
fn a_file_has_rules_in_double_brackets() {
    check("", &["line 1: rule: there is no rule; [[rule]] in double brackets begins each of them"]);
    check("[rule]\non = \"t\"", &["line 1: rule: [[rule]] in double brackets begins each of them"]);
    check("rule = 1", &["line 1: rule: [[rule]] in double brackets begins each of them"]);
    let problems = Rules::parse("[[rule]]\non = t").expect_err("it is no TOML");
    assert!(problems.len() == 1 && problems[0].line == 2, "{problems:?}");
}

#[test]
fn a_pattern_that_is_none_or_too_large_is_explained() {
    check_in_rule(
        "match = '(?<a>x'",
        &["line 4: rule.match: that is no regular expression: unclosed group"],
    );
    check_in_rule(
        "match = '(?:(?:\\w{100}){100}){100}'",
        &["line 4: rule.match: the pattern takes more than 1048576 bytes of memory; repeat less"],
    );
    let nested = format!("match = '{}{}'", "(".repeat(300), ")".repeat(300));
    check_in_rule(
        &nested,
        &[
            "line 4: rule.match: that is no regular expression: exceed the maximum number of nested parentheses/brackets (250)",
        ],
    );
    // What the captures would have been called is not guessed.
    check_in_rule(
        "text = \"{a}\"\nmatch = '(?<a>x'",
        &["line 5: rule.match: that is no regular expression: unclosed group"],
    );
}

#[test]
fn captures_cannot_take_the_place_of_what_steers_the_command() {
    for (pattern, why) in [
        ("(?<url>x)", "LINEBUS_URL is something else already; name `url` differently"),
        ("(?<Topic>x)", "LINEBUS_TOPIC is something else already; name `Topic` differently"),
        ("(?<a>x)(?<A>y)", "LINEBUS_A is something else already; name `A` differently"),
        ("(?<a.b>x)", "a capture's name has letters, digits and _ only, unlike `a.b`"),
        ("(?<é>x)", "a capture's name has letters, digits and _ only, unlike `é`"),
    ] {
        check_in_rule(&format!("match = '{pattern}'"), &[&format!("line 4: rule.match: {why}")]);
    }
}

#[test]
fn what_others_say_never_becomes_part_of_a_command() {
    let environment = "what others say never becomes part of a command; it finds";
    check_in_rule(
        "match = '(?<room>x)'\nrun = [\"sh\", \"-c\", \"echo {room}\", \"{topic.2}\", \"{}\", \"{print}\"]",
        &[
            &format!(
                "line 5: rule.run: {environment} {{room}} in its environment, as LINEBUS_ROOM"
            ),
            &format!(
                "line 5: rule.run: {environment} {{topic.2}} in its environment, as LINEBUS_TOPIC"
            ),
        ],
    );
    check_in_rule(
        "run = \"mail ops\"",
        &[
            "line 4: rule.run: a list is wanted: the command and, each by itself, its arguments, such as [\"mail\", \"-s\", \"alarm\", \"ops\"]",
        ],
    );
    check_in_rule("run = [\"\"]", &["line 4: rule.run: the command has no name"]);
    check_in_rule("run = [\"a\\u0000\"]", &["line 4: rule.run: an argument has no NUL in it"]);
}

#[test]
fn what_goes_with_what_is_said() {
    check(
        "[[rule]]\non = \"t\"\nreply = \"yes\"\ntext = \"x\"\njobs = 2\ntimeout_s = 5",
        &[
            "line 4: rule.text: it says what to send; say also where, such as send = \"ops.alarm\"",
            "line 5: rule.jobs: it is for a command, and the rule has no `run`",
            "line 6: rule.timeout_s: it is for a command, and the rule has no `run`",
        ],
    );
    check_in_rule(
        "run = [\"true\"]\njobs = 101\ntimeout_s = 0\nat_most = 5\nwatch = 1\nfrom = \"a b\"",
        &[
            "line 5: rule.jobs: a whole number from 1 to 100 is wanted",
            "line 6: rule.timeout_s: a whole number from 1 to 86400 is wanted",
            "line 7: rule.at_most: a text in quotes is wanted",
            "line 8: rule.watch: true or false is wanted, without quotes",
            "line 9: rule.from: a user's name is 1 to 64 letters, digits, _ . or -",
        ],
    );
}

#[test]
fn a_topic_to_send_to_is_one_whatever_fills_its_gaps() {
    for (topic, why) in [
        ("ops.*", "\"ops.*\": no wildcards here: name one topic"),
        (
            "ops..{topic.2}",
            "\"ops..{topic.2}\": a topic has no empty tokens: no dot at either end and no two in a row",
        ),
        ("a b", "\"a b\": a topic is made of letters, digits, _ and -, in tokens joined by dots"),
        ("$bus.x", "\"$bus.x\": topics that begin with $ are the bus's own"),
    ] {
        let text = format!("[[rule]]\non = \"t\"\nsend = [\"good.{{topic.1}}\", \"{topic}\"]");
        check(&text, &[&format!("line 3: rule.send: {why}")]);
    }
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("rules.toml");
    let rule = "[[rule]]\non = \"t\"\nsend = \"u\"\n";
    let comment = "#".repeat((1 << 20) - rule.len());
    std::fs::write(&file, format!("{rule}{comment}")).expect("it can be written");
    assert!(Rules::read(&file).is_ok());
    std::fs::write(&file, format!("{rule}{comment}#")).expect("it can be written");
    let why = Rules::read(&file).expect_err("it is too long").join("\n");
    assert!(why.ends_with("a file of rules has at most 1048576 bytes"), "{why}");
    let why = Rules::read(&folder.path().join("none")).expect_err("there is none").join("\n");
    assert!(why.starts_with("can't read /"), "{why}");
}
