//! What a panel says for a while beside what is so: why a wish came to nothing, that a call was
//! lost, that somebody called. No IO, no clock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rooms_messages::{Fact, Phase, Reason, RoomName};

/// Something is said for so long,
const SHOWN_FOR: SignedDuration = SignedDuration::from_secs(30);
/// and that a room was called while it could not answer for so long.
const MISSED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What is said in each room.
#[derive(Debug, Default)]
pub struct Notices {
    notices: BTreeMap<RoomName, Notice>,
    /// Rooms that were connected and are being disconnected.
    ending: BTreeSet<(RoomName, RoomName)>,
}

/// One thing to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub said: Said,
    /// Until when.
    pub until: Timestamp,
}

/// What there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The interface has not answered a wish.
    NoAnswer,
    /// A wish was refused or failed. The text is the interface's, if it had one.
    Refused {
        /// Why.
        reason: Reason,
        /// In words.
        text: String,
        /// The room that was called, if it was a call.
        called: Option<RoomName>,
    },
    /// A connection ended otherwise than somebody here wished.
    Ended {
        /// The other room.
        other: RoomName,
        /// Why.
        reason: Reason,
        /// Whether it had been connected.
        was_connected: bool,
    },
    /// Another room called, and came to nothing.
    Missed {
        /// Who.
        other: RoomName,
        /// When.
        at: Timestamp,
    },
}

impl Notices {
    /// What to say in a room now.
    #[must_use]
    pub fn of(&self, room: &RoomName, now: Timestamp) -> Option<&Notice> {
        self.notices.get(room).filter(|notice| now < notice.until)
    }

    /// Says something in a room.
    pub fn say(&mut self, room: &RoomName, said: Said, now: Timestamp) {
        let shown_for = if matches!(said, Said::Missed { .. }) { MISSED_FOR } else { SHOWN_FOR };
        let until = now.checked_add(shown_for).unwrap_or(now);
        self.notices.insert(room.clone(), Notice { said, until });
    }

    /// Somebody there has seen it, or pressed something new.
    pub fn dismiss(&mut self, room: &RoomName) {
        self.notices.remove(room);
    }

    /// Takes in a fact. `was` is how far the link was before it.
    pub fn hear(&mut self, fact: &Fact, was: Option<Phase>, now: Timestamp) {
        let Fact::Link { near, far, phase, reason, .. } = fact else { return };
        let link = (near.clone(), far.clone());
        // A call that is lost is also hung up on the other side, before it is over.
        let was_ending = self.ending.remove(&link) && was == Some(Phase::Disconnecting);
        let was_connected = was_ending || matches!(was, Some(Phase::Connected | Phase::Recovering));
        if *phase == Phase::Disconnecting && was_connected {
            self.ending.insert(link);
        }
        if *phase != Phase::Idle {
            // What was said before is about a call that is over.
            self.dismiss(near);
            return self.dismiss(far);
        }
        let reason = reason.unwrap_or(Reason::Normal);
        let ended = |other: &RoomName| Said::Ended { other: other.clone(), reason, was_connected };
        match reason {
            Reason::Normal => {}
            Reason::Cancelled | Reason::NoAnswer | Reason::Busy if !was_connected => {
                self.say(far, Said::Missed { other: near.clone(), at: now }, now);
                if reason != Reason::Cancelled {
                    self.say(near, ended(far), now);
                }
            }
            _ if was_connected => {
                self.say(near, ended(far), now);
                self.say(far, ended(near), now);
            }
            _ => self.say(near, ended(far), now),
        }
    }

    /// Forgets what is said no longer; the rooms where something was.
    pub fn expire(&mut self, now: Timestamp) -> Vec<RoomName> {
        let over = self.notices.extract_if(.., |_, notice| notice.until <= now);
        over.map(|(room, _)| room).collect()
    }

    /// When the next is said no longer.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.notices.values().map(|notice| notice.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rooms_messages::Report;

    fn room(name: &str) -> RoomName {
        RoomName::new(name).expect("a name")
    }

    fn after(was: Phase, line: &str) -> Notices {
        let mut notices = Notices::default();
        let fact = Report::parse(line).expect(line).fact;
        notices.hear(&fact, Some(was), Timestamp::UNIX_EPOCH);
        notices
    }

    fn said<'a>(notices: &'a Notices, name: &str) -> Option<&'a Said> {
        notices.of(&room(name), Timestamp::UNIX_EPOCH).map(|notice| &notice.said)
    }

    #[test]
    fn a_lost_call_is_told_in_both_rooms() {
        let notices = after(Phase::Connected, "link a b idle reason=dropped side=b");
        let Some(Said::Ended { other, was_connected: true, .. }) = said(&notices, "a") else {
            panic!("{notices:?}")
        };
        assert_eq!(other, &room("b"));
        assert!(matches!(said(&notices, "b"), Some(Said::Ended { .. })));
    }

    #[test]
    fn a_lost_call_that_is_hung_up_before_it_is_over_is_told_in_both_rooms() {
        let mut notices = after(Phase::Connected, "link a b disconnecting reason=dropped");
        let mut hear = |was, line| {
            let fact = Report::parse(line).expect(line).fact;
            notices.hear(&fact, Some(was), Timestamp::UNIX_EPOCH);
            (said(&notices, "a").cloned(), said(&notices, "b").cloned())
        };
        let told = hear(Phase::Disconnecting, "link a b idle reason=dropped side=b");
        let (Some(a), Some(b)) = told else { panic!("{told:?}") };
        assert!(matches!(a, Said::Ended { was_connected: true, .. }), "{a:?}");
        assert!(matches!(b, Said::Ended { was_connected: true, .. }), "{b:?}");
        // The next call, which nobody answers, is another one.
        hear(Phase::Dialing, "link a b disconnecting reason=no-answer");
        let told = hear(Phase::Disconnecting, "link a b idle reason=no-answer");
        let (Some(a), Some(b)) = told else { panic!("{told:?}") };
        assert!(matches!(a, Said::Ended { was_connected: false, .. }), "{a:?}");
        assert!(matches!(b, Said::Missed { .. }), "{b:?}");
    }

    #[test]
    fn a_call_that_somebody_ended_needs_no_word() {
        let notices = after(Phase::Disconnecting, "link a b idle reason=normal");
        assert_eq!((said(&notices, "a"), said(&notices, "b")), (None, None));
    }

    #[test]
    fn who_was_called_in_vain_sees_it_for_ten_minutes() {
        let notices = after(Phase::Dialing, "link a b idle reason=no-answer");
        assert!(matches!(said(&notices, "a"), Some(Said::Ended { was_connected: false, .. })));
        assert!(matches!(said(&notices, "b"), Some(Said::Missed { .. })));
        let later = Timestamp::from_second(599).expect("a time");
        assert!(notices.of(&room("b"), later).is_some());
        assert!(notices.of(&room("a"), later).is_none());
        let notices = after(Phase::Dialing, "link a b idle reason=cancelled");
        assert_eq!(said(&notices, "a"), None, "they know");
        assert!(said(&notices, "b").is_some());
    }

    #[test]
    fn a_new_call_takes_away_what_was_said_of_the_last() {
        let mut notices = after(Phase::Connected, "link a b idle reason=dropped");
        let fact = Report::parse("link a b preparing").expect("a line").fact;
        notices.hear(&fact, None, Timestamp::UNIX_EPOCH);
        assert_eq!((said(&notices, "a"), said(&notices, "b")), (None, None));
    }

    #[test]
    fn what_is_said_no_longer_is_forgotten() {
        let mut notices = after(Phase::Connected, "link a b idle reason=dropped");
        let due = notices.due().expect("something is said");
        assert_eq!(notices.expire(Timestamp::UNIX_EPOCH), []);
        assert_eq!(notices.expire(due), [room("a"), room("b")]);
        assert_eq!(notices.due(), None);
    }
}
