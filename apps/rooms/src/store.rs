//! The keeper's store: versions of data sets in one SQLite file, which survives whatever happens
//! to the process and the machine, and which anybody's `sqlite3` can read.
//!
//! A write is acknowledged after its transaction is on the disk (WAL with `synchronous=FULL`).
//! SQLite is chosen over a folder of files because replacing several files is no transaction.

mod retention;
mod version;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rooms_backup::{Catalogue, Counts, DataSetName, Entry, Hash, OwnerName, Store, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, params};
use thiserror::Error;

pub use retention::Retention;
pub use version::Version;

/// Marks the file as a store of this program: "room" in ASCII.
const APPLICATION_ID: i32 = 0x726f_6f6d;
/// Grows when the tables change.
const SCHEMA: i32 = 1;

const TABLES: &str = "
    CREATE TABLE version (
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,  -- since 1970, when it was written
        hash TEXT,                 -- SHA-256; none: the data set is gone
        content BLOB,
        PRIMARY KEY (owner, name, number),
        CHECK ((hash IS NULL) = (content IS NULL))
    ) STRICT;
    CREATE INDEX version_by_hash ON version (owner, hash);
";

/// The newest version of each data set.
const NEWEST: &str = "number = (SELECT max(number) FROM version AS other
    WHERE other.owner = version.owner AND other.name = version.name)";

/// Why a store can't be opened, or not be read.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process writes to it.
    #[error("{0} is in use: another keeper runs with it")]
    InUse(PathBuf),
    /// It is some other file.
    #[error("{0} is not a keeper's store; name another file")]
    NotAStore(PathBuf),
    /// It was written by a newer version of this program.
    #[error("{path} was written by a newer version (its schema is {schema}); use that one")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        schema: i32,
    },
    /// SQLite finds it damaged.
    #[error(
        "{path} is damaged: {text}; move it and those beside it (-wal, -shm) away and start again: every owner then sends what it has"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        text: String,
    },
    /// The system or SQLite refuses.
    #[error("{path} can't be opened: {text}")]
    Failed {
        /// The file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
}

/// The store, open.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    retention: Retention,
    /// Held while this process writes; the system lets go of it when the process ends.
    lock: Option<File>,
}

impl Drop for SqliteStore {
    /// Closing is not enough: a process that is just being forked has the lock, too (flock(2)).
    fn drop(&mut self) {
        // On an error it goes with the file.
        self.lock.as_ref().map(File::unlock);
    }
}

impl SqliteStore {
    /// Opens the store for its keeper, and makes it if it is not there; readable by its user only.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, retention: Retention) -> Result<Self, OpenError> {
        let failed = |error: std::io::Error| failed(path, &error);
        let private =
            || OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).clone();
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        let lock = private().open(lock).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(path.to_owned()),
            TryLockError::Error(error) => failed(error),
        })?;
        // SQLite gives the files beside it the same permissions.
        private().open(path).map_err(failed)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare(&connection, path, retention.store_bytes_max)?;
        let mut store = Self { connection, retention, lock: Some(lock) };
        store
            .forget_old()
            .map_err(|error| OpenError::Failed { path: path.to_owned(), text: error.0 })?;
        Ok(store)
    }

    /// Opens the store to look into it, also while its keeper runs.
    ///
    /// # Errors
    /// [`OpenError`]; also if there is none.
    pub fn open_to_read(path: &Path) -> Result<Self, OpenError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        check_schema(&connection, path)?;
        Ok(Self { connection, retention: Retention::default(), lock: None })
    }

    /// Removes the versions that are too old; the keeper calls it now and then.
    ///
    /// # Errors
    /// It can't be written.
    pub fn forget_old(&mut self) -> Result<(), StoreError> {
        let now = now_ms();
        self.retention.forget_old(&self.connection, now).map_err(|error| told(&error))
    }

    fn count(&self, sql: &str, of: impl Params) -> Result<usize, StoreError> {
        let count = self.connection.query_row(sql, of, |row| row.get::<_, i64>(0));
        let count = count.map_err(|error| told(&error))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags);
    let connection = connection.map_err(|error| of_sqlite(path, &error))?;
    let busy = connection.busy_timeout(Duration::from_secs(10));
    busy.map_err(|error| of_sqlite(path, &error))?;
    Ok(connection)
}

/// Makes what is not there, and looks whether what is there is whole.
fn prepare(connection: &Connection, path: &Path, bytes_max: u64) -> Result<(), OpenError> {
    let of_sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
    let tables: i64 = tables.map_err(of_sqlite)?;
    if tables == 0 {
        // One transaction: after a crash there are no tables or all.
        let make = format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN IMMEDIATE; {TABLES}
             PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA}; COMMIT;"
        );
        connection.execute_batch(&make).map_err(of_sqlite)?;
    } else {
        check_schema(connection, path)?;
        connection
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
            .map_err(of_sqlite)?;
        let found: String = pragma(connection, "quick_check").map_err(of_sqlite)?;
        if found != "ok" {
            return Err(OpenError::Damaged { path: path.to_owned(), text: found });
        }
    }
    let page_bytes: i64 = pragma(connection, "page_size").map_err(of_sqlite)?;
    let pages = bytes_max / page_bytes.unsigned_abs().max(1);
    connection
        .query_row(&format!("PRAGMA max_page_count={pages}"), [], |row| row.get::<_, i64>(0))
        .map_err(of_sqlite)?;
    Ok(())
}

fn check_schema(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let of_sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
    let id: i32 = pragma(connection, "application_id").map_err(of_sqlite)?;
    let schema: i32 = pragma(connection, "user_version").map_err(of_sqlite)?;
    match (id, schema) {
        (APPLICATION_ID, SCHEMA) => Ok(()),
        (APPLICATION_ID, _) => Err(OpenError::TooNew { path: path.to_owned(), schema }),
        _ => Err(OpenError::NotAStore(path.to_owned())),
    }
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

fn of_sqlite(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotAStore(path),
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, text: error.to_string() },
        _ => failed(&path, error),
    }
}

fn failed(path: &Path, error: &dyn std::error::Error) -> OpenError {
    OpenError::Failed { path: path.to_owned(), text: error.to_string() }
}

/// What a person makes of SQLite's error.
fn told(error: &rusqlite::Error) -> StoreError {
    StoreError(match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk or the store is full".to_owned(),
        Some(ErrorCode::SystemIoFailure) => format!("the disk does not take it: {error}"),
        _ => error.to_string(),
    })
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn entry(number: i64, hash: Option<&str>, bytes: i64) -> Result<Entry, StoreError> {
    let hash =
        hash.map(str::parse).transpose().map_err(|_| StoreError("a hash is none".to_owned()))?;
    Ok(Entry { version: number.unsigned_abs(), hash, bytes: bytes.unsigned_abs() })
}

/// A content, if it is what it was when it was kept.
fn checked(content: Vec<u8>, hash: &str) -> Result<Vec<u8>, StoreError> {
    if Hash::of(&content).to_string() == hash {
        Ok(content)
    } else {
        Err(StoreError(format!("the store is damaged: the content of {hash} is another")))
    }
}

impl Store for SqliteStore {
    fn catalogue(&self, owner: &OwnerName) -> Result<Catalogue, StoreError> {
        let mut catalogue = Catalogue::new();
        for version in self.versions(Some(owner), false)? {
            let Version { name, entry, .. } = version;
            catalogue.insert(name, entry);
        }
        Ok(catalogue)
    }

    fn newest(&self, owner: &OwnerName, name: &DataSetName) -> Result<Option<Entry>, StoreError> {
        let newest = self.connection.query_row(
            "SELECT number, hash, coalesce(length(content), 0) FROM version
             WHERE owner = ?1 AND name = ?2 ORDER BY number DESC LIMIT 1",
            params![owner.as_str(), name.as_str()],
            |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?)),
        );
        let newest = newest.optional().map_err(|error| told(&error))?;
        newest.map(|(number, hash, bytes)| entry(number, hash.as_deref(), bytes)).transpose()
    }

    fn counts(&self, owner: &OwnerName) -> Result<Counts, StoreError> {
        Ok(Counts {
            data_sets: self.count(
                "SELECT count(DISTINCT name) FROM version WHERE owner = ?1",
                [owner.as_str()],
            )?,
            owners: self.count("SELECT count(DISTINCT owner) FROM version", [])?,
        })
    }

    fn content(&self, owner: &OwnerName, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let content = self.connection.query_row(
            "SELECT content FROM version WHERE owner = ?1 AND hash = ?2 LIMIT 1",
            params![owner.as_str(), hash.to_string()],
            |row| row.get(0),
        );
        let content = content.optional().map_err(|error| told(&error))?;
        content.map(|content| checked(content, &hash.to_string())).transpose()
    }

    fn keep(
        &mut self,
        owner: &OwnerName,
        name: &DataSetName,
        version: u64,
        content: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let hash = content.map(|content| Hash::of(content).to_string());
        let number = i64::try_from(version).map_err(|error| StoreError(error.to_string()))?;
        let write = || {
            let transaction = self.connection.unchecked_transaction()?;
            // First, so that a full store has room for what changes often.
            self.retention.forget_surplus(&transaction, owner.as_str(), name.as_str())?;
            transaction.execute(
                "INSERT INTO version (owner, name, number, time_ms, hash, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![owner.as_str(), name.as_str(), number, now_ms(), hash, content],
            )?;
            transaction.commit()
        };
        write().map_err(|error| told(&error))
    }
}

#[cfg(test)]
mod tests;
