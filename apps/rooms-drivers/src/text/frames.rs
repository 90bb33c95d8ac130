//! Bytes to frames, as a description says where they end.

use super::description::Read;
use super::template::characters;

/// Cuts a stream into frames. A frame that does not end is given up with its end.
#[derive(Debug)]
pub(super) struct Frames {
    read: Read,
    bytes: Vec<u8>,
    too_long: bool,
}

impl Frames {
    pub(super) fn new(read: Read) -> Frames {
        Frames { read, bytes: Vec::new(), too_long: false }
    }

    /// Takes a byte in and gives the frame that it completes, with its end and without the empty
    /// space around it.
    pub(super) fn push(&mut self, byte: u8) -> Option<String> {
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        match &self.read {
            Read::Length(length) => {
                self.bytes.push(byte);
                let is_whole = self.bytes.len() == *length;
                is_whole.then(|| characters(&std::mem::take(&mut self.bytes)))
            }
            Read::Until { ends, bytes_max } => {
                if byte == 0 || (self.bytes.is_empty() && is_blank(&byte)) {
                    return None;
                }
                self.bytes.push(byte);
                if ends.iter().any(|end| self.bytes.ends_with(end)) {
                    let was_too_long = std::mem::take(&mut self.too_long);
                    let bytes = std::mem::take(&mut self.bytes);
                    let is_empty = bytes.iter().all(is_blank);
                    return (!was_too_long && !is_empty).then(|| characters(&bytes));
                }
                if self.bytes.len() > *bytes_max {
                    self.too_long = true;
                    // As much as an end can reach back stays.
                    let longest = ends.iter().map(Vec::len).max().unwrap_or(1);
                    self.bytes.drain(..self.bytes.len() - longest);
                }
                None
            }
        }
    }

    /// A frame has begun and not ended.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Forgets an unfinished frame.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.too_long = false;
    }
}
