//! A transcript per row of the table and per rule, the model check, and long random runs.

mod check;
mod config;
mod ledger;
mod model;
mod random;
mod reconfigure;
mod rules;
mod steps;
mod transcript;
mod world;
