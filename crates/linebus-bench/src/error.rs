//! What can go wrong in a measurement. Not the place for advice: the binaries add that.

use std::io;
use std::time::Duration;

/// Why a measurement gave no number.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The operating system refused something.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried, to stand after "cannot".
        doing: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// Encryption could not be set up.
    #[error("cannot encrypt: {0}")]
    Tls(#[from] rustls::Error),
    /// The server ended a connection in mid-run.
    #[error("the server closed a connection; its last words: {said:?}")]
    Closed {
        /// What had arrived and was not yet understood, made printable.
        said: String,
    },
    /// The server answered something else than it should while connecting or joining, or spoke to a mere sender.
    #[error("expected {expected:?}, the server said {said:?}")]
    Answer {
        /// The beginning of what was due.
        expected: String,
        /// The beginning of what came.
        said: String,
    },
    /// A receiver got something that is no delivery, or not the one that was its turn.
    #[error("delivery {number} is {said:?}, expected {expected:?}")]
    WrongDelivery {
        /// Which one of this receiver's deliveries, from 0.
        number: u64,
        /// The beginning of what was due.
        expected: String,
        /// The beginning of what came.
        said: String,
    },
    /// Deliveries are missing.
    #[error("lost {missing} of {expected} deliveries")]
    Lost {
        /// How many at least.
        missing: u64,
        /// How many were due by then, to the receiver that noticed or to all.
        expected: u64,
    },
    /// Nothing moved for too long, or the run as a whole took too long.
    #[error("no end of {doing} after {waited:?}")]
    Stalled {
        /// What was going on.
        doing: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The shape contradicts itself or cannot be had over this protocol.
    #[error("this shape cannot run: {why}")]
    Shape {
        /// What is in the way.
        why: &'static str,
    },
}

impl BenchError {
    /// For `map_err`: `doing` stands after "cannot".
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> BenchError {
        move |source| BenchError::Io { doing, source }
    }
}

/// The beginning of some bytes, printable, for error texts. 120 bytes tell enough: verb, topic and half a payload.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const EXCERPT_BYTES_MAX: usize = 120;
    let shown = &bytes[..bytes.len().min(EXCERPT_BYTES_MAX)];
    String::from_utf8_lossy(shown).into_owned()
}
