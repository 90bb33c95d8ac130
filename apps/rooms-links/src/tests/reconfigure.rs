//! Other rooms while links go on.

use expect_test::expect;

use super::transcript::{check_with, connected, dialing};
use crate::{Config, RoomConfig};

#[test]
fn rooms_that_stay_go_on_and_new_ones_can_be_called() {
    check_with(
        connected(),
        &expect![[r#"
            > rooms d b a
            > snapshot
            room a busy with=b
            room b busy with=a
            link a b connected since=0
            > online d
            room d free
            > calls a 1 to lisbon connected dialed
            > calls b 7 from vienna connected
            > wish p2 connect d a
            refused p2 busy: Vienna is in another call.
            > wish p3 connect a c
            refused p3 unreachable: There is no room c.
            > wish p4 disconnect a
            accepted p4
            link a b disconnecting
            hangup a 1
            hangup b 7
            > calls a
            > calls b
            disconnect a b
            link a b idle
            done p4
            room a free
            room b free
            > wish p5 connect d a
            accepted p5
            link d a preparing
            prepare d
            prepare a
            room a busy with=d
            room d busy with=a
        "#]],
    );
}

#[test]
fn a_call_that_is_being_made_goes_on() {
    check_with(
        dialing(),
        &expect![[r#"
            > rooms a b
            > calls a 1 to lisbon connected dialed
            > calls b 7 from vienna connected
            link a b connected
            connect a b
            done p1
        "#]],
    );
}

#[test]
fn links_of_a_room_that_is_gone_are_over_and_so_are_the_wishes_for_them() {
    check_with(
        dialing(),
        &expect![[r#"
            > rooms b c
            link a b idle cancelled: There is no room a any more.
            failed p1 cancelled: There is no room a any more.
            room b free
            > snapshot
            room b free
            room c free
            > wish p2 connect b c
            accepted p2
            link b c preparing
            prepare b
            prepare c
            room b busy with=c
            room c busy with=b
        "#]],
    );
    check_with(
        connected(),
        &expect![[r#"
            > rooms a c
            disconnect a b cancelled: There is no room b any more.
            link a b idle cancelled: There is no room b any more.
            hangup a 1
            room a busy with=
            > calls a 1 to lisbon connected dialed
            hangup a 1
            room a busy other=lisbon
            > rooms a b c
            > online b 7 from vienna connected
            room b busy with=a
            > calls a 1 to lisbon connected dialed
            hangup a 1
            hangup b 7
            room a busy with=b
        "#]],
    );
}

#[test]
fn what_is_wrong_changes_nothing() {
    let mut links = connected();
    let room = RoomConfig::new("a", "Vienna", "sip:vienna");
    let twice = Config::new(vec![room.clone(), room]);
    let before = links.snapshot();
    links.reconfigure(&twice, std::time::Duration::ZERO).expect_err("two rooms have one name");
    assert_eq!(links.snapshot(), before);
}
