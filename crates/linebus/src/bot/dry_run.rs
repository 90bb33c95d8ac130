//! What rules would do about lines of a recording. Nothing is sent and nothing is run.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use linebus_record::Entry;

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

    /// Plays one line of a recording. Its time is what counts for the rules' limits.
    ///
    /// # Errors
    /// The output's.
    pub(super) fn play(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.lines += 1;
        // The bus never lets a bot hear itself.
        if self.rules.user.as_deref() == Some(entry.user) {
            return Ok(());
        }
        let time = entry.time.timestamp().unwrap_or_default();
        let heard = Heard {
            topic: entry.topic.as_str(),
            text: entry.message,
            user: Some(entry.user),
            time: Some(entry.time.as_str()),
        };
        self.hear(time.as_duration().unsigned_abs(), heard)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn play(rules: &str, lines: &[&str]) -> (String, String) {
        let mut out = Vec::new();
        let mut dry_run = DryRun::new(Rules::parse(rules).expect("it is right"), &mut out);
        for line in lines {
            let entry = Entry::parse(line.as_bytes()).expect("it is a line of a recording");
            dry_run.play(&entry).expect("memory takes it");
        }
        let sum = dry_run.finish().expect("memory takes it");
        (String::from_utf8(out).expect("it prints text"), sum)
    }

    #[test]
    fn a_recording_is_played_by_its_own_time() {
        let rules = "user = \"bot\"\n[[rule]]\nname = \"hot\"\non = \"rooms.*\"\nmatch = '(?<degrees>\\d+)'\nsend = \"ops.{topic.2}\"\ntext = \"{degrees} by {user}\"\nrun = [\"mail\", \"ops\"]\nat_most = \"1 per minute\"";
        let (out, sum) = play(
            rules,
            &[
                "2026-01-31T12:00:00.000000Z alice rooms.vienna 31 degrees",
                "2026-01-31T12:00:59.999999Z alice rooms.vienna 32",
                "2026-01-31T12:00:59.999999Z alice rooms.vienna warm",
                "2026-01-31T12:01:00.000000Z bob rooms.lisbon 33",
                "2026-01-31T12:02:00.000000Z bot rooms.lisbon 34",
                "2026-01-31T12:02:00.000000Z bob elsewhere ",
                "2026-01-31T12:01:30.000000Z bob rooms.lisbon 35",
            ],
        );
        let expected = "\
2026-01-31T12:00:00.000000Z hot: send ops.vienna 31 by alice
2026-01-31T12:00:00.000000Z hot: run [\"mail\", \"ops\"] LINEBUS_DEGREES=\"31\"
2026-01-31T12:00:59.999999Z hot: more than 1 per minute; what is over it is not done
2026-01-31T12:01:00.000000Z hot: lines over 1 per minute, not acted on: 1
2026-01-31T12:01:00.000000Z hot: send ops.lisbon 33 by bob
2026-01-31T12:01:00.000000Z hot: run [\"mail\", \"ops\"] LINEBUS_DEGREES=\"33\"
2026-01-31T12:01:30.000000Z hot: more than 1 per minute; what is over it is not done
hot: lines over 1 per minute, not acted on: 1
";
        assert_eq!(out, expected);
        assert_eq!(sum, "lines that would be acted on: 2 of 7");
    }
}
