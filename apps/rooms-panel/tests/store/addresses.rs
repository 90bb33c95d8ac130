//! Where the database is: wrong addresses are explained, and what is there is not spoilt.

use std::os::unix::fs::PermissionsExt;

use rooms_panel::store::{Store, StoreError};
use sqlx::{AnyPool, Executor};

use crate::databases::{POSTGRES, postgres_database, with_addresses};

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    with_addresses(&async |address: &str| {
        Store::open(address).await.unwrap().close().await;
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(address).await.unwrap();
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM _sqlx_migrations");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files = std::fs::read_dir(folder).unwrap().count();
        let count = count.fetch_one(&pool).await.unwrap();
        assert_eq!(usize::try_from(count), Ok(files), "each file is in the program");
        sqlx::query("UPDATE _sqlx_migrations SET version = 9000 WHERE version = 2")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        let error = Store::open(address).await.unwrap_err();
        assert!(matches!(error, StoreError::TooNew(9000)), "{error}");
        assert!(error.to_string().contains("newer version"), "{error}");
    });
}

#[tokio::test]
async fn a_wrong_address_is_explained_without_its_password() {
    let port = POSTGRES.port();
    POSTGRES.run("postgres", "CREATE ROLE locked LOGIN PASSWORD 'right'");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (address, expected) in [
        ("mysql://u:secret@h/d".to_owned(), "write postgres://"),
        ("secret".to_owned(), "write postgres://"),
        ("sqlite:".to_owned(), "no name"),
        ("sqlite:/nowhere/at/all.db".to_owned(), "/nowhere/at/all.db"),
        ("postgres://u:sec#ret:secret@h/d".to_owned(), "can't be read"),
        ("postgres://u:secret@127.0.0.1/d?sslmode=odd".to_owned(), "write postgres://"),
        (format!("postgres://locked:secret@127.0.0.1:{port}/postgres"), "locked"),
        (format!("postgres://postgres:secret@127.0.0.1:{port}/nothing"), "nothing"),
        (format!("postgres://u:secret@127.0.0.1:{closed}/d"), "does not answer"),
    ] {
        let told = Store::open(&address).await.unwrap_err().to_string();
        assert!(told.contains(expected), "{address}: {told}");
        assert!(!told.contains("secret") || address == "secret", "{address}: {told}");
    }
    let right = format!("postgres://locked:right@127.0.0.1:{port}/{}", {
        let address = postgres_database();
        let name = address.rsplit('/').next().unwrap().to_owned();
        POSTGRES.run(&name, "GRANT ALL ON SCHEMA public TO locked");
        name
    });
    Store::open(&right).await.unwrap().close().await;
}

#[tokio::test]
async fn a_file_with_odd_signs_in_its_name_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("50% of? it#.db");
    let store = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    store.put_setting("a", "b").await.unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    store.close().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_store_in_memory_keeps_what_it_has() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let (one, other) = tokio::join!(store.put_setting("a", "1"), store.put_setting("b", "2"));
    one.and(other).unwrap();
    assert_eq!(store.load().await.unwrap().settings.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_says_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("postgres://u:secret@{}/d", silent.local_addr().unwrap());
    let error = Store::open(&address).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable(text) if text.contains("in time")), "{error}");
}

#[tokio::test]
async fn a_statement_that_is_held_up_is_given_up() {
    let address = postgres_database();
    let store = Store::open(&address).await.unwrap();
    let other = AnyPool::connect(&address).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    transaction.execute("LOCK TABLE setting").await.unwrap();
    let held_up = tokio::spawn(async move { store.put_setting("a", "b").await });
    let is_held_up = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(is_held_up).fetch_one(&other).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    let error = held_up.await.unwrap().unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable(text) if text.contains("10 s")), "{error}");
}
