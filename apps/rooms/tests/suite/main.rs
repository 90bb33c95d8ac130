//! The real binary, from outside, and its parts against what nobody here wrote. One program, so that
//! tests of different files run side by side and are linked once.

mod acceptance;
mod backup;
mod bridges;
mod check;
mod demo;
mod devices;
mod models;
mod panel;
mod programs;
mod simulate;

const ROOMS: &str = env!("CARGO_BIN_EXE_rooms");

/// What a program has printed.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("it prints text")
}
