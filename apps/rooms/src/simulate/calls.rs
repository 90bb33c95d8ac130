//! Who calls whom: the one table through which all simulated codecs are wired to each other.
//!
//! A call walks from dialling over ringing to connected in steps of 0.3 s. Each side can be lost
//! alone, so that one codec believes in a call that the other knows nothing of.

use std::collections::BTreeMap;
use std::time::Duration;

use rooms_drivers::{Direction, EndReason};
use rooms_messages::RoomName;

const STEP: Duration = Duration::from_millis(300);
/// So long it rings where nobody answers.
const RINGS_FOR: Duration = Duration::from_secs(30);
/// So long a codec believes in a call whose other side has lost its power.
const NOTICED_AFTER: Duration = Duration::from_secs(3);

/// What a codec does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallAction {
    /// Calls this number.
    Dial(String),
    /// Takes the call that rings.
    Answer,
    /// Ends its call of this number, or all.
    Hangup(Option<u32>),
    /// Takes calls by itself from now on, or does not.
    AutoAnswer(bool),
}

/// What a codec hears of one of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallNews {
    /// The codec's own number of the call.
    pub id: u32,
    /// Who began it.
    pub direction: Direction,
    /// The far side's number.
    pub far: String,
    /// How far it is.
    pub stage: Stage,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Stage {
    Dialing,
    Ringing,
    Connected,
    Ended { reason: EndReason, by_us: bool },
}

/// News, and the codec that hears them.
pub type News = Vec<(usize, CallNews)>;

/// All codecs and their calls.
#[derive(Debug, Default)]
pub struct Calls {
    codecs: BTreeMap<usize, Codec>,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Codec {
    room: RoomName,
    numbers: Vec<String>,
    /// How it appears in the far codec's list.
    appears_as: String,
    is_up: bool,
    answers: bool,
    last_id: u32,
}

#[derive(Debug)]
struct Call {
    /// The caller's, then the called one's.
    sides: [Side; 2],
    stage: Stage,
    due: Option<Duration>,
}

#[derive(Debug)]
struct Side {
    /// None is somebody outside of all rooms, or not found yet.
    codec: Option<usize>,
    id: u32,
    far: String,
    /// It knows of the call.
    knows: bool,
}

impl Calls {
    /// A codec that can call and be called.
    pub fn add(&mut self, codec: usize, room: RoomName, numbers: &[String], appears_as: String) {
        let numbers = numbers.iter().map(|number| plain(number)).collect();
        let added = Codec { room, numbers, appears_as, is_up: true, answers: false, last_id: 0 };
        self.codecs.insert(codec, added);
    }

    /// When [`tick`](Calls::tick) is next to be called.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.calls.iter().filter_map(|call| call.due).min()
    }

    /// A codec does something.
    pub fn act(&mut self, codec: usize, action: CallAction, now: Duration, news: &mut News) {
        match action {
            CallAction::Dial(number) => {
                let id = self.next_id(codec);
                let caller = Side { codec: Some(codec), id, far: number, knows: true };
                let called = Side { codec: None, id: 0, far: String::new(), knows: false };
                let sides = [caller, called];
                let call = Call { sides, stage: Stage::Dialing, due: Some(now + STEP) };
                call.tell(news);
                self.calls.push(call);
            }
            CallAction::Answer => {
                let rings = |call: &&mut Call| call.stage == Stage::Ringing && call.calls(codec);
                if let Some(call) = self.calls.iter_mut().find(rings) {
                    call.connect(news);
                }
            }
            CallAction::Hangup(id) => {
                for call in &mut self.calls {
                    call.hang_up(codec, id, news);
                }
                self.forget();
            }
            CallAction::AutoAnswer(answers) => {
                if let Some(codec) = self.codecs.get_mut(&codec) {
                    codec.answers = answers;
                }
            }
        }
    }

    /// Takes the steps that are due.
    pub fn tick(&mut self, now: Duration, news: &mut News) {
        for at in 0..self.calls.len() {
            if self.calls[at].due.is_some_and(|due| due <= now) {
                self.calls[at].due = None;
                self.step(at, now, news);
            }
        }
        self.forget();
    }

    fn step(&mut self, at: usize, now: Duration, news: &mut News) {
        match self.calls[at].stage {
            Stage::Dialing => match self.find(&self.calls[at].sides[0].far) {
                Err(reason) => self.calls[at].end(reason, news),
                Ok(codec) => {
                    let id = self.next_id(codec);
                    let caller = self.calls[at].sides[0].codec.and_then(|c| self.codecs.get(&c));
                    let far = caller.map(|codec| codec.appears_as.clone()).unwrap_or_default();
                    let answers = self.codecs[&codec].answers;
                    let call = &mut self.calls[at];
                    call.sides[1] = Side { codec: Some(codec), id, far, knows: true };
                    call.rings(answers, now, news);
                }
            },
            Stage::Ringing => {
                let called = self.calls[at].sides[1].codec;
                let answers = called.is_some_and(|codec| self.codecs[&codec].answers);
                if answers {
                    self.calls[at].connect(news);
                } else {
                    self.calls[at].end(EndReason::NoAnswer, news);
                }
            }
            Stage::Connected | Stage::Ended { .. } => {
                self.calls[at].end(EndReason::Network, news);
            }
        }
    }

    /// The codec of a number, if it takes a call now.
    fn find(&self, number: &str) -> Result<usize, EndReason> {
        let number = plain(number);
        let found = self.codecs.iter().find(|(_, codec)| codec.numbers.contains(&number));
        let (codec, known) = found.ok_or(EndReason::Unreachable)?;
        if !known.is_up {
            return Err(EndReason::Unreachable);
        }
        if self.is_busy(*codec) { Err(EndReason::Busy) } else { Ok(*codec) }
    }

    fn is_busy(&self, codec: usize) -> bool {
        let is_in = |side: &Side| side.codec == Some(codec) && side.knows;
        self.calls.iter().any(|call| call.sides.iter().any(is_in))
    }

    /// Somebody outside of all rooms calls.
    ///
    /// # Errors
    /// Why not.
    pub fn ring(
        &mut self,
        room: &RoomName,
        from: &str,
        now: Duration,
        news: &mut News,
    ) -> Result<(), String> {
        let codec = self.codec_of(room)?;
        if self.is_busy(codec) || !self.codecs[&codec].is_up {
            return Err(format!("the codec of {room} takes no call now"));
        }
        let caller = Side { codec: None, id: 0, far: String::new(), knows: false };
        let id = self.next_id(codec);
        let called = Side { codec: Some(codec), id, far: from.to_owned(), knows: true };
        let answers = self.codecs[&codec].answers;
        let mut call = Call { sides: [caller, called], stage: Stage::Ringing, due: None };
        call.rings(answers, now, news);
        self.calls.push(call);
        Ok(())
    }

    /// A call between two rooms is lost: on both sides, or only one side knows.
    ///
    /// # Errors
    /// There is no such call.
    pub fn lose(
        &mut self,
        rooms: [&RoomName; 2],
        only: Option<&RoomName>,
        news: &mut News,
    ) -> Result<(), String> {
        let codecs = [self.codec_of(rooms[0])?, self.codec_of(rooms[1])?];
        let is_between = |call: &&mut Call| {
            codecs.iter().all(|codec| call.sides.iter().any(|side| side.codec == Some(*codec)))
        };
        let only = only.map(|room| self.codec_of(room)).transpose()?;
        let Some(call) = self.calls.iter_mut().find(is_between) else {
            return Err(format!("there is no call between {} and {}", rooms[0], rooms[1]));
        };
        let stage = Stage::Ended { reason: EndReason::Network, by_us: false };
        match only {
            None => call.end(EndReason::Network, news),
            Some(codec) => {
                call.due = None;
                for side in 0..2 {
                    if call.sides[side].codec == Some(codec) {
                        call.tell_side(side, stage, news);
                        call.sides[side].knows = false;
                    }
                }
            }
        }
        self.forget();
        Ok(())
    }

    /// A codec has lost its power: it knows of no calls any more, the others notice after a while.
    pub fn lost_power(&mut self, codec: usize, now: Duration) {
        if let Some(codec) = self.codecs.get_mut(&codec) {
            (codec.is_up, codec.answers) = (false, false);
        }
        for call in &mut self.calls {
            for side in 0..2 {
                if call.sides[side].codec == Some(codec) && call.sides[side].knows {
                    call.sides[side].knows = false;
                    call.stage = Stage::Connected;
                    call.due = Some(now + NOTICED_AFTER);
                }
            }
        }
        self.forget();
    }

    /// A codec runs again.
    pub fn is_back(&mut self, codec: usize) {
        if let Some(codec) = self.codecs.get_mut(&codec) {
            codec.is_up = true;
        }
    }

    /// The codec of a room.
    ///
    /// # Errors
    /// It has none.
    pub fn codec_of(&self, room: &RoomName) -> Result<usize, String> {
        let found = self.codecs.iter().find(|(_, codec)| codec.room == *room);
        found.map(|(codec, _)| *codec).ok_or_else(|| format!("{room} has no codec"))
    }

    fn next_id(&mut self, codec: usize) -> u32 {
        self.codecs.get_mut(&codec).map_or(0, |codec| {
            codec.last_id += 1;
            codec.last_id
        })
    }

    fn forget(&mut self) {
        self.calls.retain(|call| call.sides.iter().any(|side| side.knows));
    }
}

impl Call {
    fn calls(&self, codec: usize) -> bool {
        self.sides[1].codec == Some(codec) && self.sides[1].knows
    }

    fn rings(&mut self, answers: bool, now: Duration, news: &mut News) {
        self.stage = Stage::Ringing;
        self.due = Some(now + if answers { STEP } else { RINGS_FOR });
        self.tell(news);
    }

    fn connect(&mut self, news: &mut News) {
        (self.stage, self.due) = (Stage::Connected, None);
        self.tell(news);
    }

    fn end(&mut self, reason: EndReason, news: &mut News) {
        self.stage = Stage::Ended { reason, by_us: false };
        self.due = None;
        self.tell(news);
        self.sides.iter_mut().for_each(|side| side.knows = false);
    }

    fn hang_up(&mut self, codec: usize, id: Option<u32>, news: &mut News) {
        let is_it = |side: &Side| {
            side.codec == Some(codec) && side.knows && id.is_none_or(|id| id == side.id)
        };
        let Some(own) = self.sides.iter().position(is_it) else { return };
        let reason = match (self.stage, own) {
            (Stage::Ringing, 1) => EndReason::Rejected,
            _ => EndReason::Normal,
        };
        self.tell_side(own, Stage::Ended { reason: EndReason::Normal, by_us: true }, news);
        self.sides[own].knows = false;
        self.end(reason, news);
    }

    fn tell(&self, news: &mut News) {
        (0..2).for_each(|side| self.tell_side(side, self.stage, news));
    }

    fn tell_side(&self, at: usize, stage: Stage, news: &mut News) {
        let side = &self.sides[at];
        if let (Some(codec), true) = (side.codec, side.knows) {
            let direction = if at == 0 { Direction::Outgoing } else { Direction::Incoming };
            let far = side.far.clone();
            news.push((codec, CallNews { id: side.id, direction, far, stage }));
        }
    }
}

/// A number without its scheme, so that `sip:a@b` and `a@b` are the same.
fn plain(number: &str) -> String {
    let plain = number.split_once(':').filter(|(scheme, _)| matches!(*scheme, "sip" | "h323"));
    plain.map_or(number, |(_, rest)| rest).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
