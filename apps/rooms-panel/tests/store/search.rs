//! Searches find what they should, page by page, whatever somebody writes into them.

use std::collections::BTreeSet;

use rooms_panel::records::{Audit, Call, Record};
use rooms_panel::store::{AuditFilter, CallFilter, Page, Store};

use crate::databases::with_stores;
use crate::samples::{at, audit, call, room};

const ALL: Page = Page { before: None, limit: 1000 };

async fn found(store: &Store, filter: CallFilter) -> Vec<i64> {
    let rows = store.calls(&filter, &ALL).await.unwrap().rows;
    rows.into_iter().map(|call| call.id).collect()
}

#[test]
fn calls_are_found_by_room_caller_reason_time_and_text() {
    with_stores(&async |store: Store| {
        let calls = [
            (1, "a", "b", "Ana", "normal"),
            (2, "b", "c", "ÄNNE", "busy"),
            (3, "c", "a", "bo", "no-answer"),
            (4, "d", "e", "", ""),
        ];
        let calls = calls.map(|(id, near, far, by, reason)| {
            let (by, reason) = (by.to_owned(), reason.to_owned());
            Record::Call(Call { by, reason, ..call(id, near, far, id * 10) })
        });
        store.write(&calls).await.unwrap();
        let rooms =
            |names: &[&str]| Some(names.iter().map(|name| room(name)).collect::<BTreeSet<_>>());
        let text = |text: &str| CallFilter { text: text.to_owned(), ..CallFilter::default() };
        let by = |by: &str| CallFilter { by: by.to_owned(), ..CallFilter::default() };
        let any = CallFilter::default;
        for (filter, expected) in [
            (any(), &[4, 3, 2, 1][..]),
            (CallFilter { rooms: rooms(&["a"]), ..any() }, &[3, 1]),
            (CallFilter { rooms: rooms(&["e", "b"]), ..any() }, &[4, 2, 1]),
            (CallFilter { rooms: rooms(&[]), ..any() }, &[]),
            (CallFilter { reason: Some("busy".to_owned()), ..any() }, &[2]),
            (CallFilter { reason: Some(String::new()), ..any() }, &[4]),
            (CallFilter { from: Some(at(20)), until: Some(at(40)), ..any() }, &[3, 2]),
            (by("an"), &[1]),
            (by("na"), &[]),
            (by("änn"), &[2]),
            (text("N"), &[3, 2, 1]),
            (text("nne"), &[2]),
            (text("BUS"), &[2]),
            (text("no-"), &[3]),
            (text("nobody"), &[]),
            (CallFilter { rooms: rooms(&["b"]), ..text("ä") }, &[2]),
        ] {
            assert_eq!(found(&store, filter.clone()).await, expected, "{filter:?}");
        }
    });
}

const NASTY: [&str; 9] =
    ["%", "_", "\\", "\\%", "'", "' OR 1=1 --", "'; DROP TABLE call; --", "$1", "a_c%"];

#[test]
fn signs_of_sql_and_of_patterns_are_only_text_in_searches() {
    with_stores(&async |store: Store| {
        let mut records =
            vec![Record::Audit(audit(100, 1, "abc")), Record::Audit(audit(101, 1, "x"))];
        for (id, nasty) in (0..).zip(NASTY) {
            records.push(Record::Audit(audit(id, 1, &format!("say {nasty}!"))));
            let by = format!("who {nasty}");
            records.push(Record::Call(Call { by, ..call(id, "a", "b", 1) }));
        }
        store.write(&records).await.unwrap();
        for nasty in NASTY {
            let holders = |text: &str| text.contains(nasty);
            let mut expected: Vec<i64> =
                (0..).zip(NASTY).filter(|(_, text)| holders(text)).map(|(id, _)| id).collect();
            expected.reverse();
            let text = nasty.to_owned();
            let calls =
                found(&store, CallFilter { text: text.clone(), ..CallFilter::default() }).await;
            assert_eq!(calls, expected, "{nasty}");
            let by = format!("WHO {nasty}");
            let begins = found(&store, CallFilter { by, ..CallFilter::default() }).await;
            assert!(begins.contains(expected.last().unwrap()), "{nasty}");
            let reason = Some(text.clone());
            let none = found(&store, CallFilter { reason, ..CallFilter::default() }).await;
            assert!(none.is_empty(), "{nasty}");
            let filter = AuditFilter { text, ..AuditFilter::default() };
            let rows = store.audit(&filter, &ALL).await.unwrap().rows;
            assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{nasty}");
            let who = AuditFilter { who: nasty.to_owned(), ..AuditFilter::default() };
            assert!(store.audit(&who, &ALL).await.unwrap().rows.is_empty(), "{nasty}");
        }
    });
}

#[test]
fn a_text_that_very_many_callers_have_is_found_too() {
    with_stores(&async |store: Store| {
        let calls = (0..3100).map(|id| {
            let by = format!("100%_{id}");
            Record::Call(Call { by, ..call(id, "a", "b", id) })
        });
        let odd = Call { by: "100 x".to_owned(), ..call(50_000, "a", "b", 1) };
        let calls: Vec<_> = calls.chain([Record::Call(odd)]).collect();
        store.write(&calls).await.unwrap();
        let page = Page { before: None, limit: 50_000 };
        for filter in [
            CallFilter { text: "0%_".to_owned(), ..CallFilter::default() },
            CallFilter { by: "100%_".to_owned(), ..CallFilter::default() },
        ] {
            assert_eq!(store.calls(&filter, &page).await.unwrap().rows.len(), 3100);
        }
    });
}

#[test]
fn audits_are_found_by_room_who_answer_and_time() {
    with_stores(&async |store: Store| {
        let audits = [(1, "a", "Ana", "accepted"), (2, "b", "bo", "refused"), (3, "a", "bo", "")];
        let audits = audits.map(|(id, name, who, answer)| {
            let (who, answer, room) = (who.to_owned(), answer.to_owned(), Some(room(name)));
            let audit = audit(id, id * 10, "power on");
            Record::Audit(Audit { who, answer, room, ..audit })
        });
        store.write(&audits).await.unwrap();
        let any = AuditFilter::default;
        for (filter, expected) in [
            (any(), &[3, 2, 1][..]),
            (AuditFilter { room: Some(room("a")), ..any() }, &[3, 1]),
            (AuditFilter { who: "an".to_owned(), ..any() }, &[1]),
            (AuditFilter { answer: Some("refused".to_owned()), ..any() }, &[2]),
            (AuditFilter { answer: Some(String::new()), ..any() }, &[3]),
            (AuditFilter { text: "POWER".to_owned(), ..any() }, &[3, 2, 1]),
            (AuditFilter { from: Some(at(20)), until: Some(at(30)), ..any() }, &[2]),
        ] {
            let rows = store.audit(&filter, &ALL).await.unwrap().rows;
            assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{filter:?}");
        }
    });
}

#[test]
fn pages_have_neither_gaps_nor_doubles_while_new_calls_come() {
    with_stores(&async |store: Store| {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| fastrand::u64(..));
        eprintln!("SEED={seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        // Few times for many calls: most places in the list differ only by the id.
        let calls: Vec<_> = (0..random.i64(1..200))
            .map(|_| call(random.i64(..), "a", "b", random.i64(0..6)))
            .collect();
        store.write(&calls.iter().cloned().map(Record::Call).collect::<Vec<_>>()).await.unwrap();
        let mut expected: Vec<_> = calls.iter().map(|call| (call.since, call.id)).collect();
        expected.sort_unstable();
        expected.reverse();
        let mut listed = Vec::new();
        let mut page = Page { before: None, limit: random.u32(1..20) };
        loop {
            let found = store.calls(&CallFilter::default(), &page).await.unwrap();
            listed.extend(found.rows.iter().map(|call| (call.since, call.id)));
            let Some(next) = found.next else { break };
            page = Page { before: Some(next), limit: random.u32(1..20) };
            let new = call(random.i64(..), "a", "b", 10);
            store.write(&[Record::Call(new)]).await.unwrap();
        }
        assert_eq!(listed, expected);
    });
}
