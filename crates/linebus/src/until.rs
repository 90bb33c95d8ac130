//! When a command that listens stops: after so many messages, or after some time.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::exit::Failure;

/// When to stop.
#[derive(Debug, clap::Args)]
pub(crate) struct Until {
    /// Stop after so many messages.
    #[arg(short = 'n', long, value_name = "COUNT")]
    count: Option<NonZeroU64>,
    /// Stop after so many seconds, fractions allowed: exit code 124 if --count was not reached.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// A number of seconds, fractions allowed.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "a number of seconds is wanted, such as 2 or 0.5".to_owned())
}

/// Counts messages and watches the time.
#[derive(Debug)]
pub(crate) struct Limit {
    left: Option<u64>,
    end: Option<Instant>,
}

impl Until {
    /// Starts to count.
    pub(crate) fn begin(&self) -> Limit {
        Limit {
            left: self.count.map(NonZeroU64::get),
            end: self.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        }
    }
}

impl Limit {
    /// Counts a message; true if it was the last.
    pub(crate) fn count(&mut self) -> bool {
        self.left.as_mut().is_some_and(|left| {
            *left -= 1;
            *left == 0
        })
    }

    /// Returns when the time is up.
    pub(crate) async fn time_is_up(&self) {
        match self.end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// What it means that the time is up.
    ///
    /// # Errors
    /// If messages are still wanted.
    pub(crate) fn judge(&self) -> Result<(), Failure> {
        match self.left {
            None => Ok(()),
            Some(left) => {
                Err(Failure::TimedOut(format!("the time is up, {left} more messages were wanted")))
            }
        }
    }
}
