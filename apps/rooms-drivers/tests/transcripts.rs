//! Drivers, played from text files: `tests/transcripts/*.txt`.
//!
//! A case begins with `driver NAME`; lines with `|` are its settings. What comes in: `connect`,
//! `close`, `> bytes` from the device, `do TICKET command`, `ring TIMER`. What must come out of it
//! follows: `< bytes`, `online`, `state key=value` (if it is new), `call ...`, `done TICKET`,
//! `fail TICKET reason`, `refuse TICKET reason`, `fault reason`. Bytes are text with `\r`, `\n`,
//! `\0`, `\e`, `\xFF`, or `x:` and hexadecimal. `UPDATE=1` writes what came out into the files:
//! read it before you believe it.
//!
//! Each case is played as it stands, byte by byte, and with what the device says glued together as
//! long as the driver does not answer in between.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rooms_drivers::{Command, Driver, Effect, Io, Ticket, TimerId, build, vocabulary};

#[derive(Clone, Copy, PartialEq)]
enum Chunks {
    Whole,
    Bytes,
    Glued,
}

#[test]
fn every_driver_does_what_its_transcripts_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts");
    let files = std::fs::read_dir(folder).expect("the folder of transcripts");
    let mut played = BTreeSet::new();
    for file in files {
        let path = file.expect("a transcript").path();
        let text = std::fs::read_to_string(&path).expect("a transcript is text");
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        let whole: String = cases(&text).iter().map(|case| play(case, Chunks::Whole)).collect();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &whole).expect("the transcript is written");
        } else {
            same(&text, &whole, &name);
        }
        for case in cases(&whole) {
            same(&case, &play(&case, Chunks::Bytes), &format!("{name}, byte by byte"));
            same(&glued(&case), &play(&glued(&case), Chunks::Glued), &format!("{name}, glued"));
            let driver = case.lines().find_map(|line| line.strip_prefix("driver "));
            played.insert(driver.expect("cases have one").to_owned());
        }
    }
    let all: BTreeSet<_> =
        rooms_drivers::drivers().iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(played, all, "every driver has transcripts");
}

fn same(expected: &str, found: &str, what: &str) {
    if expected == found {
        return;
    }
    let lines = expected.lines().zip(found.lines());
    let at = lines.take_while(|(expected, found)| expected == found).count();
    let around = |text: &str| {
        let lines: Vec<_> = text.lines().skip(at.saturating_sub(6)).take(12).collect();
        lines.join("\n")
    };
    panic!(
        "{what}, line {}:\n--- expected\n{}\n--- found\n{}\n",
        at + 1,
        around(expected),
        around(found)
    );
}

/// The cases of a file; what stands before a `driver` line belongs to it.
fn cases(text: &str) -> Vec<String> {
    let mut cases = vec![String::new()];
    let mut has_driver = false;
    for line in text.lines() {
        if has_driver && line.is_empty() {
            let last = cases.last_mut().expect("there is one");
            last.push('\n');
            cases.push(String::new());
            has_driver = false;
            continue;
        }
        has_driver |= line.starts_with("driver ");
        writeln!(cases.last_mut().expect("there is one"), "{line}").expect("a string grows");
    }
    cases.retain(|case| !case.trim().is_empty());
    cases
}

/// The case with neighbouring `>` lines put together, where nothing is sent between them.
fn glued(case: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // Where the last `>` line stands, as long as nothing but news of the device followed.
    let mut open: Option<usize> = None;
    for line in case.lines() {
        let is_news = ["state ", "online", "call "].iter().any(|word| line.starts_with(word));
        match (line.strip_prefix("> "), open) {
            (Some(bytes), Some(at)) => {
                let both = [unescape(&lines[at][2..]), unescape(bytes)].concat();
                lines[at] = format!("> {}", escape(&both));
            }
            (Some(_), None) => {
                open = Some(lines.len());
                lines.push(line.to_owned());
            }
            (None, _) => {
                open = open.filter(|_| is_news);
                lines.push(line.to_owned());
            }
        }
    }
    lines.join("\n") + "\n"
}

/// Plays a case and gives it back with what came out.
fn play(case: &str, chunks: Chunks) -> String {
    let settings = case.lines().filter_map(|line| line.strip_prefix('|'));
    let settings = settings.collect::<Vec<_>>().join("\n");
    let settings = settings.parse().expect("settings are TOML");
    let mut out = String::new();
    let mut stage: Option<Stage> = None;
    for line in case.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut write = |text: &str| writeln!(out, "{text}").expect("a string grows");
        match word {
            "driver" => {
                let driver = build(rest, &settings).unwrap_or_else(|error| panic!("{error}"));
                stage = Some(Stage::new(driver));
                write(line);
            }
            "" | "|" | "#" => write(line),
            "connect" | "close" | ">" | "do" | "ring" => {
                write(line);
                let stage = stage.as_mut().expect("driver comes first");
                for line in stage.step(word, rest, chunks) {
                    write(&line);
                }
            }
            "<" | "online" | "state" | "call" | "done" | "fail" | "refuse" | "fault" => {}
            _ => panic!("{word:?} is no word of a transcript"),
        }
    }
    stage.expect("a case has a driver").end();
    out
}

struct Stage {
    driver: Box<dyn Driver>,
    states: BTreeMap<String, String>,
    timers: BTreeMap<String, TimerId>,
    open_tickets: BTreeSet<Ticket>,
}

impl Stage {
    fn new(driver: Box<dyn Driver>) -> Stage {
        let (states, timers) = (BTreeMap::new(), BTreeMap::new());
        Stage { driver, states, timers, open_tickets: BTreeSet::new() }
    }

    fn step(&mut self, word: &str, rest: &str, chunks: Chunks) -> Vec<String> {
        let mut io = Io::new();
        let mut lines = Vec::new();
        match word {
            "connect" => self.driver.opened(&mut io),
            "close" => {
                self.driver.closed(&mut io);
                self.timers.clear();
                self.states.clear();
            }
            ">" if chunks == Chunks::Bytes => {
                unescape(rest).iter().for_each(|byte| self.driver.bytes(&[*byte], &mut io));
            }
            ">" => self.driver.bytes(&unescape(rest), &mut io),
            "ring" => {
                let timer = self.timers.remove(rest);
                let timer = timer.unwrap_or_else(|| panic!("{rest} is not set: {:?}", self.timers));
                self.driver.timer(timer, &mut io);
            }
            _ => {
                let (ticket, command) = rest.split_once(' ').expect("a ticket and a command");
                let ticket = Ticket(ticket.parse().expect("tickets are numbers"));
                let command: Command = command.parse().unwrap_or_else(|error| panic!("{error}"));
                match self.driver.command(&command, ticket, &mut io) {
                    Ok(()) => assert!(self.open_tickets.insert(ticket), "{ticket:?} twice"),
                    Err(refusal) => lines.push(format!("refuse {} {refusal}", ticket.0)),
                }
            }
        }
        let effects = io.take();
        lines.extend(effects.into_iter().filter_map(|effect| self.effect(effect)));
        lines
    }

    fn effect(&mut self, effect: Effect) -> Option<String> {
        let line = match effect {
            Effect::Send { bytes, .. } => format!("< {}", escape(&bytes)),
            Effect::Online => "online".to_owned(),
            Effect::Set { key, value } => {
                let info = self.driver.info();
                vocabulary::check(info.kind, &key, &value)
                    .unwrap_or_else(|error| panic!("{error}"));
                let known = vocabulary::key_of(info.kind, &key).expect("it was checked");
                assert!(info.keys.contains(&known.name), "{key} is not among {:?}", info.keys);
                if self.states.insert(key.clone(), value.clone()).as_ref() == Some(&value) {
                    return None;
                }
                format!("state {key}={value}")
            }
            Effect::Done(ticket) => {
                assert!(self.open_tickets.remove(&ticket), "{ticket:?} is not open");
                format!("done {}", ticket.0)
            }
            Effect::Fail(ticket, refusal) => {
                assert!(self.open_tickets.remove(&ticket), "{ticket:?} is not open");
                format!("fail {} {refusal}", ticket.0)
            }
            Effect::Timer(timer, _) => {
                self.timers.insert(timer.to_string(), timer);
                return None;
            }
            Effect::Cancel(timer) => {
                self.timers.remove(&timer.to_string());
                return None;
            }
            Effect::Fault(fault) => format!("fault {}: {fault}", fault.word()),
            Effect::Call(fact) => format!("call {fact}"),
            Effect::Log(_) => return None,
        };
        Some(line)
    }

    fn end(mut self) {
        let mut io = Io::new();
        self.driver.closed(&mut io);
        io.take().into_iter().for_each(|effect| drop(self.effect(effect)));
        assert!(self.open_tickets.is_empty(), "never answered: {:?}", self.open_tickets);
    }
}

fn escape(bytes: &[u8]) -> String {
    if bytes.iter().any(|byte| *byte >= 0x80) && str::from_utf8(bytes).is_err() {
        let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        return format!("x:{}", bytes.join(" "));
    }
    let mut text = String::new();
    for char in String::from_utf8_lossy(bytes).chars() {
        match char {
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\0' => text.push_str("\\0"),
            '\x1b' => text.push_str("\\e"),
            '\\' => text.push_str("\\\\"),
            char if char.is_control() => write!(text, "\\x{:02X}", u32::from(char)).expect("grows"),
            char => text.push(char),
        }
    }
    match text.strip_suffix(' ') {
        Some(rest) => format!("{rest}\\x20"),
        None => text,
    }
}

fn unescape(text: &str) -> Vec<u8> {
    if let Some(hex) = text.strip_prefix("x:") {
        let byte = |word| u8::from_str_radix(word, 16).expect("hexadecimal");
        return hex.split_ascii_whitespace().map(byte).collect();
    }
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next().expect("something follows") {
                b'r' => b'\r',
                b'n' => b'\n',
                b'0' => 0,
                b'e' => 0x1b,
                b'x' => {
                    let digits = [rest.next(), rest.next()].map(|digit| digit.expect("two digits"));
                    let digits = str::from_utf8(&digits).expect("digits").to_owned();
                    u8::from_str_radix(&digits, 16).expect("hexadecimal")
                }
                other => other,
            },
            byte => byte,
        });
    }
    bytes
}
