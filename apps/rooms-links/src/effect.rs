//! What goes out: commands for codecs, and facts for everybody.

use std::sync::Arc;
use std::time::Duration;

use crate::{By, CallId, Incoming, Phase, Reason, Room, WishId};

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Wake the room and make it ready for a call; answered by `Prepared` or `Failed`.
    Prepare {
        /// Which room.
        room: Room,
    },
    /// The room's codec dials; its calls tell the rest.
    Dial {
        /// Which room dials.
        room: Room,
        /// What it dials.
        to: Arc<str>,
    },
    /// The room's codec is about to be called.
    Expect {
        /// Which room is called.
        room: Room,
        /// By whom.
        from: Room,
        /// What it is to do with the call.
        incoming: Incoming,
    },
    /// The room's codec takes a call that rings.
    Answer {
        /// Which room.
        room: Room,
        /// Which call.
        call: CallId,
    },
    /// The room's codec ends this call and no other.
    Hangup {
        /// Which room.
        room: Room,
        /// Which call.
        call: CallId,
    },
    /// Everybody may know.
    Fact(Fact),
}

/// What everybody may know. Facts are complete: saying one again does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A wish will be seen to; `Done` or `Failed` follows, if it has an id.
    Accepted {
        /// Which wish.
        id: Option<WishId>,
        /// It was under way before.
        already: bool,
    },
    /// A wish will not be seen to.
    Refused {
        /// Which wish.
        id: Option<WishId>,
        /// Why.
        why: Why,
    },
    /// What was wished is so.
    Done {
        /// Which wish.
        id: WishId,
    },
    /// What was wished could not be had.
    Failed {
        /// Which wish.
        id: WishId,
        /// Why.
        why: Why,
    },
    /// A link is in a new phase.
    Link(LinkState),
    /// Two rooms see each other.
    Connected {
        /// Who called.
        from: Room,
        /// Who was called.
        to: Room,
    },
    /// Two rooms no longer see each other.
    Disconnected {
        /// Who had called.
        from: Room,
        /// Who had been called.
        to: Room,
        /// Why; nothing if somebody wished it.
        why: Option<Why>,
        /// At which side it ended.
        side: Option<Room>,
    },
    /// What a room is for the others now.
    Room {
        /// Which room.
        room: Room,
        /// What it is.
        status: Status,
    },
}

/// A reason, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Why {
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub text: String,
}

/// A link between two rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Who called.
    pub from: Room,
    /// Who was called.
    pub to: Room,
    /// How far it is.
    pub phase: Phase,
    /// Since when it is in this phase.
    pub since: Duration,
    /// Who wished it.
    pub by: Option<By>,
    /// The room that was called has to answer or to decline.
    pub asking: bool,
    /// Why it ends or ended; nothing if somebody wished the end of what was connected.
    pub why: Option<Why>,
}

/// What a room is for the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Status {
    /// It can be called.
    Free,
    /// It is in a call or about to be.
    Busy {
        /// The other room, if it is one of ours.
        with: Option<Room>,
        /// The other end as the codec writes it, if it is none of ours.
        other: Option<Arc<str>>,
    },
    /// It is under maintenance.
    Maintenance,
    /// Its codec is not under control.
    Offline {
        /// It sleeps and can be woken.
        asleep: bool,
    },
}

/// Everything that holds now, for somebody who was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Not all calls have been read yet.
    pub starting: bool,
    /// All rooms.
    pub rooms: Vec<(Room, Status)>,
    /// All links that are not idle.
    pub links: Vec<LinkState>,
}
