//! Client of the linebus message bus, async and blocking.
//!
//! A bus carries lines of text between programs: whoever has joined a topic hears what others
//! send to it. Nothing is stored. This crate connects to a bus, keeps connected, and hands a
//! program its messages without hiding what may have been lost.
//!
//! ```
//! # async fn bus() -> String {
//! #     let mut config = linebus_server::Config::default();
//! #     config.listen = vec!["127.0.0.1:0".parse().expect("an address")];
//! #     let listeners = linebus_server::Listeners::bind(&config).expect("a free port");
//! #     let address = listeners.addresses().next().expect("one");
//! #     tokio::spawn(async move {
//! #         linebus_server::run(listeners, &config, linebus_server::Controls::none()).await.expect("threads");
//! #     });
//! #     address.replace("tcp ", "linebus://")
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), linebus_client::Error> {
//! # let url = bus().await;
//! use linebus_client::{Client, Event};
//!
//! let (alice, mut events) = Client::connect(&url).await?;
//! alice.recv("rooms.*.lights").await?;
//!
//! let (bob, _) = Client::connect(&url).await?;
//! bob.send("rooms.vienna.lights", "on").await?;
//!
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Message(message) => {
//!             assert_eq!((message.topic.as_str(), message.text.as_str()), ("rooms.vienna.lights", "on"));
//!             break;
//!         }
//!         Event::Disconnected(lost) => eprintln!("{}; messages may be missing", lost.why),
//!         _ => {}
//!     }
//! }
//! bob.logoff().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What to know
//!
//! - **One connection, one stream.** [`Client`] is for speaking; clones share the connection.
//!   [`Events`] is everything that happens on it, in order: messages of all joined topics, notes,
//!   refused sends, the loss of the connection and its return.
//! - **At most once.** `send` has no answer. Nothing is ever sent a second time: what was under
//!   way when a connection broke is lost or not, and [`Event::Disconnected`] says so. Follow with
//!   [`Client::ping`] to know that all before it was routed, and end with [`Client::logoff`].
//! - **Connected again.** A lost connection is made again after a moment, longer each time, never
//!   the same for two clients; login and joins are repeated, then comes [`Event::Reconnected`].
//!   While there is no connection, calls fail with [`Error::Disconnected`] and nothing queues up.
//! - **Nothing grows without bound.** While a program leaves its events unread, the client stops
//!   reading, and the bus sees the slow receiver that it is. Answers come on the same connection,
//!   so a call in such a program ends in [`Error::AnswerTimeout`], which says how many events
//!   wait. Read [`Events`] in a task of their own, or drop them if they don't matter.
//! - **Fast alone, fast in masses.** A message goes out at once; those that come while the socket
//!   is busy share its next write. There are no timers.
//! - **Checked first.** Topics, names, control characters and lengths are checked before anything
//!   is sent.
//!
//! Questions and answers are a convention between programs: [`Client::ask`] and [`split_reply`].
//! Programs without async use [`blocking`].

mod ask;
mod asked;
mod back_off;
pub mod blocking;
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
#[cfg(test)]
mod tests;
mod tls;
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
pub use tls::Pem;
pub use url::{BusUrl, UrlError};
