//! Which timer rings when. One per link, whose meaning is the link's step, and two per room.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::link::Pair;

/// Whose timer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Alarm {
    /// Codecs had their time to become reachable.
    Start,
    /// The link's step takes too long.
    Link(Pair),
    /// The room's codec was told to hang up.
    Hangup(usize),
    /// The room's codec has a call that nobody can be at the other end of.
    HalfOpen(usize),
}

/// How long it takes to ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wait {
    Prepare,
    Dial,
    Ask,
    Confirm,
    HalfOpen,
    Retry,
    Grace,
    Hangup,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Alarms(BTreeMap<Alarm, Duration>);

impl Alarms {
    pub(crate) fn set(&mut self, alarm: Alarm, at: Duration) {
        self.0.insert(alarm, at);
    }

    pub(crate) fn is_set(&self, alarm: Alarm) -> bool {
        self.0.contains_key(&alarm)
    }

    pub(crate) fn cancel(&mut self, alarm: Alarm) {
        self.0.remove(&alarm);
    }

    /// When the first one rings.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.0.values().min().copied()
    }

    /// Takes the first one that rings by then.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Alarm> {
        let (alarm, at) =
            self.0.iter().min_by_key(|(_, at)| **at).map(|(alarm, at)| (*alarm, *at))?;
        (at <= now).then(|| {
            self.cancel(alarm);
            alarm
        })
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = Alarm> + '_ {
        self.0.keys().copied()
    }
}
