//! Text that comes in pieces, split into lines, each with its place.

use std::ops::ControlFlow;

use memchr::memchr;

use super::Place;

/// Longest line that is kept together, in bytes: more than a bus can be told to take.
const LINE_BYTES_MAX: usize = 17 << 20;

/// What is left of a line that is not whole yet, and where it stands.
#[derive(Debug)]
pub(super) struct Splitter {
    rest: Vec<u8>,
    place: Place,
    /// So much was thrown away of a line that is longer than any can be.
    discarded: u64,
}

/// A line, its LF taken off; none for one that is too long to be one.
pub(super) type Line<'a> = Option<&'a [u8]>;

impl Splitter {
    /// For text that begins at a byte of a file; at 0, lines are counted, too.
    pub(super) fn new(byte: u64) -> Self {
        let place = Place { line: (byte == 0).then_some(1), byte };
        Self { rest: Vec::new(), place, discarded: 0 }
    }

    /// Takes a piece and gives out the lines that are whole with it, until told to stop.
    pub(super) fn feed<B>(
        &mut self,
        mut piece: &[u8],
        mut each: impl FnMut(Line<'_>, Place) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        while let Some(end) = memchr(b'\n', piece) {
            let (line, after) = (&piece[..end], &piece[end + 1..]);
            let len = (self.rest.len() + end + 1) as u64 + self.discarded;
            let place = self.place;
            self.place.byte += len;
            self.place.line = self.place.line.map(|line| line + 1);
            piece = after;
            if std::mem::take(&mut self.discarded) > 0 || len > LINE_BYTES_MAX as u64 + 1 {
                self.rest.clear();
                each(None, place)?;
            } else if self.rest.is_empty() {
                each(Some(line), place)?;
            } else {
                self.rest.extend_from_slice(line);
                let whole = std::mem::take(&mut self.rest);
                each(Some(&whole), place)?;
            }
        }
        if self.discarded > 0 || self.rest.len() + piece.len() > LINE_BYTES_MAX {
            self.discarded += (self.rest.len() + piece.len()) as u64;
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(piece);
        }
        ControlFlow::Continue(())
    }

    /// Where a line stands that has no end, if there is one.
    pub(super) fn torn(&self) -> Option<Place> {
        (!self.rest.is_empty() || self.discarded > 0).then_some(self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8], piece: usize) -> (Vec<(Option<String>, Place)>, Option<Place>) {
        let mut splitter = Splitter::new(0);
        let mut lines = Vec::new();
        for piece in text.chunks(piece) {
            let done = splitter.feed(piece, |line, place| {
                let line = line.map(|line| String::from_utf8_lossy(line).into_owned());
                lines.push((line, place));
                ControlFlow::<()>::Continue(())
            });
            assert!(done.is_continue());
        }
        (lines, splitter.torn())
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let text = b"one\n\nthree\nfour";
        let place = |line, byte| Place { line: Some(line), byte };
        let expected = [("one", place(1, 0)), ("", place(2, 4)), ("three", place(3, 5))];
        let expected: Vec<_> =
            expected.into_iter().map(|(line, place)| (Some(line.to_owned()), place)).collect();
        for piece in 1..=text.len() {
            assert_eq!(split(text, piece), (expected.clone(), Some(place(4, 11))), "{piece}");
        }
        assert_eq!(split(b"one\n", 2).1, None);
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory_and_the_next_one_is_read() {
        let mut text = vec![b'x'; LINE_BYTES_MAX + 10];
        text.extend_from_slice(b"\nnext\n");
        let (lines, torn) = split(&text, 1 << 20);
        assert_eq!(torn, None);
        assert_eq!(lines.len(), 2);
        assert!(lines[0] == (None, Place { line: Some(1), byte: 0 }));
        assert_eq!(lines[1].0.as_deref(), Some("next"));
        assert_eq!(lines[1].1, Place { line: Some(2), byte: LINE_BYTES_MAX as u64 + 11 });
    }
}
