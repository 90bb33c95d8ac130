//! `linebus recv` and `linebus watch`: print what comes.

use linebus_client::{Event, Events};
use rustix::event::{PollFd, PollFlags, poll};

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::joining::{Joining, Kind};
use crate::print::{How, Printer};
use crate::until::{Limit, Until};

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

/// Most messages printed before a look at the time and at the joins that are still being made.
const MESSAGES_IN_A_ROW: usize = 1000;

pub(crate) async fn recv(bus: &Bus, args: Recv) -> Result<(), Failure> {
    let kind = args.group.map_or(Kind::Recv, Kind::RecvInGroup);
    args.hear.print_all(bus, kind).await
}

pub(crate) async fn watch(bus: &Bus, args: Watch) -> Result<(), Failure> {
    args.hear.print_all(bus, Kind::Watch).await
}

impl Hear {
    async fn print_all(self, bus: &Bus, kind: Kind) -> Result<(), Failure> {
        let watching = matches!(kind, Kind::Watch);
        let mut printing =
            Printing { printer: Printer::new(self.how, watching)?, limit: self.until.begin() };
        let (client, mut events) = bus.connect().await?;
        let mut joining = Joining::start(client, self.topics, kind, self.quiet);
        end_with_the_reader();
        let done = printing.run(&mut events, &mut joining).await;
        printing.printer.flush()?;
        done
    }
}

struct Printing {
    printer: Printer,
    limit: Limit,
}

impl Printing {
    async fn run(&mut self, events: &mut Events, joining: &mut Joining) -> Result<(), Failure> {
        loop {
            let mut in_a_row = 0;
            while in_a_row < MESSAGES_IN_A_ROW
                && let Some(event) = events.try_next()
            {
                if self.take(&event)? {
                    return Ok(());
                }
                in_a_row += 1;
            }
            if in_a_row < MESSAGES_IN_A_ROW {
                // Nothing waits: now is the time to show what there is.
                self.printer.flush()?;
            }
            tokio::select! {
                biased;
                joined = joining.wait(), if joining.is_going_on() => joined?,
                () = self.limit.time_is_up() => return self.limit.judge(),
                event = events.next() => {
                    let over = || Failure::NoBus("the connection is closed".to_owned());
                    if self.take(&event.ok_or_else(over)?)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Prints a message, or tells what else happened; true if it was the last.
    fn take(&mut self, event: &Event) -> Result<bool, Failure> {
        let Event::Message(message) = event else {
            tell(event)?;
            return Ok(false);
        };
        self.printer.print(message)?;
        Ok(self.limit.count())
    }
}

/// Ends this process when nobody reads its output any more, even while no message comes:
/// `linebus recv t | head -1` should not wait for a second message.
pub(crate) fn end_with_the_reader() {
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
