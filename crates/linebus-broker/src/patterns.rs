//! A map from patterns to values that finds all patterns which match a topic: who joined what, and
//! what an account may do.
//!
//! A topic finds exact patterns under its own name; it finds wildcards by writing itself in each
//! *shape* that is in use: with `rooms.*` and `rooms.*.>` in the map, `rooms.vienna.lights` looks
//! up `rooms.*.>` and nothing else, because only that shape fits three tokens. The shapes in use
//! are few, whatever the number of patterns. (A trie finds the same with more code and a node per
//! token.)

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use linebus_protocol::{Pattern, Topic};

/// Keys are clients' words, hence a hasher with a random seed.
pub(crate) type Map<V> = HashMap<Box<[u8]>, V, RandomState>;

pub(crate) struct Patterns<V> {
    map: Map<V>,
    shapes: Vec<(Shape, usize)>,
}

impl<V> Default for Patterns<V> {
    fn default() -> Self {
        Self { map: Map::default(), shapes: Vec::new() }
    }
}

impl<V: Default> Patterns<V> {
    /// The value under a pattern, which is put there if it was not.
    pub(crate) fn entry(&mut self, pattern: Pattern<'_>) -> &mut V {
        let name = pattern.as_str().as_bytes();
        if !self.map.contains_key(name) {
            self.map.insert(name.into(), V::default());
            self.add_shape(pattern);
        }
        self.map.get_mut(name).expect("it is there or was just put there")
    }
}

impl<V> Patterns<V> {
    /// The value under exactly this pattern.
    pub(crate) fn get(&self, pattern: Pattern<'_>) -> Option<&V> {
        self.map.get(pattern.as_str().as_bytes())
    }

    /// As [`Patterns::get`], to be changed.
    pub(crate) fn get_mut(&mut self, pattern: Pattern<'_>) -> Option<&mut V> {
        self.map.get_mut(pattern.as_str().as_bytes())
    }

    /// Takes a pattern out.
    pub(crate) fn remove(&mut self, pattern: Pattern<'_>) {
        if self.map.remove(pattern.as_str().as_bytes()).is_some() {
            self.remove_shape(pattern);
        }
    }

    /// The values under all patterns that match a topic.
    pub(crate) fn matching(&self, topic: Topic<'_>) -> Vec<&V> {
        let mut found = Vec::new();
        self.find(topic, |value| {
            found.push(value);
            false
        });
        found
    }

    /// Whether any pattern matches a topic.
    pub(crate) fn matches(&self, topic: Topic<'_>) -> bool {
        self.find(topic, |_| true)
    }

    /// Whether there is a wildcard, or a pattern of this very name, so that the topic may match.
    pub(crate) fn may_match(&self, topic: Topic<'_>) -> bool {
        !self.shapes.is_empty() || self.map.contains_key(topic.as_str().as_bytes())
    }

    /// How many of the patterns have wildcards.
    #[cfg(test)]
    pub(crate) fn wildcards(&self) -> usize {
        self.shapes.iter().map(|(_, count)| count).sum()
    }

    /// All patterns and their values, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Pattern<'_>, &V)> {
        self.map.iter().map(|(name, value)| {
            let name = str::from_utf8(name).expect("a pattern is ASCII");
            (Pattern::parse(name).expect("it was a pattern when it was put here"), value)
        })
    }

    /// Shows the values under matching patterns until one is what is looked for.
    fn find<'a>(&'a self, topic: Topic<'_>, mut is_it: impl FnMut(&'a V) -> bool) -> bool {
        let name = topic.as_str();
        if self.map.get(name.as_bytes()).is_some_and(&mut is_it) {
            return true;
        }
        if self.shapes.is_empty() {
            return false;
        }
        let tokens = name.bytes().fold(1, |count, byte| count + u32::from(byte == b'.'));
        let mut written = String::new();
        self.shapes.iter().filter(|(shape, _)| shape.fits(name, tokens)).any(|(shape, _)| {
            shape.write(name, &mut written);
            self.map.get(written.as_bytes()).is_some_and(&mut is_it)
        })
    }

    fn add_shape(&mut self, pattern: Pattern<'_>) {
        let Some(shape) = Shape::of(pattern) else {
            return;
        };
        match self.shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, count)) => *count += 1,
            None => self.shapes.push((shape, 1)),
        }
    }

    fn remove_shape(&mut self, pattern: Pattern<'_>) {
        let Some(shape) = Shape::of(pattern) else {
            return;
        };
        if let Some(at) = self.shapes.iter().position(|(known, _)| *known == shape) {
            self.shapes[at].1 -= 1;
            if self.shapes[at].1 == 0 {
                self.shapes.swap_remove(at);
            }
        }
    }
}

/// Which tokens of a pattern are wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Tokens before the `>`, if there is one, or all.
    tokens: u32,
    /// Bit i: token i is `*`.
    stars: u32,
    /// Ends with `>`.
    tail: bool,
}

impl Shape {
    /// The shape of a pattern; none for a plain topic.
    fn of(pattern: Pattern<'_>) -> Option<Self> {
        if pattern.as_topic().is_some() {
            return None;
        }
        let mut shape = Self { tokens: 0, stars: 0, tail: false };
        for token in pattern.as_str().split('.') {
            match token {
                ">" => shape.tail = true,
                "*" => {
                    shape.stars |= 1 << shape.tokens;
                    shape.tokens += 1;
                }
                _ => shape.tokens += 1,
            }
        }
        Some(shape)
    }

    /// Whether a topic of so many tokens can have this shape. Most topics are short, and so is what
    /// they pay for wildcards that somebody joins in thousands of shapes.
    fn fits(self, topic: &str, tokens: u32) -> bool {
        let has_length = if self.tail { self.tokens < tokens } else { self.tokens == tokens };
        let first_is_wild = self.stars & 1 == 1 || self.tokens == 0;
        has_length && !(first_is_wild && topic.starts_with('$'))
    }

    /// Writes a topic that fits in this shape.
    fn write(self, topic: &str, out: &mut String) {
        out.clear();
        for (at, token) in (0..self.tokens).zip(topic.split('.')) {
            out.push_str(if (self.stars >> at) & 1 == 1 { "*" } else { token });
            out.push('.');
        }
        if self.tail {
            out.push('>');
        } else {
            out.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn hash_flooding() {
        let hash = || Map::<()>::default().hasher().hash_one(b"rooms.vienna");
        assert_ne!(hash(), hash(), "nobody can know which words collide");
    }
}
