//! What has to outlive the process: accounts, panels, catalogue and permissions, read whole at the
//! start and written through row by row, and the history, which is searched where it is.
//!
//! Postgres or SQLite, with the same statements: text, whole numbers and nothing else. Every call
//! ends within [`ANSWER_MAX`], with an error that says whether it is worth trying again.

mod directory;
mod error;
mod open;
mod report;
mod rows;
pub mod sample;
mod search;
mod sql;

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::AnyRow;
use tokio::time::timeout;

pub use error::StoreError;
pub use report::{DeviceAlerts, PairCalls, Report, RoomDay};
pub use search::{AuditFilter, CallFilter, Found, Page};

use crate::records::{Alert, Call, Help, Record};
use sql::{Cells, Row, Sql, select, upsert};

/// A statement that has no answer in this time is given up.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Rows that go into one statement: fewer values than either database can bind.
const ROWS_MAX: usize = 500;

/// The database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
}

impl Store {
    /// Connects to `postgres://…` or opens `sqlite:FILE` (also `sqlite::memory:`), and makes what
    /// is not there.
    ///
    /// # Errors
    /// [`StoreError`]: the address is none, nobody answers there, the login is refused, the
    /// database is of a newer version or holds other tables.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        Ok(Self { pool: open::open(address).await? })
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Writes what happened, all or nothing. A record takes the place of the one with its id,
    /// whether that one is in the database or earlier in `records`.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    pub async fn write(&self, records: &[Record]) -> Result<(), StoreError> {
        let (mut calls, mut audits) = (BTreeMap::new(), BTreeMap::new());
        let (mut alerts, mut helps) = (BTreeMap::new(), BTreeMap::new());
        for record in records {
            match record {
                Record::Call(call) => drop(calls.insert(call.id, call)),
                Record::Audit(audit) => drop(audits.insert(audit.id, audit)),
                Record::Alert(alert) => drop(alerts.insert(alert.id, alert)),
                Record::Help(help) => drop(helps.insert(help.id, help)),
            }
        }
        let mut statements = Vec::new();
        add_upserts(&mut statements, &calls);
        add_upserts(&mut statements, &audits);
        add_upserts(&mut statements, &alerts);
        add_upserts(&mut statements, &helps);
        self.within(async {
            let mut transaction = self.pool.begin().await?;
            for statement in statements {
                statement.build(true).execute(&mut *transaction).await?;
            }
            transaction.commit().await
        })
        .await
    }

    /// What had not ended when it was last written, to go on with it after a restart.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_records(&self) -> Result<Vec<Record>, StoreError> {
        let calls = self.unended::<Call>("ended").await?;
        let alerts = self.unended::<Alert>("until").await?;
        let helps = self.unended::<Help>("closed").await?;
        let calls = calls.into_iter().map(Record::Call);
        let alerts = alerts.into_iter().map(Record::Alert);
        Ok(calls.chain(alerts).chain(helps.into_iter().map(Record::Help)).collect())
    }

    async fn unended<R: Row>(&self, end: &str) -> Result<Vec<R>, StoreError> {
        let mut sql = select::<R>();
        sql.and(end).push(" IS NULL ORDER BY since, id");
        self.rows(sql).await
    }

    /// Runs a statement that changes rows; says how many.
    async fn execute(&self, sql: Sql) -> Result<u64, StoreError> {
        let done = self.within(sql.build(true).execute(&self.pool)).await?;
        Ok(done.rows_affected())
    }

    /// Runs a statement that answers with rows.
    async fn answers(&self, sql: Sql) -> Result<Vec<AnyRow>, StoreError> {
        self.within(sql.build(false).fetch_all(&self.pool)).await
    }

    /// The same, with whole rows of a table.
    async fn rows<R: Row>(&self, sql: Sql) -> Result<Vec<R>, StoreError> {
        let rows = self.answers(sql).await?;
        rows.iter().map(|row| R::read(&mut Cells::of(row))).collect()
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let done = timeout(ANSWER_MAX, work).await.map_err(|_| {
            StoreError::Unreachable(format!("no answer in {} s", ANSWER_MAX.as_secs()))
        })?;
        Ok(done?)
    }
}

fn add_upserts<R: Row>(statements: &mut Vec<Sql>, rows: &BTreeMap<i64, &R>) {
    let rows: Vec<&R> = rows.values().copied().collect();
    statements.extend(rows.chunks(ROWS_MAX).map(|rows| upsert(rows.iter().copied())));
}
