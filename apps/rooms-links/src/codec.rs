//! What is known of one room's codec, and which of its calls are ours to hang up.
//!
//! A call is *ours* only if the codec's session says that its dial made it, if it is the other end
//! of such a call, if somebody disconnected or declined it, or if nobody can be at its other end. No
//! other call is ever hung up. The mark belongs to the number of the call, who is in it and who
//! called, so that a number which a rebooted codec uses again does not inherit it.

use std::sync::Arc;

use crate::{Call, CallId, CallState, Direction};

/// Whether a codec is under control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Control {
    /// Nothing was heard of it yet.
    Unknown,
    Online,
    Offline {
        asleep: bool,
    },
}

/// Who is at the other end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Far {
    /// One of our rooms.
    Room(usize),
    /// A number that is none of ours, or not known yet.
    Other(Arc<str>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Leg {
    pub(crate) id: CallId,
    pub(crate) far: Far,
    pub(crate) direction: Direction,
    pub(crate) state: CallState,
    pub(crate) ours: bool,
    /// The codec was told to hang up.
    pub(crate) told: bool,
}

impl Leg {
    pub(crate) fn is_connected(&self) -> bool {
        self.state == CallState::Connected
    }

    pub(crate) fn is_with(&self, room: usize) -> bool {
        self.far == Far::Room(room)
    }
}

/// One room's codec.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Codec {
    pub(crate) control: Control,
    /// As last reported; kept while offline, to know our calls again.
    pub(crate) legs: Vec<Leg>,
}

impl Codec {
    pub(crate) fn new() -> Self {
        Self { control: Control::Unknown, legs: Vec::new() }
    }

    pub(crate) fn is_online(&self) -> bool {
        self.control == Control::Online
    }

    /// Takes a complete list of calls. Marks stay with the calls that are still there; the first list
    /// after a time without control sets none, because nobody saw how those calls came about.
    pub(crate) fn report(&mut self, calls: Vec<Call>, who: impl Fn(&str) -> Option<usize>) {
        let watched = self.is_online();
        self.control = Control::Online;
        let before = std::mem::take(&mut self.legs);
        self.legs = calls
            .into_iter()
            .map(|call| {
                let far = who(&call.far).map_or(Far::Other(call.far), Far::Room);
                let known = before.iter().find(|leg| {
                    leg.id == call.id && leg.far == far && leg.direction == call.direction
                });
                Leg {
                    id: call.id,
                    ours: watched && call.dialed || known.is_some_and(|leg| leg.ours),
                    told: known.is_some_and(|leg| leg.told),
                    far,
                    direction: call.direction,
                    state: call.state,
                }
            })
            .collect();
    }

    pub(crate) fn offline(&mut self, asleep: bool) {
        self.control = Control::Offline { asleep };
        self.forget_told();
    }

    /// Whoever was told to hang up and did not is told again.
    pub(crate) fn forget_told(&mut self) {
        for leg in &mut self.legs {
            leg.told = false;
        }
    }

    /// The call with a room, the connected one if there are several. One that is ending is none.
    pub(crate) fn leg_with(&self, room: usize) -> Option<&Leg> {
        let alive =
            || self.legs.iter().filter(|leg| leg.is_with(room) && leg.state != CallState::Ending);
        alive().find(|leg| leg.is_connected()).or_else(|| alive().next())
    }

    /// A call that stands in the way of one with this room. One that only rings does not.
    pub(crate) fn obstacle(&self, room: usize) -> Option<&Leg> {
        let rings =
            |leg: &Leg| leg.direction == Direction::Incoming && leg.state == CallState::Ringing;
        self.legs.iter().find(|leg| !leg.is_with(room) && !rings(leg))
    }

    /// Whether a call with a room is still to be hung up. Of an offline codec nobody knows, so it
    /// is not waited for.
    pub(crate) fn must_hang_up(&self, room: usize) -> bool {
        self.is_online() && self.legs.iter().any(|leg| leg.is_with(room) && leg.ours)
    }

    /// All calls with a room are ours from now on.
    pub(crate) fn take(&mut self, room: usize) {
        for leg in self.legs.iter_mut().filter(|leg| leg.is_with(room)) {
            leg.ours = true;
        }
    }

    /// Whether none of the calls can be one with this room.
    pub(crate) fn surely_without(&self, room: usize) -> bool {
        self.is_online()
            && self.legs.iter().all(|leg| matches!(leg.far, Far::Room(far) if far != room))
    }
}
