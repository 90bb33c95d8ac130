//! An edit changes what it is asked to change, and leaves every other byte.

use super::*;

const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0123456789012345678901234567890123456789018";
const OTHER: &str =
    "$argon2id$v=19$m=9,t=1,p=1$c29tZXNhbHQ$0123456789012345678901234567890123456789018";

fn hash() -> Hash {
    Hash::parse(HASH).expect("it is one")
}

#[track_caller]
fn check_edit(text: &str, name: &str, change: &Change, expected: &str) {
    let edited = edit(text, name, change).expect("it can be done");
    assert_eq!(edited.replace(HASH, "HASH"), expected);
}

fn nobody() -> Change {
    Change::Add(NewUser::default())
}

#[test]
fn an_added_user_says_what_was_asked_for_and_no_more() {
    let alice = Change::Add(NewUser {
        hash: Some(hash()),
        send: Lists { allow: vec!["rooms.>".into()], deny: vec!["rooms.a".into(), "b".into()] },
        recv: Lists { allow: vec![">".into()], deny: Vec::new() },
        see: true,
    });
    let written = "[users.alice]\npassword = \"HASH\"\n\
                   send = { allow = [\"rooms.>\"], deny = [\"rooms.a\", \"b\"] }\n\
                   recv = { allow = [\">\"] }\nsee = true\n";
    check_edit("", "alice", &alice, written);
    check_edit("# all of us\n", "alice", &alice, &format!("# all of us\n\n{written}"));
    check_edit("[users]\n", "a.b", &nobody(), "[users]\n\n[users.\"a.b\"]\n");
}

#[test]
fn a_new_user_stands_at_the_end_below_what_stood_there() {
    check_edit(
        "# us\n\n[users.b.send]\nallow = []\n[users.a] # a\nsee = true # yes\n# away",
        "c",
        &nobody(),
        "# us\n\n[users.b.send]\nallow = []\n[users.a] # a\nsee = true # yes\n# away\n\n[users.c]\n",
    );
    check_edit("[users]\na = {}\n", "b", &nobody(), "[users]\na = {}\n\n[users.b]\n");
    check_edit("[users]\na.see = true\n", "b", &nobody(), "[users]\na.see = true\n\n[users.b]\n");
    check_edit(
        "users.a.see = true # a\n",
        "b",
        &nobody(),
        "users.a.see = true # a\nusers.b = {}\n",
    );
    check_edit("users = { a = {} }\n", "b", &nobody(), "users = { a = {}, b = {} }\n");
}

#[test]
fn a_new_value_keeps_the_comment_of_the_old_one() {
    let password = Change::Password(hash());
    let text = "[users.a]\n# since May\n'password'  =  '{}' # good\nsee = false\n[users.b] # b\n";
    check_edit(&text.replace("{}", OTHER), "a", &password, &text.replace("'{}'", "\"HASH\""));
    check_edit(
        "[users.a.send]\n",
        "a",
        &password,
        "[users.a]\npassword = \"HASH\"\n[users.a.send]\n",
    );
    check_edit(
        "users = { a = { see = true } }\n",
        "a",
        &password,
        "users = { a = { see = true, password = \"HASH\" } }\n",
    );
    check_edit("users.a = {}\n", "a", &password, "users.a = { password = \"HASH\" }\n");
    check_edit(
        "[users]\na.see = true\nb = {}\n",
        "a",
        &password,
        "[users]\na.see = true\na.password = \"HASH\"\nb = {}\n",
    );
}

#[test]
fn disabling_and_enabling_leave_the_rest() {
    let (off, on) = (Change::Disabled(true), Change::Disabled(false));
    check_edit("[users.a]\n\n# b\n", "a", &off, "[users.a]\ndisabled = true\n\n# b\n");
    let text = "[users.a]\ndisabled = true # on leave\n";
    check_edit(text, "a", &on, "[users.a]\ndisabled = false # on leave\n");
    check_edit(text, "a", &off, text);
    check_edit("\r\n[users.'a']", "a", &on, "\r\n[users.'a']");
}

#[test]
fn a_removed_user_takes_only_the_own_comments_along() {
    let text = "# all of us\n\n# a\n[users.a]\n# inside\nsee = true\n[users.a.send]\n# after a\n\n\
                # b\n[users.b]\n# end\n";
    check_edit(text, "a", &Change::Remove, "# all of us\n\n# after a\n\n# b\n[users.b]\n# end\n");
    check_edit(
        text,
        "b",
        &Change::Remove,
        "# all of us\n\n# a\n[users.a]\n# inside\nsee = true\n[users.a.send]\n# after a\n\n# end\n",
    );
    check_edit("[users.a]\n\n[users.b]\n", "a", &Change::Remove, "[users.b]\n");
    check_edit("[users]\na = {}\nb = {}\n", "a", &Change::Remove, "[users]\nb = {}\n");
    check_edit("users.a.see = true\nusers.b = {}\n", "a", &Change::Remove, "users.b = {}\n");
    check_edit("users = { a = {}, b = {} }", "b", &Change::Remove, "users = { a = {} }\n");
}

#[test]
fn windows_line_ends_stay() {
    let text = "# us\r\n\r\n[users.a]\r\nsee = true # a\r\n";
    let expected = "# us\r\n\r\n[users.a]\r\nsee = true # a\r\n\r\n[users.b]\r\n";
    check_edit(text, "b", &nobody(), expected);
}

#[track_caller]
fn check_refused(text: &str, name: &str, change: &Change, expected: &str) {
    let error = edit(text, name, change).expect_err("it makes no sense");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    let text = "[users.alice]\n[users.bob]\n";
    check_refused(
        text,
        "alice",
        &nobody(),
        "there is a user alice already; `linebus user passwd alice` changes the password",
    );
    for change in [Change::Password(hash()), Change::Disabled(true), Change::Remove] {
        check_refused(text, "alcie", &change, "there is no user alcie; did you mean alice?");
        let lists = "there is no user carol; `linebus user list` lists all of them";
        check_refused(text, "carol", &change, lists);
    }
    check_refused(
        "[users.alice]\n",
        "alice",
        &Change::Remove,
        "alice is the last user, and a users file without users is refused; `linebus user disable \
         alice` keeps everybody out",
    );
    let name = "a user's name is 1 to 64 of A-Z, a-z, 0-9, _, . and -";
    check_refused(text, "ä", &nobody(), name);
    check_refused("[users.a]\nsee = 1\n", "b", &nobody(), "there is a mistake in it already");
    check_refused(
        "",
        "a",
        &Change::Remove,
        "there is no user a; `linebus user list` lists all of them",
    );
    let sends = |word: &str| {
        let send = Lists { allow: Vec::new(), deny: vec![word.into()] };
        Change::Add(NewUser { send, ..NewUser::default() })
    };
    check_refused(
        text,
        "c",
        &sends("$bus.x"),
        "\"$bus.x\": topics that begin with $ are the bus's own",
    );
    assert!(matches!(edit(text, "c", &sends("a..b")), Err(EditError::Pattern(_))));
}

#[test]
fn a_file_that_the_server_would_find_too_long_is_not_made() {
    let text = format!("[users.a]\n#{}\n", "x".repeat(USERS_BYTES_MAX as usize - 20));
    assert_eq!(edit(&text, "b", &nobody()), Err(EditError::Long));
}
