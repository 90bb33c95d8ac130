//! Fuzzing of the users file: reading and editing.

use linebus_server::Problem;
use linebus_server::accounts::edit::{Change, EditError, NewUser, edit};
use linebus_server::accounts::{Hash, Lists, User, Users};

/// A hash of least cost: nothing is verified here.
const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0123456789012345678901234567890123456789018";
/// Names that are added: with a dot, without, and like a number.
const NAMES: [&str; 3] = ["fuzz.ed", "fuzzed", "1"];

/// A users file: right, or wrong with a line of the text for each mistake. A right one can be
/// edited, and says the same of everybody else afterwards.
pub fn users(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let hash = Hash::parse(HASH).expect("it is one");
    let add = Change::Add(NewUser {
        hash: Some(hash.clone()),
        send: Lists { allow: vec![">".into(), "a.*".into()], deny: vec!["a.b".into()] },
        recv: Lists { allow: Vec::new(), deny: vec!["c".into()] },
        see: true,
    });
    let users = match Users::parse(text) {
        Ok(users) => users,
        Err(problems) => {
            explained(text, &problems);
            // It may be one without users, to which the first is added.
            match edit(text, NAMES[0], &add) {
                Ok(edited) => assert_eq!(parsed(&edited).len(), 1),
                Err(EditError::Problems(problems)) => explained(text, &problems),
                Err(error) => panic!("{error}"),
            }
            return;
        }
    };
    assert!(same(&users, &parsed(text), None), "what is read twice says the same");
    for name in NAMES {
        match edit(text, name, &add) {
            Ok(edited) => {
                let after = parsed(&edited);
                assert!(after.len() == users.len() + 1 && same(&users, &after, Some(name)));
                assert!(after.user(name).is_some_and(|user| user.sees() && user.has_password()));
                let removed = edit(&edited, name, &Change::Remove).expect("others are left");
                assert!(same(&users, &parsed(&removed), None), "{removed}");
            }
            Err(error) => assert!(matches!(error, EditError::Exists(_)), "{error}\n{text}"),
        }
    }
    let some = users.iter().take(2).chain(users.iter().skip(2).last());
    for (name, _) in some {
        edit_one(text, &users, name, &hash);
    }
}

/// All edits of one user.
fn edit_one(text: &str, users: &Users, name: &str, hash: &Hash) {
    let check = |change: &Change, as_meant: &dyn Fn(&User) -> bool| {
        let edited = edit(text, name, change).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let after = parsed(&edited);
        assert!(after.len() == users.len() && same(users, &after, Some(name)), "{edited}");
        assert!(after.user(name).is_some_and(as_meant), "{edited}");
        assert_eq!(edit(&edited, name, change).as_ref(), Ok(&edited), "done is done");
    };
    check(&Change::Password(hash.clone()), &User::has_password);
    check(&Change::Disabled(true), &User::is_disabled);
    check(&Change::Disabled(false), &|user| !user.is_disabled());
    match edit(text, name, &Change::Remove) {
        Ok(edited) => {
            let after = parsed(&edited);
            assert!(after.len() + 1 == users.len() && same(users, &after, Some(name)), "{edited}");
        }
        Err(error) => assert!(matches!(error, EditError::Last(_)) && users.len() == 1, "{error}"),
    }
}

fn parsed(text: &str) -> Users {
    Users::parse(text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

/// Whether both say the same of everybody but one.
fn same(one: &Users, other: &Users, but: Option<&str>) -> bool {
    let all = |users: &Users| users.iter().filter(|(name, _)| Some(*name) != but).count();
    all(one) == all(other)
        && one.iter().all(|(name, user)| Some(name) == but || other.user(name) == Some(user))
}

fn explained(text: &str, problems: &[Problem]) {
    assert!(!problems.is_empty());
    let lines = text.split('\n').count();
    for problem in problems {
        assert!((1..=lines).contains(&problem.line), "{problem} of {lines} lines");
        assert!(!problem.text.is_empty() && !problem.text.contains('\n'), "{problem:?}");
    }
}
