//! Messages as output: for people, for programs, in a format of one's own.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use linebus_client::Message;
use linebus_record::Entry;
use serde::Serialize;

use crate::exit::Failure;

/// How messages are printed. At most one may be given.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub(crate) struct How {
    /// Print the message alone, byte for byte.
    #[arg(long)]
    raw: bool,
    /// Print one JSON object per line: topic, message, and with watch time and user.
    #[arg(long)]
    json: bool,
    /// Print this, with {topic}, {message}, and with watch {time} and {user}; \t, \n and \\ stand
    /// for tab, newline and backslash.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Prints messages to standard output.
pub(crate) struct Printer {
    out: BufWriter<Stdout>,
    form: Form,
    /// Escapes what could steer a terminal.
    terminal: bool,
    /// Dim, green, cyan and their end, or nothing.
    inks: [&'static str; 4],
}

enum Form {
    Human,
    Raw,
    Json,
    Format(Vec<Piece>),
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Topic,
    Message,
    Time,
    User,
}

/// A message to be printed.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Printed<'a> {
    topic: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
}

impl<'a> From<&'a Message> for Printed<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            topic: &message.topic,
            message: &message.text,
            time: message.time.as_deref(),
            user: message.user.as_deref(),
        }
    }
}

impl<'a> From<&'a Entry<'a>> for Printed<'a> {
    fn from(entry: &'a Entry<'a>) -> Self {
        let (time, user) = (Some(entry.time.as_str()), Some(entry.user));
        Self { topic: entry.topic.as_str(), message: entry.message, time, user }
    }
}

impl Printer {
    /// A printer to standard output; `watching` says whether time and user are known.
    ///
    /// # Errors
    /// A format that is none.
    pub(crate) fn new(how: How, watching: bool) -> Result<Self, Failure> {
        let form = match how {
            How { raw: true, .. } => Form::Raw,
            How { json: true, .. } => Form::Json,
            How { format: Some(format), .. } => {
                Form::Format(parse_format(&format, watching).map_err(Failure::Usage)?)
            }
            _ => Form::Human,
        };
        let terminal = io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let inks = if colour { ["\x1b[2m", "\x1b[32m", "\x1b[36m", "\x1b[0m"] } else { [""; 4] };
        Ok(Self { out: BufWriter::with_capacity(64 << 10, io::stdout()), form, terminal, inks })
    }

    /// Prints one message; it may wait for [`Printer::flush`].
    pub(crate) fn print<'a>(&mut self, printed: impl Into<Printed<'a>>) -> io::Result<()> {
        let printed = printed.into();
        let Printed { topic, message, time, user } = printed;
        let out = &mut self.out;
        let shown = |text: &str| if self.terminal { escape(text) } else { text.to_owned() };
        match &self.form {
            Form::Raw => writeln!(out, "{message}"),
            Form::Json => {
                serde_json::to_writer(&mut *out, &printed)?;
                writeln!(out)
            }
            Form::Human => {
                if let (Some(time), Some(user)) = (time, user) {
                    let [dim, green, _, off] = self.inks;
                    write!(out, "{dim}{time}{off} {green}{user}{off} ")?;
                }
                let [_, _, cyan, off] = self.inks;
                writeln!(out, "{cyan}{topic}{off} {}", shown(message))
            }
            Form::Format(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => out.write_all(text.as_bytes())?,
                        Piece::Topic => out.write_all(topic.as_bytes())?,
                        Piece::Message => out.write_all(shown(message).as_bytes())?,
                        Piece::Time => out.write_all(time.unwrap_or("").as_bytes())?,
                        Piece::User => out.write_all(user.unwrap_or("").as_bytes())?,
                    }
                }
                writeln!(out)
            }
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Shows what could steer a terminal or turn its text around as `\u{…}`. Control characters do
/// not come from a bus, but a terminal is not the place to rely on that.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Bidirectional controls (Unicode UAX #9, 2) and line separators.
        let steers = c.is_control() && c != '\t'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if steers { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

fn parse_format(format: &str, watching: bool) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some('\\') => text.push('\\'),
                _ => return Err("--format knows \\t, \\n and \\\\ after a backslash".to_owned()),
            },
            '{' => {
                let (name, after) =
                    rest.as_str().split_once('}').ok_or("--format: a { is not closed")?;
                rest = after.chars();
                let piece = match name {
                    "topic" => Piece::Topic,
                    "message" => Piece::Message,
                    "time" | "user" if !watching => {
                        return Err(format!("{{{name}}} is only known to `linebus watch`"));
                    }
                    "time" => Piece::Time,
                    "user" => Piece::User,
                    _ => {
                        let known = "{topic}, {message}, {time} and {user}";
                        return Err(format!("--format knows {known}, not {{{name}}}"));
                    }
                };
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(piece);
            }
            c => text.push(c),
        }
    }
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_text_and_placeholders() {
        let pieces = parse_format("{time}\\t{message}!", true);
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(pieces, Ok(vec![Piece::Time, text("\t"), Piece::Message, text("!")]));
        for (wrong, why) in [
            ("{time}", "{time} is only known to `linebus watch`"),
            ("{topik}", "--format knows {topic}, {message}, {time} and {user}, not {topik}"),
            ("{topic", "--format: a { is not closed"),
            ("\\x", "--format knows \\t, \\n and \\\\ after a backslash"),
        ] {
            assert_eq!(parse_format(wrong, false), Err(why.to_owned()));
        }
    }

    #[test]
    fn what_could_steer_a_terminal_is_shown_instead() {
        assert_eq!(escape("grüezi\t🙂"), "grüezi\t🙂");
        assert_eq!(escape("a\u{1b}[2J\u{9b}b\u{202e}c"), "a\\u{1b}[2J\\u{9b}b\\u{202e}c");
    }
}
