//! Databases for tests: the same test runs on both kinds, each time with an empty one.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use linebus_testkit::postgres::Postgres;
use rooms_panel::store::Store;

/// One server for the whole test program.
pub(crate) static POSTGRES: LazyLock<Postgres> = LazyLock::new(Postgres::start);

/// The address of an empty Postgres database.
pub(crate) fn postgres_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    POSTGRES.database(&format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// Runs a test with the address of an empty database, on one kind and then on the other.
pub(crate) fn with_addresses(test: &impl AsyncFn(&str)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for address in
            [format!("sqlite:{}", folder.path().join("panel.db").display()), postgres_database()]
        {
            eprintln!("with {address}");
            test(&address).await;
        }
    });
}

/// The same with the store open.
pub(crate) fn with_stores(test: &impl AsyncFn(Store)) {
    with_addresses(&async |address: &str| {
        let store = Store::open(address).await.unwrap();
        test(store.clone()).await;
        store.close().await;
    });
}
