//! A content that comes in parts: which are there, which to ask for, and whether it is right.

use std::time::Duration;

use crate::hash::Hash;
use crate::message::Message;
use crate::name::OwnerName;
use crate::parts::{self, Ranges};
use crate::retry::{Patience, Retry};

/// One content that is wanted and not there yet.
#[derive(Debug)]
pub(crate) struct Incoming {
    owner: OwnerName,
    hash: Hash,
    part_bytes: usize,
    /// Its size, as announced.
    bytes: usize,
    content: Vec<u8>,
    have: Vec<bool>,
    missing: usize,
    /// Counts the questions: only the end of the answer to the latest one means anything, or
    /// lines that come twice would make questions of questions.
    ask: u32,
    /// What the latest question named and is not there yet.
    awaited: Vec<u32>,
    retry: Retry,
    /// When the last new part came.
    heard: Duration,
}

/// What is to be done now.
#[derive(Debug)]
pub(crate) enum Step {
    Wait,
    Ask(Message),
    Complete(Vec<u8>),
    /// All parts are there, and they are not the content that was announced.
    WrongHash,
}

impl Incoming {
    /// The announced size has been checked: memory for it is taken here.
    pub(crate) fn new(
        owner: OwnerName,
        hash: Hash,
        bytes: usize,
        part_bytes: usize,
        patience: Patience,
        now: Duration,
    ) -> Self {
        let parts = parts::count(bytes, part_bytes) as usize;
        Self {
            owner,
            hash,
            part_bytes,
            bytes,
            content: vec![0; bytes],
            have: vec![false; parts],
            missing: parts,
            ask: 0,
            awaited: Vec::new(),
            retry: Retry::new(patience, now),
            heard: now,
        }
    }

    pub(crate) fn is_of(&self, owner: &OwnerName, hash: Hash) -> bool {
        self.hash == hash && self.owner == *owner
    }

    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn heard(&self) -> Duration {
        self.heard
    }

    /// When [`Incoming::step`] has something to do, if nothing comes before.
    pub(crate) fn due(&self) -> Duration {
        self.retry.due()
    }

    /// Asks, if it is time to.
    pub(crate) fn step(&mut self, now: Duration) -> Step {
        if self.missing == 0 {
            let content = std::mem::take(&mut self.content);
            return if Hash::of(&content) == self.hash {
                Step::Complete(content)
            } else {
                Step::WrongHash
            };
        }
        if now < self.retry.due() {
            return Step::Wait;
        }
        let missing = self.have.iter().zip(1..).filter(|(have, _)| !**have);
        let parts = Ranges::first_of(missing.map(|(_, number)| number)).expect("some are missing");
        self.ask = self.ask.wrapping_add(1);
        self.awaited = parts.numbers().collect();
        self.retry.asked(now);
        Step::Ask(Message::Want {
            owner: self.owner.clone(),
            hash: self.hash,
            ask: self.ask,
            part_bytes: self.part_bytes,
            parts,
        })
    }

    /// A part has come. One that is no part of this content is as good as lost.
    pub(crate) fn part(&mut self, number: u32, bytes: &[u8], now: Duration) -> Step {
        let place = parts::place(number, self.bytes, self.part_bytes);
        let Some(place) = place.filter(|place| place.len() == bytes.len()) else {
            return Step::Wait;
        };
        let have = &mut self.have[number as usize - 1];
        if *have {
            return Step::Wait;
        }
        *have = true;
        self.content[place].copy_from_slice(bytes);
        self.missing -= 1;
        self.heard = now;
        self.awaited.retain(|awaited| *awaited != number);
        self.retry.progress(now);
        if self.awaited.is_empty() { self.step_now(now) } else { Step::Wait }
    }

    /// All that was asked for has been sent: what is not here is lost.
    pub(crate) fn end(&mut self, ask: u32, now: Duration) -> Step {
        if ask == self.ask && !self.awaited.is_empty() { self.step_now(now) } else { Step::Wait }
    }

    fn step_now(&mut self, now: Duration) -> Step {
        self.retry.now(now);
        self.step(now)
    }
}

/// The answer to a [`Message::Want`]: those of the parts that there are, and the end.
pub(crate) fn answer(
    owner: &OwnerName,
    hash: Hash,
    content: &[u8],
    (ask, part_bytes, wanted): (u32, usize, &Ranges),
) -> impl Iterator<Item = Message> {
    let part = move |number| {
        let place = parts::place(number, content.len(), part_bytes)?;
        let bytes = content[place].to_vec();
        Some(Message::Part { owner: owner.clone(), hash, number, bytes })
    };
    let end = Message::End { owner: owner.clone(), hash, ask };
    wanted.numbers().filter_map(part).chain([end])
}

#[cfg(test)]
mod tests;
