//! The history: written once or again it is there once, and a report sums it up.

use jiff::{SignedDuration, Timestamp};
use rooms_panel::records::{Alert, Audit, Call, Help, Record};
use rooms_panel::store::{AuditFilter, CallFilter, Page, Store};

use crate::databases::with_stores;
use crate::samples::{alert, at, audit, call, help, room};

const ALL: Page = Page { before: None, limit: 1000 };

#[test]
fn history_that_is_written_again_is_there_once_as_it_was_written_last() {
    with_stores(&async |store: Store| {
        let begun = call(1, "a", "b", 10);
        let over = Call {
            by: "ana".to_owned(),
            connected: Some(at(11)),
            ended: Some(at(12)),
            reason: "dropped".to_owned(),
            side: Some(room("b")),
            ..begun.clone()
        };
        let records = [
            Record::Call(begun.clone()),
            Record::Audit(audit(1, 10, "connect a b")),
            Record::Alert(alert(1, "a", 10)),
            Record::Help(help(1, "a", 10)),
        ];
        store.write(&records).await.unwrap();
        assert_eq!(
            store.open_records().await.unwrap(),
            [records[0].clone(), records[2].clone(), records[3].clone()]
        );
        let answered = Audit {
            room: Some(room("a")),
            answer: "refused".to_owned(),
            answered: Some(at(13)),
            ..audit(1, 10, "connect a b")
        };
        let ended = Alert { until: Some(at(14)), ..alert(1, "a", 10) };
        let closed = Help {
            acknowledged_by: "bo".to_owned(),
            acknowledged: Some(at(15)),
            closed: Some(at(16)),
            ..help(1, "a", 10)
        };
        let later = [
            Record::Call(begun),
            Record::Call(over.clone()),
            Record::Audit(answered.clone()),
            Record::Alert(ended.clone()),
            Record::Help(closed.clone()),
        ];
        store.write(&later).await.unwrap();
        store.write(&later).await.unwrap();
        assert_eq!(store.calls(&CallFilter::default(), &ALL).await.unwrap().rows, [over]);
        assert_eq!(store.audit(&AuditFilter::default(), &ALL).await.unwrap().rows, [answered]);
        assert_eq!(store.alerts(None, false, &ALL).await.unwrap().rows, [ended]);
        assert_eq!(store.helps(false, &ALL).await.unwrap().rows, [closed]);
        assert_eq!(store.open_records().await.unwrap(), []);
        assert!(store.alerts(None, true, &ALL).await.unwrap().rows.is_empty());
        assert!(store.helps(true, &ALL).await.unwrap().rows.is_empty());
    });
}

#[test]
fn more_records_than_a_statement_can_hold_are_written_together() {
    with_stores(&async |store: Store| {
        let records: Vec<_> = (0..1201).map(|id| Record::Call(call(id, "a", "b", id))).collect();
        store.write(&records).await.unwrap();
        let page = Page { before: None, limit: 5000 };
        assert_eq!(store.calls(&CallFilter::default(), &page).await.unwrap().rows.len(), 1201);
    });
}

#[test]
fn alerts_are_found_by_room_and_by_being_open() {
    with_stores(&async |store: Store| {
        let muted = Alert { muted_by: "ana".to_owned(), ..alert(7, "a", 1) };
        let over = Alert { until: Some(Timestamp::UNIX_EPOCH), ..alert(9, "a", 0) };
        let records = [muted, alert(8, "b", 2), over].map(Record::Alert);
        store.write(&records).await.unwrap();
        let rows = store.alerts(None, true, &ALL).await.unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.muted_by.as_str()).collect::<Vec<_>>(), ["", "ana"]);
        let rows = store.alerts(Some(&room("a")), true, &ALL).await.unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [7]);
    });
}

#[test]
fn a_report_splits_calls_at_midnight_and_at_its_own_ends() {
    with_stores(&async |store: Store| {
        const HOUR: i64 = 3600;
        let begin: Timestamp = "2026-03-02T00:00:00+01:00".parse().unwrap();
        let hours = |hours: i64| begin + SignedDuration::from_secs(hours * HOUR);
        let lasting = |id, near, far, from: i64, to: Option<i64>, reason: &str| {
            Record::Call(Call {
                since: hours(from),
                connected: Some(hours(from)),
                ended: to.map(hours),
                reason: reason.to_owned(),
                ..call(id, near, far, 0)
            })
        };
        let failed = Record::Call(Call {
            since: hours(30),
            ended: Some(hours(31)),
            reason: "busy".to_owned(),
            ..call(9, "b", "a", 0)
        });
        let on = |id, device: &str| {
            let device = device.to_owned();
            Record::Alert(Alert { device, since: hours(1), ..alert(id, "a", 0) })
        };
        store
            .write(&[
                lasting(1, "a", "b", -2, Some(1), "normal"),
                lasting(2, "a", "b", 22, Some(27), "dropped"),
                lasting(3, "c", "a", 40, None, ""),
                lasting(4, "c", "d", 49, Some(50), "normal"),
                failed,
                on(1, "camera"),
                on(2, "projector"),
                on(3, "projector"),
            ])
            .await
            .unwrap();
        let offset = jiff::tz::offset(1);
        let report = store.report(hours(0), hours(48), offset).await.unwrap();
        let days: Vec<_> = report
            .days
            .iter()
            .map(|row| {
                let day = row.day.to_string();
                (day, row.room.to_string(), row.calls, row.connected.as_secs() / HOUR)
            })
            .collect();
        let expected = [
            ("2026-03-02", "a", 2, 3),
            ("2026-03-02", "b", 2, 3),
            ("2026-03-03", "a", 2, 11),
            ("2026-03-03", "b", 1, 3),
            ("2026-03-03", "c", 1, 8),
        ]
        .map(|(day, room, calls, hours)| (day.to_owned(), room.to_owned(), calls, hours));
        assert_eq!(days, expected);
        let pairs: Vec<_> = report
            .pairs
            .iter()
            .map(|pair| (pair.one.as_str(), pair.other.as_str(), pair.calls, pair.failures.len()))
            .collect();
        assert_eq!(pairs, [("a", "b", 2, 2), ("a", "c", 1, 0)]);
        assert_eq!((report.pairs[0].failures["busy"], report.pairs[0].failures["dropped"]), (1, 1));
        let devices: Vec<_> =
            report.devices.iter().map(|row| (row.device.as_str(), row.alerts)).collect();
        assert_eq!(devices, [("projector", 2), ("camera", 1)]);
    });
}
