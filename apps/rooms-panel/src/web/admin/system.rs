//! What the pages hang on, and how it is; and the settings that are of no room.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::{Frame, back, bad, day_time, line_in};
use crate::clock;
use crate::desk::Control;
use crate::records::Role;
use crate::view::{Mark, Shape};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, store_refusal};

const PATH: &str = "/admin/system";
/// The setting with the telephone number of who helps.
const SUPPORT_PHONE: &str = "support-phone";
/// The longest telephone number.
const PHONE_MAX: usize = 40;

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get(PATH, Door::Role(Role::Viewer), system).post(
        "/admin/system/settings",
        Door::Role(Role::Administrator),
        settings,
    )
}

#[derive(Template)]
#[template(path = "admin/system.html")]
struct System {
    frame: Frame,
    parts: Vec<(&'static str, Mark, String)>,
    counts: Vec<(&'static str, usize)>,
    version: &'static str,
    support_phone: String,
}

async fn system(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    let directory = app.registry.directory();
    let now = clock::now();
    let (control, rooms, links) =
        app.desk.look(|shown| (shown.control, shown.house.rooms.len(), shown.house.links.len()));
    let panels = directory.panels.values().filter(|panel| panel.revoked.is_none()).count();
    let open = app.live.open.lock().len();
    let sessions = directory.sessions.values().filter(|session| session.expires > now).count();
    page(&System {
        frame: Frame::new(&app, &visitor, "System").live(),
        parts: vec![bus(control), interface(control), database(&app)],
        counts: vec![
            ("Rooms", rooms),
            ("Connections", links),
            ("Panels", panels),
            ("Panels that are open", open),
            ("People", directory.accounts.len()),
            ("People who are logged in", sessions),
        ],
        version: env!("CARGO_PKG_VERSION"),
        support_phone: directory.settings.get(SUPPORT_PHONE).cloned().unwrap_or_default(),
    })
}

fn bus(control: Control) -> (&'static str, Mark, String) {
    let mark = match control {
        Control::NoBus(since) => {
            Mark::new(Shape::Bar, "bad", format!("Not there since {}", day_time(since)))
        }
        _ => Mark::new(Shape::Dot, "good", "Connected".to_owned()),
    };
    ("Bus", mark, "Calls go on without it; nothing can be pressed.".to_owned())
}

fn interface(control: Control) -> (&'static str, Mark, String) {
    let mark = match control {
        Control::Fine => Mark::new(Shape::Dot, "good", "Alive".to_owned()),
        Control::Starting => Mark::new(Shape::Ring, "accent", "Asked what is so".to_owned()),
        Control::NoBus(_) => Mark::new(Shape::Bar, "soft", "Not known without the bus".to_owned()),
        Control::Silent(since) => {
            Mark::new(Shape::Bar, "bad", format!("Silent since {}", day_time(since)))
        }
    };
    ("Interface process", mark, "`rooms devices`, which speaks with the devices.".to_owned())
}

fn database(app: &App) -> (&'static str, Mark, String) {
    let writing = app.writing.borrow();
    let mark = match writing.behind_since {
        None => Mark::new(Shape::Dot, "good", "Takes what happens".to_owned()),
        Some(since) => {
            Mark::new(Shape::Bar, "bad", format!("Takes nothing since {}", day_time(since)))
        }
    };
    let mut text = format!("{} entries wait to be written.", writing.waiting);
    if writing.lost > 0 {
        text = format!("{text} {} are lost.", writing.lost);
    }
    if !writing.error.is_empty() {
        text = format!("{text} It said: {}", writing.error);
    }
    ("Database", mark, text)
}

async fn settings(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let phone = line_in(&fields, SUPPORT_PHONE, "A telephone number", PHONE_MAX).map_err(bad)?;
    app.registry.put_setting(SUPPORT_PHONE, &phone).await.map_err(|error| store_refusal(&error))?;
    app.desk.changed(&visitor.who, None, format!("support telephone: {phone:?}"));
    app.desk.redraw();
    Ok(back(PATH))
}
