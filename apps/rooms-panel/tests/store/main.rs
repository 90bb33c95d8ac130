//! The store and the writer of the history, each test against Postgres and SQLite.

mod addresses;
mod databases;
mod directory;
mod history;
mod samples;
mod search;
mod writer;
