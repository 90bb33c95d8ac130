//! One room: its devices as they say they are, their last frames, and what an operator can do.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use rooms_messages::{DeviceName, RoomName, RoomState, Text, Wish};

use super::{Frame, back, bad, day_time, state_of, tone_of};
use crate::clock;
use crate::desk::Answer;
use crate::records::Role;
use crate::view::{Mark, Words};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::panel::{known, unknown, wish_of};
use crate::web::{App, Pages, page, refusal, with_catalogue};

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get("/admin/rooms/{room}", Door::Role(Role::Viewer), show)
        .post("/admin/rooms/{room}/wish", Door::Role(Role::Operator), wish)
        .post("/admin/rooms/{room}/raw", Door::Role(Role::Administrator), raw)
}

#[derive(Template)]
#[template(path = "admin/room.html")]
struct RoomPage {
    frame: Frame,
    room: RoomName,
    name: String,
    mark: Mark,
    is_in_maintenance: bool,
    notes: String,
    devices: Vec<DeviceLine>,
    alerts: Vec<(String, &'static str, String, String)>,
}

struct DeviceLine {
    name: DeviceName,
    role: String,
    mark: Mark,
    keys: Vec<(String, String)>,
    frames: Vec<String>,
}

async fn show(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    let frame = Frame::new(&app, &visitor, "Room").live();
    let now = clock::now();
    let found = with_catalogue(&app, |catalogue, shown| {
        let known = shown.house.rooms.get(&room)?;
        let zone = catalogue.zone(&room);
        let devices = known.devices.iter().map(|(name, device)| {
            let words = Words::of_power(device, now, &zone);
            let text = match device.offline {
                Some(reason) => format!("{} ({reason})", words.text),
                None => words.text.clone(),
            };
            DeviceLine {
                name: name.clone(),
                role: device.role.clone(),
                mark: Mark::new(words.shape, words.tone, text),
                keys: device.keys.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
                frames: shown
                    .frames
                    .get(&(room.clone(), name.clone()))
                    .map(|frames| frames.iter().rev().cloned().collect())
                    .unwrap_or_default(),
            }
        });
        let alerts = known.alerts.iter().map(|((device, code), alert)| {
            let since = day_time(alert.since);
            (format!("{device}, {code}"), tone_of(alert), alert.text.clone(), since)
        });
        let (shape, tone, word) = state_of(known);
        let notes = catalogue.directory.listings.get(&room).map(|listing| listing.notes.clone());
        Some(RoomPage {
            name: catalogue.name(&room),
            mark: Mark::new(shape, tone, word.to_owned()),
            is_in_maintenance: known.state == Some(RoomState::Maintenance),
            notes: notes.unwrap_or_default(),
            devices: devices.collect(),
            alerts: alerts.collect(),
            room: room.clone(),
            frame,
        })
    });
    match found {
        Some(found) => page(&found),
        None => unknown(),
    }
}

/// What an operator wishes of a room.
async fn wish(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    let wish = match wish_of(&room, &fields) {
        Ok(wish) => wish,
        Err(error) => return bad(error),
    };
    match wish {
        Wish::Start { .. }
        | Wish::Stop { .. }
        | Wish::Disconnect { .. }
        | Wish::Reconnect { .. }
        | Wish::Maintenance { .. }
        | Wish::Trace { .. }
        | Wish::Help { .. } => press(&app, &visitor, wish, &format!("/admin/rooms/{room}")).await,
        _ => bad("That is not for this page."),
    }
}

/// A text to a device, as it is.
async fn raw(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    let (Ok(device), Ok(text)) =
        (DeviceName::new(fields.get("device")), Text::new(fields.get("text")))
    else {
        return bad("A device and a text without control characters are wanted.");
    };
    let to = format!("/admin/rooms/{room}");
    press(&app, &visitor, Wish::Raw { room, device, text }, &to).await
}

/// Sends a wish, waits for the answer, and goes to a page; a refusal is a page of its own.
pub(super) async fn press(app: &App, visitor: &Visitor, wish: Wish, to: &str) -> Response {
    let answer = match app.desk.press(wish, &visitor.who) {
        Ok(answer) => answer.await,
        Err(_offline) => {
            let text = "The rooms can't be controlled now. Nothing was sent, and nothing is kept for later.";
            return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
        }
    };
    match answer {
        Ok(Answer::Accepted) => back(to),
        Ok(Answer::Refused(reason, text)) => {
            let text = if text.is_empty() { reason.to_string() } else { text };
            refusal(StatusCode::CONFLICT, &format!("The interface process refused: {text}."))
        }
        Err(_unanswered) => {
            refusal(StatusCode::GATEWAY_TIMEOUT, "The control system does not answer.")
        }
    }
}
