//! Compressed files are zstd that others read, and can be entered in the middle.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Several frames of lines.
fn text() -> String {
    let line = |number: u32| {
        let (minute, second) = (number / 60 % 60, number % 60);
        format!(
            "2026-11-27T13:{minute:02}:{second:02}.000000Z alice t {number} {}\n",
            "x".repeat(900)
        )
    };
    (0..3_600).map(line).collect()
}

#[test]
fn a_compressed_file_says_the_same_and_can_be_entered_anywhere() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    let text = text();
    fs::write(&path, &text).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
    let changed = path.metadata().and_then(|about| about.modified()).expect("it has a time");
    compress_file(&path).expect("there is room");
    assert!(!path.exists());
    let mut file = File::open(finished(&path)).expect("it is there");
    let about = file.metadata().expect("it is there");
    assert_eq!(about.permissions().mode() & 0o777, 0o640);
    assert_eq!(about.modified().expect("it has a time"), changed);
    let table = Table::read(&mut file).expect("it can be read").expect("it has one");
    let (first, last) = table.times.expect("it says them");
    assert!(text.starts_with(first.as_str()) && text.contains(&format!("\n{last} alice t 3599 ")));
    assert!(table.frames.len() > 2 && about.len() < text.len() as u64 / 4);
    let mut whole = String::new();
    for frame in &table.frames {
        let part = frame.text(&mut file).expect("it is whole");
        assert_eq!(frame.text_at, whole.len() as u64);
        whole.push_str(str::from_utf8(&part).expect("it is text"));
        assert!(whole.ends_with('\n'));
    }
    assert!(whole == text);
    file.rewind().expect("it is a file");
    let mut streamed = String::new();
    stream(file).expect("it is zstd").read_to_string(&mut streamed).expect("it is whole");
    assert!(streamed == text, "skippable frames are skipped");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
}

#[test]
fn what_is_no_table_is_none_and_costs_no_memory() {
    let read = |bytes: &[u8]| Table::read(&mut io::Cursor::new(bytes)).expect("memory can be read");
    assert_eq!(read(b""), None);
    let empty = seek_table(&[]).expect("it is short");
    assert_eq!(read(&empty), Some(Table { frames: Vec::new(), times: None }));
    for at in 0..empty.len() {
        let mut other = empty.clone();
        other[at] ^= 0xff;
        assert_eq!(read(&other), None, "{at}");
    }
    // A frame that would be longer than the file, and one of more text than any line has.
    for (len, text_len) in [(1_u32, 1_u32), (0, u32::MAX)] {
        let entry = [len.to_le_bytes(), text_len.to_le_bytes()].concat();
        assert_eq!(read(&seek_table(&entry).expect("it is short")), None);
    }
}

#[test]
fn a_file_that_cannot_be_compressed_stays() {
    let folder = folder();
    let path = folder.path().join("bus.log");
    fs::write(&path, text()).expect("it can be written");
    // Where the compressed form is to lie there is something else.
    fs::create_dir(finished(&path)).expect("it can be made");
    fs::write(finished(&path).join("x"), "").expect("it can be written");
    compress_file(&path).expect_err("a folder is in the way");
    assert!(path.exists());
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 2);
}
