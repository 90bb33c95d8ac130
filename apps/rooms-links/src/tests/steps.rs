//! The table: what is wanted, what both codecs show, the step.

use std::time::Duration;

use expect_test::expect;

use super::transcript::{adopted, check, check_with, connected, dialing, online, rooms};
use crate::{Incoming, Pairing};

#[test]
fn both_idle_and_prepared_means_the_requester_dials() {
    check(&expect![[r#"
        > wish p1 connect a b by=ben
        accepted p1
        link a b preparing by=ben
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > prepared b
        > prepared a
        link a b dialing by=ben
        expect b from a Announce
        dial a sip:lisbon
    "#]]);
}

#[test]
fn both_connected_with_matching_far_end_means_connected() {
    check(&expect![[r#"
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
        expect b from a Announce
        dial a sip:lisbon
        > calls a 1 to sip:lisbon ringing dialed
        > calls b 7 from VIENNA ringing
        > calls b 7 from VIENNA connected
        > calls a 1 to sip:lisbon connected dialed
        link a b connected
        connect a b
        done p1
        > snapshot
        room a busy with=b
        room b busy with=a
        room c free
        link a b connected since=0
    "#]]);
}

#[test]
fn one_side_connected_is_waited_for_then_hung_up() {
    check_with(
        dialing(),
        &expect![[r#"
            > calls b 7 from vienna connected
            > calls a 1 to lisbon ringing dialed
            > after 4.9
            > after 0.1
            link a b disconnecting timeout: Only one of the two codecs says that it is connected.
            failed p1 timeout: Only one of the two codecs says that it is connected.
            hangup a 1
            hangup b 7
            > calls a
            > calls b
            link a b idle timeout: Only one of the two codecs says that it is connected.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn a_wish_whose_codecs_are_offline_is_refused() {
    check(&expect![[r#"
        > offline b
        room b offline
        > wish p1 connect a b
        refused p1 offline-far: The codec of Lisbon is not reachable.
        > wish p2 connect b a
        refused p2 offline-near: The codec of Lisbon is not reachable.
    "#]]);
}

#[test]
fn a_codec_that_goes_offline_before_it_is_connected_fails_the_wish() {
    check_with(
        dialing(),
        &expect![[r#"
            > calls a 1 to lisbon ringing dialed
            > offline b
            link a b disconnecting offline-far: The codec of Lisbon is not reachable.
            failed p1 offline-far: The codec of Lisbon is not reachable.
            hangup a 1
            > calls a
            link a b idle offline-far: The codec of Lisbon is not reachable.
            room a free
            room b offline
        "#]],
    );
}

#[test]
fn not_wanted_means_hung_up_until_it_is_gone_also_when_the_codec_comes_back() {
    check_with(
        connected(),
        &expect![[r#"
            > offline b
            link a b recovering
            > wish p2 disconnect a b
            accepted p2
            link a b disconnecting
            hangup a 1
            > after 20
            failed p2 timeout: The codec of Vienna does not hang up; it is told again.
            hangup a 1
            > calls a
            disconnect a b
            link a b idle
            room a free
            room b offline
            > online b 7 from vienna connected
            hangup b 7
            room b busy with=a
            > after 20
            hangup b 7
            > calls b 7 from vienna ending
            > calls b
            room b free
        "#]],
    );
}

#[test]
fn a_side_that_drops_ends_the_other_one() {
    check_with(
        connected(),
        &expect![[r#"
            > calls b
            link a b disconnecting dropped: The call was lost in Lisbon.
            disconnect a b side=b dropped: The call was lost in Lisbon.
            hangup a 1
            > calls a
            link a b idle dropped: The call was lost in Lisbon.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn a_codec_out_of_reach_is_given_grace_and_asked_when_it_is_back() {
    check(&expect![[r#"
        > online a 1 to lisbon connected
        room a busy with=b
        > online b 7 from vienna connected
        link a b connected by=device
        connect a b
        room b busy with=a
        > offline b
        link a b recovering by=device
        > after 89
        > online b 7 from vienna connected
        link a b connected by=device
        > offline b
        link a b recovering by=device
        > online b
        link a b disconnecting by=device dropped: The call was lost in Lisbon.
        disconnect a b side=b dropped: The call was lost in Lisbon.
        hangup a 1
        > calls a
        link a b idle by=device dropped: The call was lost in Lisbon.
        room a free
        room b free
    "#]]);
}

#[test]
fn grace_that_is_over_means_dropped_and_our_call_hung_up() {
    check_with(
        connected(),
        &expect![[r#"
            > offline b
            link a b recovering
            > after 90
            link a b disconnecting dropped: The call was lost in Lisbon.
            disconnect a b side=b dropped: The call was lost in Lisbon.
            hangup a 1
            > calls a
            link a b idle dropped: The call was lost in Lisbon.
            room a free
            room b offline
            > online b 7 from vienna connected
            hangup b 7
            room b busy with=a
        "#]],
    );
}

#[test]
fn grace_that_is_over_leaves_a_call_that_people_made() {
    check_with(
        adopted(),
        &expect![[r#"
            > offline b
            link a b recovering by=device
            > after 90
            link a b disconnecting by=device dropped: The call was lost in Lisbon.
            disconnect a b side=b dropped: The call was lost in Lisbon.
            link a b idle by=device dropped: The call was lost in Lisbon.
            room b offline
            > online b 7 from vienna connected
            link a b connected by=device
            connect a b
            room b busy with=a
        "#]],
    );
}

#[test]
fn a_far_codec_in_a_foreign_call_is_busy() {
    check(&expect![[r#"
        > calls b 3 to +43-1-555 connected
        room b busy other=+43-1-555
        > wish p1 connect a b
        refused p1 busy: Lisbon is in another call.
        > wish p2 connect b a
        refused p2 busy: You are in a call with +43-1-555.
        > calls b
        room b free
        > wish p3 connect a b
        accepted p3
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > calls b 4 from +43-1-555 connected
        link a b disconnecting busy: Lisbon is in another call.
        failed p3 busy: Lisbon is in another call.
        link a b idle busy: Lisbon is in another call.
        room a free
        room b busy other=+43-1-555
        > wish p4 disconnect b
        refused p4 not-permitted: The call with +43-1-555 was not made here - end it at the codec.
    "#]]);
}

#[test]
fn a_codec_that_does_not_get_ready_in_time_fails_the_wish() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > prepared a
        > after 10
        link a b disconnecting timeout: The codec of Lisbon did not get ready.
        failed p1 timeout: The codec of Lisbon did not get ready.
        link a b idle timeout: The codec of Lisbon did not get ready.
        room a free
        room b free
    "#]]);
}

#[test]
fn a_codec_that_cannot_get_ready_fails_the_wish() {
    check(&expect![[r#"
        > wish p1 connect a b
        accepted p1
        link a b preparing
        prepare a
        prepare b
        room a busy with=b
        room b busy with=a
        > failed b device-error
        link a b disconnecting device-error: The codec of Lisbon could not do it.
        failed p1 device-error: The codec of Lisbon could not do it.
        link a b idle device-error: The codec of Lisbon could not do it.
        room a free
        room b free
    "#]]);
}

#[test]
fn a_codec_that_sleeps_is_woken_and_told_again_when_it_is_back() {
    let mut config = rooms();
    config.rooms[1].timers.wake = Duration::from_secs(50);
    check_with(
        online(config),
        &expect![[r#"
            > asleep b
            room b offline asleep
            > wish p1 connect a b
            accepted p1
            link a b preparing
            prepare a
            prepare b
            room a busy with=b
            room b busy with=a
            > prepared a
            > after 59
            > online b
            prepare b
            > prepared b
            link a b dialing
            expect b from a Announce
            dial a sip:lisbon
            > wish p2 disconnect a b
            accepted p2
            link a b disconnecting cancelled: The call was cancelled.
            failed p1 cancelled: The call was cancelled.
            > asleep b
            > after 20
            link a b idle cancelled: The call was cancelled.
            done p2
            room a free
            room b offline asleep
            > wish p3 connect a b
            accepted p3
            link a b preparing
            prepare a
            prepare b
            room a busy with=b
            room b busy with=a
            > after 60
            link a b disconnecting timeout: The codec of Vienna did not get ready.
            failed p3 timeout: The codec of Vienna did not get ready.
            link a b idle timeout: The codec of Vienna did not get ready.
            room a free
            room b offline asleep
        "#]],
    );
}

#[test]
fn a_dial_that_nobody_answers_is_ended() {
    check_with(
        dialing(),
        &expect![[r#"
            > calls a 1 to lisbon ringing dialed
            > after 45
            link a b disconnecting no-answer: Lisbon did not answer.
            failed p1 no-answer: Lisbon did not answer.
            hangup a 1
            > calls a
            link a b idle no-answer: Lisbon did not answer.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn a_dial_without_any_effect_times_out() {
    check_with(
        dialing(),
        &expect![[r#"
            > after 45
            link a b disconnecting timeout: The codec of Vienna made no call.
            failed p1 timeout: The codec of Vienna made no call.
            > after 20
            link a b idle timeout: The codec of Vienna made no call.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn the_network_is_tried_again_twice_after_five_seconds() {
    check_with(
        dialing(),
        &expect![[r#"
            > failed a unreachable
            > after 5
            expect b from a Announce
            dial a sip:lisbon
            > calls a 1 to lisbon ringing dialed
            > failed a unreachable
            > calls a
            > after 5
            expect b from a Announce
            dial a sip:lisbon
            > failed a unreachable
            link a b disconnecting unreachable: The network finds no way from Vienna to Lisbon.
            failed p1 unreachable: The network finds no way from Vienna to Lisbon.
            link a b idle unreachable: The network finds no way from Vienna to Lisbon.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn a_busy_room_or_one_that_declines_is_not_tried_again() {
    check_with(
        dialing(),
        &expect![[r#"
            > failed a busy
            link a b disconnecting busy: Lisbon is in another call.
            failed p1 busy: Lisbon is in another call.
            link a b idle busy: Lisbon is in another call.
            room a free
            room b free
            > wish p2 connect a b
            accepted p2
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
            > calls a 1 to lisbon ringing dialed
            > failed a rejected
            > calls a
            link a b disconnecting rejected: Lisbon declined.
            failed p2 rejected: Lisbon declined.
            link a b idle rejected: Lisbon declined.
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
            > failed a no-answer
            link a b disconnecting no-answer: Lisbon did not answer.
            failed p3 no-answer: Lisbon did not answer.
            link a b idle no-answer: Lisbon did not answer.
            room a free
            room b free
            > wish p4 connect a b
            accepted p4
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
            > failed a not-permitted
            link a b disconnecting not-permitted: The codec of Vienna may not call Lisbon.
            failed p4 not-permitted: The codec of Vienna may not call Lisbon.
            link a b idle not-permitted: The codec of Vienna may not call Lisbon.
            room a free
            room b free
        "#]],
    );
}

#[test]
fn a_codec_that_does_not_hang_up_is_told_again_and_the_wish_fails() {
    check_with(
        adopted(),
        &expect![[r#"
            > wish p1 disconnect a b
            accepted p1
            link a b disconnecting by=device
            hangup a 1
            hangup b 7
            > calls b
            > after 20
            failed p1 timeout: The codec of Vienna does not hang up; it is told again.
            hangup a 1
            > wish p2 disconnect a b
            accepted p2 already
            > after 20
            failed p2 timeout: The codec of Vienna does not hang up; it is told again.
            hangup a 1
            > calls a
            disconnect a b
            link a b idle by=device
            room a free
            room b free
        "#]],
    );
}

#[test]
fn the_more_patient_room_decides() {
    let mut config = rooms();
    config.rooms[0].timers.dial = Duration::from_secs(60);
    check_with(
        online(config),
        &expect![[r#"
            > wish p1 connect b a
            accepted p1
            link b a preparing
            prepare b
            prepare a
            room a busy with=b
            room b busy with=a
            > prepared a
            > prepared b
            link b a dialing
            expect a from b Announce
            dial b sip:vienna
            > calls b 1 to vienna ringing dialed
            > after 59
            > after 1
            link b a disconnecting no-answer: Vienna did not answer.
            failed p1 no-answer: Vienna did not answer.
            hangup b 1
        "#]],
    );
}

#[test]
fn rooms_that_are_both_told_both_dial() {
    let mut config = rooms();
    for room in &mut config.rooms[..2] {
        room.pairing = Pairing::Both;
        room.incoming = Incoming::Open;
    }
    check_with(
        online(config),
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
            expect b from a Open
            expect a from b Open
            dial a sip:lisbon
            dial b sip:vienna
            > calls a 1 to lisbon connected dialed
            > calls b 1 to vienna connected dialed
            link a b connected
            connect a b
            done p1
            > wish p2 disconnect b a
            accepted p2
            link a b disconnecting
            hangup a 1
            hangup b 1
            > calls a
            > calls b
            disconnect a b
            link a b idle
            done p2
            room a free
            room b free
            > wish p3 connect a c
            refused p3 device-error: Vienna and Porto are wired differently.
            > wish p4 connect a b
            accepted p4
            link a b preparing
            prepare a
            prepare b
            room a busy with=b
            room b busy with=a
            > prepared a
            > prepared b
            link a b dialing
            expect b from a Open
            expect a from b Open
            dial a sip:lisbon
            dial b sip:vienna
            > calls a 2 to lisbon connected dialed
            > failed b device-error
            link a b disconnecting device-error: The codec of Lisbon could not do it.
            failed p4 device-error: The codec of Lisbon could not do it.
            hangup a 2
            > calls a
            link a b idle device-error: The codec of Lisbon could not do it.
            room a free
            room b free
        "#]],
    );
}
