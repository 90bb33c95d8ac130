//! The six bytes of Lumens' document cameras, from both sides.
//!
//! Source: Lumens, RS-232 command lists of the DC and PS series.

/// A frame either way: `A0 command first second status AF`. From the controller the status is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// One of the constants in [`command`].
    pub command: u8,
    /// The first argument.
    pub first: u8,
    /// The second argument.
    pub second: u8,
    /// Bits of [`status`].
    pub status: u8,
}

/// What can be asked of the camera.
#[expect(missing_docs, reason = "the names say it")]
pub mod command {
    pub const POWER: u8 = 0xB0;
    /// In place of [`POWER`] on some models.
    pub const POWER_OTHER: u8 = 0xB1;
    /// Answered with: ready, on.
    pub const POWER_ASK: u8 = 0xB7;
    pub const LAMP: u8 = 0xC1;
    pub const LAMP_ASK: u8 = 0x50;
    pub const FREEZE: u8 = 0x2C;
    pub const FREEZE_ASK: u8 = 0x78;
    /// First argument 0: in, 1: out, until [`ZOOM_STOP`].
    pub const ZOOM: u8 = 0x11;
    pub const ZOOM_STOP: u8 = 0x10;
    /// Answered with the position: low byte, high byte.
    pub const ZOOM_ASK: u8 = 0x60;
    /// Answered with the farthest position: low byte, high byte.
    pub const ZOOM_MAX_ASK: u8 = 0x8A;
}

/// Bits of a reply's status.
pub mod status {
    /// The camera does not know the command.
    pub const NAK: u8 = 1;
    /// The camera is busy and has ignored the command.
    pub const IGNORED: u8 = 2;
}

impl Frame {
    /// A frame of the controller.
    #[must_use]
    pub fn new(command: u8, first: u8) -> Frame {
        Frame { command, first, second: 0, status: 0 }
    }

    /// Both arguments as one number.
    #[must_use]
    pub fn number(self) -> u16 {
        u16::from_le_bytes([self.first, self.second])
    }

    /// As sent.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        vec![0xA0, self.command, self.first, self.second, self.status, 0xAF]
    }
}

/// Cuts a stream into frames; what does not fit is skipped byte by byte.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes bytes in and gives the frames that they complete.
    pub fn push(&mut self, data: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in data {
            self.bytes.push(byte);
            while let [first, rest @ ..] = &self.bytes[..]
                && (*first != 0xA0 || rest.len() >= 5)
            {
                if let [0xA0, command, first, second, status, 0xAF] = self.bytes[..] {
                    frames.push(Frame { command, first, second, status });
                    self.bytes.clear();
                } else {
                    self.bytes.remove(0);
                }
            }
        }
        frames
    }

    /// Forgets an unfinished frame.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}
