//! What a keeper says to what owners, strangers and forgers say.

use std::time::Duration;

use rooms_backup::{Hash, Keeper, KeeperLimits, Patience, RefusedReason, Told};

use crate::memory::{Memory, keeper, name, rooms};

const START: Duration = Duration::ZERO;

fn limits() -> KeeperLimits {
    let second = Duration::from_secs(1);
    let patience = Patience { first: 2 * second, most: 8 * second };
    KeeperLimits { part_bytes: 4, patience, ..KeeperLimits::default() }
}

/// What the keeper says to a line.
fn say(keeper: &mut Keeper<Memory>, line: &str) -> Vec<String> {
    keeper.receive(line, START);
    keeper.take_lines()
}

fn begin(name: &str, version: u64, content: &[u8]) -> String {
    format!("begin rooms {name} {version} {} {}", Hash::of(content), content.len())
}

/// Has a data set kept by whatever it takes.
fn have_kept(keeper: &mut Keeper<Memory>, name: &str, version: u64, content: &[u8]) {
    assert!(content.len() <= 4, "one part");
    let hash = Hash::of(content);
    let _ = say(keeper, &begin(name, version, content));
    let part = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, content);
    let kept = say(keeper, &format!("part rooms {hash} 1 {part}"));
    assert_eq!(kept, [format!("kept rooms {name} {version} {hash}")]);
}

#[test]
fn what_was_acknowledged_is_in_the_store() {
    let mut keeper = keeper(limits());
    let hash = Hash::of(b"hello");
    assert_eq!(say(&mut keeper, &begin("a", 1, b"hello")), [format!("want rooms {hash} 1 4 1-2")]);
    assert!(say(&mut keeper, &format!("part rooms {hash} 2 bw==")).is_empty());
    assert_eq!(keeper.store().newest_content("a"), None);
    let kept = format!("kept rooms a 1 {hash}");
    assert_eq!(
        say(&mut keeper, &format!("part rooms {hash} 1 aGVsbA==")),
        std::slice::from_ref(&kept)
    );
    assert_eq!(keeper.store().newest_content("a"), Some(&b"hello"[..]));
    let (owner, name) = (rooms(), name("a"));
    assert_eq!(keeper.take_told(), [Told::Kept { owner, name, version: 1, bytes: 5 }]);
    assert_eq!(say(&mut keeper, &begin("a", 1, b"hello")), [kept], "the answer may have been lost");
    assert_eq!(keeper.deadline(), None);
}

#[test]
fn an_empty_data_set_is_kept_at_once() {
    let mut keeper = keeper(limits());
    let said = say(&mut keeper, &begin("a", 1, b""));
    assert_eq!(said, [format!("kept rooms a 1 {}", Hash::of(b""))]);
    assert_eq!(keeper.store().newest_content("a"), Some(&b""[..]));
}

#[test]
fn lines_that_come_late_change_nothing() {
    let mut keeper = keeper(limits());
    have_kept(&mut keeper, "a", 2, b"new");
    for line in [begin("a", 1, b"old"), begin("a", 2, b"old"), "gone rooms a 2".to_owned()] {
        let said = say(&mut keeper, &line);
        assert_eq!(said.len(), 1);
        assert!(said[0].ends_with(" outdated version 2 is kept"), "{}", said[0]);
    }
    assert_eq!(say(&mut keeper, "gone rooms a 3"), ["kept rooms a 3 gone"]);
    assert_eq!(say(&mut keeper, "gone rooms a 3"), ["kept rooms a 3 gone"]);
    assert_eq!(keeper.store().newest_content("a"), None);
}

#[test]
fn a_newer_version_takes_the_place_of_one_under_way() {
    let mut keeper = keeper(limits());
    let _ = say(&mut keeper, &begin("a", 1, b"old"));
    let _ = say(&mut keeper, &begin("a", 2, b"new"));
    assert!(say(&mut keeper, &begin("a", 1, b"old")).is_empty());
    assert!(say(&mut keeper, &format!("part rooms {} 1 b2xk", Hash::of(b"old"))).is_empty());
    let kept = say(&mut keeper, &format!("part rooms {} 1 bmV3", Hash::of(b"new")));
    assert_eq!(kept, [format!("kept rooms a 2 {}", Hash::of(b"new"))]);
}

#[test]
fn two_data_sets_of_one_content_are_both_kept() {
    let mut keeper = keeper(limits());
    let _ = say(&mut keeper, &begin("a", 1, b"same"));
    let _ = say(&mut keeper, &begin("b", 1, b"same"));
    let hash = Hash::of(b"same");
    let kept = say(&mut keeper, &format!("part rooms {hash} 1 c2FtZQ=="));
    assert_eq!(kept, ["a", "b"].map(|name| format!("kept rooms {name} 1 {hash}")));
}

#[test]
fn forged_parts_are_refused_and_the_right_ones_kept_after() {
    let mut keeper = keeper(limits());
    let hash = Hash::of(b"hello");
    let _ = say(&mut keeper, &begin("a", 1, b"hello"));
    for forged in ["1 eA==", "3 eA==", "0 aGVsbA==", "2 eHg="] {
        assert!(say(&mut keeper, &format!("part rooms {hash} {forged}")).is_empty(), "{forged}");
    }
    let _ = say(&mut keeper, &format!("part rooms {hash} 1 eHh4eA=="));
    let said = say(&mut keeper, &format!("part rooms {hash} 2 bw=="));
    let refused = "refused rooms a 1 wrong-hash what came is not what was announced";
    assert_eq!(said, [refused]);
    assert_eq!(keeper.store().newest_content("a"), None);
    let _ = say(&mut keeper, &begin("a", 1, b"hello"));
    let _ = say(&mut keeper, &format!("part rooms {hash} 1 aGVsbA=="));
    let kept = say(&mut keeper, &format!("part rooms {hash} 2 bw=="));
    assert_eq!(kept, [format!("kept rooms a 1 {hash}")]);
}

#[track_caller]
fn refused(said: &[String], reason: &str) {
    assert_eq!(said.len(), 1);
    assert!(said[0].contains(reason), "{}", said[0]);
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_taken() {
    let mut keeper = keeper(KeeperLimits::default());
    let hash = Hash::of(b"x");
    for bytes in ["16777217", "18446744073709551615"] {
        let said = say(&mut keeper, &format!("begin rooms a 1 {hash} {bytes}"));
        refused(&said, " too-large a data set has at most 16777216 bytes");
    }
    assert_eq!(keeper.deadline(), None, "nothing is under way");
    let said = say(&mut keeper, &format!("begin rooms a 1 {hash} 16777216"));
    refused(&said, "want rooms ");
}

#[test]
fn there_are_limits_on_data_sets_owners_and_what_is_under_way() {
    let small = KeeperLimits {
        data_sets_max: 2,
        owners_max: 2,
        transfers_max: 2,
        transfer_bytes_max: 10,
        ..limits()
    };
    let mut keeper = keeper(small);
    let hash = Hash::of(b"x");
    let mut begin = |name: &str, bytes| say(&mut keeper, &format!("begin {name} 1 {hash} {bytes}"));
    refused(&begin("rooms a", 10), "want rooms ");
    refused(&begin("rooms b", 1), " busy too many data sets are under way");
    refused(&begin("rooms a2", 1), " busy ");
    let _ = say(&mut keeper, &format!("drop rooms {hash}"));
    for name in ["a", "b"] {
        have_kept(&mut keeper, name, 1, b"x");
    }
    let mut begin = |name: &str| say(&mut keeper, &format!("begin {name} 1 {hash} 1"));
    refused(&begin("rooms c"), " too-many an owner has at most 2 data sets");
    refused(&begin("others a"), "want others ");
    refused(&begin("others b"), "want others ");
    refused(&begin("others c"), " busy ");
    let _ = say(&mut keeper, &format!("part others {hash} 1 eA=="));
    let said = say(&mut keeper, "gone third a 1");
    refused(&said, " too-many there are at most 2 owners");
}

#[test]
fn a_store_that_can_not_be_written_is_told_and_healed_later() {
    let mut keeper = keeper(limits());
    let hash = Hash::of(b"new");
    let _ = say(&mut keeper, &begin("a", 1, b"new"));
    keeper.store().fails = Some("the disk is full");
    let text = "the disk is full".to_owned();
    let line = format!("part rooms {hash} 1 bmV3");
    assert_eq!(say(&mut keeper, &line), ["refused rooms a 1 store the disk is full"]);
    let (owner, name, reason) = (rooms(), name("a"), RefusedReason::Store);
    assert_eq!(keeper.take_told(), [Told::Refused { owner, name, version: 1, reason, text }]);
    keeper.store().fails = None;
    have_kept(&mut keeper, "a", 1, b"new");
}

#[test]
fn what_is_no_message_is_explained_to_people() {
    let mut keeper = keeper(limits());
    let said = say(&mut keeper, "keep my files");
    refused(&said, "malformed there is no verb \"keep\"; the verbs are list,");
    assert_eq!(
        say(&mut keeper, "list rooms"),
        ["malformed usage: list <owner> <id>; a word is missing"]
    );
}

#[test]
fn another_keeper_is_told_once_and_never_answered() {
    let mut keeper = keeper(limits());
    for line in ["ready", "kept rooms a 1 gone", "malformed usage: list", "ready"] {
        assert!(say(&mut keeper, line).is_empty());
    }
    assert_eq!(keeper.take_told(), [Told::AnotherKeeper]);
}

#[test]
fn parts_that_do_not_come_are_asked_for_again_and_given_up_at_last() {
    let mut keeper = keeper(KeeperLimits { silence_max: Duration::from_secs(20), ..limits() });
    let _ = say(&mut keeper, &begin("a", 1, b"hello"));
    let mut asked = Vec::new();
    while let Some(now) = keeper.deadline() {
        keeper.tick(now);
        asked.extend(keeper.take_lines().iter().map(|_| now.as_secs()));
    }
    assert_eq!(asked, [2, 6, 14]);
}

#[test]
fn who_restores_is_told_and_gets_what_is_kept() {
    let mut keeper = keeper(limits());
    have_kept(&mut keeper, "a", 1, b"abc");
    let _ = keeper.take_told();
    let catalogue = format!("a 1 {} 3\n", Hash::of(b"abc"));
    let (of_it, bytes) = (Hash::of(catalogue.as_bytes()), catalogue.len());
    let said = say(&mut keeper, "restore rooms 7");
    assert_eq!(said, [format!("catalogue rooms 7 {of_it} {bytes}")]);
    assert_eq!(keeper.take_told(), [Told::Restoring { owner: rooms() }]);
    let hash = Hash::of(b"abc");
    assert_eq!(
        say(&mut keeper, &format!("want rooms {hash} 1 2 1-64")),
        [
            format!("part rooms {hash} 1 YWI="),
            format!("part rooms {hash} 2 Yw=="),
            format!("end rooms {hash} 1")
        ]
    );
    for owner in ["rooms", "others"] {
        let stranger = Hash::of(b"stranger");
        let said = say(&mut keeper, &format!("want {owner} {stranger} 1 2 1"));
        assert_eq!(said, [format!("unknown {owner} {stranger}")]);
    }
    let said = say(&mut keeper, &format!("want others {hash} 1 2 1"));
    assert_eq!(said, [format!("unknown others {hash}")], "a content is its owner's");
}

#[test]
fn catalogues_that_nobody_fetches_do_not_pile_up() {
    let mut keeper = keeper(KeeperLimits { catalogues_max: 1, ..limits() });
    have_kept(&mut keeper, "a", 1, b"abc");
    let hash = Hash::of(format!("a 1 {} 3\n", Hash::of(b"abc")).as_bytes());
    let _ = say(&mut keeper, "list rooms 1");
    assert_eq!(say(&mut keeper, &format!("want rooms {hash} 1 6144 1")).len(), 2);
    let _ = say(&mut keeper, "list others 1");
    let said = say(&mut keeper, &format!("want rooms {hash} 1 6144 1"));
    assert_eq!(said, [format!("unknown rooms {hash}")]);
}
