//! Lutron's integration protocol, from both sides. Lines end with CR LF; prompts have no end and
//! stand before, between and after lines.
//!
//! Source: Lutron integration protocol, revision N and the manual of QS standalone.

use std::fmt;

/// An order (`#`) or question (`?`) of the controller, or news (`~`) of the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What sort of line it is.
    pub sign: char,
    /// `OUTPUT`, `AREA`, `DEVICE`, `MONITORING`, `ERROR`.
    pub name: String,
    /// Identification number, action, values; as written.
    pub fields: Vec<String>,
}

/// The action of an output or area that sets or reports a level.
pub const LEVEL: i64 = 1;
/// The action of an area that sets or reports a scene.
pub const SCENE: i64 = 6;
/// The action of an area that reports whether it is occupied: 3 yes, 4 no, else unknown.
pub const OCCUPANCY: i64 = 8;

/// The prompts of the systems, when logged in.
pub const PROMPTS: [&str; 3] = ["GNET>", "QNET>", "QSE>"];
/// Who is there?
pub const LOGIN: &str = "login:";
/// And the password?
pub const PASSWORD: &str = "password:";

impl Line {
    /// The line, without the prompts before it.
    #[must_use]
    pub fn parse(line: &str) -> Option<Line> {
        let line = without_prompts(line);
        let sign = line.chars().next().filter(|sign| "#?~".contains(*sign))?;
        let mut fields = line[1..].trim_end().split(',').map(str::to_owned);
        let name = fields.next().filter(|name| !name.is_empty())?;
        Some(Line { sign, name, fields: fields.collect() })
    }

    /// A line with whole numbers.
    #[must_use]
    pub fn new(sign: char, name: &str, numbers: &[i64]) -> Line {
        let fields = numbers.iter().map(ToString::to_string).collect();
        Line { sign, name: name.to_owned(), fields }
    }

    /// The field in this place, if it is a whole number.
    #[must_use]
    pub fn number(&self, at: usize) -> Option<i64> {
        self.fields.get(at)?.trim().parse().ok()
    }

    /// The field in this place as percent, rounded.
    #[must_use]
    pub fn percent(&self, at: usize) -> Option<u8> {
        let percent: f64 = self.fields.get(at)?.trim().parse().ok()?;
        let all = 0..=100_u8;
        all.into_iter().find(|whole| (f64::from(*whole) - percent).abs() <= 0.5)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sign, self.name)?;
        self.fields.iter().try_for_each(|field| write!(f, ",{field}"))?;
        f.write_str("\r\n")
    }
}

/// The line without the prompts that stand before it.
#[must_use]
pub fn without_prompts(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some(after) = PROMPTS.iter().find_map(|prompt| rest.strip_prefix(prompt)) {
        rest = after.trim_start();
    }
    rest
}

/// What `~ERROR` means.
#[must_use]
pub fn error_text(code: i64) -> &'static str {
    match code {
        1 => "the number of parameters is wrong",
        2 => "there is no such output or area",
        3 => "there is no such action",
        4 => "a parameter is out of range",
        5 => "a parameter is malformed",
        6 => "the command is not supported",
        _ => "refused",
    }
}
