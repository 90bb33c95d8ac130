//! Shapes: how many senders, receivers and topics, how large the payload, how receivers join.
//!
//! A shape is data. What it means in connections, joins and bytes is worked out in the plan; what it costs is measured
//! elsewhere.

use crate::BenchError;
use crate::payload::{NUMBER_DIGITS, NUMBERS};

/// The most joins on one connection; linebus refuses more (`too-many`).
pub const JOINS_PER_CONNECTION_MAX: usize = 4096;

/// How receivers join and who hears whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// Senders and receivers are dealt out evenly over the topics; each keeps to its one topic.
    Exact,
    /// Senders go round all topics; each receiver joins all of them by one wildcard.
    Wildcard,
    /// One sender goes round all topics; receivers join them by name, [`JOINS_PER_CONNECTION_MAX`] neighbours each, so
    /// that every message has one receiver and consecutive messages mostly the same one. That way the number of topics
    /// grows while writes to sockets stay as large as with one topic.
    Blocks,
}

/// Who sends to whom in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Connections that send.
    pub senders: usize,
    /// Connections that joined and receive.
    pub receivers: usize,
    /// Topics that are sent to.
    pub topics: usize,
    /// Size of the payload, without any framing.
    pub payload_bytes: usize,
    /// How receivers join.
    pub joining: Joining,
    /// Topics that are joined, by further connections, and never sent to.
    pub idle_topics: usize,
}

impl Shape {
    /// `senders` → `receivers` on one topic: every receiver hears every sender.
    pub const fn one_topic(senders: usize, receivers: usize, payload_bytes: usize) -> Shape {
        Shape {
            senders,
            receivers,
            topics: 1,
            payload_bytes,
            joining: Joining::Exact,
            idle_topics: 0,
        }
    }

    /// `pairs` topics with one sender and one receiver each.
    pub const fn pairs(pairs: usize, payload_bytes: usize) -> Shape {
        Shape {
            senders: pairs,
            receivers: pairs,
            topics: pairs,
            payload_bytes,
            joining: Joining::Exact,
            idle_topics: 0,
        }
    }

    /// One sender going round `topics`, one receiver joined by wildcard.
    pub const fn wildcard(topics: usize, payload_bytes: usize) -> Shape {
        Shape {
            senders: 1,
            receivers: 1,
            topics,
            payload_bytes,
            joining: Joining::Wildcard,
            idle_topics: 0,
        }
    }

    /// 1 → 1 on one topic while `topics` in all are joined.
    pub const fn among(topics: usize, payload_bytes: usize) -> Shape {
        Shape { idle_topics: topics.saturating_sub(1), ..Shape::one_topic(1, 1, payload_bytes) }
    }

    /// One sender going round `topics`, each joined by name.
    pub const fn spread(topics: usize, payload_bytes: usize) -> Shape {
        Shape {
            senders: 1,
            receivers: topics.div_ceil(JOINS_PER_CONNECTION_MAX),
            topics,
            payload_bytes,
            joining: Joining::Blocks,
            idle_topics: 0,
        }
    }

    /// The shapes of the comparison, in the order of its tables.
    pub fn standard() -> Vec<Shape> {
        vec![
            Shape::one_topic(1, 1, 16),
            Shape::one_topic(1, 1, 128),
            Shape::one_topic(1, 10, 128),
            Shape::one_topic(1, 10, 1024),
            Shape::one_topic(10, 1, 128),
            Shape::one_topic(10, 10, 128),
            Shape::one_topic(1, 100, 128),
            Shape::one_topic(1, 1000, 128),
            Shape::pairs(100, 128),
            Shape::wildcard(100, 128),
        ]
    }

    /// The word for it on command lines and in result files: `1-10-128`, `100x1-1-128`, `wildcard-100-128`,
    /// `spread-100-128`, `among-100-128`.
    pub fn key(&self) -> String {
        let payload = self.payload_bytes;
        match self.joining {
            Joining::Wildcard => format!("wildcard-{}-{payload}", self.topics),
            Joining::Blocks => format!("spread-{}-{payload}", self.topics),
            Joining::Exact if self.idle_topics > 0 => {
                format!("among-{}-{payload}", self.topics + self.idle_topics)
            }
            Joining::Exact if self.topics > 1 => format!(
                "{}x{}-{}-{payload}",
                self.topics,
                self.senders / self.topics,
                self.receivers / self.topics
            ),
            Joining::Exact => format!("{}-{}-{payload}", self.senders, self.receivers),
        }
    }

    /// The same for people: `1 → 10, 128 B`.
    pub fn title(&self) -> String {
        let payload = match self.payload_bytes {
            bytes if bytes >= 1024 && bytes % 1024 == 0 => format!("{} KiB", bytes / 1024),
            bytes => format!("{bytes} B"),
        };
        match self.joining {
            Joining::Wildcard => format!("wildcard over {} topics, {payload}", self.topics),
            Joining::Blocks => format!("spread over {} topics, {payload}", self.topics),
            Joining::Exact if self.idle_topics > 0 => {
                format!("1 → 1 among {} topics, {payload}", self.topics + self.idle_topics)
            }
            Joining::Exact if self.topics > 1 => format!(
                "{} topics, {} → {} each, {payload}",
                self.topics,
                self.senders / self.topics,
                self.receivers / self.topics
            ),
            Joining::Exact => format!("{} → {}, {payload}", self.senders, self.receivers),
        }
    }

    /// The same kind of shape with at most `most` of everything: takes the same paths in a fraction of the time.
    #[must_use]
    pub fn shrunk(&self, most: usize) -> Shape {
        let topics = self.topics.min(most);
        Shape {
            senders: self.senders.min(most),
            receivers: match self.joining {
                Joining::Blocks => topics.div_ceil(JOINS_PER_CONNECTION_MAX),
                Joining::Exact | Joining::Wildcard => self.receivers.min(most),
            },
            topics,
            payload_bytes: self.payload_bytes,
            joining: self.joining,
            idle_topics: self.idle_topics.min(most),
        }
    }

    /// Whether it takes topics to run it: some receiver doesn't hear all that its senders send, or hears nothing.
    #[must_use]
    pub fn needs_topics(&self) -> bool {
        self.idle_topics > 0 || (self.joining == Joining::Blocks && self.receivers > 1)
    }

    /// Whether the numbers fit together.
    ///
    /// # Errors
    /// [`BenchError::Shape`] says what doesn't.
    pub fn check(&self) -> Result<(), BenchError> {
        let why = if self.senders == 0 || self.receivers == 0 || self.topics == 0 {
            "it needs a sender, a receiver and a topic"
        } else if self.payload_bytes < NUMBER_DIGITS {
            "payloads carry a number of 8 digits"
        } else if u64::try_from(self.topics).is_ok_and(|topics| topics >= NUMBERS) {
            "more topics than 8 digits can number"
        } else if self.joining == Joining::Exact
            && !(self.senders.is_multiple_of(self.topics)
                && self.receivers.is_multiple_of(self.topics))
        {
            "senders and receivers can't be dealt out evenly over the topics"
        } else if self.joining == Joining::Blocks
            && (self.senders != 1
                || self.receivers != self.topics.div_ceil(JOINS_PER_CONNECTION_MAX))
        {
            "spread wants one sender, and a receiver for every 4096 topics"
        } else {
            return Ok(());
        };
        Err(BenchError::Shape { why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standard_shape_is_sound_and_has_its_own_key() {
        let mut shapes = Shape::standard();
        shapes.extend([Shape::among(100_000, 128), Shape::spread(100_000, 128)]);
        let mut keys: Vec<String> = shapes.iter().map(Shape::key).collect();
        for shape in &shapes {
            shape.check().expect("a sound shape");
            shape.shrunk(4).check().expect("a sound shape");
        }
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), shapes.len());
    }

    #[test]
    fn keys_and_titles_read_as_written() {
        let named = |shape: Shape| (shape.key(), shape.title());
        assert_eq!(
            named(Shape::one_topic(1, 10, 1024)),
            ("1-10-1024".into(), "1 → 10, 1 KiB".into())
        );
        assert_eq!(
            named(Shape::pairs(100, 128)),
            ("100x1-1-128".into(), "100 topics, 1 → 1 each, 128 B".into())
        );
        assert_eq!(named(Shape::wildcard(100, 128)).0, "wildcard-100-128".to_owned());
        assert_eq!(named(Shape::among(100, 128)).0, "among-100-128".to_owned());
        assert_eq!(named(Shape::spread(10_000, 128)).0, "spread-10000-128".to_owned());
    }

    #[test]
    fn uneven_shapes_are_refused() {
        let mut shape = Shape::pairs(3, 128);
        shape.senders = 4;
        assert!(matches!(shape.check(), Err(BenchError::Shape { .. })));
        assert!(Shape::one_topic(1, 1, 7).check().is_err());
        assert!(Shape::one_topic(1, 0, 16).check().is_err());
    }
}
