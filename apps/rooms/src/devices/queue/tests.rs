//! What the queue gives when, without a device and without time passing.

use super::*;

struct Bench {
    queue: Queue,
    begin: Instant,
    tickets: u64,
}

impl Bench {
    fn new() -> Bench {
        Bench { queue: Queue::default(), begin: Instant::now(), tickets: 0 }
    }

    fn at(&self, seconds: f32) -> Instant {
        self.begin + Duration::from_secs_f32(seconds)
    }

    fn push(&mut self, seconds: f32, command: &str) -> Vec<Answer> {
        self.tickets += 1;
        let command = command.parse().expect("it is one");
        self.queue.push(command, Ticket(self.tickets), self.at(seconds))
    }

    fn next(&mut self, seconds: f32) -> Option<String> {
        self.queue.next(self.at(seconds)).map(|(command, _)| command.to_string())
    }

    fn fail(&mut self, seconds: f32, ticket: u64, reason: Reason) -> Option<Answer> {
        self.queue.answered(Ticket(ticket), Err(reason.into()), self.at(seconds))
    }

    fn done(&mut self, seconds: f32, ticket: u64) {
        let answer = self.queue.answered(Ticket(ticket), Ok(()), self.at(seconds));
        assert_eq!(answer, Some((Ticket(ticket), Ok(()))));
    }
}

fn failed(ticket: u64, reason: Reason) -> Answer {
    (Ticket(ticket), Err(reason.into()))
}

#[test]
fn one_after_the_other_in_their_order() {
    let mut bench = Bench::new();
    assert_eq!(bench.push(0.0, "power on"), []);
    assert_eq!(bench.push(0.0, "volume 40"), []);
    assert_eq!(bench.next(0.0).as_deref(), Some("power on"));
    assert_eq!(bench.next(0.0), None);
    bench.done(0.1, 1);
    assert_eq!(bench.next(0.1).as_deref(), Some("volume 40"));
}

#[test]
fn the_newest_takes_the_place_of_what_waits() {
    let mut bench = Bench::new();
    bench.push(0.0, "input hdmi1");
    bench.next(0.0);
    assert_eq!(bench.push(0.1, "input hdmi2"), []);
    assert_eq!(bench.push(0.2, "input hdmi3"), [failed(2, Reason::Replaced)]);
    bench.done(0.3, 1);
    assert_eq!(bench.next(0.3).as_deref(), Some("input hdmi3"));
}

#[test]
fn two_presses_of_louder_are_two() {
    let mut bench = Bench::new();
    assert_eq!(bench.push(0.0, "volume +5"), []);
    assert_eq!(bench.push(0.0, "volume +5"), []);
    assert_eq!(bench.next(0.0).as_deref(), Some("volume +5"));
    bench.done(0.0, 1);
    assert_eq!(bench.next(0.0).as_deref(), Some("volume +5"));
}

#[test]
fn a_stop_waits_for_nothing_and_ends_the_movement_that_waits() {
    let mut bench = Bench::new();
    bench.push(0.0, "preset recall 1");
    bench.next(0.0);
    bench.push(0.1, "zoom in");
    bench.push(0.1, "move left 40");
    assert_eq!(bench.push(0.2, "move stop"), [failed(3, Reason::Replaced)]);
    assert_eq!(bench.next(0.2).as_deref(), Some("move stop"));
    assert_eq!(bench.next(0.2), None);
    bench.done(0.3, 4);
    bench.done(0.3, 1);
    assert_eq!(bench.next(0.3).as_deref(), Some("zoom in"));
}

#[test]
fn a_hangup_ends_the_dial_that_waits() {
    let mut bench = Bench::new();
    bench.push(0.0, "prepare");
    bench.next(0.0);
    bench.push(0.0, "dial sip:lisbon@example.net");
    assert_eq!(bench.push(0.1, "hangup"), [failed(2, Reason::Replaced)]);
}

#[test]
fn at_most_32_wait_but_a_stop_always_may() {
    let mut bench = Bench::new();
    for zone in 0..32 {
        assert_eq!(bench.push(0.0, &format!("level zone-{zone} 10")), []);
    }
    assert_eq!(bench.push(0.0, "power on"), [failed(33, Reason::Busy)]);
    assert_eq!(bench.push(0.0, "level zone-7 20"), [failed(8, Reason::Replaced)]);
    assert_eq!(bench.push(0.0, "move stop"), []);
}

#[test]
fn what_has_waited_5_s_is_not_done_any_more() {
    let mut bench = Bench::new();
    bench.push(0.0, "power on");
    assert_eq!(bench.queue.due(), Some(bench.at(5.0)));
    assert_eq!(bench.queue.expire(bench.at(4.9)), []);
    let expired = bench.queue.expire(bench.at(5.0));
    assert!(
        matches!(&expired[..], [(Ticket(1), Err(refusal))] if refusal.reason == Reason::Timeout)
    );
    assert_eq!(bench.next(5.0), None);
}

#[test]
fn what_the_device_will_do_later_is_given_again_when_its_power_changes() {
    let mut bench = Bench::new();
    bench.push(0.0, "input hdmi1");
    bench.next(0.0);
    assert_eq!(bench.fail(0.1, 1, Reason::NotNow), None);
    assert_eq!(bench.next(1.0), None);
    assert_eq!(bench.queue.expire(bench.at(30.0)), []);
    bench.queue.power_changed();
    assert_eq!(bench.next(30.0).as_deref(), Some("input hdmi1"));
}

#[test]
fn or_every_5_s_for_2_minutes() {
    let mut bench = Bench::new();
    bench.push(0.0, "power off");
    bench.next(0.0);
    bench.fail(1.0, 1, Reason::NotNow);
    assert_eq!(bench.next(5.9), None);
    assert_eq!(bench.queue.due(), Some(bench.at(6.0)));
    assert_eq!(bench.next(6.0).as_deref(), Some("power off"));
    bench.fail(7.0, 1, Reason::NotNow);
    assert_eq!(bench.queue.expire(bench.at(120.0)), [failed(1, Reason::NotNow)]);
}

#[test]
fn silence_is_tried_twice_more_if_twice_is_as_good_as_once() {
    let mut bench = Bench::new();
    bench.push(0.0, "power on");
    for second in [0.0, 3.0] {
        bench.next(second);
        assert_eq!(bench.fail(second + 3.0, 1, Reason::Timeout), None);
    }
    bench.next(6.0);
    assert_eq!(bench.fail(9.0, 1, Reason::Timeout), Some(failed(1, Reason::Timeout)));
    bench.push(9.0, "volume +5");
    bench.next(9.0);
    assert_eq!(bench.fail(12.0, 2, Reason::Timeout), Some(failed(2, Reason::Timeout)));
}

#[test]
fn what_was_under_way_when_the_connection_broke_waits_for_another_for_5_s() {
    let mut bench = Bench::new();
    bench.push(0.0, "power on");
    bench.next(0.0);
    assert_eq!(bench.fail(1.0, 1, Reason::Offline), None);
    assert_eq!(bench.next(2.0).as_deref(), Some("power on"));
    assert_eq!(bench.fail(3.0, 1, Reason::Offline), None);
    assert_eq!(bench.queue.expire(bench.at(5.0)), [failed(1, Reason::Offline)]);
}

#[test]
fn what_is_given_again_gives_way_to_a_newer_one() {
    let mut bench = Bench::new();
    bench.push(0.0, "power on");
    bench.next(0.0);
    bench.push(1.0, "power off");
    assert_eq!(bench.fail(3.0, 1, Reason::Timeout), Some(failed(1, Reason::Replaced)));
    assert_eq!(bench.next(3.0).as_deref(), Some("power off"));
}
