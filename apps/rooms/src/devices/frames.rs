//! The last frames of a device, for whoever looks into what was said.

use std::collections::VecDeque;
use std::fmt::{self, Write};

use rooms_messages::Timestamp;

/// So many frames are kept,
const FRAMES_MAX: usize = 200;
/// of each at most so many bytes.
const FRAME_BYTES_MAX: usize = 512;

/// The last frames, oldest first.
#[derive(Debug, Default)]
pub(super) struct Frames(VecDeque<Frame>);

/// Some bytes that went to the device or came from it.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    at: Timestamp,
    way: Way,
    bytes: Vec<u8>,
    left_out: usize,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the device.
    Out,
    /// To the device, and not to be shown.
    OutSecret,
    /// From the device.
    In,
}

impl Frames {
    pub(super) fn push(&mut self, way: Way, bytes: &[u8]) -> &Frame {
        let kept = if way == Way::OutSecret { 0 } else { bytes.len().min(FRAME_BYTES_MAX) };
        if self.0.len() == FRAMES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Frame {
            at: Timestamp::now(),
            way,
            bytes: bytes[..kept].to_vec(),
            left_out: bytes.len() - kept,
        });
        self.0.back().expect("one was just put in")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.0.iter()
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.way == Way::In { '<' } else { '>' };
        write!(f, "{} {arrow} ", self.at)?;
        match self.way {
            Way::OutSecret => return write!(f, "({} bytes with a password)", self.left_out),
            _ if is_text(&self.bytes) => write!(f, "{}", self.bytes.escape_ascii())?,
            _ => {
                let mut hex = String::with_capacity(self.bytes.len() * 3);
                for byte in &self.bytes {
                    write!(hex, "{byte:02x} ")?;
                }
                f.write_str(hex.trim_end())?;
            }
        }
        if self.left_out > 0 { write!(f, " ... and {} bytes", self.left_out) } else { Ok(()) }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(way: Way, bytes: &[u8]) -> String {
        let text = Frames::default().push(way, bytes).to_string();
        text.split_once(' ').expect("the time comes first").1.to_owned()
    }

    #[test]
    fn text_is_shown_as_text_and_anything_else_as_bytes() {
        assert_eq!(shown(Way::Out, b"%1POWR ?\r"), "> %1POWR ?\\r");
        assert_eq!(shown(Way::In, &[0x90, 0x41, 0xff]), "< 90 41 ff");
    }

    #[test]
    fn a_password_is_not_shown_nor_kept() {
        let mut frames = Frames::default();
        let frame = frames.push(Way::OutSecret, b"secret\r\n");
        assert!(frame.bytes.is_empty());
        assert!(frame.to_string().ends_with("> (8 bytes with a password)"));
    }

    #[test]
    fn the_last_200_are_kept_and_of_a_long_one_its_beginning() {
        let mut frames = Frames::default();
        for number in 0..201 {
            frames.push(Way::In, number.to_string().as_bytes());
        }
        assert_eq!(frames.iter().count(), 200);
        assert!(frames.iter().next().expect("there are").to_string().ends_with("< 1"));
        assert!(shown(Way::In, &[b'x'; 600]).ends_with("xxx ... and 88 bytes"));
    }
}
