//! Transcripts: what clients say and what they hear, as text that is a test.
//!
//! ```text
//! # A line that begins with # is a comment; this one sets limits of the server:
//! # limits: joins_max=2
//! # user alice with password secret: send rooms.>; recv > but not rooms.secret.>; see
//! A C: recv syslib
//! A S: ok recv syslib
//! B C: send syslib connect room1 room2
//! A S: recv syslib connect room1 room2
//! ```
//!
//! - `A C: …` is a line from client A, which connects when it is first named. `\xNN`, `\r`, `\t`
//!   and `\\` stand for bytes. `A R: …` is the same without a line's end: raw bytes.
//! - `A S: …` is a line that A must hear. `<time>`, `<address>` stand for any such word, `…` at
//!   the end for any rest, `<closed>` for the end of the connection. A's `hello` may be left out.
//! - `A X:` closes A's connection.
//!
//! After each step that ends a line every client sends a ping and all that stands before the pong must be what the
//! transcript says: that nothing else came is proven without waiting for it.

mod memory;
mod socket;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use linebus_broker::Limits;

use crate::rules::{Lists, Rules};
use crate::users::TestUser;

pub use memory::Memory;
pub use socket::{Sockets, Transport};

/// Where a transcript is played: something that clients connect to.
pub trait Stage {
    /// A new client.
    fn connect(&mut self) -> Box<dyn Client>;
}

/// One client's connection.
pub trait Client {
    /// Sends bytes.
    fn send(&mut self, bytes: &[u8]);
    /// The next line without its LF; none when the server has closed. Panics if neither comes.
    fn line(&mut self) -> Option<Vec<u8>>;
    /// Closes the connection; returns when the server has noticed.
    fn close(&mut self);
}

/// A transcript, read.
pub struct Transcript<'a> {
    steps: Vec<Step<'a>>,
    /// The bus that it asks for.
    pub setting: Setting,
}

/// What a bus is to be like.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Its limits.
    pub limits: Limits,
    /// Who may log in; nobody on an open bus.
    pub users: Vec<TestUser>,
}

struct Step<'a> {
    /// The line as written; its place in the text.
    text: &'a str,
    action: Action<'a>,
    /// What is heard after it: who, and what.
    heard: Vec<(&'a str, &'a str)>,
}

enum Action<'a> {
    Comment,
    Line(&'a str, Vec<u8>),
    Raw(&'a str, Vec<u8>),
    Close(&'a str),
}

impl<'a> Transcript<'a> {
    /// Reads a transcript. Panics where it is not one.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut setting = Setting::default();
        let mut steps: Vec<Step<'a>> = Vec::new();
        for line in text.lines() {
            if let Some(wanted) = line.strip_prefix("# limits: ") {
                wanted.split(' ').for_each(|limit| set_limit(&mut setting.limits, limit));
            }
            if let Some(user) = line.strip_prefix("# user ") {
                setting.users.push(parse_user(user).expect("a user and his rules"));
            }
            let action = match line.split_once(' ') {
                _ if line.is_empty() || line.starts_with('#') => Action::Comment,
                Some((name, said)) if said.starts_with("C: ") => {
                    Action::Line(name, unescape(&said[3..]))
                }
                Some((name, said)) if said.starts_with("R: ") => {
                    Action::Raw(name, unescape(&said[3..]))
                }
                Some((name, "X:")) => Action::Close(name),
                Some((name, said)) if said.starts_with("S: ") => {
                    let step = steps.last_mut().expect("somebody speaks first");
                    step.heard.push((name, &said[3..]));
                    continue;
                }
                _ => panic!("not a transcript's line: {line}"),
            };
            steps.push(Step { text: line, action, heard: Vec::new() });
        }
        Self { steps, setting }
    }

    /// Plays it and returns it as it went; equal to what was read if all went as written.
    pub fn play(&self, stage: &mut dyn Stage) -> String {
        let mut played = String::new();
        let mut cast = Cast { stage, clients: BTreeMap::new(), barriers: 0 };
        for step in &self.steps {
            writeln!(played, "{}", step.text).expect("writing to memory does not fail");
            let name = match &step.action {
                Action::Comment => continue,
                Action::Line(name, bytes) => {
                    cast.say(name, &[bytes.as_slice(), b"\n"].concat());
                    name
                }
                Action::Raw(name, bytes) => {
                    cast.say(name, bytes);
                    name
                }
                Action::Close(name) => {
                    cast.clients.remove(*name).expect("it is connected").client.close();
                    name
                }
            };
            let heard = cast.listen(name, &step.heard);
            for (name, line) in in_written_order(&step.heard, heard) {
                writeln!(played, "{name} S: {line}").expect("writing to memory does not fail");
            }
        }
        played
    }
}

/// Reads `NAME with password PASSWORD: RULE; RULE…`.
fn parse_user(text: &str) -> Option<TestUser> {
    let (who, clauses) = text.split_once(": ")?;
    let (name, password) = who.split_once(" with password ")?;
    let mut rules = Rules::default();
    for clause in clauses.split("; ") {
        match clause.split_once(' ') {
            None if clause == "see" => rules.see = true,
            Some(("send", lists)) => rules.send = parse_lists(lists),
            Some(("recv", lists)) => rules.recv = parse_lists(lists),
            _ => return None,
        }
    }
    Some(TestUser::new(name, password, rules))
}

/// Reads `PATTERN PATTERN but not PATTERN`.
fn parse_lists(text: &str) -> Lists {
    let (allow, deny) = text.split_once(" but not ").unwrap_or((text, ""));
    [allow, deny].map(|list| list.split_whitespace().map(str::to_owned).collect())
}

/// What was heard, in the order of the transcript where it fits: clients hear independently.
fn in_written_order<'a>(
    written: &[(&'a str, &'a str)],
    mut heard: BTreeMap<String, Vec<String>>,
) -> Vec<(String, String)> {
    let mut ordered = Vec::new();
    for (name, wanted) in written {
        let Some(lines) = heard.get_mut(*name).filter(|lines| !lines.is_empty()) else {
            continue;
        };
        let line = lines.remove(0);
        let line = if matches(wanted, &line) { (*wanted).to_owned() } else { line };
        ordered.push(((*name).to_owned(), line));
    }
    for (name, lines) in heard {
        ordered.extend(lines.into_iter().map(|line| (name.clone(), line)));
    }
    ordered
}

struct Player {
    client: Box<dyn Client>,
    /// Its last line is finished, so that a ping can follow.
    idle: bool,
    closed: bool,
    /// It said hello, and nobody has looked.
    hello: Option<String>,
}

struct Cast<'a> {
    stage: &'a mut dyn Stage,
    clients: BTreeMap<String, Player>,
    barriers: usize,
}

impl Cast<'_> {
    fn say(&mut self, name: &str, bytes: &[u8]) {
        if !self.clients.contains_key(name) {
            let mut client = self.stage.connect();
            let hello = client.line().map(|line| escape(&line));
            let player = Player { client, idle: true, closed: false, hello };
            self.clients.insert(name.to_owned(), player);
        }
        let player = self.clients.get_mut(name).expect("it was just put there");
        player.client.send(bytes);
        player.idle = bytes.ends_with(b"\n") || bytes.ends_with(b"\r\0");
    }

    /// Everything that anybody has heard when all that `speaker` said has been routed.
    fn listen(&mut self, speaker: &str, written: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let mut heard = BTreeMap::new();
        // What an unfinished line may have caused is only known when a ping can follow it.
        if self.clients.get(speaker).is_some_and(|player| !player.idle) {
            return heard;
        }
        let mut names: Vec<_> = self.clients.keys().cloned().collect();
        names.sort_by_key(|name| name != speaker);
        for name in names {
            let player = self.clients.get_mut(&name).expect("it was listed");
            let mut lines = Vec::new();
            let hello = player.hello.take();
            if written.iter().any(|(who, line)| *who == name && line.starts_with("hello ")) {
                lines.extend(hello);
            }
            if player.idle && !player.closed {
                self.barriers += 1;
                lines.extend(player.until_pong(self.barriers));
            }
            heard.insert(name, lines);
        }
        heard
    }
}

impl Player {
    fn until_pong(&mut self, barrier: usize) -> Vec<String> {
        let pong = format!("pong barrier-{barrier}");
        self.client.send(format!("ping barrier-{barrier}\n").as_bytes());
        let mut lines = Vec::new();
        loop {
            match self.client.line().map(|line| escape(&line)) {
                Some(line) if line == pong => return lines,
                Some(line) => lines.push(line),
                None => {
                    self.closed = true;
                    lines.push("<closed>".to_owned());
                    return lines;
                }
            }
        }
    }
}

/// Whether a line is what the transcript wants.
fn matches(wanted: &str, line: &str) -> bool {
    if let Some(beginning) = wanted.strip_suffix('…') {
        return line.starts_with(beginning);
    }
    let (wanted, line): (Vec<_>, Vec<_>) = (wanted.split(' ').collect(), line.split(' ').collect());
    wanted.len() == line.len()
        && wanted.iter().zip(line).all(|(wanted, word)| match *wanted {
            // 2013-02-03T00:00:00.000000Z
            "<time>" => word.len() == 27 && word.ends_with('Z') && word.as_bytes()[19] == b'.',
            "<address>" => word == "unix" || word == "memory" || word.contains(':'),
            wanted => wanted == word,
        })
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let kind = after.chars().next().expect("an escape is not the end");
        rest = &after[kind.len_utf8()..];
        match kind {
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            '\\' => bytes.push(b'\\'),
            'x' => {
                bytes.push(u8::from_str_radix(&rest[..2], 16).expect("two hexadecimal digits"));
                rest = &rest[2..];
            }
            other => panic!("no such escape: \\{other}"),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

pub(crate) fn escape(line: &[u8]) -> String {
    let mut text = String::new();
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => text.push_str("\\t"),
                '\\' => text.push_str("\\\\"),
                c if c.is_control() => write!(text, "\\x{:02x}", u32::from(c)).expect("memory"),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to memory does not fail");
        }
    }
    text
}

fn set_limit(limits: &mut Limits, wanted: &str) {
    let (name, value) = wanted.split_once('=').expect("NAME=NUMBER");
    let value: usize = value.parse().expect("a number");
    match name {
        "line_bytes_max" => limits.line_bytes_max = value,
        "joins_max" => limits.joins_max = value,
        "outbox_soft_bytes" => limits.outbox_soft_bytes = value,
        "outbox_hard_bytes" => limits.outbox_hard_bytes = value,
        _ => panic!("no limit that a transcript sets: {name}"),
    }
}

/// The transcripts on a page of Markdown: its fenced blocks of the language `transcript`, each
/// with the line on which it begins.
pub fn on_page(page: &str) -> impl Iterator<Item = (usize, &str)> {
    page.match_indices("```transcript\n").map(|(at, fence)| {
        let begin = at + fence.len();
        let end = page[begin..].find("```").expect("the block is closed") + begin;
        (page[..begin].matches('\n').count() + 1, &page[begin..end])
    })
}

/// Plays the transcript in `path`; with UPDATE=1 in the environment the file becomes what was
/// played, otherwise a difference panics and shows both.
pub fn check_file(path: &Path, stage: impl FnOnce(&Setting) -> Box<dyn Stage>) {
    let text = std::fs::read_to_string(path).expect("the transcript can be read");
    let transcript = Transcript::parse(&text);
    let played = transcript.play(&mut *stage(&transcript.setting));
    if played != text && std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, played).expect("the transcript can be written");
    } else {
        assert!(played == text, "{}\n--- written\n{text}\n--- played\n{played}", path.display());
    }
}
