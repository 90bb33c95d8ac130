//! The time, as the database has it too.

use jiff::Timestamp;

/// Now, in whole milliseconds.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
