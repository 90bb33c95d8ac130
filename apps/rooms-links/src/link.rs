//! A link between two rooms, and the steps it takes.

use std::time::Duration;

use crate::{By, Phase, Why};

/// Two rooms, whoever called: the smaller index first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair(pub(crate) usize, pub(crate) usize);

impl Pair {
    pub(crate) fn new(a: usize, b: usize) -> Self {
        Self(a.min(b), a.max(b))
    }

    pub(crate) fn has(self, room: usize) -> bool {
        self.0 == room || self.1 == room
    }

    /// The other room of the two.
    pub(crate) fn other(self, room: usize) -> usize {
        if self.0 == room { self.1 } else { self.0 }
    }
}

/// What a link waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Both codecs getting ready.
    Preparing,
    /// A sign of the call.
    Dialing,
    /// Somebody in the far room, where it rings.
    Asking,
    /// The second codec, now that one is connected.
    Confirming,
    /// Some seconds before the next dial.
    Retrying,
    /// Nothing.
    Connected,
    /// A codec that is not under control.
    Recovering,
    /// The calls being gone. No longer wanted.
    Disconnecting,
}

/// What a link knows of one of its rooms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Side {
    /// The codec said that it is ready.
    pub(crate) prepared: bool,
    /// It was told to dial, and there is neither a call nor a refusal yet.
    pub(crate) dialing: bool,
    /// There was a call since.
    pub(crate) seen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    /// Who called, who was called.
    pub(crate) ends: [usize; 2],
    pub(crate) by: Option<By>,
    /// Somebody made the call at the codec itself.
    pub(crate) adopted: bool,
    pub(crate) step: Step,
    pub(crate) since: Duration,
    /// What each end is at, in the order of `ends`.
    pub(crate) sides: [Side; 2],
    /// Dials so far.
    pub(crate) dials: u8,
    /// Everybody was told that it is connected, and not yet that it no longer is.
    pub(crate) told_connected: bool,
    /// Somebody took the call that rings.
    pub(crate) answered: bool,
    /// What a codec said about the dial.
    pub(crate) failure: Option<Why>,
    /// Why it ends.
    pub(crate) why: Option<Why>,
}

impl Link {
    pub(crate) fn new(ends: [usize; 2], by: Option<By>, step: Step, since: Duration) -> Self {
        Self {
            ends,
            by,
            adopted: false,
            step,
            since,
            sides: [Side::default(); 2],
            dials: 0,
            told_connected: false,
            answered: false,
            failure: None,
            why: None,
        }
    }

    pub(crate) fn pair(&self) -> Pair {
        Pair::new(self.ends[0], self.ends[1])
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.step != Step::Disconnecting
    }

    /// Whether the two rooms see each other, as far as anybody knows.
    pub(crate) fn is_established(&self) -> bool {
        matches!(self.step, Step::Connected | Step::Recovering)
    }

    /// Whether somebody has to answer or to decline.
    pub(crate) fn is_asking(&self) -> bool {
        self.step == Step::Asking
    }

    /// Whether its calls may live: no longer wanted ones and those before the next dial may not.
    pub(crate) fn keeps_calls(&self) -> bool {
        !matches!(self.step, Step::Disconnecting | Step::Retrying)
    }

    pub(crate) fn side_of(&mut self, room: usize) -> &mut Side {
        &mut self.sides[usize::from(self.ends[1] == room)]
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.step {
            Step::Preparing => Phase::Preparing,
            Step::Dialing | Step::Asking | Step::Confirming | Step::Retrying => Phase::Dialing,
            Step::Connected => Phase::Connected,
            Step::Recovering => Phase::Recovering,
            Step::Disconnecting => Phase::Disconnecting,
        }
    }
}
