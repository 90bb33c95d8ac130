//! PJLink's lines, from both sides. All of them end with CR.
//!
//! Source: JBMIA, PJLink specifications 1.04 and 2.10; the projectors' manuals where they differ.

use std::fmt;

use md5::{Digest, Md5};
use sha2::Sha256;

/// What ends a line; some projectors add LF.
pub const ENDS: &[u8] = b"\r\n";

/// What the projector says before anything else, or to `PJLINK 2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// `PJLINK 0`: no password.
    Open,
    /// `PJLINK 1 498e4a67`: an MD5 digest with this random number goes before the first command.
    Md5(String),
    /// `PJLINK 2 ...`: a SHA-256 digest does.
    Sha256([u8; 16]),
    /// `PJLINK ERRA`: the digest was wrong, or the projector knows nothing of SHA-256.
    Refused,
}

impl Greeting {
    /// The greeting on this line, if it is one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Greeting> {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [name, rest @ ..] = &words[..] else { return None };
        if !name.eq_ignore_ascii_case("PJLINK") {
            return None;
        }
        match rest {
            ["0"] => Some(Greeting::Open),
            ["1", random] => Some(Greeting::Md5((*random).to_owned())),
            ["2", random] => Some(Greeting::Sha256(unhex(random)?)),
            [word] if word.eq_ignore_ascii_case("ERRA") => Some(Greeting::Refused),
            _ => None,
        }
    }
}

impl fmt::Display for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Greeting::Open => f.write_str("PJLINK 0\r"),
            Greeting::Md5(random) => write!(f, "PJLINK 1 {random}\r"),
            Greeting::Sha256(random) => write!(f, "PJLINK 2 {}\r", hex(random)),
            Greeting::Refused => f.write_str("PJLINK ERRA\r"),
        }
    }
}

/// Asks for a SHA-256 login.
pub const WANT_SHA256: &str = "PJLINK 2\r";

/// A question or an order to the projector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The login's digest, before the first command of a session; some controllers repeat it.
    pub login: String,
    /// 1 or 2.
    pub class: char,
    /// Four capitals.
    pub command: String,
    /// `?` asks.
    pub argument: String,
}

impl Request {
    /// The request on this line, if it is one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Request> {
        let (login, rest) = line.split_once('%')?;
        let (class, command, rest) = head(rest)?;
        let argument = rest.strip_prefix(' ')?.to_owned();
        Some(Request { login: login.to_owned(), class, command, argument })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%{}{} {}\r", self.login, self.class, self.command, self.argument)
    }
}

/// What the projector answers, or reports unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 1 or 2.
    pub class: char,
    /// Four capitals.
    pub command: String,
    /// What it says.
    pub answer: Answer,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The order is accepted, which does not mean that it is done.
    Ok,
    /// `ERR1`: there is no such command.
    Undefined,
    /// `ERR2`: there is no such input, or value.
    OutOfParameter,
    /// `ERR3`: not at this time, as in standby or while warming.
    Unavailable,
    /// `ERR4`: the projector is broken.
    Failure,
    /// What was asked for.
    Value(String),
}

impl Reply {
    /// The reply on this line, if it is one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Reply> {
        let (class, command, rest) = head(line.trim_start().strip_prefix('%')?)?;
        let value = rest.strip_prefix('=')?.trim_end();
        let answer = match value.to_ascii_uppercase().as_str() {
            "OK" => Answer::Ok,
            "ERR1" => Answer::Undefined,
            "ERR2" => Answer::OutOfParameter,
            "ERR3" => Answer::Unavailable,
            "ERR4" => Answer::Failure,
            _ => Answer::Value(value.to_owned()),
        };
        Some(Reply { class, command, answer })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match &self.answer {
            Answer::Ok => "OK",
            Answer::Undefined => "ERR1",
            Answer::OutOfParameter => "ERR2",
            Answer::Unavailable => "ERR3",
            Answer::Failure => "ERR4",
            Answer::Value(value) => value,
        };
        write!(f, "%{}{}={answer}\r", self.class, self.command)
    }
}

/// What goes before the first command: the digest of the projector's number and the password.
#[must_use]
pub fn md5_login(random: &str, password: &str) -> String {
    hex(&Md5::new().chain_update(random).chain_update(password).finalize())
}

/// What goes before the first command: the controller's number, then the digest of both numbers
/// and the password.
#[must_use]
pub fn sha256_login(projector: [u8; 16], controller: [u8; 16], password: &str) -> String {
    let mut both = projector;
    both.iter_mut().zip(controller).for_each(|(byte, other)| *byte ^= other);
    let digest = Sha256::new().chain_update(hex(&both)).chain_update(password).finalize();
    hex(&controller) + &hex(&digest)
}

/// The controller's number for a SHA-256 login: nobody without the password can foresee it, and
/// the same question gets the same answer, so that nothing is gained by asking twice.
#[must_use]
pub fn controller_number(projector: [u8; 16], password: &str) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(b"controller's number\0")
        .chain_update(projector)
        .chain_update(password)
        .finalize();
    *digest.first_chunk().expect("a digest has 32 bytes")
}

/// `1POWR` and what follows.
fn head(text: &str) -> Option<(char, String, &str)> {
    let class = text.chars().next().filter(|class| "12".contains(*class))?;
    let command = text.get(1..5)?;
    let plain = command.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| (class, command.to_ascii_uppercase(), &text[5..]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}
