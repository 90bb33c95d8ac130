//! Which command goes to a device next, which is given again, and which not at all. No IO, no clock.

use std::collections::VecDeque;
use std::time::Duration;

use rooms_drivers::{Command, Reason, Refusal, Ticket};
use tokio::time::Instant;

/// More commands than this don't wait.
const WAITING_MAX: usize = 32;
/// A press is meant now: what has waited so long is not done any more.
const WAITS: Duration = Duration::from_secs(5);
/// What a device will do later (an input while it warms up) is kept so long,
const LATER: Duration = Duration::from_secs(120);
/// and tried so often, or when its power changes.
const LATER_EVERY: Duration = Duration::from_secs(5);
/// The first one and two more.
const TRIES: u8 = 3;

/// What came of a command.
pub(super) type Answer = (Ticket, Result<(), Refusal>);

/// The commands for one device.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    under_way: Option<Waiting>,
    /// Stops don't wait for others.
    stops: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    command: Command,
    ticket: Ticket,
    since: Instant,
    expires: Instant,
    /// It is for later: not before this.
    not_before: Option<Instant>,
    tries: u8,
    /// Why it was not accepted so far.
    refused: Option<Refusal>,
}

impl Queue {
    /// Takes a command in and says which others that ends. A newer one takes the place of an
    /// older one of the same slot; a stop goes to the front.
    pub(super) fn push(&mut self, command: Command, ticket: Ticket, now: Instant) -> Vec<Answer> {
        let (slot, is_stop) = (command.slot(), command.is_stop());
        let ends_dial = matches!(command, Command::Hangup(_));
        let mut ended = Vec::new();
        if command.is_idempotent() {
            self.waiting.retain(|old| {
                let stays = old.command.slot() != slot
                    && !(ends_dial && matches!(old.command, Command::Dial(_)));
                if !stays {
                    ended.push((old.ticket, Err(Reason::Replaced.into())));
                }
                stays
            });
        }
        if self.waiting.len() >= WAITING_MAX && !is_stop {
            ended.push((ticket, Err(Reason::Busy.into())));
            return ended;
        }
        let waiting = Waiting {
            command,
            ticket,
            since: now,
            expires: now + WAITS,
            not_before: None,
            tries: 0,
            refused: None,
        };
        if is_stop {
            self.waiting.push_front(waiting);
        } else {
            self.waiting.push_back(waiting);
        }
        ended
    }

    /// The command to give now, if there is one.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Command, Ticket)> {
        let is_free = self.under_way.is_none();
        let at = self.waiting.iter().position(|waiting| {
            waiting.command.is_stop()
                || is_free && waiting.not_before.is_none_or(|not_before| not_before <= now)
        })?;
        let mut given = self.waiting.remove(at)?;
        given.tries += 1;
        let next = (given.command.clone(), given.ticket);
        if given.command.is_stop() {
            self.stops.push(given);
        } else {
            self.under_way = Some(given);
        }
        Some(next)
    }

    /// What the driver says of a command. Gives it on, unless the command is to be given again.
    pub(super) fn answered(
        &mut self,
        ticket: Ticket,
        result: Result<(), Refusal>,
        now: Instant,
    ) -> Option<Answer> {
        let stop = self.stops.iter().position(|stop| stop.ticket == ticket);
        let mut given = match stop {
            Some(at) => self.stops.remove(at),
            None => self.under_way.take_if(|given| given.ticket == ticket)?,
        };
        let Err(refusal) = result else { return Some((ticket, Ok(()))) };
        let is_idempotent = given.command.is_idempotent();
        match refusal.reason {
            Reason::NotNow => {
                given.expires = given.since + LATER;
                given.not_before = Some(now + LATER_EVERY);
                given.tries = 0;
            }
            Reason::Timeout if is_idempotent && given.tries < TRIES => given.expires = now + WAITS,
            Reason::Offline if is_idempotent => {}
            _ => return Some((ticket, Err(refusal))),
        }
        let slot = given.command.slot();
        if self.waiting.iter().any(|newer| newer.command.slot() == slot) {
            return Some((ticket, Err(Reason::Replaced.into())));
        }
        given.refused = Some(refusal);
        self.waiting.push_front(given);
        None
    }

    /// What was for later may be possible now.
    pub(super) fn power_changed(&mut self) {
        self.waiting.iter_mut().for_each(|waiting| waiting.not_before = None);
    }

    /// Takes out what has waited too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Answer> {
        let mut expired = Vec::new();
        self.waiting.retain_mut(|waiting| {
            let stays = waiting.expires > now;
            if !stays {
                let text = "the device had no time for it within 5 s".to_owned();
                let late = Refusal { reason: Reason::Timeout, text };
                let refusal = waiting.refused.take().unwrap_or(late);
                expired.push((waiting.ticket, Err(refusal)));
            }
            stays
        });
        expired
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Instant> {
        let later = |waiting: &Waiting| waiting.not_before.filter(|_| self.under_way.is_none());
        self.waiting
            .iter()
            .map(|waiting| waiting.expires.min(later(waiting).unwrap_or(waiting.expires)))
            .min()
    }
}

#[cfg(test)]
mod tests;
