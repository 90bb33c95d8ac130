//! BACKUP.md is right: a keeper says what it says on the page, and every limit is there.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use rooms_backup::{
    DATA_SET_BYTES_MAX, DATA_SETS_MAX, KeeperLimits, LINE_BYTES_MIN, Message, NAME_BYTES_MAX,
    OWNER_BYTES_MAX, PART_BYTES_MAX, RefusedReason, TOPIC, VERSION_MAX, WANTED_PARTS_MAX,
};

use crate::memory::keeper;

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rooms/BACKUP.md");
    std::fs::read_to_string(page).expect("the page is there")
}

/// The lines of all blocks of a kind, with their numbers; an empty line between two blocks.
fn blocks<'a>(page: &'a str, kind: &str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut lines = page.lines().zip(1..).map(|(line, number)| (number, line));
    while let Some((number, line)) = lines.next() {
        match line.strip_prefix("```") {
            Some(begun) if begun == kind => {
                found.extend(lines.by_ref().take_while(|(_, line)| *line != "```"));
                found.push((number, ""));
            }
            Some("sh" | "telnet" | "lines") => {
                let _ = lines.by_ref().find(|(_, line)| *line == "```");
            }
            Some(other) => panic!("BACKUP.md, line {number}: nobody reads a block {other:?}"),
            None => {}
        }
    }
    assert!(!found.is_empty(), "the page has blocks {kind}");
    found
}

#[test]
fn a_keeper_says_what_it_says_on_the_page() {
    let mut keeper = keeper(KeeperLimits { part_bytes: 6, ..KeeperLimits::default() });
    let mut said = VecDeque::new();
    for (number, line) in blocks(&page(), "telnet") {
        if let Some(message) = line.strip_prefix(&format!("send {TOPIC} ")) {
            keeper.receive(message, Duration::ZERO);
            said.extend(keeper.take_lines());
        } else if let Some(message) = line.strip_prefix(&format!("recv {TOPIC} ")) {
            assert_eq!(said.pop_front().as_deref(), Some(message), "BACKUP.md, line {number}");
        } else if line.is_empty() {
            assert!(said.is_empty(), "BACKUP.md, block of line {number}: it also says {said:?}");
        } else {
            assert!(
                [format!("recv {TOPIC}"), format!("ok recv {TOPIC}")].contains(&line.to_owned())
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_line_is_said_as_on_the_page() {
    let page = page();
    let lines = blocks(&page, "lines");
    for (index, (number, line)) in lines.iter().enumerate() {
        let problem = lines.get(index + 1).and_then(|(_, next)| next.strip_prefix("! "));
        if line.is_empty() || line.starts_with('!') {
            continue;
        }
        let read = Message::parse(line).map(|message| message.to_string());
        let expected = problem.map_or(Ok((*line).to_owned()), |problem| Err(problem.to_owned()));
        assert_eq!(read.map_err(|error| error.to_string()), expected, "BACKUP.md, line {number}");
    }
}

#[test]
fn the_page_names_every_reason_and_limit() {
    let page = page();
    for (_, word) in RefusedReason::ALL {
        assert!(page.contains(&format!("| `{word}` |")), "{word}");
    }
    for limit in [
        format!("at most {DATA_SET_BYTES_MAX} bytes"),
        format!("at most {DATA_SETS_MAX} data sets"),
        format!("at most {} owners", KeeperLimits::default().owners_max),
        format!("(at most {WANTED_PARTS_MAX})"),
        format!("1 to {OWNER_BYTES_MAX} of"),
        format!("at most {NAME_BYTES_MAX}\nbytes"),
        format!("from 1 to {VERSION_MAX}"),
        format!("1 to {PART_BYTES_MAX} bytes"),
        format!("at least {LINE_BYTES_MIN} bytes"),
    ] {
        assert!(page.contains(&limit), "{limit}");
    }
}
