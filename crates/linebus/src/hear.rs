//! `linebus recv` and `linebus watch`: print what comes.

use std::num::NonZeroU64;
use std::time::Duration;

use linebus_client::{Client, Event, Events};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::time::{Instant, sleep_until};

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::print::{How, Printer};

/// Print the messages that others send to topics.
///
/// Says `joined TOPIC` on standard error when nothing sent from then on will be missed.
#[derive(Debug, clap::Args)]
pub(crate) struct Recv {
    /// Share the messages with the other members of this group: each goes to one of them.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    hear: Hear,
}

/// Print the messages that others send to topics, with time and sender.
///
/// Says `joined TOPIC` on standard error when nothing sent from then on will be missed.
#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    hear: Hear,
}

#[derive(Debug, clap::Args)]
struct Hear {
    /// What to join; * stands for one word between dots, > at the end for all that follow.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    until: Until,
    /// Say nothing on standard error when a topic is joined.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    how: How,
}

/// When to stop.
#[derive(Debug, clap::Args)]
pub(crate) struct Until {
    /// Stop after so many messages.
    #[arg(short = 'n', long, value_name = "COUNT")]
    count: Option<NonZeroU64>,
    /// Stop after so many seconds, fractions allowed: exit code 124 if --count was not reached.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// A number of seconds, fractions allowed.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "a number of seconds is wanted, such as 2 or 0.5".to_owned())
}

/// Counts messages and watches the time.
pub(crate) struct Limit {
    left: Option<u64>,
    end: Option<Instant>,
}

impl Until {
    /// Starts to count.
    pub(crate) fn begin(&self) -> Limit {
        Limit {
            left: self.count.map(NonZeroU64::get),
            end: self.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        }
    }
}

impl Limit {
    /// Counts a message; true if it was the last.
    pub(crate) fn count(&mut self) -> bool {
        self.left.as_mut().is_some_and(|left| {
            *left -= 1;
            *left == 0
        })
    }

    /// The next event, or none when the time is up.
    pub(crate) async fn next(&self, events: &mut Events) -> Result<Option<Event>, Failure> {
        let up = async {
            match self.end {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            biased;
            event = events.next() => event,
            () = up => return self.time_is_up().map(|()| None),
        };
        let over = || Failure::NoBus("the connection is closed".to_owned());
        event.map(Some).ok_or_else(over)
    }

    fn time_is_up(&self) -> Result<(), Failure> {
        match self.left {
            None => Ok(()),
            Some(left) => {
                Err(Failure::TimedOut(format!("the time is up, {left} more messages were wanted")))
            }
        }
    }
}

pub(crate) async fn recv(bus: &Bus, args: Recv) -> Result<(), Failure> {
    let printer = Printer::new(args.hear.how.clone(), false)?;
    let (client, events) = bus.connect().await?;
    for topic in &args.hear.topics {
        match &args.group {
            Some(group) => client.recv_in_group(topic, group).await?,
            None => client.recv(topic).await?,
        }
        args.hear.say_joined(topic);
    }
    print_all(&args.hear, printer, client, events).await
}

pub(crate) async fn watch(bus: &Bus, args: Watch) -> Result<(), Failure> {
    let printer = Printer::new(args.hear.how.clone(), true)?;
    let (client, events) = bus.connect().await?;
    for topic in &args.hear.topics {
        client.watch(topic).await?;
        args.hear.say_joined(topic);
    }
    print_all(&args.hear, printer, client, events).await
}

impl Hear {
    fn say_joined(&self, topic: &str) {
        if !self.quiet {
            eprintln!("linebus: joined {topic}");
        }
    }
}

async fn print_all(
    hear: &Hear,
    mut printer: Printer,
    client: Client,
    mut events: Events,
) -> Result<(), Failure> {
    end_with_the_reader();
    let mut limit = hear.until.begin();
    loop {
        let event = match events.try_next() {
            Some(event) => event,
            None => {
                // Nothing waits: now is the time to show what there is.
                printer.flush()?;
                match limit.next(&mut events).await? {
                    Some(event) => event,
                    None => break,
                }
            }
        };
        match event {
            Event::Message(message) => {
                printer.print(&message)?;
                if limit.count() {
                    break;
                }
            }
            other => tell(&other)?,
        }
    }
    printer.flush()?;
    drop(client);
    Ok(())
}

/// Ends this process when nobody reads its output any more, even while no message comes:
/// `linebus recv t | head -1` should not wait for a second message.
fn end_with_the_reader() {
    std::thread::spawn(|| {
        let stdout = rustix::stdio::stdout();
        let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
        // Without events asked for, only an error or a hang-up is reported (poll(2)).
        while poll(&mut fds, None).is_ok() {
            if fds[0].revents().intersects(PollFlags::ERR) {
                std::process::exit(0);
            }
            if !fds[0].revents().is_empty() {
                return;
            }
        }
    });
}
