//! Asking a keeper what it keeps of an owner, until the answer is complete.

use std::time::Duration;

use crate::DATA_SET_BYTES_MAX;
use crate::catalogue::{self, BadCatalogue, Catalogue};
use crate::hash::Hash;
use crate::incoming::{Incoming, Step};
use crate::message::Message;
use crate::name::OwnerName;
use crate::retry::{Patience, Retry};

/// What for: a keeper tells people when somebody restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    List,
    Restore,
}

/// A question for the catalogue, under way.
#[derive(Debug)]
pub(crate) struct Asking {
    owner: OwnerName,
    purpose: Purpose,
    /// The answer repeats it, so that one to an earlier question is none.
    id: u64,
    part_bytes: usize,
    patience: Patience,
    retry: Retry,
    incoming: Option<Incoming>,
    /// Why the last answer was none.
    bad: Option<BadCatalogue>,
}

impl Asking {
    pub(crate) fn new(
        owner: OwnerName,
        purpose: Purpose,
        id: u64,
        part_bytes: usize,
        patience: Patience,
        now: Duration,
    ) -> Self {
        let retry = Retry::new(patience, now);
        Self { owner, purpose, id, part_bytes, patience, retry, incoming: None, bad: None }
    }

    pub(crate) fn due(&self) -> Duration {
        self.incoming.as_ref().map_or(self.retry.due(), Incoming::due)
    }

    /// When a part came the last time.
    pub(crate) fn heard(&self) -> Option<Duration> {
        self.incoming.as_ref().map(Incoming::heard)
    }

    /// What is wrong with the latest catalogue that has come.
    pub(crate) fn bad(&self) -> Option<&BadCatalogue> {
        self.bad.as_ref()
    }

    /// Asks, if it is time to.
    pub(crate) fn tick(&mut self, now: Duration, out: &mut Vec<Message>) {
        if let Some(incoming) = &mut self.incoming {
            if let Step::Ask(want) = incoming.step(now) {
                out.push(want);
            }
        } else if self.retry.due() <= now {
            self.retry.asked(now);
            let (owner, id) = (self.owner.clone(), self.id);
            out.push(match self.purpose {
                Purpose::List => Message::List { owner, id },
                Purpose::Restore => Message::Restore { owner, id },
            });
        }
    }

    /// The catalogue, when it is complete.
    pub(crate) fn receive(
        &mut self,
        message: &Message,
        now: Duration,
        out: &mut Vec<Message>,
    ) -> Option<Catalogue> {
        let step = match message {
            Message::Catalogue { owner, id, hash, bytes }
                if *owner == self.owner && *id == self.id && self.is_news(*hash) =>
            {
                let bytes = usize::try_from(*bytes).ok().filter(|b| *b <= DATA_SET_BYTES_MAX)?;
                let (owner, part_bytes) = (owner.clone(), self.part_bytes);
                let incoming = Incoming::new(owner, *hash, bytes, part_bytes, self.patience, now);
                self.incoming.insert(incoming).step(now)
            }
            Message::Part { owner, hash, number, bytes } => {
                self.incoming_of(owner, *hash)?.part(*number, bytes, now)
            }
            Message::End { owner, hash, ask } => self.incoming_of(owner, *hash)?.end(*ask, now),
            Message::Unknown { owner, hash } => {
                self.incoming_of(owner, *hash)?;
                self.ask_anew(now);
                Step::Wait
            }
            _ => Step::Wait,
        };
        match step {
            Step::Wait => None,
            Step::Ask(want) => {
                out.push(want);
                None
            }
            Step::Complete(content) => {
                self.ask_anew(now);
                catalogue::read(&content).map_err(|bad| self.bad = Some(bad)).ok()
            }
            Step::WrongHash => {
                self.ask_anew(now);
                None
            }
        }
    }

    fn is_news(&self, hash: Hash) -> bool {
        self.incoming.as_ref().is_none_or(|incoming| incoming.hash() != hash)
    }

    fn incoming_of(&mut self, owner: &OwnerName, hash: Hash) -> Option<&mut Incoming> {
        self.incoming.as_mut().filter(|incoming| incoming.is_of(owner, hash))
    }

    /// What there was is of no use; ask again, but not at once, or two sides would chase each
    /// other.
    fn ask_anew(&mut self, now: Duration) {
        self.incoming = None;
        self.retry.progress(now);
    }
}
