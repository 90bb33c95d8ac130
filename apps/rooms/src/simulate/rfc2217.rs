//! A serial bridge's side of telnet with RFC 2217: it takes the line's settings from the
//! controller. No socket.
//!
//! Source: RFC 854, RFC 2217; greeting as Debian's ser2net 4.3 sends it.

use rooms_files::{LineSettings, Parity};

use crate::telnet::{
    ANSWER, BINARY, COM_PORT, DO, DONT, ECHO, IAC, Item, PARITIES, Parser, SET_BAUDRATE,
    SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SUPPRESS_GO_AHEAD, WILL, WONT, com_port,
};

const NOTIFY_MODEMSTATE: u8 = 107;

/// Sent to every controller at first: suppress go-ahead both ways, echo is ours, binary both ways,
/// and whether it knows of serial lines.
pub(super) const GREETING: [u8; 21] = [
    IAC,
    WILL,
    SUPPRESS_GO_AHEAD,
    IAC,
    DO,
    SUPPRESS_GO_AHEAD,
    IAC,
    WILL,
    ECHO,
    IAC,
    DONT,
    ECHO,
    IAC,
    DO,
    BINARY,
    IAC,
    WILL,
    BINARY,
    IAC,
    DO,
    COM_PORT,
];

/// What a bridge is set to before anybody has said anything.
pub(super) const AT_FIRST: LineSettings =
    LineSettings { baud: 9600, data_bits: 8, parity: Parity::None, stop_bits: 1 };

/// One line of the bridge.
#[derive(Debug)]
pub(super) struct Bridge {
    line: LineSettings,
    parser: Parser,
}

impl Default for Bridge {
    fn default() -> Bridge {
        Bridge { line: AT_FIRST, parser: Parser::default() }
    }
}

impl Bridge {
    /// A new controller, whose telnet begins anew; the line stays as it is set.
    pub(super) fn opened(&mut self) {
        self.parser = Parser::default();
    }

    /// How the line is set.
    pub(super) fn line(&self) -> LineSettings {
        self.line
    }

    /// Takes in what came from the controller: what is for the device, and what the bridge says.
    pub(super) fn bytes(&mut self, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut device, mut controller) = (Vec::new(), Vec::new());
        for &byte in data {
            match self.parser.next(byte) {
                Some(Item::Data(byte)) => device.push(byte),
                Some(Item::Option(verb, option)) => option_answer(verb, option, &mut controller),
                Some(Item::Subnegotiation(order)) => {
                    controller.extend(carry_out(order, &mut self.line));
                }
                None => {}
            }
        }
        (device, controller)
    }
}

/// A value of 0 asks; one that can't be is not taken; the answer is what is so then.
fn carry_out(order: &[u8], line: &mut LineSettings) -> Vec<u8> {
    let value = match *order {
        [COM_PORT, SET_BAUDRATE, a, b, c, d] => {
            let baud = u32::from_be_bytes([a, b, c, d]);
            if (50..=4_000_000).contains(&baud) {
                line.baud = baud;
            }
            line.baud.to_be_bytes().to_vec()
        }
        [COM_PORT, SET_DATASIZE, bits] => {
            if (5..=8).contains(&bits) {
                line.data_bits = bits;
            }
            vec![line.data_bits]
        }
        [COM_PORT, SET_PARITY, parity] => {
            let wanted = PARITIES.iter().find(|(code, _)| *code == parity);
            line.parity = wanted.map_or(line.parity, |(_, parity)| *parity);
            let is = PARITIES.iter().find(|(_, parity)| *parity == line.parity);
            vec![is.map_or(1, |(code, _)| *code)]
        }
        [COM_PORT, SET_STOPSIZE, bits] => {
            if (1..=2).contains(&bits) {
                line.stop_bits = bits;
            }
            vec![line.stop_bits]
        }
        // Flow, lines, masks, purge: taken as they are.
        [COM_PORT, 5..=12, ref value @ ..] => value.to_vec(),
        _ => return Vec::new(),
    };
    com_port(order[1] + ANSWER, &value)
}

fn option_answer(verb: u8, option: u8, controller: &mut Vec<u8>) {
    match (verb, option) {
        (WILL, COM_PORT) => controller.extend(com_port(NOTIFY_MODEMSTATE, &[0])),
        // What was offered in the greeting, or refused: no more to say.
        (DO | DONT, 0 | 1 | 3) | (WILL | WONT, 0 | 3 | COM_PORT) | (WONT | DONT, _) => {}
        (WILL, option) => controller.extend([IAC, DONT, option]),
        (_, COM_PORT) => controller.extend([IAC, WILL, COM_PORT]),
        (_, option) => controller.extend([IAC, WONT, option]),
    }
}
