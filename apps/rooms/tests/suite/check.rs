//! `rooms check` as people run it: what it says, where, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect_file;

use crate::{ROOMS, text};

/// Runs `rooms check` in the crate's folder, so that files are named as in the expected texts.
fn check(dir: impl AsRef<Path>) -> Output {
    Command::new(ROOMS)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("check")
        .arg(dir.as_ref())
        .output()
        .expect("the program is there")
}

#[test]
fn two_cities_are_right_but_for_a_warning() {
    let output = check("example");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "example: 2 rooms with 10 devices are right\n");
    assert_eq!(
        text(&output.stderr),
        "rooms: example/room-a.toml: line 54: device.screen.pulse_ms: warning: no reply path: the device is told, and nobody hears what it did; panels show what was sent\n"
    );
}

#[test]
fn every_mistake_is_explained_at_once() {
    let output = check("tests/suite/mistakes");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    expect_file!["mistakes.txt"].assert_eq(text(&output.stderr));
}

#[test]
fn a_folder_without_rooms_is_a_mistake() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "rooms: {}: no room file is there: each room has one, such as vienna.toml\n",
        folder.path().display()
    );
    assert_eq!(text(&output.stderr), expected);

    let output = check(folder.path().join("none"));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("/none: the folder of room files can't be read: No such file"), "{said}");
}

#[test]
fn what_is_no_text_is_a_mistake() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("a.toml"), b"[room]\nid = \"\xff\"").expect("written");
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("/a.toml: can't be read: stream did not contain valid UTF-8"), "{said}");
}
