//! Fills a database with a made-up million of calls and prints how long searches in it take:
//! `cargo run -p rooms-panel --example million -- ADDRESS [CALLS]`. The database should be empty;
//! without an address it is a Postgres of its own.

use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use linebus_testkit::postgres::Postgres;
use rooms_panel::store::sample::{ROOMS, fill, room};
use rooms_panel::store::{CallFilter, Page, Store};

const RUNS: usize = 21;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next();
    let count = arguments.next().map_or(Ok(1_000_000), |count| count.parse::<u32>())?;
    let postgres = address.is_none().then(Postgres::start);
    let address = address.or_else(|| Some(postgres.as_ref()?.database("million")));
    let store = Store::open(&address.context("there is one or the other")?).await?;
    let begin: Timestamp = "2025-01-01T00:00:00Z".parse()?;
    let began = Instant::now();
    fill(&store, begin, count, 1).await?;
    println!("{count} calls written in {:.1} s", began.elapsed().as_secs_f64());

    let end = begin + SignedDuration::from_secs(60) * i32::try_from(count)?;
    let month = SignedDuration::from_hours(30 * 24);
    let any = CallFilter::default;
    let rooms = |count| Some((0..count).map(|number| room(number * 7 % ROOMS)).collect());
    let reason = |reason: &str| Some(reason.to_owned());
    let during =
        |filter| CallFilter { from: Some(end - month * 2), until: Some(end - month), ..filter };
    let text = |text: &str| CallFilter { text: text.to_owned(), ..any() };
    for (what, filter) in [
        ("all", any()),
        ("1 room", CallFilter { rooms: rooms(1), ..any() }),
        (
            "1 room, month, reason",
            during(CallFilter { rooms: rooms(1), reason: reason("busy"), ..any() }),
        ),
        (
            "30 rooms, month, reason",
            during(CallFilter { rooms: rooms(30), reason: reason("busy"), ..any() }),
        ),
        (
            "30 rooms, all time, no such reason",
            CallFilter { rooms: rooms(30), reason: reason("glare"), ..any() },
        ),
        (
            "all rooms, month, reason",
            during(CallFilter { rooms: rooms(ROOMS), reason: reason("busy"), ..any() }),
        ),
        ("caller", CallFilter { by: "person-17".to_owned(), ..any() }),
        ("text of one caller", text("RSON-1717")),
        ("text of all callers", text("person")),
        ("text of no caller", text("somebody else")),
        ("text of a reason, 1 room", CallFilter { rooms: rooms(1), ..text("answer") }),
        (
            "text of some callers, 1 room, month",
            during(CallFilter { rooms: rooms(1), ..text("99") }),
        ),
    ] {
        let mut took = Vec::new();
        let mut rows = 0;
        for _ in 0..RUNS {
            let began = Instant::now();
            rows = store.calls(&filter, &Page { before: None, limit: 50 }).await?.rows.len();
            took.push(began.elapsed());
        }
        print(what, rows, took);
    }
    let deep = Page { before: Some((begin + month, 0)), limit: 50 };
    let began = Instant::now();
    let rows = store.calls(&any(), &deep).await?.rows.len();
    print("a page far back", rows, vec![began.elapsed()]);
    for (what, from) in [("report of a month", end - month), ("report of everything", begin)] {
        let began = Instant::now();
        let rows = store.report(from, end, jiff::tz::offset(1)).await?.days.len();
        print(what, rows, vec![began.elapsed()]);
    }
    Ok(())
}

fn print(what: &str, rows: usize, mut took: Vec<Duration>) {
    took.sort_unstable();
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    println!("{what}: {rows} rows, median {median:.1?}, worst {worst:.1?}");
}
