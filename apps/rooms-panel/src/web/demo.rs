//! Two rooms side by side on one page, for trying both ends. Only a demonstration has it: whoever
//! opens it may press in both rooms.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use jiff::Timestamp;
use rooms_messages::RoomName;

use super::door::Door;
use super::entrance::panel_cookie;
use super::{App, Pages, page, refusal, store_refusal};
use crate::doors::Token;
use crate::records::EnrolledPanel;

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get("/demo", Door::Open, show)
}

#[derive(Template)]
#[template(path = "demo.html")]
struct DemoPage {
    rooms: [RoomName; 2],
}

async fn show(State(app): State<App>, mut cookies: CookieJar) -> Response {
    let Some(rooms) = app.demo.clone() else {
        return refusal(StatusCode::NOT_FOUND, "There is no such page.");
    };
    for room in &rooms {
        let token = Token::random();
        let panel = EnrolledPanel {
            token: token.hash(),
            room: room.clone(),
            name: format!("demo-{room}"),
            by: "rooms demo".to_owned(),
            enrolled: Timestamp::now(),
            revoked: None,
        };
        if let Err(error) = app.registry.put_panel(panel.clone()).await {
            return store_refusal(&error);
        }
        cookies = cookies.add(panel_cookie(&app, &panel, &token));
    }
    (cookies, page(&DemoPage { rooms })).into_response()
}
