//! The conference rooms in a browser: a panel for each room and the administration.
//!
//! It knows the rooms only over the bus. What pages show is what was reported; a press goes out as
//! a line, and nothing is shown as done before a fact says so.

pub mod catalogue;
pub mod chronicle;
pub mod clock;
pub mod desk;
pub mod doors;
pub mod history;
pub mod house;
pub mod notices;
pub mod records;
pub mod registry;
pub mod run;
pub mod store;
pub mod view;
#[expect(clippy::result_large_err, reason = "an error is the whole answer to a request")]
pub mod web;
