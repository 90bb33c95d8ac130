//! The programs that are measured, and what is heard of them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use linebus_client::Event;
use linebus_client::blocking::Events;

/// A program that said `ready`, killed with the value that stands for it.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// What it said before.
    pub(crate) said: Vec<String>,
    /// Open, so that it can go on speaking.
    _output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(binary: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| binary.display().to_string())?;
        let mut output = BufReader::new(child.stdout.take().context("it is a pipe")?);
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            let count = output.read_line(&mut line)?;
            ensure!(count > 0, "{} {arguments:?} ended: {said:?}", binary.display());
            match line.trim() {
                "ready" => return Ok(Self { child, said, _output: output }),
                line => said.push(line.to_owned()),
            }
        }
    }

    /// What it said after these words.
    pub(crate) fn after(&self, words: &str) -> anyhow::Result<&str> {
        let said = self.said.iter().find_map(|line| line.strip_prefix(words));
        said.with_context(|| format!("{words:?} was not said, but {:?}", self.said))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next fact.
///
/// # Errors
/// It does not come in time, or the bus has ended.
pub(crate) fn heard(events: &mut Events, until: Instant) -> anyhow::Result<String> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match events.next_within(left) {
            Ok(Some(Event::Message(message))) => return Ok(message.text),
            Ok(Some(_)) => {}
            Ok(None) => bail!("the bus has ended"),
            Err(_) => bail!("nothing came in time"),
        }
    }
}
