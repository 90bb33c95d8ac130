//! Bytes to lines, for both sides of the protocols that are lines of text.

/// Cuts a stream into lines at CR, LF or what else ends one. Empty lines are left out, NUL bytes
/// too: some devices pad with them. A line that is too long is given up, up to its end.
#[derive(Debug)]
pub struct Lines {
    ends: &'static [u8],
    line: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// The longest line that is kept, in bytes.
    pub const BYTES_MAX: usize = 4096;

    /// Lines that end at each of these bytes.
    #[must_use]
    pub fn new(ends: &'static [u8]) -> Lines {
        Lines { ends, line: Vec::new(), too_long: false }
    }

    /// Takes bytes in and gives the lines that they complete, without their ends. Bytes that are
    /// not UTF-8 are replaced.
    pub fn push(&mut self, data: &[u8]) -> Vec<String> {
        self.push_with_ends(data).into_iter().map(|(line, _)| line).collect()
    }

    /// The same, each with the byte that ended it.
    pub fn push_with_ends(&mut self, data: &[u8]) -> Vec<(String, u8)> {
        let mut lines = Vec::new();
        for &byte in data {
            if self.ends.contains(&byte) {
                if !self.line.is_empty() && !self.too_long {
                    lines.push((String::from_utf8_lossy(&self.line).into_owned(), byte));
                }
                self.clear();
            } else if self.line.len() == Self::BYTES_MAX {
                self.too_long = true;
            } else if byte != 0 {
                self.line.push(byte);
            }
        }
        lines
    }

    /// What has come of a line that has not ended: prompts have no end.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        if self.too_long { &[] } else { &self.line }
    }

    /// Forgets what has come of an unfinished line.
    pub fn clear(&mut self) {
        self.line.clear();
        self.too_long = false;
    }
}
