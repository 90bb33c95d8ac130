//! Which old versions are forgotten.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::NEWEST;

/// What is kept besides the newest version of each data set.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// So many versions of each data set, the newest among them.
    pub versions: u32,
    /// A version that was replaced longer ago than this is forgotten. So is a data set that has
    /// been gone for longer.
    pub age: Duration,
    /// The store's file grows no larger than this; beyond, owners are told that it is full.
    pub store_bytes_max: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { versions: 20, age: Duration::from_secs(90 * 24 * 3600), store_bytes_max: 4 << 30 }
    }
}

impl Retention {
    /// Forgets the oldest versions of one data set, so that one more makes the number that is kept.
    pub(super) fn forget_surplus(
        &self,
        connection: &Connection,
        owner: &str,
        name: &str,
    ) -> rusqlite::Result<()> {
        let others = self.versions.saturating_sub(1);
        connection
            .execute(
                "DELETE FROM version WHERE owner = ?1 AND name = ?2 AND number NOT IN (
                     SELECT number FROM version WHERE owner = ?1 AND name = ?2
                     ORDER BY number DESC LIMIT ?3)",
                params![owner, name, others],
            )
            .map(drop)
    }

    /// Forgets what was replaced too long ago. A version's age counts from when it was replaced:
    /// one that held for a year is not lost by the mistake that replaced it yesterday.
    pub(super) fn forget_old(&self, connection: &Connection, now_ms: i64) -> rusqlite::Result<()> {
        let age_ms = i64::try_from(self.age.as_millis()).unwrap_or(i64::MAX);
        let before_ms = now_ms.saturating_sub(age_ms);
        let transaction = connection.unchecked_transaction()?;
        transaction.execute(
            "DELETE FROM version WHERE EXISTS (SELECT 1 FROM version AS newer
                 WHERE newer.owner = version.owner AND newer.name = version.name
                 AND newer.number > version.number AND newer.time_ms < ?1)",
            [before_ms],
        )?;
        let gone = format!("DELETE FROM version WHERE hash IS NULL AND time_ms < ?1 AND {NEWEST}");
        transaction.execute(&gone, [before_ms])?;
        transaction.commit()
    }
}
