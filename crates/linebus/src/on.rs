//! `linebus on`: a command for each message. What others say never becomes part of a command.

use std::process::{ExitStatus, Stdio};

use linebus_client::{Event, Message};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::hear::Until;

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
    for topic in &args.topics {
        match &args.group {
            Some(group) => client.recv_in_group(topic, group).await?,
            None => client.watch(topic).await?,
        }
        eprintln!("linebus: joined {topic}");
    }
    let mut limit = args.until.begin();
    let mut jobs = Jobs::default();
    // Messages wait in the bus's outbox while all jobs are busy.
    let ended = loop {
        match limit.next(&mut events).await {
            Ok(Some(Event::Message(message))) => {
                jobs.wait_below(usize::from(args.jobs)).await;
                jobs.start(&args.command, message);
                if limit.count() {
                    break Ok(());
                }
            }
            Ok(Some(other)) => {
                if let Err(lost) = tell(&other) {
                    break Err(lost);
                }
            }
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    jobs.wait_below(1).await;
    match ended {
        Ok(()) if jobs.failed => Err(Failure::Said),
        ended => ended,
    }
}

#[derive(Default)]
struct Jobs {
    running: JoinSet<Result<(), String>>,
    failed: bool,
}

impl Jobs {
    /// Waits until fewer than `count` are running.
    async fn wait_below(&mut self, count: usize) {
        while self.running.len() >= count
            && let Some(ended) = self.running.join_next().await
        {
            let ended = ended.unwrap_or_else(|error| Err(error.to_string()));
            if let Err(text) = ended {
                eprintln!("linebus: {text}");
                self.failed = true;
            }
        }
    }

    fn start(&mut self, words: &[String], message: Message) {
        let name = words[0].clone();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).kill_on_drop(true);
        self.running.spawn(async move {
            let status = run_one(command, message)
                .await
                .map_err(|error| format!("can't run {name}: {error}"))?;
            if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
        });
    }
}

async fn run_one(mut command: Command, message: Message) -> std::io::Result<ExitStatus> {
    command.env("LINEBUS_TOPIC", &message.topic).env("LINEBUS_MESSAGE", &message.text);
    command.env("LINEBUS_USER", message.user.unwrap_or_default());
    command.env("LINEBUS_TIME", message.time.unwrap_or_default());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read its input is right, too.
        let _ = input.write_all(format!("{}\n", message.text).as_bytes()).await;
    }
    child.wait().await
}
