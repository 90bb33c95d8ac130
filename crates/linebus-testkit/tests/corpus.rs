//! What fuzzing found worth keeping, played again on every run.

use std::path::Path;

use linebus_testkit::fuzz;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).expect("the corpus is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
    paths.sort();
    assert!(paths.len() > 20, "a few dozen");
    for path in paths {
        println!("{}", path.display());
        body(&std::fs::read(&path).expect("readable"));
    }
}

#[test]
fn lines_are_read_as_they_are_written() {
    replay("line", fuzz::line);
}

#[test]
fn commands_are_written_as_they_are_read() {
    replay("command", fuzz::command);
}

#[test]
fn patterns_are_what_the_grammar_says() {
    replay("pattern", fuzz::pattern);
}

#[test]
fn everybody_hears_what_is_due_however_lines_are_cut() {
    replay("broker", fuzz::broker);
}

#[test]
fn configurations_are_right_or_explained() {
    replay("config", fuzz::config);
}

#[test]
fn records_are_read_line_by_line_or_told_as_damaged() {
    replay("record", fuzz::record);
}

#[test]
fn users_files_are_right_or_explained_and_can_be_edited() {
    replay("users", fuzz::users);
}
