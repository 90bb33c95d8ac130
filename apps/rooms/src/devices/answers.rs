//! What was answered to which wish: one that is said again within a minute gets the same answer,
//! and is not done twice. No IO, no clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rooms_messages::{Fact, Id};
use tokio::time::Instant;

/// A wish with the same id is the same wish for so long.
const KEPT: Duration = Duration::from_secs(60);
/// More ids than people and panels can say in a minute; beyond, the oldest is forgotten.
const IDS_MAX: usize = 4096;

/// The first answer to each wish that had an id.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_id: HashMap<Id, Fact>,
    order: VecDeque<(Instant, Id)>,
}

impl Answers {
    /// The first answer to a wish of this id, if it is known.
    pub(super) fn first(&mut self, id: &Id, now: Instant) -> Option<&Fact> {
        while let Some((since, oldest)) = self.order.front()
            && now.saturating_duration_since(*since) >= KEPT
        {
            self.by_id.remove(oldest);
            self.order.pop_front();
        }
        self.by_id.get(id)
    }

    /// Keeps an answer, if it is the first of its id.
    pub(super) fn keep(&mut self, answer: &Fact, now: Instant) {
        let (Fact::Accepted { id: Some(id), .. } | Fact::Refused { id: Some(id), .. }) = answer
        else {
            return;
        };
        if self.by_id.contains_key(id) {
            return;
        }
        if self.order.len() == IDS_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        self.order.push_back((now, id.clone()));
        self.by_id.insert(id.clone(), answer.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(id: &str) -> Fact {
        Fact::Accepted { already: false, id: id.parse().ok() }
    }

    #[test]
    fn the_first_answer_is_kept_for_a_minute() {
        let (mut answers, begin) = (Answers::default(), Instant::now());
        let id: Id = "p7".parse().expect("it is one");
        answers.keep(&accepted("p7"), begin);
        answers.keep(&Fact::Accepted { already: true, id: Some(id.clone()) }, begin);
        let soon = begin + Duration::from_secs(59);
        assert_eq!(answers.first(&id, soon), Some(&accepted("p7")));
        assert_eq!(answers.first(&id, begin + KEPT), None);
    }

    #[test]
    fn no_more_than_4096_are_kept() {
        let (mut answers, begin) = (Answers::default(), Instant::now());
        for number in 0..=IDS_MAX {
            answers.keep(&accepted(&number.to_string()), begin);
        }
        assert_eq!(answers.first(&"0".parse().expect("it is one"), begin), None);
        assert!(answers.first(&"1".parse().expect("it is one"), begin).is_some());
        assert_eq!(answers.by_id.len(), IDS_MAX);
    }
}
