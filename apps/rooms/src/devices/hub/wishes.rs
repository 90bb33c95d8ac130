//! What people wish: each line is accepted or refused at once, and done or failed later.

use std::time::Duration;

use rooms_drivers::Command;
use rooms_messages::{
    DeviceName, Fact, HelpState, HelpWish, Id, Reason, Request, RoomName, Snapshot, Text,
    Timestamp, Wish,
};
use tokio::time::Instant;

use super::{Hub, MOVES_FOR, Owner};
use crate::devices::parts::{self, Part, Refused};
use crate::devices::session::Order;
use crate::devices::wall_clock;

type Refusable<T> = Result<T, Refused>;

/// What becomes of a wish that was accepted.
enum Accepted {
    /// It is so.
    Done,
    /// It was being worked on.
    Already,
    /// These are to do it.
    Parts(RoomName, Vec<Part>),
    /// Its room takes its first step.
    Sequence(RoomName),
    /// Its facts have been said or will be.
    Answered,
}

impl Hub {
    /// Takes a line from the topic of wishes.
    pub(crate) fn wish(&mut self, line: &str, now: Instant) {
        let request = match Request::parse(line) {
            Ok(request) => request,
            Err(error) => {
                let refused = Refused::new(Reason::BadWish, error.to_string());
                return self.say_refused(Request::id_in(line), &refused, now);
            }
        };
        let id = request.id.clone();
        if let Some(id) = &id
            && let Some(first) = self.answers.first(id, now).cloned()
        {
            return self.board.say(first);
        }
        if request.expires.is_some_and(|expires| expires < Timestamp::now()) {
            let text = "it came too late: press again";
            return self.say_refused(id, &Refused::new(Reason::Expired, text), now);
        }
        match self.decide(&request, now) {
            Err(refused) => self.say_refused(id, &refused, now),
            Ok(Accepted::Answered) => {}
            Ok(accepted) => {
                let already = matches!(accepted, Accepted::Already);
                self.say_answer(Fact::Accepted { already, id: id.clone() }, now);
                match accepted {
                    Accepted::Done => self.say_end(id, Ok(())),
                    Accepted::Parts(room, parts) => self.begin(Owner::Wish(id), &room, parts, now),
                    Accepted::Sequence(room) => self.next_step(&room, now),
                    Accepted::Already | Accepted::Answered => {}
                }
            }
        }
        self.raise_alerts(now);
    }

    fn decide(&mut self, request: &Request, now: Instant) -> Refusable<Accepted> {
        match &request.wish {
            Wish::Connect { near: room, far: other }
            | Wish::Answer { room, caller: other }
            | Wish::Decline { room, caller: other } => {
                self.known(room)?;
                self.known(other)?;
                self.touched(room, now);
                self.link_wish(request, now).map(|()| Accepted::Answered)
            }
            Wish::Disconnect { room, other } => {
                self.known(room)?;
                other.iter().try_for_each(|other| self.known(other))?;
                self.touched(room, now);
                self.link_wish(request, now).map(|()| Accepted::Answered)
            }
            Wish::Start { room } | Wish::Stop { room } => {
                self.known(room)?;
                let is_start = matches!(request.wish, Wish::Start { .. });
                match is_start {
                    true => self.touched(room, now),
                    false => self.left_alone(room),
                }
                let already = self.sequence(room, is_start, request.id.clone());
                Ok(if already { Accepted::Already } else { Accepted::Sequence(room.clone()) })
            }
            Wish::Stay { room } => {
                self.known(room)?;
                self.touched(room, now);
                Ok(Accepted::Done)
            }
            Wish::Help { room, help } => self.help(room, help, request.by.clone()),
            Wish::Give { what } => {
                let room = match what {
                    Snapshot::Everything => None,
                    Snapshot::Room(room) => {
                        self.known(room)?;
                        Some(room)
                    }
                };
                self.say_answer(Fact::Accepted { already: false, id: request.id.clone() }, now);
                self.board.snapshot(room);
                self.say_end(request.id.clone(), Ok(()));
                Ok(Accepted::Answered)
            }
            Wish::Reload => self.reload().map(|()| Accepted::Done),
            Wish::Reconnect { room, device } => self.tell(room, device, Order::Reconnect),
            Wish::Trace { room, device, seconds } => {
                self.tell(room, device, Order::Trace(Duration::from_secs(u64::from(*seconds))))
            }
            Wish::Raw { room, device, text } => {
                let bytes = format!("{}\r", text.as_str().replace('\n', "\r")).into_bytes();
                self.tell(room, device, Order::Raw(bytes))
            }
            Wish::Maintenance { room, on, until } => {
                self.known(room)?;
                self.maintain(room, *on, *until);
                Ok(Accepted::Done)
            }
            wish => self.device_wish(wish, now),
        }
    }

    fn device_wish(&mut self, wish: &Wish, now: Instant) -> Refusable<Accepted> {
        let room = match wish {
            Wish::Turn { room, .. }
            | Wish::Set { room, .. }
            | Wish::Scene { room, .. }
            | Wish::Select { room, .. }
            | Wish::Blank { room, .. }
            | Wish::Mute { room, .. }
            | Wish::Volume { room, .. }
            | Wish::Move { room, .. }
            | Wish::Zoom { room, .. }
            | Wish::Preset { room, .. } => room,
            other => {
                let text = format!("`{}` is not for devices", other.verb());
                return Err(Refused::new(Reason::Unsupported, text));
            }
        };
        self.known(room)?;
        let view = self.view(room).ok_or_else(|| unknown(room))?;
        let parts = parts::of_wish(&view, wish).unwrap_or_else(|| Ok(Vec::new()))?;
        self.check_online(room, &parts)?;
        self.touched(room, now);
        for part in &parts {
            if self.goes_on(room, part, now) {
                return Ok(Accepted::Done);
            }
        }
        Ok(Accepted::Parts(room.clone(), parts))
    }

    /// Notes a movement so that it can be stopped; true if it is just the one that goes on.
    fn goes_on(&mut self, room: &RoomName, part: &Part, now: Instant) -> bool {
        let what = part.command.name();
        if !matches!(part.command, Command::Move(_) | Command::Zoom(_)) {
            return false;
        }
        let Some(device) = self.devices.get_mut(&(room.clone(), part.device.clone())) else {
            return false;
        };
        if part.command.is_stop() {
            device.moving.remove(what);
            return false;
        }
        let moving = (now + MOVES_FOR, part.command.clone());
        let before = device.moving.insert(what, moving);
        before.is_some_and(|(_, command)| command == part.command)
    }

    fn help(&mut self, room: &RoomName, help: &HelpWish, by: Option<Text>) -> Refusable<Accepted> {
        self.known(room)?;
        let (state, text) = match help {
            HelpWish::Come(text) => (HelpState::Requested, text.clone()),
            HelpWish::Cancel => (HelpState::Closed, None),
            HelpWish::Close(text) => (HelpState::Closed, text.clone()),
            HelpWish::Acknowledge(text) => {
                let Some(Fact::Help { text: asked, .. }) = self.board.help(room) else {
                    let text = format!("nobody asks for help in {room}, or no longer");
                    return Err(Refused::new(Reason::NotRequested, text));
                };
                (HelpState::Acknowledged, text.clone().or_else(|| asked.clone()))
            }
        };
        let since = Some(wall_clock());
        self.board.say(Fact::Help { room: room.clone(), state, by, text, since });
        Ok(Accepted::Done)
    }

    fn tell(&mut self, room: &RoomName, device: &DeviceName, order: Order) -> Refusable<Accepted> {
        self.known(room)?;
        if !self.devices.contains_key(&(room.clone(), device.clone())) {
            let text = format!("{room} has no {device} that has a session");
            return Err(Refused::new(Reason::UnknownDevice, text));
        }
        if !self.order(room, device, order) {
            return Err(Refused::new(Reason::Busy, format!("{device} has no time: try again")));
        }
        Ok(Accepted::Done)
    }

    fn known(&self, room: &RoomName) -> Refusable<()> {
        self.rooms.get(room).map(drop).ok_or_else(|| unknown(room))
    }

    pub(super) fn say_refused(&mut self, id: Option<Id>, refused: &Refused, now: Instant) {
        let Refused { reason, text, with } = refused;
        let (with, text) = (with.clone(), Some(Text::clean(text)));
        self.say_answer(Fact::Refused { id, reason: *reason, with, text }, now);
    }

    /// Says an answer and keeps it for the case that the wish comes again.
    pub(super) fn say_answer(&mut self, answer: Fact, now: Instant) {
        self.answers.keep(&answer, now);
        self.board.say(answer);
    }

    /// Says how a wish that was accepted has ended.
    pub(super) fn say_end(&mut self, id: Option<Id>, result: Result<(), Refused>) {
        self.board.say(match result {
            Ok(()) => Fact::Done { id },
            Err(Refused { reason, text, .. }) => {
                Fact::Failed { id, reason, text: Some(Text::clean(&text)) }
            }
        });
    }
}

fn unknown(room: &RoomName) -> Refused {
    Refused::new(Reason::UnknownRoom, format!("there is no room {room}"))
}
