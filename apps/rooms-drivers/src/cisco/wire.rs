//! The lines of Cisco's xAPI in terminal mode, from both sides.
//!
//! What the codec says comes in blocks of lines that end with `** end`: results (`*r`), status
//! (`*s`), events (`*e`). The result of a command that bore a `resultId` names it.
//!
//! Source: Cisco TelePresence API reference guides TC5 to CE9.

use crate::call::EndReason;

/// A line of the codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// `*s`, `*e` or `*r`, or a line that continues one.
    Entry(Entry),
    /// `** resultId: "17"`
    ResultId(u32),
    /// `** end`
    End,
    /// `OK`
    Ok,
    /// `ERROR`, or that the command is not known.
    Error,
    /// `*r Login successful`
    LoggedIn,
    /// Anything else.
    Other,
}

/// A line of a block: where it belongs, and what it says there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `s`, `e`, `r`; blank if the line continues the one before.
    pub sign: Option<char>,
    /// `Call`, `2`.
    pub path: Vec<String>,
    /// `ghost=True`, `status=OK`; without the brackets.
    pub note: String,
    /// Names and values, in order: `Status`, `Connected`.
    pub values: Vec<(String, String)>,
}

impl Entry {
    /// The value of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Line {
    /// What the line says.
    #[must_use]
    pub fn parse(line: &str) -> Line {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("**") {
            let rest = rest.trim();
            if rest == "end" {
                return Line::End;
            }
            let id = rest.strip_prefix("resultId:").map(|id| id.trim().trim_matches('"'));
            return id.and_then(|id| id.parse().ok()).map_or(Line::Other, Line::ResultId);
        }
        match line {
            "OK" => return Line::Ok,
            "ERROR" | "Command not recognized." => return Line::Error,
            "*r Login successful" => return Line::LoggedIn,
            _ => {}
        }
        let sign = line.strip_prefix('*').and_then(|rest| rest.chars().next());
        match sign {
            Some(sign @ ('s' | 'e' | 'r')) if line.as_bytes().get(2) == Some(&b' ') => {
                Line::Entry(entry(Some(sign), &line[3..]))
            }
            Some(_) => Line::Other,
            None => {
                let entry = entry(None, line);
                let continues = entry.path.is_empty() && !entry.values.is_empty();
                if continues { Line::Entry(entry) } else { Line::Other }
            }
        }
    }
}

/// Words up to the first name are the path; a name ends with a colon and has one value.
fn entry(sign: Option<char>, text: &str) -> Entry {
    let mut entry = Entry { sign, ..Entry::default() };
    let mut name: Option<String> = None;
    for word in words(text) {
        if let Some(waiting) = name.take() {
            entry.values.push((waiting, word));
        } else if word.starts_with('(') {
            entry.note = word.trim_matches(|char| "():".contains(char)).to_owned();
        } else if let Some(begun) = word.strip_suffix(':') {
            name = Some(begun.to_owned());
        } else {
            entry.path.push(word);
        }
    }
    entry.values.extend(name.map(|name| (name, String::new())));
    entry
}

/// Words are parted by spaces; quotes and brackets hold theirs together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |at| at + 2),
            '(' => rest.find(')').map_or(rest.len(), |at| at + 1),
            _ => rest.find(' ').unwrap_or(rest.len()),
        };
        words.push(rest[..end].trim_matches('"').to_owned());
        rest = rest[end..].trim_start();
        if first == '(' {
            rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
        }
    }
    words
}

/// A command of the controller: its words, its named arguments, and the number that its result is
/// to bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `xCommand`, `Dial`.
    pub path: Vec<String>,
    /// `Number`, `lisbon@example.net`.
    pub arguments: Vec<(String, String)>,
    /// From `| resultId="17"`.
    pub result_id: Option<String>,
}

impl Request {
    /// The command on this line.
    #[must_use]
    pub fn parse(line: &str) -> Request {
        let (command, id) = line.split_once('|').unwrap_or((line, ""));
        let id = id.trim().strip_prefix("resultId=").map(|id| id.trim_matches('"').to_owned());
        let entry = entry(None, command);
        Request { path: entry.path, arguments: entry.values, result_id: id }
    }
}

/// Why a call ended, from `CauseType`.
#[must_use]
pub fn end_reason(cause_type: &str) -> EndReason {
    match cause_type {
        "LocalDisconnect" | "RemoteDisconnect" => EndReason::Normal,
        "RemoteBusy" | "LocalBusy" => EndReason::Busy,
        "RemoteNoAnswer" => EndReason::NoAnswer,
        "RemoteRejected" | "LocalReject" | "InsufficientSecurity" => EndReason::Rejected,
        "UnknownRemoteSite" | "NetworkRejected" => EndReason::Unreachable,
        "OtherRemote" | "OtherLocal" => EndReason::Network,
        _ => EndReason::Unknown,
    }
}
