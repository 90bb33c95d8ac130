//! Two rooms side by side on one page, for trying both ends. Only a demonstration has it: whoever
//! opens it may press in both rooms.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use rooms_messages::RoomName;

use super::door::Door;
use super::entrance::panel_cookie;
use super::{App, Pages, page, refusal, store_refusal};
use crate::clock;
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

async fn show(State(app): State<App>) -> Response {
    let Some(rooms) = app.demo.clone() else {
        return refusal(StatusCode::NOT_FOUND, "There is no such page.");
    };
    let mut response = page(&DemoPage { rooms: rooms.clone() });
    for room in &rooms {
        let token = Token::random();
        let panel = EnrolledPanel {
            token: token.hash(),
            room: room.clone(),
            name: format!("demo-{room}"),
            by: "rooms demo".to_owned(),
            enrolled: clock::now(),
            revoked: None,
        };
        if let Err(error) = app.registry.put_panel(panel.clone()).await {
            return store_refusal(&error);
        }
        // One for each room: they have the same name and other paths.
        let cookie = panel_cookie(&app, &panel, &token).to_string();
        let cookie = HeaderValue::try_from(cookie).expect("a cookie of ours is plain text");
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
