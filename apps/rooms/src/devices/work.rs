//! What was accepted and is not so yet: each wish and each step with what it waits for. No IO, no
//! clock.

use std::collections::BTreeMap;

use rooms_drivers::{Refusal, Ticket};
use rooms_messages::{DeviceName, Id, Reason, RoomName};
use tokio::time::{Duration, Instant};

use super::parts::{Part, Refused, is_met};

/// A device answers by then, or its session says that it did not; longer than anything there waits.
const ANSWER_PATIENCE: Duration = Duration::from_secs(150);

/// Who wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Somebody, under this name if he gave one.
    Wish(Option<Id>),
    /// The room that is started or stopped.
    Step(RoomName),
}

/// What ended: whose it was, and how.
pub(super) type Finished = (Owner, Result<(), Refused>);

/// A key of a device for which nothing is wanted any more.
pub(super) type Settled = (RoomName, DeviceName, String);

/// All that is under way.
#[derive(Debug, Default)]
pub(super) struct Work {
    number: u64,
    tasks: BTreeMap<u64, Task>,
}

#[derive(Debug)]
struct Task {
    owner: Owner,
    room: RoomName,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    ticket: Ticket,
    part: Part,
    accepted: bool,
    until: Instant,
}

/// What came of an event.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) finished: Vec<Finished>,
    pub(super) settled: Vec<Settled>,
}

impl Work {
    /// Takes in what was ordered. Older work for the same state of a device is over.
    pub(super) fn begin(
        &mut self,
        owner: Owner,
        room: &RoomName,
        parts: Vec<(Ticket, Part)>,
        now: Instant,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        for (_, part) in &parts {
            let Some((key, _)) = &part.target else { continue };
            let same = |open: &Open| {
                open.part.device == part.device
                    && open.part.target.as_ref().is_some_and(|(other, _)| other == key)
            };
            let older = self.find(|task, open| task.room == *room && same(open));
            for task in older {
                let text = "a newer wish took its place";
                self.end(task, Err(Refused::new(Reason::Cancelled, text)), &mut outcome);
            }
        }
        let until = now + ANSWER_PATIENCE;
        let open = parts.into_iter();
        let open = open.map(|(ticket, part)| Open { ticket, part, accepted: false, until });
        self.number += 1;
        let task = Task { owner, room: room.clone(), open: open.collect() };
        self.tasks.insert(self.number, task);
        self.finish(self.number, &mut outcome);
        outcome
    }

    /// The device has answered. `state` says what it reports.
    pub(super) fn answered(
        &mut self,
        ticket: Ticket,
        result: Result<(), Refusal>,
        state: impl Fn(&RoomName, &DeviceName, &str) -> Option<String>,
        now: Instant,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(number) = self.find(|_, open| open.ticket == ticket).pop() else { return outcome };
        if let Err(refusal) = result {
            let refused = Refused::new(reason(refusal.reason), refusal.text);
            self.end(number, Err(refused), &mut outcome);
            return outcome;
        }
        let Some(task) = self.tasks.get_mut(&number) else { return outcome };
        let room = task.room.clone();
        for open in task.open.iter_mut().filter(|open| open.ticket == ticket) {
            open.accepted = true;
            open.until = now + open.part.patience;
        }
        let mut met = Vec::new();
        task.open.retain(|open| {
            let is_met = open.ticket == ticket
                && open.part.target.as_ref().is_none_or(|(key, wanted)| {
                    let reported = state(&room, &open.part.device, key);
                    reported.is_some_and(|reported| is_met(wanted, &reported))
                });
            if let (true, Some((key, _))) = (is_met, &open.part.target) {
                met.push((room.clone(), open.part.device.clone(), key.clone()));
            }
            !is_met
        });
        outcome.settled.extend(met);
        self.finish(number, &mut outcome);
        outcome
    }

    /// The device has reported a state.
    pub(super) fn reported(
        &mut self,
        room: &RoomName,
        device: &DeviceName,
        key: &str,
        value: &str,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let of = |open: &Open| {
            open.accepted
                && open.part.device == *device
                && open
                    .part
                    .target
                    .as_ref()
                    .is_some_and(|(wanted, to)| wanted == key && is_met(to, value))
        };
        for number in self.find(|task, open| task.room == *room && of(open)) {
            if let Some(task) = self.tasks.get_mut(&number) {
                task.open.retain(|open| !of(open));
                outcome.settled.push((room.clone(), device.clone(), key.to_owned()));
            }
            self.finish(number, &mut outcome);
        }
        outcome
    }

    /// Gives up what has taken too long.
    pub(super) fn expire(&mut self, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        for number in self.find(|_, open| open.until <= now) {
            let text = self.tasks.get(&number).and_then(|task| task.open.first()).map(|open| {
                let what = &open.part.command;
                format!("{} has accepted `{what}`, but does not report it", open.part.device)
            });
            let text = text.unwrap_or_default();
            self.end(number, Err(Refused::new(Reason::Timeout, text)), &mut outcome);
        }
        outcome
    }

    /// Ends what waits for a device that is no more, or a step of a room.
    pub(super) fn cancel(
        &mut self,
        of: impl Fn(&Owner, &RoomName, &DeviceName) -> bool,
        why: &Refused,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        for number in self.find(|task, open| of(&task.owner, &task.room, &open.part.device)) {
            self.end(number, Err(why.clone()), &mut outcome);
        }
        outcome
    }

    /// When something takes too long.
    pub(super) fn due(&self) -> Option<Instant> {
        self.tasks.values().flat_map(|task| &task.open).map(|open| open.until).min()
    }

    fn find(&self, of: impl Fn(&Task, &Open) -> bool) -> Vec<u64> {
        let found =
            self.tasks.iter().filter(|(_, task)| task.open.iter().any(|open| of(task, open)));
        found.map(|(number, _)| *number).collect()
    }

    fn finish(&mut self, number: u64, outcome: &mut Outcome) {
        if self.tasks.get(&number).is_some_and(|task| task.open.is_empty()) {
            self.end(number, Ok(()), outcome);
        }
    }

    fn end(&mut self, number: u64, result: Result<(), Refused>, outcome: &mut Outcome) {
        let Some(task) = self.tasks.remove(&number) else { return };
        for open in task.open {
            if let Some((key, _)) = open.part.target {
                outcome.settled.push((task.room.clone(), open.part.device, key));
            }
        }
        outcome.finished.push((task.owner, result));
    }
}

/// A driver's reason in the words of messages.
pub(super) fn reason(reason: rooms_drivers::Reason) -> Reason {
    use rooms_drivers::Reason as Of;
    match reason {
        Of::Unsupported | Of::Invalid => Reason::Unsupported,
        Of::NotNow | Of::Rejected | Of::DeviceError => Reason::DeviceError,
        Of::Timeout => Reason::Timeout,
        Of::Busy => Reason::Busy,
        Of::Replaced => Reason::Cancelled,
        Of::Offline => Reason::Offline,
    }
}

#[cfg(test)]
mod tests;
