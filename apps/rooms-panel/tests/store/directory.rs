//! The small tables: what is written through is read at the next start, and two writers don't lose
//! each other's changes.

use std::collections::BTreeMap;

use rooms_panel::records::{
    Account, Directory, EnrolledPanel, Enrolment, Grant, Listing, Role, Session, TokenHash,
};
use rooms_panel::store::{Store, StoreError};

use crate::databases::{with_addresses, with_stores};
use crate::samples::{at, room};

fn account(name: &str, version: i64) -> Account {
    Account {
        name: name.to_owned(),
        hash: "$argon2id$".to_owned(),
        role: Role::Operator,
        is_disabled: false,
        must_change: true,
        created: at(1),
        version,
    }
}

fn listing(name: &str, version: i64) -> Listing {
    Listing {
        room: room(name),
        city: "São Tomé".to_owned(),
        title: "'; DROP TABLE account; --".to_owned(),
        zone: "Africa/Sao_Tome".to_owned(),
        position: -3,
        is_listed: true,
        notes: "two\nlines".to_owned(),
        version,
    }
}

fn session(token: u8, account: &str, expires: i64) -> Session {
    let token = TokenHash([token; 32]);
    Session { token, account: account.to_owned(), created: at(1), expires: at(expires) }
}

fn enrolment(code: u8, expires: i64) -> Enrolment {
    let (code, name) = (TokenHash([code; 32]), "door".to_owned());
    Enrolment { code, room: room("a"), name, by: "ana".to_owned(), expires: at(expires) }
}

fn of<K: Ord, V>(values: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    values.into_iter().collect()
}

#[test]
fn what_is_written_through_is_read_at_the_next_start() {
    with_addresses(&async |address: &str| {
        let store = Store::open(address).await.unwrap();
        assert_eq!(store.load().await.unwrap(), Directory::default());
        let ana = Account {
            version: store.put_account(&account("ana", 0)).await.unwrap(),
            ..account("ana", 0)
        };
        let listed = Listing {
            version: store.put_listing(&listing("a", 0)).await.unwrap(),
            ..listing("a", 0)
        };
        let session = session(1, "ana", 9);
        store.put_session(&session).await.unwrap();
        let token = TokenHash([2; 32]);
        let (name, by) = ("door".to_owned(), "ana".to_owned());
        let mut panel =
            EnrolledPanel { token, room: room("a"), name, by, enrolled: at(3), revoked: None };
        store.put_panel(&panel).await.unwrap();
        panel.revoked = Some(at(5));
        store.put_panel(&panel).await.unwrap();
        let enrolment = enrolment(3, 9);
        store.put_enrolment(&enrolment).await.unwrap();
        let any =
            Grant { id: -1, from: None, to: None, days: 0x7f, from_minute: 0, to_minute: 1440 };
        let one = Grant { id: i64::MAX, from: Some(room("a")), to: Some(room("b")), ..any.clone() };
        store.put_grant(&any).await.unwrap();
        store.put_grant(&one).await.unwrap();
        store.put_setting("hue", "red").await.unwrap();
        store.put_setting("hue", "blue").await.unwrap();
        store.close().await;

        let store = Store::open(address).await.unwrap();
        let expected = Directory {
            accounts: of([("ana".to_owned(), ana)]),
            sessions: of([(session.token, session)]),
            panels: of([(panel.token, panel)]),
            enrolments: of([(enrolment.code, enrolment)]),
            listings: of([(room("a"), listed)]),
            grants: of([(any.id, any), (one.id, one)]),
            settings: of([("hue".to_owned(), "blue".to_owned())]),
        };
        assert_eq!(store.load().await.unwrap(), expected);
    });
}

#[test]
fn what_is_removed_is_gone_and_nothing_else() {
    with_stores(&async |store: Store| {
        for name in ["ana", "bo"] {
            store.put_account(&account(name, 0)).await.unwrap();
        }
        for (token, name, expires) in
            [(1, "ana", 9), (2, "ana", 9), (3, "bo", 9), (4, "bo", 9), (5, "bo", 5)]
        {
            store.put_session(&session(token, name, expires)).await.unwrap();
        }
        for (code, expires) in [(1, 5), (2, 6), (3, 9)] {
            store.put_enrolment(&enrolment(code, expires)).await.unwrap();
        }
        for id in [1, 2] {
            let (days, from_minute, to_minute) = (1, 0, 1);
            let grant = Grant { id, from: None, to: None, days, from_minute, to_minute };
            store.put_grant(&grant).await.unwrap();
        }
        store.remove_account("ana").await.unwrap();
        store.remove_session(TokenHash([3; 32])).await.unwrap();
        store.remove_enrolment(TokenHash([3; 32])).await.unwrap();
        store.remove_grant(1).await.unwrap();
        store.remove_expired(at(5)).await.unwrap();
        let left = store.load().await.unwrap();
        assert_eq!(left.accounts.keys().collect::<Vec<_>>(), ["bo"]);
        assert_eq!(left.sessions.keys().collect::<Vec<_>>(), [&TokenHash([4; 32])]);
        assert_eq!(left.enrolments.keys().collect::<Vec<_>>(), [&TokenHash([2; 32])]);
        assert_eq!(left.grants.keys().collect::<Vec<_>>(), [&2]);
        store.remove_sessions_of("bo", None).await.unwrap();
        assert!(store.load().await.unwrap().sessions.is_empty());
    });
}

#[test]
fn a_session_needs_its_account() {
    with_stores(&async |store: Store| {
        let error = store.put_session(&session(1, "nobody", 9)).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    });
}

#[test]
fn of_two_administrators_the_second_is_told_that_it_was_changed_meanwhile() {
    with_stores(&async |store: Store| {
        assert_eq!(store.put_account(&account("ana", 0)).await.unwrap(), 1);
        let seen = account("ana", 1);
        let first = Account { role: Role::Administrator, ..seen.clone() };
        assert_eq!(store.put_account(&first).await.unwrap(), 2);
        for late in [seen, account("ana", 0), account("ana", 3), account("bo", 1)] {
            let error = store.put_account(&late).await.unwrap_err();
            assert!(matches!(error, StoreError::Changed), "{error}");
        }
        assert_eq!(store.put_listing(&listing("a", 0)).await.unwrap(), 1);
        assert!(store.put_listing(&listing("a", 0)).await.is_err());
        assert_eq!(store.put_listing(&listing("a", 1)).await.unwrap(), 2);
        let now = store.load().await.unwrap();
        let expected = Account { version: 2, ..first };
        assert_eq!(now.accounts.into_values().collect::<Vec<_>>(), [expected]);
    });
}

#[test]
fn of_two_writers_at_once_exactly_one_wins() {
    with_stores(&async |store: Store| {
        store.put_listing(&listing("a", 0)).await.unwrap();
        for version in 1..20 {
            let mine = Listing { notes: "mine".to_owned(), ..listing("a", version) };
            let yours = Listing { notes: "yours".to_owned(), ..listing("a", version) };
            let (mine, yours) = tokio::join!(store.put_listing(&mine), store.put_listing(&yours));
            let (winner, loser) = if mine.is_ok() { (mine, yours) } else { (yours, mine) };
            assert_eq!(winner.unwrap(), version + 1);
            assert!(matches!(loser, Err(StoreError::Changed)), "{loser:?}");
        }
    });
}
