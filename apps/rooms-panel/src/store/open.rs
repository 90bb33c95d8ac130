//! From an address to a pool of connections to tables that are as this program wants them.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, ConnectOptions, Connection, Executor};
use tokio::time::timeout;

use super::error::StoreError;

/// A database that gives no connection in this time is away.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Connections at a time; pages are few and the history has one writer.
const CONNECTIONS_MAX: u32 = 8;

/// One set for both databases.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!();

/// Connects and brings the tables up to date.
pub(super) async fn open(address: &str) -> Result<AnyPool, StoreError> {
    install_default_drivers();
    let pool = match address.split_once(':') {
        Some(("postgres" | "postgresql", _)) => postgres(address).await?,
        Some(("sqlite", ":memory:")) => sqlite("sqlite::memory:", 1).await?,
        Some(("sqlite", file)) => sqlite(&file_address(file)?, CONNECTIONS_MAX).await?,
        _ => {
            let scheme = address.split(':').next().unwrap_or_default();
            let told = format!("a database's address does not begin with {scheme:?}");
            return Err(StoreError::Address(told));
        }
    };
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_MAX)
}

async fn postgres(address: &str) -> Result<AnyPool, StoreError> {
    // What does not parse is not repeated: a password may be in it.
    let options: AnyConnectOptions = address
        .parse()
        .map_err(|_| StoreError::Address("the database's address can't be read".to_owned()))?;
    // Once by hand: the pool would not say why it found no connection.
    let connection = timeout(CONNECT_MAX, options.connect()).await;
    let connection = connection.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let connection = connection.map_err(|error| match error {
        sqlx::Error::Configuration(error) => StoreError::Address(error.to_string()),
        error => at_host(&options, error.into()),
    })?;
    connection.close().await?;
    Ok(pool(CONNECTIONS_MAX).connect_lazy_with(options))
}

/// Says where nobody answers.
fn at_host(options: &AnyConnectOptions, error: StoreError) -> StoreError {
    let url = &options.database_url;
    match error {
        StoreError::Unreachable(text) => StoreError::Unreachable(format!(
            "{}:{}: {text}",
            url.host_str().unwrap_or("localhost"),
            url.port().unwrap_or(5432)
        )),
        error => error,
    }
}

async fn sqlite(address: &str, connections: u32) -> Result<AnyPool, StoreError> {
    // It would go with its only connection.
    let pool = pool(connections).idle_timeout(None).max_lifetime(None);
    let pool = pool.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute("PRAGMA busy_timeout = 2000").await?;
            connection.execute("PRAGMA foreign_keys = ON").await?;
            connection.execute("PRAGMA journal_mode = WAL").await?;
            Ok(())
        })
    });
    Ok(pool.connect(address).await?)
}

/// Makes the file, readable by its user only (SQLite gives those beside it the same permissions), and
/// an address in which every sign of its path stands for itself.
fn file_address(file: &str) -> Result<String, StoreError> {
    let path = Path::new(file.strip_prefix("//").unwrap_or(file));
    if path.as_os_str().is_empty() {
        return Err(StoreError::Address("the database's file has no name".to_owned()));
    }
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    // Absolute, so that nothing of it is taken for another part of the address.
    let path = made.and_then(|_| path.canonicalize());
    let path = path.map_err(|error| StoreError::Failed(format!("{file}: {error}")))?;
    let encoded = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    Ok(format!("sqlite:{encoded}"))
}
