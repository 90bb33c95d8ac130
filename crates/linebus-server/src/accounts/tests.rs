//! The users file: what is right is read, and whatever is wrong yields no users at all.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use linebus_broker::{Access, Wish};
use linebus_protocol::Topic;

use super::*;

const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0123456789012345678901234567890123456789018";

/// The page's example.
fn documented() -> &'static str {
    let page = include_str!("../../../../docs/users.md");
    let (_, rest) = page.split_once("```toml\n").expect("it has an example");
    rest.split_once("```").expect("it ends").0
}

/// What is wrong with a users file, each with the file's name: `FILE: line N: KEY: …`.
fn problems(path: &Path) -> Vec<String> {
    let problems = Users::read(path).err().unwrap_or_default();
    problems.iter().map(|problem| problem.in_file(path)).collect()
}

#[test]
fn the_documented_file_names_every_key_and_is_right() {
    let users = Users::parse(documented()).expect("it is right");
    let alice = users.user("alice").expect("she is there");
    assert!(alice.has_password() && alice.sees() && !alice.is_disabled());
    assert_eq!(alice.send().deny, ["rooms.secret.>".into()]);
    for key in ["password", "send", "recv", "see", "disabled", "allow", "deny"] {
        assert!(documented().contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn a_user_may_do_what_is_allowed_and_not_denied_and_nothing_else() {
    let text = "[users.a]\nsend = { allow = ['rooms.>'], deny = ['rooms.secret.>'] }\n\
                [users.'b.c-d_E']\nrecv.allow = ['>']\n[users.c]\nrecv.deny = ['x']\nsee = true";
    let users = Users::parse(text).expect("it is right");
    let may = |user: &str, wish: Wish<'_>| {
        let user = users.user(user).expect("there is one");
        assert!(!user.has_password(), "only certificates");
        Access::Account(Arc::clone(user.account())).authorize(wish)
    };
    let topic = |name: &'static str| Topic::parse(name).expect("it is a topic");
    assert!(may("a", Wish::Send(topic("rooms.vienna"))));
    assert!(!may("a", Wish::Send(topic("rooms.secret.vault"))));
    assert!(!may("a", Wish::Send(topic("x"))) && !may("a", Wish::Hear(topic("rooms.vienna"))));
    assert!(may("b.c-d_E", Wish::Hear(topic("x"))) && !may("b.c-d_E", Wish::Send(topic("x"))));
    assert!(!may("b.c-d_E", Wish::See) && may("c", Wish::See) && !may("c", Wish::Hear(topic("y"))));
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let problems = Users::parse(text).expect_err("there is a mistake");
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

#[test]
fn each_mistake_has_its_line_its_key_and_its_remedy() {
    check(
        "[users.alice]\npasword = 'x'\nsend = { alow = [] }\nsee = 'yes'\n\n[user.bob]\n",
        &[
            "line 2: users.alice.pasword: there is no such key; did you mean `users.alice.password`?",
            "line 3: users.alice.send.alow: there is no such key; did you mean `users.alice.send.allow`?",
            "line 4: users.alice.see: true or false is wanted, without quotes",
            "line 6: user: there is no such key; did you mean `users`?",
        ],
    );
    check(
        "[users.alice]\nsend.allow = [\n  'rooms.>.x',\n  'a..b', 'ok',\n  5, '$bus.x',\n]\nrecv.deny = '>'\nrecv.allow = ['$bus.clients']\n",
        &[
            "line 3: users.alice.send.allow: \"rooms.>.x\": * stands for one whole token, > for all that follow and only at the end",
            "line 4: users.alice.send.allow: \"a..b\": a topic has no empty tokens: no dot at either end and no two in a row",
            "line 5: users.alice.send.allow: patterns in quotes are wanted, such as [\"rooms.>\"]",
            "line 5: users.alice.send.allow: \"$bus.x\": topics that begin with $ are the bus's own",
            "line 7: users.alice.recv.deny: a list of patterns in quotes is wanted, such as [\"rooms.>\"]",
            "line 8: users.alice.recv.allow: \"$bus.clients\": `see = true` lets a user hear the bus's own topics",
        ],
    );
    check(
        "[users.alice]\nsend = ['x']\ncolour = 'blue'\n",
        &[
            "line 2: users.alice.send: a table is wanted: `users.alice.send.allow`",
            "line 3: users.alice.colour: there is no such key; docs/users.md lists all of them",
        ],
    );
}

#[test]
fn a_file_without_users_is_a_mistake_and_no_open_bus() {
    for text in ["", "\n# nobody yet\n", "[users]\n", "users = {}"] {
        let problems = Users::parse(text).expect_err("there are no users");
        assert_eq!(problems.len(), 1, "{text:?}");
        assert!(problems[0].text.contains("`linebus user add NAME`"), "{problems:?}");
    }
}

#[test]
fn a_malformed_line_never_becomes_a_user() {
    for text in [
        "alice",
        "alice:$argon2id$x",
        "[users.alice",
        "[users]\nalice",
        "[users]\nalice = 'password'",
        "[users]\nalice = ['password']",
        "[users]\nalice = 1",
        "users = 'alice'",
        "users = ['alice']",
        "[[users]]\nname = 'alice'",
        "[[users.alice]]\nsee = true",
        "[users.alice.bob]\nsee = true",
        "[users.alice]\n[users.alice.password]\nx = 1",
        "[users.alice]\npassword = 5",
        "[users.alice]\npassword = ''",
        "[users.alice]\nsee = true\n[users.bob",
        "[users.alice]\nsee = true\n[users.alice]\nsee = false",
        "[users.alice]\nsee = true\nsee = true",
        "users.alice.see = true\n[users.alice]\nsend.allow = ['>']",
        "[users.alice]\nsee = true\n\0",
        "alice = { see = true }",
    ] {
        let problems = Users::parse(text).expect_err(text);
        assert!(problems.iter().all(|problem| problem.line > 0), "{text:?}: {problems:?}");
    }
}

#[test]
fn a_users_name_is_a_name() {
    let long = "x".repeat(65);
    for name in ["#", ">", "*", "", " ", "a b", "$bus", "guest", "zoë", "a\\nb", "a/b", &long] {
        let problems = Users::parse(&format!("[users.\"{name}\"]\nsee = true\n")).expect_err(name);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].line, 1);
        assert!(!problems[0].to_string().contains('\n'), "{problems:?}");
    }
    check(
        "[users.guest]",
        &["line 1: users.guest: guest is whoever has not logged in; choose another name"],
    );
}

#[test]
fn a_hash_is_one_of_argon2id_that_costs_little_enough() {
    assert!(Hash::parse(HASH).is_ok());
    let with = |from: &str, to: &str| Hash::parse(&HASH.replace(from, to)).err();
    for (from, to) in [
        ("argon2id", "argon2i"),
        ("argon2id", "argon2d"),
        ("argon2id", "scrypt"),
        ("v=19", "v=16"),
        ("v=19$", ""),
        ("m=8,", ""),
        ("m=8,t=1,p=1$", ""),
        ("p=1", "p=1,keyid=YQ"),
        ("p=1", "p=0"),
        ("t=1", "t=0"),
        ("m=8", "m=7"),
        ("m=8", "m=4294967296"),
        ("m=8", "m=-1"),
        ("c29tZXNhbHQ$", ""),
        ("c29tZXNhbHQ", "c29tZQ"),
        ("$0123456789012345678901234567890123456789018", ""),
        ("0123456789012345678901234567890123456789018", "012345678901234"),
        ("$argon2id", "argon2id"),
        ("$argon2id", " $argon2id"),
        ("9018", "9018$x"),
    ] {
        assert_eq!(with(from, to), Some(BadHash::Form), "{from} to {to}");
    }
    for costs in ["m=1048577,t=1,p=1", "m=8,t=65,p=1", "m=1024,t=1,p=17", "m=1048576,t=5,p=1"] {
        assert_eq!(with("m=8,t=1,p=1", costs), Some(BadHash::Costs), "{costs}");
    }
    assert_eq!(with("m=8,t=1,p=1", "m=1048576,t=4,p=16"), None);
    for plain in ["", "secret password", "plain:secret", "{PLAIN}x", "$2b$12$abc", "$"] {
        assert_eq!(Hash::parse(plain), Err(BadHash::Form), "{plain}");
    }
    let text = format!("[users.a]\npassword = '{}'\n", HASH.replace("m=8", "m=4194304"));
    let problems = Users::parse(&text).expect_err("it costs too much");
    let said = problems[0].to_string();
    assert!(said.starts_with("line 2: users.a.password: this hash costs too much"), "{said}");
    assert!(!said.contains("0123456789"), "a hash is never shown: {said}");
}

#[test]
fn a_hash_verifies_its_password_and_no_other() {
    let hash = Hash::cheap("correct horse");
    let is = |text: &str| hash.verify(&Password::new(text.to_owned()));
    assert!(is("correct horse"));
    assert!(!is("correct horse ") && !is("") && !is("Correct horse"));
    assert_ne!(hash, Hash::cheap("correct horse"), "salts are random");
    assert_eq!(Hash::parse(&hash.to_phc()), Ok(hash));
}

#[test]
fn a_new_password_is_long_enough_and_fits_in_a_line() {
    let check = |text: &str| Password::new(text.to_owned()).check();
    assert_eq!(check("zwölf 🙂🙂"), Ok(()));
    assert_eq!(check("1234567"), Err(BadPassword::Short));
    assert_eq!(check("🙂🙂"), Err(BadPassword::Short), "characters, not bytes");
    for control in ["12345678\n", "1234\x005678", "12345678\x1b", "12345678\u{9b}"] {
        assert_eq!(check(control), Err(BadPassword::Control));
    }
}

/// A users file in a folder of its own, with these permissions.
fn file(text: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("users.toml");
    let mut file = std::fs::File::create(&path).expect("it can be made");
    file.write_all(text).expect("it can be written");
    file.set_permissions(Permissions::from_mode(mode)).expect("it is ours");
    (folder, path)
}

#[test]
fn a_file_that_others_can_get_at_is_refused_with_what_to_do() {
    for mode in [0o600, 0o400] {
        let (_folder, path) = file(b"[users.alice]\n", mode);
        assert_eq!(Users::read(&path).map(|users| users.len()), Ok(1));
        assert!(problems(&path).is_empty());
    }
    for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666, 0o777] {
        let (_folder, path) = file(b"[users.alice]\n", mode);
        let shown = path.display();
        let expected =
            format!("{shown}: others can get at it (mode {mode:o}); `chmod 600 {shown}`");
        assert_eq!(problems(&path), [expected]);
    }
}

#[test]
fn only_a_regular_file_of_text_is_a_users_file() {
    let (folder, path) = file(b"[users.alice]\nsee = true # caf\xe9\n", 0o600);
    assert_eq!(problems(&path), [format!("{}: line 2: it is not UTF-8", path.display())]);
    assert!(problems(folder.path())[0].ends_with("a users file must be a regular file"));
    assert!(problems(Path::new("/dev/null"))[0].ends_with("a users file must be a regular file"));
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).expect("a pipe can be made");
    assert!(problems(&pipe)[0].ends_with("a users file must be a regular file"), "and no wait");
    assert!(problems(&folder.path().join("none"))[0].contains("can't open it: No such file"));
    let big = vec![b'#'; usize::try_from(USERS_BYTES_MAX).expect("it is small") + 1];
    let (_folder, path) = file(&big, 0o600);
    assert!(problems(&path)[0].ends_with("a users file has at most 8388608 bytes"));
}

#[test]
fn a_link_is_followed_and_the_file_behind_it_is_judged() {
    let (folder, path) = file(b"[users.alice]\n", 0o600);
    let link = folder.path().join("link");
    symlink(&path, &link).expect("a link can be made");
    assert!(problems(&link).is_empty());
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("it is ours");
    assert!(problems(&link)[0].contains("others can get at it"));
}

#[test]
fn a_problem_in_a_file_is_shown_with_the_files_name_and_line() {
    let (_folder, path) = file(b"\n[users.alice]\nsea = true\n", 0o600);
    let shown = path.display();
    let said = "line 3: users.alice.sea: there is no such key; did you mean `users.alice.see`?";
    assert_eq!(problems(&path), [format!("{shown}: {said}")]);
}

#[test]
fn many_users_and_many_mistakes_are_read_quickly() {
    let users =
        |line: &str| (0..20_000).map(|i| format!("[users.u{i}]\n{line}\n")).collect::<String>();
    assert_eq!(Users::parse(&users("see = true")).map(|users| users.len()), Ok(20_000));
    assert_eq!(Users::parse(&users("sea = true")).map_err(|all| all.len()).err(), Some(20_000));
}
