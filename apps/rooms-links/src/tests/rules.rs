//! The rules, by their numbers in the description of the rooms: who dials, who wins, who has a say.

use expect_test::expect;

use super::transcript::{adopted, check, check_with, connected, dialing, online, rooms};
use crate::{Incoming, Links};

#[test]
fn rule_1_rooms_that_dial_each_other_at_once_are_parted() {
    check_with(
        dialing(),
        &expect![[r#"
            > calls a 1 to lisbon ringing dialed
            > calls b 9 to vienna ringing
            link a b disconnecting glare: Both rooms called each other at once.
            failed p1 glare: Both rooms called each other at once.
            hangup a 1
            > calls a
            link a b idle glare: Both rooms called each other at once.
            room a free
        "#]],
    );
}

#[test]
fn rule_2_the_same_link_pressed_from_both_sides_is_one_link() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > wish p2 connect b a
        accepted p2 already
        > prepared a
        > prepared b
        link a b dialing
        expect b from a Announce
        dial a sip:lisbon
        > calls a 1 to lisbon connected dialed
        > calls b 7 from vienna connected
        link a b connected
        connect a b
        done p1
        done p2
        > wish p3 connect b a
        accepted p3 already
        done p3
    "#]]);
}

#[test]
fn rule_2_of_two_callers_of_one_room_the_first_wins() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > wish p2 connect c b
        refused p2 busy: Lisbon is in another call.
        > wish p3 connect b c
        refused p3 busy: A call with Vienna is under way - disconnect first.
    "#]]);
}

#[test]
fn rule_2_equal_presses_of_one_user_within_a_second_are_one() {
    check(&expect![[r#"
        > wish p1 connect a b by=ben
        accepted p1
        link a b preparing by=ben
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > wish p2 connect a b by=ben
        accepted p2
        > wish p3 connect a b by=ann
        accepted p3 already
        > after 1
        > wish p4 connect a b by=ben
        accepted p4 already
    "#]]);
}

#[test]
fn rule_2_a_press_after_one_that_came_to_nothing_is_another() {
    check(&expect![[r#"
        > wish p1 connect a b by=ben
        accepted p1
        link a b preparing by=ben
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > failed a device-error
        link a b disconnecting by=ben device-error: The codec of Vienna could not do it.
        failed p1 device-error: The codec of Vienna could not do it.
        link a b idle by=ben device-error: The codec of Vienna could not do it.
        room a free
        room b free
        > wish p2 connect a b by=ben
        accepted p2
        link a b preparing by=ben
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > failed a device-error
        link a b disconnecting by=ben device-error: The codec of Vienna could not do it.
        failed p2 device-error: The codec of Vienna could not do it.
        link a b idle by=ben device-error: The codec of Vienna could not do it.
        room a free
        room b free
        > offline b
        room b offline
        > wish p3 connect a b by=ben
        refused p3 offline-far: The codec of Lisbon is not reachable.
        > online b
        room b free
        > wish p4 connect a b by=ben
        accepted p4
        link a b preparing by=ben
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
    "#]]);
}

#[test]
fn rule_2_a_press_after_another_one_is_another() {
    check_with(
        connected(),
        &expect![[r#"
        > wish p2 disconnect a b by=ben
        accepted p2
        link a b disconnecting
        hangup a 1
        hangup b 7
        > calls a
        > calls b
        disconnect a b
        link a b idle
        done p2
        room a free
        room b free
        > wish p3 connect a b by=ben
        accepted p3
        link a b preparing by=ben
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > failed a device-error
        link a b disconnecting by=ben device-error: The codec of Vienna could not do it.
        failed p3 device-error: The codec of Vienna could not do it.
        link a b idle by=ben device-error: The codec of Vienna could not do it.
        room a free
        room b free
        > wish p4 disconnect a b by=ben
        accepted p4 already
        done p4
    "#]],
    );
}

#[test]
fn rule_3_who_is_connected_has_to_disconnect_first() {
    check_with(
        adopted(),
        &expect![[r#"
            > wish p1 connect a c
            refused p1 busy: You are connected to Lisbon - disconnect first.
            > wish p2 disconnect a
            accepted p2
            link a b disconnecting by=device
            hangup a 1
            hangup b 7
            > wish p3 connect a b
            refused p3 busy: The call with Lisbon is just ending - try again.
            > wish p4 connect a c
            refused p4 busy: The call with Lisbon is just ending - try again.
            > calls a
            > calls b
            disconnect a b
            link a b idle by=device
            done p2
            room a free
            room b free
            > wish p5 connect a c
            accepted p5
            link a c preparing
            prepare a
            prepare c
            room a busy with=c
            room c busy with=a
        "#]],
    );
}

#[test]
fn rule_4_a_cancelled_call_is_hung_up_at_both_ends_at_once() {
    check_with(
        dialing(),
        &expect![[r#"
            > calls a 1 to lisbon ringing dialed
            > calls b 7 from vienna ringing
            > wish p2 disconnect b a
            accepted p2
            link a b disconnecting cancelled: The call was cancelled.
            failed p1 cancelled: The call was cancelled.
            hangup a 1
            hangup b 7
            > calls a
            > calls b
            link a b idle cancelled: The call was cancelled.
            done p2
            room a free
            room b free
        "#]],
    );
}

#[test]
fn rule_4_a_dial_that_was_cancelled_is_hung_up_when_it_turns_into_a_call() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > wish p2 disconnect a b
        accepted p2
        link a b disconnecting cancelled: The call was cancelled.
        failed p1 cancelled: The call was cancelled.
        link a b idle cancelled: The call was cancelled.
        done p2
        room a free
        room b free
        > wish p3 connect a b
        accepted p3
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > prepared a
        > prepared b
        link a b dialing
        expect b from a Announce
        dial a sip:lisbon
        > wish p4 disconnect a b
        accepted p4
        link a b disconnecting cancelled: The call was cancelled.
        failed p3 cancelled: The call was cancelled.
        > after 3
        > calls a 1 to lisbon ringing dialed
        hangup a 1
        > calls a
        link a b idle cancelled: The call was cancelled.
        done p4
        room a free
        room b free
        > wish p5 connect a b
        accepted p5
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > prepared a
        > prepared b
        link a b dialing
        expect b from a Announce
        dial a sip:lisbon
        > wish p6 disconnect a b
        accepted p6
        link a b disconnecting cancelled: The call was cancelled.
        failed p5 cancelled: The call was cancelled.
        > after 20
        link a b idle cancelled: The call was cancelled.
        done p6
        room a free
        room b free
        > calls a 2 to lisbon ringing dialed
        hangup a 2
        room a busy with=b
    "#]]);
}

fn asking() -> Links {
    let mut config = rooms();
    config.rooms[1].incoming = Incoming::Ask;
    online(config)
}

#[test]
fn rule_5_a_room_that_asks_takes_the_call_when_somebody_answers() {
    check_with(
        asking(),
        &expect![[r#"
            > wish p1 connect a b
            accepted p1
            link a b preparing
            prepare a
            prepare b
            room a busy with=b
            room b busy with=a
            > wish p0 answer b a
            refused p0 cancelled: Vienna is not calling.
            > prepared a
            > prepared b
            link a b dialing
            expect b from a Ask
            dial a sip:lisbon
            > calls a 1 to lisbon ringing dialed
            > calls b 7 from vienna ringing
            link a b dialing asking
            > wish p2 answer b a
            accepted p2
            answer b 7
            link a b dialing
            > calls b 7 from vienna connected
            > calls a 1 to lisbon connected dialed
            link a b connected
            connect a b
            done p1
            done p2
            > wish p3 answer b a
            refused p3 cancelled: Vienna is not calling.
        "#]],
    );
}

#[test]
fn rule_5_a_room_that_asks_may_decline() {
    check_with(
        asking(),
        &expect![[r#"
            > wish p1 connect a b
            accepted p1
            link a b preparing
            prepare a
            prepare b
            room a busy with=b
            room b busy with=a
            > prepared a
            > prepared b
            link a b dialing
            expect b from a Ask
            dial a sip:lisbon
            > calls a 1 to lisbon ringing dialed
            > calls b 7 from vienna ringing
            link a b dialing asking
            > wish p2 decline b a
            accepted p2
            link a b disconnecting rejected: Lisbon declined.
            failed p1 rejected: Lisbon declined.
            hangup a 1
            hangup b 7
            > calls b
            > calls a
            link a b idle rejected: Lisbon declined.
            done p2
            room a free
            room b free
        "#]],
    );
}

#[test]
fn rule_5_who_is_asked_has_half_a_minute() {
    check_with(
        asking(),
        &expect![[r#"
            > wish p1 connect a b
            accepted p1
            link a b preparing
            prepare a
            prepare b
            room a busy with=b
            room b busy with=a
            > prepared a
            > prepared b
            link a b dialing
            expect b from a Ask
            dial a sip:lisbon
            > calls a 1 to lisbon ringing dialed
            > calls b 7 from vienna ringing
            link a b dialing asking
            > after 30
            link a b disconnecting no-answer: Lisbon did not answer.
            failed p1 no-answer: Lisbon did not answer.
            hangup a 1
            hangup b 7
        "#]],
    );
}

#[test]
fn rule_6_nothing_is_connected_before_all_calls_are_read() {
    let links = Links::new(rooms()).expect("a good configuration");
    check_with(
        links,
        &expect![[r#"
            > snapshot
            starting
            > online a 1 to lisbon connected
            > wish p1 connect a c
            refused p1 starting: The rooms are being asked for their calls - try again.
            > wish p2 disconnect a
            refused p2 starting: The rooms are being asked for their calls - try again.
            > online b 7 from vienna connected
            > online c 5 from +43-1-555 connected
            link a b connected by=device
            connect a b
            room a busy with=b
            room b busy with=a
            room c busy other=+43-1-555
            > snapshot
            room a busy with=b
            room b busy with=a
            room c busy other=+43-1-555
            link a b connected by=device since=0
            > wish p3 connect c b
            refused p3 busy: You are in a call with +43-1-555.
        "#]],
    );
}

#[test]
fn rule_6_who_is_not_reachable_after_ten_seconds_is_offline() {
    let links = Links::new(rooms()).expect("a good configuration");
    check_with(
        links,
        &expect![[r#"
            > online a
            > online b
            > after 9
            > after 1
            room a free
            room b free
            room c offline
            > wish p1 connect a c
            refused p1 offline-far: The codec of Porto is not reachable.
            > online c
            room c free
            > wish p2 connect a c
            accepted p2
            link a c preparing
            prepare a
            prepare c
            room a busy with=c
            room c busy with=a
        "#]],
    );
}

#[test]
fn rule_7_a_third_room_is_refused() {
    check_with(
        adopted(),
        &expect![[r#"
            > wish p1 connect a c
            refused p1 busy: You are connected to Lisbon - disconnect first.
            > wish p2 connect c a
            refused p2 busy: Vienna is in another call.
        "#]],
    );
}

#[test]
fn rule_8_calls_that_outlived_the_program_are_links_again() {
    let links = Links::new(rooms()).expect("a good configuration");
    check_with(
        links,
        &expect![[r#"
            > online a 1 to lisbon connected dialed
            > online b 7 from vienna connected
            > online c
            link a b connected by=device
            connect a b
            room a busy with=b
            room b busy with=a
            room c free
            > wish p1 disconnect b
            accepted p1
            link a b disconnecting by=device
            hangup a 1
            hangup b 7
            > calls a
            > calls b
            disconnect a b
            link a b idle by=device
            done p1
            room a free
            room b free
        "#]],
    );
}

#[test]
fn rule_9_a_codec_that_reboots_is_waited_for_then_dropped() {
    check_with(
        adopted(),
        &expect![[r#"
            > offline a
            link a b recovering by=device
            > online a
            link a b disconnecting by=device dropped: The call was lost in Vienna.
            disconnect a b side=a dropped: The call was lost in Vienna.
            hangup b 7
            > calls b
            link a b idle by=device dropped: The call was lost in Vienna.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn rule_10_a_room_that_does_not_exist_or_is_itself_is_refused() {
    check(&expect![[r#"
        > wish p1 connect a x
        refused p1 unreachable: There is no room x.
        > wish p2 connect a a
        refused p2 not-permitted: A room can't be connected to itself.
        > wish p3 disconnect x
        refused p3 unreachable: There is no room x.
        > wish p4 disconnect a b
        accepted p4 already
        done p4
        > wish - connect a x
        refused - unreachable: There is no room x.
        > wish p5 decline a b
        refused p5 cancelled: Lisbon is not calling.
        > online x
    "#]]);
}

#[test]
fn rule_10_a_room_under_maintenance_is_not_called_and_goes_on_with_its_call() {
    check(&expect![[r#"
        > maintenance b on
        room b maintenance
        > wish p1 connect a b
        refused p1 maintenance: Lisbon is under maintenance.
        > wish p2 connect b a
        refused p2 maintenance: Lisbon is under maintenance.
        > maintenance b off
        room b free
        > calls a 1 to lisbon connected
        room a busy with=b
        > calls b 7 from vienna connected
        link a b connected by=device
        connect a b
        room b busy with=a
        > maintenance b on
        > wish p3 disconnect b
        accepted p3
        link a b disconnecting by=device
        hangup a 1
        hangup b 7
        > calls a
        > calls b
        disconnect a b
        link a b idle by=device
        done p3
        room a free
        room b maintenance
    "#]]);
}

#[test]
fn rooms_that_are_wired_differently_are_not_connected() {
    let mut config = rooms();
    config.rooms[0].pairing = crate::Pairing::Both;
    check_with(
        online(config),
        &expect![[r#"
            > wish p1 connect a b
            refused p1 device-error: Vienna and Lisbon are wired differently.
        "#]],
    );
}

#[test]
fn nobody_elses_call_is_hung_up() {
    check(&expect![[r#"
        > calls a 1 to +43-1-555 connected
        room a busy other=+43-1-555
        > wish p1 disconnect a
        refused p1 not-permitted: The call with +43-1-555 was not made here - end it at the codec.
        > wish p2 disconnect a b
        accepted p2 already
        done p2
        > after 1000
        > calls a 1 to lisbon ringing
        room a busy with=b
        > calls b 4 from vienna ringing
        link a b dialing by=device
        room b busy with=a
        > after 1000
    "#]]);
}

#[test]
fn a_number_that_a_rebooted_codec_uses_again_is_somebody_elses_call() {
    check_with(
        connected(),
        &expect![[r#"
            > offline a
            link a b recovering
            > wish p2 disconnect a b
            accepted p2
            link a b disconnecting
            hangup b 7
            > calls b
            disconnect a b
            link a b idle
            done p2
            room a offline
            room b free
            > online a 1 to +43-1-555 connected
            room a busy other=+43-1-555
            > after 1000
        "#]],
    );
}

#[test]
fn a_call_that_nobody_is_at_the_other_end_of_is_hung_up_whoever_made_it() {
    check(&expect![[r#"
        > calls a 1 to lisbon connected
        room a busy with=b
        > after 4
        > calls b 2 from porto connected
        room b busy with=c
        > after 1
        hangup a 1
        > calls a
        room a free
        > calls b 2 from +43-1-555 connected
        room b busy other=+43-1-555
        > calls a 2 to lisbon connected
        room a busy with=b
        > after 1000
    "#]]);
}

#[test]
fn a_call_that_somebody_made_meanwhile_is_what_was_wished() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > calls b 3 to vienna ringing
        link a b dialing
        > calls a 4 from lisbon ringing
        > calls a 4 from lisbon connected
        > calls b 3 to vienna connected
        link a b connected
        connect a b
        done p1
    "#]]);
}

#[test]
fn who_joins_a_call_that_rings_does_not_wait_for_ever() {
    check(&expect![[r#"
        > calls a 1 to lisbon ringing
        room a busy with=b
        > calls b 7 from vienna ringing
        link a b dialing by=device
        room b busy with=a
        > after 1000
        > wish p1 connect a b
        accepted p1 already
        > after 45
        link a b disconnecting by=device no-answer: Lisbon did not answer.
        failed p1 no-answer: Lisbon did not answer.
        link a b idle by=device no-answer: Lisbon did not answer.
        link a b dialing by=device
    "#]]);
}
