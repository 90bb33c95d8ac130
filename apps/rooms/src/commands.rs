//! The subcommands: their arguments, and what people see of them.

pub(crate) mod backup;
mod bus;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod keep;
pub(crate) mod panel;
pub(crate) mod simulate;

use std::process::ExitCode;

use rooms_files::Mistake;

/// Every mistake in the room files, on standard error.
fn explain(mistakes: &[Mistake]) -> ExitCode {
    for mistake in mistakes {
        eprintln!("rooms: {mistake}");
    }
    ExitCode::FAILURE
}
