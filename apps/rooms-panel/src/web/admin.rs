//! The administration: what every page of it has, and which there are.

mod alerts;
mod audit;
mod catalogue;
mod configuration;
mod connections;
mod help;
mod list;
mod overview;
mod panels;
mod people;
mod permissions;
mod reports;
mod room;
mod system;
mod table;

use std::fmt::Display;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rooms_messages::{AlertLevel, RoomName, RoomState};

use super::door::{Door, Visitor};
use super::fields::Fields;
use super::panel::known;
use super::{App, Pages, refusal, stream, with_catalogue};
use crate::desk::{Control, Shown};
use crate::house::{Alert, Room};
use crate::records::Role;
use crate::view::{Shape, hour};

pub(super) fn pages(pages: Pages) -> Pages {
    let pages = pages.get("/admin/events", Door::Role(Role::Viewer), stream::admin);
    let pages = help::pages(alerts::pages(connections::pages(room::pages(overview::pages(pages)))));
    let pages = reports::pages(panels::pages(permissions::pages(catalogue::pages(pages))));
    system::pages(configuration::pages(people::pages(audit::pages(pages))))
}

/// What stands around every page.
struct Frame {
    /// The heading.
    title: &'static str,
    /// Who is logged in.
    who: String,
    role: Role,
    csrf: String,
    /// What is wrong with everything.
    banner: Option<String>,
    /// The history is not being written.
    behind: Option<String>,
    /// Rooms that call for a person.
    helps: usize,
    /// Whether the page loads itself anew when something changes.
    is_live: bool,
}

/// A page in the list of pages: address, name, and who may see it.
const MENU: &[(&str, &str, Role)] = &[
    ("/admin", "Overview", Role::Viewer),
    ("/admin/connections", "Connections", Role::Viewer),
    ("/admin/alerts", "Alerts", Role::Viewer),
    ("/admin/help", "Help", Role::Viewer),
    ("/admin/catalogue", "Catalogue", Role::Viewer),
    ("/admin/permissions", "Permissions", Role::Viewer),
    ("/admin/panels", "Panels", Role::Viewer),
    ("/admin/reports", "Reports", Role::Viewer),
    ("/admin/audit", "Audit", Role::Viewer),
    ("/admin/people", "People", Role::Administrator),
    ("/admin/configuration", "Configuration", Role::Administrator),
    ("/admin/system", "System", Role::Viewer),
];

impl Frame {
    fn new(app: &App, visitor: &Visitor, title: &'static str) -> Self {
        let writing = app.writing.borrow();
        let behind = writing.behind_since.map(|since| {
            format!(
                "The history is not being written since {}: the database does not answer. {} entries wait and are written when it is back.",
                hour(since, &TimeZone::system()),
                writing.waiting
            )
        });
        drop(writing);
        let (banner, helps) = app.desk.look(|shown| {
            let helps = shown.house.rooms.values().filter(|room| room.help.is_some()).count();
            (banner(shown), helps)
        });
        Self {
            title,
            who: visitor.who.clone(),
            role: visitor.role.unwrap_or(Role::Viewer),
            csrf: visitor.csrf.clone(),
            banner,
            behind,
            helps,
            is_live: false,
        }
    }

    /// The page loads itself anew when something changes.
    fn live(self) -> Self {
        Self { is_live: true, ..self }
    }

    fn menu(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let role = self.role;
        MENU.iter()
            .filter(move |(_, _, least)| role >= *least)
            .map(|(path, name, _)| (*path, *name))
    }

    fn may_operate(&self) -> bool {
        self.role >= Role::Operator
    }

    fn may_change(&self) -> bool {
        self.role >= Role::Administrator
    }
}

fn banner(shown: &Shown) -> Option<String> {
    let at = |since: Timestamp| hour(since, &TimeZone::system());
    match shown.control {
        Control::Fine => None,
        Control::Starting => Some("Connecting to the control system …".to_owned()),
        Control::NoBus(since) => Some(format!(
            "There is no bus since {}. Calls go on; nothing can be pressed.",
            at(since)
        )),
        Control::Silent(since) => Some(format!(
            "The interface process is silent since {}. Calls go on; nothing can be pressed.",
            at(since)
        )),
    }
}

/// A day and time as the administration writes them, in the server's zone.
fn day_time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How a room is: its mark's shape and colour, and a word.
fn state_of(room: &Room) -> (Shape, &'static str, &'static str) {
    match room.state {
        Some(RoomState::Free) => (Shape::Dot, "good", "Free"),
        Some(RoomState::Busy) => (Shape::Ring, "warn", "In a call"),
        Some(RoomState::Maintenance) => (Shape::Bar, "soft", "Maintenance"),
        Some(RoomState::Offline) | None => (Shape::Bar, "bad", "Not reachable"),
    }
}

/// The colour of an alert.
fn tone_of(alert: &Alert) -> &'static str {
    if alert.level == AlertLevel::Error { "bad" } else { "warn" }
}

/// A form that can't be done, and what would be right.
fn bad(text: impl Display) -> Response {
    refusal(StatusCode::BAD_REQUEST, &text.to_string())
}

/// The room that a form names; none if it names none.
fn room_in(app: &App, fields: &Fields, name: &str) -> Result<Option<RoomName>, Response> {
    let said = fields.get(name);
    if said.is_empty() {
        return Ok(None);
    }
    match known(app, said) {
        Some(room) => Ok(Some(room)),
        None => Err(bad(format!("There is no room {said:?}. Go back and choose one of the list."))),
    }
}

/// A text of one line that a form has, of at most so many characters.
fn line_in(fields: &Fields, name: &str, called: &str, max: usize) -> Result<String, String> {
    let text = fields.get(name);
    if text.chars().count() > max {
        return Err(format!("{called} has at most {max} characters."));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{called} is one line, without control characters."));
    }
    Ok(text.to_owned())
}

/// The rooms of a form's choice, with their names, in the order in which people see them.
fn room_choices(app: &App) -> Vec<(RoomName, String)> {
    with_catalogue(app, |catalogue, _| {
        catalogue.rooms().into_iter().map(|room| (room.clone(), catalogue.name(room))).collect()
    })
}

/// Back to a page after a form.
fn back(path: impl Display) -> Response {
    Redirect::to(&path.to_string()).into_response()
}
