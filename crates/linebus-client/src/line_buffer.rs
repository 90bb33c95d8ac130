//! Bytes from the bus, cut into whole lines.
//!
//! It holds at most one read and one unfinished line. Lines are checked for UTF-8 and control
//! characters all at once, as the bus does with what it takes.

use linebus_protocol::text::is_clean;
use memchr::memrchr;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::{Excerpt, Lost};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// Longest line before `hello` has said what is usual on this bus, in bytes.
const HELLO_BYTES_MAX: usize = 1024;
/// A `watch` line is longer than the `send` line that caused it by time, user, two blanks and a
/// letter: less than this many bytes.
const WATCH_BYTES_EXTRA: usize = 256;
/// Longest line that is believed whatever `hello` said, in bytes. A longer one ends the
/// connection.
const LINE_BYTES_BELIEVED: usize = 64 * 1024 * 1024;

/// Bytes received and not yet understood.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
    /// How many bytes at the beginning are whole lines.
    whole: usize,
    line_bytes_max: usize,
}

impl LineBuffer {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), whole: 0, line_bytes_max: HELLO_BYTES_MAX }
    }

    /// Takes note of what `hello` says about lines sent to the bus.
    pub(crate) fn accept_lines_of(&mut self, line_bytes_max: usize) {
        self.line_bytes_max =
            line_bytes_max.saturating_add(WATCH_BYTES_EXTRA).min(LINE_BYTES_BELIEVED);
    }

    /// Reads once. Cancelling loses nothing.
    ///
    /// # Errors
    /// [`Lost`] at the end of the stream, on an error of the system, or when an unfinished line
    /// is longer than lines may be.
    pub(crate) async fn fill(&mut self, from: &mut (impl AsyncRead + Unpin)) -> Result<(), Lost> {
        self.bytes.reserve(READ_BYTES);
        let before = self.bytes.len();
        if from.read_buf(&mut self.bytes).await? == 0 {
            return Err(Lost::End);
        }
        if let Some(at) = memrchr(b'\n', &self.bytes[before..]) {
            self.whole = before + at + 1;
        }
        if self.bytes.len() - self.whole > self.line_bytes_max {
            let what = format!("a line of more than {} bytes", self.line_bytes_max);
            return Err(Lost::Garbage(what));
        }
        Ok(())
    }

    /// All whole lines, each with its LF.
    ///
    /// # Errors
    /// [`Lost::Garbage`] unless they are clean text.
    pub(crate) fn whole_lines(&self) -> Result<&str, Lost> {
        let lines = &self.bytes[..self.whole];
        if is_clean(lines)
            && let Ok(text) = str::from_utf8(lines)
        {
            return Ok(text);
        }
        let bad = lines.split(|&byte| byte == b'\n').find(|line| !is_clean(line));
        let what = Excerpt(bad.unwrap_or(lines));
        Err(Lost::Garbage(format!("`{what}`")))
    }

    /// Forgets the first `len` bytes, which are whole lines.
    pub(crate) fn consume(&mut self, len: usize) {
        self.whole -= len;
        self.bytes.drain(..len);
    }

    /// What came so far, for an error that quotes it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn feed(pieces: &[&[u8]], line_bytes_max: usize) -> Result<Vec<String>, Lost> {
        let mut buffer = LineBuffer::new();
        buffer.accept_lines_of(line_bytes_max);
        let mut lines = Vec::new();
        for piece in pieces {
            buffer.fill(&mut &piece[..]).await?;
            let text = buffer.whole_lines()?;
            lines.extend(text.lines().map(str::to_owned));
            let len = text.len();
            buffer.consume(len);
        }
        Ok(lines)
    }

    #[tokio::test]
    async fn lines_are_the_same_however_they_are_cut() {
        let stream = "recv t zürich\nrecv t \nnote x y\n".as_bytes();
        let whole = feed(&[stream], 100).await;
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(whole, feed(&bytes, 100).await);
        assert_eq!(whole.expect("good").len(), 3);
    }

    #[tokio::test]
    async fn an_endless_line_is_given_up() {
        let piece = &[b'x'; 60][..];
        let fed = feed(&[piece; 6], 100).await;
        let what = "a line of more than 356 bytes".to_owned();
        assert_eq!(fed, Err(Lost::Garbage(what)));
    }

    #[tokio::test]
    async fn what_is_not_clean_text_is_quoted_and_refused() {
        let fed = feed(&[b"recv t a\nrecv \xff\n"], 100).await;
        assert_eq!(fed, Err(Lost::Garbage(r"`recv \xff`".into())));
    }

    #[tokio::test]
    async fn the_end_of_the_stream_is_an_end() {
        assert_eq!(feed(&[b"recv t", b""], 100).await, Err(Lost::End));
    }
}
