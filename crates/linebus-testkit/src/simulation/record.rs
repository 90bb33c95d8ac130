//! What happened in a simulation: a count of each kind of thing, and a transcript if one is
//! wanted.

use std::collections::BTreeMap;

use crate::transcript::escape;

/// Longer lines are shown by their two ends.
const SHOWN_BYTES: usize = 90;
/// More lines in a row that begin alike are shown by that many at either end.
const RUN_SHOWN: usize = 3;

/// What happened.
#[derive(Default)]
pub struct Record {
    /// How often each kind of thing happened: the first word of a line heard, the code of an
    /// error or a note, the reason of a bye.
    pub counts: BTreeMap<String, usize>,
    transcript: Option<Vec<String>>,
}

impl Record {
    /// Writes a transcript, besides counting.
    #[must_use]
    pub fn with_transcript() -> Self {
        Self { counts: BTreeMap::new(), transcript: Some(Vec::new()) }
    }

    /// One more of a kind.
    pub fn count(&mut self, kind: &str) {
        match self.counts.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(kind.to_owned(), 1)),
        }
    }

    /// A line that a client said was carried out.
    pub fn said(&mut self, name: &str, line: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{name} C: {}", short(&escape(line))));
        }
    }

    /// A client heard a line.
    pub fn heard(&mut self, name: &str, line: &str) {
        let mut words = line.split(' ');
        match (words.next(), words.nth(0), words.next()) {
            (Some("bye" | "note"), Some(reason), _) => self.count(reason),
            (Some("error"), _, Some(code)) => self.count(code),
            (verb, ..) => self.count(verb.unwrap_or("")),
        }
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{name} S: {}", short(&escape(line.as_bytes()))));
        }
    }

    /// Something else that explains what follows.
    pub fn remark(&mut self, remark: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("# {}", remark()));
        }
    }

    /// The transcript, if one was written, long runs of similar lines by their two ends.
    #[must_use]
    pub fn transcript(&self) -> String {
        let lines = self.transcript.as_deref().unwrap_or_default();
        let kind =
            |line: &String| line.splitn(4, ' ').take(3).map(str::to_owned).collect::<Vec<_>>();
        let mut shown = Vec::new();
        for run in lines.chunk_by(|a, b| kind(a) == kind(b)) {
            if run.len() <= 2 * RUN_SHOWN {
                shown.extend_from_slice(run);
                continue;
            }
            shown.extend_from_slice(&run[..RUN_SHOWN]);
            shown.push(format!("# ({} lines like these)", run.len() - 2 * RUN_SHOWN));
            shown.extend_from_slice(&run[run.len() - RUN_SHOWN..]);
        }
        shown.join("\n")
    }
}

fn short(line: &str) -> String {
    let count = line.chars().count();
    if count <= SHOWN_BYTES {
        return line.to_owned();
    }
    let begin: String = line.chars().take(SHOWN_BYTES * 2 / 3).collect();
    format!("{begin}[{count} characters]")
}
