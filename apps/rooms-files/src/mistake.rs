//! What is wrong with a room file, and how it is said.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake, or one warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was reached.
    pub file: PathBuf,
    /// Counted from 1; 0 if it concerns the whole file.
    pub line: usize,
    /// The way to what is wrong: `device.projector.connect`; empty if there is none.
    pub key: String,
    /// What is wrong, and what would be right.
    pub text: String,
    /// Whether it can stay.
    pub severity: Severity,
}

/// Whether a room can be used in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It can.
    Warning,
    /// It can't.
    Error,
}

impl Mistake {
    pub(super) fn of_file(file: &Path, text: String) -> Self {
        let key = String::new();
        Self { file: file.to_owned(), line: 0, key, text, severity: Severity::Error }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.text)
    }
}

/// `did you mean NEAREST?`, or else all there are, after the words of `all`.
pub(super) fn remedy<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    all: &str,
) -> String {
    let distance = |known: &&str| strsim::damerau_levenshtein(known, word);
    let is_near = |known: &&str| distance(known) <= 4.min(word.len() / 2);
    match known.clone().min_by_key(distance).filter(is_near) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<_> = known.collect();
            if known.is_empty() {
                "there is none".to_owned()
            } else {
                format!("{all} {}", known.join(", "))
            }
        }
    }
}
