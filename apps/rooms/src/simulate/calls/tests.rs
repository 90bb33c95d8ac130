//! Calls between codecs 1, 2 and 3 of rooms a, b and c.

use super::*;

const A: usize = 1;
const B: usize = 2;
const C: usize = 3;

struct Table {
    calls: Calls,
    now: Duration,
    news: News,
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a name")
}

impl Table {
    fn new(answers: bool) -> Table {
        let mut calls = Calls::default();
        for (codec, name) in [(A, "a"), (B, "b"), (C, "c")] {
            let number = format!("sip:{name}@example.net");
            calls.add(codec, room(name), std::slice::from_ref(&number), number.clone());
        }
        let mut table = Table { calls, now: Duration::ZERO, news: News::new() };
        for codec in [A, B, C] {
            table.act(codec, CallAction::AutoAnswer(answers));
        }
        table
    }

    fn act(&mut self, codec: usize, action: CallAction) {
        self.calls.act(codec, action, self.now, &mut self.news);
    }

    fn dial(&mut self, codec: usize, number: &str) {
        self.act(codec, CallAction::Dial(number.to_owned()));
    }

    /// Plays until nothing is due in so many seconds; what each codec has heard of last.
    fn play(&mut self, seconds: u64) -> Vec<(usize, Stage)> {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(due) = self.calls.due().filter(|due| *due <= end) {
            self.now = due;
            self.calls.tick(due, &mut self.news);
        }
        self.now = end;
        let mut last = BTreeMap::new();
        for (codec, news) in self.news.drain(..) {
            last.insert(codec, news.stage);
        }
        last.into_iter().collect()
    }
}

fn ended(reason: EndReason, by_us: bool) -> Stage {
    Stage::Ended { reason, by_us }
}

#[test]
fn who_is_called_answers_and_both_are_connected() {
    let mut table = Table::new(true);
    table.dial(A, "B@example.net");
    assert_eq!(table.play(1), [(A, Stage::Connected), (B, Stage::Connected)]);
    table.act(B, CallAction::Hangup(None));
    let [here, there] = [ended(EndReason::Normal, false), ended(EndReason::Normal, true)];
    assert_eq!(table.play(1), [(A, here), (B, there)]);
}

#[test]
fn who_is_in_a_call_is_busy() {
    let mut table = Table::new(true);
    table.dial(A, "sip:b@example.net");
    table.play(1);
    table.dial(C, "sip:b@example.net");
    assert_eq!(table.play(1), [(C, ended(EndReason::Busy, false))]);
}

#[test]
fn a_number_of_nobody_is_unreachable() {
    let mut table = Table::new(true);
    table.dial(A, "nobody@example.net");
    assert_eq!(table.play(1), [(A, ended(EndReason::Unreachable, false))]);
}

#[test]
fn where_nobody_answers_it_rings_until_it_is_given_up() {
    let mut table = Table::new(false);
    table.dial(A, "b@example.net");
    assert_eq!(table.play(5), [(A, Stage::Ringing), (B, Stage::Ringing)]);
    let end = ended(EndReason::NoAnswer, false);
    assert_eq!(table.play(30), [(A, end), (B, end)]);
    table.dial(A, "b@example.net");
    table.play(1);
    table.act(B, CallAction::Answer);
    assert_eq!(table.play(0), [(A, Stage::Connected), (B, Stage::Connected)]);
}

#[test]
fn a_call_that_is_declined_was_rejected() {
    let mut table = Table::new(false);
    table.dial(A, "b@example.net");
    table.play(1);
    table.act(B, CallAction::Hangup(None));
    assert_eq!(table.play(1)[0], (A, ended(EndReason::Rejected, false)));
}

#[test]
fn a_call_that_is_lost_on_one_side_lasts_on_the_other() {
    let mut table = Table::new(true);
    table.dial(A, "b@example.net");
    table.play(1);
    table.calls.lose([&room("a"), &room("b")], Some(&room("b")), &mut table.news).expect("it is");
    assert_eq!(table.play(60), [(B, ended(EndReason::Network, false))]);
    table.act(A, CallAction::Hangup(None));
    assert_eq!(table.play(1), [(A, ended(EndReason::Normal, true))]);
    let wrong = table.calls.lose([&room("a"), &room("b")], None, &mut table.news);
    assert_eq!(wrong, Err("there is no call between a and b".to_owned()));
}

#[test]
fn who_loses_power_is_missed_after_a_while() {
    let mut table = Table::new(true);
    table.dial(A, "b@example.net");
    table.play(1);
    table.calls.lost_power(B, table.now);
    assert_eq!(table.play(2), []);
    assert_eq!(table.play(2), [(A, ended(EndReason::Network, false))]);
    table.dial(C, "b@example.net");
    assert_eq!(table.play(1), [(C, ended(EndReason::Unreachable, false))]);
    table.calls.is_back(B);
    table.dial(C, "b@example.net");
    assert_eq!(table.play(1), [(B, Stage::Ringing), (C, Stage::Ringing)]);
}

#[test]
fn somebody_from_outside_can_ring() {
    let mut table = Table::new(true);
    table.calls.ring(&room("a"), "+43 1 555", table.now, &mut table.news).expect("it is free");
    assert_eq!(table.play(1), [(A, Stage::Connected)]);
    assert!(table.calls.ring(&room("a"), "+43 1 555", table.now, &mut table.news).is_err());
}
