//! How a record is kept: names, when another file begins, what becomes of old ones.

use std::time::Duration;

use crate::template::Template;

/// How a record is kept. 0 stands for no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How files are named.
    pub file: Template,
    /// Another file begins before one would have more bytes than this.
    pub rotate_bytes: u64,
    /// Another file begins with the first line of each so many hours, counted in UTC: with 24, at
    /// midnight.
    pub rotate_hours: u32,
    /// Compress files that are complete.
    pub compress: bool,
    /// What was written reaches the disk within so many milliseconds: what a crash of the machine
    /// can lose.
    pub sync_ms: u64,
    /// Remove files so many days after their last line.
    pub keep_days: u32,
    /// Remove the oldest files so that all together have no more bytes than this.
    pub keep_bytes: u64,
    /// Most bytes of lines that wait for a slow disk. What comes beyond is lost, and the gap counted.
    pub queue_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: Template::default(),
            rotate_bytes: 256 << 20,
            rotate_hours: 24,
            compress: false,
            sync_ms: 1_000,
            keep_days: 0,
            keep_bytes: 0,
            queue_bytes: 64 << 20,
        }
    }
}

impl Options {
    /// What is wrong with `keep_bytes`, if something is: the file that is being written is one of
    /// those that count, and must not be the one to go.
    #[must_use]
    pub fn too_little_kept(&self) -> Option<String> {
        let least = self.rotate_bytes.saturating_mul(2);
        (self.keep_bytes > 0 && self.keep_bytes < least).then(|| {
            format!("at least twice rotate_bytes is wanted, {least}; or 0 to keep everything")
        })
    }

    pub(crate) fn sync_interval(&self) -> Duration {
        Duration::from_millis(self.sync_ms.max(1))
    }

    /// So old may a file be.
    pub(crate) fn keep_for(&self) -> Option<Duration> {
        (self.keep_days > 0).then(|| Duration::from_secs(u64::from(self.keep_days) * 24 * 60 * 60))
    }
}
