//! What is so in the rooms.

mod write;

use jiff::Timestamp;

use crate::arguments::Arguments;
use crate::choice::choice;
use crate::error::Malformed;
use crate::keys::Keys;
use crate::line::LINE_BYTES_MAX;
use crate::name::{DeviceName, Id, RoomName, Word};
use crate::number::{Number, Time};
use crate::offers::Offers;
use crate::reason::{OfflineReason, Reason};
use crate::text::Text;
use crate::verb::FACT_VERBS;

/// Bytes that [`Fact::parts`] and [`Fact::fitting`] leave for what every fact may carry: `seq`, `epoch` and `at`.
const STAMP_BYTES: usize = 100;

/// One fact, without when and in which order it was said.
///
/// Each says all there is to say of its room, link, device or key, so that saying it again changes
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as in the usage of the verb")]
pub enum Fact {
    /// A wish is being worked on, or already was because of an equal one.
    Accepted { already: bool, id: Option<Id> },
    /// A wish changes nothing. `with` is the room with which a busy one is connected.
    Refused { id: Option<Id>, reason: Reason, with: Option<RoomName>, text: Option<Text> },
    /// A wish is fulfilled.
    Done { id: Option<Id> },
    /// A wish was accepted, but is not fulfilled.
    Failed { id: Option<Id>, reason: Reason, text: Option<Text> },
    /// How far a connection is. `asking` is the room that is to accept or decline the call.
    Link {
        near: RoomName,
        far: RoomName,
        phase: Phase,
        by: Option<Text>,
        since: Option<Timestamp>,
        asking: Option<RoomName>,
        reason: Option<Reason>,
        side: Option<RoomName>,
    },
    /// Both rooms are connected now.
    Connect { near: RoomName, far: RoomName },
    /// They are no longer; `side` is the one that ended it.
    Disconnect { near: RoomName, far: RoomName, reason: Option<Reason>, side: Option<RoomName> },
    /// A line of the catalogue. `with` is the room, `other` whoever else it is connected with,
    /// `city` and `title` are what people call it; at `stops` it is stopped for standing idle.
    Room {
        room: RoomName,
        state: RoomState,
        with: Option<RoomName>,
        other: Option<Text>,
        city: Option<Text>,
        title: Option<Text>,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        stops: Option<Timestamp>,
    },
    /// Whether a device is there, and its role where its name does not say it.
    Device { room: RoomName, device: DeviceName, state: DeviceState, role: Option<Word> },
    /// What can be wished of a device.
    Offers { room: RoomName, device: DeviceName, offers: Offers },
    /// What a device says of itself: the keys that changed.
    State { room: RoomName, device: DeviceName, keys: Keys },
    /// Something for whoever looks after the rooms.
    Alert { room: RoomName, device: DeviceName, code: Word, state: AlertState },
    /// A call for a person.
    Help {
        room: RoomName,
        state: HelpState,
        by: Option<Text>,
        text: Option<Text>,
        since: Option<Timestamp>,
    },
    /// Said every 5 seconds, so that silence means something.
    Alive,
    /// The marks around a snapshot.
    Everything(Everything),
}

choice! {
    /// How far a connection is.
    pub Phase {
        /// Both rooms are being woken up.
        Preparing = "preparing",
        /// One calls the other.
        Dialing = "dialing",
        /// Both say that they are connected.
        Connected = "connected",
        /// It is being ended.
        Disconnecting = "disconnecting",
        /// One side can't be asked; the call is perhaps alive.
        Recovering = "recovering",
        /// It is no more.
        Idle = "idle",
    }
}

choice! {
    /// What a room is up to.
    pub RoomState {
        /// It can be called.
        Free = "free",
        /// It is in a call.
        Busy = "busy",
        /// It is out of use.
        Maintenance = "maintenance",
        /// It can't be reached.
        Offline = "offline",
    }
}

choice! {
    /// How far a call for a person is.
    pub HelpState {
        /// Nobody has seen it yet.
        Requested = "requested",
        /// Somebody comes.
        Acknowledged = "acknowledged",
        /// Nobody can be told: phone instead.
        Unreachable = "unreachable",
        /// It is well again.
        Closed = "closed",
    }
}

choice! {
    /// How bad it is.
    pub AlertLevel {
        /// It still works.
        Warning = "warning",
        /// It does not.
        Error = "error",
    }
}

choice! {
    /// Whether a device is there.
    pub(crate) Online {
        /// It is.
        Online = "online",
        /// It is not.
        Offline = "offline",
    }
}

choice! {
    /// Which mark of a snapshot.
    pub(crate) Mark {
        /// The first.
        Begin = "begin",
        /// The last.
        End = "end",
    }
}

/// Whether a device is there, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as in the usage of the verb")]
pub enum DeviceState {
    /// It answers.
    Online,
    /// It does not.
    Offline { reason: OfflineReason, since: Option<Timestamp> },
}

/// Whether an alert is still one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as in the usage of the verb")]
pub enum AlertState {
    /// It is.
    Raised { level: AlertLevel, text: Option<Text> },
    /// It is over.
    Clear,
}

/// The marks around a snapshot: what is between them is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as in the usage of the verb")]
pub enum Everything {
    /// Forget what you knew.
    Begin,
    /// Now you know all; so many facts were between the marks.
    End { lines: u32 },
}

impl Fact {
    pub(crate) fn parse(line: &str) -> Result<(Self, Arguments<'_>), Malformed> {
        let mut a = Arguments::parse(FACT_VERBS, line)?;
        let fact = match a.verb() {
            "accepted" => Self::Accepted { already: a.is("already"), id: a.key("id")? },
            "refused" => Self::Refused {
                id: a.key("id")?,
                reason: a.needed("reason")?,
                with: a.key("with")?,
                text: a.key("text")?,
            },
            "done" => Self::Done { id: a.key("id")? },
            "failed" => {
                Self::Failed { id: a.key("id")?, reason: a.needed("reason")?, text: a.key("text")? }
            }
            "link" => Self::Link {
                near: a.word()?,
                far: a.word()?,
                phase: a.word()?,
                by: a.key("by")?,
                since: time(&a, "since")?,
                asking: a.key("asking")?,
                reason: a.key("reason")?,
                side: a.key("side")?,
            },
            "connect" => Self::Connect { near: a.word()?, far: a.word()? },
            "disconnect" => Self::Disconnect {
                near: a.word()?,
                far: a.word()?,
                reason: a.key("reason")?,
                side: a.key("side")?,
            },
            "room" => Self::Room {
                room: a.word()?,
                state: a.word()?,
                with: a.key("with")?,
                other: a.key("other")?,
                city: a.key("city")?,
                title: a.key("title")?,
                since: time(&a, "since")?,
                until: time(&a, "until")?,
                stops: time(&a, "stops")?,
            },
            "device" => Self::Device {
                room: a.word()?,
                device: a.word()?,
                state: match a.word()? {
                    Online::Online => DeviceState::Online,
                    Online::Offline => DeviceState::Offline {
                        reason: a.needed("reason")?,
                        since: time(&a, "since")?,
                    },
                },
                role: a.key("role")?,
            },
            "offers" => {
                let (room, device) = (a.word()?, a.word()?);
                Self::Offers { room, device, offers: Offers::parse(&a)? }
            }
            "state" => Self::State { room: a.word()?, device: a.word()?, keys: a.keys()? },
            "alert" => Self::Alert {
                room: a.word()?,
                device: a.word()?,
                state: if a.is("clear") {
                    AlertState::Clear
                } else {
                    AlertState::Raised { level: a.needed("level")?, text: a.key("text")? }
                },
                code: a.needed("code")?,
            },
            "help" => Self::Help {
                room: a.word()?,
                state: a.word()?,
                by: a.key("by")?,
                text: a.key("text")?,
                since: time(&a, "since")?,
            },
            "alive" => Self::Alive,
            "everything" => Self::Everything(match a.word()? {
                Mark::Begin => Everything::Begin,
                Mark::End => Everything::End { lines: a.needed::<Number<_>>("lines")?.0 },
            }),
            verb => unreachable!("{verb} is in the table, and a test reads every row"),
        };
        a.finish()?;
        Ok((fact, a))
    }

    /// The first word of its line.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Link { .. } => "link",
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::Room { .. } => "room",
            Self::Device { .. } => "device",
            Self::Offers { .. } => "offers",
            Self::State { .. } => "state",
            Self::Alert { .. } => "alert",
            Self::Help { .. } => "help",
            Self::Alive => "alive",
            Self::Everything(_) => "everything",
        }
    }

    /// The same without as many of the last names of an offer as it is too long for a line; how many
    /// that are.
    #[must_use]
    pub fn fitting(mut self) -> (Self, usize) {
        let mut left_out = 0;
        while !self.fits()
            && let Self::Offers { offers, .. } = &mut self
            && offers.pop()
        {
            left_out += 1;
        }
        (self, left_out)
    }

    /// Whether it fits into a line with what every fact may carry.
    fn fits(&self) -> bool {
        self.write().bytes() + STAMP_BYTES <= LINE_BYTES_MAX
    }

    /// The same, in as many facts as are needed to fit into a line each: a long state is several.
    #[must_use]
    pub fn parts(self) -> Vec<Self> {
        let Self::State { room, device, keys } = self else { return vec![self] };
        let part = |keys| Self::State { room: room.clone(), device: device.clone(), keys };
        let mut parts: Vec<Self> = Vec::new();
        for (key, value) in keys {
            if let Some(Self::State { keys, .. }) = parts.last_mut() {
                let mut longer = keys.clone();
                longer.set(key.clone(), value.clone());
                if part(longer.clone()).fits() {
                    *keys = longer;
                    continue;
                }
            }
            parts.push(part(Keys::of(key, value)));
        }
        parts
    }
}

fn time(a: &Arguments<'_>, key: &str) -> Result<Option<Timestamp>, Malformed> {
    Ok(a.key::<Time>(key)?.map(|time| time.0))
}
