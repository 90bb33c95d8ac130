//! What a client's bytes mean as lines, byte by byte: the reference for what the broker makes of
//! whole reads.

use std::collections::VecDeque;

use linebus_protocol::telnet::Telnet;

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A line, its end taken off; of one that is too long, its beginning as soon as that is known.
    Line(Vec<u8>),
    /// The beginning of a TLS handshake; nothing is read after it.
    Tls,
}

/// The text in a client's bytes, telnet's commands taken out and each line's end made an LF, that
/// the broker may not have carried out.
#[derive(Default)]
pub struct Text {
    telnet: Telnet,
    /// A CR came that may belong to a line's end.
    cr: bool,
    waiting: VecDeque<u8>,
}

impl Text {
    /// One more byte came.
    pub fn read(&mut self, byte: u8) {
        if self.telnet.strip(&mut [byte], &mut Vec::new()) == 0 {
            return;
        }
        match (std::mem::take(&mut self.cr), byte) {
            (true, b'\n' | 0) => self.waiting.push_back(b'\n'),
            (cr, byte) => {
                self.waiting.extend(cr.then_some(b'\r'));
                self.cr = byte == b'\r';
                self.waiting.extend((!self.cr).then_some(byte));
            }
        }
    }

    /// The next byte that the broker has carried out if no more than `unread` were left of it.
    pub fn next(&mut self, unread: usize) -> Option<u8> {
        let left = self.waiting.len() + usize::from(self.cr);
        if left > unread { self.waiting.pop_front() } else { None }
    }
}

/// One client's lines.
pub struct Reader {
    line: Vec<u8>,
    /// The rest of a line that is too long.
    skipping: bool,
    /// Nothing came before.
    untouched: bool,
    first_line: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self { line: Vec::new(), skipping: false, untouched: true, first_line: true }
    }
}

impl Reader {
    /// Reads one byte of text; says what it completes where a line has at most so many bytes.
    pub fn read(&mut self, byte: u8, line_bytes_max: usize) -> Option<Said> {
        if std::mem::take(&mut self.untouched) && byte == 22 {
            return Some(Said::Tls);
        }
        if byte != b'\n' {
            return self.take(byte, line_bytes_max);
        }
        self.first_line = false;
        let line = std::mem::take(&mut self.line);
        (!std::mem::take(&mut self.skipping)).then_some(Said::Line(line))
    }

    fn take(&mut self, byte: u8, line_bytes_max: usize) -> Option<Said> {
        if self.skipping {
            return None;
        }
        self.line.push(byte);
        if self.first_line && self.line == "\u{feff}".as_bytes() {
            self.first_line = false;
            self.line.clear();
        }
        if self.line.len() < line_bytes_max {
            return None;
        }
        self.first_line = false;
        self.skipping = true;
        Some(Said::Line(std::mem::take(&mut self.line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        let (mut text, mut reader) = (Text::default(), Reader::default());
        bytes.iter().for_each(|byte| text.read(*byte));
        let text = std::iter::from_fn(|| text.next(0));
        let said: Vec<_> = text.filter_map(|byte| reader.read(byte, 8)).collect();
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
