//! What is explained is what is decided, and the rule that is named is the one it comes from.

use linebus_protocol::Pattern;

use crate::accounts::Users;

const TEXT: &str = "[users.a]\nsend = { allow = ['rooms.*'], deny = ['rooms.secret'] }\n\
                    recv = { allow = ['x.y', 'rooms.>'], deny = ['rooms.secret.>'] }\nsee = true\n\
                    [users.b]\n";

#[track_caller]
fn check(user: &str, topic: &str, expected: &[&str]) {
    let users = Users::parse(TEXT).expect("it is right");
    let user = users.user(user).expect("there is one");
    let answers = user.explain(Pattern::parse(topic).expect("it is a pattern"));
    let answers: Vec<_> =
        answers.iter().map(|a| format!("{} {} {}", a.wish, a.granted, a.rule)).collect();
    assert_eq!(answers, expected);
}

#[test]
fn each_wish_has_its_rule() {
    check(
        "a",
        "rooms.vienna",
        &[
            "send true send.allow \"rooms.*\"",
            "hear true recv.allow \"rooms.>\"",
            "join true recv.allow \"rooms.>\"",
        ],
    );
    check(
        "a",
        "rooms.secret",
        &[
            "send false send.deny \"rooms.secret\"",
            "hear true recv.allow \"rooms.>\"",
            "join true recv.allow \"rooms.>\"",
        ],
    );
    check(
        "a",
        "rooms.secret.vault",
        &[
            "send false nothing in send.allow",
            "hear false recv.deny \"rooms.secret.>\"",
            "join false recv.deny \"rooms.secret.>\"",
        ],
    );
    let nothing = ["send false nothing in send.allow", "hear false nothing in recv.allow"];
    check("b", "x", &[nothing[0], nothing[1], "join false nothing in recv.allow"]);
}

#[test]
fn a_pattern_is_joined_whole_and_loses_what_is_denied() {
    let without =
        "join true recv.allow \"rooms.>\", without what recv.deny \"rooms.secret.>\" covers";
    check("a", "rooms.>", &[without]);
    check("a", "rooms.*.x", &[without]);
    check("a", "rooms.*", &["join true recv.allow \"rooms.>\""]);
    check("a", "rooms.secret.*", &["join false recv.deny \"rooms.secret.>\""]);
    check("a", ">", &["join false recv.allow \"x.y\" allows only a part of it"]);
    check("a", "*.y.z", &["join false recv.allow \"rooms.>\" allows only a part of it"]);
    check("a", "z.*", &["join false nothing in recv.allow"]);
}

#[test]
fn the_buss_own_topics_are_a_matter_of_see() {
    let own = "send false topics that begin with $ are the bus's own";
    let clients = "$bus.clients";
    check("a", clients, &[own, "hear true see = true", "join true see = true"]);
    check("b", clients, &[own, "hear false see = false", "join false see = false"]);
    check("a", "$bus.>", &["join true see = true"]);
}
