//! The cache of routes is bounded, and nothing stays when all have left.

use super::*;
use std::time::Duration;

use crate::access::Access;
use crate::session::Gone;

struct Nothing;

impl Link for Nothing {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        Ok(bytes.len())
    }
}

fn session(id: u64) -> Arc<Session<Nothing>> {
    Arc::new(Session::new(id, "test".into(), Access::Open, Nothing, Duration::ZERO))
}

fn pattern(text: &str) -> Pattern<'_> {
    Pattern::parse(text).expect("a good pattern")
}

#[test]
fn topics_used_once_flow_through_the_cache() {
    let mut topics = Topics::new();
    let session = session(1);
    topics.join(&session, pattern("once.>"), Want::Recv(None), true);
    for number in 0..3 * GENERATION_MAX {
        let name = format!("once.{number}");
        topics.resolve(Topic::parse(&name).expect("a good topic"));
        assert!(topics.cached(name.as_bytes()).is_some(), "the last one is known");
        assert!(topics.recent.len() + topics.older.len() <= 2 * GENERATION_MAX);
    }
    assert!(topics.cached(b"once.0").is_none(), "the first one is forgotten");
    topics.leave(&session, pattern("once.>"));
    assert_eq!(topics.recent.len() + topics.older.len(), 0);
}

#[test]
fn topics_without_receivers_are_not_kept() {
    let mut topics = Topics::<Nothing>::new();
    for name in ["a", "b.c"] {
        assert!(topics.resolve(Topic::parse(name).expect("a good topic")).targets.is_empty());
    }
    assert_eq!((topics.joins.iter().count(), topics.recent.len()), (0, 0));
}

#[test]
fn nothing_is_left_when_all_have_left() {
    let mut topics = Topics::new();
    let sessions = [session(1), session(2)];
    let patterns = ["a", "a.*", "*.b", "a.>", ">", "$bus.*", "a.*.c.>"];
    for name in patterns {
        for session in &sessions {
            topics.join(session, pattern(name), Want::Watch, true);
        }
    }
    assert_eq!(topics.joins.wildcards(), 6, "one is plain");
    topics.resolve(Topic::parse("a").expect("a good topic"));
    topics.resolve(Topic::parse("a.b").expect("a good topic"));
    for name in patterns {
        for session in &sessions {
            assert_eq!(topics.leave(session, pattern(name)), 1);
        }
    }
    assert_eq!(
        (topics.joins.iter().count(), topics.joins.wildcards(), topics.recent.len()),
        (0, 0, 0)
    );
    assert!(sessions.iter().all(|session| Arc::strong_count(session) == 1));
}
