//! What a client's bytes mean as lines, byte by byte: the reference for what the broker makes of
//! whole reads.

use linebus_protocol::telnet::Telnet;

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A line, its end taken off; of one that is too long, its beginning as soon as that is known.
    Line(Vec<u8>),
    /// The beginning of a TLS handshake; nothing is read after it.
    Tls,
}

/// One client's bytes so far.
pub struct Reader {
    line_bytes_max: usize,
    telnet: Telnet,
    /// A CR came that may belong to a line's end.
    cr: bool,
    line: Vec<u8>,
    /// The rest of a line that is too long.
    skipping: bool,
    /// Nothing of the text came before, and no line was finished or given up.
    untouched: bool,
    first_line: bool,
    tls: bool,
    /// Bytes of text so far, each line's end counted as one.
    pub text_bytes: usize,
}

impl Reader {
    /// Nothing was read.
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self {
            line_bytes_max,
            telnet: Telnet::default(),
            cr: false,
            line: Vec::new(),
            skipping: false,
            untouched: true,
            first_line: true,
            tls: false,
            text_bytes: 0,
        }
    }

    /// Bytes of text so far, but for a CR that may belong to a line's end.
    #[must_use]
    pub fn place(&self) -> usize {
        self.text_bytes - usize::from(self.cr)
    }

    /// Reads one byte; says what it completes.
    pub fn read(&mut self, byte: u8) -> Option<Said> {
        if self.tls || self.telnet.strip(&mut [byte], &mut Vec::new()) == 0 {
            return None;
        }
        self.text_bytes += 1;
        if std::mem::take(&mut self.untouched) && byte == 22 {
            self.tls = true;
            return Some(Said::Tls);
        }
        let cr = std::mem::take(&mut self.cr);
        if cr && matches!(byte, b'\n' | 0) {
            self.text_bytes -= 1;
            return self.end();
        }
        let before = if cr { self.take(b'\r') } else { None };
        before.or(match byte {
            b'\r' => {
                self.cr = true;
                None
            }
            b'\n' => self.end(),
            _ => self.take(byte),
        })
    }

    fn take(&mut self, byte: u8) -> Option<Said> {
        if self.skipping {
            return None;
        }
        self.line.push(byte);
        if self.first_line && self.line == "\u{feff}".as_bytes() {
            self.first_line = false;
            self.line.clear();
        }
        if self.line.len() < self.line_bytes_max {
            return None;
        }
        self.first_line = false;
        self.skipping = true;
        Some(Said::Line(std::mem::take(&mut self.line)))
    }

    fn end(&mut self) -> Option<Said> {
        self.first_line = false;
        let line = std::mem::take(&mut self.line);
        (!std::mem::take(&mut self.skipping)).then_some(Said::Line(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        let mut reader = Reader::new(8);
        let said: Vec<_> = bytes.iter().filter_map(|byte| reader.read(*byte)).collect();
        let line = |line: &&str| Said::Line(line.as_bytes().to_vec());
        assert_eq!(said, expected.iter().map(line).collect::<Vec<_>>());
    }

    #[test]
    fn lines_end_in_three_ways_and_have_a_limit() {
        check(b"a\nb\r\nc\r\0\nd", &["a", "b", "c", ""]);
        check(b"a\rb\r\r\n", &["a\rb\r"]);
        check(b"\xef\xbb\xbf1234567\n", &["1234567"]);
        check(b"12345678901\n1234567\r\n", &["12345678", "1234567"]);
        check(b"\xff\xfb\x41a\xff\xf1b\n", &["ab"]);
    }
}
