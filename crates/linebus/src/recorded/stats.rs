//! How much was said, by hour, user and topic.

use std::collections::{BTreeMap, HashMap};

use linebus_record::{Entry, Time};

/// Most users, topics, and pairs of them that are told apart; what comes then is counted together.
const NAMES_MAX: usize = 100_000;
/// What is counted together.
const OTHERS: &str = "(others)";

/// Lines, and their bytes in the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) lines: u64,
    pub(super) bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, more: Self) {
        self.lines += more.lines;
        self.bytes += more.bytes;
    }
}

/// What was said, added up.
#[derive(Debug, Default)]
pub(super) struct Stats {
    hours: BTreeMap<String, Amount>,
    users: HashMap<String, Amount>,
    topics: HashMap<String, Amount>,
    /// Who sent how much to which topic.
    flows: HashMap<String, Amount>,
    total: Amount,
    /// Lines that are missing, as far as that is known, and gaps of which it is not.
    missing: u64,
    unknown_gaps: u64,
    pub(super) times: Option<(Time, Time)>,
}

impl Stats {
    pub(super) fn count(&mut self, entry: &Entry<'_>) {
        let (user, topic, message) = (entry.user, entry.topic.as_str(), entry.message);
        let bytes = Time::BYTES + user.len() + topic.len() + message.len() + 4;
        let amount = Amount { lines: 1, bytes: bytes as u64 };
        self.total.add(amount);
        add(&mut self.users, user, amount);
        add(&mut self.topics, topic, amount);
        // Neither has a blank in it.
        add(&mut self.flows, &format!("{user} {topic}"), amount);
        match self.hours.get_mut(entry.time.hour()) {
            Some(hour) => hour.add(amount),
            None => drop(self.hours.insert(entry.time.hour().to_owned(), amount)),
        }
        let (first, last) = self.times.get_or_insert((entry.time, entry.time));
        (*first, *last) = ((*first).min(entry.time), (*last).max(entry.time));
    }

    /// Counts what a gap says.
    pub(super) fn gap(&mut self, message: &str) {
        let lines = message.split(' ').find_map(|word| word.strip_prefix("lines="));
        match lines.and_then(|lines| lines.parse::<u64>().ok()) {
            Some(lines) => self.missing = self.missing.saturating_add(lines),
            None => self.unknown_gaps += 1,
        }
    }

    pub(super) fn total(&self) -> Amount {
        self.total
    }

    /// A table: hours in order, then users and topics, the busiest first, then all of it.
    pub(super) fn rows(&self) -> Vec<[String; 4]> {
        let row = |of: &str, name: &str, amount: &Amount| {
            [of.to_owned(), name.to_owned(), amount.lines.to_string(), amount.bytes.to_string()]
        };
        let mut rows: Vec<_> =
            self.hours.iter().map(|(name, amount)| row("hour", name, amount)).collect();
        for (of, names) in [("user", &self.users), ("topic", &self.topics)] {
            rows.extend(busiest(names).into_iter().map(|(name, amount)| row(of, name, amount)));
        }
        rows.push(row("all", "-", &self.total));
        if self.missing > 0 {
            rows.push(["missing".into(), "-".into(), self.missing.to_string(), "?".into()]);
        }
        if self.unknown_gaps > 0 {
            rows.push([
                "missing".into(),
                format!("{} gaps of unknown size", self.unknown_gaps),
                "?".into(),
                "?".into(),
            ]);
        }
        rows
    }

    /// Users and topics, the busiest first.
    pub(super) fn users(&self) -> Vec<(&str, Amount)> {
        busiest(&self.users).into_iter().map(|(name, amount)| (name, *amount)).collect()
    }

    pub(super) fn topics(&self) -> Vec<(&str, Amount)> {
        busiest(&self.topics).into_iter().map(|(name, amount)| (name, *amount)).collect()
    }

    /// Who sent how much to which topic, in the order of the names.
    pub(super) fn flows(&self) -> Vec<(&str, &str, Amount)> {
        let mut flows: Vec<_> = self
            .flows
            .iter()
            .map(|(pair, amount)| {
                let (user, topic) = pair.split_once(' ').unwrap_or((OTHERS, OTHERS));
                (user, topic, *amount)
            })
            .collect();
        flows.sort_by_key(|(user, topic, _)| (*user, *topic));
        flows
    }
}

fn add(names: &mut HashMap<String, Amount>, name: &str, amount: Amount) {
    if let Some(sum) = names.get_mut(name) {
        sum.add(amount);
    } else {
        let name = if names.len() < NAMES_MAX { name } else { OTHERS };
        names.entry(name.to_owned()).or_default().add(amount);
    }
}

fn busiest(names: &HashMap<String, Amount>) -> Vec<(&str, &Amount)> {
    let mut all: Vec<_> = names.iter().map(|(name, amount)| (name.as_str(), amount)).collect();
    all.sort_by(|(a, left), (b, right)| right.lines.cmp(&left.lines).then(a.cmp(b)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(stats: &mut Stats, user: &str, topic: &str) {
        let line = format!("2026-11-27T13:47:24.000001Z {user} {topic} x");
        stats.count(&Entry::parse(line.as_bytes()).expect("it is one"));
    }

    #[test]
    fn a_table_has_hours_users_topics_and_what_is_missing() {
        let mut stats = Stats::default();
        for (user, topic) in [("alice", "a"), ("bob", "b"), ("bob", "a")] {
            count(&mut stats, user, topic);
        }
        stats.gap("lines=12 bytes=34 reason=disk full");
        stats.gap("lines=? bytes=? reason=cut off");
        let rows: Vec<_> = stats.rows().iter().map(|row| row.join(" ")).collect();
        let expected = [
            "hour 2026-11-27T13 3 110",
            "user bob 2 72",
            "user alice 1 38",
            "topic a 2 74",
            "topic b 1 36",
            "all - 3 110",
            "missing - 12 ?",
            "missing 1 gaps of unknown size ? ?",
        ];
        assert_eq!(rows, expected);
        let flows: Vec<_> = stats.flows().iter().map(|flow| (flow.0, flow.1)).collect();
        assert_eq!(flows, [("alice", "a"), ("bob", "a"), ("bob", "b")]);
    }

    #[test]
    fn names_without_end_take_no_memory_without_end() {
        let mut stats = Stats::default();
        let lines = NAMES_MAX + 50_000;
        for number in 0..lines {
            count(&mut stats, "alice", &format!("t{number}"));
        }
        assert_eq!((stats.topics.len(), stats.flows.len()), (NAMES_MAX + 1, NAMES_MAX + 1));
        assert_eq!(stats.topics()[0], (OTHERS, stats.topics[OTHERS]));
        assert_eq!(stats.topics[OTHERS].lines, 50_000);
        assert_eq!(stats.total().lines, lines as u64);
    }
}
