//! The tablets in the rooms: making one, and taking it away.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use rooms_messages::RoomName;

use super::{Frame, back, bad, day_time, line_in, room_choices, room_in};
use crate::clock;
use crate::doors::Token;
use crate::records::{EnrolledPanel, Enrolment, Role, TokenHash};
use crate::view::hour;
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, refusal, store_refusal, with_catalogue};

const PATH: &str = "/admin/panels";
/// The longest name of a panel.
const NAME_MAX: usize = 60;
/// A code is good for so long.
const CODE_FOR: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get(PATH, Door::Role(Role::Viewer), panels)
        .post("/admin/panels/code", Door::Role(Role::Administrator), code)
        .post("/admin/panels/revoke", Door::Role(Role::Administrator), revoke)
}

#[derive(Template)]
#[template(path = "admin/panels.html")]
struct Panels {
    frame: Frame,
    panels: Vec<PanelLine>,
    waiting: Vec<Waiting>,
    rooms: Vec<(RoomName, String)>,
    code: Option<Code>,
}

struct PanelLine {
    token: TokenHash,
    room: RoomName,
    room_name: String,
    name: String,
    since: String,
    by: String,
    /// How many pages of it are open.
    open: usize,
    revoked: Option<String>,
}

/// A code that nobody has used yet.
struct Waiting {
    name: String,
    room: String,
    by: String,
    until: String,
}

/// A code that was just made, in two groups.
struct Code {
    digits: [String; 2],
    name: String,
    room: String,
    until: String,
}

async fn panels(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    list(&app, &visitor, None)
}

fn list(app: &App, visitor: &Visitor, code: Option<Code>) -> Response {
    let frame = Frame::new(app, visitor, "Panels");
    let rooms = room_choices(app);
    let now = clock::now();
    let open = app.live.open.lock().clone();
    let (panels, waiting) = with_catalogue(app, |catalogue, _| {
        let mut panels: Vec<&EnrolledPanel> = catalogue.directory.panels.values().collect();
        panels.sort_by_key(|panel| (panel.revoked.is_some(), &panel.room, &panel.name));
        let lines = panels.into_iter().map(|panel| PanelLine {
            token: panel.token,
            room: panel.room.clone(),
            room_name: catalogue.name(&panel.room),
            name: panel.name.clone(),
            since: day_time(panel.enrolled),
            by: panel.by.clone(),
            open: open.get(&panel.token).copied().unwrap_or(0),
            revoked: panel.revoked.map(day_time),
        });
        let waiting = catalogue.directory.enrolments.values().filter(|code| code.expires > now);
        let waiting = waiting.map(|code| Waiting {
            name: code.name.clone(),
            room: catalogue.name(&code.room),
            by: code.by.clone(),
            until: hour(code.expires, &jiff::tz::TimeZone::system()),
        });
        (lines.collect(), waiting.collect())
    });
    page(&Panels { frame, panels, waiting, rooms, code })
}

async fn code(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let room =
        room_in(&app, &fields, "room")?.ok_or_else(|| bad("Choose the room of the panel."))?;
    let name = line_in(&fields, "name", "A panel's name", NAME_MAX).map_err(bad)?;
    if name.is_empty() {
        return Err(bad("A panel has a name that people know it by, such as Vienna, door."));
    }
    let now = clock::now();
    let directory = app.registry.directory();
    let panels = directory.panels.values().filter(|panel| panel.revoked.is_none());
    let waiting = directory.enrolments.values().filter(|code| code.expires > now);
    if panels
        .map(|panel| &panel.name)
        .chain(waiting.map(|code| &code.name))
        .any(|known| *known == name)
    {
        let text = "There is a panel of this name, or a code for one. In the audit nobody could tell them apart: choose another.";
        return Err(refusal(StatusCode::CONFLICT, text));
    }
    let (code, expires) = (Token::code(), now.checked_add(CODE_FOR).unwrap_or(now));
    let enrolment = Enrolment {
        code: code.hash(),
        room: room.clone(),
        name: name.clone(),
        by: visitor.who.clone(),
        expires,
    };
    app.registry.put_enrolment(enrolment).await.map_err(|error| store_refusal(&error))?;
    app.desk.changed(&visitor.who, Some(&room), format!("code for the panel {name:?} made"));
    let (first, second) = code.as_str().split_at(4);
    let shown = Code {
        digits: [first.to_owned(), second.to_owned()],
        name,
        room: with_catalogue(&app, |catalogue, _| catalogue.name(&room)),
        until: hour(expires, &jiff::tz::TimeZone::system()),
    };
    Ok(list(&app, &visitor, Some(shown)))
}

async fn revoke(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let token: Option<TokenHash> = fields.get("panel").parse().ok();
    let panel = token.and_then(|token| app.registry.directory().panels.get(&token).cloned());
    let Some(panel) = panel.filter(|panel| panel.revoked.is_none()) else {
        return Err(refusal(
            StatusCode::CONFLICT,
            "There is no such panel, or it is revoked already.",
        ));
    };
    let (room, what) = (panel.room.clone(), format!("panel {:?} revoked", panel.name));
    let revoked = EnrolledPanel { revoked: Some(clock::now()), ..panel };
    app.registry.put_panel(revoked).await.map_err(|error| store_refusal(&error))?;
    app.desk.changed(&visitor.who, Some(&room), what);
    // Its open pages look whether they may stay.
    app.desk.redraw();
    Ok(back(PATH))
}
