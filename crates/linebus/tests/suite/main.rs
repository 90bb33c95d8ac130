//! The real binary, from outside. One program, so that tests of different files run side by side and
//! are linked once.

mod accounts;
mod bot;
mod cli;
mod environment;
mod every_state;
mod examples;
mod hostile;
mod incidents;
mod log;
mod metrics;
mod operations;
mod packaging;
mod pressure;
mod record;
mod recorded;
mod serve;
mod tls;
mod top;
mod user;

use std::path::Path;

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_linebus"))
}

/// What a program has printed.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("it prints text")
}
