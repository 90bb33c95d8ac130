//! The simulator: plays every device of every room over TCP, UDP, serial bridges and
//! pseudo-terminals, with codecs wired to each other and faults on demand.
//!
//! A [`Model`] per protocol is a device: bytes in, bytes out, time as an argument. The [`World`]
//! has them all, the calls between codecs, and the faults of lines; it is pure too, so that tests
//! play a whole day in a moment. [`run`] puts sockets, bus and clock around it.

mod calls;
mod lines;
mod model;
mod models;
mod order;
mod rfc2217;
mod run;
mod script;
mod world;

pub use calls::{CallAction, CallNews, Calls, News, Stage};
pub use model::{Defect, Effect, Model, Out};
pub use order::{Fault, Order};
pub use run::{Options, TOPIC, run};
pub use world::{Frame, LineOrder, World};
