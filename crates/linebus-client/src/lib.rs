//! Client of the linebus message bus, async and blocking
mod ask;
mod asked;
mod back_off;
mod builder;
mod client;
mod driver;
mod error;
mod event;
mod events;
mod inbox;
mod line_buffer;
mod outgoing;
mod shared;
mod transport;
mod url;

pub use ask::{Answers, split_reply};
pub use asked::{Connected, JoinedTopic};
pub use builder::Builder;
pub use client::Client;
pub use error::{Error, Lost, Refused};
pub use event::{Disconnected, Event, Message};
pub use events::Events;
pub use linebus_protocol::{BadTopic, ByeReason, ErrorCode};
pub use url::{BusUrl, UrlError};
