//! A serial bridge's side of telnet with RFC 2217: it takes the line's settings from the
//! controller. No socket.
//!
//! Source: RFC 854, RFC 2217; greeting as Debian's ser2net 4.3 sends it.

use crate::room_file::{LineSettings, Parity};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
const COM_PORT: u8 = 44;
/// An answer's code is the order's plus this.
const ANSWER: u8 = 100;
const SET_BAUDRATE: u8 = 1;
const SET_DATASIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOPSIZE: u8 = 4;
const NOTIFY_MODEMSTATE: u8 = 107;
/// A longer order is none.
const ORDER_BYTES_MAX: usize = 64;

/// Sent to every controller at first: suppress go-ahead both ways, echo is ours, binary both ways,
/// and whether it knows of serial lines.
pub(super) const GREETING: [u8; 21] = [
    IAC, WILL, 3, IAC, DO, 3, IAC, WILL, 1, IAC, DONT, 1, IAC, DO, 0, IAC, WILL, 0, IAC, DO,
    COM_PORT,
];

/// What a bridge is set to before anybody has said anything.
pub(super) const AT_FIRST: LineSettings =
    LineSettings { baud: 9600, data_bits: 8, parity: Parity::None, stop_bits: 1 };

/// One line of the bridge.
#[derive(Debug)]
pub(super) struct Bridge {
    line: LineSettings,
    state: State,
    order: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Data,
    Command,
    Option(u8),
    Order,
    OrderCommand,
}

impl Default for Bridge {
    fn default() -> Bridge {
        Bridge { line: AT_FIRST, state: State::Data, order: Vec::new() }
    }
}

impl Bridge {
    /// A new controller, whose telnet begins anew; the line stays as it is set.
    pub(super) fn opened(&mut self) {
        (self.state, self.order) = (State::Data, Vec::new());
    }

    /// How the line is set.
    pub(super) fn line(&self) -> LineSettings {
        self.line
    }

    /// Takes in what came from the controller: what is for the device, and what the bridge says.
    pub(super) fn bytes(&mut self, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut device, mut controller) = (Vec::new(), Vec::new());
        for &byte in data {
            self.state = match (self.state, byte) {
                (State::Data, IAC) => State::Command,
                (State::Data, byte) => {
                    device.push(byte);
                    State::Data
                }
                (State::Command, IAC) => {
                    device.push(IAC);
                    State::Data
                }
                (State::Command, SB) => {
                    self.order.clear();
                    State::Order
                }
                (State::Command, verb @ WILL..=DONT) => State::Option(verb),
                (State::Command, _) => State::Data,
                (State::Option(verb), option) => {
                    option_answer(verb, option, &mut controller);
                    State::Data
                }
                (State::Order, IAC) => State::OrderCommand,
                (State::OrderCommand, SE) => {
                    self.carry_out(&mut controller);
                    State::Data
                }
                (State::Order | State::OrderCommand, byte) => {
                    if self.order.len() < ORDER_BYTES_MAX {
                        self.order.push(byte);
                    }
                    State::Order
                }
            };
        }
        (device, controller)
    }

    /// The device's bytes for the controller.
    pub(super) fn encode(data: &[u8]) -> Vec<u8> {
        let double = |byte: &u8| std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 });
        data.iter().flat_map(double).collect()
    }

    /// A value of 0 asks; one that can't be is not taken; the answer is what is so then.
    fn carry_out(&mut self, controller: &mut Vec<u8>) {
        let value = match self.order[..] {
            [COM_PORT, SET_BAUDRATE, a, b, c, d] => {
                let baud = u32::from_be_bytes([a, b, c, d]);
                if (50..=4_000_000).contains(&baud) {
                    self.line.baud = baud;
                }
                self.line.baud.to_be_bytes().to_vec()
            }
            [COM_PORT, SET_DATASIZE, bits] => {
                if (5..=8).contains(&bits) {
                    self.line.data_bits = bits;
                }
                vec![self.line.data_bits]
            }
            [COM_PORT, SET_PARITY, parity] => {
                let parities = [(1, Parity::None), (2, Parity::Odd), (3, Parity::Even)];
                let wanted = parities.iter().find(|(code, _)| *code == parity);
                self.line.parity = wanted.map_or(self.line.parity, |(_, parity)| *parity);
                let is = parities.iter().find(|(_, parity)| *parity == self.line.parity);
                vec![is.map_or(1, |(code, _)| *code)]
            }
            [COM_PORT, SET_STOPSIZE, bits] => {
                if (1..=2).contains(&bits) {
                    self.line.stop_bits = bits;
                }
                vec![self.line.stop_bits]
            }
            // Flow, lines, masks, purge: taken as they are.
            [COM_PORT, 5..=12, ref value @ ..] => value.to_vec(),
            _ => return,
        };
        order(self.order[1] + ANSWER, &value, controller);
    }
}

fn option_answer(verb: u8, option: u8, controller: &mut Vec<u8>) {
    match (verb, option) {
        (WILL, COM_PORT) => order(NOTIFY_MODEMSTATE, &[0], controller),
        // What was offered in the greeting, or refused: no more to say.
        (DO | DONT, 0 | 1 | 3) | (WILL | WONT, 0 | 3 | COM_PORT) | (WONT | DONT, _) => {}
        (WILL, option) => controller.extend([IAC, DONT, option]),
        (_, COM_PORT) => controller.extend([IAC, WILL, COM_PORT]),
        (_, option) => controller.extend([IAC, WONT, option]),
    }
}

fn order(code: u8, value: &[u8], controller: &mut Vec<u8>) {
    controller.extend([IAC, SB, COM_PORT, code]);
    controller.extend(Bridge::encode(value));
    controller.extend([IAC, SE]);
}
