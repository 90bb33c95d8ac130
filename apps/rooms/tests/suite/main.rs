//! The real binary, from outside. One program, so that tests of different files run side by side
//! and are linked once.

mod backup;
mod check;

const ROOMS: &str = env!("CARGO_BIN_EXE_rooms");

/// What a program has printed.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("it prints text")
}
