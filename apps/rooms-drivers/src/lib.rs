//! Drivers of the rooms' devices, without IO inside: bytes and commands in, bytes and facts out.
//!
//! A [`Driver`] is given what its device sent, what people want and which of its timers rang; what
//! it wants done it writes into an [`Io`]. It has no socket, no clock and no task, so that a text
//! file can play a whole session with it ([`Driver`] says who does what around it).
//!
//! [`drivers`] lists the drivers with the settings that each takes, [`build`] makes one.
//! [`vocabulary`] says which states and commands a kind of device has. How a protocol's bytes look
//! is in the `wire` module of each driver, from both sides, for whoever plays the device.

mod bridge;
mod call;
pub mod cisco;
mod command;
mod driver;
mod exchange;
pub mod extron;
mod fuzz;
mod io;
pub mod itach;
mod lines;
pub mod lumens;
pub mod lutron;
pub mod pjlink;
pub mod polycom;
mod registry;
mod settings;
pub mod text;
pub mod visca;
pub mod vocabulary;

pub use call::{Call, CallFact, CallState, DialString, Direction, EndReason};
pub use command::{Command, Heading, Move, PresetAction, RelayAction, Speed, Volume, Zoom};
pub use driver::{CommandInfo, Driver, DriverInfo, Ticket, TimerId};
pub use fuzz::fuzz;
pub use io::{Effect, Fault, Io, Reason, Refusal};
pub use lines::Lines;
pub use registry::{BuildError, DriverEntry, Transport, build, drivers};
pub use settings::{Form, Key, SettingError, Settings, Wrong};

/// The page for people, whose example is run as a test.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
