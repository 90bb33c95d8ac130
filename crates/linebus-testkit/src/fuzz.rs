//! What fuzzing calls: any bytes in, a panic out where something is not as it must be. The same
//! functions replay the kept corpora in plain tests.

mod broker;
mod command;
mod record;
mod users;

use linebus_protocol::run::Run;
use linebus_protocol::text::{check_line, is_clean};
use linebus_protocol::{Command, Event, Pattern, Topic};
use linebus_server::Config;

use crate::rules::fits;

pub use broker::broker;
pub use command::command;
pub use record::record;
pub use users::users;

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
    let end = u32::try_from(bytes.len()).expect("inputs are short");
    if let Some(run) = Run::take(&mut bytes, 0, &[end], usize::MAX) {
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
