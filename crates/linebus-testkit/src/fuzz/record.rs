//! Fuzzing of a record's reader: any bytes as a file, plain or compressed.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use linebus_record::compressed::{compress_file, finished};
use linebus_record::reader::{Item, Range, read};
use linebus_record::{Entry, Time};

/// Bytes as a file of a record: each line is read or told as damaged, none is missed, a time is
/// found as if everything had been read, and compressing changes nothing. As a compressed file:
/// whatever they are, reading them ends.
pub fn record(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("bus.log");
    fs::write(&path, data).expect("it can be written");
    let compressed = folder.path().join("other.zst");
    fs::write(&compressed, data).expect("it can be written");
    let _ = found(&compressed, None);
    fs::remove_file(compressed).expect("it is there");

    let (entries, damaged) = found(&path, None);
    let whole = data.iter().filter(|byte| **byte == b'\n').count();
    let torn = usize::from(!data.is_empty() && !data.ends_with(b"\n"));
    let is_record = data.split(|byte| *byte == b'\n').any(|line| Time::parse(line).is_some());
    match is_record {
        true => assert_eq!(entries.len() + damaged, whole + torn),
        false => assert!(entries.is_empty() && damaged <= 1),
    }
    let lines = data.split(|byte| *byte == b'\n').take(whole);
    let good = lines.filter_map(|line| Entry::parse(line).ok()).map(|entry| entry.to_string());
    assert!(good.eq(entries.iter().cloned()), "a line reads as it stands there");
    // Where times are in order, also those of damaged lines: the search goes by them.
    let times: Vec<_> = data.split(|byte| *byte == b'\n').filter_map(Time::parse).collect();
    let since = entries.get(entries.len() / 2).and_then(|line| Time::parse(line.as_bytes()));
    if let Some(since) = since.filter(|_| times.is_sorted()) {
        let (late, _) = found(&path, Some(since));
        let expected = entries.iter().filter(|line| line.as_str() >= since.as_str());
        assert!(expected.eq(late.iter()), "since {since}");
    }
    compress_file(&path).expect("there is room");
    assert_eq!(found(&finished(&path), None).0, entries);
}

/// The lines that are read, and how much is told as damaged.
fn found(path: &Path, since: Option<Time>) -> (Vec<String>, usize) {
    let (mut entries, mut damaged) = (Vec::new(), 0);
    let mut sink = |item: Item<'_>| {
        match item {
            Item::Entry(entry) => entries.push(entry.to_string()),
            Item::Damaged(_) => damaged += 1,
        }
        ControlFlow::Continue(())
    };
    read(path, &Range { since, until: None }, &mut sink).expect("it is there");
    (entries, damaged)
}
