//! Fuzzing of commands: read, written again, read again.

use linebus_protocol::text::check_line;
use linebus_protocol::{Command, ErrorCode, Event, Verb, is_name};

/// A line, read as a command. What it says can be written and says the same; a refusal has a code
/// that the protocol knows for what can be wrong with words, and is a line itself.
pub fn command(data: &[u8]) {
    let Some(text) = check_line(data) else { return };
    match Command::parse(text) {
        None => assert!(text.trim_matches([' ', '\t']).is_empty(), "{text:?} says something"),
        Some(Ok(command)) => {
            let again = written(command);
            assert_eq!(Command::parse(&again), Some(Ok(command)), "{again:?}");
            let verb = Verb::parse(command.verb().name());
            assert_eq!(verb, Some(command.verb()));
        }
        Some(Err(refusal)) => {
            let answer = refusal.to_string();
            assert!(check_line(answer.as_bytes()).is_some(), "{answer:?}");
            let Event::Error { verb, code, text } = Event::parse(&answer) else {
                panic!("{answer}");
            };
            assert_eq!((verb, text), (refusal.verb, &*refusal.text));
            assert!(verb == "line" || is_name(verb), "{answer}");
            let known = ErrorCode::parse(code);
            let expected = [ErrorCode::UnknownVerb, ErrorCode::Usage, ErrorCode::BadTopic];
            assert!(known.is_some_and(|code| expected.contains(&code)), "{answer}");
        }
    }
}

/// A command as a careful client writes it.
fn written(command: Command<'_>) -> String {
    let optional = |word: Option<&str>| word.map_or(String::new(), |word| format!(" {word}"));
    let verb = command.verb();
    match command {
        Command::Login { user, password } => format!("login {user}{}", optional(password)),
        Command::Recv { pattern, group } => format!("recv {pattern}{}", optional(group)),
        Command::Watch { pattern } | Command::Leave { pattern } => format!("{verb} {pattern}"),
        Command::Send { topic, message } => format!("send {topic} {message}"),
        Command::Ping { word } => format!("ping{}", optional(word)),
        Command::Who { pattern } | Command::Topics { pattern } => {
            format!("{verb}{}", optional(pattern.as_ref().map(|pattern| pattern.as_str())))
        }
        Command::Help { verb } => format!("help{}", optional(verb.map(Verb::name))),
        Command::Logoff => "logoff".to_owned(),
    }
}
