//! `rooms panel` with a panel open in every room: a press until both rooms' panels show it.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;
use linebus_bench::process::{cpu_time, resident_bytes};
use rooms_messages::RoomName;
use rooms_panel::doors::Token;
use rooms_panel::records::EnrolledPanel;
use rooms_panel::store::Store;
use tempfile::TempDir;

use crate::Args;
use crate::browser::Browser;
use crate::interface::Rooms;
use crate::page::{Row, Section, Times};
use crate::programs::{Program, heard};

const SHOWN_P99_MAX: Duration = Duration::from_millis(250);
const RESIDENT_MAX: u64 = 150 << 20;
const IDLE_PERCENT_MAX: f64 = 5.0;
const PATIENCE: Duration = Duration::from_secs(30);
/// People don't press faster.
const PAUSE: Duration = Duration::from_millis(50);

/// An open panel, and what its pill said when.
struct Panel {
    browser: Browser,
    room: String,
    said: Receiver<(Instant, String)>,
}

impl Panel {
    /// When it said a word.
    fn until(&self, word: &str) -> anyhow::Result<Instant> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok((at, pill)) if pill.contains(word) => return Ok(at),
                Ok(_) => {}
                Err(_) => bail!("the panel of {} did not say {word:?}", self.room),
            }
        }
    }

    fn press(&self, wish: &str) -> anyhow::Result<()> {
        self.browser.press(&format!("/panel/{}/press", self.room), wish)
    }
}

pub(crate) fn measure(args: &Args, rooms: &mut Rooms) -> anyhow::Result<Section> {
    let folder = TempDir::new()?;
    let database = format!("sqlite:{}", folder.path().join("panel.db").display());
    let names: Vec<_> = (0..args.rooms).map(|number| format!("room-{number:04}")).collect();
    let tokens = enrol(&database, &names)?;
    let arguments =
        ["panel", "--bus", &rooms.url, "--database", &database, "--listen", "127.0.0.1:0"];
    let program = Program::start(
        &args.programs.join("rooms"),
        &[&arguments[..], &["--log", "error"]].concat(),
    )?;
    let address = program.after("listening http ")?.parse()?;
    let panels = names.into_iter().zip(tokens).map(|(room, token)| {
        let (tell, said) = channel();
        let browser = Browser { address, cookie: ("panel", token) };
        browser.hear(&format!("/panel/{room}/events?show=home"), tell)?;
        Ok(Panel { browser, room, said })
    });
    let panels: Vec<_> = panels.collect::<anyhow::Result<_>>()?;
    for panel in &panels {
        panel.until("Ready")?;
    }
    let watched = Duration::from_secs(args.idle.min(30));
    let (before, _) = cpu_time(program.id())?;
    std::thread::sleep(watched);
    let idle = cpu_time(program.id())?.0.saturating_sub(before);
    let resident = resident_bytes(program.id())?;

    let (mut shown, mut told) = (Vec::new(), Vec::new());
    let (before, began) = (cpu_time(program.id())?.0, Instant::now());
    let pairs: Vec<_> = panels.chunks_exact(2).collect();
    let presses = args.presses.min(pairs.len() * 3);
    for number in 0..presses {
        let [near, far] = pairs[number % pairs.len()] else { continue };
        std::thread::sleep(PAUSE);
        let pressed = Instant::now();
        near.press(&format!("connect {}", far.room))?;
        let link = format!("link {} {} ", near.room, far.room);
        let fact = until_fact(rooms, &link)?;
        let both = near.until("Calling")?.max(far.until("is calling")?);
        shown.push(both.duration_since(pressed));
        told.push(both.saturating_duration_since(fact));
        near.press(&format!("disconnect {}", far.room))?;
        near.until("Ready")?;
        far.until("Ready")?;
    }
    let busy = cpu_time(program.id())?.0.saturating_sub(before);
    let per_press = busy / u32::try_from(presses.max(1))?;
    let seconds = began.elapsed().as_secs_f64();
    let idle = 100.0 * idle.as_secs_f64() / watched.as_secs_f64();
    Ok(Section {
        title: "The panels",
        about: format!(
            "`rooms panel` on the same bus with one panel open in each of the {} rooms, SQLite. A press calls another room: every panel\n\
             draws the two rooms anew. Then it is called off.",
            args.rooms
        ),
        rows: vec![
            Row::times("press until both rooms' panels show it", &Times::new(shown), SHOWN_P99_MAX),
            Row::times(
                "the fact on the bus until both panels show it",
                &Times::new(told),
                SHOWN_P99_MAX,
            ),
            Row::memory("resident memory", resident, RESIDENT_MAX),
            Row::share(
                format!("processor, while nobody wishes anything ({} s)", watched.as_secs()),
                idle,
                IDLE_PERCENT_MAX,
            ),
            Row {
                what: format!(
                    "processor for a call and its end, {presses} of them in {seconds:.0} s"
                ),
                measured: format!("{:.1} ms", per_press.as_secs_f64() * 1e3),
                most: String::new(),
                is_right: true,
            },
        ],
    })
}

/// When a fact was heard that begins so.
fn until_fact(rooms: &mut Rooms, words: &str) -> anyhow::Result<Instant> {
    let until = Instant::now() + PATIENCE;
    loop {
        let fact = heard(&mut rooms.events, until)?;
        if fact.starts_with(words) && !fact.contains(" idle ") {
            return Ok(Instant::now());
        }
    }
}

/// Makes a panel for each room, before the process begins.
fn enrol(database: &str, rooms: &[String]) -> anyhow::Result<Vec<Token>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(database).await.context("the panels' database")?;
        let mut tokens = Vec::new();
        for room in rooms {
            let token = Token::random();
            let panel = EnrolledPanel {
                token: token.hash(),
                room: RoomName::new(room)?,
                name: room.clone(),
                by: "bench".to_owned(),
                enrolled: Timestamp::now(),
                revoked: None,
            };
            store.put_panel(&panel).await?;
            tokens.push(token);
        }
        store.close().await;
        Ok(tokens)
    })
}
