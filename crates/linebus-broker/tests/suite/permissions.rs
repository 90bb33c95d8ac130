//! Who may do what, under rules of every shape: a line is delivered if and only if its sender may
//! send there and its receiver may hear it, whatever was joined, under whichever name, before or
//! after accounts changed. The reference reads the rules one by one and remembers no answer.

use std::collections::BTreeMap;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use linebus_broker::{Access, Limits, Wish};
use linebus_protocol::{Pattern, Topic};
use linebus_testkit::rules::{Accounts, Lists, Rules, fits};
use linebus_testkit::simulation::pair::Pair;
use linebus_testkit::simulation::record::Record;

const TOKENS: [&str; 5] = ["a", "b", "c", "*", ">"];
const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn topic(u: &mut Unstructured<'_>) -> Result<String> {
    let count = u.int_in_range(1..=3)?;
    let tokens: Vec<_> =
        (0..count).map(|_| u.choose(&TOKENS[..3]).copied()).collect::<Result<_>>()?;
    Ok(tokens.join("."))
}

/// A pattern, mostly one that is right.
fn pattern(u: &mut Unstructured<'_>) -> Result<String> {
    let mut tokens = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        tokens.push(*u.choose(&TOKENS[..4])?);
    }
    if u.ratio(1, 3)? {
        tokens.push(">");
    }
    Ok(match u.int_in_range(0..=19)? {
        0 => "$bus.clients".to_owned(),
        1 => "$bus.>".to_owned(),
        2..=4 => ">".to_owned(),
        _ => tokens.join("."),
    })
}

fn list(u: &mut Unstructured<'_>, more: usize) -> Result<Vec<String>> {
    (0..u.int_in_range(0..=more)?).map(|_| pattern(u)).collect()
}

fn lists(u: &mut Unstructured<'_>) -> Result<Lists> {
    let mut allow = list(u, 3)?;
    if u.ratio(1, 3)? {
        allow.push(">".to_owned());
    }
    Ok([allow, list(u, 2)?])
}

fn rules(u: &mut Unstructured<'_>) -> Result<Rules> {
    Ok(Rules { send: lists(u)?, recv: lists(u)?, see: u.arbitrary()? })
}

fn accounts(u: &mut Unstructured<'_>) -> Result<Accounts> {
    if u.ratio(1, 12)? {
        return Ok(None);
    }
    let mut accounts = BTreeMap::new();
    for user in USERS {
        if u.ratio(7, 8)? {
            accounts.insert(user.to_owned(), rules(u)?);
        }
    }
    Ok(Some(accounts))
}

fn line(u: &mut Unstructured<'_>, serial: usize) -> Result<String> {
    Ok(match u.int_in_range(0..=13)? {
        0..=2 => format!("recv {}", pattern(u)?),
        3 => format!("recv {} {}", pattern(u)?, u.choose(&["g", "h"])?),
        4 => format!("watch {}", pattern(u)?),
        5 => format!("leave {}", pattern(u)?),
        6 => format!("who {}", pattern(u)?),
        7 => format!("topics {}", pattern(u)?),
        8 => format!("send $bus.clients {serial}"),
        _ => {
            // Neighbours, so that lines with one audience can be taken together.
            let (one, two) = (topic(u)?, topic(u)?);
            format!("send {one} {serial}\nsend {two} {serial} again\nsend {one} {serial} at last")
        }
    })
}

/// Somebody comes and is let in under some name, if there is such an account.
fn log_in(pair: &mut Pair, id: u64, user: &str) -> std::result::Result<(), String> {
    pair.receive(id, format!("login {user} right\n").as_bytes())?;
    pair.finish_login(id)
}

fn step(
    u: &mut Unstructured<'_>,
    pair: &mut Pair,
    clients: &mut Vec<u64>,
    serial: usize,
) -> Result<std::result::Result<(), String>> {
    let at = u.int_in_range(0..=4)?;
    Ok(match clients.get(at).copied() {
        None => {
            let user = *u.choose(&USERS)?;
            let connected = pair.connect(&format!("C{serial}"), usize::MAX);
            connected.and_then(|(id, _)| {
                clients.push(id);
                log_in(pair, id, user)
            })
        }
        Some(_) if u.ratio(1, 20)? => pair.set_accounts(accounts(u)?),
        Some(id) if u.ratio(1, 20)? => log_in(pair, id, u.choose(&USERS)?),
        Some(id) if u.ratio(1, 30)? => {
            clients.remove(at);
            pair.disconnect(id)
        }
        Some(id) => pair.receive(id, format!("{}\n", line(u, serial)?).as_bytes()),
    })
}

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn a_line_is_delivered_if_and_only_if_it_is_allowed() {
    let mut seen = BTreeMap::new();
    arbtest(|u| {
        let limits = Limits { joins_max: 6, login_failures_max: 9, ..Limits::default() };
        let mut pair = Pair::new(&limits, Record::with_transcript());
        let mut played = pair.set_accounts(accounts(u)?);
        let mut clients = Vec::new();
        for serial in 0..u.int_in_range(10..=80)? {
            if let Err(wrong) = played {
                panic!("{wrong}\n{}", pair.record.transcript());
            }
            played = step(u, &mut pair, &mut clients, serial)?;
        }
        pair.record.counts.iter().for_each(|(kind, n)| *seen.entry(kind.clone()).or_insert(0) += n);
        Ok(())
    })
    .budget_ms(500);
    for kind in ["recv", "watch", "denied", "left", "login-first"] {
        assert!(seen.contains_key(kind), "{kind} never happened: {seen:?}");
    }
}

/// Every topic of up to four tokens that rules made of these tokens can tell apart.
fn topics() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut longest = vec![String::new()];
    for _ in 0..4 {
        let longer = |begin: &String| {
            ["a", "b", "c", "x"].map(|token| match begin.as_str() {
                "" => token.to_owned(),
                begin => format!("{begin}.{token}"),
            })
        };
        longest = longest.iter().flat_map(longer).collect();
        all.extend_from_slice(&longest);
    }
    all
}

#[test]
fn access_is_what_the_rules_say_word_for_word() {
    let topics = topics();
    arbtest(|u| {
        let rules = rules(u)?;
        let access = Access::Account(rules.account("alice"));
        for topic in &topics {
            let parsed = Topic::parse(topic).expect("it is a topic");
            let wishes = (Wish::Send(parsed), Wish::Hear(parsed), Wish::Join(parsed.into()));
            let (send, hear) = (rules.may_send(topic), rules.may_hear(topic));
            assert_eq!(access.authorize(wishes.0), send, "send {topic}: {rules:?}");
            assert_eq!(access.authorize(wishes.1), hear, "hear {topic}: {rules:?}");
            assert_eq!(access.authorize(wishes.2), hear, "join {topic}: {rules:?}");
        }
        let bus = Topic::parse("$bus.clients").expect("it is a topic");
        assert!(!access.authorize(Wish::Send(bus)), "{rules:?}");
        assert_eq!(access.authorize(Wish::Hear(bus)), rules.see, "{rules:?}");
        Ok(())
    });
}

#[test]
fn a_wildcard_is_joined_if_all_of_it_is_allowed_and_not_all_of_it_denied() {
    let topics = topics();
    arbtest(|u| {
        let (rules, pattern) = (rules(u)?, pattern(u)?);
        let parsed = Pattern::parse(&pattern).expect("it is a pattern");
        let access = Access::Account(rules.account("alice"));
        let granted = access.authorize(Wish::Join(parsed));
        assert_eq!(granted, rules.may_hear(&pattern), "{pattern}: {rules:?}");
        if pattern.starts_with('$') {
            return Ok(());
        }
        let [allow, deny] = &rules.recv;
        let asked: Vec<_> = topics.iter().filter(|topic| fits(&pattern, topic)).collect();
        let all =
            |list: &[String]| list.iter().any(|rule| asked.iter().all(|topic| fits(rule, topic)));
        // Two rules may cover together what neither does alone; one must do it alone.
        assert_eq!(granted, all(allow) && !all(deny), "{pattern}: {rules:?}");
        Ok(())
    });
}
