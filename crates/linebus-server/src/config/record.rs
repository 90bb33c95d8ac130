//! The `[record]` table: whether and how what is said on the bus is recorded.

use std::path::PathBuf;

use linebus_record::Options;

use super::reader::Reader;

/// What is recorded, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordConfig {
    /// The folder of the record; without one nothing is recorded.
    pub folder: Option<PathBuf>,
    /// Patterns of what is recorded.
    pub topics: Vec<Box<str>>,
    /// How the record is kept.
    pub options: Options,
}

impl Default for RecordConfig {
    fn default() -> Self {
        let topics = vec![">".into(), linebus_protocol::CLIENTS_TOPIC.into()];
        Self { folder: None, topics, options: Options::default() }
    }
}

impl RecordConfig {
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) {
        reader.path("record.folder", &mut self.folder);
        let mut topics = Vec::new();
        reader.patterns("record.topics", |_| None, &mut topics);
        if reader.has("record.topics") {
            self.topics = topics;
        }
        let Options {
            file,
            rotate_bytes,
            rotate_hours,
            compress,
            sync_ms,
            keep_days,
            keep_bytes,
            queue_bytes,
        } = &mut self.options;
        let mut template = file.to_string();
        reader.text("record.file", &mut template);
        match template.parse() {
            Ok(template) => *file = template,
            Err(wrong) => reader.problem("record.file", format!("{template:?}: {wrong}")),
        }
        reader.number("record.rotate_bytes", 0..=1 << 50, rotate_bytes);
        reader.number("record.rotate_hours", 0..=1_000_000, rotate_hours);
        reader.switch("record.compress", compress);
        reader.number("record.sync_ms", 1..=3_600_000, sync_ms);
        reader.number("record.keep_days", 0..=1_000_000, keep_days);
        reader.number("record.keep_bytes", 0..=1 << 60, keep_bytes);
        reader.number("record.queue_bytes", 1 << 20..=1 << 40, queue_bytes);
        if let Some(wrong) = self.options.too_little_kept() {
            reader.problem("record.keep_bytes", wrong);
        }
        if self.topics.is_empty() {
            let text = "a pattern is wanted, such as \">\"; to record nothing, leave folder empty";
            reader.problem("record.topics", text.to_owned());
        }
    }
}
