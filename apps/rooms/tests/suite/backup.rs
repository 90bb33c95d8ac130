//! Backup and restore as people run them, over a real bus, with whatever may happen meanwhile.

mod commands;
mod killed;
mod lost;
mod others;
mod processes;
mod state;
mod trouble;

use std::time::Duration;

use rooms_backup::{DataSetName, OwnerName, Patience};

/// How long to wait before asking again, for tests that lose lines.
const PATIENCE: Patience =
    Patience { first: Duration::from_millis(200), most: Duration::from_millis(400) };

/// For what must come: far longer than it ever takes.
const LIMIT: Duration = Duration::from_secs(60);

fn name(text: &str) -> DataSetName {
    DataSetName::new(text).expect("a name")
}

fn owner(text: &str) -> OwnerName {
    text.parse().expect("an owner")
}
