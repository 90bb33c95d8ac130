//! The backup of the conference rooms: its words on the topic [`TOPIC`], and both sides of it.
//!
//! An [`Owner`] keeps a [`Keeper`] up to date with its data sets; a [`Restore`] gets them back.
//! All three are state machines: lines and time in, lines out, and nothing else but the
//! [`Store`] of the keeper. Time is a duration since any moment, the same one for every call.
//! Lines may be lost, doubled or late; what is kept in the end is byte-equal to what was given.
//! `apps/rooms/BACKUP.md` describes it for those who join in another language.
//!
//! Whoever lacks bytes asks for them, in both directions ([`Message::Want`]): so the side that
//! sends remembers nothing, loss is noticed by the one whom it concerns, and nobody is sent more
//! than it asked for.

mod asking;
mod catalogue;
mod hash;
mod incoming;
mod keeper;
mod message;
mod name;
mod owner;
mod parts;
mod restore;
mod retry;

pub use catalogue::{BadCatalogue, Catalogue, Entry};
pub use hash::Hash;
pub use keeper::{Counts, Keeper, KeeperLimits, Store, StoreError, Told};
pub use message::{Malformed, Message, RefusedReason, VERSION_MAX};
pub use name::{BadName, DataSetName, NAME_BYTES_MAX, OWNER_BYTES_MAX, OwnerName};
pub use owner::{Owner, Refusal, Status};
pub use parts::{BadRanges, PART_BYTES_MAX, RANGES_MAX, Ranges, WANTED_PARTS_MAX, part_bytes};
pub use restore::{Restore, Restored};
pub use retry::Patience;

/// The topic of the backup.
pub const TOPIC: &str = "backup";

/// A data set has at most so many bytes; beyond, it is refused. Room files have a few thousand.
pub const DATA_SET_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An owner has at most so many data sets, those that are gone but still kept among them.
pub const DATA_SETS_MAX: usize = 4096;

/// A bus that takes no longer lines than this can't carry a backup.
pub const LINE_BYTES_MIN: usize = 1024;
