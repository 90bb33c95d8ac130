//! What must never happen, and what a world that has come to rest must look like.

use crate::link::{Pair, Step};
use crate::{Fact, Phase, Status};

use super::{Codec, Line, World, index};

impl World {
    /// Nobody else's call is hung up: only what we dialled, what somebody wished to end, and what has
    /// no other end any more.
    pub(super) fn may_hang_up(&self, room: usize, id: u32) -> Result<(), String> {
        let Some(leg) = self.codecs[room].legs.iter().find(|leg| leg.id == id) else {
            return Ok(());
        };
        let outside = leg.far == self.codecs.len();
        if outside || !leg.ours && self.peer(room, leg).is_some() {
            return Err(format!("somebody else's call is hung up in {room}: {leg:?}"));
        }
        Ok(())
    }

    pub(super) fn take_fact(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Done { id } | Fact::Failed { id, .. } => {
                let id = id.as_str().as_bytes();
                let slot = (id[0] == b'c', usize::from(id[1] - b'0'), usize::from(id[2] - b'0'));
                let open = self.open.iter().position(|open| *open == slot);
                let open = open.ok_or_else(|| format!("an outcome too many: {fact:?}"))?;
                self.open.remove(open);
            }
            Fact::Connected { from, to } => {
                let pair = Pair::new(index(from), index(to));
                let shows = |room: usize, far| {
                    self.codecs[room].reported.iter().any(|leg| leg.far == far && leg.connected)
                };
                if !shows(pair.0, pair.1) || !shows(pair.1, pair.0) {
                    return Err(format!("connected, but not both codecs say so: {pair:?}"));
                }
                if self.connected.contains(&pair) {
                    return Err(format!("connected twice: {pair:?}"));
                }
                self.connected.push(pair);
                self.connected.sort_unstable();
            }
            Fact::Disconnected { from, to, .. } => {
                let pair = Pair::new(index(from), index(to));
                let known = self.connected.iter().position(|connected| *connected == pair);
                let known = known.ok_or_else(|| format!("never connected: {pair:?}"))?;
                self.connected.remove(known);
            }
            Fact::Link(state) if state.phase == Phase::Idle => {
                let pair = Pair::new(index(&state.from), index(&state.to));
                if self.connected.contains(&pair) {
                    return Err(format!("idle without being disconnected: {pair:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What is wrong in a world in which nothing more happens by itself: wanted is observed, no call
    /// is half open, no wish waits.
    pub(crate) fn complaint(&self) -> Option<String> {
        if self.links.starting {
            return Some("still starting".to_owned());
        }
        if !self.open.is_empty() {
            return Some(format!("wishes wait: {:?}", self.open));
        }
        let busy = |codec: &Codec| {
            !codec.inbox.is_empty() || codec.line == Line::Up && (codec.news || codec.untold)
        };
        if self.codecs.iter().any(busy) {
            return Some("something is still under way".to_owned());
        }
        if let Some(link) = self.links.links.values().find(|link| link.step != Step::Connected) {
            return Some(format!("a link waits: {link:?}"));
        }
        (0..self.codecs.len()).find_map(|room| self.complaint_about(room))
    }

    fn complaint_about(&self, room: usize) -> Option<String> {
        let codec = &self.codecs[room];
        let link = self.links.link_of(room);
        if codec.line != Line::Up {
            return link.map(|_| format!("{room} is linked and not under control"));
        }
        let Some(leg) = codec.legs.first() else {
            let status = self.links.status(room);
            return (status != Some(Status::Free))
                .then(|| format!("{room} is free, not {status:?}"));
        };
        let Some(far) = self.codecs.get(leg.far) else {
            return link.map(|_| format!("{room} is linked, and talks to somebody outside"));
        };
        let peer = self.peer(room, leg);
        match (peer, far.line) {
            (Some(peer), Line::Up) => {
                let linked = link.is_some_and(|link| link.pair() == Pair::new(room, leg.far));
                let good = linked && leg.connected && peer.connected;
                (!good).then(|| format!("{room} is in a call that is no link: {leg:?}"))
            }
            (None, Line::Up) => {
                // Somebody outside at the other room could be this one under another number.
                let outside = far.legs.iter().any(|leg| leg.far == self.codecs.len());
                (!outside).then(|| format!("half open in {room}: {leg:?}"))
            }
            // Nobody knows what the other codec has.
            _ => None,
        }
    }
}
