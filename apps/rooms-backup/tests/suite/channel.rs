//! Owner, keeper and restore over a bus that loses, doubles and delays lines, while processes end
//! and begin again: in the end the keeper has everything, and a restore is byte-equal.

use std::collections::BTreeMap;
use std::time::Duration;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use fastrand::Rng;
use rooms_backup::{Keeper, KeeperLimits, Owner, Patience, Restore};

use crate::memory::{Memory, keeper, name, rooms};

const PATIENCE: Patience = Patience { first: Duration::from_secs(1), most: Duration::from_secs(4) };
const NAMES: [&str; 5] = ["a", "b", "drivers/c", "d", "e"];
/// Longer than any run takes: with 40 % lost, a question is answered within minutes.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Copy, PartialEq)]
enum Party {
    Owner,
    Keeper,
    Restore,
}

/// What is wrong with the bus, in percent and milliseconds.
struct Faults {
    lost: u8,
    doubled: u8,
    delay_ms: u64,
}

struct World {
    rng: Rng,
    faults: Faults,
    part_bytes: usize,
    now: Duration,
    /// By arrival, and then in the order sent: from whom, to whom, what.
    under_way: BTreeMap<(Duration, u64), (Party, Party, String)>,
    sent: u64,
    wanted: BTreeMap<&'static str, Vec<u8>>,
    owner: Owner,
    keeper: Keeper<Memory>,
    restore: Option<Restore>,
}

impl World {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let (lost, doubled) = (u.int_in_range(0..=40)?, u.int_in_range(0..=40)?);
        let faults = Faults { lost, doubled, delay_ms: u.int_in_range(0..=4000)? };
        let part_bytes = u.int_in_range(1..=8)?;
        let limits = KeeperLimits { patience: PATIENCE, part_bytes, ..KeeperLimits::default() };
        Ok(Self {
            rng: Rng::with_seed(u.arbitrary()?),
            faults,
            part_bytes,
            now: Duration::ZERO,
            under_way: BTreeMap::new(),
            sent: 0,
            wanted: BTreeMap::new(),
            owner: Owner::new(rooms(), PATIENCE, u.arbitrary()?, Duration::ZERO),
            keeper: keeper(limits),
            restore: None,
        })
    }

    /// Something happens to owner or keeper.
    fn act(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=9)? {
            0..=4 => {
                let set = *u.choose(&NAMES)?;
                let content = vec![self.rng.u8(0..3); self.rng.usize(0..600)];
                self.wanted.insert(set, content.clone());
                self.owner.set(name(set), content);
            }
            5..=6 => {
                let set = *u.choose(&NAMES)?;
                // One stays: an owner that has nothing removes nothing.
                if self.wanted.len() > 1 && self.wanted.remove(set).is_some() {
                    self.owner.remove(&name(set));
                }
            }
            7..=8 => {
                let limits = KeeperLimits {
                    patience: PATIENCE,
                    part_bytes: self.part_bytes,
                    ..KeeperLimits::default()
                };
                self.keeper = Keeper::new(std::mem::take(self.keeper.store()), limits);
                self.keeper.connected(self.part_bytes);
            }
            _ => {
                // A line of the old process that comes after the new one's first question can't be
                // told from its own; only the next look at what is kept would mend it.
                self.under_way.retain(|_, (from, ..)| *from != Party::Owner);
                self.owner = Owner::new(rooms(), PATIENCE, self.rng.u64(..), self.now);
                for (set, content) in &self.wanted {
                    self.owner.set(name(set), content.clone());
                }
            }
        }
        Ok(())
    }

    /// The next thing that time brings: a line arrives, or somebody's deadline comes.
    fn pass(&mut self) {
        self.send();
        let arrival = self.under_way.keys().next().map(|(arrival, _)| *arrival);
        let restore = self.restore.as_ref().and_then(Restore::deadline);
        let deadlines = [Some(self.owner.deadline()), self.keeper.deadline(), restore, arrival];
        let next = deadlines.into_iter().flatten().min().expect("the owner has one");
        self.now = self.now.max(next);
        if arrival.is_some_and(|arrival| arrival <= self.now) {
            let (_, (_, to, line)) = self.under_way.pop_first().expect("it arrives");
            match to {
                Party::Owner => self.owner.receive(&line, self.now),
                Party::Keeper => self.keeper.receive(&line, self.now),
                Party::Restore => {
                    if let Some(restore) = &mut self.restore {
                        restore.receive(&line, self.now);
                    }
                }
            }
        } else {
            self.owner.tick(self.now);
            self.keeper.tick(self.now);
            if let Some(restore) = &mut self.restore {
                restore.tick(self.now);
            }
        }
        self.check();
    }

    /// What was said goes to everybody else, or not, or twice, at once or late.
    fn send(&mut self) {
        let mut said: Vec<(Party, String)> = Vec::new();
        said.extend(self.owner.take_lines().into_iter().map(|line| (Party::Owner, line)));
        said.extend(self.keeper.take_lines().into_iter().map(|line| (Party::Keeper, line)));
        let restore = self.restore.iter_mut().flat_map(Restore::take_lines);
        said.extend(restore.map(|line| (Party::Restore, line)));
        for (from, line) in said {
            for to in [Party::Owner, Party::Keeper, Party::Restore] {
                if to == from || self.rng.u8(0..100) < self.faults.lost {
                    continue;
                }
                let copies = if self.rng.u8(0..100) < self.faults.doubled { 2 } else { 1 };
                for _ in 0..copies {
                    let delay = Duration::from_millis(self.rng.u64(0..=self.faults.delay_ms));
                    self.sent += 1;
                    self.under_way.insert((self.now + delay, self.sent), (from, to, line.clone()));
                }
            }
        }
    }

    /// What the owner takes for kept is in the store.
    fn check(&mut self) {
        let status = self.owner.status();
        if status.keeper_heard {
            let store = self.keeper.store();
            let is_kept = |(set, content): &(&&str, &Vec<u8>)| {
                store.newest_content(set) == Some(content.as_slice())
            };
            assert!(status.kept <= self.wanted.iter().filter(is_kept).count());
        }
        assert!(status.kept + status.pending >= self.wanted.len(), "each is one or the other");
        assert!(self.now < TIME_MAX, "it comes to an end");
        assert!(self.under_way.len() < 20_000, "questions don't breed questions");
    }

    fn kept(&mut self) -> BTreeMap<&'static str, Vec<u8>> {
        let kept = NAMES
            .iter()
            .filter_map(|set| Some((*set, self.keeper.store().newest_content(set)?.to_vec())));
        kept.collect()
    }
}

fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let mut world = World::new(u)?;
    world.keeper.connected(world.part_bytes);
    world.owner.connected(world.part_bytes, Duration::ZERO);
    for _ in 0..u.int_in_range(1..=12)? {
        world.act(u)?;
        for _ in 0..u.int_in_range(0..=100)? {
            world.pass();
        }
    }
    while !world.owner.status().is_complete() {
        world.pass();
    }
    assert_eq!(world.kept(), world.wanted);
    assert_eq!(world.owner.status().kept, world.wanted.len());
    let restore = Restore::new(rooms(), PATIENCE, world.part_bytes, world.rng.u64(..), world.now);
    world.restore = Some(restore);
    let mut restored = BTreeMap::new();
    while world.restore.as_ref().is_some_and(|restore| !restore.is_complete()) {
        world.pass();
    }
    let restore = world.restore.as_mut().expect("it is there");
    assert!(restore.unknown().is_empty());
    for set in restore.take_restored() {
        assert!(restored.insert(set.name.as_str().to_owned(), set.content).is_none(), "once");
    }
    let wanted = world.wanted.iter().map(|(set, content)| ((*set).to_owned(), content.clone()));
    assert_eq!(restored, wanted.collect());
    Ok(())
}

#[test]
fn in_the_end_all_is_kept_and_comes_back_whatever_the_bus_loses() {
    arbtest(play).budget_ms(1_000);
}
