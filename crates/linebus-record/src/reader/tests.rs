//! What is read of a record: what was written, in its order, from where it is wanted; past damage.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use tempfile::TempDir;

use super::seek::start_of;
use super::*;
use crate::compressed::{compress_file, finished};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn time(text: &str) -> Time {
    Time::parse(format!("2026-11-27T{text}.000000Z").as_bytes()).expect("it is one")
}

/// A line for each second of a time of day, which is also its message.
fn lines(seconds: std::ops::Range<u32>) -> String {
    seconds.map(|second| format!("{}\n", line(second))).collect()
}

fn line(second: u32) -> String {
    let clock = clock(second);
    format!("2026-11-27T{clock}.000000Z alice rooms.vienna {clock} {}", "x".repeat(80))
}

fn clock(second: u32) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The messages' first words and what is damaged.
fn found(path: &Path, since: Option<Time>, until: Option<Time>) -> (Vec<String>, Vec<String>) {
    let (mut entries, mut damaged) = (Vec::new(), Vec::new());
    let mut sink = |item: Item<'_>| {
        match item {
            Item::Entry(entry) => entries.push(first_word(entry.message)),
            Item::Damaged(what) => {
                let name = what.path.file_name().expect("it has one").display().to_string();
                let text = what.to_string();
                damaged.push(text[text.find(&name).expect("it is named")..].to_owned());
            }
        }
        ControlFlow::Continue(())
    };
    read(path, &Range { since, until }, &mut sink).expect("it can be read");
    (entries, damaged)
}

fn first_word(message: &str) -> String {
    message.split(' ').next().expect("there is one").to_owned()
}

fn clocks(seconds: std::ops::Range<u32>) -> Vec<String> {
    seconds.map(clock).collect()
}

#[test]
fn files_are_read_in_the_order_of_their_lines_compressed_or_not() {
    let folder = folder();
    let write = |name: &str, seconds| {
        let path = folder.path().join(name);
        fs::write(&path, lines(seconds)).expect("it can be written");
        path
    };
    write("c", 0..100);
    compress_file(&write("b", 100..200)).expect("there is room");
    write("a", 200..300);
    // Not ours to read: hidden, empty, a folder.
    write(".hidden", 0..100);
    write("empty", 0..0);
    fs::create_dir(folder.path().join("folder")).expect("it can be made");
    assert_eq!(found(folder.path(), None, None), (clocks(0..300), vec![]));
    let (since, until) = (Some(time("00:01:50")), Some(time("00:04:10")));
    assert_eq!(found(folder.path(), since, until), (clocks(110..250), vec![]));
    assert_eq!(found(&folder.path().join("b.zst"), since, None), (clocks(110..200), vec![]));
    assert_eq!(found(folder.path(), Some(time("00:05:00")), None), (vec![], vec![]));
    assert_eq!(found(folder.path(), None, Some(time("00:00:00"))), (vec![], vec![]));
}

#[test]
fn a_file_that_was_just_compressed_is_read_once() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    fs::write(&path, lines(0..10)).expect("it can be written");
    compress_file(&path).expect("there is room");
    // As if the recorder had been killed before it removed the original.
    fs::write(&path, lines(0..10)).expect("it can be written");
    assert_eq!(found(folder.path(), None, None), (clocks(0..10), vec![]));
    fs::remove_file(&path).expect("it is there");
    assert_eq!(found(folder.path(), None, None), (clocks(0..10), vec![]));
    assert_eq!(found(&path, None, None), (clocks(0..10), vec![]), "its name is known still");
}

#[test]
fn foreign_files_and_missing_ones_are_told() {
    let folder = folder();
    fs::write(folder.path().join("notes.txt"), "hello\n").expect("it can be written");
    let expected = "notes.txt: there is no line of a record at its beginning, skipped";
    assert_eq!(found(folder.path(), None, None), (vec![], vec![expected.to_owned()]));
    let mut nothing = |_: Item<'_>| ControlFlow::Continue(());
    read(&folder.path().join("none"), &Range::default(), &mut nothing)
        .expect_err("it is not there");
}

#[test]
fn each_damaged_line_is_told_and_all_others_are_read() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    let mut text = lines(0..3).into_bytes();
    text.extend_from_slice(b"garbage\n\n2026-11-27T00:00:03.000000Z bob\n");
    text.extend_from_slice(&[0; 100]);
    text.push(b'\n');
    text.extend_from_slice(lines(4..6).as_bytes());
    let torn = &line(6)[..60];
    text.extend_from_slice(torn.as_bytes());
    fs::write(&path, text).expect("it can be written");
    let expected = [
        "bus.log: line 4: it does not begin with a time, skipped",
        "bus.log: line 5: it does not begin with a time, skipped",
        "bus.log: line 6: its second word is no user, skipped",
        "bus.log: line 7: it does not begin with a time, skipped",
        "bus.log: line 10: the line has no end, skipped",
    ];
    let good = [clocks(0..3), clocks(4..6)].concat();
    assert_eq!(found(&path, None, None), (good, expected.map(str::to_owned).to_vec()));
}

#[test]
fn a_torn_line_is_never_taken_for_a_whole_one_wherever_it_is_torn() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    let text = lines(0..2);
    for len in 0..text.len() {
        fs::write(&path, &text[..len]).expect("it can be written");
        let (entries, damaged) = found(&path, None, None);
        let whole = text[..len].matches('\n').count();
        assert_eq!(entries, clocks(0..whole as u32), "{len}");
        assert_eq!(damaged.len(), usize::from(len > 0 && !text[..len].ends_with('\n')), "{len}");
    }
}

#[test]
fn what_is_damaged_of_a_compressed_file_is_told_and_the_rest_is_read() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    // More than one MiB, so that there are several frames.
    fs::write(&path, lines(0..20_000)).expect("it can be written");
    compress_file(&path).expect("there is room");
    let path = finished(&path);
    let whole = fs::read(&path).expect("it is there");
    let mut damaged = whole.clone();
    damaged[whole.len() / 3] ^= 0x55;
    fs::write(&path, damaged).expect("it can be written");
    let (entries, told) = found(&path, None, None);
    assert!(told.len() == 1 && told[0].contains("a compressed part is damaged"), "{told:?}");
    assert!(entries.len() > 5_000 && entries.len() < 20_000, "{}", entries.len());
    assert_eq!(entries.last(), Some(&clock(19_999)));
    // Cut off, as by a full disk of somebody who copied it: no table, but a beginning.
    fs::write(&path, &whole[..whole.len() * 2 / 3]).expect("it can be written");
    let (entries, told) = found(&path, None, None);
    assert!(told.iter().any(|told| told.contains("it can't be read on")), "{told:?}");
    let count = entries.len() as u32;
    assert!(count > 5_000 && entries == clocks(0..count));
}

#[test]
fn lines_a_little_out_of_order_are_found_by_their_time() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    let mut seconds: Vec<u32> = (0..20_000).collect();
    // Each third line comes two places late, so that times go back.
    seconds.chunks_mut(3).for_each(|chunk| chunk.rotate_left(1));
    let text: String = seconds.iter().map(|second| format!("{}\n", line(*second))).collect();
    fs::write(&path, text).expect("it can be written");
    for since in [0, 1, 2, 9_999, 10_000, 10_001, 19_999] {
        let (mut entries, _) = found(&path, Some(time(&clock(since))), None);
        entries.sort();
        assert_eq!(entries, clocks(since..20_000), "{since}");
    }
}

/// Counts what is read.
struct Counting<'a> {
    inner: Cursor<Vec<u8>>,
    bytes: &'a Cell<usize>,
}

impl Read for Counting<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.bytes.set(self.bytes.get() + len);
        Ok(len)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn the_last_minute_of_a_day_is_found_without_reading_the_day() {
    let text = lines(0..86_400).into_bytes();
    assert!(text.len() > 10 << 20);
    let bytes = Cell::new(0);
    let wanted = text.len() - 60 * (line(0).len() + 1);
    let mut file = Counting { inner: Cursor::new(text), bytes: &bytes };
    let start = start_of(&mut file, time("23:59:00")).expect("memory can be read");
    assert!(start <= wanted as u64 && wanted as u64 - start < 100 << 10, "{start} of {wanted}");
    assert!(bytes.get() < 100 << 10, "{} bytes were read", bytes.get());
}

#[test]
fn seeking_and_reading_all_find_the_same_in_any_text() {
    arbtest::arbtest(|u| {
        let mut text = Vec::new();
        let mut second = 0;
        for _ in 0..u.int_in_range(0..=3_000)? {
            match u.int_in_range(0..=20)? {
                0 => text.extend_from_slice(b"damaged\n"),
                1 => text.extend(std::iter::repeat_n(b'x', u.int_in_range(0..=9_000)?)),
                2 => second += u.int_in_range(0..=100)?,
                _ => text.extend_from_slice(format!("{}\n", line(second)).as_bytes()),
            }
        }
        let since = time(&clock(u.int_in_range(0..=second)?));
        let start = start_of(&mut Cursor::new(&text), since).expect("memory can be read");
        let start = usize::try_from(start).expect("it is in memory");
        assert!(start == 0 || text[start - 1] == b'\n');
        let before = text[..start].split(|byte| *byte == b'\n');
        assert!(before.filter_map(Time::parse).all(|time| time < since));
        Ok(())
    })
    .budget_ms(700);
}

/// Follows a record; `idle` says what happens each time when nothing is new, as long as there is
/// something.
fn followed(path: &Path, mut steps: Vec<Box<dyn FnOnce() + '_>>) -> Vec<String> {
    steps.reverse();
    let entries = std::cell::RefCell::new(Vec::new());
    let mut sink = |item: Item<'_>| {
        entries.borrow_mut().push(match item {
            Item::Entry(entry) => first_word(entry.message),
            Item::Damaged(damaged) => damaged.why,
        });
        ControlFlow::Continue(())
    };
    let mut idle = || match steps.pop() {
        Some(step) => {
            step();
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    follow(path, &Range::default(), &mut sink, &mut idle).expect("it can be read");
    entries.into_inner()
}

fn append(path: &Path, text: &str) {
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).expect("it can be opened");
    file.write_all(text.as_bytes()).expect("it can be written");
}

#[test]
fn following_goes_on_through_half_lines_rotation_renaming_and_compression() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let (one, two) = (line(1), line(2));
    let step = |step: Box<dyn FnOnce()>| step;
    let (a, b, moved) = (path("a.log"), path("b.log"), path("a.log.1"));
    let copy = |path: &PathBuf| path.clone();
    let steps = vec![
        step(Box::new({
            let (a, one) = (copy(&a), one.clone());
            move || append(&a, &format!("{}\n{}", line(0), &one[..40]))
        })),
        step(Box::new({
            let a = copy(&a);
            move || append(&a, &format!("{}\n", &one[40..]))
        })),
        // Renamed, and the old name is another file: its lines come after the last of the old one.
        step(Box::new({
            let (a, moved) = (copy(&a), copy(&moved));
            move || {
                fs::rename(&a, &moved).expect("it is there");
                append(&moved, &format!("{two}\n"));
                append(&a, &lines(3..4));
            }
        })),
        // Three files at once, one of which is compressed before anybody has seen it.
        step(Box::new({
            let (a, b) = (copy(&a), copy(&b));
            move || {
                append(&a, &lines(4..5));
                append(&b, &lines(5..6));
                compress_file(&b).expect("there is room");
                append(&b.with_file_name("c.log"), &lines(6..7));
            }
        })),
        // Compressing what was read is no news.
        step(Box::new(move || compress_file(&a).expect("there is room"))),
        step(Box::new(move || append(&b.with_file_name("c.log"), &lines(7..8)))),
    ];
    assert_eq!(followed(folder.path(), steps), clocks(0..8));
}

#[test]
fn a_line_that_never_ends_is_told_when_the_next_file_is_there() {
    let folder = folder();
    let (a, b) = (folder.path().join("a.log"), folder.path().join("b.log"));
    append(&a, &format!("{}\n{}", line(0), &line(1)[..50]));
    let steps: Vec<Box<dyn FnOnce()>> = vec![Box::new(move || append(&b, &lines(2..3)))];
    let expected = [clock(0), "the line has no end".to_owned(), clock(2)];
    assert_eq!(followed(folder.path(), steps), expected);
}
