//! What an action does to the world, and what the links' commands do to it.

use crate::{
    Call, CallId, CallState, Direction, Effect, Event, Fact, Pairing, Reason, Request, Wish,
};

use super::{
    ALWAYS, Action, Codec, Command, Leg, Line, Setup, World, fresh_links, index, name, number,
};

impl World {
    /// Lets it happen. An error says which promise was broken.
    pub(crate) fn act(&mut self, action: Action, setup: &Setup) -> Result<(), String> {
        self.spend(action);
        match action {
            Action::Connect(a, b) => self.press(Wish::Connect(name(a), name(b)), (true, a, b))?,
            Action::Disconnect(a, b) => {
                self.press(Wish::Disconnect(name(a), Some(name(b))), (false, a, b))?;
            }
            Action::Answer(a, b) => self.press(Wish::Answer(name(a), name(b)), (true, a, b))?,
            Action::Decline(a, b) => self.press(Wish::Decline(name(a), name(b)), (false, a, b))?,
            Action::Obey(room) => self.obey(room)?,
            Action::Ignore(room) => {
                self.codecs[room].inbox.remove(0);
            }
            Action::NoWay(room) => {
                self.codecs[room].inbox.remove(0);
                self.feed(Event::Failed { room: name(room), reason: Reason::Unreachable })?;
            }
            Action::Report(room) => {
                let calls = self.report(room);
                self.feed(Event::Calls { room: name(room), calls })?;
            }
            Action::PickUp(room) | Action::Answered(room) => {
                self.codecs[room].legs[0].connected = true;
                self.codecs[room].news = true;
            }
            Action::RingOut(room) | Action::Drop(room) => {
                self.codecs[room].legs.remove(0);
                self.codecs[room].news = true;
            }
            Action::GoDeaf(room) => self.codecs[room].legs[0].deaf = true,
            Action::RemoteDial(room, far) => self.call(room, far, false),
            Action::Cut(room) => self.lose_line(room, Line::Cut, false)?,
            Action::Sleep(room) => self.lose_line(room, Line::Asleep, true)?,
            Action::Reboot(room) => {
                self.codecs[room].legs.clear();
                self.lose_line(room, Line::Cut, false)?;
            }
            Action::Restore(room) => {
                self.codecs[room].line = Line::Up;
                self.online(room)?;
            }
            Action::Tell(room) => self.online(room)?,
            Action::Restart => self.restart(setup),
            Action::Pass => {
                self.now = self.links.next_timer().unwrap_or(self.now);
                self.feed(Event::Tick)?;
            }
            Action::Ring(alarm) => {
                self.links.alarms.cancel(alarm);
                self.links.ring(alarm);
                self.links.reconcile();
                let effects = std::mem::take(&mut self.links.effects);
                self.take_effects(effects)?;
            }
        }
        if !setup.late {
            for room in 0..self.codecs.len() {
                if self.codecs[room].news && self.codecs[room].line == Line::Up {
                    let calls = self.report(room);
                    self.feed(Event::Calls { room: name(room), calls })?;
                }
            }
        }
        self.links.ledger.forget_finished();
        if self.links.ledger.open().count() != self.open.len() {
            return Err("a wish was answered, and is still being waited for".to_owned());
        }
        Ok(())
    }

    fn spend(&mut self, action: Action) {
        use Action::{
            Answer, Answered, Connect, Decline, Disconnect, Obey, Pass, PickUp, Report, Ring,
            RingOut, Tell,
        };
        match action {
            Connect(..) | Disconnect(..) | Answer(..) | Decline(..) => {
                self.presses -= u8::from(self.presses != ALWAYS);
            }
            Obey(_) | Report(_) | PickUp(_) | Answered(_) | RingOut(_) | Tell(_) | Ring(_)
            | Pass => {}
            _ => self.faults -= u8::from(self.faults != ALWAYS),
        }
    }

    fn press(&mut self, wish: Wish, slot: (bool, usize, usize)) -> Result<(), String> {
        let id = format!("{}{}{}", if slot.0 { "c" } else { "d" }, slot.1, slot.2);
        let request = Request { wish, id: Some(id.as_str().into()), by: None };
        let effects = self.links.handle(Event::Wish(request), self.now);
        let answers = |effect: &&Effect| {
            matches!(effect, Effect::Fact(Fact::Accepted { .. } | Fact::Refused { .. }))
        };
        if effects.iter().filter(answers).count() != 1 {
            return Err(format!("{id} got not one answer: {effects:?}"));
        }
        let accepted = |effect: &Effect| matches!(effect, Effect::Fact(Fact::Accepted { .. }));
        if effects.iter().any(accepted) {
            self.open.push(slot);
            self.open.sort_unstable();
            if !slot.0 {
                self.release(slot.1, slot.2);
            }
        }
        self.take_effects(effects)
    }

    /// Somebody wished the end of the calls between two rooms.
    fn release(&mut self, a: usize, b: usize) {
        for (room, far) in [(a, b), (b, a)] {
            let Codec { legs, reported, .. } = &mut self.codecs[room];
            for leg in legs.iter_mut().chain(reported).filter(|leg| leg.far == far) {
                leg.ours = true;
            }
        }
    }

    fn obey(&mut self, room: usize) -> Result<(), String> {
        let codec = &mut self.codecs[room];
        match codec.inbox.remove(0) {
            Command::Prepare => {
                if codec.line == Line::Asleep {
                    codec.line = Line::Up;
                    self.online(room)?;
                }
                self.feed(Event::Prepared { room: name(room) })?;
            }
            Command::Dial(far) => {
                let both = self.pairing == Pairing::Both;
                let reason = match &self.codecs[far] {
                    _ if !self.codecs[room].legs.is_empty() => Reason::Busy,
                    codec if !codec.has_power() => Reason::Unreachable,
                    codec if !both && !codec.legs.is_empty() => Reason::Busy,
                    _ => {
                        self.call(room, far, true);
                        return Ok(());
                    }
                };
                self.feed(Event::Failed { room: name(room), reason })?;
            }
            Command::Answer(id) => {
                let found = codec.legs.iter_mut().find(|leg| leg.id == id && leg.incoming);
                if let Some(leg) = found {
                    leg.connected = true;
                    codec.news = true;
                }
            }
            Command::Hangup(id) => {
                codec.legs.retain(|leg| leg.id != id);
                codec.news = true;
            }
        }
        Ok(())
    }

    fn call(&mut self, room: usize, far: usize, by_us: bool) {
        let outside = far == self.codecs.len();
        let both = self.pairing == Pairing::Both;
        let leg = Leg {
            id: self.free_id(room, far, false),
            far,
            incoming: false,
            connected: outside || both,
            ours: by_us,
            dialed: by_us,
            deaf: false,
        };
        self.codecs[room].legs.push(leg);
        self.codecs[room].news = true;
        if !outside && !both {
            let id = self.free_id(far, room, true);
            let leg = Leg { id, far: room, incoming: true, dialed: false, ..leg };
            self.codecs[far].legs.push(leg);
            self.codecs[far].news = true;
        }
    }

    /// The smallest number that is not in use. One that is only remembered from before the line was
    /// lost is used again for another kind of call.
    fn free_id(&self, room: usize, far: usize, incoming: bool) -> u32 {
        let codec = &self.codecs[room];
        let remembered =
            |leg: &&Leg| codec.line == Line::Up || leg.far == far && leg.incoming == incoming;
        let taken: Vec<_> = codec
            .legs
            .iter()
            .chain(codec.reported.iter().filter(remembered))
            .map(|leg| leg.id)
            .chain(codec.inbox.iter().filter_map(|command| match command {
                Command::Hangup(id) | Command::Answer(id) => Some(*id),
                _ => None,
            }))
            .collect();
        (1..).find(|id| !taken.contains(id)).expect("there are many numbers")
    }

    fn lose_line(&mut self, room: usize, line: Line, asleep: bool) -> Result<(), String> {
        let codec = &mut self.codecs[room];
        let unknown = codec.untold || codec.line != Line::Up;
        codec.line = line;
        codec.inbox.clear();
        codec.news = false;
        for leg in &mut codec.legs {
            leg.dialed = false;
        }
        if unknown { Ok(()) } else { self.feed(Event::Offline { room: name(room), asleep }) }
    }

    fn online(&mut self, room: usize) -> Result<(), String> {
        self.codecs[room].untold = false;
        let calls = self.report(room);
        self.feed(Event::Online { room: name(room), calls })
    }

    fn restart(&mut self, setup: &Setup) {
        self.links = fresh_links(setup);
        self.open.clear();
        self.connected.clear();
        for codec in &mut self.codecs {
            codec.untold = true;
            codec.inbox.clear();
            codec.reported.clear();
            codec.news = false;
            for leg in &mut codec.legs {
                leg.dialed = false;
            }
        }
    }

    fn report(&mut self, room: usize) -> Vec<Call> {
        let codec = &mut self.codecs[room];
        codec.news = false;
        codec.reported.clone_from(&codec.legs);
        let call = |leg: &Leg| Call {
            id: CallId(leg.id),
            far: number(if leg.far == self.links.rooms.len() { 3 } else { leg.far }).into(),
            direction: if leg.incoming { Direction::Incoming } else { Direction::Outgoing },
            state: if leg.connected { CallState::Connected } else { CallState::Ringing },
            dialed: leg.dialed,
        };
        codec.legs.iter().map(call).collect()
    }

    fn feed(&mut self, event: Event) -> Result<(), String> {
        let effects = self.links.handle(event, self.now);
        self.take_effects(effects)
    }

    fn take_effects(&mut self, effects: Vec<Effect>) -> Result<(), String> {
        for effect in effects {
            match effect {
                Effect::Prepare { room } => self.deliver(index(&room), Command::Prepare),
                Effect::Dial { room, to } => {
                    let far = (0..3).find(|far| number(*far) == &*to).expect("a room's number");
                    self.deliver(index(&room), Command::Dial(far));
                }
                Effect::Answer { room, call } => {
                    self.deliver(index(&room), Command::Answer(call.0));
                }
                Effect::Hangup { room, call } => {
                    let room = index(&room);
                    self.may_hang_up(room, call.0)?;
                    self.deliver(room, Command::Hangup(call.0));
                }
                Effect::Expect { .. } => {}
                Effect::Fact(fact) => self.take_fact(&fact)?,
            }
        }
        Ok(())
    }

    fn deliver(&mut self, room: usize, command: Command) {
        let codec = &mut self.codecs[room];
        let arrives =
            codec.line == Line::Up || codec.line == Line::Asleep && command == Command::Prepare;
        if arrives && !codec.untold && !codec.inbox.contains(&command) {
            if codec.inbox.len() == self.inbox {
                codec.inbox.remove(0);
            }
            codec.inbox.push(command);
        }
    }
}
