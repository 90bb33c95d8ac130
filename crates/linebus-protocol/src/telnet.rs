//! Telnet's negotiation, taken out of the stream and refused.
//!
//! RFC 854: IAC (255) begins a command; WILL and DO with an option ask for something, and the
//! answers DONT and WONT refuse it; SB … IAC SE is a subnegotiation. 255 never occurs in UTF-8,
//! so nothing of a line can be mistaken for it.

use memchr::memchr;

const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const IAC: u8 = 255;

/// Most bytes of refusals that one read may cause; further requests go unanswered, so that a
/// flood of negotiation can't be turned into a flood of answers.
const REFUSAL_BYTES_MAX: usize = 96;

/// Where in a telnet command the stream stands; one per connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Telnet {
    /// Ordinary bytes.
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC and this verb, before the option.
    Option(u8),
    /// Inside a subnegotiation.
    Sub,
    /// Inside a subnegotiation, after IAC.
    SubCommand,
}

impl Telnet {
    /// Takes telnet commands out of `bytes`, in place, and returns how many bytes stay. Refusals
    /// for the peer are appended to `answers`.
    #[must_use]
    pub fn strip(&mut self, bytes: &mut [u8], answers: &mut Vec<u8>) -> usize {
        let start = match self {
            Self::Text => match memchr(IAC, bytes) {
                Some(at) => at,
                None => return bytes.len(),
            },
            _ => 0,
        };
        let answers_max = answers.len() + REFUSAL_BYTES_MAX;
        let mut to = start;
        for from in start..bytes.len() {
            let byte = bytes[from];
            *self = match (*self, byte) {
                (Self::Text, IAC) => Self::Command,
                (Self::Text, _) => {
                    bytes[to] = byte;
                    to += 1;
                    Self::Text
                }
                // An escaped 255 is data; it is not UTF-8, so the line will be refused.
                (Self::Command, IAC) => {
                    bytes[to] = byte;
                    to += 1;
                    Self::Text
                }
                (Self::Command, WILL | WONT | DO | DONT) => Self::Option(byte),
                (Self::Command, SB) => Self::Sub,
                (Self::Command, _) => Self::Text,
                (Self::Option(verb), option) => {
                    if answers.len() < answers_max {
                        refuse(verb, option, answers);
                    }
                    Self::Text
                }
                (Self::Sub, IAC) => Self::SubCommand,
                (Self::SubCommand, SE) => Self::Text,
                (Self::Sub | Self::SubCommand, _) => Self::Sub,
            };
        }
        to
    }
}

fn refuse(verb: u8, option: u8, answers: &mut Vec<u8>) {
    match verb {
        WILL => answers.extend([IAC, DONT, option]),
        DO => answers.extend([IAC, WONT, option]),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let (mut telnet, mut text, mut answers) = (Telnet::default(), Vec::new(), Vec::new());
        for piece in pieces {
            let mut piece = piece.to_vec();
            let len = telnet.strip(&mut piece, &mut answers);
            text.extend_from_slice(&piece[..len]);
        }
        (text, answers)
    }

    #[test]
    fn negotiation_is_refused_and_leaves_the_text_whole() {
        // What Linux telnet sends to a port other than 23 on `toggle options`, and a window size.
        let stream = b"pi\xff\xfd\x03\xff\xfb\x18ng\xff\xfa\x1f\0\x50\xff\xff\0\xff\xf0\xff\xf1\n\xff\xfe\x01";
        let expected = (b"ping\n".to_vec(), b"\xff\xfc\x03\xff\xfe\x18".to_vec());
        assert_eq!(strip(&[stream]), expected);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(strip(&bytes), expected);
    }

    #[test]
    fn a_flood_of_requests_is_answered_only_so_far() {
        let (text, answers) = strip(&[&b"\xff\xfd\x01".repeat(10_000)]);
        assert_eq!((text.len(), answers.len()), (0, REFUSAL_BYTES_MAX));
    }
}
