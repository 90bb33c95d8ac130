//! The house's rules that a machine can check: every file says what it is, none is too long, the
//! walls between crates stand, and no test sleeps.

use std::path::{Path, PathBuf};

/// More lines than this and a file is more than one thing.
const LINES_MAX: usize = 700;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask has a parent")
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        ["crates", "apps", "xtask", "fuzz"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the project") {
            let path = entry.expect("readable").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("sources are text");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 50, "the sources are there");
    found
}

fn check(rule: &str, broken: impl Fn(&Path, &str) -> bool) {
    let sources = sources();
    let broken: Vec<_> =
        sources.iter().filter(|(path, text)| broken(path, text)).map(|(path, _)| path).collect();
    assert!(broken.is_empty(), "{rule}: {broken:#?}");
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    check("begin with //!", |path, text| {
        // A fuzz target begins with `#![no_main]`.
        !text.starts_with("//!") && !path.starts_with(root().join("fuzz"))
    });
}

#[test]
fn no_file_is_longer_than_one_thing() {
    check("split it", |_, text| text.lines().count() > LINES_MAX);
}

#[test]
fn no_file_is_a_drawer_for_odds_and_ends() {
    let refused = ["common", "utils", "util", "helpers", "helper", "manager", "misc"];
    check("name what it is for", |path, _| {
        path.file_stem().is_some_and(|stem| refused.iter().any(|refused| stem == *refused))
    });
}

#[test]
fn no_example_in_a_page_is_passed_over() {
    check("run it: take `doctest = false` out of Cargo.toml", |path, text| {
        let manifest =
            path.ancestors().map(|folder| folder.join("Cargo.toml")).find(|m| m.exists());
        let manifest = std::fs::read_to_string(manifest.expect("it belongs to a package"));
        let docs = text.lines().filter_map(|line| {
            let line = line.trim();
            line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
        });
        // A block begins with every other fence; Rust's have no language.
        let mut begins = docs.filter(|line| line.contains("```")).step_by(2);
        manifest.expect("it is text").contains("doctest = false")
            && begins.any(|line| line.ends_with("```"))
    });
}

#[test]
fn no_test_sleeps() {
    let sleep = format!("{}(", "sleep");
    check("wait for what is to happen", |path, text| {
        let is_test = path.components().any(|part| part.as_os_str() == "tests")
            || path.ends_with("tests.rs")
            || path.components().any(|part| part.as_os_str() == "linebus-testkit");
        is_test && text.contains(&sleep)
    });
}

fn dependencies(manifest: &str) -> String {
    let text = std::fs::read_to_string(root().join(manifest)).expect("a manifest");
    let begin = text.find("[dependencies]").expect("it has dependencies");
    let rest = &text[begin + 1..];
    rest[..rest.find("\n[").unwrap_or(rest.len())].to_owned()
}

#[test]
fn the_walls_between_crates_stand() {
    for (krate, refused) in [
        ("crates/linebus-protocol", &["tokio", "linebus-", "parking_lot", "tracing"][..]),
        (
            "crates/linebus-broker",
            &["tokio", "linebus-server", "linebus-client", "tracing", "mio"][..],
        ),
        ("crates/linebus-server", &["linebus-client", "linebus-bench", "clap"][..]),
        (
            "crates/linebus-record",
            &["tokio", "linebus-broker", "linebus-server", "linebus-client", "tracing", "clap"],
        ),
        ("crates/linebus-client", &["linebus-broker", "linebus-server", "clap"][..]),
        ("apps/rooms-messages", &["tokio", "linebus-", "rooms-", "toml", "clap"][..]),
        ("apps/rooms-backup", &["tokio", "linebus-", "rooms-", "rusqlite"]),
        ("apps/rooms-drivers", &["tokio", "linebus-", "rooms-links"][..]),
        ("apps/rooms-links", &["tokio", "linebus-", "rooms-drivers"][..]),
        ("apps/rooms-files", &["tokio", "linebus-", "rooms-links", "clap"][..]),
        (
            "apps/rooms-panel",
            &["linebus-broker", "linebus-server", "linebus-protocol", "rooms-drivers", "clap"],
        ),
        ("apps/rooms", &["linebus-broker", "linebus-server", "linebus-protocol"][..]),
    ] {
        let dependencies = dependencies(&format!("{krate}/Cargo.toml"));
        for name in refused {
            assert!(!dependencies.contains(name), "{krate} must not depend on {name}");
        }
    }
}

#[test]
fn what_is_pure_never_reads_the_clock_or_a_socket() {
    let pure = ["crates/linebus-protocol", "crates/linebus-broker", "apps/rooms-messages"]
        .into_iter()
        .chain(["apps/rooms-backup", "apps/rooms-drivers", "apps/rooms-links"])
        .map(|krate| root().join(krate).join("src"))
        .collect::<Vec<_>>();
    check("time and bytes are arguments", |path, text| {
        let forbidden = ["Instant::now", "SystemTime::now", "std::net", "std::fs", "thread::spawn"];
        pure.iter().any(|folder| path.starts_with(folder))
            && forbidden.iter().any(|word| text.contains(word))
    });
}

#[test]
fn every_dependency_says_why_it_is_here() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let begin = text.find("# Each third-party crate").expect("the list");
    let list = &text[begin..begin + text[begin..].find("\n[").expect("its end")];
    for line in list.lines().filter(|line| line.contains(" = ")) {
        assert!(line.contains("# "), "say why in one line: {line}");
    }
}

#[test]
fn the_architecture_fits_a_persons_patience() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    assert!(text.lines().count() <= 200);
}

#[test]
fn what_is_copied_into_the_container_to_build_it_is_a_whole_workspace() {
    let text =
        std::fs::read_to_string(root().join("packaging/Containerfile")).expect("it is there");
    let stages: Vec<_> = text.split("\nFROM ").collect();
    let copied: Vec<_> = stages[1].lines().filter_map(|line| line.strip_prefix("COPY ")).collect();
    let context = tempfile::tempdir().expect("a temporary folder can be made");
    for line in &copied {
        let (from, _to) = line.rsplit_once(' ').expect("from and to");
        for name in from.split(' ') {
            std::os::unix::fs::symlink(root().join(name), context.path().join(name))
                .expect("nothing is copied twice");
        }
    }
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(context.path())
        .output()
        .expect("cargo is there");
    assert!(output.status.success(), "{copied:?}: {}", String::from_utf8_lossy(&output.stderr));
}
