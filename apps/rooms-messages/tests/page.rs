//! MESSAGES.md is right: every example line on it reads as it says, and nothing of the vocabulary
//! is missing on it.

use std::path::Path;

use rooms_messages::{
    FACT_VERBS, FACTS, FRAME_VERBS, FRAMES, Frame, LINE_BYTES_MAX, OfflineReason, Reason, Report,
    Request, WISH_VERBS, WISHES,
};

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rooms/MESSAGES.md");
    std::fs::read_to_string(page).expect("the page is there")
}

/// The line as it is written in full, or why it is none.
type Read = fn(&str) -> Result<String, String>;

fn wish(line: &str) -> Result<String, String> {
    let request = Request::parse(line).map_err(|error| error.to_string())?;
    request.to_line().map_err(|error| error.to_string())
}

fn fact(line: &str) -> Result<String, String> {
    let report = Report::parse(line).map_err(|error| error.to_string())?;
    report.to_line().map_err(|error| error.to_string())
}

fn frame(line: &str) -> Result<String, String> {
    Frame::parse(line).map(|frame| frame.to_line()).map_err(|error| error.to_string())
}

/// A line of a conversation with the bus, which has its own words around the messages.
fn telnet(line: &str) -> Result<String, String> {
    let after = |begin: &str| line.strip_prefix(begin)?.strip_prefix(' ');
    if let Some(message) = after(&format!("send {WISHES}")) {
        return wish(message).map(|message| format!("send {WISHES} {message}"));
    }
    if let Some(message) = after(&format!("recv {FACTS}")) {
        return fact(message).map(|message| format!("recv {FACTS} {message}"));
    }
    if let Some(message) = after(&format!("recv {FRAMES}")) {
        return frame(message).map(|message| format!("recv {FRAMES} {message}"));
    }
    let bus = [FACTS, FRAMES].map(|topic| [format!("recv {topic}"), format!("ok recv {topic}")]);
    if bus.as_flattened().contains(&line.to_owned()) {
        Ok(line.to_owned())
    } else {
        Err("unknown".to_owned())
    }
}

/// Checks the lines of one block: each is right as it stands, unless `!` or `=` follow it.
fn check_block(lines: &[(usize, &str)], read: Read) {
    for (index, (number, line)) in lines.iter().enumerate() {
        if line.starts_with(['!', '=']) {
            continue;
        }
        let expected = match lines.get(index + 1).map(|(_, next)| *next) {
            Some(next) if next.starts_with('!') => Err(next[1..].trim().to_owned()),
            Some(next) if next.starts_with('=') => Ok(next[1..].trim().to_owned()),
            _ => Ok((*line).to_owned()),
        };
        assert_eq!(read(line), expected, "MESSAGES.md, line {number}: {line}");
    }
}

#[test]
fn every_example_on_the_page_reads_as_it_says() {
    let page = page();
    let mut blocks = 0;
    let mut lines = page.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        let read: Read = match line.strip_prefix("```") {
            None => continue,
            Some("wishes") => wish,
            Some("facts") => fact,
            Some("frames") => frame,
            Some("telnet") => telnet,
            Some(other) => panic!("MESSAGES.md, line {number}: nobody reads a block {other:?}"),
        };
        let block: Vec<_> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
        assert!(!block.is_empty(), "MESSAGES.md, line {number}: the block is empty");
        check_block(&block, read);
        blocks += 1;
    }
    assert!(blocks > 20, "the page has examples");
}

#[test]
fn the_page_names_every_verb_reason_and_limit() {
    let page = page();
    for verb in WISH_VERBS.iter().chain(FACT_VERBS).chain(FRAME_VERBS) {
        assert!(page.contains(&format!("`{}`", verb.usage)), "{}", verb.usage);
    }
    let reasons = Reason::ALL.iter().map(|reason| reason.word());
    for word in reasons.chain(OfflineReason::ALL.iter().map(|reason| reason.word())) {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
    assert!(page.contains(&format!("at most {LINE_BYTES_MAX} bytes")));
}
