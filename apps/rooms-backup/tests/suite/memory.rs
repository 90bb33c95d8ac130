//! A store in memory that fails when it is told to.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use rooms_backup::{
    Catalogue, Counts, DataSetName, Entry, Hash, Keeper, KeeperLimits, OwnerName, Store, StoreError,
};

pub(crate) fn rooms() -> OwnerName {
    "rooms".parse().expect("an owner")
}

pub(crate) fn name(text: &str) -> DataSetName {
    DataSetName::new(text).expect("a name")
}

/// A content, or that the data set is gone.
type Version = (u64, Option<Vec<u8>>);

#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    pub(crate) sets: BTreeMap<(OwnerName, DataSetName), Vec<Version>>,
    /// What every call says while it is there.
    pub(crate) fails: Option<&'static str>,
    /// How often a content was read.
    pub(crate) reads: Cell<usize>,
}

impl Memory {
    fn check(&self) -> Result<(), StoreError> {
        self.fails.map_or(Ok(()), |text| Err(StoreError(text.to_owned())))
    }

    /// The newest content of a data set of `rooms`.
    pub(crate) fn newest_content(&self, of: &str) -> Option<&[u8]> {
        let (_, content) = self.sets.get(&(rooms(), name(of)))?.last()?;
        content.as_deref()
    }
}

fn entry((version, content): &Version) -> Entry {
    let hash = content.as_deref().map(Hash::of);
    let bytes = content.as_ref().map_or(0, |content| content.len() as u64);
    Entry { version: *version, hash, bytes }
}

impl Store for Memory {
    fn catalogue(&self, owner: &OwnerName) -> Result<Catalogue, StoreError> {
        self.check()?;
        let of = self.sets.iter().filter(|((of, _), _)| of == owner);
        let newest = of.filter_map(|((_, name), all)| Some((name.clone(), entry(all.last()?))));
        Ok(newest.collect())
    }

    fn newest(&self, owner: &OwnerName, name: &DataSetName) -> Result<Option<Entry>, StoreError> {
        self.check()?;
        let all = self.sets.get(&(owner.clone(), name.clone()));
        Ok(all.and_then(|all| all.last()).map(entry))
    }

    fn counts(&self, owner: &OwnerName) -> Result<Counts, StoreError> {
        self.check()?;
        let data_sets = self.sets.keys().filter(|(of, _)| of == owner).count();
        let owners = self.sets.keys().map(|(of, _)| of).collect::<BTreeSet<_>>().len();
        Ok(Counts { data_sets, owners })
    }

    fn content(&self, owner: &OwnerName, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.check()?;
        self.reads.update(|reads| reads + 1);
        let of = self.sets.iter().filter(|((of, _), _)| of == owner).flat_map(|(_, all)| all);
        let mut contents = of.filter_map(|(_, content)| content.as_ref());
        Ok(contents.find(|content| Hash::of(content) == hash).cloned())
    }

    fn keep(
        &mut self,
        owner: &OwnerName,
        name: &DataSetName,
        version: u64,
        content: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.check()?;
        let all = self.sets.entry((owner.clone(), name.clone())).or_default();
        assert!(all.last().is_none_or(|(last, _)| *last < version), "versions ascend");
        all.push((version, content.map(<[u8]>::to_vec)));
        Ok(())
    }
}

pub(crate) fn keeper(limits: KeeperLimits) -> Keeper<Memory> {
    Keeper::new(Memory::default(), limits)
}
