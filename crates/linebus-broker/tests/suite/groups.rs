//! Of a group one member hears each line: in turn, and rather one that keeps up.

use arbtest::arbtest;
use linebus_broker::Limits;
use linebus_testkit::by_hand::{Bus, Client};

/// How many lines of topics a client has heard since this was asked last.
fn lines_heard(client: &Client) -> usize {
    let written = client.pipe.written();
    written.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"recv ")).count()
}

#[test]
fn turns_are_fair_while_everybody_keeps_up() {
    arbtest(|u| {
        let mut bus = Bus::new(Limits::default());
        let patterns = ["recv jobs g\n", "recv * g\n", "recv > g\nrecv jobs g\n"];
        let mut members = Vec::new();
        for _ in 0..u.int_in_range(1..=6)? {
            members.push(bus.connect(u.choose(&patterns)?));
        }
        let mut senders = [bus.connect(""), bus.connect("")];
        let (mut sent, mut heard) = (0, vec![0; members.len()]);
        for _ in 0..u.int_in_range(1..=20)? {
            let count = u.int_in_range(1..=9)?;
            let sender = &mut senders[u.int_in_range(0..=1)?];
            bus.says(sender, &"send jobs x\n".repeat(count));
            sent += count;
            heard.iter_mut().zip(&members).for_each(|(sum, member)| *sum += lines_heard(member));
            assert_eq!(heard.iter().sum::<usize>(), sent);
            let spread = heard.iter().max().zip(heard.iter().min());
            assert!(spread.is_some_and(|(most, least)| most - least <= 1), "{heard:?}");
        }
        Ok(())
    });
}

#[test]
fn a_member_that_is_behind_is_passed_over_until_it_has_drained() {
    let mut bus = Bus::new(Limits { outbox_soft_bytes: 20, ..Limits::default() });
    let (slow, quick) = (bus.connect("recv jobs g\n"), bus.connect("recv jobs g\n"));
    let mut sender = bus.connect("");
    assert_eq!((lines_heard(&slow), lines_heard(&quick)), (0, 0));
    slow.pipe.limit(0, usize::MAX);
    // Two lines of 12 bytes are more than 20.
    let mut four_lines =
        |bus: &mut Bus| (0..4).for_each(|_| bus.says(&mut sender, "send jobs x\n"));
    four_lines(&mut bus);
    assert_eq!((lines_heard(&slow), lines_heard(&quick)), (0, 2));
    four_lines(&mut bus);
    assert_eq!((lines_heard(&slow), lines_heard(&quick)), (0, 4));
    slow.pipe.limit(usize::MAX, usize::MAX);
    bus.broker.flush(slow.connection.session());
    four_lines(&mut bus);
    assert_eq!((lines_heard(&slow), lines_heard(&quick)), (4, 2));
}

#[test]
fn a_line_goes_to_a_member_that_is_behind_when_all_are() {
    let mut bus = Bus::new(Limits { outbox_soft_bytes: 5, ..Limits::default() });
    let only = bus.connect("recv jobs g\n");
    let mut sender = bus.connect("");
    assert_eq!(lines_heard(&only), 0);
    only.pipe.limit(0, usize::MAX);
    bus.says(&mut sender, &"send jobs x\n".repeat(4));
    only.pipe.limit(usize::MAX, usize::MAX);
    bus.broker.flush(only.connection.session());
    assert_eq!(lines_heard(&only), 4);
}
