//! How a line of the log looks.

/// The forms that a log can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: time, level, part of the program, text, fields.
    #[default]
    Text,
    /// For programs: an object per line.
    Json,
}

impl LogFormat {
    /// Each with its word in the configuration.
    pub(crate) const ALL: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}
