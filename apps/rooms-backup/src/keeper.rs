//! The side that keeps: takes what owners announce, says what is kept, gives it back.

mod fetched;
mod limits;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use limits::KeeperLimits;
pub use store::{Counts, Store, StoreError};

use self::fetched::Fetched;
use crate::catalogue;
use crate::hash::Hash;
use crate::incoming::{Incoming, Step, answer};
use crate::message::{Message, RefusedReason};
use crate::name::{DataSetName, OwnerName};
use crate::parts::{self, Ranges};

/// Something for people who look after the keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the messages")]
pub enum Told {
    Kept {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
        bytes: usize,
    },
    Gone {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
    },
    Refused {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
        reason: RefusedReason,
        text: String,
    },
    /// Somebody asks for all data sets of an owner.
    Restoring {
        owner: OwnerName,
    },
    /// What is kept can't be read.
    Unreadable {
        owner: OwnerName,
        text: String,
    },
    /// Another keeper speaks on the topic, and owners can't tell the two apart.
    AnotherKeeper,
}

/// A data set under way.
#[derive(Debug)]
struct Transfer {
    version: u64,
    incoming: Incoming,
}

/// The keeper. Lines go in, lines and what people should know come out; what is kept is in the
/// store before a line says so.
#[derive(Debug)]
pub struct Keeper<S> {
    store: S,
    limits: KeeperLimits,
    transfers: BTreeMap<(OwnerName, DataSetName), Transfer>,
    /// The latest catalogue of an owner who asked, until it has been fetched or others asked.
    catalogues: Vec<(OwnerName, Hash, Arc<[u8]>)>,
    fetched: Fetched,
    said: Vec<Message>,
    told: Vec<Told>,
    knows_of_another: bool,
}

impl<S: Store> Keeper<S> {
    /// A keeper of what is in `store`.
    pub fn new(store: S, limits: KeeperLimits) -> Self {
        Self {
            store,
            limits,
            transfers: BTreeMap::new(),
            catalogues: Vec::new(),
            fetched: Fetched::default(),
            said: Vec::new(),
            told: Vec::new(),
            knows_of_another: false,
        }
    }

    /// The bus can hear this keeper, from now on or again: owners should look whether it has all.
    pub fn connected(&mut self, part_bytes: usize) {
        self.limits.part_bytes = part_bytes;
        self.said.push(Message::Ready);
    }

    /// What it keeps.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// The lines to say now.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.said.drain(..).map(|message| message.to_string()).collect()
    }

    /// What people should know.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// When [`Keeper::tick`] has something to do.
    pub fn deadline(&self) -> Option<Duration> {
        let due = |transfer: &Transfer| {
            transfer.incoming.due().min(transfer.incoming.heard() + self.limits.silence_max)
        };
        self.transfers.values().map(due).min()
    }

    /// Asks again for what did not come, and forgets what nobody sends any more.
    pub fn tick(&mut self, now: Duration) {
        let silence_max = self.limits.silence_max;
        self.transfers.retain(|_, transfer| now < transfer.incoming.heard() + silence_max);
        let due = self.transfers.iter().filter(|(_, transfer)| transfer.incoming.due() <= now);
        let due: Vec<_> = due.map(|(key, _)| key.clone()).collect();
        self.step(due, |incoming| incoming.step(now));
    }

    /// A line was said on the topic by somebody else.
    pub fn receive(&mut self, line: &str, now: Duration) {
        let message = match Message::parse(line) {
            Ok(message) => message,
            Err(error) => {
                return self.said.push(Message::Malformed { text: error.to_string() });
            }
        };
        match message {
            Message::List { owner, id } => {
                // It announces anew what is under way; an earlier process's data sets may be none
                // of its own.
                self.transfers.retain(|(other, _), _| *other != owner);
                self.list(owner, id);
            }
            Message::Restore { owner, id } => {
                self.told.push(Told::Restoring { owner: owner.clone() });
                self.list(owner, id);
            }
            Message::Begin { owner, name, version, hash, bytes } => {
                let result = self.begin((&owner, &name, version), hash, bytes, now);
                self.answer(owner, name, version, Some(hash), result);
            }
            Message::Gone { owner, name, version } => {
                let result = self.gone(&owner, &name, version);
                self.answer(owner, name, version, None, result);
            }
            Message::Want { owner, hash, ask, part_bytes, parts } => {
                self.give(owner, hash, (ask, part_bytes, &parts));
            }
            Message::Part { owner, hash, number, bytes } => {
                let transfers = self.transfers_of(&owner, hash);
                self.step(transfers, |incoming| incoming.part(number, &bytes, now));
            }
            Message::End { owner, hash, ask } => {
                let transfers = self.transfers_of(&owner, hash);
                self.step(transfers, |incoming| incoming.end(ask, now));
            }
            Message::Drop { owner, hash } => {
                self.transfers.retain(|_, transfer| !transfer.incoming.is_of(&owner, hash));
            }
            Message::Ready
            | Message::Unknown { .. }
            | Message::Catalogue { .. }
            | Message::Kept { .. }
            | Message::Refused { .. }
            | Message::Malformed { .. } => {
                if !std::mem::replace(&mut self.knows_of_another, true) {
                    self.told.push(Told::AnotherKeeper);
                }
            }
        }
    }

    fn list(&mut self, owner: OwnerName, id: u64) {
        match self.store.catalogue(&owner) {
            Ok(catalogue) => {
                let content = catalogue::write(&catalogue);
                let (hash, bytes) = (Hash::of(&content), content.len() as u64);
                self.catalogues.retain(|(known, ..)| *known != owner);
                if self.catalogues.len() == self.limits.catalogues_max {
                    self.catalogues.remove(0);
                }
                self.catalogues.push((owner.clone(), hash, content.into()));
                self.said.push(Message::Catalogue { owner, id, hash, bytes });
            }
            Err(error) => self.told.push(Told::Unreadable { owner, text: error.to_string() }),
        }
    }

    /// Whether it is kept now; not yet, if the parts are still to come.
    fn begin(
        &mut self,
        (owner, name, version): (&OwnerName, &DataSetName, u64),
        hash: Hash,
        bytes: u64,
        now: Duration,
    ) -> Result<bool, (RefusedReason, String)> {
        if self.is_kept(owner, name, version, Some(hash))? {
            return Ok(true);
        }
        let bytes =
            usize::try_from(bytes).ok().filter(|bytes| *bytes <= self.limits.data_set_bytes_max);
        let Some(bytes) = bytes else {
            let most = self.limits.data_set_bytes_max;
            return Err((RefusedReason::TooLarge, format!("a data set has at most {most} bytes")));
        };
        let key = (owner.clone(), name.clone());
        if let Some(transfer) = self.transfers.get(&key)
            && (transfer.version > version
                || transfer.version == version && transfer.incoming.hash() == hash)
        {
            // It is under way, or a newer one is.
            return Ok(false);
        }
        self.transfers.remove(&key);
        let under_way: usize = self.transfers.values().map(|t| t.incoming.bytes()).sum();
        if self.transfers.len() == self.limits.transfers_max
            || under_way + bytes > self.limits.transfer_bytes_max
        {
            return Err((RefusedReason::Busy, "too many data sets are under way".to_owned()));
        }
        let (part_bytes, patience) = (self.limits.part_bytes, self.limits.patience);
        let incoming = Incoming::new(owner.clone(), hash, bytes, part_bytes, patience, now);
        self.transfers.insert(key.clone(), Transfer { version, incoming });
        self.step(vec![key], |incoming| incoming.step(now));
        Ok(false)
    }

    fn gone(
        &mut self,
        owner: &OwnerName,
        name: &DataSetName,
        version: u64,
    ) -> Result<bool, (RefusedReason, String)> {
        if !self.is_kept(owner, name, version, None)? {
            let key = (owner.clone(), name.clone());
            self.transfers.retain(|other, transfer| *other != key || transfer.version > version);
            self.store.keep(owner, name, version, None).map_err(refused)?;
            let (owner, name) = key;
            self.told.push(Told::Gone { owner, name, version });
        }
        Ok(true)
    }

    /// Whether exactly this is kept; an error if it must not be.
    fn is_kept(
        &self,
        owner: &OwnerName,
        name: &DataSetName,
        version: u64,
        hash: Option<Hash>,
    ) -> Result<bool, (RefusedReason, String)> {
        match self.store.newest(owner, name).map_err(refused)? {
            Some(newest) if newest.version == version && newest.hash == hash => Ok(true),
            Some(newest) if newest.version >= version => {
                Err((RefusedReason::Outdated, format!("version {} is kept", newest.version)))
            }
            Some(_) => Ok(false),
            None => {
                let counts = self.store.counts(owner).map_err(refused)?;
                let (sets, owners) = (self.limits.data_sets_max, self.limits.owners_max);
                if counts.data_sets >= sets {
                    let text = format!("an owner has at most {sets} data sets");
                    Err((RefusedReason::TooMany, text))
                } else if counts.data_sets == 0 && counts.owners >= owners {
                    Err((RefusedReason::TooMany, format!("there are at most {owners} owners")))
                } else {
                    Ok(false)
                }
            }
        }
    }

    fn answer(
        &mut self,
        owner: OwnerName,
        name: DataSetName,
        version: u64,
        hash: Option<Hash>,
        result: Result<bool, (RefusedReason, String)>,
    ) {
        match result {
            Ok(true) => self.said.push(Message::Kept { owner, name, version, hash }),
            Ok(false) => {}
            Err((reason, text)) => {
                if !matches!(reason, RefusedReason::Outdated | RefusedReason::Busy) {
                    let (owner, name, text) = (owner.clone(), name.clone(), text.clone());
                    self.told.push(Told::Refused { owner, name, version, reason, text });
                }
                self.said.push(Message::Refused { owner, name, version, reason, text });
            }
        }
    }

    fn transfers_of(&self, owner: &OwnerName, hash: Hash) -> Vec<(OwnerName, DataSetName)> {
        let of = self.transfers.iter().filter(|(_, transfer)| transfer.incoming.is_of(owner, hash));
        of.map(|(key, _)| key.clone()).collect()
    }

    /// Takes a step with each of these transfers, and what comes of it.
    fn step(
        &mut self,
        keys: Vec<(OwnerName, DataSetName)>,
        mut step: impl FnMut(&mut Incoming) -> Step,
    ) {
        for (owner, name) in keys {
            let key = (owner.clone(), name.clone());
            let Some(transfer) = self.transfers.get_mut(&key) else { continue };
            let (version, hash) = (transfer.version, transfer.incoming.hash());
            let result = match step(&mut transfer.incoming) {
                Step::Wait => continue,
                Step::Ask(want) => {
                    self.said.push(want);
                    continue;
                }
                Step::Complete(content) => {
                    let kept = self.store.keep(&owner, &name, version, Some(&content));
                    if kept.is_ok() {
                        let (owner, name, bytes) = (owner.clone(), name.clone(), content.len());
                        self.told.push(Told::Kept { owner, name, version, bytes });
                    }
                    kept.map(|()| true).map_err(refused)
                }
                Step::WrongHash => {
                    let text = "what came is not what was announced";
                    Err((RefusedReason::WrongHash, text.to_owned()))
                }
            };
            self.transfers.remove(&key);
            self.answer(owner, name, version, Some(hash), result);
        }
    }

    /// Says what somebody wants. A content that goes on after that is held until it is asked for
    /// again; one whose last part was wanted is most likely complete.
    fn give(
        &mut self,
        owner: OwnerName,
        hash: Hash,
        (ask, part_bytes, wanted): (u32, usize, &Ranges),
    ) {
        let Some(content) = self.content(&owner, hash) else {
            return self.said.push(Message::Unknown { owner, hash });
        };
        self.said.extend(answer(&owner, hash, &content, (ask, part_bytes, wanted)));
        if wanted.numbers().last() < Some(parts::count(content.len(), part_bytes)) {
            self.fetched.hold(owner, hash, content, self.limits.fetched_bytes_max);
        }
    }

    /// A content that somebody wants.
    fn content(&mut self, owner: &OwnerName, hash: Hash) -> Option<Arc<[u8]>> {
        let is_it = |(of, known, _): &&(OwnerName, Hash, _)| of == owner && *known == hash;
        if let Some((_, _, content)) = self.catalogues.iter().find(is_it) {
            return Some(Arc::clone(content));
        }
        self.fetched.take(owner, hash).or_else(|| match self.store.content(owner, hash) {
            Ok(content) => content.map(Arc::from),
            Err(error) => {
                self.told.push(Told::Unreadable { owner: owner.clone(), text: error.to_string() });
                None
            }
        })
    }
}

fn refused(error: StoreError) -> (RefusedReason, String) {
    (RefusedReason::Store, error.0)
}
