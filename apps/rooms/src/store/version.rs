//! Versions one by one, for people who look into a store.

use jiff::Timestamp;
use rooms_backup::{DataSetName, Entry, OwnerName, StoreError};
use rusqlite::{OptionalExtension, Row, params};

use super::{NEWEST, SqliteStore, checked, entry, told};

/// A version of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Whose.
    pub owner: OwnerName,
    /// Of which data set.
    pub name: DataSetName,
    /// Number, hash and size.
    pub entry: Entry,
    /// When it was written.
    pub time: Timestamp,
}

impl SqliteStore {
    /// The newest versions, or all, of one owner or all; by owner, name and number.
    ///
    /// # Errors
    /// It can't be read.
    pub fn versions(
        &self,
        owner: Option<&OwnerName>,
        all: bool,
    ) -> Result<Vec<Version>, StoreError> {
        let which = if all { "true" } else { NEWEST };
        let sql = format!(
            "SELECT owner, name, number, hash, coalesce(length(content), 0), time_ms FROM version
             WHERE (?1 IS NULL OR owner = ?1) AND {which} ORDER BY owner, name, number"
        );
        let read = || {
            let mut select = self.connection.prepare(&sql)?;
            let rows = select.query_map([owner.map(OwnerName::as_str)], read_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = read().map_err(|error| told(&error))?;
        rows.into_iter().collect()
    }

    /// The content of a version, the newest if no number is given. `Some(None)`: the data set is
    /// gone in this version.
    ///
    /// # Errors
    /// It can't be read.
    pub fn content_of(
        &self,
        owner: &OwnerName,
        name: &DataSetName,
        version: Option<u64>,
    ) -> Result<Option<Option<Vec<u8>>>, StoreError> {
        let number = version.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        let version = self.connection.query_row(
            "SELECT hash, content FROM version WHERE owner = ?1 AND name = ?2
             AND (?3 IS NULL OR number = ?3) ORDER BY number DESC LIMIT 1",
            params![owner.as_str(), name.as_str(), number],
            |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?)),
        );
        let version = version.optional().map_err(|error| told(&error))?;
        version
            .map(|(hash, content)| {
                hash.zip(content).map(|(hash, content)| checked(content, &hash)).transpose()
            })
            .transpose()
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Result<Version, StoreError>> {
    let (owner, name): (String, String) = (row.get(0)?, row.get(1)?);
    let (hash, bytes): (Option<String>, i64) = (row.get(3)?, row.get(4)?);
    let (number, time_ms): (i64, i64) = (row.get(2)?, row.get(5)?);
    let wrong =
        |error: &dyn std::error::Error| StoreError(format!("the store is damaged: {error}"));
    let version = || -> Result<Version, StoreError> {
        Ok(Version {
            owner: owner.parse().map_err(|error| wrong(&error))?,
            name: DataSetName::new(&name).map_err(|error| wrong(&error))?,
            entry: entry(number, hash.as_deref(), bytes)?,
            time: Timestamp::from_millisecond(time_ms).map_err(|error| wrong(&error))?,
        })
    };
    Ok(version())
}
