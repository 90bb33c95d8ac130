//! Listening for the system's signals.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for a signal from now on; the error says which one could not be.
pub(crate) fn listen(kind: SignalKind, name: &str) -> anyhow::Result<Signal> {
    signal(kind).with_context(|| format!("can't listen for {name}"))
}
