//! For the tests of linebus: transcripts, and servers to run them against.
//!
//! Not for production: everything here panics when it does not get what it waits for.

pub mod by_hand;
pub mod bystanders;
pub mod certificates;
pub mod fuzz;
pub mod http;
pub mod ledger;
pub mod model;
pub mod postgres;
pub mod process;
pub mod rules;
pub mod simulation;
pub mod soak;
pub mod telnet;
pub mod terminal;
pub mod tls;
pub mod transcript;
pub mod users;
