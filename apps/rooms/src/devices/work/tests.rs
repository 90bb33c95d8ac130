//! What becomes of work, without devices and without time passing.

use rooms_drivers::Command;

use super::*;

fn room() -> RoomName {
    "room-a".parse().expect("it is one")
}

fn device() -> DeviceName {
    "projector".parse().expect("it is one")
}

fn part(command: &str, target: Option<(&str, &str)>) -> Part {
    let command: Command = command.parse().expect("it is one");
    let target = target.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Part { device: device(), command, target, patience: Duration::from_secs(15) }
}

fn power_on() -> Part {
    part("power on", Some(("power", "on")))
}

fn owner(id: &str) -> Owner {
    Owner::Wish(id.parse().ok())
}

struct Bench {
    work: Work,
    begin: Instant,
}

impl Bench {
    /// With one wish `a` for each of these, on tickets from 1 on.
    fn with(parts: Vec<Part>) -> Bench {
        let begin = Instant::now();
        let mut work = Work::default();
        let parts = (1..).map(Ticket).zip(parts).collect();
        let outcome = work.begin(owner("a"), &room(), parts, begin);
        assert!(outcome.finished.is_empty());
        Bench { work, begin }
    }

    fn answer(&mut self, ticket: u64, result: Result<(), Refusal>, state: &str) -> Vec<Finished> {
        let state = Some(state.to_owned()).filter(|state| !state.is_empty());
        let outcome =
            self.work.answered(Ticket(ticket), result, |_, _, _| state.clone(), self.begin);
        outcome.finished
    }

    fn report(&mut self, key: &str, value: &str) -> Vec<Finished> {
        self.work.reported(&room(), &device(), key, value).finished
    }
}

#[test]
fn what_was_accepted_is_done_when_it_is_reported() {
    let mut bench = Bench::with(vec![power_on()]);
    assert_eq!(bench.report("power", "on"), [], "it was on before it was told");
    assert_eq!(bench.answer(1, Ok(()), "off"), []);
    assert_eq!(bench.report("power", "warming"), []);
    assert_eq!(bench.report("power", "on"), [(owner("a"), Ok(()))]);
    assert_eq!(bench.report("power", "on"), []);
}

#[test]
fn what_is_so_already_is_done_when_it_is_accepted() {
    let mut bench = Bench::with(vec![power_on()]);
    assert_eq!(bench.answer(1, Ok(()), "on"), [(owner("a"), Ok(()))]);
}

#[test]
fn what_nobody_reports_is_done_when_it_is_accepted() {
    let mut bench = Bench::with(vec![part("preset recall 1", None)]);
    assert_eq!(bench.answer(1, Ok(()), ""), [(owner("a"), Ok(()))]);
}

#[test]
fn a_wish_of_several_parts_is_done_with_the_last_and_failed_with_the_first_that_fails() {
    let parts = vec![power_on(), part("blank off", Some(("blank", "off")))];
    let mut bench = Bench::with(parts.clone());
    assert_eq!(bench.answer(1, Ok(()), "on"), []);
    assert_eq!(bench.answer(2, Ok(()), "off"), [(owner("a"), Ok(()))]);
    let mut bench = Bench::with(parts);
    let text = "the lamp is broken".to_owned();
    let refusal = Refusal { reason: rooms_drivers::Reason::DeviceError, text };
    let refused = Refused::new(Reason::DeviceError, "the lamp is broken");
    assert_eq!(bench.answer(2, Err(refusal), ""), [(owner("a"), Err(refused))]);
    assert_eq!(bench.answer(1, Ok(()), "on"), []);
}

#[test]
fn a_newer_wish_for_the_same_state_ends_the_older() {
    let mut bench = Bench::with(vec![power_on()]);
    let off = part("power off", Some(("power", "off")));
    let outcome = bench.work.begin(owner("b"), &room(), vec![(Ticket(9), off)], bench.begin);
    let refused = Refused::new(Reason::Cancelled, "a newer wish took its place");
    assert_eq!(outcome.finished, [(owner("a"), Err(refused))]);
    assert_eq!(bench.answer(9, Ok(()), "off"), [(owner("b"), Ok(()))]);
}

#[test]
fn what_is_accepted_and_not_reported_in_time_has_failed() {
    let mut bench = Bench::with(vec![power_on()]);
    bench.answer(1, Ok(()), "off");
    let due = bench.begin + Duration::from_secs(15);
    assert_eq!(bench.work.due(), Some(due));
    let outcome = bench.work.expire(due);
    let text = "projector has accepted `power on`, but does not report it";
    let refused = Refused::new(Reason::Timeout, text);
    assert_eq!(outcome.finished, [(owner("a"), Err(refused))]);
    assert_eq!(outcome.settled, [(room(), device(), "power".to_owned())]);
    assert_eq!(bench.work.due(), None);
}

#[test]
fn who_waits_for_a_device_that_is_no_more_is_told() {
    let mut bench = Bench::with(vec![power_on()]);
    let why = Refused::new(Reason::Offline, "it is gone");
    let outcome = bench.work.cancel(|_, _, of| *of == device(), &why);
    assert_eq!(outcome.finished, [(owner("a"), Err(why))]);
}
