//! A restore from a keeper that answers at once, or not at all.

use std::time::Duration;

use rooms_backup::{Hash, Keeper, KeeperLimits, Patience, Restore, Restored};

use crate::memory::{Memory, keeper, name, rooms};

const START: Duration = Duration::ZERO;

fn restore() -> Restore {
    Restore::new(rooms(), Patience::default(), 2, 7, START)
}

/// Lets the two talk until neither says anything.
fn talk(restore: &mut Restore, keeper: &mut Keeper<Memory>) {
    restore.tick(START);
    loop {
        let lines = restore.take_lines();
        if lines.is_empty() {
            break;
        }
        lines.iter().for_each(|line| keeper.receive(line, START));
        keeper.take_lines().iter().for_each(|line| restore.receive(line, START));
    }
}

fn kept(sets: &[(&str, Option<&[u8]>)]) -> Keeper<Memory> {
    let mut keeper = keeper(KeeperLimits::default());
    for (set, content) in sets {
        let versions = vec![(1, Some(b"old".to_vec())), (2, content.map(<[u8]>::to_vec))];
        keeper.store().sets.insert((rooms(), name(set)), versions);
    }
    keeper
}

#[test]
fn the_newest_of_each_comes_back_and_what_is_gone_stays_away() {
    let sets: Vec<(String, Vec<u8>)> = (0..10)
        .map(|number| (format!("set-{number}"), vec![number; usize::from(number)]))
        .collect();
    let mut all: Vec<_> =
        sets.iter().map(|(set, content)| (set.as_str(), Some(&content[..]))).collect();
    all.push(("gone", None));
    let (mut restore, mut keeper) = (restore(), kept(&all));
    talk(&mut restore, &mut keeper);
    assert!(restore.is_complete());
    let mut restored = restore.take_restored();
    restored.sort_by(|a, b| a.name.cmp(&b.name));
    let expected = sets.into_iter().map(|(set, content)| Restored { name: name(&set), content });
    assert_eq!(restored, expected.collect::<Vec<_>>());
    assert_eq!(restore.deadline(), None);
}

#[test]
fn of_an_owner_whom_nobody_knows_nothing_comes() {
    let (mut restore, mut keeper) = (restore(), keeper(KeeperLimits::default()));
    talk(&mut restore, &mut keeper);
    assert!(restore.is_complete() && restore.take_restored().is_empty());
}

#[test]
fn what_the_keeper_lost_is_named() {
    let (mut restore, mut keeper) = (restore(), kept(&[("a", Some(b"abc")), ("b", Some(b"b"))]));
    restore.tick(START);
    for line in restore.take_lines() {
        keeper.receive(&line, START);
    }
    for line in keeper.take_lines() {
        restore.receive(&line, START);
    }
    for line in restore.take_lines() {
        keeper.receive(&line, START);
    }
    keeper.store().sets.remove(&(rooms(), name("a")));
    for line in keeper.take_lines() {
        restore.receive(&line, START);
    }
    talk(&mut restore, &mut keeper);
    assert!(restore.is_complete());
    assert_eq!(restore.unknown(), [name("a")]);
    assert_eq!(restore.take_restored().len(), 1);
}

#[test]
fn a_large_content_is_read_once_and_one_beyond_the_limit_is_read_again() {
    // At two bytes a part and 64 parts a question, three questions each.
    let content = |seed: u8| (0..300_u16).map(|at| seed ^ at.to_le_bytes()[0]).collect::<Vec<_>>();
    for (fetched_bytes_max, reads) in [(600, 2), (599, 5), (299, 6)] {
        let limits = KeeperLimits { fetched_bytes_max, ..KeeperLimits::default() };
        let mut keeper = keeper(limits);
        for (set, seed) in [("a", 0), ("b", 0xff)] {
            let versions = vec![(1, Some(content(seed)))];
            keeper.store().sets.insert((rooms(), name(set)), versions);
        }
        let mut restore = restore();
        talk(&mut restore, &mut keeper);
        let restored: Vec<_> = restore.take_restored().into_iter().map(|one| one.content).collect();
        assert_eq!(restored, [content(0), content(0xff)]);
        assert_eq!(keeper.store().reads.get(), reads, "{fetched_bytes_max}");
    }
}

#[test]
fn a_catalogue_that_can_not_be_read_is_told_and_asked_for_again() {
    let mut restore = restore();
    restore.tick(START);
    assert_eq!(restore.take_lines(), ["restore rooms 7"]);
    assert_eq!(restore.bad_catalogue(), None);
    let hash = Hash::of(b"a");
    restore.receive(&format!("catalogue rooms 7 {hash} 1"), START);
    restore.receive(&format!("part rooms {hash} 1 YQ=="), START);
    let bad = restore.bad_catalogue().expect("it is bad");
    assert_eq!(bad.to_string(), "line 1 of the catalogue is wrong: \"a\"");
    assert!(!restore.is_keeper_heard() && !restore.is_complete());
    restore.take_lines();
    restore.tick(restore.deadline().expect("it goes on"));
    assert_eq!(restore.take_lines(), ["restore rooms 7"]);
    let empty = Hash::of(b"");
    restore.receive(&format!("catalogue rooms 7 {empty} 0"), START);
    assert!(restore.is_complete());
    assert_eq!(restore.bad_catalogue(), None);
}

#[test]
fn a_forged_content_is_fetched_again() {
    let (mut restore, mut keeper) = (restore(), kept(&[("a", Some(b"abc"))]));
    restore.tick(START);
    let mut forged = false;
    loop {
        let lines = restore.take_lines();
        if lines.is_empty() {
            break;
        }
        lines.iter().for_each(|line| keeper.receive(line, START));
        for line in keeper.take_lines() {
            let part = format!("part rooms {} 1 ", Hash::of(b"abc"));
            if line.starts_with(&part) && !forged {
                forged = true;
                restore.receive(&format!("{part}eHg="), START);
            }
            restore.receive(&line, START);
        }
    }
    assert!(forged && restore.is_complete());
    let content = b"abc".to_vec();
    assert_eq!(restore.take_restored(), [Restored { name: name("a"), content }]);
}

#[test]
fn who_hears_no_keeper_asks_again() {
    let mut restore = restore();
    let mut times = Vec::new();
    for _ in 0..3 {
        let now = restore.deadline().expect("it is not complete");
        restore.tick(now);
        assert_eq!(restore.take_lines(), ["restore rooms 7"]);
        times.push(now.as_secs());
    }
    assert_eq!(times, [0, 2, 6]);
    assert!(!restore.is_keeper_heard());
}
