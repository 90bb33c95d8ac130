//! A server's line as a value: [`Event::parse`] for clients, `Display` for the server.

use std::fmt;

/// One line from the server. Codes and reasons are words here, because a client must accept
/// those of later versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The first line of every connection.
    Hello {
        /// The protocol's version.
        version: u32,
        /// Longest line that the server accepts, in bytes, LF included.
        line_bytes_max: usize,
        /// Whether most verbs wait for a login.
        login_required: bool,
    },
    /// A command was carried out.
    Ok {
        /// Which.
        verb: &'a str,
        /// What it was carried out on, as the command said it; a count after a list.
        rest: &'a str,
    },
    /// A message on a topic that was joined with `recv`.
    Recv {
        /// The topic it was sent to.
        topic: &'a str,
        /// The message, byte for byte.
        message: &'a str,
    },
    /// A message on a topic that was joined with `watch`.
    Watch {
        /// The topic it was sent to.
        topic: &'a str,
        /// When the bus took it: RFC 3339, UTC, microseconds.
        time: &'a str,
        /// Who sent it.
        user: &'a str,
        /// The message, byte for byte.
        message: &'a str,
    },
    /// A command was refused.
    Error {
        /// Which, or `line`.
        verb: &'a str,
        /// An [`ErrorCode`](crate::ErrorCode).
        code: &'a str,
        /// What to do about it.
        text: &'a str,
    },
    /// The answer to `ping`.
    Pong {
        /// The word that came with the ping, or nothing.
        word: &'a str,
    },
    /// One connection, of the answer to `who`.
    Who {
        /// Its user.
        user: &'a str,
        /// The connection's number, unique while the server runs.
        id: u64,
        /// Where it comes from: an IP address and port, or `unix`.
        address: &'a str,
    },
    /// One topic, of the answer to `topics`.
    Topic {
        /// The topic or pattern, as joined.
        topic: &'a str,
        /// How many connections have joined it.
        receivers: u64,
    },
    /// One line of the answer to `help`.
    Help {
        /// For people.
        text: &'a str,
    },
    /// Something worth knowing, not an answer.
    Note {
        /// One word, for programs.
        code: &'a str,
        /// For people.
        text: &'a str,
    },
    /// The last line before the server closes.
    Bye {
        /// A [`ByeReason`](crate::ByeReason).
        reason: &'a str,
        /// For people.
        text: &'a str,
    },
    /// A line that this version does not know; clients ignore it.
    Other {
        /// Its first word.
        verb: &'a str,
        /// The rest after one separator.
        rest: &'a str,
    },
}

impl<'a> Event<'a> {
    /// Reads one line, its end taken off. Whatever has not the form of a known event is
    /// [`Event::Other`].
    #[must_use]
    pub fn parse(line: &'a str) -> Self {
        let (verb, rest) = split(line);
        Self::parse_known(verb, rest).unwrap_or(Self::Other { verb, rest })
    }

    fn parse_known(verb: &str, rest: &'a str) -> Option<Self> {
        let (first, after_first) = split(rest);
        let (second, after_second) = split(after_first);
        Some(match verb {
            "recv" => Self::Recv { topic: first, message: after_first },
            "watch" => {
                let (user, message) = split(after_second);
                Self::Watch { topic: first, time: second, user, message }
            }
            "hello" if first == "linebus" => {
                let mut words = after_second.split(' ');
                Self::Hello {
                    version: second.parse().ok()?,
                    line_bytes_max: words.next()?.strip_prefix("line-max=")?.parse().ok()?,
                    login_required: words.next()? == "login=required",
                }
            }
            "ok" => Self::Ok { verb: first, rest: after_first },
            "error" => Self::Error { verb: first, code: second, text: after_second },
            "pong" => Self::Pong { word: rest },
            "who" => Self::Who { user: first, id: second.parse().ok()?, address: after_second },
            "topic" => Self::Topic { topic: first, receivers: after_first.parse().ok()? },
            "help" => Self::Help { text: rest },
            "note" => Self::Note { code: first, text: after_first },
            "bye" => Self::Bye { reason: first, text: after_first },
            _ => return None,
        })
    }
}

/// The first word and the rest after one space.
fn split(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Words after the first stand behind a space, empty ones leave it out.
        fn tail(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
            if text.is_empty() { Ok(()) } else { write!(f, " {text}") }
        }
        match *self {
            Self::Hello { version, line_bytes_max, login_required } => {
                let login = if login_required { "required" } else { "open" };
                write!(f, "hello linebus {version} line-max={line_bytes_max} login={login}")
            }
            Self::Ok { verb, rest } => {
                write!(f, "ok {verb}")?;
                tail(f, rest)
            }
            Self::Recv { topic, message } => write!(f, "recv {topic} {message}"),
            Self::Watch { topic, time, user, message } => {
                write!(f, "watch {topic} {time} {user} {message}")
            }
            Self::Error { verb, code, text } => {
                write!(f, "error {verb} {code}")?;
                tail(f, text)
            }
            Self::Pong { word } => {
                f.write_str("pong")?;
                tail(f, word)
            }
            Self::Who { user, id, address } => write!(f, "who {user} {id} {address}"),
            Self::Topic { topic, receivers } => write!(f, "topic {topic} {receivers}"),
            Self::Help { text } => write!(f, "help {text}"),
            Self::Note { code, text } => write!(f, "note {code} {text}"),
            Self::Bye { reason, text } => {
                write!(f, "bye {reason}")?;
                tail(f, text)
            }
            Self::Other { verb, rest } => {
                f.write_str(verb)?;
                tail(f, rest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for event in [
            Event::Hello { version: 1, line_bytes_max: 65_536, login_required: false },
            Event::Hello { version: 2, line_bytes_max: 512, login_required: true },
            Event::Ok { verb: "recv", rest: "syslib workers" },
            Event::Ok { verb: "help", rest: "" },
            Event::Recv { topic: "t", message: "  spaces belong to it " },
            Event::Recv { topic: "t", message: "" },
            Event::Watch {
                topic: "t",
                time: "2013-02-03T00:00:00.000000Z",
                user: "bob",
                message: " x",
            },
            Event::Error { verb: "send", code: "bad-topic", text: "no wildcards here" },
            Event::Pong { word: "" },
            Event::Pong { word: "x" },
            Event::Who { user: "bob", id: 7, address: "unix" },
            Event::Topic { topic: "rooms.>", receivers: 2 },
            Event::Help { text: "ping [<word>] : pong" },
            Event::Note { code: "shutdown", text: "the bus stops" },
            Event::Bye { reason: "logoff", text: "" },
            Event::Other { verb: "later", rest: "version's words" },
        ] {
            assert_eq!(Event::parse(&event.to_string()), event);
        }
    }

    #[test]
    fn what_has_not_the_form_is_other() {
        for line in ["", "hello you", "hello linebus x y", "who bob seven", "topic t many"] {
            assert!(matches!(Event::parse(line), Event::Other { .. }), "{line}");
        }
    }
}
