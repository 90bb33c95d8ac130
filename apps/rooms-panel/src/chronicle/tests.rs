//! Lines of the bus in, records of the history out.

use jiff::Timestamp;
use rooms_messages::{Report, Request};

use super::Chronicle;
use crate::house::House;
use crate::records::{Call, Record};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn hear(chronicle: &mut Chronicle, line: &str, second: i64) -> Option<Record> {
    chronicle.hear(&Report::parse(line).expect(line).fact, at(second))
}

fn call(record: Option<Record>) -> Call {
    let Some(Record::Call(call)) = record else { panic!("{record:?}") };
    call
}

#[test]
fn a_call_is_one_record_from_the_wish_to_the_end() {
    let mut chronicle = Chronicle::new(Vec::new());
    let begun = call(hear(&mut chronicle, "link a b preparing by=ann", 1));
    assert_eq!((begun.since, begun.connected, begun.by.as_str()), (at(1), None, "ann"));
    assert_eq!(hear(&mut chronicle, "link a b dialing by=ann", 2), None, "nothing new to write");
    let connected = call(hear(&mut chronicle, "link a b connected by=ann", 3));
    assert_eq!((connected.id, connected.connected), (begun.id, Some(at(3))));
    hear(&mut chronicle, "disconnect a b reason=dropped side=b", 9);
    let ended = call(hear(&mut chronicle, "link a b idle reason=dropped side=b", 9));
    assert_eq!((ended.id, ended.ended, ended.reason.as_str()), (begun.id, Some(at(9)), "dropped"));
    assert_eq!(ended.side.expect("it is said").as_str(), "b");
    assert_ne!(call(hear(&mut chronicle, "link a b preparing", 10)).id, begun.id);
}

#[test]
fn a_wish_is_written_with_its_answers_and_without_what_every_wish_carries() {
    let mut chronicle = Chronicle::new(Vec::new());
    let request =
        Request::parse("connect a b id=p7 by=ann expires=2026-11-27T10:42:05Z").expect("one");
    let Some(Record::Audit(asked)) = chronicle.wish(&request, "ann", at(1)) else { panic!("none") };
    assert_eq!((asked.what.as_str(), asked.answer.as_str()), ("connect a b", ""));
    let Some(Record::Audit(accepted)) = hear(&mut chronicle, "accepted id=p7", 2) else {
        panic!("none")
    };
    assert_eq!((accepted.id, accepted.answer.as_str()), (asked.id, "accepted"));
    let failed =
        hear(&mut chronicle, "failed id=p7 reason=busy text=\"Lisbon is in another call\"", 3);
    let Some(Record::Audit(failed)) = failed else { panic!("none") };
    assert_eq!(
        (failed.answer.as_str(), failed.reason.as_str()),
        ("failed", "busy: Lisbon is in another call")
    );
    assert_eq!(failed.answered, Some(at(3)));
    assert_eq!(hear(&mut chronicle, "done id=p7", 4), None, "it is answered");
    let give = Request::parse("give me everything").expect("one");
    assert_eq!(chronicle.wish(&give, "ann", at(5)), None, "it changes nothing");
}

#[test]
fn who_starts_again_goes_on_with_what_is_open_and_ends_what_is_over() {
    let mut before = Chronicle::new(Vec::new());
    let goes_on = call(hear(&mut before, "link a b connected", 1));
    let is_over = call(hear(&mut before, "link c d connected", 1));
    let alert = hear(&mut before, "alert a projector level=error code=gone", 1).expect("one");
    let help = hear(&mut before, "help a requested text=dark", 1).expect("one");
    let open = [Record::Call(goes_on.clone()), Record::Call(is_over.clone()), alert, help].into();
    let mut after = Chronicle::new(open);
    let mut house = House::default();
    for line in ["link a b connected since=1970-01-01T00:00:01Z", "link e f dialing"] {
        house.hear(&Report::parse(line).expect(line), at(7));
    }
    let records = after.compare(&house, at(9));
    let ended = records.iter().find_map(|record| match record {
        Record::Call(call) if call.id == is_over.id => Some(call),
        _ => None,
    });
    let ended = ended.expect("it is over");
    assert_eq!((ended.ended, ended.reason.as_str()), (Some(at(9)), "unknown"));
    assert!(
        !records.iter().any(|record| matches!(record, Record::Call(call) if call.id == goes_on.id))
    );
    assert!(
        records
            .iter()
            .any(|record| matches!(record, Record::Call(call) if call.near.as_str() == "e"))
    );
    assert!(
        records
            .iter()
            .any(|record| matches!(record, Record::Alert(alert) if alert.until == Some(at(9))))
    );
    assert!(
        records
            .iter()
            .any(|record| matches!(record, Record::Help(help) if help.closed == Some(at(9))))
    );
    assert_eq!(after.compare(&house, at(10)), [], "heard twice, it is the same");
}

#[test]
fn an_alert_and_a_call_for_help_end_as_the_records_as_which_they_began() {
    let mut chronicle = Chronicle::new(Vec::new());
    let raised =
        hear(&mut chronicle, "alert a projector level=warning code=lamp text=\"3000 hours\"", 1);
    let Some(Record::Alert(raised)) = raised else { panic!("none") };
    assert!(chronicle.mute(raised.id, "ben").is_some());
    let Some(Record::Alert(cleared)) = hear(&mut chronicle, "alert a projector clear code=lamp", 5)
    else {
        panic!("none")
    };
    assert_eq!(
        (cleared.id, cleared.until, cleared.muted_by.as_str()),
        (raised.id, Some(at(5)), "ben")
    );
    assert!(chronicle.mute(raised.id, "ben").is_none(), "it is over");
    let Some(Record::Help(asked)) = hear(&mut chronicle, "help a requested by=panel text=dark", 6)
    else {
        panic!("none")
    };
    let Some(Record::Help(comes)) =
        hear(&mut chronicle, "help a acknowledged by=Ben text=\"at 9\"", 7)
    else {
        panic!("none")
    };
    assert_eq!((comes.id, comes.by.as_str(), comes.text.as_str()), (asked.id, "panel", "dark"));
    assert_eq!((comes.acknowledged_by.as_str(), comes.acknowledged), ("Ben", Some(at(7))));
    let Some(Record::Help(closed)) = hear(&mut chronicle, "help a closed", 8) else {
        panic!("none")
    };
    assert_eq!((closed.id, closed.closed), (asked.id, Some(at(8))));
}
