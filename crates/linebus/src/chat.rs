//! `linebus chat`: talk and listen in one terminal.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use anyhow::Context;
use linebus_client::{Client, Event, Events};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor, ExternalPrinter};
use tokio::sync::mpsc;

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

pub(crate) async fn run(bus: &Bus, args: Args) -> Result<(), Failure> {
    let (client, events) = bus.connect().await?;
    let named = args.user.is_some() || bus.url()?.user().is_none();
    let user = args.user.or_else(|| std::env::var("USER").ok());
    if named && let Some(user) = user {
        client.login(&user, None).await?;
    }
    client.watch(&args.topic).await?;
    let (said, lines) = mpsc::channel(1);
    let mut show = if io::stdin().is_terminal() { edit(said)? } else { pipe(said) };
    show(format!("joined {}; /help says more", args.topic));
    talk(&client, events, lines, &args.topic, show).await?;
    client.logoff().await?;
    Ok(())
}

type Show = Box<dyn FnMut(String) + Send>;

async fn talk(
    client: &Client,
    mut events: Events,
    mut lines: mpsc::Receiver<String>,
    topic: &str,
    mut show: Show,
) -> Result<(), Failure> {
    loop {
        tokio::select! {
            line = lines.recv() => match line.as_deref().map(str::trim_end) {
                None | Some("/quit") => return Ok(()),
                Some("") => {}
                Some(command) if command.starts_with('/') => {
                    for line in carry_out(client, topic, command).await? {
                        show(line);
                    }
                }
                Some(message) => if let Err(error) = client.send(topic, message).await {
                    show(format!("not sent: {error}"));
                },
            },
            event = events.next() => match event {
                None => return Err(Failure::NoBus("the connection is closed".to_owned())),
                Some(Event::Message(message)) => show(format!(
                    "{} {}: {}",
                    message.time.as_deref().and_then(|time| time.get(11..16)).unwrap_or(""),
                    message.user.as_deref().unwrap_or("?"),
                    escape(&message.text),
                )),
                Some(Event::Disconnected(lost)) if lost.retrying => {
                    show(format!("{}; connecting again", lost.why));
                }
                Some(Event::Reconnected { .. }) => {
                    show("connected again; something may have been said meanwhile".to_owned());
                }
                Some(other) => tell(&other)?,
            },
        }
    }
}

async fn carry_out(client: &Client, topic: &str, command: &str) -> Result<Vec<String>, Failure> {
    Ok(match command {
        "/who" => {
            let who = client.who(Some(topic)).await?;
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
                    if said.blocking_send(line).is_err() {
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
