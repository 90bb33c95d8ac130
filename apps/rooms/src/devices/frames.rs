//! The last frames of a device, for whoever looks into what was said: in the log and on the bus.

use std::collections::VecDeque;
use std::fmt;

use rooms_messages::{self as messages, DeviceName, FrameWay, RoomName, Text, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

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

/// Where frames go that are to be said on the bus.
pub(super) type FrameSender = mpsc::Sender<messages::Frame>;

/// Says the frames of a device while it is traced.
#[derive(Debug)]
pub(super) struct Tracer {
    room: RoomName,
    device: DeviceName,
    until: Option<Instant>,
    /// Frames that the bus had no time for since the last one that was said.
    left_out: u32,
    sender: FrameSender,
}

impl Tracer {
    pub(super) fn new(room: RoomName, device: DeviceName, sender: FrameSender) -> Tracer {
        Tracer { room, device, until: None, left_out: 0, sender }
    }

    /// Says the last frames, and from now on those to come.
    pub(super) fn begin(&mut self, frames: &Frames, until: Instant) {
        self.until = Some(until);
        frames.0.iter().for_each(|frame| self.say(frame));
    }

    /// Says this one if it is time.
    pub(super) fn note(&mut self, frame: &Frame, now: Instant) {
        if self.until.is_some_and(|until| now < until) {
            self.say(frame);
        }
    }

    fn say(&mut self, frame: &Frame) {
        tracing::info!("trace {} {}: {frame}", self.room, self.device);
        let said = messages::Frame {
            room: self.room.clone(),
            device: self.device.clone(),
            way: if frame.way == Way::In { FrameWay::Received } else { FrameWay::Sent },
            text: Text::new(&frame.text()).expect("control characters are written out"),
            left_out: self.left_out,
            at: frame.at,
        };
        match self.sender.try_send(said) {
            Ok(()) => self.left_out = 0,
            Err(_full) => self.left_out = self.left_out.saturating_add(1),
        }
    }
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
}

impl Frame {
    /// The bytes as people read them.
    fn text(&self) -> String {
        if self.way == Way::OutSecret {
            return format!("({} bytes with a password)", self.left_out);
        }
        let mut text = if is_text(&self.bytes) {
            self.bytes.escape_ascii().to_string()
        } else {
            let hex: Vec<_> = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            hex.join(" ")
        };
        if self.left_out > 0 {
            text.push_str(&format!(" ... and {} bytes", self.left_out));
        }
        text
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.way == Way::In { '<' } else { '>' };
        write!(f, "{} {arrow} {}", self.at, self.text())
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
        assert_eq!(frames.0.len(), 200);
        assert!(frames.0.front().expect("there are").to_string().ends_with("< 1"));
        assert!(shown(Way::In, &[b'x'; 600]).ends_with("xxx ... and 88 bytes"));
    }

    fn tracer(capacity: usize) -> (Tracer, mpsc::Receiver<messages::Frame>) {
        let (sender, receiver) = mpsc::channel(capacity);
        let room = "room-a".parse().expect("it is one");
        (Tracer::new(room, "codec".parse().expect("it is one"), sender), receiver)
    }

    /// The line that was said, without its time.
    fn line(receiver: &mut mpsc::Receiver<messages::Frame>) -> Option<String> {
        let line = receiver.try_recv().ok()?.to_line();
        Some(line.rsplit_once(" at=").expect("it ends with the time").0.to_owned())
    }

    #[tokio::test]
    async fn while_it_is_traced_the_last_frames_and_those_to_come_are_said() {
        let (mut tracer, mut said) = tracer(8);
        let (mut frames, now) = (Frames::default(), Instant::now());
        tracer.note(frames.push(Way::Out, b"status\r"), now);
        tracer.note(frames.push(Way::OutSecret, b"secret\r"), now);
        assert_eq!(line(&mut said), None);
        let until = now + std::time::Duration::from_secs(60);
        tracer.begin(&frames, until);
        tracer.note(frames.push(Way::In, &[0x90, 0xff]), now);
        tracer.note(frames.push(Way::In, b"too late"), until);
        for wanted in [
            r#"frame room-a codec sent text="status\\r""#,
            "frame room-a codec sent text=\"(7 bytes with a password)\"",
            "frame room-a codec received text=\"90 ff\"",
        ] {
            assert_eq!(line(&mut said).as_deref(), Some(wanted));
        }
        assert_eq!(line(&mut said), None);
    }

    #[tokio::test]
    async fn frames_that_the_bus_has_no_time_for_are_left_out_and_counted() {
        let (mut tracer, mut said) = tracer(2);
        let (mut frames, now) = (Frames::default(), Instant::now());
        tracer.begin(&frames, now + std::time::Duration::from_secs(60));
        for number in 0..5 {
            tracer.note(frames.push(Way::In, number.to_string().as_bytes()), now);
        }
        assert_eq!(line(&mut said).as_deref(), Some("frame room-a codec received text=0"));
        tracer.note(frames.push(Way::In, b"5"), now);
        tracer.note(frames.push(Way::In, b"6"), now);
        assert_eq!(line(&mut said).as_deref(), Some("frame room-a codec received text=1"));
        let wanted = "frame room-a codec received text=5 left-out=3";
        assert_eq!(line(&mut said).as_deref(), Some(wanted));
        tracer.note(frames.push(Way::In, b"7"), now);
        let wanted = "frame room-a codec received text=7 left-out=1";
        assert_eq!(line(&mut said).as_deref(), Some(wanted));
    }
}
