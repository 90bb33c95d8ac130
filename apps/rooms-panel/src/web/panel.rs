//! The panel of a room: its page, its presses, and the stream of what changes.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use rooms_messages::{HelpWish, Malformed, Request, RoomName, Text, Wish};

use super::door::{Door, Visitor};
use super::fields::Fields;
use super::{App, Pages, page, refusal, stream, with_catalogue};
use crate::catalogue::Permission;
use crate::clock;
use crate::records::Role;
use crate::view::{Look, Screen};

const THEME_COOKIE: &str = "theme";
const THEMES: [&str; 4] = ["auto", "day", "night", "contrast"];

pub(super) fn pages(pages: Pages) -> Pages {
    let see = Door::Panel(Role::Viewer);
    let press_door = Door::Panel(Role::Operator);
    pages
        .get("/panel/{room}", see, show)
        .get("/panel/{room}/events", see, stream::panel)
        .post("/panel/{room}/press", press_door, press)
        .post("/panel/{room}/dismiss", press_door, dismiss)
        .post("/panel/{room}/theme", see, theme)
}

#[derive(Template)]
#[template(path = "panel/page.html")]
struct PanelPage<'a> {
    screen: Screen,
    show: &'a str,
    theme: &'a str,
}

async fn show(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
    cookies: CookieJar,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    let show = fields.get("show");
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "a method is of one lifetime only"
    )]
    let screen = look(&app, &room, &visitor, show, |look| look.screen());
    let theme = cookies.get(THEME_COOKIE).map_or("auto", |cookie| cookie.value());
    let theme = THEMES.into_iter().find(|known| *known == theme).unwrap_or("auto");
    page(&PanelPage { screen, show, theme })
}

/// A room that is there; before anything is known, every name may be one.
pub(super) fn known(app: &App, room: &str) -> Option<RoomName> {
    let room = RoomName::new(room).ok()?;
    let is_known =
        app.desk.look(|shown| !shown.house.is_known || shown.house.rooms.contains_key(&room));
    let is_enrolled = || app.registry.directory().panels.values().any(|panel| panel.room == room);
    (is_known || is_enrolled()).then_some(room)
}

pub(super) fn unknown() -> Response {
    refusal(StatusCode::NOT_FOUND, "There is no such room.")
}

/// What a visitor sees of a room.
pub(super) fn look<T>(
    app: &App,
    room: &RoomName,
    visitor: &Visitor,
    show: &str,
    see: impl FnOnce(&Look<'_>) -> T,
) -> T {
    let directory = app.registry.directory();
    let may_press = visitor.role.is_none() || visitor.is(Role::Operator);
    app.desk.look(|shown| {
        see(&Look {
            shown,
            directory: &directory,
            room,
            show,
            csrf: &visitor.csrf,
            may_press,
            now: clock::now(),
        })
    })
}

async fn press(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
    headers: HeaderMap,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    let wish = match wish(&room, &fields) {
        Ok(wish) => wish,
        Err(wrong) => return refusal(StatusCode::BAD_REQUEST, &wrong),
    };
    if let Wish::Connect { near, far } = &wish {
        let permission =
            with_catalogue(&app, |catalogue, _| catalogue.permission(near, far, clock::now()));
        if permission != Permission::Now {
            app.desk.not_permitted(near, far, &visitor.who);
            return done(&room, &fields, &headers, StatusCode::CONFLICT);
        }
    }
    match app.desk.press(wish, &visitor.who) {
        Ok(_answer) => done(&room, &fields, &headers, StatusCode::NO_CONTENT),
        Err(_offline) => done(&room, &fields, &headers, StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// What a form wishes of a room: its words are a wish as on the bus, but for the room after the verb
/// and a value that may be the end.
pub(super) fn wish_of(room: &RoomName, fields: &Fields) -> Result<Wish, Malformed> {
    let words = fields.get("wish");
    let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
    Ok(Request::parse(&format!("{verb} {room} {rest}{}", fields.get("value")))?.wish)
}

/// What the words of a form wish of this room, if a panel may wish that.
fn wish(room: &RoomName, fields: &Fields) -> Result<Wish, String> {
    let wish = wish_of(room, fields).map_err(|error| error.to_string())?;
    if wish.room() != Some(room) {
        return Err("This panel is another room's.".to_owned());
    }
    match wish {
        Wish::Help { room, help: HelpWish::Come(_) } => {
            let text = Some(fields.get("text")).filter(|text| !text.is_empty()).map(Text::clean);
            Ok(Wish::Help { room, help: HelpWish::Come(text) })
        }
        wish @ (Wish::Give { .. }
        | Wish::Reload
        | Wish::Reconnect { .. }
        | Wish::Maintenance { .. }
        | Wish::Trace { .. }
        | Wish::Raw { .. }) => Err(format!("`{}` is nothing that a panel can wish.", wish.verb())),
        wish => Ok(wish),
    }
}

/// To a script a status, to a browser without one the page.
fn done(room: &RoomName, fields: &Fields, headers: &HeaderMap, status: StatusCode) -> Response {
    if headers.contains_key("x-live") {
        return status.into_response();
    }
    let show = fields.get("show");
    let is_word = !show.is_empty() && show.bytes().all(|byte| byte.is_ascii_lowercase());
    let show = if is_word { format!("?show={show}") } else { String::new() };
    Redirect::to(&format!("/panel/{room}{show}")).into_response()
}

async fn dismiss(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(fields): Extension<Fields>,
    headers: HeaderMap,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    app.desk.dismiss(&room);
    done(&room, &fields, &headers, StatusCode::NO_CONTENT)
}

async fn theme(
    Path(room): Path<String>,
    Extension(fields): Extension<Fields>,
    cookies: CookieJar,
) -> Response {
    let Ok(room) = RoomName::new(&room) else { return unknown() };
    let wanted = fields.get("theme");
    let Some(theme) = THEMES.into_iter().find(|theme| *theme == wanted) else {
        return refusal(StatusCode::BAD_REQUEST, "There is no such look.");
    };
    let path = format!("/panel/{room}");
    let cookie = Cookie::build((THEME_COOKIE, theme)).path(path.clone()).http_only(true);
    let cookie = cookie.same_site(SameSite::Strict).permanent();
    (cookies.add(cookie), Redirect::to(&path)).into_response()
}
