//! Devices that need care, and those that did.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rooms_messages::RoomName;

use super::list::{answered, older, page_in};
use super::{Frame, back, bad, day_time, room_choices, room_in};
use crate::clock;
use crate::records::{Alert, Role};
use crate::view::lasting;
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, refusal, with_catalogue};

const PATH: &str = "/admin/alerts";

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get(PATH, Door::Role(Role::Viewer), alerts).post(
        "/admin/alerts/mute",
        Door::Role(Role::Operator),
        mute,
    )
}

#[derive(Template)]
#[template(path = "admin/alerts.html")]
struct Alerts {
    frame: Frame,
    open: Vec<AlertLine>,
    rooms: Vec<(RoomName, String)>,
    room: String,
    /// None while the database does not answer.
    history: Option<Vec<AlertLine>>,
    older: Option<String>,
}

struct AlertLine {
    id: i64,
    room: RoomName,
    room_name: String,
    device: String,
    code: String,
    level: String,
    text: String,
    since: String,
    lasted: String,
    muted_by: String,
}

async fn alerts(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let room = room_in(&app, &fields, "room")?;
    let place = page_in(&fields).map_err(bad)?;
    let found = answered(app.registry.store().alerts(room.as_ref(), false, &place).await);
    let frame = Frame::new(&app, &visitor, "Alerts").live();
    let now = clock::now();
    let mut open = app.desk.alerts();
    open.retain(|alert| room.as_ref().is_none_or(|room| *room == alert.room));
    // The worst first, those that somebody has seen last.
    open.sort_by_key(|alert| (!alert.muted_by.is_empty(), alert.level != "error", alert.since));
    let (open, history) = with_catalogue(&app, |catalogue, _| {
        let line = |alert: &Alert| AlertLine {
            id: alert.id,
            room: alert.room.clone(),
            room_name: catalogue.name(&alert.room),
            device: alert.device.clone(),
            code: alert.code.clone(),
            level: alert.level.clone(),
            text: alert.text.clone(),
            since: day_time(alert.since),
            lasted: match alert.until {
                Some(until) => lasting(until.duration_since(alert.since)),
                None => format!("goes on, {}", lasting(now.duration_since(alert.since))),
            },
            muted_by: alert.muted_by.clone(),
        };
        let history = found.as_ref().map(|found| found.rows.iter().map(line).collect());
        (open.iter().map(line).collect(), history)
    });
    let older = older(PATH, &fields, found.and_then(|found| found.next));
    let (rooms, room) = (room_choices(&app), fields.get("room").to_owned());
    Ok(page(&Alerts { frame, open, rooms, room, history, older }))
}

/// Somebody has seen it, and wants to hear no more of it.
async fn mute(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let id: Option<i64> = fields.get("id").parse().ok();
    let alert = app.desk.alerts().into_iter().find(|alert| Some(alert.id) == id);
    match alert {
        Some(alert) if app.desk.mute(alert.id, &visitor.who) => {
            let what = format!("alert muted: {}, {}: {}", alert.device, alert.code, alert.text);
            app.desk.changed(&visitor.who, Some(&alert.room), what);
            app.desk.redraw();
            Ok(back(PATH))
        }
        _ => Err(refusal(StatusCode::CONFLICT, "This alert is over already.")),
    }
}
