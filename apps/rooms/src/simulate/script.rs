//! A script: a line per order, with the time when it is given.

use std::time::Duration;

use super::order::{Order, time};

/// Orders and their times, the first one first.
#[derive(Debug, Default)]
pub(super) struct Script {
    lines: Vec<(Duration, String)>,
}

impl Script {
    /// Reads `2.5s fault room-a projector no-reply`, one a line; `#` begins a remark.
    ///
    /// # Errors
    /// Every line that is wrong, with its number.
    pub(super) fn parse(text: &str) -> Result<Script, Vec<String>> {
        let (mut lines, mut wrong) = (Vec::new(), Vec::new());
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (when, order) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            match (time(when), Order::parse(order)) {
                (Some(when), Ok(_)) => lines.push((when, order.trim().to_owned())),
                (None, _) => wrong.push(format!(
                    "line {}: {when:?} is no time; write 2s or 2.5s, then the order",
                    at + 1
                )),
                (_, Err(error)) => wrong.push(format!("line {}: {error}", at + 1)),
            }
        }
        // Those of the same time stay in their order.
        lines.sort_by_key(|(when, _)| *when);
        if wrong.is_empty() { Ok(Script { lines }) } else { Err(wrong) }
    }

    /// When the next order is to be given.
    pub(super) fn due(&self) -> Option<Duration> {
        self.lines.first().map(|(when, _)| *when)
    }

    /// The next order, if it is time.
    pub(super) fn next(&mut self, now: Duration) -> Option<String> {
        let is_due = self.due().is_some_and(|due| due <= now);
        is_due.then(|| self.lines.remove(0).1)
    }
}

#[cfg(test)]
mod tests;
