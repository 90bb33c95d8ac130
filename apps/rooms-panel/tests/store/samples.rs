//! Records to begin with, of which a test changes what it is about.

use jiff::Timestamp;
use rooms_messages::RoomName;
use rooms_panel::records::{Alert, Audit, Call, Help};

/// So many milliseconds after some moment.
pub(crate) fn at(time: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_123 + time).unwrap()
}

pub(crate) fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

/// A call that is being made.
pub(crate) fn call(id: i64, near: &str, far: &str, since: i64) -> Call {
    Call {
        id,
        near: room(near),
        far: room(far),
        by: String::new(),
        since: at(since),
        connected: None,
        ended: None,
        reason: String::new(),
        side: None,
    }
}

/// A wish without an answer.
pub(crate) fn audit(id: i64, time: i64, what: &str) -> Audit {
    Audit {
        id,
        at: at(time),
        who: "ana".to_owned(),
        room: None,
        what: what.to_owned(),
        answer: String::new(),
        reason: String::new(),
        answered: None,
    }
}

/// An alert that is not over.
pub(crate) fn alert(id: i64, name: &str, since: i64) -> Alert {
    Alert {
        id,
        room: room(name),
        device: "projector".to_owned(),
        code: "lamp".to_owned(),
        level: "warning".to_owned(),
        text: "the lamp is old".to_owned(),
        since: at(since),
        until: None,
        muted_by: String::new(),
    }
}

/// A call for a person, whom nobody has heard yet.
pub(crate) fn help(id: i64, name: &str, since: i64) -> Help {
    Help {
        id,
        room: room(name),
        by: "panel".to_owned(),
        text: "no picture".to_owned(),
        since: at(since),
        acknowledged_by: String::new(),
        acknowledged: None,
        closed: None,
    }
}
