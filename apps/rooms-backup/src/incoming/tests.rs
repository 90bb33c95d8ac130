//! Contents that come whole, with gaps, twice, wrong.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn owner() -> OwnerName {
    "rooms".parse().expect("an owner")
}

fn incoming(content: &[u8], part_bytes: usize) -> Incoming {
    let patience = Patience { first: 2 * SECOND, most: 8 * SECOND };
    Incoming::new(owner(), Hash::of(content), content.len(), part_bytes, patience, Duration::ZERO)
}

/// The number of the question and the parts that it names.
#[track_caller]
fn asked(step: Step) -> (u32, String) {
    let Step::Ask(Message::Want { ask, parts, .. }) = step else { panic!("{step:?}") };
    (ask, parts.to_string())
}

#[test]
fn a_content_is_complete_with_its_last_part() {
    let content = b"0123456789";
    let mut incoming = incoming(content, 4);
    assert_eq!(asked(incoming.step(Duration::ZERO)), (1, "1-3".to_owned()));
    assert!(matches!(incoming.part(3, b"89", SECOND), Step::Wait));
    assert!(matches!(incoming.part(1, b"0123", SECOND), Step::Wait));
    let Step::Complete(complete) = incoming.part(2, b"4567", SECOND) else {
        panic!("all is there")
    };
    assert_eq!(complete, content);
}

#[test]
fn nothing_is_complete_at_once() {
    assert!(
        matches!(incoming(b"", 4).step(Duration::ZERO), Step::Complete(content) if content.is_empty())
    );
}

#[test]
fn a_gap_is_noticed_at_the_end_and_asked_for_once() {
    let mut incoming = incoming(b"0123456789", 2);
    assert_eq!(asked(incoming.step(Duration::ZERO)), (1, "1-5".to_owned()));
    for (number, bytes) in [(1, b"01"), (4, b"67")] {
        assert!(matches!(incoming.part(number, bytes, SECOND), Step::Wait));
    }
    assert_eq!(asked(incoming.end(1, SECOND)), (2, "2-3,5".to_owned()));
    assert!(matches!(incoming.end(1, SECOND), Step::Wait), "that end came twice");
}

#[test]
fn who_hears_nothing_asks_again_later_each_time() {
    let mut incoming = incoming(b"0123", 2);
    let mut waits = Vec::new();
    for ask in 1..=4 {
        let now = incoming.due();
        assert_eq!(asked(incoming.step(now)), (ask, "1-2".to_owned()));
        assert!(matches!(incoming.step(now), Step::Wait));
        waits.push((incoming.due() - now).as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 8]);
}

#[test]
fn a_large_content_is_asked_for_a_window_at_a_time() {
    let content = vec![7; 130];
    let mut incoming = incoming(&content, 1);
    assert_eq!(asked(incoming.step(Duration::ZERO)), (1, "1-64".to_owned()));
    for number in 1..64 {
        assert!(matches!(incoming.part(number, &[7], SECOND), Step::Wait));
    }
    assert_eq!(asked(incoming.part(64, &[7], SECOND)), (2, "65-128".to_owned()));
}

#[test]
fn what_is_no_part_of_the_content_changes_nothing() {
    let mut incoming = incoming(b"0123456789", 4);
    let _ = incoming.step(Duration::ZERO);
    for (number, bytes) in
        [(0, &b"0123"[..]), (4, b"0123"), (u32::MAX, b"89"), (3, b"8"), (1, b"01")]
    {
        assert!(matches!(incoming.part(number, bytes, SECOND), Step::Wait));
    }
    assert_eq!(incoming.missing, 3);
    assert!(matches!(incoming.part(1, b"0123", SECOND), Step::Wait));
    assert!(matches!(incoming.part(1, b"xxxx", SECOND), Step::Wait), "the first one counts");
    assert_eq!(incoming.content[..4], *b"0123");
}

#[test]
fn a_forged_part_is_noticed_when_all_are_there() {
    let mut incoming = incoming(b"0123", 2);
    let _ = incoming.step(Duration::ZERO);
    assert!(matches!(incoming.part(1, b"xx", SECOND), Step::Wait));
    assert!(matches!(incoming.part(2, b"23", SECOND), Step::WrongHash));
}

#[test]
fn an_answer_has_the_parts_that_there_are() {
    let parts = "2-9".parse().expect("ranges");
    let answer: Vec<_> = answer(&owner(), Hash::of(b"abc"), b"abc", (7, 1, &parts))
        .map(|message| message.to_string())
        .collect();
    let hash = Hash::of(b"abc");
    assert_eq!(
        answer,
        [
            format!("part rooms {hash} 2 Yg=="),
            format!("part rooms {hash} 3 Yw=="),
            format!("end rooms {hash} 7"),
        ]
    );
}
