//! From a shape and a protocol to bytes: what each sender writes, round and round, and what each receiver must get.
//!
//! Everything is built before the clock starts. No sockets here.

use std::rc::Rc;

use crate::BenchError;
use crate::error::excerpt;
use crate::payload;
use crate::protocol::{Delivery, Join, Wire};
use crate::shape::{JOINS_PER_CONNECTION_MAX, Joining, Shape};

/// A sender's bytes are at least this many, so that one write can fill a socket buffer.
const BATCH_BYTES_MIN: usize = 64 << 10;

/// All topics of a run live below this word.
const TOPICS_BELOW: &str = "bench";

/// Everything that a run needs to know before it connects.
pub(crate) struct Plan {
    /// Senders and receivers that have to do with each other.
    pub(crate) groups: Vec<Group>,
    /// What each further connection joins, without ever hearing anything.
    pub(crate) idle: Vec<Vec<Join>>,
}

/// Senders of one batch and their receivers.
pub(crate) struct Group {
    pub(crate) senders: usize,
    pub(crate) batch: Batch,
    pub(crate) receivers: Vec<Ear>,
}

/// One receiver: what it joins, what it must hear.
pub(crate) struct Ear {
    pub(crate) joins: Rc<[Join]>,
    pub(crate) hears: Rc<Hears>,
}

/// Messages in the bytes of their protocol; senders start over at the end.
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// All messages of a run have one size.
    pub(crate) message_len: usize,
    pub(crate) messages: u64,
}

/// The deliveries that one round of a batch causes at one receiver.
pub(crate) struct Hears {
    /// All of them, one after the other, as they should arrive.
    bytes: Vec<u8>,
    /// All deliveries on one connection have one size.
    pub(crate) delivery_len: usize,
    payload_at: usize,
    /// How many deliveries a round of the batch makes here, and from which message of the batch on.
    per_round: u64,
    first: u64,
    batch_messages: u64,
    /// With one sender the order is known; with several, only that each delivery is one of the batch.
    ordered: bool,
}

impl Plan {
    /// Works out a run.
    pub(crate) fn new(shape: &Shape, wire: &dyn Wire) -> Result<Plan, BenchError> {
        shape.check()?;
        let names = topic_names(shape.topics + shape.idle_topics);
        let (sent_to, idle) = names.split_at(shape.topics);
        let groups = match shape.joining {
            Joining::Exact => sent_to
                .iter()
                .map(|topic| {
                    let topics = std::slice::from_ref(topic);
                    let joins = vec![Join::Exact(topic.clone())];
                    heard_by_all(shape, wire, topics, joins, shape.topics)
                })
                .collect::<Result<_, _>>()?,
            Joining::Wildcard => {
                let joins = vec![Join::Below(TOPICS_BELOW.to_owned())];
                vec![heard_by_all(shape, wire, sent_to, joins, 1)?]
            }
            Joining::Blocks => vec![heard_in_blocks(shape, wire, sent_to)?],
        };
        let idle = idle
            .chunks(JOINS_PER_CONNECTION_MAX)
            .map(|block| block.iter().cloned().map(Join::Exact).collect())
            .collect();
        Ok(Plan { groups, idle })
    }
}

/// Names of equal length: `bench.00` to `bench.99`.
pub(crate) fn topic_names(count: usize) -> Vec<String> {
    let digits = count.saturating_sub(1).to_string().len();
    (0..count).map(|number| format!("{TOPICS_BELOW}.{number:0digits$}")).collect()
}

/// A group in which every receiver hears every message; one of `groups` equal ones.
fn heard_by_all(
    shape: &Shape,
    wire: &dyn Wire,
    topics: &[String],
    joins: Vec<Join>,
    groups: usize,
) -> Result<Group, BenchError> {
    let senders = shape.senders / groups;
    let batch = Batch::new(shape, wire, topics)?;
    let deliveries = batch.numbered(topics).map(|(number, topic)| {
        let payload = payload::build(number, shape.payload_bytes);
        wire.delivery(&joins, 0, topic, &payload)
    });
    let hears = Rc::new(Hears::new(deliveries, 0, batch.messages, senders == 1)?);
    let joins: Rc<[Join]> = joins.into();
    let receivers = (0..shape.receivers / groups)
        .map(|_| Ear { joins: Rc::clone(&joins), hears: Rc::clone(&hears) })
        .collect();
    Ok(Group { senders, batch, receivers })
}

/// One sender, and a receiver for each block of neighbouring topics.
fn heard_in_blocks(shape: &Shape, wire: &dyn Wire, topics: &[String]) -> Result<Group, BenchError> {
    let batch = Batch::new(shape, wire, topics)?;
    let messages: Vec<(u64, &String)> = batch.numbered(topics).collect();
    // Several blocks are so many topics that a batch is one round of them; a single block hears every round.
    let blocks =
        messages.chunks(messages.len().div_ceil(shape.receivers).max(JOINS_PER_CONNECTION_MAX));
    let receivers = topics
        .chunks(JOINS_PER_CONNECTION_MAX)
        .zip(blocks)
        .map(|(block, heard)| {
            let joins: Rc<[Join]> = block.iter().cloned().map(Join::Exact).collect();
            let deliveries = heard.iter().enumerate().map(|(place, &(number, topic))| {
                let payload = payload::build(number, shape.payload_bytes);
                wire.delivery(&joins, place % block.len(), topic, &payload)
            });
            let hears = Hears::new(deliveries, heard[0].0, batch.messages, true)?;
            Ok(Ear { hears: Rc::new(hears), joins: Rc::clone(&joins) })
        })
        .collect::<Result<_, BenchError>>()?;
    Ok(Group { senders: 1, batch, receivers })
}

impl Batch {
    /// Whole rounds over `topics`, at least [`BATCH_BYTES_MIN`].
    fn new(shape: &Shape, wire: &dyn Wire, topics: &[String]) -> Result<Batch, BenchError> {
        let mut first = Vec::new();
        let payload = payload::build(0, shape.payload_bytes);
        wire.send(&topics[0], &payload, &mut first);
        let message_len = first.len();
        let rounds = BATCH_BYTES_MIN.div_ceil(message_len * topics.len());
        let messages = u64::try_from(rounds * topics.len()).expect("a length fits 64 bits");
        let mut batch = Batch {
            bytes: Vec::with_capacity(rounds * topics.len() * message_len),
            message_len,
            messages,
        };
        let mut bytes = std::mem::take(&mut batch.bytes);
        for (number, topic) in batch.numbered(topics) {
            wire.send(topic, &payload::build(number, shape.payload_bytes), &mut bytes);
        }
        batch.bytes = bytes;
        if batch.bytes.len() != rounds * topics.len() * message_len {
            return Err(BenchError::Shape { why: "messages of one run differ in size" });
        }
        Ok(batch)
    }

    /// Each message's number and topic.
    fn numbered<'a>(
        &self,
        topics: &'a [String],
    ) -> impl Iterator<Item = (u64, &'a String)> + use<'a> {
        (0..self.messages).zip(topics.iter().cycle())
    }
}

impl Hears {
    fn new(
        deliveries: impl Iterator<Item = Delivery>,
        first: u64,
        batch_messages: u64,
        ordered: bool,
    ) -> Result<Hears, BenchError> {
        let mut hears = Hears {
            bytes: Vec::new(),
            delivery_len: 0,
            payload_at: 0,
            per_round: 0,
            first,
            batch_messages,
            ordered,
        };
        for delivery in deliveries {
            if hears.per_round == 0 {
                hears.delivery_len = delivery.bytes.len();
                hears.payload_at = delivery.payload_at;
            } else if (hears.delivery_len, hears.payload_at)
                != (delivery.bytes.len(), delivery.payload_at)
            {
                return Err(BenchError::Shape { why: "deliveries to one receiver differ in size" });
            }
            hears.bytes.extend_from_slice(&delivery.bytes);
            hears.per_round += 1;
        }
        Ok(hears)
    }

    /// How many deliveries are due here once `sent` messages of the batch, round and round, were sent.
    pub(crate) fn due(&self, sent: u64) -> u64 {
        let rounds = sent / self.batch_messages;
        let begun = (sent % self.batch_messages).saturating_sub(self.first).min(self.per_round);
        rounds * self.per_round + begun
    }

    /// Whether `delivery` is the one that must come after `number` others.
    pub(crate) fn check(&self, number: u64, delivery: &[u8]) -> Result<(), BenchError> {
        let said = delivery
            .get(self.payload_at..)
            .and_then(payload::number)
            .and_then(|message| message.checked_sub(self.first))
            .filter(|place| *place < self.per_round);
        let due = number % self.per_round;
        let place = if self.ordered { Some(due) } else { said };
        if place.is_some_and(|place| self.at(place) == delivery) {
            return Ok(());
        }
        match said {
            // A sound delivery, but a later one: those between are missing. Rounds look alike, so it may be more.
            Some(place) if self.at(place) == delivery => Err(BenchError::Lost {
                missing: (place + self.per_round - due) % self.per_round,
                expected: number + 1,
            }),
            _ => Err(BenchError::WrongDelivery {
                number,
                expected: excerpt(self.at(due)),
                said: excerpt(delivery),
            }),
        }
    }

    fn at(&self, place: u64) -> &[u8] {
        let place = usize::try_from(place).expect("the place of a delivery that is in memory");
        let start = place * self.delivery_len;
        &self.bytes[start..start + self.delivery_len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    fn hears(shape: &Shape, receiver: usize) -> Rc<Hears> {
        let plan = Plan::new(shape, Protocol::Linebus.wire()).expect("as planned");
        Rc::clone(&plan.groups[0].receivers[receiver].hears)
    }

    #[test]
    fn pairs_make_a_group_for_each_topic() {
        let plan = Plan::new(&Shape::pairs(12, 16), Protocol::Nats.wire()).expect("as planned");
        assert_eq!(plan.groups.len(), 12);
        for (number, group) in plan.groups.iter().enumerate() {
            assert_eq!((group.senders, group.receivers.len()), (1, 1));
            let topic = format!("bench.{number:02}");
            assert_eq!(*group.receivers[0].joins, [Join::Exact(topic)]);
            assert!(group.batch.bytes.len() >= BATCH_BYTES_MIN);
        }
    }

    #[test]
    fn wildcard_batches_are_whole_rounds_of_topics() {
        let plan =
            Plan::new(&Shape::wildcard(100, 128), Protocol::Linebus.wire()).expect("as planned");
        let batch = &plan.groups[0].batch;
        assert_eq!(batch.messages % 100, 0);
        assert!(batch.bytes.starts_with(b"send bench.00 00000000"));
        assert!(batch.bytes[batch.message_len..].starts_with(b"send bench.01 00000001"));
    }

    #[test]
    fn every_protocol_can_plan_every_standard_shape() {
        for protocol in Protocol::ALL {
            for shape in Shape::standard() {
                Plan::new(&shape, protocol.wire()).expect("as planned");
            }
        }
    }

    #[test]
    fn spread_topics_are_due_block_by_block() {
        let shape = Shape::spread(5000, 16);
        let (first, second) = (hears(&shape, 0), hears(&shape, 1));
        for (sent, due) in [
            (0, (0, 0)),
            (10, (10, 0)),
            (4096, (4096, 0)),
            (4099, (4096, 3)),
            (5000, (4096, 904)),
            (5001, (4097, 904)),
            (9999, (8192, 1807)),
        ] {
            assert_eq!((first.due(sent), second.due(sent)), due, "after {sent}");
        }
        second.check(0, b"recv bench.4096 00004096ijklmnop\n").expect("as planned");
    }

    #[test]
    fn a_few_spread_topics_are_heard_by_one_receiver_round_after_round() {
        let hears = hears(&Shape::spread(100, 128), 0);
        assert_eq!(hears.due(12_345), 12_345);
        assert!(hears.at(101).starts_with(b"recv bench.01 00000101"));
    }

    #[test]
    fn a_gap_is_lost_and_anything_else_is_wrong() {
        let hears = hears(&Shape::one_topic(1, 1, 8), 0);
        hears.check(3, b"recv bench.0 00000003\n").expect("as planned");
        assert!(matches!(
            hears.check(3, b"recv bench.0 00000010\n"),
            Err(BenchError::Lost { missing: 7, expected: 4 })
        ));
        assert!(matches!(
            hears.check(3, b"recv bench.0 0000003x\n"),
            Err(BenchError::WrongDelivery { number: 3, .. })
        ));
    }

    #[test]
    fn several_senders_may_interleave_whole_messages() {
        let hears = hears(&Shape::one_topic(10, 1, 8), 0);
        hears.check(3, b"recv bench.0 00000010\n").expect("as planned");
        assert!(hears.check(3, b"recv bench.0 0000001\n0").is_err());
    }

    #[test]
    fn idle_topics_are_joined_in_blocks_and_never_sent_to() {
        let plan =
            Plan::new(&Shape::among(10_000, 16), Protocol::Linebus.wire()).expect("as planned");
        assert_eq!(plan.groups.len(), 1);
        let sizes: Vec<usize> = plan.idle.iter().map(Vec::len).collect();
        assert_eq!(sizes, [4096, 4096, 1807]);
        assert_eq!(plan.idle[0][0], Join::Exact("bench.0001".to_owned()));
    }
}
