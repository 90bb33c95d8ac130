//! The lines of the backup: a verb and words, one blank between them.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;

use crate::hash::Hash;
use crate::name::{DataSetName, OwnerName};
use crate::parts::{PART_BYTES_MAX, Ranges};

/// One line of the topic. Who says what, and when, is in `apps/rooms/BACKUP.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of a verb are explained once, on the page")]
pub enum Message {
    List {
        owner: OwnerName,
        id: u64,
    },
    Restore {
        owner: OwnerName,
        id: u64,
    },
    Begin {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
        hash: Hash,
        bytes: u64,
    },
    Gone {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
    },
    Want {
        owner: OwnerName,
        hash: Hash,
        ask: u32,
        part_bytes: usize,
        parts: Ranges,
    },
    Part {
        owner: OwnerName,
        hash: Hash,
        number: u32,
        bytes: Vec<u8>,
    },
    End {
        owner: OwnerName,
        hash: Hash,
        ask: u32,
    },
    Drop {
        owner: OwnerName,
        hash: Hash,
    },
    Unknown {
        owner: OwnerName,
        hash: Hash,
    },
    Ready,
    Catalogue {
        owner: OwnerName,
        id: u64,
        hash: Hash,
        bytes: u64,
    },
    Kept {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
        hash: Option<Hash>,
    },
    Refused {
        owner: OwnerName,
        name: DataSetName,
        version: u64,
        reason: RefusedReason,
        text: String,
    },
    Malformed {
        text: String,
    },
}

/// The largest number of a version: every language can count so far.
pub const VERSION_MAX: u64 = (1 << 53) - 1;

/// Every verb with its words.
const USAGES: &[(&str, &str)] = &[
    ("list", "list <owner> <id>"),
    ("restore", "restore <owner> <id>"),
    ("begin", "begin <owner> <name> <version> <hash> <bytes>"),
    ("gone", "gone <owner> <name> <version>"),
    ("want", "want <owner> <hash> <ask> <part-bytes> <parts>"),
    ("part", "part <owner> <hash> <number> <base64>"),
    ("end", "end <owner> <hash> <ask>"),
    ("drop", "drop <owner> <hash>"),
    ("unknown", "unknown <owner> <hash>"),
    ("ready", "ready"),
    ("catalogue", "catalogue <owner> <id> <hash> <bytes>"),
    ("kept", "kept <owner> <name> <version> <hash>|gone"),
    ("refused", "refused <owner> <name> <version> <reason> <text>"),
    ("malformed", "malformed <text>"),
];

/// Why a data set was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedReason {
    /// Larger than [`DATA_SET_BYTES_MAX`](crate::DATA_SET_BYTES_MAX).
    TooLarge,
    /// The owner, or the keeper, has as many as there may be.
    TooMany,
    /// A newer version is kept already.
    Outdated,
    /// What came is not what was announced; it comes again.
    WrongHash,
    /// The keeper can't write: a full disk, for example. To be tried again later.
    Store,
    /// Too much is under way. To be tried again in a moment.
    Busy,
}

impl RefusedReason {
    /// All, with the words of the wire.
    pub const ALL: &[(Self, &str)] = &[
        (Self::TooLarge, "too-large"),
        (Self::TooMany, "too-many"),
        (Self::Outdated, "outdated"),
        (Self::WrongHash, "wrong-hash"),
        (Self::Store, "store"),
        (Self::Busy, "busy"),
    ];
}

impl fmt::Display for RefusedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, word) = Self::ALL.iter().find(|(reason, _)| reason == self).expect("all are in it");
        f.write_str(word)
    }
}

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Nobody knows the verb.
    #[error("there is no verb {verb:?}; the verbs are {}", verbs())]
    UnknownVerb {
        /// What stands in its place.
        verb: String,
    },
    /// The words after the verb are not what it takes.
    #[error("usage: {usage}; {problem}")]
    Usage {
        /// What it takes.
        usage: &'static str,
        /// What is wrong.
        problem: String,
    },
}

fn verbs() -> String {
    USAGES.iter().map(|(verb, _)| *verb).collect::<Vec<_>>().join(", ")
}

impl Message {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// [`Malformed`] says what would be right.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let usage = USAGES.iter().find(|(known, _)| *known == verb).map(|(_, usage)| *usage);
        let usage = usage.ok_or_else(|| Malformed::UnknownVerb { verb: shortened(verb) })?;
        let mut words = Words { rest: Some(rest).filter(|rest| !rest.is_empty()) };
        Self::read(verb, &mut words)
            .and_then(|message| words.end().map(|()| message))
            .map_err(|problem| Malformed::Usage { usage, problem })
    }

    fn read(verb: &str, words: &mut Words<'_>) -> Result<Self, String> {
        match verb {
            "ready" => return Ok(Self::Ready),
            "malformed" => return Ok(Self::Malformed { text: words.all() }),
            _ => {}
        }
        let owner = words.parsed::<OwnerName>()?;
        Ok(match verb {
            "list" => Self::List { owner, id: words.number()? },
            "restore" => Self::Restore { owner, id: words.number()? },
            "begin" => Self::Begin {
                owner,
                name: words.name()?,
                version: words.version()?,
                hash: words.parsed()?,
                bytes: words.number()?,
            },
            "gone" => Self::Gone { owner, name: words.name()?, version: words.version()? },
            "want" => Self::Want {
                owner,
                hash: words.parsed()?,
                ask: words.number()?,
                part_bytes: words.part_bytes()?,
                parts: words.parsed()?,
            },
            "part" => Self::Part {
                owner,
                hash: words.parsed()?,
                number: words.number()?,
                bytes: words.bytes()?,
            },
            "end" => Self::End { owner, hash: words.parsed()?, ask: words.number()? },
            "drop" => Self::Drop { owner, hash: words.parsed()? },
            "unknown" => Self::Unknown { owner, hash: words.parsed()? },
            "catalogue" => Self::Catalogue {
                owner,
                id: words.number()?,
                hash: words.parsed()?,
                bytes: words.number()?,
            },
            "kept" => Self::Kept {
                owner,
                name: words.name()?,
                version: words.version()?,
                hash: words.hash_or_gone()?,
            },
            _ => Self::Refused {
                owner,
                name: words.name()?,
                version: words.version()?,
                reason: words.reason()?,
                text: words.all(),
            },
        })
    }
}

/// The line, without its end.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List { owner, id } => write!(f, "list {owner} {id}"),
            Self::Restore { owner, id } => write!(f, "restore {owner} {id}"),
            Self::Begin { owner, name, version, hash, bytes } => {
                write!(f, "begin {owner} {name} {version} {hash} {bytes}")
            }
            Self::Gone { owner, name, version } => write!(f, "gone {owner} {name} {version}"),
            Self::Want { owner, hash, ask, part_bytes, parts } => {
                write!(f, "want {owner} {hash} {ask} {part_bytes} {parts}")
            }
            Self::Part { owner, hash, number, bytes } => {
                write!(f, "part {owner} {hash} {number} {}", BASE64.encode(bytes))
            }
            Self::End { owner, hash, ask } => write!(f, "end {owner} {hash} {ask}"),
            Self::Drop { owner, hash } => write!(f, "drop {owner} {hash}"),
            Self::Unknown { owner, hash } => write!(f, "unknown {owner} {hash}"),
            Self::Ready => f.write_str("ready"),
            Self::Catalogue { owner, id, hash, bytes } => {
                write!(f, "catalogue {owner} {id} {hash} {bytes}")
            }
            Self::Kept { owner, name, version, hash: Some(hash) } => {
                write!(f, "kept {owner} {name} {version} {hash}")
            }
            Self::Kept { owner, name, version, hash: None } => {
                write!(f, "kept {owner} {name} {version} gone")
            }
            Self::Refused { owner, name, version, reason, text } => {
                write!(f, "refused {owner} {name} {version} {reason} {}", one_line(text))
            }
            Self::Malformed { text } => write!(f, "malformed {}", one_line(text)),
        }
    }
}

/// What the words of a line are, one after the other.
struct Words<'a> {
    /// What follows the last word's blank; nothing after the last word.
    rest: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn word(&mut self) -> Result<&'a str, String> {
        let rest = self.rest.take().ok_or("a word is missing")?;
        let (word, after) = match rest.split_once(' ') {
            Some((word, after)) => (word, Some(after)),
            None => (rest, None),
        };
        self.rest = after;
        if word.is_empty() { Err("one blank is wanted between words".to_owned()) } else { Ok(word) }
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self) -> Result<T, String> {
        self.word()?.parse().map_err(|error: T::Err| error.to_string())
    }

    fn number<T: FromStr>(&mut self) -> Result<T, String> {
        let word = self.word()?;
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        let number = word.parse().ok().filter(|_| is_number);
        number.ok_or_else(|| {
            format!("{:?} is no whole number of a size that is in use", shortened(word))
        })
    }

    fn version(&mut self) -> Result<u64, String> {
        let number = self.number()?;
        if (1..=VERSION_MAX).contains(&number) {
            Ok(number)
        } else {
            Err(format!("a version is a number from 1 to {VERSION_MAX}"))
        }
    }

    fn name(&mut self) -> Result<DataSetName, String> {
        DataSetName::from_word(self.word()?).map_err(|error| error.to_string())
    }

    fn part_bytes(&mut self) -> Result<usize, String> {
        let number = self.number()?;
        if (1..=PART_BYTES_MAX).contains(&number) {
            Ok(number)
        } else {
            Err(format!("a part has 1 to {PART_BYTES_MAX} bytes"))
        }
    }

    fn bytes(&mut self) -> Result<Vec<u8>, String> {
        let bytes = BASE64.decode(self.word()?);
        let bytes = bytes.map_err(|_| "the bytes of a part are written in base64, with padding")?;
        if (1..=PART_BYTES_MAX).contains(&bytes.len()) {
            Ok(bytes)
        } else {
            Err(format!("a part has 1 to {PART_BYTES_MAX} bytes"))
        }
    }

    fn hash_or_gone(&mut self) -> Result<Option<Hash>, String> {
        match self.word()? {
            "gone" => Ok(None),
            word => word.parse().map(Some).map_err(|error| format!("{error}, or it is `gone`")),
        }
    }

    fn reason(&mut self) -> Result<RefusedReason, String> {
        let word = self.word()?;
        let found = RefusedReason::ALL.iter().find(|(_, known)| *known == word);
        found
            .map(|(reason, _)| *reason)
            .ok_or_else(|| format!("{:?} is no reason", shortened(word)))
    }

    /// The rest, blanks and all.
    fn all(&mut self) -> String {
        self.rest.take().unwrap_or_default().to_owned()
    }

    fn end(&self) -> Result<(), String> {
        match self.rest {
            None => Ok(()),
            Some(rest) => Err(format!("{:?} is too much", shortened(rest))),
        }
    }
}

/// Enough of somebody's word to recognise it.
fn shortened(word: &str) -> String {
    word.chars().take(40).collect()
}

/// A text as the bus takes it.
fn one_line(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
