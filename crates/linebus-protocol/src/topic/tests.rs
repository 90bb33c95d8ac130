//! The grammar by example, matching against a naive reference.

use arbtest::arbtest;

use super::*;

#[test]
fn topics_that_are_and_are_not() {
    for good in ["a", "syslib", "rooms.vienna.lights", "A-b_9.c", "$bus.clients", &"x".repeat(200)]
    {
        assert_eq!(Topic::parse(good).map(Topic::as_str), Ok(good));
    }
    let tokens_17 = vec!["t"; 17].join(".");
    let bytes_201 = "x".repeat(201);
    for (bad, why) in [
        ("", BadTopic::EmptyToken),
        (".", BadTopic::EmptyToken),
        ("a.", BadTopic::EmptyToken),
        (".a", BadTopic::EmptyToken),
        ("a..b", BadTopic::EmptyToken),
        ("$", BadTopic::EmptyToken),
        ("a b", BadTopic::Character),
        ("a.$b", BadTopic::Character),
        ("zürich", BadTopic::Character),
        ("a*", BadTopic::Wildcard),
        ("a.>.b", BadTopic::Wildcard),
        ("$>", BadTopic::Wildcard),
        ("a.*", BadTopic::NotOneTopic),
        (">", BadTopic::NotOneTopic),
        (&tokens_17, BadTopic::TooManyTokens),
        (&bytes_201, BadTopic::TooLong),
    ] {
        assert_eq!(Topic::parse(bad), Err(why), "{bad}");
        assert_eq!(Topic::parse_bytes(bad.as_bytes()), Err(why), "{bad}");
    }
    assert!(Topic::parse(&tokens_17[2..]).is_ok(), "16 tokens are allowed");
}

#[test]
fn wildcards_match_whole_tokens() {
    for (pattern, topic, expected) in [
        ("rooms.>", "rooms", false),
        ("rooms.>", "rooms.vienna", true),
        ("rooms.>", "rooms.vienna.lights", true),
        ("rooms.*", "rooms.vienna", true),
        ("rooms.*", "rooms.vienna.lights", false),
        ("*", "rooms", true),
        ("*.lights", "vienna.lights", true),
        (">", "rooms.vienna", true),
        (">", "$bus.clients", false),
        ("*.clients", "$bus.clients", false),
        ("$bus.>", "$bus.clients", true),
        ("$bus.*", "$bus.clients", true),
        ("rooms", "Rooms", false),
    ] {
        let (p, t) = (Pattern::parse(pattern).expect("good"), Topic::parse(topic).expect("good"));
        assert_eq!(p.matches(t), expected, "{pattern} {topic}");
    }
}

/// The definition, word for word, on lists of tokens and by recursion.
fn naive(pattern: &[&str], topic: &[&str], first: bool) -> bool {
    match (pattern, topic) {
        ([], []) => true,
        ([">"], [head, ..]) => !(first && head.starts_with('$')),
        (["*", p @ ..], [head, t @ ..]) => !(first && head.starts_with('$')) && naive(p, t, false),
        ([a, p @ ..], [b, t @ ..]) => a == b && naive(p, t, false),
        _ => false,
    }
}

#[test]
fn matching_agrees_with_the_definition() {
    arbtest(|u| {
        let mut pattern = Vec::new();
        for _ in 0..u.int_in_range(1..=4)? {
            pattern.push(*u.choose(&["a", "b", "*", ">", "$a"])?);
        }
        let mut topic = Vec::new();
        for _ in 0..u.int_in_range(1..=4)? {
            topic.push(*u.choose(&["a", "b", "$a"])?);
        }
        let (p, t) = (pattern.join("."), topic.join("."));
        if let (Ok(p), Ok(t)) = (Pattern::parse(&p), Topic::parse(&t)) {
            assert_eq!(p.matches(t), naive(&pattern, &topic, true), "{p} {t}");
        }
        Ok(())
    });
}
