//! Scripts as people write them.

use super::*;

#[test]
fn orders_are_given_at_their_times() {
    let text = "# a bad morning\n5s reboot room-a codec\n\n0.5s press room-a doccam power\n";
    let mut script = Script::parse(text).expect("it is right");
    assert_eq!(script.due(), Some(Duration::from_millis(500)));
    assert_eq!(script.next(Duration::from_millis(499)), None);
    assert_eq!(script.next(Duration::from_secs(9)).as_deref(), Some("press room-a doccam power"));
    assert_eq!(script.next(Duration::from_secs(9)).as_deref(), Some("reboot room-a codec"));
    assert_eq!((script.next(Duration::from_secs(9)), script.due()), (None, None));
}

#[test]
fn every_wrong_line_is_named() {
    let wrong = Script::parse("reboot room-a codec\n1s reboot room-a\n").expect_err("it is wrong");
    assert_eq!(
        wrong,
        [
            "line 1: \"reboot\" is no time; write 2s or 2.5s, then the order",
            "line 2: usage: reboot ROOM DEVICE",
        ]
    );
}
