//! Who wished or changed what, and what was answered.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use rooms_messages::RoomName;

use super::list::{Days, address, answered, older, page_in, shown};
use super::table::Table;
use super::{Frame, bad, day_time, room_choices, room_in};
use crate::records::{Audit, Role};
use crate::store::{AuditFilter, Page};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, store_refusal};

const PATH: &str = "/admin/audit";
/// Rows of a download.
const DOWNLOAD_MAX: u32 = 10_000;
/// Answers that can be looked for: the form's word, and the history's.
const ANSWERS: [(&str, &str); 5] = [
    ("accepted", "accepted"),
    ("refused", "refused"),
    ("done", "done"),
    ("failed", "failed"),
    ("none", ""),
];

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get(PATH, Door::Role(Role::Viewer), audit).get(
        "/admin/audit.csv",
        Door::Role(Role::Viewer),
        download,
    )
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    frame: Frame,
    filter: Shown,
    rooms: Vec<(RoomName, String)>,
    answers: Vec<&'static str>,
    /// None while the database does not answer.
    rows: Option<Vec<AuditLine>>,
    older: Option<String>,
    download: String,
    download_max: u32,
}

/// The filter as the form has it.
struct Shown {
    who: String,
    room: String,
    answer: String,
    text: String,
    from: String,
    until: String,
}

struct AuditLine {
    at: String,
    who: String,
    room: String,
    what: String,
    answer: String,
    tone: (&'static str, &'static str),
    reason: String,
}

fn filter_in(app: &App, fields: &Fields) -> Result<(AuditFilter, Days), Response> {
    let days = Days::read(fields).map_err(bad)?;
    let answer = match fields.get("answer") {
        "" => None,
        said => {
            let known = ANSWERS.iter().find(|(word, _)| *word == said);
            let known = known.ok_or_else(|| bad(format!("There is no answer {said:?}.")))?;
            Some(known.1.to_owned())
        }
    };
    let filter = AuditFilter {
        room: room_in(app, fields, "room")?,
        who: fields.get("who").to_owned(),
        answer,
        text: fields.get("text").to_owned(),
        from: days.begin(),
        until: days.end(),
    };
    Ok((filter, days))
}

async fn audit(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let (filter, days) = filter_in(&app, &fields)?;
    let place = page_in(&fields).map_err(bad)?;
    let found = answered(app.registry.store().audit(&filter, &place).await);
    let rows = found.as_ref().map(|found| found.rows.iter().map(line).collect());
    let said = |name: &str| fields.get(name).to_owned();
    Ok(page(&AuditPage {
        frame: Frame::new(&app, &visitor, "Audit"),
        filter: Shown {
            who: said("who"),
            room: said("room"),
            answer: said("answer"),
            text: said("text"),
            from: shown(days.from),
            until: shown(days.until),
        },
        rooms: room_choices(&app),
        answers: ANSWERS.iter().map(|(word, _)| *word).collect(),
        rows,
        older: older(PATH, &fields, found.and_then(|found| found.next)),
        download: address("/admin/audit.csv", &fields, &[]),
        download_max: DOWNLOAD_MAX,
    }))
}

fn line(audit: &Audit) -> AuditLine {
    let tone = match audit.answer.as_str() {
        "done" => ("good", "dot"),
        "accepted" => ("accent", "ring"),
        "" => ("soft", "ring"),
        _ => ("bad", "bar"),
    };
    let answer = if audit.answer.is_empty() { "no answer" } else { &audit.answer };
    AuditLine {
        at: day_time(audit.at),
        who: audit.who.clone(),
        room: audit.room.as_ref().map(ToString::to_string).unwrap_or_default(),
        what: audit.what.clone(),
        answer: answer.to_owned(),
        tone,
        reason: audit.reason.clone(),
    }
}

async fn download(
    State(app): State<App>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let (filter, _) = filter_in(&app, &fields)?;
    let whole = Page { before: None, limit: DOWNLOAD_MAX };
    let found = app.registry.store().audit(&filter, &whole).await;
    let found = found.map_err(|error| store_refusal(&error))?;
    let mut rows: Vec<Vec<String>> = found
        .rows
        .into_iter()
        .map(|audit| {
            let answered = audit.answered.map(|at| at.to_string()).unwrap_or_default();
            let room = audit.room.map(|room| room.to_string()).unwrap_or_default();
            vec![
                audit.at.to_string(),
                audit.who,
                room,
                audit.what,
                audit.answer,
                audit.reason,
                answered,
            ]
        })
        .collect();
    if found.next.is_some() {
        let cut =
            format!("There is more: these are the newest {DOWNLOAD_MAX} rows. Choose fewer days.");
        rows.push(vec![
            String::new(),
            String::new(),
            String::new(),
            cut,
            String::new(),
            String::new(),
            String::new(),
        ]);
    }
    let head = vec!["at", "who", "room", "what", "answer", "reason", "answered"];
    let words = head.len();
    Ok(Table { head, words, rows }.download("audit"))
}
