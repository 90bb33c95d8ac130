//! What the store keeps, forgets and refuses to open.

use rooms_backup::Store;
use tempfile::{TempDir, tempdir};

use super::*;

const DAY_MS: i64 = 24 * 3600 * 1000;

fn owner() -> OwnerName {
    "rooms".parse().expect("an owner")
}

fn name(text: &str) -> DataSetName {
    DataSetName::new(text).expect("a name")
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("store");
    (folder, path)
}

fn open(path: &Path, retention: Retention) -> SqliteStore {
    SqliteStore::open(path, retention).expect("it can be opened")
}

fn keep(store: &mut SqliteStore, set: &str, version: u64, content: Option<&[u8]>) {
    store.keep(&owner(), &name(set), version, content).expect("it is written");
}

fn numbers(store: &SqliteStore) -> Vec<u64> {
    let versions = store.versions(None, true).expect("it can be read");
    versions.iter().map(|version| version.entry.version).collect()
}

/// Makes what is there look older.
fn age(store: &SqliteStore, set: &str, version: u64, days: i64) {
    let number = i64::try_from(version).expect("it is small");
    let aged = "UPDATE version SET time_ms = time_ms - ?1 WHERE name = ?2 AND number = ?3";
    store.connection.execute(aged, params![days * DAY_MS, set, number]).expect("written");
}

#[test]
fn what_is_kept_is_there_after_it_was_closed() {
    let (_folder, path) = folder();
    let mut store = open(&path, Retention::default());
    keep(&mut store, "a", 1, Some(b"one"));
    keep(&mut store, "a", 2, Some(&[0, 255]));
    keep(&mut store, "b", 1, Some(b""));
    keep(&mut store, "b", 2, None);
    drop(store);
    let store = open(&path, Retention::default());
    let hash = Hash::of(&[0, 255]);
    let newest = Entry { version: 2, hash: Some(hash), bytes: 2 };
    let gone = Entry { version: 2, hash: None, bytes: 0 };
    let catalogue = Catalogue::from([(name("a"), newest), (name("b"), gone)]);
    assert_eq!(store.catalogue(&owner()), Ok(catalogue));
    assert_eq!(store.newest(&owner(), &name("a")), Ok(Some(newest)));
    assert_eq!(store.newest(&owner(), &name("c")), Ok(None));
    assert_eq!(store.content(&owner(), hash), Ok(Some(vec![0, 255])));
    assert_eq!(store.content(&owner(), Hash::of(b"one")), Ok(Some(b"one".to_vec())));
    assert_eq!(store.content(&"others".parse().expect("an owner"), hash), Ok(None));
    assert_eq!(store.counts(&owner()), Ok(Counts { data_sets: 2, owners: 1 }));
    assert_eq!(store.content_of(&owner(), &name("a"), Some(1)), Ok(Some(Some(b"one".to_vec()))));
    assert_eq!(store.content_of(&owner(), &name("b"), None), Ok(Some(None)));
    assert_eq!(store.content_of(&owner(), &name("a"), Some(3)), Ok(None));
}

#[test]
fn only_its_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let mut store = open(&path, Retention::default());
    keep(&mut store, "a", 1, Some(b"secret"));
    for entry in std::fs::read_dir(folder.path()).expect("it is there") {
        let entry = entry.expect("readable");
        let mode = entry.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
}

#[test]
fn the_oldest_versions_beyond_the_number_are_forgotten() {
    let (_folder, path) = folder();
    let mut store = open(&path, Retention { versions: 2, ..Retention::default() });
    for version in 1..=4 {
        keep(&mut store, "a", version, Some(&[u8::try_from(version).expect("it is small")]));
    }
    keep(&mut store, "b", 1, Some(b"b"));
    assert_eq!(numbers(&store), [3, 4, 1]);
}

#[test]
fn age_counts_from_when_a_version_was_replaced() {
    let (_folder, path) = folder();
    let retention = Retention { age: Duration::from_secs(90 * 24 * 3600), ..Retention::default() };
    let mut store = open(&path, retention);
    for version in 1..=3 {
        keep(&mut store, "a", version, Some(&[u8::try_from(version).expect("it is small")]));
    }
    for (version, days) in [(1, 400), (2, 91), (3, 89)] {
        age(&store, "a", version, days);
    }
    store.forget_old().expect("it is written");
    assert_eq!(numbers(&store), [2, 3], "1 was replaced 91 days ago, 2 89 days ago");
    age(&store, "a", 3, 400);
    store.forget_old().expect("it is written");
    assert_eq!(numbers(&store), [3], "the newest stays however old it is");
}

#[test]
fn a_data_set_that_has_been_gone_for_long_is_forgotten() {
    let (_folder, path) = folder();
    let mut store = open(&path, Retention::default());
    keep(&mut store, "a", 1, Some(b"one"));
    keep(&mut store, "a", 2, None);
    age(&store, "a", 2, 89);
    store.forget_old().expect("it is written");
    assert_eq!(numbers(&store), [1, 2]);
    age(&store, "a", 2, 2);
    store.forget_old().expect("it is written");
    assert_eq!(numbers(&store), [0; 0]);
}

#[test]
fn a_full_store_says_so_and_goes_on_when_there_is_room() {
    let (_folder, path) = folder();
    let small = Retention { store_bytes_max: 64 * 1024, ..Retention::default() };
    let mut store = open(&path, small);
    keep(&mut store, "a", 1, Some(b"one"));
    let large = vec![7; 100_000];
    let error = store.keep(&owner(), &name("b"), 1, Some(&large));
    assert_eq!(error, Err(StoreError("the disk or the store is full".to_owned())));
    assert_eq!(numbers(&store), [1]);
    keep(&mut store, "a", 2, Some(b"two"));
    drop(store);
    let mut store = open(&path, Retention::default());
    keep(&mut store, "b", 1, Some(&large));
}

#[test]
fn a_full_store_has_room_for_what_replaces_an_old_version() {
    let (_folder, path) = folder();
    let small = Retention { versions: 2, store_bytes_max: 64 * 1024, ..Retention::default() };
    let mut store = open(&path, small);
    for version in 1..=5 {
        let content = vec![u8::try_from(version).expect("it is small"); 20_000];
        keep(&mut store, "a", version, Some(&content));
    }
    assert_eq!(numbers(&store), [4, 5]);
    let error = store.keep(&owner(), &name("b"), 1, Some(&[7; 20_000]));
    assert_eq!(error, Err(StoreError("the disk or the store is full".to_owned())));
}

#[test]
fn a_content_that_is_not_what_its_hash_says_is_not_given() {
    let (_folder, path) = folder();
    let mut store = open(&path, Retention::default());
    keep(&mut store, "a", 1, Some(b"one"));
    store.connection.execute("UPDATE version SET content = x'00'", []).expect("written");
    let error = store.content(&owner(), Hash::of(b"one")).expect_err("it is damaged");
    assert!(error.0.starts_with("the store is damaged: the content of "), "{error}");
}

#[track_caller]
fn not_opened(path: &Path, because: &str) {
    let error = SqliteStore::open(path, Retention::default()).expect_err("it is refused");
    assert!(error.to_string().contains(because), "{error}");
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let (folder, path) = folder();
    not_opened(&folder.path().join("none/store"), "/none/store can't be opened: No such file");
    std::fs::write(&path, "[room]\nid = \"a\"\n".repeat(100)).expect("written");
    not_opened(&path, "is not a keeper's store; name another file");
    assert!(std::fs::read_to_string(&path).expect("it is there").starts_with("[room]"));
    let other = folder.path().join("other");
    Connection::open(&other)
        .and_then(|other| other.execute_batch("CREATE TABLE a (b)"))
        .expect("made");
    not_opened(&other, "is not a keeper's store");
    assert!(SqliteStore::open_to_read(&folder.path().join("missing")).is_err());
}

#[test]
fn a_newer_store_is_left_to_the_newer_program() {
    let (_folder, path) = folder();
    let store = open(&path, Retention::default());
    store.connection.execute_batch("PRAGMA user_version=2").expect("written");
    drop(store);
    not_opened(&path, "was written by a newer version (its schema is 2)");
}

#[test]
fn a_damaged_store_is_not_written_to() {
    let (_folder, path) = folder();
    let mut store = open(&path, Retention::default());
    for number in 0..100 {
        keep(&mut store, &format!("set-{number}"), 1, Some(&[7; 5000]));
    }
    drop(store);
    let mut bytes = std::fs::read(&path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0xaa);
    std::fs::write(&path, bytes).expect("written");
    not_opened(&path, "is damaged: ");
}

#[test]
fn two_keepers_do_not_share_a_store_but_people_may_look() {
    let (_folder, path) = folder();
    let mut store = open(&path, Retention::default());
    keep(&mut store, "a", 1, Some(b"one"));
    not_opened(&path, "is in use: another keeper runs with it");
    let looking = SqliteStore::open_to_read(&path).expect("it can be read");
    assert_eq!(numbers(&looking), [1]);
    // As in a process that was just forked, and has yet to become another program.
    let _inherited = store.lock.as_ref().map(File::try_clone);
    drop(store);
    open(&path, Retention::default());
}
