//! What an owner announces, and when again.

use std::time::Duration;

use rooms_backup::{Hash, Owner, Patience, RefusedReason};

use crate::memory::{name, rooms};

const SECOND: Duration = Duration::from_secs(1);
const START: Duration = Duration::ZERO;

fn owner(sets: &[(&str, &[u8])]) -> Owner {
    let patience = Patience { first: 2 * SECOND, most: 8 * SECOND };
    let mut owner = Owner::new(rooms(), patience, 6, START);
    for (set, content) in sets {
        owner.set(name(set), *content);
    }
    owner
}

fn say(owner: &mut Owner, line: &str, now: Duration) -> Vec<String> {
    owner.receive(line, now);
    owner.take_lines()
}

/// The keeper says that it keeps this.
fn list(owner: &mut Owner, catalogue: &str, now: Duration) -> Vec<String> {
    owner.tick(now);
    let asked = owner.take_lines();
    let id = asked[0].strip_prefix("list rooms ").expect("it asks first").to_owned();
    let hash = Hash::of(catalogue.as_bytes());
    let bytes = catalogue.len();
    let wants = say(owner, &format!("catalogue rooms {id} {hash} {bytes}"), now);
    if catalogue.is_empty() {
        return wants;
    }
    assert!(wants[0].starts_with(&format!("want rooms {hash} ")), "{}", wants[0]);
    let part = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, catalogue);
    say(owner, &format!("part rooms {hash} 1 {part}"), now)
}

#[test]
fn only_what_the_keeper_lacks_is_announced() {
    let mut owner = owner(&[("a", b"one"), ("b", b"two"), ("c", b"three")]);
    assert!(!owner.status().is_complete());
    let (one, two, three, old) =
        (Hash::of(b"one"), Hash::of(b"two"), Hash::of(b"three"), Hash::of(b"old"));
    let said =
        list(&mut owner, &format!("a 4 {one} 3\nb 7 {old} 3\nd 2 {old} 3\ne 5 gone 0\n"), START);
    assert_eq!(
        said,
        [
            format!("begin rooms b 8 {two} 3"),
            format!("begin rooms c 1 {three} 5"),
            "gone rooms d 3".to_owned(),
        ]
    );
    let said = say(&mut owner, &format!("want rooms {two} 1 2 1-2"), START);
    assert_eq!(
        said,
        [
            format!("part rooms {two} 1 dHc="),
            format!("part rooms {two} 2 bw=="),
            format!("end rooms {two} 1")
        ]
    );
    let _ = say(&mut owner, &format!("kept rooms b 8 {two}"), START);
    let _ = say(&mut owner, &format!("kept rooms c 1 {three}"), START);
    assert!(!owner.status().is_complete());
    let _ = say(&mut owner, "kept rooms d 3 gone", START);
    assert!(owner.status().is_complete());
    assert_eq!(owner.status().kept, 3);
}

#[test]
fn an_owner_that_lost_everything_removes_nothing() {
    let mut owner = owner(&[]);
    let said = list(&mut owner, &format!("a 4 {} 3\n", Hash::of(b"one")), START);
    assert!(said.is_empty());
    assert!(owner.status().is_complete());
    owner.set(name("b"), *b"new");
    owner.tick(START);
    let hash = Hash::of(b"new");
    assert_eq!(owner.take_lines(), [format!("begin rooms b 1 {hash} 3")]);
    owner.remove(&name("b"));
    owner.tick(START);
    assert_eq!(owner.take_lines(), ["gone rooms b 2"], "it knows that this one is no more");
}

#[test]
fn what_was_not_acknowledged_is_announced_again_later_each_time() {
    let mut owner = owner(&[("a", b"one")]);
    let announced = list(&mut owner, "", START);
    let mut times = Vec::new();
    for _ in 0..4 {
        let now = owner.deadline();
        owner.tick(now);
        assert_eq!(owner.take_lines(), announced);
        times.push(now.as_secs());
    }
    assert_eq!(times, [2, 6, 14, 22]);
    let hash = Hash::of(b"one");
    for other in ["kept others a 1", "kept rooms b 1", "kept rooms a 2"] {
        let _ = say(&mut owner, &format!("{other} {hash}"), 23 * SECOND);
    }
    let _ = say(&mut owner, "kept rooms a 1 gone", 23 * SECOND);
    assert_eq!(owner.status().pending, 1);
    let _ = say(&mut owner, &format!("kept rooms a 1 {hash}"), 23 * SECOND);
    assert!(owner.status().is_complete());
}

#[test]
fn a_change_under_way_has_a_newer_number() {
    let mut owner = owner(&[("a", b"one")]);
    let _ = list(&mut owner, "", START);
    owner.set(name("a"), *b"two");
    owner.tick(START);
    let two = Hash::of(b"two");
    assert_eq!(owner.take_lines(), [format!("begin rooms a 2 {two} 3")]);
    let one = Hash::of(b"one");
    assert_eq!(
        say(&mut owner, &format!("want rooms {one} 1 6144 1"), START),
        [format!("drop rooms {one}")]
    );
    let _ = say(&mut owner, &format!("kept rooms a 1 {one}"), START);
    assert_eq!(owner.status().pending, 1);
    owner.remove(&name("a"));
    owner.set(name("b"), *b"two");
    owner.tick(START);
    assert_eq!(
        owner.take_lines(),
        ["gone rooms a 3".to_owned(), format!("begin rooms b 1 {two} 3")]
    );
}

#[test]
fn what_was_changed_and_changed_back_is_kept_when_that_is_acknowledged() {
    let mut owner = owner(&[("a", b"one")]);
    let one = Hash::of(b"one");
    let _ = list(&mut owner, &format!("a 1 {one} 3\n"), START);
    assert_eq!((owner.status().kept, owner.status().pending), (1, 0));
    owner.set(name("a"), *b"two");
    owner.tick(START);
    owner.set(name("a"), *b"one");
    owner.tick(START);
    assert_eq!((owner.status().kept, owner.status().pending), (0, 1));
    let _ = say(&mut owner, &format!("kept rooms a 3 {one}"), START);
    assert_eq!((owner.status().kept, owner.status().pending), (1, 0));
    owner.remove(&name("a"));
    assert_eq!((owner.status().kept, owner.status().pending), (0, 1));
}

#[test]
fn a_keeper_that_is_ready_again_is_asked_again() {
    let mut owner = owner(&[("a", b"one")]);
    let one = Hash::of(b"one");
    assert!(list(&mut owner, &format!("a 1 {one} 3\n"), START).is_empty());
    assert_eq!(say(&mut owner, "ready", START), ["list rooms 8"]);
    assert!(!owner.status().is_complete());
    let empty = Hash::of(b"");
    assert!(
        say(&mut owner, &format!("catalogue rooms 7 {empty} 0"), START).is_empty(),
        "an old answer"
    );
    let said = say(&mut owner, &format!("catalogue rooms 8 {empty} 0"), START);
    assert_eq!(said, [format!("begin rooms a 1 {one} 3")], "its store was lost");
}

#[test]
fn now_and_then_it_looks_whether_all_is_there() {
    let mut owner = owner(&[]);
    let _ = list(&mut owner, "", START);
    assert_eq!(owner.deadline(), 600 * SECOND);
    owner.tick(600 * SECOND);
    assert_eq!(owner.take_lines(), ["list rooms 8"]);
}

#[test]
fn a_refusal_is_told_and_does_not_hold_up_the_others() {
    let sets: Vec<_> = (0..20).map(|number| format!("set-{number:02}")).collect();
    let sets: Vec<_> = sets.iter().map(|set| (set.as_str(), &b"one"[..])).collect();
    let mut owner = owner(&sets);
    assert_eq!(list(&mut owner, "", START).len(), 8);
    let hash = Hash::of(b"one");
    for (number, (set, _)) in sets.iter().enumerate() {
        let answer = match number {
            0..10 => format!("refused rooms {set} 1 store the disk is full"),
            _ => format!("kept rooms {set} 1 {hash}"),
        };
        let _ = say(&mut owner, &answer, START);
    }
    let status = owner.status();
    assert!(status.is_settled() && !status.is_complete());
    assert_eq!((status.kept, status.refused.len()), (10, 10));
    let refusal = &status.refused[&name("set-00")];
    assert_eq!((refusal.reason, refusal.text.as_str()), (RefusedReason::Store, "the disk is full"));
    owner.tick(8 * SECOND);
    assert_eq!(owner.take_lines().len(), 10, "they are tried again");
    let _ = say(&mut owner, &format!("kept rooms set-00 1 {hash}"), 9 * SECOND);
    assert_eq!(owner.status().refused.len(), 9);
}

#[test]
fn an_outdated_number_makes_it_look_again() {
    let mut owner = owner(&[("a", b"one")]);
    let _ = list(&mut owner, "", START);
    let said = say(&mut owner, "refused rooms a 1 outdated version 5 is kept", START);
    assert_eq!(said, ["list rooms 8"]);
}
