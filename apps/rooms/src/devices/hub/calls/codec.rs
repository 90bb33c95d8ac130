//! What is known of one room's codec: whether it is there, and its calls.

use rooms_drivers as drivers;
use rooms_drivers::EndReason;
use rooms_links::{CallId, CallState, Direction};
use rooms_messages::DeviceName;

/// More calls than a codec can have.
const CALLS_MAX: usize = 32;

#[derive(Debug)]
pub(super) struct Codec {
    pub(super) name: DeviceName,
    pub(super) is_online: bool,
    pub(super) asleep: bool,
    /// None until it has said them since it is online.
    pub(super) calls: Option<Vec<Known>>,
    pub(super) next_id: u32,
    /// A dial is under way that has made no call yet.
    pub(super) dials: bool,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: CallId,
    pub(super) call: drivers::Call,
    pub(super) dialed: bool,
}

impl Codec {
    pub(super) fn new(name: DeviceName) -> Codec {
        Codec { name, is_online: false, asleep: false, calls: None, next_id: 0, dials: false }
    }

    pub(super) fn list(&self) -> Vec<rooms_links::Call> {
        let calls = self.calls.iter().flatten();
        calls.map(Known::for_links).collect()
    }

    /// A call is as the codec says.
    pub(super) fn is_now(&mut self, call: drivers::Call) {
        let calls = self.calls.get_or_insert_default();
        if let Some(known) = calls.iter_mut().find(|known| known.call.id == call.id) {
            known.call = call;
        } else if calls.len() < CALLS_MAX {
            let outgoing = call.direction == drivers::Direction::Outgoing;
            let dialed = outgoing && std::mem::take(&mut self.dials);
            self.next_id += 1;
            calls.push(Known { id: CallId(self.next_id), call, dialed });
        }
    }

    /// A call is over. Says why if a dial has come to nothing.
    pub(super) fn ended(&mut self, id: &str, reason: EndReason) -> Option<rooms_links::Reason> {
        let calls = self.calls.as_mut()?;
        let at = calls.iter().position(|known| known.call.id == id)?;
        let known = calls.remove(at);
        if !known.dialed || known.call.state == drivers::CallState::Connected {
            return None;
        }
        match reason {
            EndReason::Busy => Some(rooms_links::Reason::Busy),
            EndReason::NoAnswer => Some(rooms_links::Reason::NoAnswer),
            EndReason::Rejected => Some(rooms_links::Reason::Rejected),
            EndReason::Unreachable | EndReason::Network => Some(rooms_links::Reason::Unreachable),
            EndReason::Normal | EndReason::Unknown => None,
        }
    }
}

impl Known {
    pub(super) fn for_links(&self) -> rooms_links::Call {
        rooms_links::Call {
            id: self.id,
            far: self.call.far.as_str().into(),
            direction: match self.call.direction {
                drivers::Direction::Incoming => Direction::Incoming,
                drivers::Direction::Outgoing => Direction::Outgoing,
            },
            state: match self.call.state {
                drivers::CallState::Dialing | drivers::CallState::Ringing => CallState::Ringing,
                drivers::CallState::Connected => CallState::Connected,
                drivers::CallState::Ending => CallState::Ending,
            },
            dialed: self.dialed,
        }
    }
}
