//! Lines that go the same way although their topics differ.
//!
//! A sender that uses a hundred topics in turn has no two lines alike for a [`Run`]. Where one
//! receiver hears them all, a line costs one look here instead of a look-up of its topic.
//!
//! [`Run`]: crate::run::Run

use crate::run::{HEAD_BYTES, RECV, first_blank, halves, is_masked, masked};

/// What a line begins with that may be taken.
const SEND: &[u8; 5] = b"send ";

/// How many topics are remembered.
const TOPICS_MAX: usize = 256;

/// Where they are looked for: many more, so that two seldom share one. A power of two.
const PLACES: usize = 4096;

/// Longest topic that is remembered, the blank after it included.
const TOPIC_BYTES: usize = HEAD_BYTES;

/// A topic and the blank after it, as numbers; zeros at the end.
type Key = [u128; 2];

/// The topics of lines that go where the last ones went.
#[derive(Debug)]
pub struct Alike {
    topics: Vec<Topic>,
    /// The place among them, by hash; a wrong one is seen by looking there.
    places: Box<[u8; PLACES]>,
    /// The topic of the last line that was taken.
    last: usize,
    /// Whether it followed the one before it as it did the last time, too.
    in_turn: bool,
}

#[derive(Debug)]
struct Topic {
    key: Key,
    /// Which bits of a text are compared with the key.
    mask: Key,
    /// The topic that came after it the last time: many senders use theirs in turn.
    next: u8,
}

impl Default for Alike {
    fn default() -> Self {
        let topics = Vec::with_capacity(TOPICS_MAX);
        Self { topics, places: Box::new([0; PLACES]), last: 0, in_turn: false }
    }
}

impl Alike {
    /// From now on lines go elsewhere.
    pub fn forget(&mut self) {
        self.topics.clear();
    }

    /// Lines to the topic of this one, `send <topic> ` or the same with `recv`, go the same way.
    pub fn note(&mut self, line: &[u8]) {
        let Some((key, mask)) = text(line).and_then(key) else { return };
        if self.knows(key) {
            return;
        }
        if self.topics.len() == TOPICS_MAX {
            self.topics.clear();
        }
        let here = u8::try_from(self.topics.len()).expect("there are fewer");
        self.places[place(key)] = here;
        self.topics.push(Topic { key, mask, next: 0 });
        self.follow(here);
    }

    /// Takes as many lines as go the same way of those that begin at `at` and end at `ends`, all
    /// clean as [`is_clean`](crate::text::is_clean) has it, and none longer than
    /// `line_bytes_max`. Their verb is `recv` afterwards.
    pub fn take(
        &mut self,
        bytes: &mut [u8],
        mut at: usize,
        ends: &[u32],
        line_bytes_max: usize,
    ) -> usize {
        for (lines, end) in ends.iter().enumerate() {
            let end = *end as usize;
            if end - at > line_bytes_max || !self.has(&bytes[at..]) {
                return lines;
            }
            bytes[at..at + RECV.len()].copy_from_slice(RECV);
            at = end;
        }
        ends.len()
    }

    /// Whether a line goes the same way, as far as is known.
    fn has(&mut self, line: &[u8]) -> bool {
        let Some(text) = text(line).filter(|_| line.starts_with(SEND)) else { return false };
        if self.in_turn
            && let Some(last) = self.topics.get(self.last)
            && let Some(next) = self.topics.get(usize::from(last.next))
            && next.begins(text)
        {
            self.last = usize::from(last.next);
            return true;
        }
        key(text).is_some_and(|(key, _)| self.knows(key))
    }

    /// Whether a topic is remembered; then it is the last one.
    fn knows(&mut self, key: Key) -> bool {
        let place = self.places[place(key)];
        let known = self.topics.get(usize::from(place)).is_some_and(|topic| topic.key == key);
        if known {
            self.follow(place);
        }
        known
    }

    /// Remembers that a topic came after the last one.
    fn follow(&mut self, place: u8) {
        if let Some(last) = self.topics.get_mut(self.last) {
            self.in_turn = last.next == place;
            last.next = place;
        }
        self.last = usize::from(place);
    }
}

impl Topic {
    /// Whether it is what a text begins with.
    fn begins(&self, text: &Text) -> bool {
        is_masked(text, self.mask, self.key)
    }
}

/// What follows the verb, as much of it as is looked at.
type Text = [u8; TOPIC_BYTES];

/// The text of a line whose verb has four letters, if enough bytes follow.
fn text(line: &[u8]) -> Option<&Text> {
    line.get(SEND.len()..)?.first_chunk()
}

/// The topic that a text begins with, if it is a short one, and which bits of it that is. Of a
/// line without a message it is one that is no topic.
fn key(text: &Text) -> Option<(Key, Key)> {
    let [first, second] = halves(text);
    let mask = match first_blank(*first) {
        16 => match first_blank(*second) {
            16 => return None,
            blank => [u128::MAX, up_to(blank)],
        },
        blank => [up_to(blank), 0],
    };
    Some((masked(text, mask), mask))
}

/// A mask of the bytes up to a place, that included.
const fn up_to(place: usize) -> u128 {
    u128::MAX >> (8 * (15 - place))
}

fn place([low, high]: Key) -> usize {
    let mixed = low ^ (low >> 64) ^ high.rotate_left(24) ^ (high >> 40);
    // Both halves of a product with the golden ratio's digits, folded together.
    let product = u128::from(mixed as u64) * 0x9e37_79b9_7f4a_7c15;
    (product ^ (product >> 64)) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use arbtest::arbtest;

    use super::*;
    use crate::scan::scan;

    /// How many lines are taken, and what becomes of the text.
    fn take(alike: &mut Alike, text: &str) -> (usize, String) {
        let mut bytes = text.as_bytes().to_vec();
        let mut ends = Vec::new();
        scan(&bytes, 0, &mut ends);
        let lines = alike.take(&mut bytes, 0, &ends, 64);
        (lines, String::from_utf8(bytes).expect("was text"))
    }

    #[test]
    fn lines_to_the_same_topics_are_taken_until_another_comes() {
        let mut alike = Alike::default();
        let rest = format!("send other {}\n", "x".repeat(40));
        let text = |verbs: [&str; 3]| {
            let [a, b, c] = verbs;
            let longest = "t".repeat(TOPIC_BYTES - 1);
            format!("{a} rooms.a x\n{b} rooms.b \n{c} {longest} x\n{rest}")
        };
        let sent = text(["send"; 3]);
        assert_eq!(take(&mut alike, &sent), (0, sent.clone()));
        sent.lines().take(3).for_each(|line| alike.note(format!("{line}\n{rest}").as_bytes()));
        assert_eq!(take(&mut alike, &sent), (3, text(["recv"; 3])));
        alike.forget();
        assert_eq!(take(&mut alike, &sent), (0, sent));
        alike.note(format!("send {} x\n{rest}", "t".repeat(TOPIC_BYTES)).as_bytes());
        assert!(alike.topics.is_empty(), "that topic is too long");
    }

    #[test]
    fn what_only_looks_alike_is_not_taken() {
        let mut alike = Alike::default();
        let rest = "send other and enough bytes behind it to look at 32 at once\n";
        alike.note(format!("recv t x\n{rest}").as_bytes());
        assert_eq!(take(&mut alike, &format!("send t x\n{rest}")).0, 1);
        for line in
            ["send tt x", "send t", "send t\tx", "send  t x", "recv t x", "SEND t x", "send"]
        {
            assert_eq!(take(&mut alike, &format!("{line}\n{rest}")).0, 0, "{line}");
        }
        // At the end of what was read, and when it is too long.
        assert_eq!(take(&mut alike, "send t x\n").0, 0);
        assert_eq!(take(&mut alike, &format!("send t {}\n{rest}", "x".repeat(57))).0, 0);
    }

    #[test]
    fn exactly_noted_topics_are_taken_whatever_their_hashes() {
        arbtest(|random| {
            let mut alike = Alike::default();
            let mut noted = Vec::new();
            for _ in 0..random.int_in_range(0..=2 * TOPICS_MAX)? {
                let topic = format!("t{}", random.int_in_range(0..=999_u16)?);
                alike.note(format!("send {topic} {}", "x".repeat(32)).as_bytes());
                noted.push(topic);
            }
            for number in 0..1_000 {
                let topic = format!("t{number}");
                let taken = take(&mut alike, &format!("send {topic} {}\n", "x".repeat(32))).0 == 1;
                assert!(!taken || noted.contains(&topic), "{topic} was not noted");
            }
            // The last one's place is its own.
            if let Some(topic) = noted.last() {
                assert_eq!(take(&mut alike, &format!("send {topic} {}\n", "x".repeat(32))).0, 1);
            }
            Ok(())
        });
    }
}
