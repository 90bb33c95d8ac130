//! The side that owns: sees to it that a keeper has the newest of each data set.
//!
//! It compares what it has with what the keeper says it keeps, and announces the difference. It
//! asks anew when the keeper says that it is ready, when the bus was lost, and now and then: so a
//! keeper that lost its store gets everything again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::asking::{Asking, Purpose};
use crate::catalogue::{Catalogue, Entry};
use crate::hash::Hash;
use crate::incoming::answer;
use crate::message::{Message, RefusedReason, VERSION_MAX};
use crate::name::{DataSetName, OwnerName};
use crate::parts::PART_BYTES_MAX;
use crate::retry::{Patience, Retry};

/// So many data sets are announced and not yet acknowledged at one time.
const UNDER_WAY_MAX: usize = 8;

/// What is kept is looked at again so long after the last time.
const REFRESH: Duration = Duration::from_secs(600);

/// Why a data set is not kept, at the last try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub reason: RefusedReason,
    /// For people.
    pub text: String,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// A keeper has said what it keeps, since the last time that there was reason to ask.
    pub keeper_heard: bool,
    /// Data sets whose newest version is kept.
    pub kept: usize,
    /// Data sets that are to be kept, or to be forgotten, and not yet acknowledged.
    pub pending: usize,
    /// When a keeper said something to this owner the last time.
    pub heard: Duration,
    /// Those of the pending that the keeper refused.
    pub refused: BTreeMap<DataSetName, Refusal>,
}

impl Status {
    /// Everything is kept.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.keeper_heard && self.pending == 0
    }

    /// Everything is kept or refused.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.keeper_heard && self.pending == self.refused.len()
    }
}

#[derive(Debug, Clone)]
struct DataSet {
    hash: Hash,
    content: Arc<[u8]>,
}

/// Announced, and not yet acknowledged.
#[derive(Debug)]
struct UnderWay {
    version: u64,
    hash: Option<Hash>,
    retry: Retry,
}

/// The owner of data sets.
#[derive(Debug)]
pub struct Owner {
    name: OwnerName,
    patience: Patience,
    part_bytes: usize,
    wanted: BTreeMap<DataSetName, DataSet>,
    known: Catalogue,
    /// The newest version of each data set that was announced, which may be kept by now.
    announced: BTreeMap<DataSetName, (u64, Option<Hash>)>,
    /// Those of `wanted` that are surely kept: the rest is pending or under way. Held for
    /// [`Owner::status`], which is asked for after each line.
    kept: BTreeSet<DataSetName>,
    /// Where `wanted` is not surely kept, those under way left out.
    pending: BTreeSet<DataSetName>,
    under_way: BTreeMap<DataSetName, UnderWay>,
    /// Those under way that the keeper refused, and why.
    refused: BTreeMap<DataSetName, Refusal>,
    /// While this is under way nothing is announced, so that the answer is true.
    asking: Option<Asking>,
    next_id: u64,
    heard: Duration,
    refresh: Duration,
    said: Vec<Message>,
}

impl Owner {
    /// An owner that has nothing yet. `first_id` is a random number: answers to an earlier
    /// process of this name are none to this one.
    #[must_use]
    pub fn new(name: OwnerName, patience: Patience, first_id: u64, now: Duration) -> Self {
        let mut owner = Self {
            name,
            patience,
            part_bytes: PART_BYTES_MAX,
            wanted: BTreeMap::new(),
            known: Catalogue::new(),
            announced: BTreeMap::new(),
            kept: BTreeSet::new(),
            pending: BTreeSet::new(),
            under_way: BTreeMap::new(),
            refused: BTreeMap::new(),
            asking: None,
            next_id: first_id,
            heard: now,
            refresh: now,
            said: Vec::new(),
        };
        owner.ask(now);
        owner
    }

    /// A data set, new or changed.
    pub fn set(&mut self, name: DataSetName, content: impl Into<Arc<[u8]>>) {
        let content = content.into();
        let hash = Hash::of(&content);
        if self.wanted.get(&name).is_none_or(|known| known.hash != hash) {
            self.wanted.insert(name.clone(), DataSet { hash, content });
            self.consider(name);
        }
    }

    /// A data set that is no more.
    pub fn remove(&mut self, name: &DataSetName) {
        if self.wanted.remove(name).is_some() {
            self.consider(name.clone());
        }
    }

    /// The bus can hear this owner, from now on or again.
    pub fn connected(&mut self, part_bytes: usize, now: Duration) {
        self.part_bytes = part_bytes;
        self.ask(now);
    }

    /// The lines to say now.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.said.drain(..).map(|message| message.to_string()).collect()
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> Status {
        let pending = self.pending.len() + self.under_way.len();
        Status {
            keeper_heard: self.asking.is_none(),
            kept: self.kept.len(),
            pending,
            heard: self.heard,
            refused: self.refused.clone(),
        }
    }

    /// When [`Owner::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        if let Some(asking) = &self.asking {
            return asking.due();
        }
        let retry = self.under_way.values().map(|under_way| under_way.retry.due()).min();
        retry.map_or(self.refresh, |retry| retry.min(self.refresh))
    }

    /// Announces what has to be, and again what was not acknowledged in time.
    pub fn tick(&mut self, now: Duration) {
        if self.asking.is_none() && self.refresh <= now {
            self.ask(now);
        }
        if let Some(asking) = &mut self.asking {
            return asking.tick(now, &mut self.said);
        }
        // Those refused wait for better times, and nobody waits for them.
        while self.under_way.len() - self.refused.len() < UNDER_WAY_MAX
            && let Some(name) = self.pending.pop_first()
        {
            let hash = self.wanted.get(&name).map(|data_set| data_set.hash);
            let version = self.version_for(&name, hash);
            self.announced.insert(name.clone(), (version, hash));
            let retry = Retry::new(self.patience, now);
            self.under_way.insert(name, UnderWay { version, hash, retry });
        }
        for (name, under_way) in &mut self.under_way {
            if under_way.retry.due() <= now {
                under_way.retry.asked(now);
                let (owner, name, version) = (self.name.clone(), name.clone(), under_way.version);
                self.said.push(match self.wanted.get(&name) {
                    Some(DataSet { hash, content }) => {
                        let (hash, bytes) = (*hash, content.len() as u64);
                        Message::Begin { owner, name, version, hash, bytes }
                    }
                    None => Message::Gone { owner, name, version },
                });
            }
        }
    }

    /// A line was said on the topic by somebody else.
    pub fn receive(&mut self, line: &str, now: Duration) {
        // Others may be newer; only a keeper tells people what is wrong with their lines.
        let Ok(message) = Message::parse(line) else { return };
        if let Some(asking) = &mut self.asking
            && let Some(catalogue) = asking.receive(&message, now, &mut self.said)
        {
            self.asking = None;
            self.refresh = now + REFRESH;
            self.compare(catalogue);
        }
        match message {
            Message::Ready => self.ask(now),
            Message::Want { owner, hash, ask, part_bytes, parts } if owner == self.name => {
                self.heard = now;
                match self.wanted.values().find(|data_set| data_set.hash == hash) {
                    Some(DataSet { content, .. }) => {
                        self.said.extend(answer(&owner, hash, content, (ask, part_bytes, &parts)));
                    }
                    None => self.said.push(Message::Drop { owner, hash }),
                }
                for under_way in self.under_way.values_mut().filter(|one| one.hash == Some(hash)) {
                    under_way.retry.progress(now);
                }
            }
            Message::Kept { owner, name, version, hash } if owner == self.name => {
                self.heard = now;
                self.kept(name, version, hash);
            }
            Message::Refused { owner, name, version, reason, text } if owner == self.name => {
                self.refused(name, version, Refusal { reason, text }, now);
            }
            _ => {}
        }
        self.tick(now);
    }

    fn kept(&mut self, name: DataSetName, version: u64, hash: Option<Hash>) {
        let is_this = |one: &UnderWay| one.version == version && one.hash == hash;
        if self.under_way.get(&name).is_some_and(is_this) {
            self.under_way.remove(&name);
            self.refused.remove(&name);
            self.announced.remove(&name);
            let bytes = self.wanted.get(&name).map_or(0, |data_set| data_set.content.len() as u64);
            if hash.is_some() {
                self.kept.insert(name.clone());
            }
            self.known.insert(name, Entry { version, hash, bytes });
        }
    }

    fn refused(&mut self, name: DataSetName, version: u64, refusal: Refusal, now: Duration) {
        let Some(under_way) = self.under_way.get_mut(&name) else { return };
        if under_way.version != version {
            return;
        }
        match refusal.reason {
            RefusedReason::Outdated => return self.ask(now),
            // Announced again after the usual wait, longer each time.
            RefusedReason::Busy | RefusedReason::WrongHash => return,
            RefusedReason::TooLarge | RefusedReason::TooMany | RefusedReason::Store => {
                under_way.retry.hopeless(now);
            }
        }
        self.refused.insert(name, refusal);
    }

    /// Asks the keeper what it keeps, before anything else is announced.
    fn ask(&mut self, now: Duration) {
        self.next_id = self.next_id.wrapping_add(1);
        let (name, patience) = (self.name.clone(), self.patience);
        let asking = Asking::new(name, Purpose::List, self.next_id, self.part_bytes, patience, now);
        self.asking = Some(asking);
    }

    /// The keeper keeps this. Data sets that are not here are gone; but an owner that has nothing
    /// at all may have lost everything, and takes nothing back.
    fn compare(&mut self, catalogue: Catalogue) {
        self.known = catalogue;
        self.under_way.clear();
        self.refused.clear();
        self.kept.clear();
        self.pending.clear();
        let names = self.known.keys().chain(self.wanted.keys()).chain(self.announced.keys());
        let names: BTreeSet<_> = names.cloned().collect();
        for name in names {
            if !self.wanted.is_empty() {
                self.consider(name);
            }
        }
    }

    /// Whether a data set is as it should be; if not, it is pending.
    fn consider(&mut self, name: DataSetName) {
        let hash = self.wanted.get(&name).map(|data_set| data_set.hash);
        if self.under_way.get(&name).is_some_and(|under_way| under_way.hash == hash) {
            return;
        }
        self.refused.remove(&name);
        self.under_way.remove(&name);
        let is_kept = self.is_kept(&name);
        if is_kept && hash.is_some() {
            self.kept.insert(name.clone());
        } else {
            self.kept.remove(&name);
        }
        if is_kept {
            self.pending.remove(&name);
        } else {
            self.pending.insert(name);
        }
    }

    /// Whether it is kept and stays so: what was announced later, with another content, may be
    /// kept any moment, even after the keeper and the bus seemed to have forgotten it.
    fn is_kept(&self, name: &DataSetName) -> bool {
        let hash = self.wanted.get(name).map(|data_set| data_set.hash);
        let (version, known) =
            self.known.get(name).map_or((0, None), |entry| (entry.version, entry.hash));
        let is_newer = |(announced, other): &(u64, _)| *announced > version && *other != hash;
        known == hash && !self.announced.get(name).is_some_and(is_newer)
    }

    /// A number that is newer than all that may be kept, unless it is just this content.
    fn version_for(&self, name: &DataSetName, hash: Option<Hash>) -> u64 {
        let known = self.known.get(name).map_or(0, |entry| entry.version);
        match self.announced.get(name) {
            Some((version, announced)) if *version > known && *announced == hash => *version,
            Some((version, _)) => VERSION_MAX.min(known.max(*version) + 1),
            None => VERSION_MAX.min(known + 1),
        }
    }
}
