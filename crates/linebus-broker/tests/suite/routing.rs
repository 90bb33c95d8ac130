//! Who hears a line, whatever was joined and left before: wildcards of every shape, groups, the
//! bus's own topics. The reference matches token by token and caches nothing.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use linebus_broker::Limits;
use linebus_testkit::simulation::pair::Pair;
use linebus_testkit::simulation::record::Record;

const TOKENS: [&str; 6] = ["a", "b", "c", "*", ">", "$bus"];

fn pattern(u: &mut Unstructured<'_>) -> Result<String> {
    let mut tokens = Vec::new();
    let count = if u.ratio(1, 20)? { 17 } else { u.int_in_range(1..=4)? };
    for _ in 0..count {
        tokens.push(*u.choose(&TOKENS[..5])?);
    }
    Ok(match u.int_in_range(0..=9)? {
        0 => "$bus.clients".to_owned(),
        1 => ["$bus", tokens[0]].join("."),
        2 => ">".to_owned(),
        _ => tokens.join("."),
    })
}

fn send(pattern: &str, serial: usize) -> String {
    let topic: Vec<_> = pattern.split('.').filter(|token| !token.contains(['*', '>'])).collect();
    format!("send {} {serial}\n", topic.join("."))
}

/// What a client says in one read: a line, or many that are sent.
fn lines(u: &mut Unstructured<'_>, serial: usize) -> Result<String> {
    if u.ratio(2, 3)? {
        return line(u, serial);
    }
    let count = u.int_in_range(1..=30)?;
    (0..count).map(|more| Ok(send(&pattern(u)?, 100 * serial + more))).collect()
}

fn line(u: &mut Unstructured<'_>, serial: usize) -> Result<String> {
    let pattern = pattern(u)?;
    Ok(match u.int_in_range(0..=11)? {
        0..=1 => format!("recv {pattern}\n"),
        2 => format!("recv {pattern} {}\n", u.choose(&["g", "h"])?),
        3 => format!("watch {pattern}\n"),
        4 => format!("leave {pattern}\n"),
        5 => format!("login user{serial}\n"),
        6 => format!("who {pattern}\n"),
        7 => format!("topics {pattern}\n"),
        _ => send(&pattern, serial),
    })
}

#[test]
#[cfg_attr(feature = "canary", ignore = "the broker is broken on purpose")]
fn lines_go_to_whoever_has_a_pattern_that_matches() {
    arbtest(|u| {
        let mut pair =
            Pair::new(&Limits { joins_max: 6, ..Limits::default() }, Record::with_transcript());
        let mut clients: Vec<u64> = Vec::new();
        for serial in 0..u.int_in_range(10..=80)? {
            let at = u.int_in_range(0..=4)?;
            let played = match clients.get(at).copied() {
                None => {
                    pair.connect(&format!("C{serial}"), usize::MAX).map(|(id, _)| clients.push(id))
                }
                Some(id) if u.ratio(1, 30)? => {
                    clients.remove(at);
                    pair.disconnect(id)
                }
                Some(id) => pair.receive(id, lines(u, serial)?.as_bytes()),
            };
            if let Err(wrong) = played {
                panic!("{wrong}\n{}", pair.record.transcript());
            }
        }
        Ok(())
    });
}
