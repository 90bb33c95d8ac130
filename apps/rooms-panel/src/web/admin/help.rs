//! Rooms that call for a person, and those that did.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use rooms_messages::{HelpState, HelpWish, RoomName, Text, Wish};

use super::list::{answered, older, page_in};
use super::room::press;
use super::{Frame, bad, day_time, line_in};
use crate::clock;
use crate::records::{Help, Role};
use crate::view::lasting;
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::panel::{known, unknown};
use crate::web::{App, Pages, page, with_catalogue};

const PATH: &str = "/admin/help";
/// The longest answer to a room.
const TEXT_MAX: usize = 200;

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get(PATH, Door::Role(Role::Viewer), helps).post(
        "/admin/help/{room}",
        Door::Role(Role::Operator),
        answer,
    )
}

#[derive(Template)]
#[template(path = "admin/help.html")]
struct Helps {
    frame: Frame,
    queue: Vec<Waiting>,
    /// None while the database does not answer.
    history: Option<Vec<HelpLine>>,
    older: Option<String>,
}

struct Waiting {
    room: RoomName,
    name: String,
    by: String,
    text: String,
    is_acknowledged: bool,
    since: String,
    /// Counted by the page: milliseconds since 1970.
    since_ms: i64,
    age: String,
}

struct HelpLine {
    since: String,
    name: String,
    by: String,
    text: String,
    acknowledged: String,
    closed: String,
}

async fn helps(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let place = page_in(&fields).map_err(bad)?;
    let found = answered(app.registry.store().helps(false, &place).await);
    let frame = Frame::new(&app, &visitor, "Help").live();
    let now = clock::now();
    let (mut queue, history) = with_catalogue(&app, |catalogue, shown| {
        let queue = shown.house.rooms.iter().filter_map(|(name, room)| {
            let help = room.help.as_ref()?;
            Some(Waiting {
                room: name.clone(),
                name: catalogue.name(name),
                by: help.by.clone(),
                text: help.text.clone(),
                is_acknowledged: help.state == HelpState::Acknowledged,
                since: day_time(help.since),
                since_ms: help.since.as_millisecond(),
                age: lasting(now.duration_since(help.since)),
            })
        });
        let line = |help: &Help| HelpLine {
            since: day_time(help.since),
            name: catalogue.name(&help.room),
            by: help.by.clone(),
            text: help.text.clone(),
            acknowledged: match help.acknowledged {
                Some(at) => {
                    format!(
                        "{}, after {}",
                        help.acknowledged_by,
                        lasting(at.duration_since(help.since))
                    )
                }
                None => String::new(),
            },
            closed: match help.closed {
                Some(at) => format!("after {}", lasting(at.duration_since(help.since))),
                None => "open".to_owned(),
            },
        };
        let history = found.as_ref().map(|found| found.rows.iter().map(line).collect());
        (queue.collect::<Vec<_>>(), history)
    });
    // Who has waited longest without an answer comes first.
    queue.sort_by_key(|help| (help.is_acknowledged, help.since_ms));
    let older = older(PATH, &fields, found.and_then(|found| found.next));
    Ok(page(&Helps { frame, queue, history, older }))
}

/// Somebody comes, or was there.
async fn answer(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let Some(room) = known(&app, &room) else { return Ok(unknown()) };
    let text = line_in(&fields, "text", "What you say to the room", TEXT_MAX).map_err(bad)?;
    let text = (!text.is_empty()).then(|| Text::new(&text)).transpose().map_err(bad)?;
    let help = match fields.get("answer") {
        "acknowledge" => HelpWish::Acknowledge(text),
        "close" => HelpWish::Close(text),
        other => return Err(bad(format!("answer={other:?} is neither acknowledge nor close."))),
    };
    Ok(press(&app, &visitor, Wish::Help { room, help }, PATH).await)
}
