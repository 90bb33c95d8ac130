//! The administration with 500 rooms and a long history in Postgres.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use linebus_client::Event;
use linebus_client::blocking::{Client, Events};
use linebus_testkit::postgres::Postgres;
use rooms_panel::doors::Token;
use rooms_panel::records::{Account, Role, Session};
use rooms_panel::store::{Store, sample};

use crate::Args;
use crate::browser::Browser;
use crate::interface::bus;
use crate::page::{Row, Section, Times};
use crate::programs::Program;

const ROOMS: usize = 500;
const OVERVIEW_MAX: Duration = Duration::from_millis(100);
const SEARCH_MAX: Duration = Duration::from_millis(200);
const LOADS: usize = 100;
/// Some searches, and the words of the address.
const SEARCHES: [(&str, &str); 5] = [
    ("the newest calls", ""),
    ("calls of a room that ended for a reason", "?room=City+17&reason=dropped"),
    ("calls of ten rooms in a month", "?room=City+17&from=2025-03-01&until=2025-03-31"),
    ("calls that a person began", "?by=person-1234"),
    ("any text", "?text=person-77"),
];

pub(crate) fn measure(args: &Args) -> anyhow::Result<Section> {
    let (_bus, url) = bus(args)?;
    let (client, events) = Client::connect(&url)?;
    client.recv("syslib")?;
    std::thread::spawn(move || answer(&client, events));
    let postgres = Postgres::start();
    let database = postgres.database("history");
    let (token, filled) = prepare(&database, args.calls)?;
    let arguments = ["panel", "--bus", &url, "--database", &database, "--listen", "127.0.0.1:0"];
    let program = Program::start(
        &args.programs.join("rooms"),
        &[&arguments[..], &["--log", "error"]].concat(),
    )?;
    let address = program.after("listening http ")?.parse()?;
    let browser = Browser { address, cookie: ("session", token) };
    let until = Instant::now() + Duration::from_secs(30);
    while !browser.load("/admin")?.1.contains("City 499") {
        ensure!(Instant::now() < until, "the overview does not show 500 rooms");
    }
    let mut rows = vec![Row::times(
        &format!("overview of {ROOMS} rooms"),
        &load(&browser, "/admin")?,
        OVERVIEW_MAX,
    )];
    for (what, words) in SEARCHES {
        let times = load(&browser, &format!("/admin/connections{words}"))?;
        rows.push(Row::times(&format!("search of the history: {what}"), &times, SEARCH_MAX));
    }
    Ok(Section {
        title: "The administration",
        about: format!(
            "Whole pages, from request to last byte, with {ROOMS} rooms of six devices and a history of {} calls in Postgres 15 (written in\n\
             {:.0} s; without fsync, as nothing is kept).",
            args.calls,
            filled.as_secs_f64()
        ),
        rows,
    })
}

fn load(browser: &Browser, path: &str) -> anyhow::Result<Times> {
    let times = (0..LOADS).map(|_| Ok(browser.load(path)?.0));
    Ok(Times::new(times.collect::<anyhow::Result<_>>()?))
}

/// A history, and somebody who is logged in.
fn prepare(database: &str, calls: u32) -> anyhow::Result<(Token, Duration)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(database).await.context("the history's database")?;
        let began = Instant::now();
        sample::fill(&store, "2024-01-01T00:00:00Z".parse()?, calls, 1).await?;
        let filled = began.elapsed();
        let (now, token) = (Timestamp::now(), Token::random());
        let account = Account {
            name: "bench".to_owned(),
            hash: String::new(),
            role: Role::Administrator,
            is_disabled: false,
            must_change: false,
            created: now,
            version: 0,
        };
        store.put_account(&account).await?;
        let expires = now.checked_add(SignedDuration::from_hours(12))?;
        let session = Session { token: token.hash(), account: account.name, created: now, expires };
        store.put_session(&session).await?;
        store.close().await;
        Ok((token, filled))
    })
}

/// Plays the interface process: says everything when asked, and that it lives.
fn answer(client: &Client, mut events: Events) {
    let mut seq = 0;
    let mut say = |fact: &str| {
        seq += 1;
        client.send("rooms", &format!("{fact} seq={seq} epoch=1"))
    };
    loop {
        match events.next_within(Duration::from_secs(4)) {
            Err(_) => {
                if say("alive").is_err() {
                    return;
                }
            }
            Ok(Some(Event::Message(message))) if message.text.starts_with("give ") => {
                let facts: Vec<_> = (0..ROOMS).flat_map(facts).collect();
                let end = format!("everything end lines={}", facts.len());
                for fact in ["everything begin".to_owned()].iter().chain(&facts).chain([&end]) {
                    if say(fact).is_err() {
                        return;
                    }
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return,
        }
    }
}

/// What there is to say of a room.
fn facts(number: usize) -> Vec<String> {
    let room = format!("room-{number}");
    let state = if number.is_multiple_of(7) { "offline" } else { "free" };
    let mut facts =
        vec![format!("room {room} {state} city=\"City {number}\" title=\"Room {number}\"")];
    for device in ["codec", "camera", "document-camera", "projector", "lights", "screen"] {
        facts.push(format!("device {room} {device} online"));
        facts.push(format!("state {room} {device} power=on model=Simulated volume=50"));
    }
    if number.is_multiple_of(10) {
        facts.push(format!("alert {room} projector level=warning code=lamp text=\"3012 hours\""));
    }
    facts
}
