//! A command for one message: what `on` and `bot` run. What others say never becomes part of a
//! command; it finds the message in its environment and on its standard input.

use std::io::{self, ErrorKind};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use linebus_client::Message;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a command whose time is up may take to end by itself.
const TERM_PATIENCE: Duration = Duration::from_secs(2);

/// A message, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub(crate) topic: &'a str,
    pub(crate) text: &'a str,
    /// Both only where the topic is watched.
    pub(crate) user: Option<&'a str>,
    pub(crate) time: Option<&'a str>,
}

impl<'a> From<&'a Message> for Heard<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            topic: &message.topic,
            text: &message.text,
            user: message.user.as_deref(),
            time: message.time.as_deref(),
        }
    }
}

/// A command that is not yet run.
#[derive(Debug)]
pub(crate) struct Job {
    /// The program and its arguments.
    command: Vec<String>,
    variables: Vec<(String, String)>,
    message: String,
}

impl Job {
    /// Runs `command`, which is not empty, for a message.
    pub(crate) fn new(command: &[String], heard: Heard<'_>) -> Self {
        let variables = [
            ("LINEBUS_TOPIC", heard.topic),
            ("LINEBUS_MESSAGE", heard.text),
            ("LINEBUS_USER", heard.user.unwrap_or_default()),
            ("LINEBUS_TIME", heard.time.unwrap_or_default()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            command: command.to_owned(),
            variables: variables.into(),
            message: heard.text.to_owned(),
        }
    }

    /// The same, told something more.
    pub(crate) fn with(mut self, variables: Vec<(String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// The program and its arguments.
    pub(crate) fn command(&self) -> &[String] {
        &self.command
    }

    /// What it holds of messages, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let variables = self.variables.iter().map(|(name, value)| name.len() + value.len());
        self.message.len() + variables.sum::<usize>()
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It can't be run, or says by its exit code that it failed.
    pub(crate) async fn run(self) -> Result<(), String> {
        let mut child = self.spawn(|_| ())?;
        let status = self.feed_and_wait(&mut child).await;
        self.judge(status)
    }

    /// Runs it to its end, or until the time is up: then it is ended with all that it has started.
    /// So it is when the future is dropped.
    ///
    /// # Errors
    /// As [`Job::run`], and that its time was up.
    pub(crate) async fn run_within(self, limit: Duration) -> Result<(), String> {
        let mut child = self.spawn(|command| {
            command.process_group(0);
        })?;
        let mut group = Group::of(&child);
        if let Ok(status) = timeout(limit, self.feed_and_wait(&mut child)).await {
            group.0 = None;
            return self.judge(status);
        }
        group.signal(Signal::TERM);
        if timeout(TERM_PATIENCE, child.wait()).await.is_ok() {
            group.0 = None;
        }
        Err(format!("{} was ended: it took longer than {} s", self.name(), limit.as_secs()))
    }

    /// The program.
    pub(crate) fn name(&self) -> &str {
        &self.command[0]
    }

    fn spawn(&self, adjust: impl FnOnce(&mut Command)) -> Result<Child, String> {
        let mut command = Command::new(self.name());
        command.args(&self.command[1..]).stdin(Stdio::piped()).kill_on_drop(true);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        adjust(&mut command);
        command.spawn().map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::ArgumentListTooLong => "; the message is too long for its environment",
                _ => "",
            };
            format!("can't run {}: {error}{remedy}", self.name())
        })
    }

    async fn feed_and_wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        if let Some(mut input) = child.stdin.take() {
            // A command that does not read its input is right, too.
            let _ = input.write_all(format!("{}\n", self.message).as_bytes()).await;
        }
        child.wait().await
    }

    fn judge(&self, status: io::Result<ExitStatus>) -> Result<(), String> {
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{}: {status}", self.name())),
            Err(error) => Err(format!("can't run {}: {error}", self.name())),
        }
    }
}

/// A command that leads a process group, and those that it has started. Dropping it kills them;
/// `None` when the command has ended, and whatever it left behind may go on.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            // They may have ended just now.
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
