//! Which wishes were answered how, so that each gets exactly one answer and, once accepted, exactly
//! one outcome; and so that a wish said twice is one wish.

use std::collections::VecDeque;
use std::time::Duration;

use crate::link::Pair;
use crate::{Effect, Fact, Request, Why};

/// How long an answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Within this time two equal wishes of the same user, with no other between them, are one press of
/// an unsteady finger; unless the first came to nothing, since the second can come to something.
const ONE_PRESS: Duration = Duration::from_secs(1);

/// Wishes that are remembered. Beyond it the oldest finished one is forgotten; if all are under way,
/// a new one is refused.
pub(crate) const WISHES_MAX: usize = 4096;

/// What an accepted wish waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Goal {
    /// The two are connected.
    Connected(Pair),
    /// The two have no link.
    Idle(Pair),
    /// Nothing: it is so already.
    Reached,
}

/// The first answer to a wish.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Accepted { already: bool, goal: Goal },
    Refused(Why),
}

type Outcome = Result<(), Why>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    request: Request,
    at: Duration,
    answer: Answer,
    /// What became of it, once that is known.
    outcome: Option<Outcome>,
}

impl Entry {
    fn is_finished(&self) -> bool {
        self.outcome.is_some() || matches!(self.answer, Answer::Refused(_))
    }

    fn came_to_nothing(&self) -> bool {
        matches!(self.outcome, Some(Err(_))) || matches!(self.answer, Answer::Refused(_))
    }

    fn say_answer(&self, effects: &mut Vec<Effect>) {
        let id = self.request.id.clone();
        effects.push(Effect::Fact(match &self.answer {
            Answer::Accepted { already, .. } => Fact::Accepted { id, already: *already },
            Answer::Refused(why) => Fact::Refused { id, why: why.clone() },
        }));
    }

    fn say_outcome(&self, effects: &mut Vec<Effect>) {
        if let (Some(id), Some(outcome)) = (self.request.id.clone(), &self.outcome) {
            effects.push(Effect::Fact(match outcome {
                Ok(()) => Fact::Done { id },
                Err(why) => Fact::Failed { id, why: why.clone() },
            }));
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
}

impl Ledger {
    /// Says the first answer again if this wish was said before. The outcome is said too if it is
    /// known; if not, it will be.
    pub(crate) fn repeat(
        &mut self,
        request: &Request,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> bool {
        self.forget(now);
        let same_id = |entry: &&Entry| request.id.is_some() && entry.request.id == request.id;
        if let Some(entry) = self.entries.iter().find(same_id) {
            entry.say_answer(effects);
            entry.say_outcome(effects);
            return true;
        }
        if request.by.is_none() || self.is_full() {
            return false;
        }
        let same_press = |entry: &&Entry| {
            entry.request.wish == request.wish
                && !entry.came_to_nothing()
                && now.saturating_sub(entry.at) < ONE_PRESS
        };
        let last = self.entries.iter().rfind(|entry| entry.request.by == request.by);
        let Some(first) = last.filter(same_press) else { return false };
        let entry = Entry { request: request.clone(), ..first.clone() };
        entry.say_answer(effects);
        entry.say_outcome(effects);
        self.push(entry);
        true
    }

    /// Whether one more wish can be remembered.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= WISHES_MAX && self.entries.iter().all(|entry| !entry.is_finished())
    }

    /// Answers a new wish and remembers it.
    pub(crate) fn answer(
        &mut self,
        request: Request,
        answer: Answer,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        let outcome =
            matches!(answer, Answer::Accepted { goal: Goal::Reached, .. }).then_some(Ok(()));
        let entry = Entry { request, at: now, answer, outcome };
        entry.say_answer(effects);
        entry.say_outcome(effects);
        self.push(entry);
    }

    /// What all wishes with this goal come to.
    pub(crate) fn settle(&mut self, reached: Goal, outcome: &Outcome, effects: &mut Vec<Effect>) {
        for entry in &mut self.entries {
            let waits = matches!(entry.answer, Answer::Accepted { goal, .. } if goal == reached);
            if waits && entry.outcome.is_none() {
                entry.outcome = Some(outcome.clone());
                entry.say_outcome(effects);
            }
        }
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= WISHES_MAX
            && let Some(oldest) = self.entries.iter().position(Entry::is_finished)
        {
            self.entries.remove(oldest);
        }
        if self.entries.len() < WISHES_MAX {
            self.entries.push_back(entry);
        }
    }

    fn forget(&mut self, now: Duration) {
        self.entries
            .retain(|entry| !entry.is_finished() || now.saturating_sub(entry.at) < REMEMBERED);
    }

    /// Ids of wishes that wait for their outcome.
    #[cfg(test)]
    pub(crate) fn open(&self) -> impl Iterator<Item = &crate::WishId> {
        self.entries
            .iter()
            .filter(|entry| !entry.is_finished())
            .filter_map(|e| e.request.id.as_ref())
    }

    /// Forgets what is finished, as time would.
    #[cfg(test)]
    pub(crate) fn forget_finished(&mut self) {
        self.entries.retain(|entry| !entry.is_finished());
    }
}
