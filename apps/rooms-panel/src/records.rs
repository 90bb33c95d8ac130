//! What the database holds, as types: the small tables that are also in memory ([`Directory`]) and
//! the history that only grows ([`Record`]).
//!
//! Times are whole milliseconds in the database. Names that people choose are text and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rooms_messages::RoomName;

/// All that has to be known to answer a request: read whole at the start, and written through, so
/// that panels go on when the database does not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// By name.
    pub accounts: BTreeMap<String, Account>,
    /// By the hash of their token.
    pub sessions: BTreeMap<TokenHash, Session>,
    /// By the hash of their token; revoked ones too.
    pub panels: BTreeMap<TokenHash, EnrolledPanel>,
    /// Codes that have not been used, by their hash.
    pub enrolments: BTreeMap<TokenHash, Enrolment>,
    /// What people call the rooms; one without an entry is listed as its file says.
    pub listings: BTreeMap<RoomName, Listing>,
    /// Who may call where, by id.
    pub grants: BTreeMap<i64, Grant>,
    /// By their key.
    pub settings: BTreeMap<String, String>,
}

/// SHA-256 of a token or code that only its bearer has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// In hexadecimal, as the database has it.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

impl FromStr for TokenHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut hash = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(format!("a hash has 64 digits, not {}", text.len()));
        }
        for (byte, pair) in hash.iter_mut().zip(pairs) {
            let digits = std::str::from_utf8(pair).map_err(|error| error.to_string())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?;
        }
        Ok(Self(hash))
    }
}

/// What a person may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See everything, change nothing.
    Viewer,
    /// Use the rooms, help, mute alerts.
    Operator,
    /// Change rooms, people, permissions and panels.
    Administrator,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// Its word, as the database and the pages have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is none of viewer, operator, administrator"))
    }
}

/// A person who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What they log in as.
    pub name: String,
    /// Of the password, by argon2id.
    pub hash: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may not log in.
    pub is_disabled: bool,
    /// Whether the password was given to them and has to be changed first.
    pub must_change: bool,
    /// When the account was made.
    pub created: Timestamp,
    /// Counts the changes: who changes an older one is told.
    pub version: i64,
}

/// Somebody is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Of the cookie.
    pub token: TokenHash,
    /// The name of the account.
    pub account: String,
    /// When it began.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// A tablet that shows one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledPanel {
    /// Of the cookie.
    pub token: TokenHash,
    /// The only room that it may show and press.
    pub room: RoomName,
    /// What people call it.
    pub name: String,
    /// Who made its code.
    pub by: String,
    /// Since when.
    pub enrolled: Timestamp,
    /// Since when not any more.
    pub revoked: Option<Timestamp>,
}

/// A code that makes a tablet the panel of a room, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Of the code.
    pub code: TokenHash,
    /// The room.
    pub room: RoomName,
    /// What the panel will be called.
    pub name: String,
    /// Who made it.
    pub by: String,
    /// Until when it can be used.
    pub expires: Timestamp,
}

/// A line of the catalogue: what administrators say of a room beside its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Which room.
    pub room: RoomName,
    /// In place of the file's city; empty for the file's.
    pub city: String,
    /// In place of the file's title; empty for the file's.
    pub title: String,
    /// Its time zone, such as `Europe/Lisbon`; empty for the server's.
    pub zone: String,
    /// Rooms are shown in this order, then by city.
    pub position: i64,
    /// Whether other rooms see it.
    pub is_listed: bool,
    /// For those who look after it.
    pub notes: String,
    /// Counts the changes: who changes an older one is told.
    pub version: i64,
}

/// Rooms may call others; a call needs one grant that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Any number.
    pub id: i64,
    /// Who calls; every room if none.
    pub from: Option<RoomName>,
    /// Who is called; every room if none.
    pub to: Option<RoomName>,
    /// On which days: bit 0 is Monday, bit 6 is Sunday.
    pub days: u8,
    /// From which minute of the caller's day.
    pub from_minute: u16,
    /// Until before which minute; 1440 is the day's end. Less than `from_minute` goes past midnight.
    pub to_minute: u16,
}

/// One thing that happened. Writing it again, with the same id, changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Two rooms were connected, or should have been.
    Call(Call),
    /// Somebody wished or changed something.
    Audit(Audit),
    /// A device needed care.
    Alert(Alert),
    /// A room called for a person.
    Help(Help),
}

/// Two rooms, from the wish to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Made of the rooms and the time, so that who sees the same call again writes the same.
    pub id: i64,
    /// Who called.
    pub near: RoomName,
    /// Who was called.
    pub far: RoomName,
    /// Who wished it; empty if nobody knows.
    pub by: String,
    /// When it began to be made.
    pub since: Timestamp,
    /// When both were connected.
    pub connected: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// Why it was over: a reason's word.
    pub reason: String,
    /// The room that ended it, if one did.
    pub side: Option<RoomName>,
}

/// Who wished or changed what, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Any number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// A person, a panel, or what the bus knows of who said it.
    pub who: String,
    /// The room, if it is of one.
    pub room: Option<RoomName>,
    /// The line on the bus, or what was changed in the administration.
    pub what: String,
    /// `accepted`, `refused`, `done`, `failed`; empty while nobody has answered.
    pub answer: String,
    /// The reason and the text of the answer.
    pub reason: String,
    /// When it was answered.
    pub answered: Option<Timestamp>,
}

/// A device that needed care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Any number.
    pub id: i64,
    /// The room.
    pub room: RoomName,
    /// The device.
    pub device: String,
    /// What it is: a word.
    pub code: String,
    /// `warning` or `error`.
    pub level: String,
    /// In words.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Who has seen it and wants to hear no more of it.
    pub muted_by: String,
}

/// A room that called for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// Any number.
    pub id: i64,
    /// The room.
    pub room: RoomName,
    /// Who asked.
    pub by: String,
    /// What for.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
    /// Who comes.
    pub acknowledged_by: String,
    /// Since when they know.
    pub acknowledged: Option<Timestamp>,
    /// When it was over.
    pub closed: Option<Timestamp>,
}
