//! Telnet with the option of serial lines, as both of its ends need it: bytes to what they mean and
//! back. Source: RFC 854, RFC 2217.

use rooms_files::Parity;
pub(crate) const IAC: u8 = 255;
pub(crate) const DONT: u8 = 254;
pub(crate) const DO: u8 = 253;
pub(crate) const WONT: u8 = 252;
pub(crate) const WILL: u8 = 251;
pub(crate) const SB: u8 = 250;
pub(crate) const SE: u8 = 240;
/// RFC 856.
pub(crate) const BINARY: u8 = 0;
/// RFC 857.
pub(crate) const ECHO: u8 = 1;
/// RFC 858.
pub(crate) const SUPPRESS_GO_AHEAD: u8 = 3;
/// RFC 2217, like what follows.
pub(crate) const COM_PORT: u8 = 44;
pub(crate) const SET_BAUDRATE: u8 = 1;
pub(crate) const SET_DATASIZE: u8 = 2;
pub(crate) const SET_PARITY: u8 = 3;
pub(crate) const SET_STOPSIZE: u8 = 4;
/// An answer's code is the command's plus this.
pub(crate) const ANSWER: u8 = 100;
pub(crate) const PARITIES: [(u8, Parity); 3] =
    [(1, Parity::None), (2, Parity::Odd), (3, Parity::Even)];
/// More than any command of the RFC that is looked at; the rest is passed over.
const SUBNEGOTIATION_BYTES_MAX: usize = 64;

/// What a byte, with those before it, has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// A byte of the line.
    Data(u8),
    /// DO, DONT, WILL or WONT, and the option.
    Option(u8, u8),
    /// An option's number, and what is said of it.
    Subnegotiation(&'a [u8]),
}

/// Takes bytes apart, in whatever pieces they come.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    state: State,
    subnegotiation: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Data,
    Iac,
    Option(u8),
    Subnegotiation,
    SubnegotiationIac,
}

impl Parser {
    pub(crate) fn next(&mut self, byte: u8) -> Option<Item<'_>> {
        let state = std::mem::take(&mut self.state);
        match (state, byte) {
            (State::Data, IAC) => self.state = State::Iac,
            (State::Data, _) | (State::Iac, IAC) => return Some(Item::Data(byte)),
            (State::Iac, WILL | WONT | DO | DONT) => self.state = State::Option(byte),
            (State::Iac, SB) => {
                self.subnegotiation.clear();
                self.state = State::Subnegotiation;
            }
            (State::Iac, _) => {}
            (State::Option(verb), _) => return Some(Item::Option(verb, byte)),
            (State::Subnegotiation, IAC) => self.state = State::SubnegotiationIac,
            (State::SubnegotiationIac, SE) => {
                return Some(Item::Subnegotiation(&self.subnegotiation));
            }
            (State::Subnegotiation | State::SubnegotiationIac, _) => {
                if self.subnegotiation.len() < SUBNEGOTIATION_BYTES_MAX {
                    self.subnegotiation.push(byte);
                }
                self.state = State::Subnegotiation;
            }
        }
        None
    }
}

/// Bytes of the line as they are sent: those of 255 twice.
pub(crate) fn doubled(bytes: &[u8]) -> Vec<u8> {
    let double = |byte: &u8| std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 });
    bytes.iter().flat_map(double).collect()
}

/// A command of the option of serial lines, or its answer.
pub(crate) fn com_port(code: u8, value: &[u8]) -> Vec<u8> {
    [&[IAC, SB, COM_PORT, code][..], &doubled(value), &[IAC, SE]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_without_an_end_takes_no_memory() {
        let mut parser = Parser::default();
        let endless = [IAC, SB].into_iter().chain(std::iter::repeat_n(7, 100_000));
        endless.for_each(|byte| assert_eq!(parser.next(byte), None));
        assert_eq!(parser.next(IAC), None);
        let said = [7; SUBNEGOTIATION_BYTES_MAX];
        assert_eq!(parser.next(SE), Some(Item::Subnegotiation(&said)));
        assert_eq!(parser.next(b'a'), Some(Item::Data(b'a')));
    }
}
