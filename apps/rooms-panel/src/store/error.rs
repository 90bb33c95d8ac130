//! Why the store does not do what it was asked, and what helps. No text has a password in it.

use std::fmt::Display;

use sqlx::migrate::MigrateError;
use thiserror::Error;

/// Why the store can't be opened, read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It is no address of a database.
    #[error("{0}; write postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE")]
    Address(String),
    /// The database does not answer; it may later.
    #[error("the database does not answer: {0}")]
    Unreachable(String),
    /// The database answers, and does not let this program in.
    #[error("the database refuses the login: {0}; check user, password and database")]
    Denied(String),
    /// The database's tables were made by a newer version of this program.
    #[error("the database belongs to a newer version (its schema is {0}); use that one")]
    TooNew(i64),
    /// Its tables can't be made or are others.
    #[error("the database's tables can't be prepared: {0}; name an empty database")]
    Schema(String),
    /// The row was changed since the writer read it.
    #[error("somebody else changed it meanwhile; read it again")]
    Changed,
    /// The database will never take this content.
    #[error("the database refuses the content: {0}")]
    Refused(String),
    /// Something in a table can't be what this program wrote.
    #[error("the database holds what can't be read: {0}")]
    Unreadable(String),
    /// The database or the system says something else.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl StoreError {
    pub(super) fn unreadable(error: impl Display) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(said) => {
                let text = said.message().to_owned();
                match class(&said.code().unwrap_or_default()) {
                    Class::Login => Self::Denied(text),
                    Class::Content => Self::Refused(text),
                    Class::Away => Self::Unreachable(text),
                    Class::Other => Self::Failed(text),
                }
            }
            sqlx::Error::Io(error) => Self::Unreachable(error.to_string()),
            sqlx::Error::PoolTimedOut => {
                Self::Unreachable("no connection could be made in time".to_owned())
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::unreadable(error),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::TooNew(version),
            MigrateError::Execute(error @ sqlx::Error::Io(_)) => error.into(),
            error => Self::Schema(error.to_string()),
        }
    }
}

enum Class {
    Login,
    Content,
    Away,
    Other,
}

/// Sorts Postgres' codes of five signs and SQLite's numbers.
fn class(code: &str) -> Class {
    if code.len() == 5 {
        return match &code[..2] {
            // Values, constraints, limits such as an index entry's length.
            "22" | "23" | "54" => Class::Content,
            // The login, and a database that is not there.
            "28" | "3D" => Class::Login,
            // Connections; the server goes down or comes up.
            "08" | "57" => Class::Away,
            _ => Class::Other,
        };
    }
    // The low byte of SQLite's number is the kind.
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        // Busy or locked by somebody else.
        5 | 6 => Class::Away,
        // Too big, constraint, mismatch.
        18..=20 => Class::Content,
        _ => Class::Other,
    }
}
