//! The words of the conference rooms: what people wish (topic [`WISHES`]) and what is so (topic
//! [`FACTS`]), one line each.
//!
//! A [`Request`] is a [`Wish`] with the keys that every wish may carry, a [`Report`] a [`Fact`]
//! with the keys that every fact may carry. Both are read with `parse` and written with `to_line`,
//! and what was written is read back as the same. A [`Frame`] is what a traced
//! device was told or said (topic [`FRAMES`]). `apps/rooms/MESSAGES.md` is the description for
//! those who join in another language. No IO, no clock.
//!
//! ```
//! use rooms_messages::{Request, Wish};
//!
//! let request = Request::parse("connect room1 room2")?;
//! let Wish::Connect { near, far } = &request.wish else { panic!("it is a connect") };
//! assert_eq!((near.as_str(), far.as_str()), ("room1", "room2"));
//! assert_eq!(request.to_line()?, "connect room1 room2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arguments;
mod choice;
mod error;
mod fact;
mod frame;
mod keys;
mod line;
mod name;
mod number;
mod offers;
mod reason;
mod report;
mod request;
mod text;
mod verb;
mod wish;

pub use choice::NotOneOf;
pub use error::{BadName, Malformed, TooLong};
pub use fact::{
    AlertLevel, AlertState, DeviceState, Everything, Fact, HelpState, Phase, RoomState,
};
pub use frame::{Frame, FrameWay};
/// Times are RFC 3339 on the wire.
pub use jiff::Timestamp;
pub use keys::{Key, Keys};
pub use line::{LINE_BYTES_MAX, WORD_BYTES_MAX};
pub use name::{DeviceName, ID_CHARACTERS_MAX, Id, RoomName, Word};
pub use offers::{DeviceVerb, Offers, PresetName};
pub use reason::{OfflineReason, Reason};
pub use report::{Epoch, Report};
pub use request::Request;
pub use text::Text;
pub use verb::{FACT_VERBS, FRAME_VERBS, Verb, WISH_VERBS};
pub use wish::{
    Direction, HelpWish, Percent, PresetAction, Snapshot, Switch, Volume, Wish, ZoomTo,
};

/// The topic of wishes, from panels to the rooms.
pub const WISHES: &str = "syslib";
/// The topic of facts, from the rooms to everybody.
pub const FACTS: &str = "rooms";
/// The topic of frames, from the rooms to who looks into what a device was told and said.
pub const FRAMES: &str = "frames";
