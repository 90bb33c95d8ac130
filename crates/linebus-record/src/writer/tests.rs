//! What is recorded: every line, or a gap that says how many are missing; in files of the size and
//! age that is wanted.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::Sender;
use std::time::SystemTime;

use tempfile::TempDir;

use super::*;
use crate::line::Entry;
use crate::reader::{Item, Range, read};

/// Far longer than it ever takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn options(file: &str) -> Options {
    Options { file: file.parse().expect("it is a template"), ..Options::default() }
}

/// A recorder, and what it tells.
fn start(folder: &Path, options: &Options) -> (Recorder, Receiver<Notice>) {
    let (told, notices) = mpsc::channel();
    let recorder = Recorder::start(folder, options, move |notice| {
        // A test may have seen enough.
        let _ = told.send(notice);
    });
    (recorder.expect("it can record"), notices)
}

/// Waits until this is told.
fn wait_for<T>(notices: &Receiver<Notice>, wanted: impl Fn(Notice) -> Option<T>) -> T {
    loop {
        let notice = notices.recv_timeout(PATIENCE).expect("it is told");
        if let Some(found) = wanted(notice) {
            return found;
        }
    }
}

fn watch(clock: &str, message: &str) -> String {
    format!("watch t 2026-11-27T{clock}.000000Z alice {message}\n")
}

/// Everything in a record, as it stands there.
fn recorded(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut sink = |item: Item<'_>| {
        match item {
            Item::Entry(entry) => lines.push(entry.to_string()),
            Item::Damaged(damaged) => panic!("{damaged}"),
        }
        ControlFlow::Continue(())
    };
    read(folder, &Range::default(), &mut sink).expect("it is there");
    lines
}

fn messages(folder: &Path) -> Vec<String> {
    let message =
        |line: &String| Entry::parse(line.as_bytes()).expect("it is one").message.to_owned();
    recorded(folder).iter().map(message).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .expect("it is there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("it is text"));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn lines_are_recorded_as_they_were_said_and_nothing_else() {
    let within = temporary();
    let folder = within.path().join("a/b");
    let (recorder, _) = start(&folder, &Options::default());
    let said = "hello linebus 1 line-max=65536 login=open\nok watch >\n\
                watch a.b 2026-11-27T13:47:24.000001Z alice  two  blanks \n\
                watch t 2026-11-27T13:47:24.000002Z bob \n\
                note shutdown the bus stops\n\
                watch t 2026-11-27T13:47:24.000003Z $bus grüezi 🙂\n";
    recorder.queue().push(said.as_bytes());
    let counts = Arc::clone(recorder.counts());
    assert!(recorder.finish(PATIENCE));
    let file = folder.join("linebus-20261127T134724Z.log");
    let expected = "2026-11-27T13:47:24.000001Z alice a.b  two  blanks \n\
                    2026-11-27T13:47:24.000002Z bob t \n\
                    2026-11-27T13:47:24.000003Z $bus t grüezi 🙂\n";
    assert_eq!(fs::read_to_string(&file).expect("it was begun"), expected);
    assert_eq!((counts.lines(), counts.bytes()), (3, expected.len() as u64));
    assert_eq!(counts.lost_lines(), 0);
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&file) & !0o640, 0, "0640 at most");
    assert_eq!(mode(&folder) & !0o750, 0, "0750 at most");
}

#[test]
fn no_file_is_longer_than_is_wanted_and_no_line_is_lost_between_two() {
    let folder = temporary();
    let options = Options { rotate_bytes: 4_096, ..options("bus.log") };
    let (recorder, _) = start(folder.path(), &options);
    let wanted: Vec<_> = (0..2_000).map(|i| format!("{i} {}", "x".repeat(i % 100))).collect();
    for (i, message) in wanted.iter().enumerate() {
        recorder.queue().push(watch(&format!("13:00:{:02}", i / 40), message).as_bytes());
    }
    assert!(recorder.finish(PATIENCE));
    assert_eq!(messages(folder.path()), wanted);
    let names = names(folder.path());
    assert!(names.len() > 10 && names.contains(&"bus_002.log".to_owned()), "{names:?}");
    for name in names {
        let len = folder.path().join(&name).metadata().expect("it is there").len();
        assert!(len > 0 && len <= 4_096, "{name}: {len}");
    }
}

#[test]
fn a_line_longer_than_a_file_may_be_has_one_of_its_own() {
    let folder = temporary();
    let (recorder, _) =
        start(folder.path(), &Options { rotate_bytes: 4_096, ..options("bus.log") });
    for message in ["a", &"x".repeat(10_000), "b"] {
        recorder.queue().push(watch("13:00:00", message).as_bytes());
    }
    assert!(recorder.finish(PATIENCE));
    assert_eq!(names(folder.path()), ["bus.log", "bus_002.log", "bus_003.log"]);
    assert_eq!(messages(folder.path()).len(), 3);
}

#[test]
fn another_file_begins_with_each_period_and_when_a_clock_is_set_back() {
    let folder = temporary();
    let options = Options { rotate_hours: 2, ..options("%H%M%S") };
    let (recorder, _) = start(folder.path(), &options);
    let clocks = [
        "13:00:00", "13:59:59", "14:00:00", "15:59:59", "16:00:00",
        "15:59:59", // a little mixed
        "16:30:00", "16:10:00", "16:10:01", // set back
    ];
    let lines: String = clocks.iter().map(|clock| watch(clock, clock)).collect();
    recorder.queue().push(lines.as_bytes());
    assert!(recorder.finish(PATIENCE));
    let lines = |name: &String| {
        let text = fs::read_to_string(folder.path().join(name)).expect("it is there");
        text.lines().map(|line| line[11..19].to_owned()).collect::<Vec<_>>()
    };
    let files: Vec<_> = names(folder.path()).iter().map(lines).collect();
    let expected = [
        vec!["13:00:00", "13:59:59"],
        vec!["14:00:00", "15:59:59"],
        vec!["16:00:00", "15:59:59", "16:30:00"],
        vec!["16:10:00", "16:10:01"],
    ];
    assert_eq!(files, expected);
    assert_eq!(names(folder.path()), ["130000", "140000", "160000", "161000"]);
}

#[test]
fn after_a_renaming_the_next_line_is_in_a_new_file_of_the_name() {
    let folder = temporary();
    let (recorder, notices) = start(folder.path(), &options("bus.log"));
    recorder.queue().push(watch("13:00:00", "before").as_bytes());
    let begun = |notice| matches!(notice, Notice::Begun(_)).then_some(());
    wait_for(&notices, begun);
    let (log, old) = (folder.path().join("bus.log"), folder.path().join("bus.log.1"));
    fs::rename(&log, &old).expect("it is there");
    recorder.queue().next_file();
    recorder.queue().push(watch("13:00:01", "after").as_bytes());
    assert!(recorder.finish(PATIENCE));
    assert!(fs::read_to_string(old).expect("it is there").ends_with(" before\n"));
    assert!(fs::read_to_string(log).expect("it is there").ends_with(" after\n"));
}

#[test]
fn what_was_recorded_before_is_never_written_to_and_two_never_record_into_one_folder() {
    let folder = temporary();
    for run in ["one", "two"] {
        let (recorder, _) = start(folder.path(), &options("bus.log"));
        let second = Recorder::start(folder.path(), &Options::default(), |_| {});
        assert!(matches!(second, Err(StartError::Busy { .. })));
        recorder.queue().push(watch("13:00:00", run).as_bytes());
        // As in a process that was just forked, and has yet to become another program.
        let inherited = recorder.folder.try_clone().expect("a duplicate");
        assert!(recorder.finish(PATIENCE));
        drop((start(folder.path(), &options("bus.log")), inherited));
    }
    assert_eq!(names(folder.path()), ["bus.log", "bus_002.log"]);
    assert_eq!(messages(folder.path()), ["one", "two"]);
}

#[test]
fn a_folder_that_cannot_be_is_explained() {
    let folder = temporary();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("it can be written");
    let error = Recorder::start(&file, &Options::default(), |_| {}).expect_err("it is a file");
    assert!(error.to_string().starts_with("can't record into /"), "{error}");
}

/// A recorder whose thread stands still in the middle of its work until it is told to go on.
fn stuck(folder: &Path, options: &Options) -> (Recorder, Sender<()>) {
    let (go, gone) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    let gone = parking_lot::Mutex::new(gone);
    let recorder = Recorder::start(folder, options, move |notice| {
        if matches!(notice, Notice::Begun(_)) {
            let _ = began.send(());
            // Returns when the test drops its end.
            let _ = gone.lock().recv();
        }
    })
    .expect("it can record");
    recorder.queue().push(watch("13:00:00", "first").as_bytes());
    begun.recv_timeout(PATIENCE).expect("it begins a file");
    (recorder, go)
}

#[test]
fn a_disk_that_stands_still_costs_lines_never_time_and_the_gap_is_in_its_place() {
    let folder = temporary();
    let options = Options { queue_bytes: 100_000, ..options("bus.log") };
    let (recorder, go) = stuck(folder.path(), &options);
    let lines: Vec<_> =
        (0..3_000).map(|i| watch("13:00:01", &format!("{i} {}", "x".repeat(90)))).collect();
    for line in &lines {
        recorder.queue().push(line.as_bytes());
    }
    let lost = recorder.counts().lost_lines();
    assert!((1_000..3_000).contains(&lost), "{lost}");
    drop(go);
    let counts = Arc::clone(recorder.counts());
    assert!(recorder.finish(PATIENCE));
    assert_eq!(counts.lines() + counts.lost_lines(), 3_001);
    let messages = messages(folder.path());
    let kept = messages.len() - 2;
    let bytes: usize = lines[kept..].iter().map(String::len).sum();
    let gap = format!("lines={lost} bytes={bytes} reason=the disk was too slow");
    assert_eq!(messages.last(), Some(&gap), "it stands where lines are missing");
    assert!(messages[kept].starts_with(&format!("{} ", kept - 1)));
}

#[test]
fn lines_that_come_after_a_gap_stand_behind_it() {
    let folder = temporary();
    let options = Options { queue_bytes: 1_000, ..options("bus.log") };
    let (recorder, go) = stuck(folder.path(), &options);
    recorder.queue().push_block(watch("13:00:01", &"x".repeat(2_000)).into_bytes());
    drop(go);
    // Once half the queue is free, there is room.
    recorder.queue().push(watch("13:00:02", "after").as_bytes());
    recorder.queue().gap("the connection was lost");
    recorder.queue().push(watch("13:00:03", "later").as_bytes());
    assert!(recorder.finish(PATIENCE));
    let lines = recorded(folder.path());
    let expected = [
        "2026-11-27T13:00:00.000000Z alice t first",
        "2026-11-27T13:00:01.000000Z $record $record.gap lines=1 bytes=2043 reason=the disk was too slow",
        "2026-11-27T13:00:02.000000Z alice t after",
        "2026-11-27T13:00:03.000000Z $record $record.gap lines=? bytes=? reason=the connection was lost",
        "2026-11-27T13:00:03.000000Z alice t later",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_line_of_a_form_that_cannot_be_recorded_is_a_gap() {
    let folder = temporary();
    let (recorder, _) = start(folder.path(), &options("bus.log"));
    recorder.queue().push(b"watch t yesterday alice x\n");
    recorder.queue().push(watch("13:00:00", "good").as_bytes());
    let counts = Arc::clone(recorder.counts());
    assert!(recorder.finish(PATIENCE));
    assert_eq!((counts.lines(), counts.lost_lines()), (1, 1));
    let gap = "lines=1 bytes=26 reason=a line of another form";
    assert_eq!(messages(folder.path()), [gap, "good"]);
}

#[test]
fn a_folder_that_is_away_for_a_while_costs_its_lines_and_no_more() {
    let within = temporary();
    let (folder, moved) = (within.path().join("record"), within.path().join("moved"));
    let (recorder, notices) = start(&folder, &options("bus.log"));
    fs::rename(&folder, &moved).expect("it is there");
    recorder.queue().push(watch("13:00:00", "lost").as_bytes());
    wait_for(&notices, |notice| matches!(notice, Notice::Failing(..)).then_some(()));
    fs::rename(&moved, &folder).expect("it is there");
    // Nothing comes, and the gap is told all the same.
    let gap = wait_for(&notices, |notice| match notice {
        Notice::Gap(gap) => Some(gap),
        _ => None,
    });
    assert_eq!(gap.size.map(|(lines, _)| lines), Some(1));
    recorder.queue().push(watch("13:00:01", "kept").as_bytes());
    assert!(recorder.finish(PATIENCE));
    let messages = messages(&folder);
    assert!(messages[0].starts_with("lines=1 bytes="), "{messages:?}");
    assert_eq!(messages[1..], ["kept"]);
}

#[test]
fn complete_files_are_compressed_also_those_of_a_recorder_that_was_killed() {
    let folder = temporary();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("bus.log"), "2026-11-27T12:00:00.000000Z alice t earlier\n").expect("writable");
    fs::write(path(".bus.log.zst"), "half").expect("it can be written");
    fs::write(path("mine.log"), "2026-11-27T11:00:00.000000Z alice t mine\n").expect("writable");
    let options = Options { compress: true, rotate_bytes: 4_096, ..options("bus.log") };
    let (recorder, notices) = start(folder.path(), &options);
    for i in 0..100 {
        recorder.queue().push(watch("13:00:00", &format!("{i} {}", "x".repeat(90))).as_bytes());
    }
    for _ in 0..4 {
        wait_for(&notices, |notice| matches!(notice, Notice::Compressed(_)).then_some(()));
    }
    assert!(recorder.finish(PATIENCE));
    let expected = [
        "bus.log.zst",
        "bus_002.log.zst",
        "bus_003.log.zst",
        "bus_004.log.zst",
        "bus_005.log",
        "mine.log",
    ];
    assert_eq!(names(folder.path()), expected);
    let messages = messages(folder.path());
    assert_eq!(messages.len(), 102);
    assert!(messages[0] == "mine" && messages[1] == "earlier" && messages[101].starts_with("99 "));
}

#[test]
fn all_files_together_have_no_more_bytes_than_are_kept() {
    let folder = temporary();
    fs::write(folder.path().join("mine.log"), "x".repeat(100_000)).expect("it can be written");
    let options = Options { rotate_bytes: 4_096, keep_bytes: 20_000, ..options("%H%M%S.log") };
    let (recorder, notices) = start(folder.path(), &options);
    for i in 0..600_u32 {
        let clock = format!("13:{:02}:{:02}", i / 60, i % 60);
        recorder.queue().push(watch(&clock, &"x".repeat(100)).as_bytes());
    }
    let mut removed = Vec::new();
    while removed.len() < 16 {
        removed.push(wait_for(&notices, |notice| match notice {
            Notice::Removed(path) => Some(path),
            _ => None,
        }));
    }
    assert!(recorder.finish(PATIENCE));
    assert!(removed.is_sorted(), "the oldest first: {removed:?}");
    let names = names(folder.path());
    assert_eq!(names.last().map(String::as_str), Some("mine.log"), "it is not a recorder's");
    let bytes = |name: &String| folder.path().join(name).metadata().expect("it is there").len();
    assert!(names[..names.len() - 1].iter().map(bytes).sum::<u64>() <= 20_000);
    assert!(messages_of_last(folder.path(), &names) == "x".repeat(100));
}

fn messages_of_last(folder: &Path, names: &[String]) -> String {
    let text = fs::read_to_string(folder.join(&names[names.len() - 2])).expect("it is there");
    let line = text.lines().last().expect("it has lines").to_owned();
    Entry::parse(line.as_bytes()).expect("it is one").message.to_owned()
}

#[test]
fn files_are_removed_when_they_are_too_old() {
    let folder = temporary();
    let day = Duration::from_secs(24 * 60 * 60);
    for (name, days) in
        [("old.log", 0), ("bus.log", 11), ("bus_002.log.zst", 11), ("bus_003.log", 9)]
    {
        let path = folder.path().join(name);
        let file = File::create(&path).expect("it can be written");
        file.set_modified(SystemTime::now() - days * day).expect("it is ours");
    }
    let options = Options { keep_days: 10, ..options("bus.log") };
    let (recorder, notices) = start(folder.path(), &options);
    for _ in 0..2 {
        wait_for(&notices, |notice| matches!(notice, Notice::Removed(_)).then_some(()));
    }
    recorder.queue().push(watch("13:00:00", "new").as_bytes());
    assert!(recorder.finish(PATIENCE));
    assert_eq!(names(folder.path()), ["bus.log", "bus_003.log", "old.log"]);
}

#[test]
fn too_little_to_keep_is_explained() {
    let wrong = Options { keep_bytes: 1_000, rotate_bytes: 501, ..Options::default() };
    let text = wrong.too_little_kept().expect("it is too little");
    assert!(text.starts_with("at least twice rotate_bytes is wanted, 1002"), "{text}");
    let right = Options { keep_bytes: 1_002, ..wrong };
    assert_eq!(right.too_little_kept(), None);
    assert_eq!(Options::default().too_little_kept(), None);
}
