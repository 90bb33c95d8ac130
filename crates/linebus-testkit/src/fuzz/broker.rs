//! Fuzzing of the broker: a few clients and an administrator, held against the reference.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use linebus_broker::{Limits, Session, Stage};
use linebus_protocol::{Pattern, is_name};

use crate::ledger::Verdict;
use crate::rules::{Accounts, Rules};
use crate::simulation::pair::Pair;
use crate::simulation::pipe::Pipe;
use crate::simulation::record::Record;

/// Ends a piece.
const PIECE_END: u8 = 0x1d;
/// Longest line.
const LINE_BYTES_MAX: usize = 64;

/// Pieces, each ended by 0x1d. `A` to `D` and bytes: one read of what that client writes; a
/// lower-case letter closes after it. `#` and lines of `<user> <rule> …`: there are these accounts
/// from now on, and none where nothing follows. A rule is `s+` or `s-` and a pattern for `send`,
/// `r+` or `r-` for `recv`, or `see`. The login of a client is checked before its next piece.
///
/// Everybody hears what is due, however it was cut, and of those who have gone nothing is left.
pub fn broker(data: &[u8]) {
    if let Err(wrong) = play(data, Record::default()).1 {
        let (record, again) = play(data, Record::with_transcript());
        panic!("{wrong}; again: {:?}\n{}", again.err(), record.transcript());
    }
}

fn play(data: &[u8], record: Record) -> (Record, Verdict) {
    let limits = Limits { line_bytes_max: LINE_BYTES_MAX, joins_max: 4, ..Limits::default() };
    let pair = Pair::new(&limits, record);
    let mut bus = Bus { pair, clients: [None; 4], past: Vec::new() };
    let played = bus.play(data);
    (bus.pair.record, played)
}

struct Bus {
    pair: Pair,
    clients: [Option<u64>; 4],
    /// Those who have gone.
    past: Vec<Weak<Session<Pipe>>>,
}

impl Bus {
    fn play(&mut self, data: &[u8]) -> Verdict {
        for piece in data.split(|byte| *byte == PIECE_END) {
            match piece.split_first() {
                Some((b'#', text)) => self.pair.set_accounts(accounts(text))?,
                Some((who, bytes)) => self.says(*who, bytes)?,
                None => {}
            }
        }
        (0..self.clients.len()).try_for_each(|seat| self.end(seat))?;
        if self.past.iter().any(|session| session.upgrade().is_some()) {
            return Err("somebody who has gone is still known to somebody".to_owned());
        }
        match (self.pair.broker().sessions(), self.pair.broker().queued()) {
            (0, 0) => Ok(()),
            left => Err(format!("sessions and bytes left: {left:?}")),
        }
    }

    fn says(&mut self, who: u8, mut bytes: &[u8]) -> Verdict {
        let seat = usize::from(who & 3);
        let id = self.seated(seat)?;
        while !bytes.is_empty() && self.carry_out_held(id)? {
            let (read, rest) = bytes.split_at(self.pair.space_bytes(id).min(bytes.len()));
            self.pair.receive(id, read)?;
            bytes = rest;
        }
        if who.is_ascii_lowercase() {
            self.pair.leave(id)?;
            self.end(seat)?;
        }
        Ok(())
    }

    /// The client on a seat; a new one where nobody is or goodbye was said.
    fn seated(&mut self, seat: usize) -> Result<u64, String> {
        if let Some(id) = self.clients[seat] {
            if self.pair.session(id).stage() == Stage::Open {
                return Ok(id);
            }
            self.end(seat)?;
        }
        let letter = char::from(b"DABC"[seat]);
        let (id, _) = self.pair.connect(&letter.to_string(), usize::MAX)?;
        self.clients[seat] = Some(id);
        Ok(id)
    }

    /// Checks the login that a client waits for, and has the broker carry out what came after it;
    /// false where the client has been told goodbye.
    fn carry_out_held(&mut self, id: u64) -> Result<bool, String> {
        while self.pair.session(id).stage() == Stage::Open {
            if self.pair.is_logging_in(id) {
                self.pair.finish_login(id)?;
            } else if self.pair.holds_lines(id) {
                self.pair.receive(id, &[])?;
            } else {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn end(&mut self, seat: usize) -> Verdict {
        let Some(id) = self.clients[seat].take() else { return Ok(()) };
        self.past.push(Arc::downgrade(&self.pair.session(id)));
        self.pair.disconnect(id)
    }
}

/// Accounts as they stand in a piece; what is no rule is passed over.
fn accounts(text: &[u8]) -> Accounts {
    let text = str::from_utf8(text).ok().filter(|text| !text.is_empty())?;
    let mut accounts = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let Some(user) = words.next().filter(|user| is_name(user)) else { continue };
        let rules: &mut Rules = accounts.entry(user.to_owned()).or_default();
        for word in words {
            rules.see |= word == "see";
            let Some((list, pattern)) = word.split_at_checked(2) else { continue };
            let list = match list {
                "s+" => &mut rules.send[0],
                "s-" => &mut rules.send[1],
                "r+" => &mut rules.recv[0],
                "r-" => &mut rules.recv[1],
                _ => continue,
            };
            list.extend(Pattern::parse(pattern).ok().map(|pattern| pattern.to_string()));
        }
    }
    Some(accounts)
}
