//! The store and the writer of the history, each test against Postgres and SQLite.
#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod addresses;
mod databases;
mod directory;
mod history;
mod samples;
mod search;
mod writer;
