//! What a keeper needs of the place where it keeps.

use thiserror::Error;

use crate::catalogue::{Catalogue, Entry};
use crate::hash::Hash;
use crate::name::{DataSetName, OwnerName};

/// The place could not be read or written; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of one owner, those that are gone among them.
    pub data_sets: usize,
    /// That have data sets.
    pub owners: usize,
}

/// Versions of data sets.
pub trait Store {
    /// The newest version of each data set of an owner.
    ///
    /// # Errors
    /// It can't be read.
    fn catalogue(&self, owner: &OwnerName) -> Result<Catalogue, StoreError>;

    /// The newest version of one.
    ///
    /// # Errors
    /// It can't be read.
    fn newest(&self, owner: &OwnerName, name: &DataSetName) -> Result<Option<Entry>, StoreError>;

    /// How much there is.
    ///
    /// # Errors
    /// It can't be read.
    fn counts(&self, owner: &OwnerName) -> Result<Counts, StoreError>;

    /// A content of an owner, of any version that has this hash.
    ///
    /// # Errors
    /// It can't be read, or it is damaged.
    fn content(&self, owner: &OwnerName, hash: Hash) -> Result<Option<Vec<u8>>, StoreError>;

    /// Adds a version, the newest of its data set; none says that the data set is gone. When this
    /// returns, the version survives whatever happens to the process and the machine.
    ///
    /// # Errors
    /// Nothing was written.
    fn keep(
        &mut self,
        owner: &OwnerName,
        name: &DataSetName,
        version: u64,
        content: Option<&[u8]>,
    ) -> Result<(), StoreError>;
}
