//! The writer of the history: nobody waits for the database, and what it missed is written later.

use std::sync::Arc;
use std::time::Duration;

use linebus_testkit::postgres::Postgres;
use rooms_panel::history::{WAITING_MAX, Writer, Writing};
use rooms_panel::records::{Audit, Record};
use rooms_panel::store::{AuditFilter, Page, Store, StoreError};
use sqlx::{AnyPool, Connection, Executor};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::databases::{postgres_database, with_addresses, with_stores};
use crate::samples::{audit, call};

const ALL: Page = Page { before: None, limit: 2000 };

/// Waits until the status is so.
async fn wait(
    status: &mut watch::Receiver<Writing>,
    is_so: impl FnMut(&Writing) -> bool,
) -> Writing {
    let waited = timeout(Duration::from_secs(30), status.wait_for(is_so)).await;
    waited.expect("it becomes so").unwrap().clone()
}

async fn written(store: &Store) -> Vec<i64> {
    let rows = store.audit(&AuditFilter::default(), &ALL).await.unwrap().rows;
    rows.into_iter().map(|row| row.id).rev().collect()
}

fn numbered(id: i64) -> Record {
    Record::Audit(audit(id, id, "power on"))
}

#[test]
fn what_is_recorded_is_written_by_itself_and_at_the_end() {
    with_stores(&async |store: Store| {
        let (writer, task) = Writer::start(store.clone());
        let mut status = writer.status();
        writer.record(numbered(1));
        assert_eq!(status.borrow().waiting, 1);
        wait(&mut status, |status| status.waiting == 0).await;
        assert_eq!(written(&store).await, [1]);
        for id in 0..1200 {
            writer.record(numbered(id));
        }
        let newer = Audit { answer: "accepted".to_owned(), ..audit(7, 7, "power on") };
        writer.record(Record::Audit(newer.clone()));
        assert_eq!(writer.close().await, 0);
        task.await.unwrap();
        assert_eq!(written(&store).await, (0..1200).collect::<Vec<_>>());
        let filter = AuditFilter { answer: Some("accepted".to_owned()), ..AuditFilter::default() };
        assert_eq!(store.audit(&filter, &ALL).await.unwrap().rows, [newer]);
        assert_eq!(*writer.status().borrow(), Writing::default());
    });
}

#[test]
fn a_postgres_that_stops_in_the_middle_gets_everything_when_it_is_back() {
    let postgres = Arc::new(Postgres::start());
    let address = postgres.database("panel");
    // Stopping and starting waits for the server, not in the way of the tasks.
    let orders = |order: fn(&Postgres)| {
        let postgres = postgres.clone();
        tokio::task::spawn_blocking(move || order(&postgres))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let store = Store::open(&address).await.unwrap();
        let (writer, task) = Writer::start(store.clone());
        let mut status = writer.status();
        for id in 0..800 {
            writer.record(numbered(id));
        }
        wait(&mut status, |status| status.waiting < 800).await;
        orders(Postgres::stop).await.unwrap();
        for id in 700..1000 {
            writer.record(numbered(id));
        }
        let behind = wait(&mut status, |status| status.behind_since.is_some()).await;
        assert!(behind.waiting >= 300 && behind.error.contains("database"), "{behind:?}");
        orders(Postgres::start_again).await.unwrap();
        let now = wait(&mut status, |status| status.waiting == 0).await;
        assert_eq!(now, Writing::default());
        assert_eq!(written(&store).await, (0..1000).collect::<Vec<_>>());

        orders(Postgres::stop).await.unwrap();
        // From here on only times are waited for.
        tokio::time::pause();
        writer.record(numbered(1000));
        assert_eq!(writer.close().await, 1, "nobody takes it, and closing ends all the same");
        let error = store.load().await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
        task.await.unwrap();
    });
}

#[tokio::test]
async fn a_file_that_another_program_holds_gets_everything_later() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("panel.db").display());
    let store = Store::open(&address).await.unwrap();
    let mut other = sqlx::AnyConnection::connect(&address).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (writer, task) = Writer::start(store.clone());
    let mut status = writer.status();
    writer.record(numbered(1));
    let behind = wait(&mut status, |status| status.behind_since.is_some()).await;
    assert_eq!((behind.waiting, behind.error.contains("locked")), (1, true), "{behind:?}");
    writer.record(numbered(2));
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(wait(&mut status, |status| status.waiting == 0).await, Writing::default());
    assert_eq!(written(&store).await, [1, 2]);
    writer.close().await;
    task.await.unwrap();
}

#[test]
fn beyond_its_bound_the_oldest_are_lost_and_counted() {
    with_addresses(&async |address: &str| {
        let store = Store::open(address).await.unwrap();
        // A database without its table takes nothing, and may be mended.
        let pool = AnyPool::connect(address).await.unwrap();
        pool.execute("ALTER TABLE audit RENAME TO gone").await.unwrap();
        let (writer, task) = Writer::start(store.clone());
        let mut status = writer.status();
        writer.record(numbered(-1));
        wait(&mut status, |status| status.behind_since.is_some()).await;
        let many = i64::try_from(WAITING_MAX).unwrap();
        for id in 0..many + 10 {
            // The same few records until the last ones would take long to write; these are calls.
            writer.record(Record::Call(call(id, "a", "b", id)));
        }
        let full = wait(&mut status, |status| status.lost >= 11).await;
        assert_eq!((full.lost, full.waiting), (11, WAITING_MAX));
        task.abort();
        pool.close().await;
    });
}

#[tokio::test]
async fn a_record_that_the_database_refuses_does_not_hold_up_the_others() {
    let store = Store::open(&postgres_database()).await.unwrap();
    let (writer, task) = Writer::start(store.clone());
    writer.record(numbered(1));
    // Postgres has no text with a zero in it.
    writer.record(Record::Audit(audit(2, 2, "power\0on")));
    writer.record(numbered(3));
    assert_eq!(writer.close().await, 0);
    task.await.unwrap();
    assert_eq!(written(&store).await, [1, 3]);
    assert_eq!(*writer.status().borrow(), Writing { lost: 1, ..Writing::default() });
}
