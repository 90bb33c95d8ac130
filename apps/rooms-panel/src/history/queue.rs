//! What waits to be written: in the order in which it came, each record once.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use crate::records::Record;

/// So many records may wait; then the oldest go.
pub const WAITING_MAX: usize = 100_000;

/// Which record: its kind and its id.
type Key = (u8, i64);

fn key(record: &Record) -> Key {
    match record {
        Record::Call(call) => (0, call.id),
        Record::Audit(audit) => (1, audit.id),
        Record::Alert(alert) => (2, alert.id),
        Record::Help(help) => (3, help.id),
    }
}

/// Records in their order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<i64, Record>,
    places: HashMap<Key, i64>,
}

impl Queue {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a record, in the place of an older one with its id; says how many had to go for it.
    pub(super) fn add(&mut self, record: Record) -> u64 {
        let next = self.waiting.last_key_value().map_or(0, |(place, _)| place + 1);
        let place = *self.places.entry(key(&record)).or_insert(next);
        self.waiting.insert(place, record);
        self.shrink()
    }

    /// Takes the oldest.
    pub(super) fn take(&mut self, count: usize) -> Vec<Record> {
        std::iter::from_fn(|| self.take_first()).take(count).collect()
    }

    /// Puts back before all others what was taken, but not what has a newer record by now; says how
    /// many had to go.
    pub(super) fn put_back(&mut self, records: Vec<Record>) -> u64 {
        let mut place = self.waiting.first_key_value().map_or(0, |(place, _)| *place);
        for record in records.into_iter().rev() {
            if let Entry::Vacant(vacant) = self.places.entry(key(&record)) {
                place -= 1;
                vacant.insert(place);
                self.waiting.insert(place, record);
            }
        }
        self.shrink()
    }

    fn take_first(&mut self) -> Option<Record> {
        let (_, record) = self.waiting.pop_first()?;
        self.places.remove(&key(&record));
        Some(record)
    }

    fn shrink(&mut self) -> u64 {
        let mut lost = 0;
        while self.len() > WAITING_MAX {
            self.take_first();
            lost += 1;
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::records::Audit;

    fn audit(id: i64, what: &str) -> Record {
        Record::Audit(Audit {
            id,
            at: Timestamp::UNIX_EPOCH,
            who: String::new(),
            room: None,
            what: what.to_owned(),
            answer: String::new(),
            reason: String::new(),
            answered: None,
        })
    }

    #[test]
    fn a_newer_record_takes_the_place_of_the_one_that_waits() {
        let mut queue = Queue::default();
        for (id, what) in [(1, "old"), (2, "other"), (1, "new")] {
            assert_eq!(queue.add(audit(id, what)), 0);
        }
        assert_eq!(queue.take(10), [audit(1, "new"), audit(2, "other")]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn what_is_put_back_comes_first_and_never_hides_a_newer_record() {
        let mut queue = Queue::default();
        for id in 1..=4 {
            queue.add(audit(id, "old"));
        }
        let taken = queue.take(3);
        queue.add(audit(2, "new"));
        assert_eq!(queue.put_back(taken), 0);
        let expected = [audit(1, "old"), audit(3, "old"), audit(4, "old"), audit(2, "new")];
        assert_eq!(queue.take(10), expected);
    }

    #[test]
    fn beyond_the_bound_the_oldest_go_and_are_counted() {
        let mut queue = Queue::default();
        let bound = i64::try_from(WAITING_MAX).expect("it is small");
        let lost: u64 = (0..bound + 3).map(|id| queue.add(audit(id, ""))).sum();
        assert_eq!((lost, queue.len()), (3, WAITING_MAX));
        let taken = queue.take(2);
        assert_eq!(taken, [audit(3, ""), audit(4, "")]);
        // Full again before they come back: one of them has no place any more.
        queue.add(audit(bound + 3, ""));
        assert_eq!(queue.put_back(taken), 1);
        assert_eq!(queue.take(1), [audit(4, "")]);
    }
}
