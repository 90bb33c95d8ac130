//! Extron's Simple Instruction Set, from both sides.
//!
//! Most commands are a number and a letter or sign without an end; those that begin with ESC end
//! with CR. Answers are lines. How many digits a number has depends on the model.
//!
//! Source: Extron's manuals of SW USB Pro, MMX 32, SW4 3G, DXP, MLC 104.

use std::fmt;

/// What a controller sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Request {
    /// Sound and picture of this input to this output, or to the only one.
    Tie {
        input: u16,
        output: Option<u16>,
    },
    InputAsk {
        output: Option<u16>,
    },
    Mute(bool),
    MuteAsk,
    Volume(u8),
    VolumeAsk,
    Blank(bool),
    BlankAsk,
    PresetRecall(u16),
    PresetSave(u16),
    Firmware,
    Information,
    /// 3: report changes, and say of what each answer is.
    Verbose(u8),
    /// The password, as a line.
    Line(String),
}

impl Request {
    /// Takes the first request out of what has come; none if it is not whole yet. Bytes that begin
    /// no request are taken out as [`None`] within `Some`, and the device says `E10`.
    pub fn take(bytes: &mut Vec<u8>) -> Option<Option<Request>> {
        let at = bytes.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'*'))?;
        let (end, request) = if bytes[at] == 0x1b {
            let end = bytes.iter().position(|byte| *byte == b'\r')?;
            let body = String::from_utf8_lossy(&bytes[at + 1..end]).into_owned();
            let level = body.strip_suffix("CV").and_then(|level| level.parse().ok());
            (end, level.map(Request::Verbose))
        } else {
            let numbers = String::from_utf8_lossy(&bytes[..at]).into_owned();
            (at, Request::of(&numbers, bytes[at]))
        };
        bytes.drain(..=end);
        Some(request)
    }

    fn of(numbers: &str, letter: u8) -> Option<Request> {
        let (first, second) = match numbers.split_once('*') {
            Some((first, second)) => (first.parse().ok(), Some(second.parse().ok()?)),
            None => (numbers.parse().ok(), None),
        };
        Some(match (letter.to_ascii_uppercase(), first, second) {
            (b'!', Some(input), output) => Request::Tie { input, output },
            (b'!', None, output) => Request::InputAsk { output },
            (b'Z', Some(on @ 0..=1), None) => Request::Mute(on == 1),
            (b'Z', None, None) => Request::MuteAsk,
            (b'V', Some(volume @ 0..=100), None) => Request::Volume(u8::try_from(volume).ok()?),
            (b'V', None, None) => Request::VolumeAsk,
            (b'B', Some(on @ 0..=1), None) => Request::Blank(on == 1),
            (b'B', None, None) => Request::BlankAsk,
            (b'.', Some(number), None) => Request::PresetRecall(number),
            (b',', Some(number), None) => Request::PresetSave(number),
            (b'Q', None, None) => Request::Firmware,
            (b'I', None, None) => Request::Information,
            _ => return None,
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Tie { input, output: Some(output) } => write!(f, "{input}*{output}!"),
            Request::Tie { input, output: None } => write!(f, "{input}!"),
            Request::InputAsk { output: Some(output) } => write!(f, "*{output}!"),
            Request::InputAsk { output: None } => f.write_str("!"),
            Request::Mute(on) => write!(f, "{}Z", u8::from(*on)),
            Request::MuteAsk => f.write_str("Z"),
            Request::Volume(volume) => write!(f, "{volume}V"),
            Request::VolumeAsk => f.write_str("V"),
            Request::Blank(on) => write!(f, "{}B", u8::from(*on)),
            Request::BlankAsk => f.write_str("B"),
            Request::PresetRecall(number) => write!(f, "{number}."),
            Request::PresetSave(number) => write!(f, "{number},"),
            Request::Firmware => f.write_str("Q"),
            Request::Information => f.write_str("I"),
            Request::Verbose(level) => write!(f, "\x1b{level}CV\r"),
            Request::Line(line) => write!(f, "{line}\r"),
        }
    }
}

/// What the device says, asked or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Reply {
    Input {
        input: u16,
        output: Option<u16>,
    },
    Mute(bool),
    Volume(u8),
    Blank(bool),
    PresetRecalled(u16),
    PresetSaved(u16),
    /// By input, beginning with 1: there is a signal.
    Signals(Vec<bool>),
    Reconfigured,
    Verbose(u8),
    /// `E10` and the like.
    Error(u8),
    /// `Login User`, `Login Administrator`.
    LoggedIn,
    /// Who it is, said when one connects.
    Banner(String),
    /// A bare number or version, the answer to a question without verbose mode.
    Bare(String),
}

/// A reply that is a word with a number.
type OfNumber = fn(u16) -> Option<Reply>;

impl Reply {
    /// The reply on this line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Reply> {
        let line = line.trim();
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let tail = |word: &str, tag: &str| -> Option<u16> {
            word.get(..tag.len()).filter(|head| head.eq_ignore_ascii_case(tag))?;
            word[tag.len()..].parse().ok()
        };
        if let Some(banner) = line.strip_prefix("(c)").or_else(|| line.strip_prefix("(C)")) {
            return Some(Reply::Banner(banner.trim().to_owned()));
        }
        match words[..] {
            ["Login", _] => return Some(Reply::LoggedIn),
            ["Reconfig", ..] => return Some(Reply::Reconfigured),
            ["Sig", ref signals @ ..] => {
                return Some(Reply::Signals(signals.iter().map(|signal| *signal == "1").collect()));
            }
            [output, input, ..] if tail(output, "Out").is_some() => {
                return Some(Reply::Input {
                    input: tail(input, "In")?,
                    output: tail(output, "Out"),
                });
            }
            _ => {}
        }
        let word = *words.first()?;
        let numbered: [(&str, OfNumber); 8] = [
            ("In", |input| Some(Reply::Input { input, output: None })),
            ("Amt", |on| Some(Reply::Mute(on > 0))),
            ("Vmt", |on| Some(Reply::Blank(on > 0))),
            ("Vol", |volume| Some(Reply::Volume(u8::try_from(volume.min(100)).ok()?))),
            ("Rpr", |number| Some(Reply::PresetRecalled(number))),
            ("Spr", |number| Some(Reply::PresetSaved(number))),
            ("Vrb", |level| Some(Reply::Verbose(u8::try_from(level).ok()?))),
            ("E", |code| Some(Reply::Error(u8::try_from(code).ok()?))),
        ];
        for (tag, reply) in numbered {
            if let Some(number) = tail(word, tag) {
                return reply(number);
            }
        }
        let is_bare = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (is_bare && words.len() == 1).then(|| Reply::Bare(word.to_owned()))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Input { input, output: Some(output) } => write!(f, "Out{output} In{input} All"),
            Reply::Input { input, output: None } => write!(f, "In{input} All"),
            Reply::Mute(on) => write!(f, "Amt{}", u8::from(*on)),
            Reply::Volume(volume) => write!(f, "Vol{volume:02}"),
            Reply::Blank(on) => write!(f, "Vmt{}", u8::from(*on)),
            Reply::PresetRecalled(number) => write!(f, "Rpr{number:02}"),
            Reply::PresetSaved(number) => write!(f, "Spr{number:02}"),
            Reply::Signals(signals) => {
                f.write_str("Sig")?;
                signals.iter().try_for_each(|signal| write!(f, " {}", u8::from(*signal)))
            }
            Reply::Reconfigured => f.write_str("Reconfig"),
            Reply::Verbose(level) => write!(f, "Vrb{level}"),
            Reply::Error(code) => write!(f, "E{code:02}"),
            Reply::LoggedIn => f.write_str("Login Administrator"),
            Reply::Banner(banner) => write!(f, "(c) {banner}"),
            Reply::Bare(text) => f.write_str(text),
        }?;
        f.write_str("\r\n")
    }
}
