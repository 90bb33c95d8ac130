//! Getting all data sets of an owner back from a keeper.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::asking::{Asking, Purpose};
use crate::catalogue::{BadCatalogue, Catalogue};
use crate::hash::Hash;
use crate::incoming::{Incoming, Step};
use crate::message::Message;
use crate::name::{DataSetName, OwnerName};
use crate::retry::Patience;

/// So many data sets come at one time.
const UNDER_WAY_MAX: usize = 4;

/// A data set that is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Its name.
    pub name: DataSetName,
    /// Byte for byte what was backed up: its hash is the one in the catalogue.
    pub content: Vec<u8>,
}

/// A restore, under way until [`Restore::is_complete`].
#[derive(Debug)]
pub struct Restore {
    owner: OwnerName,
    patience: Patience,
    part_bytes: usize,
    asking: Option<Asking>,
    waiting: VecDeque<(DataSetName, Hash, usize)>,
    under_way: BTreeMap<DataSetName, Incoming>,
    unknown: Vec<DataSetName>,
    /// When a content was complete the last time.
    heard: Duration,
    restored: Vec<Restored>,
    said: Vec<Message>,
}

impl Restore {
    /// Begins. `id` is a random number, so that others' answers are none to this.
    #[must_use]
    pub fn new(
        owner: OwnerName,
        patience: Patience,
        part_bytes: usize,
        id: u64,
        now: Duration,
    ) -> Self {
        let asking = Asking::new(owner.clone(), Purpose::Restore, id, part_bytes, patience, now);
        Self {
            owner,
            patience,
            part_bytes,
            asking: Some(asking),
            waiting: VecDeque::new(),
            under_way: BTreeMap::new(),
            unknown: Vec::new(),
            heard: now,
            restored: Vec::new(),
            said: Vec::new(),
        }
    }

    /// The lines to say now.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.said.drain(..).map(|message| message.to_string()).collect()
    }

    /// The data sets that have come since the last time.
    pub fn take_restored(&mut self) -> Vec<Restored> {
        std::mem::take(&mut self.restored)
    }

    /// A keeper has said what it keeps.
    #[must_use]
    pub fn is_keeper_heard(&self) -> bool {
        self.asking.is_none()
    }

    /// What is wrong with the catalogue that has come, if it can't be read. Whoever goes on after
    /// that asks for it again.
    #[must_use]
    pub fn bad_catalogue(&self) -> Option<&BadCatalogue> {
        self.asking.as_ref().and_then(Asking::bad)
    }

    /// All that can come has come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.asking.is_none() && self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// When something new came the last time.
    #[must_use]
    pub fn heard(&self) -> Duration {
        let asking = self.asking.as_ref().and_then(Asking::heard);
        let parts = self.under_way.values().map(Incoming::heard);
        parts.chain(asking).fold(self.heard, Duration::max)
    }

    /// Data sets that the keeper lists and can't give: its store is damaged.
    #[must_use]
    pub fn unknown(&self) -> &[DataSetName] {
        &self.unknown
    }

    /// When [`Restore::tick`] has something to do; never, when it is complete.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let asking = self.asking.as_ref().map(Asking::due);
        asking.or_else(|| self.under_way.values().map(Incoming::due).min())
    }

    /// Asks, and asks again for what did not come.
    pub fn tick(&mut self, now: Duration) {
        if let Some(asking) = &mut self.asking {
            asking.tick(now, &mut self.said);
        }
        while self.under_way.len() < UNDER_WAY_MAX
            && let Some((name, hash, bytes)) = self.waiting.pop_front()
        {
            let owner = self.owner.clone();
            let incoming = Incoming::new(owner, hash, bytes, self.part_bytes, self.patience, now);
            self.under_way.insert(name, incoming);
        }
        self.step(|incoming| incoming.step(now));
    }

    /// A line was said on the topic by somebody else.
    pub fn receive(&mut self, line: &str, now: Duration) {
        let Ok(message) = Message::parse(line) else { return };
        if let Some(asking) = &mut self.asking {
            if let Some(catalogue) = asking.receive(&message, now, &mut self.said) {
                self.asking = None;
                self.heard = now;
                self.begin(catalogue);
            }
        } else {
            match message {
                Message::Part { owner, hash, number, bytes } if owner == self.owner => {
                    self.heard = self.heard();
                    self.step(|incoming| match incoming {
                        incoming if incoming.hash() == hash => incoming.part(number, &bytes, now),
                        _ => Step::Wait,
                    });
                }
                Message::End { owner, hash, ask } if owner == self.owner => {
                    self.step(|incoming| match incoming {
                        incoming if incoming.hash() == hash => incoming.end(ask, now),
                        _ => Step::Wait,
                    });
                }
                Message::Unknown { owner, hash } if owner == self.owner => {
                    let unknown = self.under_way.extract_if(.., |_, one| one.hash() == hash);
                    self.unknown.extend(unknown.map(|(name, _)| name));
                }
                _ => {}
            }
        }
        self.tick(now);
    }

    fn begin(&mut self, catalogue: Catalogue) {
        let there = catalogue.into_iter().filter_map(|(name, entry)| {
            let bytes = usize::try_from(entry.bytes).expect("a catalogue has checked it");
            Some((name, entry.hash?, bytes))
        });
        self.waiting.extend(there);
    }

    /// Takes a step with each data set that is under way; one that came wrong comes again.
    fn step(&mut self, mut step: impl FnMut(&mut Incoming) -> Step) {
        let (said, restored, waiting) = (&mut self.said, &mut self.restored, &mut self.waiting);
        self.under_way.retain(|name, incoming| match step(incoming) {
            Step::Wait => true,
            Step::Ask(want) => {
                said.push(want);
                true
            }
            Step::Complete(content) => {
                restored.push(Restored { name: name.clone(), content });
                false
            }
            Step::WrongHash => {
                waiting.push_back((name.clone(), incoming.hash(), incoming.bytes()));
                false
            }
        });
    }
}
