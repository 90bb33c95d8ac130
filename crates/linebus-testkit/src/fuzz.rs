//! What fuzzing calls: any bytes in, a panic out where something is not as it must be. The same
//! functions replay the kept corpora in plain tests.

mod users;

use std::sync::Arc;

use linebus_broker::{Limits, Stage};
use linebus_protocol::run::Run;
use linebus_protocol::text::{check_line, is_clean};
use linebus_protocol::{Command, Event, Pattern, Topic};
use linebus_server::Config;

use crate::ledger::Verdict;
use crate::rules::fits;
use crate::simulation::pair::Pair;
use crate::simulation::record::Record;

pub use users::users;

/// Ends a piece in the bytes of [`stream`].
const PIECE_END: u8 = 0x1d;
/// Longest line in [`stream`].
const LINE_BYTES_MAX: usize = 64;

/// A line, read as a command and as an event; as a run, it says the same.
pub fn line(data: &[u8]) {
    let Some(text) = check_line(data) else {
        assert!(!is_clean(data) || data.contains(&b'\n'), "refused for no reason");
        return;
    };
    let event = Event::parse(text);
    assert_eq!(Event::parse(&event.to_string()), event, "what is written is read back");
    let command = Command::parse(text);
    if let Some(Err(refusal)) = &command {
        let answer = refusal.to_string();
        assert!(check_line(answer.as_bytes()).is_some(), "{answer:?}");
        assert!(matches!(Event::parse(&answer), Event::Error { .. }), "{answer}");
    }
    let mut bytes = [data, b"\n"].concat();
    if let Some(run) = Run::take(&mut bytes, usize::MAX) {
        let topic = Topic::parse_bytes(run.topic(&bytes)).ok();
        let sent = match command {
            Some(Ok(Command::Send { topic, message })) => Some((topic, message)),
            _ => None,
        };
        assert_eq!(sent.map(|(topic, _)| topic), topic);
        let heard = sent.map(|(topic, message)| format!("recv {topic} {message}\n"));
        assert!(heard.is_none_or(|heard| heard.as_bytes() == bytes));
        run.undo(&mut bytes);
        assert_eq!(&bytes[..data.len()], data);
    }
}

/// A pattern and a topic on two lines: both by the letter of the grammar, and matched token by
/// token.
pub fn pattern(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (pattern, topic) = text.split_once('\n').unwrap_or((text, "a.b"));
    let parsed = Pattern::parse(pattern);
    assert_eq!(parsed.is_ok(), is_pattern(pattern), "{pattern:?}");
    let plain = !topic.contains(['*', '>']);
    assert_eq!(Topic::parse(topic).is_ok(), is_pattern(topic) && plain, "{topic:?}");
    assert_eq!(Topic::parse(topic), Topic::parse_bytes(topic.as_bytes()));
    if let (Ok(pattern), Ok(topic)) = (parsed, Topic::parse(topic)) {
        assert_eq!(pattern.matches(topic), fits(pattern.as_str(), topic.as_str()));
        assert_eq!(pattern.as_topic().is_some(), !pattern.as_str().contains(['*', '>']));
    }
}

/// The grammar of patterns, word for word.
fn is_pattern(word: &str) -> bool {
    let tokens: Vec<_> = word.split('.').collect();
    let last = tokens.len() - 1;
    let is_token = |(at, token): (usize, &&str)| {
        let name = if at == 0 { token.strip_prefix('$').unwrap_or(token) } else { token };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        *token == "*"
            || (*token == ">" && at == last)
            || (!name.is_empty() && name.bytes().all(plain))
    };
    word.len() <= 200 && tokens.len() <= 16 && tokens.iter().enumerate().all(is_token)
}

/// Pieces of what clients write, each as one read: `A` to `D` and the bytes, ended by 0x1d; a
/// lower-case letter closes. Everybody hears what is due, however it was cut.
pub fn stream(data: &[u8]) {
    if let Err(wrong) = play(data, &mut pair(Record::default())) {
        let mut pair = pair(Record::with_transcript());
        let again = play(data, &mut pair).err();
        panic!("{wrong}; again: {again:?}\n{}", pair.record.transcript());
    }
}

fn pair(record: Record) -> Pair {
    let limits = Limits { line_bytes_max: LINE_BYTES_MAX, joins_max: 4, ..Limits::default() };
    Pair::new(&limits, record)
}

fn play(data: &[u8], pair: &mut Pair) -> Verdict {
    let (mut clients, mut past) = ([None; 4], Vec::new());
    for piece in data.split(|byte| *byte == PIECE_END) {
        let Some((who, bytes)) = piece.split_first() else { continue };
        let seat = usize::from(who & 3);
        let open = |id: &u64| pair.session(*id).stage() == Stage::Open;
        let id = match clients[seat].filter(open) {
            Some(id) => id,
            None => {
                if let Some(id) = clients[seat].take() {
                    past.push(Arc::downgrade(&pair.session(id)));
                    pair.disconnect(id)?;
                }
                let letter = char::from(b"ABCD"[(seat + 3) % 4]);
                pair.connect(&letter.to_string(), usize::MAX)?.0
            }
        };
        clients[seat] = Some(id);
        for bytes in bytes.chunks(linebus_broker::READ_BYTES) {
            pair.receive(id, bytes)?;
        }
        if who.is_ascii_lowercase() {
            past.push(Arc::downgrade(&pair.session(id)));
            pair.leave(id)?;
            pair.disconnect(id)?;
            clients[seat] = None;
        }
    }
    for id in clients.into_iter().flatten() {
        past.push(Arc::downgrade(&pair.session(id)));
        pair.disconnect(id)?;
    }
    if past.iter().any(|session| session.upgrade().is_some()) {
        return Err("somebody who has gone is still known to somebody".to_owned());
    }
    match (pair.broker().sessions(), pair.broker().queued()) {
        (0, 0) => Ok(()),
        left => Err(format!("sessions and bytes left: {left:?}")),
    }
}

/// A configuration: right, or wrong with a line of the text and a remedy for each mistake.
pub fn config(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match Config::parse(text) {
        Ok(config) => {
            let limits = config.limits;
            assert!(limits.outbox_soft_bytes < limits.outbox_hard_bytes);
            assert!(limits.outbox_hard_bytes <= limits.sessions_bytes_max);
            assert!(limits.line_bytes_max >= 512 && limits.joins_max > 0);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let lines = text.split('\n').count();
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "{problem} of {lines} lines");
                assert!(!problem.text.is_empty() && !problem.text.contains('\n'), "{problem:?}");
            }
        }
    }
}
