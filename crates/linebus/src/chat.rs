//! `linebus chat`: talk and listen in one terminal.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use linebus_client::{Client, Error, Event, Events, Message};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor, ExternalPrinter};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::bus::{Bus, tell};
use crate::exit::Failure;
use crate::print::escape;

/// Talk and listen on a topic, like on IRC.
///
/// Lines that begin with / are commands: /who, /topics, /quit, /help.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to talk: one topic, without wildcards.
    topic: String,
    /// The name to talk under, instead of that of --bus or $USER.
    #[arg(long)]
    user: Option<String>,
}

/// Most lines in the history file.
const HISTORY_LINES_MAX: usize = 1000;
/// The command that ends a chat.
const QUIT: &str = "/quit";

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let (client, events) = bus.connect().await?;
    match (&args.user, bus.url()?.user()) {
        (Some(user), _) => client.login(user, None).await?,
        (None, Some(_)) => {}
        (None, None) => log_in_from_environment(&client).await?,
    }
    client.watch(&args.topic).await?;
    let (said, lines) = mpsc::channel(1);
    let terminal = Terminal::of_a_person();
    let mut show = if terminal.is_some() { edit(said)? } else { pipe(said) };
    show(format!("joined {}; /help says more", args.topic));
    let ended = talk(&client, events, lines, &args.topic, show).await;
    drop(terminal);
    ended?;
    client.logoff().await?;
    Ok(())
}

/// Logs in as `$USER` if that is a name which a bus takes. Otherwise one is a guest.
async fn log_in_from_environment(client: &Client) -> Result<(), Failure> {
    let Ok(user) = std::env::var("USER") else { return Ok(()) };
    match client.login(&user, None).await {
        Ok(()) | Err(Error::Url(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A terminal as it was. Line editing changes it while it waits for a line, and a chat may end
/// during that: dropping this puts it right.
struct Terminal(Termios);

impl Terminal {
    /// The terminal, if a person types and reads there.
    fn of_a_person() -> Option<Self> {
        let both = io::stdin().is_terminal() && io::stdout().is_terminal();
        both.then(|| tcgetattr(io::stdin()).ok()).flatten().map(Self)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If it is gone, there is nothing to put right.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

type Show = Box<dyn FnMut(String) + Send>;

async fn talk(
    client: &Client,
    mut events: Events,
    mut lines: mpsc::Receiver<String>,
    topic: &str,
    mut show: Show,
) -> Result<(), Failure> {
    let mut commands = JoinSet::new();
    loop {
        tokio::select! {
            line = lines.recv() => match line.as_deref().map(str::trim_end) {
                None | Some(QUIT) => return Ok(()),
                Some("") => {}
                Some(command) if command.starts_with('/') => {
                    // Beside the listening: the answer comes after what is to be heard before it.
                    commands.spawn(carry_out(client.clone(), topic.to_owned(), command.to_owned()));
                }
                Some(message) => if let Err(error) = client.send(topic, message).await {
                    show(format!("not sent: {error}"));
                },
            },
            Some(done) = commands.join_next() => match done.context("a command failed")? {
                Ok(lines) => lines.into_iter().for_each(&mut show),
                Err(error) => show(error.to_string()),
            },
            event = events.next() => match event {
                None => return Err(Failure::NoBus("the connection is closed".to_owned())),
                Some(Event::Message(message)) => show(as_line(&message)),
                Some(Event::Disconnected(lost)) if lost.retrying => {
                    show(format!("{}; connecting again", lost.why));
                }
                Some(Event::Reconnected { .. }) => {
                    show("connected again; something may have been said meanwhile".to_owned());
                }
                Some(Event::Refused(refused)) => show(refused.to_string()),
                Some(Event::Note { text, .. }) => show(text),
                Some(other) => tell(&other)?,
            },
        }
    }
}

fn as_line(message: &Message) -> String {
    let time = message.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    let time = time.map(local_minute);
    let user = message.user.as_deref().unwrap_or("?");
    format!("{}{user}: {}", time.unwrap_or_default(), escape(&message.text))
}

/// The hour and minute here, and a blank.
fn local_minute(time: Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::system()).strftime("%H:%M ").to_string()
}

async fn carry_out(client: Client, topic: String, command: String) -> Result<Vec<String>, Error> {
    Ok(match command.as_str() {
        "/who" => {
            let who = client.who(Some(&topic)).await?;
            who.into_iter().map(|who| format!("{} from {}", who.user, who.address)).collect()
        }
        "/topics" => {
            let topics = client.topics(None).await?;
            topics.into_iter().map(|t| format!("{} ({})", t.topic, t.receivers)).collect()
        }
        _ => vec!["/who who is here, /topics what others have joined, /quit".to_owned()],
    })
}

/// Reads lines from a terminal with editing and history; what is shown appears above them.
fn edit(said: mpsc::Sender<String>) -> Result<Show, Failure> {
    let config = Config::builder()
        .max_history_size(HISTORY_LINES_MAX)
        .and_then(|config| config.history_ignore_dups(true))
        .context("line editing")?
        .build();
    let mut editor: Editor<(), FileHistory> =
        Editor::with_config(config).context("line editing")?;
    let mut printer = editor.create_external_printer().context("line editing")?;
    let history = history_file();
    if let Some(file) = &history {
        // There is none the first time.
        let _ = editor.load_history(file);
    }
    std::thread::spawn(move || {
        loop {
            match editor.readline("> ") {
                Ok(line) => {
                    let _ = editor.add_history_entry(&line);
                    let last = line.trim_end() == QUIT;
                    if said.blocking_send(line).is_err() || last {
                        break;
                    }
                }
                Err(ReadlineError::Interrupted | ReadlineError::Eof) => break,
                Err(error) => {
                    eprintln!("linebus: {error}");
                    break;
                }
            }
            if let Some(file) = &history {
                // What was said matters more than that it can be said again easily.
                let _ = editor.save_history(file);
            }
        }
    });
    Ok(Box::new(move |line| {
        if printer.print(format!("{line}\n")).is_err() {
            println!("{line}");
        }
    }))
}

/// Reads lines from a pipe, and prints.
fn pipe(said: mpsc::Sender<String>) -> Show {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if said.blocking_send(line).is_err() {
                break;
            }
        }
    });
    Box::new(|line| println!("{line}"))
}

/// `$XDG_STATE_HOME/linebus/chat_history` (XDG Base Directory Specification), its folder made.
fn history_file() -> Option<PathBuf> {
    let state =
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let folder = state.or_else(home)?.join("linebus");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat_history"))
}
