//! What a while looked like: how much the rooms were used, who called whom, what failed.

mod chart;

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan, ZonedDateTime};
use rooms_messages::RoomName;

use super::connections::{offset, pair_line};
use super::list::{Days, address, answered};
use super::table::Table;
use super::{Frame, bad};
use crate::catalogue::Catalogue;
use crate::clock;
use crate::records::Role;
use crate::store::{Report, StoreError};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, store_refusal, with_catalogue};
use chart::{Columns, Lines};

const PATH: &str = "/admin/reports";
/// Days that are shown if nobody says otherwise.
const USUAL: i64 = 30;
/// The longest report, in days.
const LONGEST: i64 = 366;
/// Rooms that are drawn; the table has them all.
const DRAWN_MAX: usize = 20;

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get(PATH, Door::Role(Role::Viewer), reports).get(
        "/admin/reports.csv",
        Door::Role(Role::Viewer),
        download,
    )
}

#[derive(Template)]
#[template(path = "admin/reports.html")]
struct Reports {
    frame: Frame,
    from: Date,
    until: Date,
    /// None while the database does not answer.
    parts: Option<[Part; 4]>,
}

/// One question's answer, drawn and in numbers.
struct Part {
    title: &'static str,
    about: &'static str,
    columns: Option<Columns>,
    lines: Option<Lines>,
    table: Table,
    download: String,
}

/// The days of a report: those that were said, or the last thirty.
fn days_in(fields: &Fields) -> Result<(Date, Date), String> {
    let said = Days::read(fields)?;
    let until = said.until.unwrap_or_else(|| ZonedDateTime::now().date());
    let usual = until.saturating_sub((USUAL - 1).days());
    let from = said.from.unwrap_or(usual);
    let count = from.until(until).map_or(i64::MAX, |span| i64::from(span.get_days())) + 1;
    if count < 1 {
        return Err(format!("{until} is before {from}: exchange them."));
    }
    if count > LONGEST {
        return Err(format!("A report is of at most {LONGEST} days, not {count}: choose fewer."));
    }
    Ok((from, until))
}

async fn report_of(app: &App, from: Date, until: Date) -> Result<Report, StoreError> {
    let days = Days { from: Some(from), until: Some(until) };
    let (Some(begin), Some(end)) = (days.begin(), days.end()) else { return Ok(Report::default()) };
    // What has not happened yet is nobody's time: a call that goes on lasts until now.
    let end = end.min(clock::now()).max(begin);
    app.registry.store().report(begin, end, offset(begin)).await
}

async fn reports(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let (from, until) = days_in(&fields).map_err(bad)?;
    let report = answered(report_of(&app, from, until).await);
    let parts = report.map(|report| {
        with_catalogue(&app, |catalogue, _| {
            [
                of_days(&report, from, until),
                of_rooms(catalogue, &report),
                of_pairs(catalogue, &report),
                of_devices(catalogue, &report),
            ]
            .map(|(name, part)| Part { download: download_of(&fields, name), ..part })
        })
    });
    Ok(page(&Reports { frame: Frame::new(&app, &visitor, "Reports"), from, until, parts }))
}

fn download_of(fields: &Fields, table: &str) -> String {
    address("/admin/reports.csv", fields, &[("table", table)])
}

async fn download(
    State(app): State<App>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let (from, until) = days_in(&fields).map_err(bad)?;
    let wanted = fields.get("table");
    if !["days", "rooms", "pairs", "devices"].contains(&wanted) {
        return Err(bad("There are the tables days, rooms, pairs and devices."));
    }
    let report = report_of(&app, from, until).await.map_err(|error| store_refusal(&error))?;
    let (name, part) = with_catalogue(&app, |catalogue, _| match wanted {
        "days" => of_days(&report, from, until),
        "rooms" => of_rooms(catalogue, &report),
        "pairs" => of_pairs(catalogue, &report),
        _ => of_devices(catalogue, &report),
    });
    Ok(part.table.download(&format!("{name}-{from}-{until}")))
}

fn hours(time: SignedDuration) -> f64 {
    time.as_secs_f64() / 3600.0
}

/// Hours in calls of all rooms together, day by day; a day without calls too.
fn of_days(report: &Report, from: Date, until: Date) -> (&'static str, Part) {
    let mut days: BTreeMap<Date, (SignedDuration, i64)> = BTreeMap::new();
    let all = from.series(1.day()).take_while(|day| *day <= until);
    days.extend(all.map(|day| (day, Default::default())));
    for row in &report.days {
        let (time, calls) = days.entry(row.day).or_default();
        *time += row.connected;
        *calls += row.calls;
    }
    let columns = Columns::of(days.iter().map(|(day, (time, _))| (day.to_string(), hours(*time))));
    // Both rooms of a call count it.
    let row = |(day, (time, calls)): (&Date, &(SignedDuration, i64))| {
        vec![day.to_string(), format!("{:.1}", hours(*time)), (calls / 2).to_string()]
    };
    let table = Table {
        head: vec!["Day", "Room hours", "Calls"],
        words: 1,
        rows: days.iter().map(row).collect(),
    };
    let part = Part {
        title: "Hours in calls, by day",
        about: "All rooms together: a call of an hour between two rooms is two room hours.",
        columns: Some(columns),
        lines: None,
        table,
        download: String::new(),
    };
    ("days", part)
}

/// Hours in calls of each room, the busiest first.
fn of_rooms(catalogue: &Catalogue<'_>, report: &Report) -> (&'static str, Part) {
    let mut rooms: BTreeMap<&RoomName, (SignedDuration, i64)> = BTreeMap::new();
    for row in &report.days {
        let (time, calls) = rooms.entry(&row.room).or_default();
        *time += row.connected;
        *calls += row.calls;
    }
    let mut rooms: Vec<_> = rooms.into_iter().collect();
    rooms.sort_by_key(|(_, (time, _))| std::cmp::Reverse(*time));
    let drawn = rooms.iter().take(DRAWN_MAX);
    let drawn = drawn.map(|(room, (time, _))| {
        (catalogue.name(room), hours(*time), 0.0, format!("{:.1}", hours(*time)))
    });
    let lines = Lines::of(drawn);
    let rows = rooms.iter().map(|(room, (time, calls))| {
        vec![
            catalogue.name(room),
            room.to_string(),
            format!("{:.1}", hours(*time)),
            calls.to_string(),
        ]
    });
    let table =
        Table { head: vec!["Room", "Id", "Hours", "Calls"], words: 2, rows: rows.collect() };
    let part = Part {
        title: "Hours in calls, by room",
        about: "A call over midnight counts on both days.",
        columns: None,
        lines: Some(lines),
        table,
        download: String::new(),
    };
    ("rooms", part)
}

/// Calls of two rooms with each other, and those that failed.
fn of_pairs(catalogue: &Catalogue<'_>, report: &Report) -> (&'static str, Part) {
    let pairs: Vec<_> = report.pairs.iter().map(|pair| pair_line(catalogue, pair)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a drawing has no more pixels than that")]
    let lines = Lines::of(pairs.iter().map(|(names, calls, failed, _)| {
        (
            names.clone(),
            (calls - failed) as f64,
            *failed as f64,
            format!("{calls}, {failed} failed"),
        )
    }));
    let rows = pairs
        .into_iter()
        .map(|(names, calls, failed, why)| vec![names, why, calls.to_string(), failed.to_string()]);
    let table = Table {
        head: vec!["Rooms", "Failed because", "Calls", "Failed"],
        words: 2,
        rows: rows.collect(),
    };
    let part = Part {
        title: "Calls of two rooms",
        about: "The twenty pairs with the most calls; the second ink is what failed.",
        columns: None,
        lines: Some(lines),
        table,
        download: String::new(),
    };
    ("pairs", part)
}

/// Devices that needed care most often.
fn of_devices(catalogue: &Catalogue<'_>, report: &Report) -> (&'static str, Part) {
    #[expect(clippy::cast_precision_loss, reason = "a drawing has no more pixels than that")]
    let lines = Lines::of(report.devices.iter().map(|device| {
        let name = format!("{}, {}", catalogue.city(&device.room), device.device);
        (name, 0.0, device.alerts as f64, device.alerts.to_string())
    }));
    let rows = report.devices.iter().map(|device| {
        vec![catalogue.name(&device.room), device.device.clone(), device.alerts.to_string()]
    });
    let table = Table { head: vec!["Room", "Device", "Alerts"], words: 2, rows: rows.collect() };
    let part = Part {
        title: "Devices that needed care",
        about: "The twenty devices with the most alerts.",
        columns: None,
        lines: Some(lines),
        table,
        download: String::new(),
    };
    ("devices", part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(from: &str, until: &str) -> Result<(Date, Date), String> {
        let pairs = [("from", from), ("until", until)];
        days_in(&Fields(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()))
    }

    #[test]
    fn a_report_is_of_the_last_thirty_days_and_at_most_a_year() {
        let (from, until) = days("", "2026-03-30").expect("days");
        assert_eq!(
            (from.to_string().as_str(), until.to_string().as_str()),
            ("2026-03-01", "2026-03-30")
        );
        assert!(days("2024-01-01", "2024-12-31").is_ok(), "a leap year");
        assert!(days("2024-01-01", "2025-01-01").expect_err("too long").contains("at most 366"));
        assert!(days("9999-01-01", "").is_err());
    }

    #[test]
    fn a_day_without_calls_is_there_too() {
        let (_, part) = of_days(
            &Report::default(),
            "2026-02-27".parse().expect("a day"),
            "2026-03-01".parse().expect("a day"),
        );
        let days: Vec<_> = part.table.rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(days, ["2026-02-27", "2026-02-28", "2026-03-01"]);
    }
}
