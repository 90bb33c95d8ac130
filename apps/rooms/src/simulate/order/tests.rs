//! Orders as people write them.

use super::*;

fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a name")
}

fn of(name: &str) -> DeviceName {
    DeviceName::new(name).expect("a name")
}

#[test]
fn orders_are_read() {
    let a = || room("room-a");
    let fault = |fault| Order::Fault(a(), of("projector"), fault);
    for (line, order) in [
        ("help", Order::Help),
        ("show", Order::ShowRooms),
        ("show room-a", Order::ShowRoom(a())),
        ("show room-a doccam", Order::Show(a(), of("document-camera"))),
        ("fault room-a projector no-reply", fault(Fault::NoReply)),
        ("fault room-a projector slow=3000", fault(Fault::Slow(Duration::from_secs(3)))),
        (
            "fault  room-a projector erst=002000 ",
            fault(Fault::Defect(Defect::Errors("002000".to_owned()))),
        ),
        (
            "drop call room-a room-b side=room-b",
            Order::Drop([a(), room("room-b")], Some(room("room-b"))),
        ),
        ("reboot room-a codec", Order::Reboot(a(), of("codec"))),
        ("cut room-a rack1 seconds=2.5", Order::Cut(a(), of("rack1"), Duration::from_millis(2500))),
        ("ring room-a from=\"+43 1 555\"", Order::Ring(a(), "+43 1 555".to_owned())),
        ("press room-a doccam power", Order::Press(a(), of("doccam"), "power".to_owned())),
        (
            "expect room-a codec \"xCommand Dial*\" within=7s",
            Order::Expect(a(), of("codec"), "xCommand Dial*".to_owned(), Duration::from_secs(7)),
        ),
    ] {
        assert_eq!(Order::parse(line), Ok(order), "{line}");
    }
}

#[test]
fn what_is_no_order_is_told_what_one_looks_like() {
    for (line, wrong) in [
        ("display room-a codec", "there is no order \"display\"; there is help, show, fault,"),
        ("show room-a projector power", "usage: show [ROOM [DEVICE]]"),
        ("drop call room-a room-b side=room-c", "side= is room-a or room-b"),
        ("drop call room-a room-a", "a call is between two rooms"),
        ("fault room-a projector erst=3", "usage: fault ROOM DEVICE no-reply|"),
        ("cut room-a rack1 seconds=-1", "usage: cut ROOM BRIDGE|DEVICE [seconds=N]"),
        ("cut room-a rack1 seconds=86401", "usage: cut ROOM BRIDGE|DEVICE [seconds=N]"),
        ("expect room-a codec \"x", "the closing \" is missing"),
        ("", "there is no order \"\""),
    ] {
        let said = Order::parse(line).expect_err(line);
        assert!(said.starts_with(wrong), "{line}: {said}");
    }
}

#[test]
fn patterns_have_stars_and_question_marks() {
    for (pattern, text, is_so) in [
        ("xCommand Dial*", "xCommand Dial Number: a@b", true),
        ("*Dial*", "xCommand Dial Number: a@b", true),
        ("%?POWR ?", "%1POWR 1", true),
        ("81 01 04 00 02 ff", "81 01 04 00 02 ff", true),
        ("xCommand", "xCommand Dial", false),
        ("a*b*c", "axxbxxcx", false),
        ("", "", true),
    ] {
        assert_eq!(matches(pattern, text), is_so, "{pattern} {text}");
    }
}
