//! Folders as they are found, and folders that are no place for a restore.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use tempfile::tempdir;

use super::*;

fn name(text: &str) -> DataSetName {
    DataSetName::new(text).expect("a name")
}

#[test]
fn a_folder_is_read_with_all_that_is_in_it_and_restored_as_it_was() {
    let from = tempdir().expect("a folder");
    fs::create_dir_all(from.path().join("drivers/empty")).expect("written");
    fs::write(from.path().join("Saal 2.toml"), [0, 255, 10]).expect("written");
    fs::write(from.path().join("drivers/a.toml"), "").expect("written");
    let files = read(from.path()).expect("it can be read");
    let expected = [(name("Saal 2.toml"), vec![0, 255, 10]), (name("drivers/a.toml"), vec![])];
    assert_eq!(files, BTreeMap::from(expected));

    let to = tempdir().expect("a folder");
    for place in [to.path().join("new"), to.path().join("new/empty")] {
        if place.ends_with("empty") {
            fs::create_dir(&place).expect("written");
        }
        let mut restoring = Restoring::begin(&place).expect("it is empty");
        for (name, content) in &files {
            restoring.write(name, content).expect("written");
        }
        restoring.complete().expect("written");
        assert_eq!(read(&place).expect("it can be read"), files);
        let mode = fs::metadata(place.join("Saal 2.toml")).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        fs::remove_dir_all(&place).expect("removed");
        fs::create_dir(to.path().join("new")).ok();
    }
}

#[test]
fn a_restore_that_breaks_off_leaves_nothing() {
    let to = tempdir().expect("a folder");
    let mut restoring = Restoring::begin(&to.path().join("new")).expect("it is not there");
    restoring.write(&name("a"), b"x").expect("written");
    assert!(restoring.write(&name("a/b"), b"x").is_err(), "a is a file");
    drop(restoring);
    assert_eq!(fs::read_dir(to.path()).expect("it is there").count(), 0);
}

#[test]
fn what_somebody_puts_into_the_folder_meanwhile_stays() {
    let to = tempdir().expect("a folder");
    let mut restoring = Restoring::begin(to.path()).expect("it is empty");
    restoring.write(&name("a"), b"kept").expect("written");
    fs::write(to.path().join("a"), "mine").expect("written");
    refused(restoring.complete(), "is not empty; restore into an empty folder");
    assert_eq!(fs::read(to.path().join("a")).expect("it is there"), b"mine");
    assert_eq!(fs::read_dir(to.path()).expect("it is there").count(), 1);
}

#[track_caller]
fn refused(result: Result<impl Sized, FolderError>, because: &str) {
    let error = result.err().expect("it is refused").to_string();
    assert!(error.contains(because), "{error}");
}

#[test]
fn what_can_not_be_backed_up_is_said() {
    let dir = tempdir().expect("a folder");
    refused(read(dir.path()), "is empty: nothing to back up");
    refused(read(&dir.path().join("none")), "/none: No such file");
    let path = |name: &[u8]| dir.path().join(std::ffi::OsStr::from_bytes(name));
    for (file, because) in
        [(&b"\xff"[..], "the name is not UTF-8; rename it"), (b"a\nb", "is no name of a data set")]
    {
        fs::write(path(file), "").expect("written");
        refused(read(dir.path()), because);
        fs::remove_file(path(file)).expect("removed");
    }
    let large = path(b"large");
    let file = File::create(&large).expect("written");
    file.set_len(DATA_SET_BYTES_MAX as u64 + 1).expect("it has holes");
    refused(read(dir.path()), "has 16777217 bytes, and a data set has at most 16777216");
    file.set_len(DATA_SET_BYTES_MAX as u64).expect("it has holes");
    assert!(read(dir.path()).is_ok());
    fs::remove_file(large).expect("removed");
    let _socket = std::os::unix::net::UnixListener::bind(path(b"socket")).expect("bound");
    refused(read(dir.path()), "/socket is neither a file nor a folder");
}

#[test]
fn there_are_at_most_so_many_files() {
    let dir = tempdir().expect("a folder");
    for number in 0..DATA_SETS_MAX {
        File::create(dir.path().join(number.to_string())).expect("written");
    }
    assert!(read(dir.path()).is_ok());
    File::create(dir.path().join("more")).expect("written");
    refused(read(dir.path()), "has more than 4096 files");
}

#[test]
fn a_folder_with_something_in_it_is_no_place_for_a_restore() {
    let dir = tempdir().expect("a folder");
    fs::write(dir.path().join("a"), "mine").expect("written");
    refused(Restoring::begin(dir.path()), "is not empty; restore into an empty folder");
    refused(Restoring::begin(&dir.path().join("a")), "/a: Not a directory");
    assert_eq!(fs::read(dir.path().join("a")).expect("it is there"), b"mine");
}
