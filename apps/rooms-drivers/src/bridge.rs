//! Serial bridges that speak before the device does.
//!
//! ser2net answers a second client with `Port already in use`, and one whose line it can't open
//! with `Device open failure: ...`, then closes. Neither is an answer of the device, whatever its
//! protocol, so they are taken out before any driver sees them. They come first or not at all:
//! once something else has come, a bridge's words can only be a device's.

use crate::command::Command;
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::io::{Fault, Io, Reason, Refusal};

const IN_USE: &[u8] = b"Port already in use";
const OPEN_FAILURE: &[u8] = b"Device open failure";
/// How much of the bridge's sentence is kept.
const TEXT_BYTES_MAX: usize = 200;

/// A driver that is not shown what a bridge says.
#[derive(Debug)]
pub(crate) struct BehindBridge<D> {
    driver: D,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The bridge may be speaking; these bytes could be its words and are held back.
    Beginning(Vec<u8>),
    /// The device speaks.
    Device,
    /// The bridge has said no; nothing else counts.
    Refused,
}

impl<D: Driver> BehindBridge<D> {
    pub(crate) fn new(driver: D) -> BehindBridge<D> {
        BehindBridge { driver, phase: Phase::Device }
    }
}

impl<D: Driver> Driver for BehindBridge<D> {
    fn info(&self) -> &DriverInfo {
        self.driver.info()
    }

    fn opened(&mut self, io: &mut Io) {
        self.phase = Phase::Beginning(Vec::new());
        self.driver.opened(io);
    }

    fn closed(&mut self, io: &mut Io) {
        self.phase = Phase::Device;
        self.driver.closed(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        match &mut self.phase {
            Phase::Device => self.driver.bytes(data, io),
            Phase::Refused => {}
            Phase::Beginning(held) => {
                held.extend_from_slice(data);
                match judge(held) {
                    Judgement::MoreNeeded => {}
                    Judgement::Device => {
                        let held = std::mem::take(held);
                        self.phase = Phase::Device;
                        self.driver.bytes(&held, io);
                    }
                    Judgement::Bridge(fault) => {
                        self.phase = Phase::Refused;
                        io.fault(fault);
                    }
                }
            }
        }
    }

    /// What a driver does not announce it is not asked for.
    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        if self.info().command(command.name()).is_none() {
            return Err(Reason::Unsupported.into());
        }
        self.driver.command(command, ticket, io)
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        self.driver.timer(timer, io);
    }
}

enum Judgement {
    MoreNeeded,
    Device,
    Bridge(Fault),
}

fn judge(held: &[u8]) -> Judgement {
    let begin = held.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(held.len());
    let said = &held[begin..];
    let is = |words: &[u8]| said.starts_with(words) || words.starts_with(said);
    if said.is_empty() && held.len() < TEXT_BYTES_MAX || (said.len() < IN_USE.len() && is(IN_USE)) {
        return Judgement::MoreNeeded;
    }
    if said.starts_with(IN_USE) {
        return Judgement::Bridge(Fault::SomeoneElse);
    }
    if !is(OPEN_FAILURE) || said.is_empty() {
        return Judgement::Device;
    }
    let end = said.iter().position(|byte| b"\r\n".contains(byte));
    if end.is_none() && said.len() < TEXT_BYTES_MAX {
        return Judgement::MoreNeeded;
    }
    let sentence = &said[..end.unwrap_or(said.len()).min(TEXT_BYTES_MAX)];
    Judgement::Bridge(Fault::Bridge(String::from_utf8_lossy(sentence).into_owned()))
}
