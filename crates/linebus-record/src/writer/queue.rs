//! Where lines wait to be written: bounded, in order, and never a reason to wait.
//!
//! What there is no room for becomes a gap at the place where the lines would have been. Once that
//! has begun, lines are lost until half of the queue is free: one gap that is told, rather than a
//! thousand small ones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use memchr::{memchr_iter, memrchr};
use parking_lot::{Condvar, Mutex};

use super::Counts;
use crate::line::{Gap, Watched};

/// Small pushes share a block up to this size.
const BLOCK_BYTES: usize = 64 << 10;
/// Written blocks that are kept to be filled again.
const SPARE_BLOCKS: usize = 8;

/// Lines on their way to a record, in the form in which a bus says them to those who watch.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    bytes_max: usize,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    /// In all blocks.
    bytes: usize,
    /// There was no room, and half of it is not free yet.
    losing: bool,
    ended: bool,
    spare: Vec<Vec<u8>>,
}

/// What a writer takes at once.
#[derive(Debug)]
pub(super) enum Item {
    /// Whole lines.
    Lines(Vec<u8>),
    /// Here some are missing.
    Gap(Gap),
    /// Begin another file.
    NextFile,
    /// Nothing came in time.
    Nothing,
    /// Nothing will come.
    End,
}

impl Queue {
    pub(super) fn new(bytes_max: usize, counts: Arc<Counts>) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), bytes_max, counts }
    }

    /// Adds whole lines, each with its LF. What begins otherwise than `watch` is taken and ignored,
    /// so that all that a bus says may be put here.
    pub fn push(&self, lines: &[u8]) {
        let mut state = self.state.lock();
        if self.has_room(&mut state, lines.len()) {
            state.bytes += lines.len();
            match state.items.back_mut() {
                Some(Item::Lines(last)) if last.len() + lines.len() <= BLOCK_BYTES => {
                    last.extend_from_slice(lines);
                }
                _ => {
                    let mut block = state.spare.pop().unwrap_or_default();
                    block.extend_from_slice(lines);
                    state.items.push_back(Item::Lines(block));
                }
            }
            drop(state);
            self.filled.notify_one();
        } else {
            self.lose(&mut state, lines);
        }
    }

    /// The same with a block that need not be copied.
    pub fn push_block(&self, block: Vec<u8>) {
        if block.len() < BLOCK_BYTES / 2 {
            self.push(&block);
            return self.give_back(block);
        }
        let mut state = self.state.lock();
        if self.has_room(&mut state, block.len()) {
            state.bytes += block.len();
            state.items.push_back(Item::Lines(block));
            drop(state);
            self.filled.notify_one();
        } else {
            self.lose(&mut state, &block);
            drop(state);
            self.give_back(block);
        }
    }

    /// An empty block, perhaps one with memory.
    #[must_use]
    pub fn block(&self) -> Vec<u8> {
        self.state.lock().spare.pop().unwrap_or_default()
    }

    /// Notes that lines are missing here, nobody knows how many.
    pub fn gap(&self, reason: &str) {
        let gap = Gap { size: None, last: None, reason: reason.to_owned() };
        self.state.lock().note(gap);
        self.filled.notify_one();
    }

    /// Has another file begun with the next line, as after the present one was renamed.
    pub fn next_file(&self) {
        self.state.lock().items.push_back(Item::NextFile);
        self.filled.notify_one();
    }

    /// Nothing will be added.
    pub(super) fn end(&self) {
        self.state.lock().ended = true;
        self.filled.notify_all();
    }

    /// Takes what came first, waiting for it until `until`, or for as long as it takes.
    pub(super) fn pop(&self, until: Option<Instant>) -> Item {
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                if let Item::Lines(block) = &item {
                    state.bytes -= block.len();
                }
                return item;
            }
            if state.ended {
                return Item::End;
            }
            match until {
                None => self.filled.wait(&mut state),
                Some(until) => {
                    if self.filled.wait_until(&mut state, until).timed_out() {
                        return Item::Nothing;
                    }
                }
            }
        }
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes back a block that was written.
    pub(super) fn give_back(&self, mut block: Vec<u8>) {
        block.clear();
        let mut state = self.state.lock();
        if state.spare.len() < SPARE_BLOCKS {
            state.spare.push(block);
        }
    }

    fn has_room(&self, state: &mut State, bytes: usize) -> bool {
        let most = if state.losing { self.bytes_max / 2 } else { self.bytes_max };
        state.losing = state.bytes + bytes > most;
        !state.losing
    }

    fn lose(&self, state: &mut State, lines: &[u8]) {
        let count = memchr_iter(b'\n', lines).count() as u64;
        let end = lines.len().saturating_sub(1);
        let last = memrchr(b'\n', &lines[..end]).map_or(0, |at| at + 1);
        let last = Watched::parse(&lines[last..end]).map(|watched| watched.time);
        let reason = "the disk was too slow".to_owned();
        self.counts.lost(count);
        state.note(Gap { size: Some((count, lines.len() as u64)), last, reason });
    }
}

impl State {
    fn note(&mut self, gap: Gap) {
        match self.items.back_mut() {
            Some(Item::Gap(last)) => last.extend(&gap),
            _ => self.items.push_back(Item::Gap(gap)),
        }
    }
}
