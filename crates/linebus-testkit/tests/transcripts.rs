//! Every transcript, and every transcript on the protocol's page, in memory and over each
//! transport.

use std::path::{Path, PathBuf};

use linebus_testkit::transcript::{
    Memory, Setting, Sockets, Stage, Transcript, Transport, check_file, on_page,
};

fn memory(setting: &Setting) -> Box<dyn Stage> {
    Box::new(Memory::new(setting))
}

fn tcp(setting: &Setting) -> Box<dyn Stage> {
    Box::new(Sockets::new(Transport::Tcp, setting))
}

fn unix(setting: &Setting) -> Box<dyn Stage> {
    Box::new(Sockets::new(Transport::Unix, setting))
}

fn tls(setting: &Setting) -> Box<dyn Stage> {
    Box::new(Sockets::new(Transport::Tls, setting))
}

fn check_files(stage: fn(&Setting) -> Box<dyn Stage>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut files: Vec<PathBuf> = folder
        .read_dir()
        .expect("it is a folder")
        .map(|file| file.expect("readable").path())
        .collect();
    files.sort();
    assert!(files.len() > 10, "the transcripts are there");
    // Side by side: some wait for what the bus delays on purpose.
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| check_file(file, stage));
        }
    });
}

fn check_page(stage: fn(&Setting) -> Box<dyn Stage>) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../PROTOCOL.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let mut count = 0;
    for (line, text) in on_page(&page) {
        let transcript = Transcript::parse(text);
        let played = transcript.play(&mut *stage(&transcript.setting));
        assert!(
            played == text,
            "PROTOCOL.md, line {line}\n--- written\n{text}\n--- played\n{played}"
        );
        count += 1;
    }
    assert!(count > 10, "the page has transcripts");
}

#[test]
fn transcripts_hold_in_memory() {
    check_files(memory);
}

#[test]
fn transcripts_hold_over_tcp() {
    check_files(tcp);
}

#[test]
fn transcripts_hold_over_a_unix_socket() {
    check_files(unix);
}

#[test]
fn transcripts_hold_over_tls() {
    check_files(tls);
}

#[test]
fn the_protocol_page_holds_in_memory() {
    check_page(memory);
}

#[test]
fn the_protocol_page_holds_over_tcp() {
    check_page(tcp);
}

#[test]
fn the_protocol_page_holds_over_a_unix_socket() {
    check_page(unix);
}

#[test]
fn the_protocol_page_holds_over_tls() {
    check_page(tls);
}

#[test]
fn the_protocol_page_names_every_verb_code_and_reason() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../PROTOCOL.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let codes = linebus_protocol::ErrorCode::ALL.iter().map(|code| code.word());
    let reasons = linebus_protocol::ByeReason::ALL.iter().map(|reason| reason.word());
    for word in codes.chain(reasons) {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
    for verb in linebus_protocol::Verb::all() {
        assert!(page.contains(&format!("`{}`", verb.usage())), "{verb}");
    }
}
