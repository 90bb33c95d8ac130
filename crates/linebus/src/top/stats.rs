//! What `$bus.stats` says, read line by line into a [`Snapshot`]. Pure: no IO, no clock.
//!
//! A bus says once a second `bus …`, its busiest clients, its busiest topics and `end …`, every
//! number as `name=number`. Names that a later version adds mean nothing here.

use std::str::SplitAsciiWhitespace;

/// Most rows of a kind that are believed. A bus of this version says 100; this only keeps
/// something else from filling the memory.
const ROWS_MAX: usize = 65_536;

/// How busy a bus was within some time. Rates are per second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) bus: BusRow,
    pub(super) clients: Vec<ClientRow>,
    pub(super) topics: Vec<TopicRow>,
    /// Clients and topics that were less busy and are not listed.
    pub(super) more_clients: u64,
    pub(super) more_topics: u64,
    /// Lines that could not be read.
    pub(super) garbled: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BusRow {
    /// For how long it has been running, in seconds.
    pub(super) up_s: u64,
    pub(super) clients: u64,
    pub(super) traffic: Traffic,
    /// Bytes of memory that all sessions hold, and may hold.
    pub(super) queued_bytes: u64,
    pub(super) budget_bytes: u64,
}

/// Lines and bytes per second that clients sent (in) and were sent (out).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) in_lines: u64,
    pub(super) in_bytes: u64,
    pub(super) out_lines: u64,
    pub(super) out_bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClientRow {
    pub(super) id: u64,
    pub(super) user: String,
    pub(super) address: String,
    /// For how long it has been connected, in seconds.
    pub(super) up_s: u64,
    pub(super) traffic: Traffic,
    /// Bytes in its outbox.
    pub(super) queued_bytes: u64,
    /// It does not read as fast as others send to it.
    pub(super) slow: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TopicRow {
    pub(super) topic: String,
    pub(super) receivers: u64,
    /// Lines and bytes sent there, per second.
    pub(super) lines: u64,
    pub(super) bytes: u64,
}

/// Puts snapshots together from lines.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The snapshot whose `bus` line has come and whose `end` has not, with the milliseconds that
    /// its numbers are of.
    open: Option<(Snapshot, u64)>,
}

impl Reader {
    /// Takes one message of `$bus.stats`; returns a snapshot when this was its last line. What
    /// lacks its beginning or its end never becomes one.
    pub(super) fn take(&mut self, line: &str) -> Option<Snapshot> {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next()?;
        if kind == "bus" {
            self.open = read_bus(words).map(|(bus, ms)| {
                let snapshot = Snapshot { bus, ..Snapshot::default() };
                (snapshot, ms)
            });
            return None;
        }
        let (snapshot, ms) = self.open.as_mut()?;
        let understood = match kind {
            "client" => push(&mut snapshot.clients, read_client(words, *ms)),
            "topic" => push(&mut snapshot.topics, read_topic(words, *ms)),
            "end" => {
                let fields = Fields::read(words);
                let more = |name| fields.number(name).unwrap_or(0);
                snapshot.more_clients = more("more_clients");
                snapshot.more_topics = more("more_topics");
                return self.open.take().map(|(snapshot, _)| snapshot);
            }
            // Of a later version.
            _ => return None,
        };
        if !understood {
            snapshot.garbled = snapshot.garbled.saturating_add(1);
        }
        None
    }

    /// Forgets what has not ended: the rest of it will not come.
    pub(super) fn reset(&mut self) {
        self.open = None;
    }
}

/// Whether the row could be read.
fn push<T>(rows: &mut Vec<T>, row: Option<T>) -> bool {
    let Some(row) = row else { return false };
    if rows.len() < ROWS_MAX {
        rows.push(row);
    }
    true
}

/// The row and the milliseconds that its numbers are of.
fn read_bus(words: SplitAsciiWhitespace<'_>) -> Option<(BusRow, u64)> {
    let fields = Fields::read(words);
    let ms = fields.number("ms")?.max(1);
    let row = BusRow {
        up_s: fields.number("up_s")?,
        clients: fields.number("clients")?,
        traffic: fields.traffic(ms)?,
        queued_bytes: fields.number("queued")?,
        budget_bytes: fields.number("budget")?,
    };
    Some((row, ms))
}

fn read_client(mut words: SplitAsciiWhitespace<'_>, ms: u64) -> Option<ClientRow> {
    let id = words.next()?.parse().ok()?;
    let (user, address) = (words.next()?.to_owned(), words.next()?.to_owned());
    let fields = Fields::read(words);
    Some(ClientRow {
        id,
        user,
        address,
        up_s: fields.number("up_s")?,
        traffic: fields.traffic(ms)?,
        queued_bytes: fields.number("queued")?,
        slow: fields.word("behind")? == "yes",
    })
}

fn read_topic(mut words: SplitAsciiWhitespace<'_>, ms: u64) -> Option<TopicRow> {
    let topic = words.next()?.to_owned();
    let fields = Fields::read(words);
    Some(TopicRow {
        topic,
        receivers: fields.number("receivers")?,
        lines: per_second(fields.number("lines")?, ms),
        bytes: per_second(fields.number("bytes")?, ms),
    })
}

/// Words of the form `name=value`.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn read(words: SplitAsciiWhitespace<'a>) -> Self {
        Self(words.filter_map(|word| word.split_once('=')).collect())
    }

    fn word(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.word(name)?.parse().ok()
    }

    fn traffic(&self, ms: u64) -> Option<Traffic> {
        let rate = |name| Some(per_second(self.number(name)?, ms));
        Some(Traffic {
            in_lines: rate("in_lines")?,
            in_bytes: rate("in_bytes")?,
            out_lines: rate("out_lines")?,
            out_bytes: rate("out_bytes")?,
        })
    }
}

/// Rounded up, so that what moves at all is never shown as nothing.
fn per_second(number: u64, ms: u64) -> u64 {
    let rate = (u128::from(number) * 1000).div_ceil(u128::from(ms));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
