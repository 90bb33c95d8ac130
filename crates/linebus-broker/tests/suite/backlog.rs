//! What waits for a client that reads slowly, and is told goodbye meanwhile.

use linebus_broker::{Fact, Limits, Stage};
use linebus_protocol::ByeReason;
use linebus_testkit::by_hand::Bus;

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn goodbye_comes_after_all_that_waits_however_slowly_it_is_read() {
    let mut bus = Bus::new(Limits::default());
    let (mut slow, mut sender) = (bus.connect("recv t\n"), bus.connect(""));
    slow.pipe.limit(0, 0);
    bus.says(&mut sender, "send t 1\nsend t 2\nsend t 3\n");
    bus.says(&mut slow, "logoff\n");
    assert_eq!(bus.hears(&slow), "recv t 1\nrecv t 2\nrecv t 3\nbye logoff see you\n");
}

#[test]
fn what_waits_for_one_who_leaves_counts_in_the_budget() {
    let mut bus = Bus::new(Limits { sessions_bytes_max: 4_100, ..Limits::default() });
    let (mut leaver, other) = (bus.connect("recv t\n"), bus.connect("recv u\n"));
    let mut sender = bus.connect("");
    for client in [&leaver, &other] {
        client.pipe.limit(0, 0);
    }
    let message = "x".repeat(400);
    bus.says(&mut sender, &format!("send t {message}\n").repeat(9));
    bus.says(&mut leaver, "logoff\n");
    bus.says(&mut sender, &format!("send u {message}\n"));
    let cut = |fact: Fact| matches!(fact, Fact::Cut { reason: ByeReason::Memory, .. });
    assert_eq!(bus.work.facts().filter(|fact| cut(fact.clone())).count(), 1);
    assert_eq!(other.connection.session().stage(), Stage::Open);
    assert!(bus.hears(&leaver).starts_with("bye memory "));
    assert_eq!(bus.hears(&other), format!("recv u {message}\n"));
}

#[test]
fn a_group_does_not_choose_one_who_leaves() {
    let mut bus = Bus::new(Limits { outbox_soft_bytes: 5, ..Limits::default() });
    let (mut leaver, slow) = (bus.connect("recv jobs g\n"), bus.connect("recv jobs g\n"));
    let mut sender = bus.connect("");
    for client in [&leaver, &slow] {
        client.pipe.limit(0, 0);
    }
    bus.says(&mut leaver, "logoff\n");
    bus.says(&mut sender, "send jobs 1\nsend jobs 2\nsend jobs 3\n");
    assert_eq!(bus.hears(&slow), "recv jobs 1\nrecv jobs 2\nrecv jobs 3\n");
    assert_eq!(bus.hears(&leaver), "bye logoff see you\n");
}
