//! A bot at work: one connection, the joins of all rules, a reload on SIGHUP, a decent end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use linebus_client::{Client, Error, ErrorCode, Event, Events, Message};
use tokio::signal::unix::{Signal, SignalKind};
use tokio::task::{JoinHandle, coop};
use tokio::time::timeout;

use super::jobs::{Jobs, Queue, WAITING_BYTES_MAX};
use super::rate::Missed;
use super::rule::{Action, Rule};
use super::rules::{Joins, Rules};
use super::{excerpt, read, say};
use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::signals::listen;

/// How long the goodbye may take, by which the bus has everything that was sent.
const LOGOFF_PATIENCE: Duration = Duration::from_secs(5);

/// Does what the rules of a file say until a signal ends it.
pub(super) async fn run(bus: &Bus, file: PathBuf) -> Result<(), Failure> {
    let rules = read(&file)?;
    let mut terminate = listen(SignalKind::terminate(), "SIGTERM")?;
    let mut interrupt = listen(SignalKind::interrupt(), "SIGINT")?;
    let hang_up = listen(SignalKind::hangup(), "SIGHUP")?;
    let (client, events) = bus.connect().await?;
    if let (None, Some(user)) = (bus.url()?.user(), &rules.user) {
        client.login(user, None).await?;
    }
    let mut bot = Live::new(client.clone(), file, rules);
    let ended = tokio::select! {
        ended = bot.listen(events, hang_up) => ended,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    bot.end().await;
    if ended.is_ok() {
        // Without a connection there is nobody to take leave of.
        let _ = timeout(LOGOFF_PATIENCE, client.logoff()).await;
    }
    ended
}

struct Live {
    client: Client,
    file: PathBuf,
    rules: Vec<Working>,
    user: Option<String>,
    wanted: Joins,
    joining: Option<JoinHandle<Vec<NotJoined>>>,
    /// Whether the first joins have been made: what they are refused ends the bot.
    began: bool,
    /// Whether something is not joined because the connection was lost meanwhile.
    behind: bool,
    jobs: Jobs,
    clock: Instant,
}

/// A rule, and its commands if it runs any.
struct Working {
    rule: Rule,
    queue: Option<Queue>,
    /// Commands for which there was no room.
    missed: Missed,
}

/// A pattern that could not be joined, explained.
struct NotJoined {
    text: String,
    error: Error,
}

impl Live {
    fn new(client: Client, file: PathBuf, rules: Rules) -> Self {
        let mut live = Self {
            joining: Some(join(&client, Vec::new(), rules.joins())),
            client,
            file,
            rules: Vec::new(),
            user: None,
            wanted: Joins::new(),
            began: false,
            behind: false,
            jobs: Jobs::new(),
            clock: Instant::now(),
        };
        live.take_rules(rules);
        live
    }

    /// These rules count from now on.
    fn take_rules(&mut self, rules: Rules) {
        self.rules.iter_mut().for_each(Working::finish);
        self.wanted = rules.joins();
        self.user = rules.user;
        let jobs = &mut self.jobs;
        let working = rules.rules.into_iter().map(|rule| {
            let queue = rule.run.as_ref().map(|run| jobs.queue(&rule.name, run));
            Working { rule, queue, missed: Missed::default() }
        });
        self.rules = working.collect();
    }

    async fn listen(&mut self, mut events: Events, mut hang_up: Signal) -> Result<(), Failure> {
        loop {
            // While lines keep coming, signals must be heard, too.
            coop::consume_budget().await;
            tokio::select! {
                biased;
                refused = joined(&mut self.joining), if self.joining.is_some() => {
                    self.note_joined(&refused?)?;
                }
                _ = hang_up.recv(), if self.joining.is_none() => self.reload(),
                event = events.next() => match event {
                    Some(Event::Message(message)) => self.hear(&message).await,
                    Some(event) => self.note(&event)?,
                    None => return Err(Failure::NoBus("the connection is closed".to_owned())),
                },
            }
        }
    }

    fn note_joined(&mut self, refused: &[NotJoined]) -> Result<(), Failure> {
        self.joining = None;
        if !self.began && !refused.is_empty() {
            if let Some(lost) = refused.iter().find(|not| !not.is_refused()) {
                return Err(lost.error.clone().into());
            }
            let texts: Vec<_> = refused.iter().map(|not| not.text.as_str()).collect();
            return Err(Failure::Failed(anyhow!("{}", texts.join("\nlinebus: "))));
        }
        self.began = true;
        refused.iter().for_each(|not| say(&not.text));
        self.behind = refused.iter().any(|not| !not.is_refused());
        say(&format!("{}: rules that count now: {}", self.file.display(), self.rules.len()));
        Ok(())
    }

    /// Reads the file again. If it is wrong, the rules stay.
    fn reload(&mut self) {
        let rules = match Rules::read(&self.file) {
            Ok(rules) => rules,
            Err(problems) => {
                problems.iter().for_each(|problem| say(problem));
                return say("the rules stay as they were");
            }
        };
        if rules.user != self.user {
            say("another `user` counts from the next start on");
        }
        // A join by `recv` and one by `watch` end together.
        let joins = rules.joins();
        let mut left: Vec<_> = self.wanted.difference(&joins).map(|join| join.0.clone()).collect();
        left.dedup();
        self.joining = Some(join(&self.client, left, joins));
        self.take_rules(rules);
    }

    fn note(&mut self, event: &Event) -> Result<(), Failure> {
        tell(event)?;
        match event {
            Event::Disconnected(lost) if lost.unsent > 0 => {
                say(&format!("lines that waited to be sent and are lost: {}", lost.unsent));
            }
            Event::Reconnected { .. } if self.behind && self.joining.is_none() => {
                self.joining = Some(join(&self.client, Vec::new(), self.wanted.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    async fn hear(&mut self, message: &Message) {
        let now = self.clock.elapsed();
        // What is joined both ways comes twice; a rule takes that one for which it asked.
        let watched = message.time.is_some();
        for working in self.rules.iter_mut().filter(|working| working.rule.watch == watched) {
            for action in working.rule.take(message.into(), now, |text| say(&text)) {
                working.act(&self.client, action).await;
            }
        }
    }

    async fn end(mut self) {
        self.rules.iter_mut().for_each(Working::finish);
        self.jobs.end().await;
    }
}

impl Working {
    async fn act(&mut self, client: &Client, action: Action) {
        let name = &self.rule.name;
        match action {
            Action::Send { topic, text } => match client.send(&topic, &text).await {
                Ok(()) => say(&format!("{name}: sent to {topic}: {}", excerpt(&text))),
                Err(error) => say(&format!("{name}: not sent to {topic}: {error}")),
            },
            Action::Refused(why) => say(&format!("{name}: not sent: {why}")),
            Action::Run { job, .. } => {
                let queue = self.queue.as_ref().expect("a rule that runs something has a queue");
                if queue.push(job) {
                    self.tell_not_run();
                } else if self.missed.note() {
                    let bytes = WAITING_BYTES_MAX;
                    say(&format!(
                        "{name}: {bytes} bytes wait for commands; what is more is not run"
                    ));
                }
            }
        }
    }

    /// Tells what has not been said of what was not done.
    fn finish(&mut self) {
        self.rule.tell_missed(|text| say(&text));
        self.tell_not_run();
    }

    /// Tells for how many commands there was no room, if there is room again.
    fn tell_not_run(&mut self) {
        if let Some(count) = self.missed.end() {
            say(&format!("{}: commands that were too many and not run: {count}", self.rule.name));
        }
    }
}

/// Leaves patterns, then joins others, in a task of its own: answers come in order with messages.
fn join(client: &Client, left: Vec<String>, joins: Joins) -> JoinHandle<Vec<NotJoined>> {
    let client = client.clone();
    tokio::spawn(async move {
        for pattern in left {
            // What is not joined, or not connected, is as good as left.
            let _ = client.leave(&pattern).await;
        }
        let mut refused = Vec::new();
        for (pattern, watch) in joins {
            let joined =
                if watch { client.watch(&pattern).await } else { client.recv(&pattern).await };
            match joined {
                Ok(()) => say(&format!("joined {pattern}")),
                Err(error) => refused.push(NotJoined::new(&pattern, watch, error)),
            }
        }
        refused
    })
}

/// Waits for the joins, if any are being made.
async fn joined(
    joining: &mut Option<JoinHandle<Vec<NotJoined>>>,
) -> Result<Vec<NotJoined>, Failure> {
    match joining {
        Some(task) => Ok(task.await.context("joining failed")?),
        None => std::future::pending().await,
    }
}

impl NotJoined {
    fn new(pattern: &str, watch: bool, error: Error) -> Self {
        let denied = |error: &Error| match error {
            Error::Refused(refused) => refused.error_code() == Some(ErrorCode::Denied),
            _ => false,
        };
        let why = if watch && denied(&error) {
            "; rules with {user}, {time}, `from` or `watch` need `see`"
        } else {
            ""
        };
        Self { text: format!("{pattern} is not joined: {error}{why}"), error }
    }

    fn is_refused(&self) -> bool {
        matches!(self.error, Error::Refused(_))
    }
}
