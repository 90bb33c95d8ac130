//! `linebus on`: a command for each message. What others say never becomes part of a command.

use linebus_client::{Event, Events, Message};
use tokio::task::{JoinError, JoinSet};

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::job::Job;
use crate::joining::{Joining, Kind};
use crate::until::{Limit, Until};

/// Run a command for each message.
///
/// The message and a newline are its standard input. Its environment has LINEBUS_MESSAGE,
/// LINEBUS_TOPIC, and without --group LINEBUS_USER and LINEBUS_TIME. Nothing of a message ever
/// becomes part of the command itself. Exit code 1 if a command failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to join; * stands for one word between dots, > at the end for all that follow.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Share the messages with the other members of this group: each goes to one of them.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Run so many commands at a time; with 1, in the order of the messages.
    #[arg(short, long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    #[command(flatten)]
    until: Until,
    /// The command and its arguments.
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let (client, mut events) = bus.connect().await?;
    let kind = args.group.map_or(Kind::Watch, Kind::RecvInGroup);
    let mut joining = Joining::start(client, args.topics, kind, false);
    let mut jobs = Jobs {
        command: args.command,
        running: JoinSet::new(),
        running_max: usize::from(args.jobs),
        failed: false,
    };
    let ended = jobs.run(&mut events, &mut joining, args.until.begin()).await;
    while let Some(job) = jobs.running.join_next().await {
        jobs.note_end(job);
    }
    match ended {
        Ok(()) if jobs.failed => Err(Failure::Said),
        ended => ended,
    }
}

struct Jobs {
    command: Vec<String>,
    running: JoinSet<Result<(), String>>,
    running_max: usize,
    failed: bool,
}

impl Jobs {
    /// Starts a job for each message until there is reason to stop. While all are busy, messages
    /// are not read: they wait here up to the client's bound, and then in the bus's outbox.
    async fn run(
        &mut self,
        events: &mut Events,
        joining: &mut Joining,
        mut limit: Limit,
    ) -> Result<(), Failure> {
        loop {
            tokio::select! {
                biased;
                Some(job) = self.running.join_next() => self.note_end(job),
                joined = joining.wait(), if joining.is_going_on() => joined?,
                () = limit.time_is_up() => return limit.judge(),
                event = events.next(), if self.running.len() < self.running_max => match event {
                    Some(Event::Message(message)) => {
                        self.start(&message);
                        if limit.count() {
                            return Ok(());
                        }
                    }
                    Some(other) => tell(&other)?,
                    None => return Err(Failure::NoBus("the connection is closed".to_owned())),
                },
            }
        }
    }

    fn note_end(&mut self, job: Result<Result<(), String>, JoinError>) {
        if let Err(text) = job.unwrap_or_else(|error| Err(error.to_string())) {
            eprintln!("linebus: {text}");
            self.failed = true;
        }
    }

    fn start(&mut self, message: &Message) {
        self.running.spawn(Job::new(&self.command, message.into()).run());
    }
}
