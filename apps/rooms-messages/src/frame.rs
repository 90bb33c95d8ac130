//! What went over the line of a device that is being traced.

use std::str::FromStr;

use jiff::Timestamp;

use crate::arguments::Arguments;
use crate::choice::choice;
use crate::error::Malformed;
use crate::line::{LINE_BYTES_MAX, Writer};
use crate::name::{DeviceName, RoomName};
use crate::number::{Number, Time};
use crate::text::Text;
use crate::verb::FRAME_VERBS;

choice! {
    /// Which way a frame went.
    pub FrameWay {
        /// To the device.
        Sent = "sent",
        /// From the device.
        Received = "received",
    }
}

/// One line of the topic of frames: some bytes that went to a device or came from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The device's room.
    pub room: RoomName,
    /// The device.
    pub device: DeviceName,
    /// Which way it went.
    pub way: FrameWay,
    /// The bytes as people read them.
    pub text: Text,
    /// So many frames before it are not said: the bus was too slow, or away.
    pub left_out: u32,
    /// When it went.
    pub at: Timestamp,
}

impl Frame {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// [`Malformed`] says what would be right.
    pub fn parse(line: &str) -> Result<Self, Malformed> {
        let mut a = Arguments::parse(FRAME_VERBS, line)?;
        let frame = Self {
            room: a.word()?,
            device: a.word()?,
            way: a.word()?,
            text: a.needed("text")?,
            left_out: a.key::<Number<_>>("left-out")?.map_or(0, |number| number.0),
            at: a.needed::<Time>("at")?.0,
        };
        a.finish()?;
        Ok(frame)
    }

    /// The line, without its end. A text that is too long for it ends in `…`.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut text = self.text.as_str().to_owned();
        let mut surplus = self.write(&text).bytes().saturating_sub(LINE_BYTES_MAX);
        if surplus > 0 {
            surplus += "…".len();
            while surplus > 0
                && let Some(last) = text.pop()
            {
                let bytes = if matches!(last, '"' | '\\' | '\n') { 2 } else { last.len_utf8() };
                surplus = surplus.saturating_sub(bytes);
            }
            text.push('…');
        }
        self.write(&text).finish().expect("without its text it fits")
    }

    fn write(&self, text: &str) -> Writer {
        let mut w = Writer::new("frame");
        w.word(&self.room).word(&self.device).word(self.way).pair("text", text);
        w.optional("left-out", (self.left_out > 0).then_some(self.left_out).as_ref());
        w.pair("at", self.at);
        w
    }
}

impl FromStr for Frame {
    type Err = Malformed;

    fn from_str(line: &str) -> Result<Self, Malformed> {
        Self::parse(line)
    }
}
