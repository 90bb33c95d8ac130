//! What people wish: accepted or refused at once, with a reason and a sentence.

use crate::alarms::{Alarm, Wait};
use crate::codec::{Control, Far};
use crate::ledger::{Answer, Goal};
use crate::link::{Link, Pair, Step};
use crate::{By, CallState, Direction, Effect, Links, Reason, Request, Room, Why, Wish};

type Refusable<T> = Result<T, Why>;

impl Links {
    pub(crate) fn wish(&mut self, request: Request) {
        if self.ledger.repeat(&request, self.now, &mut self.effects) {
            return;
        }
        // The answer comes before what follows from it.
        let rest = self.effects.len();
        let answer = self.decide(&request).unwrap_or_else(Answer::Refused);
        let follows = self.effects.split_off(rest);
        self.ledger.answer(request, answer, self.now, &mut self.effects);
        self.effects.extend(follows);
    }

    fn decide(&mut self, request: &Request) -> Refusable<Answer> {
        if self.ledger.is_full() {
            return refuse(Reason::Busy, "Too many wishes wait for an answer - try again later.");
        }
        match &request.wish {
            Wish::Connect(from, to) => {
                self.connect([self.known(from)?, self.known(to)?], &request.by)
            }
            Wish::Disconnect(room, None) => {
                let room = self.known(room)?;
                self.ready()?;
                self.disconnect_all(room)
            }
            Wish::Disconnect(a, Some(b)) => {
                let pair = Pair::new(self.known(a)?, self.known(b)?);
                self.ready()?;
                self.disconnect(pair)
            }
            Wish::Answer(room, from) => self.take_call(self.known(room)?, self.known(from)?),
            Wish::Decline(room, from) => self.decline(self.known(room)?, self.known(from)?),
        }
    }

    fn connect(&mut self, ends: [usize; 2], by: &Option<By>) -> Refusable<Answer> {
        let [near, far] = ends;
        let pair = Pair::new(near, far);
        if near == far {
            return refuse(Reason::NotPermitted, "A room can't be connected to itself.");
        }
        self.ready()?;
        if let Some(link) = self.links.get(&pair) {
            let city = self.city(far);
            return match link.step {
                Step::Disconnecting => refuse(
                    Reason::Busy,
                    format!("The call with {city} is just ending - try again."),
                ),
                Step::Connected => Ok(Answer::Accepted { already: true, goal: Goal::Reached }),
                _ => {
                    // Whoever wishes it now must not wait for ever for somebody else's call.
                    if !self.alarms.is_set(Alarm::Link(pair)) {
                        self.wait_for_link(pair, Wait::Dial);
                    }
                    Ok(Answer::Accepted { already: true, goal: Goal::Connected(pair) })
                }
            };
        }
        for room in ends {
            if self.rooms[room].maintenance {
                let text = format!("{} is under maintenance.", self.city(room));
                return refuse(Reason::Maintenance, text);
            }
        }
        self.free(near, true)?;
        self.free(far, false)?;
        let pairing = ends.map(|room| self.config.rooms[room].pairing);
        if pairing[0] != pairing[1] {
            let text = format!("{} and {} are wired differently.", self.city(near), self.city(far));
            return refuse(Reason::DeviceError, text);
        }
        let link = Link::new(ends, by.clone(), Step::Preparing, self.now);
        self.links.insert(pair, link);
        self.wait_for_link(pair, Wait::Prepare);
        self.say_phase(pair);
        for room in ends {
            self.effects.push(Effect::Prepare { room: self.name(room) });
        }
        Ok(Answer::Accepted { already: false, goal: Goal::Connected(pair) })
    }

    /// Whether a room can have a new call.
    fn free(&self, room: usize, near: bool) -> Refusable<()> {
        let codec = &self.rooms[room].codec;
        let city = self.city(room);
        if let Some(link) = self.link_of(room) {
            let other = self.city(link.pair().other(room));
            return refuse(
                Reason::Busy,
                match link.step {
                    _ if !near => format!("{city} is in another call."),
                    Step::Connected => format!("You are connected to {other} - disconnect first."),
                    Step::Disconnecting => {
                        format!("The call with {other} is just ending - try again.")
                    }
                    _ => format!("A call with {other} is under way - disconnect first."),
                },
            );
        }
        match codec.control {
            Control::Unknown | Control::Offline { asleep: false } => Err(self.offline(room, near)),
            _ => match codec.legs.first().map(|leg| &leg.far) {
                None => Ok(()),
                Some(_) if !near => refuse(Reason::Busy, format!("{city} is in another call.")),
                Some(Far::Room(other)) => {
                    refuse(Reason::Busy, format!("You are in a call with {}.", self.city(*other)))
                }
                Some(Far::Other(other)) => {
                    refuse(Reason::Busy, format!("You are in a call with {other}."))
                }
            },
        }
    }

    fn disconnect_all(&mut self, room: usize) -> Refusable<Answer> {
        let with = self.link_of(room).map(|link| link.pair().other(room));
        let codec = &self.rooms[room].codec;
        let leg = codec.legs.first().map(|leg| leg.far.clone());
        match (with, leg) {
            (Some(other), _) | (None, Some(Far::Room(other))) => {
                self.disconnect(Pair::new(room, other))
            }
            (None, Some(Far::Other(number))) if codec.is_online() => {
                let text =
                    format!("The call with {number} was not made here - end it at the codec.");
                refuse(Reason::NotPermitted, text)
            }
            _ => Ok(Answer::Accepted { already: true, goal: Goal::Reached }),
        }
    }

    fn disconnect(&mut self, pair: Pair) -> Refusable<Answer> {
        let ends = [pair.0, pair.1];
        let calls = [0, 1].map(|i| {
            let codec = &self.rooms[ends[i]].codec;
            codec.is_online() && codec.legs.iter().any(|leg| leg.is_with(ends[1 - i]))
        });
        let goal = Goal::Idle(pair);
        match self.links.get(&pair) {
            Some(link) if !link.is_wanted() => {
                // Whoever wishes it may also end calls that were not ours.
                self.take_calls(pair);
                return Ok(Answer::Accepted { already: true, goal });
            }
            Some(_) => {}
            None if calls == [false; 2] => {
                return Ok(Answer::Accepted { already: true, goal: Goal::Reached });
            }
            None if ends.iter().any(|room| self.link_of(*room).is_some()) => {
                return refuse(Reason::Busy, "That call is beside another one - end that first.");
            }
            None => {
                // A call that only one of the two shows, so that it is no link yet.
                let link = Link::new(ends, None, Step::Connected, self.now);
                self.links.insert(pair, Link { adopted: true, ..link });
            }
        }
        self.take_calls(pair);
        let why = self
            .links
            .get(&pair)
            .filter(|link| !link.is_established())
            .map(|_| Why { reason: Reason::Cancelled, text: "The call was cancelled.".to_owned() });
        self.end(pair, why, None);
        Ok(Answer::Accepted { already: false, goal })
    }

    /// The call that rings in a room.
    fn ringing(&self, room: usize, from: usize) -> Refusable<Pair> {
        self.ready()?;
        let pair = Pair::new(room, from);
        let link = self.links.get(&pair).filter(|link| link.is_wanted());
        let rings = self.rooms[room]
            .codec
            .leg_with(from)
            .filter(|leg| leg.direction == Direction::Incoming && leg.state == CallState::Ringing);
        match (link, rings) {
            (Some(_), Some(_)) if self.rooms[room].codec.is_online() => Ok(pair),
            _ => {
                let text = format!("{} is not calling.", self.city(from));
                refuse(Reason::Cancelled, text)
            }
        }
    }

    fn take_call(&mut self, room: usize, from: usize) -> Refusable<Answer> {
        let pair = self.ringing(room, from)?;
        if let Some(leg) = self.rooms[room].codec.leg_with(from) {
            self.effects.push(Effect::Answer { room: self.name(room), call: leg.id });
        }
        if let Some(link) = self.links.get_mut(&pair).filter(|link| !link.answered) {
            link.answered = true;
            self.go(pair, Step::Dialing, Some(Wait::Dial));
        }
        Ok(Answer::Accepted { already: false, goal: Goal::Connected(pair) })
    }

    fn decline(&mut self, room: usize, from: usize) -> Refusable<Answer> {
        let pair = self.ringing(room, from)?;
        self.take_calls(pair);
        let text = format!("{} declined.", self.city(room));
        self.end(pair, Some(Why { reason: Reason::Rejected, text }), Some(room));
        Ok(Answer::Accepted { already: false, goal: Goal::Idle(pair) })
    }

    fn known(&self, name: &Room) -> Refusable<usize> {
        self.find(name).ok_or_else(|| Why {
            reason: Reason::Unreachable,
            text: format!("There is no room {name}."),
        })
    }

    fn ready(&self) -> Refusable<()> {
        if self.starting {
            return refuse(
                Reason::Starting,
                "The rooms are being asked for their calls - try again.",
            );
        }
        Ok(())
    }

    pub(crate) fn offline(&self, room: usize, near: bool) -> Why {
        let reason = if near { Reason::OfflineNear } else { Reason::OfflineFar };
        Why { reason, text: format!("The codec of {} is not reachable.", self.city(room)) }
    }
}

fn refuse<T>(reason: Reason, text: impl Into<String>) -> Refusable<T> {
    Err(Why { reason, text: text.into() })
}
