//! What comes in: wishes of people, and what codecs report.

use std::sync::Arc;

use crate::{By, CallId, Reason, Room, WishId};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wishes something.
    Wish(Request),
    /// A codec is under control, and these are all its calls. Not to be said before they were read.
    Online {
        /// Whose codec.
        room: Room,
        /// All of them.
        calls: Vec<Call>,
    },
    /// A codec is no longer under control, or could not be reached; its calls are perhaps alive.
    Offline {
        /// Whose codec.
        room: Room,
        /// It sleeps and can be woken: no reason to refuse a connection.
        asleep: bool,
    },
    /// All calls of a codec, said whenever one of them changed.
    Calls {
        /// Whose codec.
        room: Room,
        /// All of them.
        calls: Vec<Call>,
    },
    /// A codec is awake and ready, as [`Prepare`](crate::Effect::Prepare) asked.
    Prepared {
        /// Whose codec.
        room: Room,
    },
    /// A codec could not prepare, or its dial came to nothing. Said before the list that no longer
    /// has the call, or else the reason comes too late.
    Failed {
        /// Whose codec.
        room: Room,
        /// The codec's cause, in this crate's words.
        reason: Reason,
    },
    /// Maintenance of a room begins or ends. A link that there is goes on.
    Maintenance {
        /// Which room.
        room: Room,
        /// It begins.
        on: bool,
    },
    /// Nothing but time: [`next_timer`](crate::Links::next_timer) has come.
    Tick,
}

/// A wish with who said it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// What is wished.
    pub wish: Wish,
    /// Under which name the answers shall come. Said twice within a minute, it gets the first answer.
    pub id: Option<WishId>,
    /// Who; the same wish of the same one twice within a second is one wish, unless the first came to
    /// nothing.
    pub by: Option<By>,
}

/// What people can wish of links.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wish {
    /// The first room calls the second.
    Connect(Room, Room),
    /// The link between two rooms ends; with one room, whatever link it has.
    Disconnect(Room, Option<Room>),
    /// The first room takes the call of the second.
    Answer(Room, Room),
    /// The first room does not take the call of the second.
    Decline(Room, Room),
}

/// A call as one codec reports it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// The codec's number for it.
    pub id: CallId,
    /// The other end as the codec writes it: number, address, or nothing yet.
    pub far: Arc<str>,
    /// Who called.
    pub direction: Direction,
    /// How far it is.
    pub state: CallState,
    /// The codec's session knows that its own [`Dial`](crate::Effect::Dial) made this call. Not
    /// looked at in [`Online`](Event::Online): nobody saw how those calls came about.
    pub dialed: bool,
}

/// Who called whom, seen from one codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The other end called.
    Incoming,
    /// This codec called.
    Outgoing,
}

/// How far a call is, seen from one codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Dialling, ringing or being negotiated.
    Ringing,
    /// Both can see each other.
    Connected,
    /// Being hung up, and still in the list.
    Ending,
}
