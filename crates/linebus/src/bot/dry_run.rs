//! What rules would do about lines of a recording. Nothing is sent and nothing is run.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use linebus_protocol::text::check_line;
use linebus_protocol::{Topic, is_name};

use super::rule::Action;
use super::rules::Rules;
use crate::job::Heard;
use crate::print::escape;

/// Plays lines to rules, and prints what they would do to `out`.
pub(super) struct DryRun<W> {
    rules: Rules,
    out: W,
    /// Lines so far, and those of them about which a rule would do something.
    lines: u64,
    answered: u64,
}

impl<W: Write> DryRun<W> {
    pub(super) fn new(rules: Rules, out: W) -> Self {
        Self { rules, out, lines: 0, answered: 0 }
    }

    /// Plays one line of a recording, `<time> <user> <topic> <message>`. Its time is what counts
    /// for the rules' limits.
    ///
    /// # Errors
    /// The output's; inside, what is wrong with the line.
    pub(super) fn play(&mut self, line: &str) -> io::Result<Result<(), String>> {
        let (time, heard) = match parse(line) {
            Ok(parsed) => parsed,
            Err(text) => return Ok(Err(text)),
        };
        self.lines += 1;
        // The bus never lets a bot hear itself.
        if self.rules.user.is_none() || heard.user != self.rules.user.as_deref() {
            self.hear(time, heard)?;
        }
        Ok(Ok(()))
    }

    fn hear(&mut self, time: Duration, heard: Heard<'_>) -> io::Result<()> {
        let Self { rules, out, .. } = self;
        let at = heard.time.unwrap_or_default();
        let mut print = |text: &dyn Display| writeln!(out, "{at} {}", escape(&text.to_string()));
        let mut answered = false;
        for rule in &mut rules.rules {
            let mut told = Vec::new();
            let actions = rule.take(heard, time, |text| told.push(text));
            answered |= !actions.is_empty();
            told.iter().try_for_each(|text| print(text))?;
            for action in actions {
                print(&format_args!("{}: {action}", rule.name))?;
            }
        }
        self.answered += u64::from(answered);
        Ok(())
    }

    /// Prints what is left to say, and returns the sum of it all.
    pub(super) fn finish(mut self) -> io::Result<String> {
        let mut told = Vec::new();
        self.rules.rules.iter_mut().for_each(|rule| rule.tell_missed(|text| told.push(text)));
        for text in told {
            writeln!(self.out, "{}", escape(&text))?;
        }
        self.out.flush()?;
        Ok(format!("lines that would be acted on: {} of {}", self.answered, self.lines))
    }
}

impl Display for Action {
    /// As something that would be done.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Send { topic, text } => write!(f, "send {topic} {text}"),
            Self::Refused(why) => write!(f, "not sent: {why}"),
            Self::Run { job, captures } => {
                write!(f, "run {:?}", job.command())?;
                captures.iter().try_for_each(|(name, value)| write!(f, " {name}={value:?}"))
            }
        }
    }
}

/// A line of a recording, with its time once more as a number.
fn parse(line: &str) -> Result<(Duration, Heard<'_>), String> {
    if check_line(line.as_bytes()).is_none() {
        return Err("a line is UTF-8 without control characters, TAB excepted".to_owned());
    }
    let mut words = line.splitn(4, ' ');
    let mut next = || words.next().unwrap_or_default();
    // An editor may have taken the blank before an empty message away.
    let [time, user, topic, text] = std::array::from_fn(|_| next());
    let parsed = time.parse::<Timestamp>().ok();
    // What the bus says, and what a record says about itself, is by `$bus` and `$record`.
    let is_user = is_name(user.strip_prefix('$').unwrap_or(user));
    match (parsed, is_user, Topic::parse(topic)) {
        (Some(parsed), true, Ok(_)) => {
            let since_1970 = parsed.as_duration().unsigned_abs();
            Ok((since_1970, Heard { topic, text, user: Some(user), time: Some(time) }))
        }
        (None, ..) => Err(format!("`{time}` is no time; {LINE}")),
        (_, false, _) => Err(format!("`{user}` is no user; {LINE}")),
        (.., Err(rule)) => Err(format!("`{topic}` is no topic: {rule}; {LINE}")),
    }
}

const LINE: &str =
    "a line is `<time> <user> <topic> <message>`, and the time like 2026-01-31T12:00:00Z";

#[cfg(test)]
mod tests {
    use super::*;

    fn play(rules: &str, lines: &[&str]) -> (Vec<Result<(), String>>, String, String) {
        let mut out = Vec::new();
        let mut dry_run = DryRun::new(Rules::parse(rules).expect("it is right"), &mut out);
        let played =
            lines.iter().map(|line| dry_run.play(line).expect("memory takes it")).collect();
        let sum = dry_run.finish().expect("memory takes it");
        (played, String::from_utf8(out).expect("it prints text"), sum)
    }

    #[test]
    fn a_recording_is_played_by_its_own_time() {
        let rules = "user = \"bot\"\n[[rule]]\nname = \"hot\"\non = \"rooms.*\"\nmatch = '(?<degrees>\\d+)'\nsend = \"ops.{topic.2}\"\ntext = \"{degrees} by {user}\"\nrun = [\"mail\", \"ops\"]\nat_most = \"1 per minute\"";
        let (played, out, sum) = play(
            rules,
            &[
                "2026-01-31T12:00:00.000000Z alice rooms.vienna 31 degrees",
                "2026-01-31T12:00:59.999999Z alice rooms.vienna 32",
                "2026-01-31T12:00:59.999999Z alice rooms.vienna warm",
                "2026-01-31T12:01:00Z bob rooms.lisbon 33",
                "2026-01-31T12:02:00Z bot rooms.lisbon 34",
                "2026-01-31T12:02:00Z bob elsewhere",
                "2026-01-31T12:01:30Z bob rooms.lisbon 35",
            ],
        );
        assert!(played.iter().all(Result::is_ok), "{played:?}");
        let expected = "\
2026-01-31T12:00:00.000000Z hot: send ops.vienna 31 by alice
2026-01-31T12:00:00.000000Z hot: run [\"mail\", \"ops\"] LINEBUS_DEGREES=\"31\"
2026-01-31T12:00:59.999999Z hot: more than 1 per minute; what is over it is not done
2026-01-31T12:01:00Z hot: lines over 1 per minute, not acted on: 1
2026-01-31T12:01:00Z hot: send ops.lisbon 33 by bob
2026-01-31T12:01:00Z hot: run [\"mail\", \"ops\"] LINEBUS_DEGREES=\"33\"
2026-01-31T12:01:30Z hot: more than 1 per minute; what is over it is not done
hot: lines over 1 per minute, not acted on: 1
";
        assert_eq!(out, expected);
        assert_eq!(sum, "lines that would be acted on: 2 of 7");
    }

    #[test]
    fn what_is_no_line_of_a_recording_is_explained() {
        let rules = "[[rule]]\non = \">\"\nsend = \"u\"";
        let lines = [
            "",
            "recv t x",
            "2026-01-31T12:00:00Z a@b t x",
            "2026-01-31T12:00:00Z bob t..u x",
            "2026-01-31T12:00:00Z bob t \u{1b}[2J",
            "2026-01-31T12:00:00Z bob t",
        ];
        let (played, out, _) = play(rules, &lines);
        let wrong: Vec<_> = played.into_iter().filter_map(Result::err).collect();
        let begin = [
            "`` is no time",
            "`recv` is no time",
            "`a@b` is no user",
            "`t..u` is no topic",
            "a line is UTF-8",
        ];
        assert_eq!(wrong.len(), begin.len(), "{wrong:?}");
        for (wrong, begin) in wrong.iter().zip(begin) {
            assert!(wrong.starts_with(begin), "{wrong}");
        }
        assert_eq!(out, "2026-01-31T12:00:00Z rule 1: send u \n");
    }
}
