//! VISCA's frames, from both sides, bare and with the header that they have over IP.
//!
//! Source: Sony's command lists (EVI-D70, BRC-300, BRC-X400, ILME-FR7).

/// Cuts a stream into frames: from a byte of 0x80 and more to 0xFF. What is between frames is
/// noise, and so is a frame that does not end.
#[derive(Debug, Default)]
pub struct Frames {
    frame: Vec<u8>,
}

/// The longest frame, its end counted.
const FRAME_BYTES_MAX: usize = 16;

impl Frames {
    /// Takes bytes in and gives the frames that they complete, with their ends.
    pub fn push(&mut self, data: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for &byte in data {
            let begins = self.frame.is_empty();
            if begins && (byte < 0x80 || byte == 0xFF) {
                continue;
            }
            if self.frame.len() == FRAME_BYTES_MAX {
                self.frame.clear();
                continue;
            }
            self.frame.push(byte);
            if byte == 0xFF {
                frames.push(std::mem::take(&mut self.frame));
            }
        }
        frames
    }

    /// Forgets an unfinished frame.
    pub fn clear(&mut self) {
        self.frame.clear();
    }
}

/// What a controller sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are VISCA's")]
pub enum Request {
    /// To all: number yourselves, beginning with 1.
    AddressSet,
    /// Forget all commands under way.
    Clear,
    Power(bool),
    PowerInquiry,
    /// Speed 0 to 7.
    ZoomTele(u8),
    ZoomWide(u8),
    ZoomStop,
    /// 0 to 0x4000.
    ZoomDirect(u16),
    ZoomInquiry,
    /// Speeds with direction: negative is left and down, 0 is stop.
    Drive {
        pan: i8,
        tilt: i8,
    },
    Home,
    PositionInquiry,
    PresetClear(u8),
    PresetSet(u8),
    PresetRecall(u8),
    /// Give up the command in this socket.
    Cancel(u8),
}

impl Request {
    /// It asks, and gets an answer in place of ACK and completion.
    #[must_use]
    pub fn is_inquiry(&self) -> bool {
        matches!(self, Request::PowerInquiry | Request::ZoomInquiry | Request::PositionInquiry)
    }

    /// The frame to the camera with this address, 1 to 7.
    #[must_use]
    pub fn encode(&self, address: u8) -> Vec<u8> {
        let body: Vec<u8> = match *self {
            Request::AddressSet => return vec![0x88, 0x30, 0x01, 0xFF],
            Request::Clear => return vec![0x88, 0x01, 0x00, 0x01, 0xFF],
            Request::Power(on) => vec![0x01, 0x04, 0x00, if on { 2 } else { 3 }],
            Request::PowerInquiry => vec![0x09, 0x04, 0x00],
            Request::ZoomTele(speed) => vec![0x01, 0x04, 0x07, 0x20 | speed.min(7)],
            Request::ZoomWide(speed) => vec![0x01, 0x04, 0x07, 0x30 | speed.min(7)],
            Request::ZoomStop => vec![0x01, 0x04, 0x07, 0x00],
            Request::ZoomDirect(zoom) => [&[0x01, 0x04, 0x47], &nibbles(zoom)[..]].concat(),
            Request::ZoomInquiry => vec![0x09, 0x04, 0x47],
            Request::Drive { pan, tilt } => {
                let speed = |speed: i8| speed.unsigned_abs().max(1);
                let way = |speed: i8, less, more| match speed.signum() {
                    -1 => less,
                    1 => more,
                    _ => 3,
                };
                let (left_right, up_down) = (way(pan, 1, 2), way(tilt, 2, 1));
                vec![0x01, 0x06, 0x01, speed(pan), speed(tilt), left_right, up_down]
            }
            Request::Home => vec![0x01, 0x06, 0x04],
            Request::PositionInquiry => vec![0x09, 0x06, 0x12],
            Request::PresetClear(number) => vec![0x01, 0x04, 0x3F, 0x00, number & 0x7F],
            Request::PresetSet(number) => vec![0x01, 0x04, 0x3F, 0x01, number & 0x7F],
            Request::PresetRecall(number) => vec![0x01, 0x04, 0x3F, 0x02, number & 0x7F],
            Request::Cancel(socket) => vec![0x20 | socket & 0x0F],
        };
        [&[0x80 | address & 0x07], &body[..], &[0xFF]].concat()
    }

    /// The request in this frame, and the address that it is for (8 is all).
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<(u8, Request)> {
        let [head @ 0x81..=0x88, body @ .., 0xFF] = frame else { return None };
        let request = match *body {
            [0x30, _] => Request::AddressSet,
            [0x01, 0x00, 0x01] => Request::Clear,
            [0x01, 0x04, 0x00, 2] => Request::Power(true),
            [0x01, 0x04, 0x00, 3] => Request::Power(false),
            [0x09, 0x04, 0x00] => Request::PowerInquiry,
            [0x01, 0x04, 0x07, 0x00] => Request::ZoomStop,
            [0x01, 0x04, 0x07, 2] => Request::ZoomTele(3),
            [0x01, 0x04, 0x07, 3] => Request::ZoomWide(3),
            [0x01, 0x04, 0x07, speed @ 0x20..=0x27] => Request::ZoomTele(speed & 7),
            [0x01, 0x04, 0x07, speed @ 0x30..=0x37] => Request::ZoomWide(speed & 7),
            [0x01, 0x04, 0x47, p, q, r, s] => Request::ZoomDirect(number([p, q, r, s])),
            [0x09, 0x04, 0x47] => Request::ZoomInquiry,
            [0x01, 0x06, 0x01, pan @ 1..=0x18, tilt @ 1..=0x18, x @ 1..=3, y @ 1..=3] => {
                let toward = |speed: u8, way, less, more| {
                    let speed = i8::try_from(speed).expect("at most 0x18");
                    if way == less {
                        -speed
                    } else if way == more {
                        speed
                    } else {
                        0
                    }
                };
                Request::Drive { pan: toward(pan, x, 1, 2), tilt: toward(tilt, y, 2, 1) }
            }
            [0x01, 0x06, 0x04] => Request::Home,
            [0x09, 0x06, 0x12] => Request::PositionInquiry,
            [0x01, 0x04, 0x3F, 0, number] => Request::PresetClear(number),
            [0x01, 0x04, 0x3F, 1, number] => Request::PresetSet(number),
            [0x01, 0x04, 0x3F, 2, number] => Request::PresetRecall(number),
            [cancel @ 0x20..=0x2F] => Request::Cancel(cancel & 0x0F),
            _ => return None,
        };
        Some((head & 0x0F, request))
    }
}

/// What a camera sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Accepted, and under way in this socket.
    Ack(u8),
    /// What was under way in this socket is done.
    Completion(u8),
    /// What was asked for.
    Answer(Vec<u8>),
    /// This is no command.
    SyntaxError,
    /// Both sockets are taken: try again in a moment.
    BufferFull,
    /// The command in this socket was given up, as wanted.
    Cancelled(u8),
    /// There is nothing in this socket.
    NoSocket(u8),
    /// Not in standby, or not in this mode.
    NotExecutable(u8),
    /// The answer to a broadcast of addresses: the last camera's, plus 1.
    Addresses(u8),
    /// The answer to a broadcast of [`Request::Clear`].
    Cleared,
    /// A camera has joined the chain: set addresses anew.
    NetworkChange,
}

impl Reply {
    /// The frame of the camera with this address.
    #[must_use]
    pub fn encode(&self, address: u8) -> Vec<u8> {
        let body: Vec<u8> = match self {
            Reply::Ack(socket) => vec![0x40 | socket],
            Reply::Completion(socket) => vec![0x50 | socket],
            Reply::Answer(answer) => [&[0x50], &answer[..]].concat(),
            Reply::SyntaxError => vec![0x60, 0x02],
            Reply::BufferFull => vec![0x60, 0x03],
            Reply::Cancelled(socket) => vec![0x60 | socket, 0x04],
            Reply::NoSocket(socket) => vec![0x60 | socket, 0x05],
            Reply::NotExecutable(socket) => vec![0x60 | socket, 0x41],
            Reply::Addresses(next) => return vec![0x88, 0x30, *next, 0xFF],
            Reply::Cleared => return vec![0x88, 0x01, 0x00, 0x01, 0xFF],
            Reply::NetworkChange => vec![0x38],
        };
        [&[0x80 | (address & 0x07) << 4], &body[..], &[0xFF]].concat()
    }

    /// The reply in this frame, and whose it is; broadcasts come back as 8's.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<(u8, Reply)> {
        let [head, body @ .., 0xFF] = frame else { return None };
        let reply = match (*head, body) {
            (0x88, [0x30, next]) => return Some((8, Reply::Addresses(*next))),
            (0x88, [0x01, 0x00, 0x01]) => return Some((8, Reply::Cleared)),
            (_, [ack @ 0x40..=0x4F]) => Reply::Ack(ack & 0x0F),
            (_, [done @ 0x50..=0x5F]) => Reply::Completion(done & 0x0F),
            (_, [0x50, answer @ ..]) => Reply::Answer(answer.to_vec()),
            (_, [0x60..=0x6F, 0x02]) => Reply::SyntaxError,
            (_, [0x60..=0x6F, 0x03]) => Reply::BufferFull,
            (_, [socket @ 0x60..=0x6F, 0x04]) => Reply::Cancelled(socket & 0x0F),
            (_, [socket @ 0x60..=0x6F, 0x05]) => Reply::NoSocket(socket & 0x0F),
            (_, [socket @ 0x60..=0x6F, 0x41]) => Reply::NotExecutable(socket & 0x0F),
            (_, [0x38]) => Reply::NetworkChange,
            _ => return None,
        };
        (head & 0x8F == 0x80).then_some(((head >> 4) & 0x07, reply))
    }
}

/// Four bytes with four bits each, as VISCA writes 16 bits.
#[must_use]
pub fn nibbles(number: u16) -> [u8; 4] {
    [12, 8, 4, 0].map(|shift| u8::try_from((number >> shift) & 0x0F).expect("four bits"))
}

/// 16 bits from four bytes with four bits each.
#[must_use]
pub fn number(nibbles: [u8; 4]) -> u16 {
    nibbles.iter().fold(0, |number, nibble| number << 4 | u16::from(nibble & 0x0F))
}

/// What a packet over IP holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Sony's")]
pub enum PacketKind {
    Command,
    Inquiry,
    Reply,
    DeviceSetting,
    Control,
    ControlReply,
}

const KINDS: [(PacketKind, [u8; 2]); 6] = [
    (PacketKind::Command, [0x01, 0x00]),
    (PacketKind::Inquiry, [0x01, 0x10]),
    (PacketKind::Reply, [0x01, 0x11]),
    (PacketKind::DeviceSetting, [0x01, 0x20]),
    (PacketKind::Control, [0x02, 0x00]),
    (PacketKind::ControlReply, [0x02, 0x01]),
];

/// Payload of a control packet that sets the sequence number to 0.
pub const RESET: [u8; 1] = [0x01];
/// Payload of a control packet: the sequence number was not the expected one.
pub const SEQUENCE_ABNORMAL: [u8; 2] = [0x0F, 0x01];
/// Payload of a control packet: the message was not understood.
pub const MESSAGE_ABNORMAL: [u8; 2] = [0x0F, 0x02];

/// A frame with the header that it has over IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What is in it.
    pub kind: PacketKind,
    /// Whose reply it is.
    pub sequence: u32,
    /// A frame, or a control word.
    pub payload: Vec<u8>,
}

impl Packet {
    /// As sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or([0; 2], |(_, b)| *b);
        let length = u16::try_from(self.payload.len()).unwrap_or(u16::MAX);
        [&kind[..], &length.to_be_bytes(), &self.sequence.to_be_bytes(), &self.payload].concat()
    }
}

/// Cuts what came over IP into packets. What does not look like a header is skipped.
#[derive(Debug, Default)]
pub struct Packets {
    bytes: Vec<u8>,
}

impl Packets {
    /// Takes bytes in and gives the packets that they complete.
    pub fn push(&mut self, data: &[u8]) -> Vec<Packet> {
        let mut packets = Vec::new();
        for &byte in data {
            self.bytes.push(byte);
            while !could_be_header(&self.bytes) {
                self.bytes.remove(0);
            }
            if let [a, b, _, length, s0, s1, s2, s3, payload @ ..] = &self.bytes[..]
                && payload.len() == usize::from(*length)
            {
                let kind =
                    KINDS.iter().find(|(_, bytes)| *bytes == [*a, *b]).map(|(kind, _)| *kind);
                let sequence = u32::from_be_bytes([*s0, *s1, *s2, *s3]);
                let payload = payload.to_vec();
                packets.extend(kind.map(|kind| Packet { kind, sequence, payload }));
                self.bytes.clear();
            }
        }
        packets
    }

    /// Forgets an unfinished packet.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// Whether these bytes can begin a packet; none do.
fn could_be_header(bytes: &[u8]) -> bool {
    let kind = KINDS.iter().any(|(_, kind)| kind.starts_with(&bytes[..bytes.len().min(2)]));
    let short = bytes.get(2).is_none_or(|high| *high == 0)
        && bytes.get(3).is_none_or(|low| (1..=FRAME_BYTES_MAX).contains(&usize::from(*low)));
    kind && short
}
