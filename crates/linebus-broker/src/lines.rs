//! Lines on their way to receivers: borrowed while they are handed out, and chunks where they
//! have to wait.
//!
//! Many lines are copied once for all who cannot take them at once: what a thousand slow
//! receivers of one topic wait for is in memory once, and making them wait costs no copying.

use std::cell::OnceCell;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::counts::Amount;

/// Fewer bytes than this are copied for each receiver, so that one write takes many of them.
const SHARED_BYTES_MIN: usize = 16 << 10;

/// Where the copy for all receivers is kept, once there is one.
pub(crate) type Kept = OnceCell<Arc<[u8]>>;

/// Whole lines, counted once for all receivers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) count: usize,
    kept: Option<&'a Kept>,
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(bytes: &'a [u8], count: usize) -> Self {
        Self { bytes, count, kept: None }
    }

    pub(crate) const fn one(bytes: &'a [u8]) -> Self {
        Self::new(bytes, 1)
    }

    /// The same, with a place for their copy.
    pub(crate) const fn kept_in(self, kept: &'a Kept) -> Self {
        Self { kept: Some(kept), ..self }
    }

    pub(crate) fn amount(self) -> Amount {
        Amount { lines: self.count as u64, bytes: self.bytes.len() as u64 }
    }

    /// Whether they should wait as a chunk of their own.
    pub(crate) const fn are_many(&self) -> bool {
        self.bytes.len() >= SHARED_BYTES_MIN
    }

    /// A chunk of them.
    pub(crate) fn chunk(&self) -> Chunk {
        match self.kept {
            Some(kept) if self.are_many() => {
                Chunk::Shared(Arc::clone(kept.get_or_init(|| self.bytes.into())))
            }
            _ => Chunk::Own(self.bytes.to_vec()),
        }
    }

    /// A chunk that ends with them, and where in it what is left after `written` begins. It holds
    /// at most twice that much.
    pub(crate) fn rest(&self, written: usize) -> (Chunk, usize) {
        match self.kept {
            Some(_) if self.are_many() && written <= self.bytes.len() / 2 => {
                (self.chunk(), written)
            }
            _ => Chunk::part(self.bytes, written..self.bytes.len()),
        }
    }
}

/// Bytes that wait in one piece.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// For one receiver.
    Own(Vec<u8>),
    /// Also for others.
    Shared(Arc<[u8]>),
}

impl Chunk {
    /// A copy of a part of `lines`, and where in it that begins: before a part that begins amid a
    /// line stands a byte that says so.
    pub(crate) fn part(lines: &[u8], part: Range<usize>) -> (Self, usize) {
        let head = usize::from(!starts_line(lines, part.start));
        let mut copy = Vec::with_capacity(head + part.len());
        copy.resize(head, b' ');
        copy.extend_from_slice(&lines[part]);
        (Self::Own(copy), head)
    }

    /// Only this part of it, and where in it that begins.
    pub(crate) fn into_part(self, part: Range<usize>) -> (Self, usize) {
        if part.end == self.len() {
            return (self, part.start);
        }
        Self::part(&self, part)
    }

    /// Adds lines if they fit into so many bytes altogether; false if not.
    pub(crate) fn extend(&mut self, lines: &[u8], bytes_max: usize) -> bool {
        let Self::Own(own) = self else { return false };
        let len = own.len() + lines.len();
        if len > bytes_max {
            return false;
        }
        if len > own.capacity() {
            own.reserve_exact((2 * len).min(bytes_max) - own.len());
        }
        own.extend_from_slice(lines);
        true
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(own) => own,
            Self::Shared(shared) => shared,
        }
    }
}

/// Whether `at` is where a line begins.
pub(crate) fn starts_line(lines: &[u8], at: usize) -> bool {
    at == 0 || lines[at - 1] == b'\n'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_are_in_memory_once_for_all_who_wait() {
        let bytes = b"recv t x\n".repeat(SHARED_BYTES_MIN / 9 + 1);
        let kept = Kept::new();
        let lines = Lines::new(&bytes, bytes.len() / 9).kept_in(&kept);
        let chunks = [lines.chunk(), lines.rest(5).0, lines.chunk()];
        let shared = kept.get().expect("there is a copy");
        assert_eq!(Arc::strong_count(shared), 1 + chunks.len());
        // A small rest does not keep the whole.
        let (rest, head) = lines.rest(bytes.len() - 3);
        assert_eq!((&rest[head..], rest.len()), (&b" x\n"[..], 4));
        assert_eq!(Arc::strong_count(shared), 1 + chunks.len());
        let (part, head) = lines.chunk().into_part(14..18);
        assert_eq!((&part[head..], head), (&b"t x\n"[..], 1));
    }

    #[test]
    fn few_lines_wait_together_and_a_chunk_never_has_more_room_than_its_limit() {
        let (mut chunk, _) = Chunk::part(b"recv t x\n", 0..9);
        while chunk.extend(b"recv t x\n", 1_000) {}
        assert_eq!(chunk.len(), 999);
        let Chunk::Own(own) = chunk else { panic!("it is for one receiver") };
        assert!(own.capacity() <= 1_000, "{}", own.capacity());
    }
}
