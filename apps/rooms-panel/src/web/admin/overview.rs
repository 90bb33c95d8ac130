//! All rooms at a glance.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use rooms_messages::{HelpState, RoomName, RoomState};

use super::{Frame, day_time, state_of, tone_of};
use crate::catalogue::Catalogue;
use crate::house::Room;
use crate::records::Role;
use crate::view::{Mark, hour};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, with_catalogue};

pub(super) fn pages(pages: Pages) -> Pages {
    pages.get("/admin", Door::Role(Role::Viewer), overview)
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Overview {
    frame: Frame,
    helps: Vec<HelpLine>,
    /// How many rooms are in which state; a link shows only those.
    counts: Vec<(&'static str, &'static str, usize)>,
    show: String,
    tiles: Vec<RoomTile>,
}

struct HelpLine {
    room: RoomName,
    name: String,
    text: String,
    since: String,
    is_acknowledged: bool,
    by: String,
}

struct RoomTile {
    room: RoomName,
    city: String,
    title: String,
    mark: Mark,
    alert: Option<(String, &'static str)>,
    is_listed: bool,
}

async fn overview(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let show = fields.get("show").to_owned();
    let (tiles, helps) = with_catalogue(&app, |catalogue, shown| {
        let rooms = catalogue.rooms();
        let known = rooms.iter().filter_map(|name| Some((*name, shown.house.rooms.get(*name)?)));
        let tiles: Vec<_> = known.clone().map(|(name, room)| tile(catalogue, name, room)).collect();
        let helps = known.filter_map(|(name, room)| {
            let help = room.help.as_ref()?;
            Some(HelpLine {
                room: name.clone(),
                name: catalogue.name(name),
                text: help.text.clone(),
                since: day_time(help.since),
                is_acknowledged: help.state == HelpState::Acknowledged,
                by: help.by.clone(),
            })
        });
        (tiles, helps.collect())
    });
    let count = |wanted: &str| tiles.iter().filter(|tile| fits(tile, wanted)).count();
    let counts = [
        ("", "All"),
        ("call", "In a call"),
        ("free", "Free"),
        ("away", "Not reachable"),
        ("maintenance", "Maintenance"),
        ("alert", "With alerts"),
    ];
    let counts = counts.map(|(word, name)| (word, name, count(word))).into();
    let tiles = tiles.into_iter().filter(|tile| fits(tile, &show)).collect();
    let frame = Frame::new(&app, &visitor, "Overview").live();
    page(&Overview { frame, helps, counts, show, tiles })
}

fn tile(catalogue: &Catalogue<'_>, name: &RoomName, room: &Room) -> RoomTile {
    let (shape, tone, word) = state_of(room);
    let label = match (room.state, room.since) {
        (Some(RoomState::Busy), _) => {
            let with = room.with.as_ref().map(|with| catalogue.city(with));
            let with = with.or_else(|| room.other.clone()).unwrap_or_default();
            format!("{word} with {with}")
        }
        (Some(RoomState::Offline) | None, Some(at)) => {
            format!("{word} since {}", hour(at, &catalogue.zone(name)))
        }
        _ => word.to_owned(),
    };
    let mark = Mark::new(shape, tone, label);
    let alert = room.worst_alert().map(|alert| (alert.text.clone(), tone_of(alert)));
    RoomTile {
        room: name.clone(),
        city: catalogue.city(name),
        title: catalogue.title(name),
        mark,
        alert,
        is_listed: catalogue.is_listed(name),
    }
}

fn fits(tile: &RoomTile, show: &str) -> bool {
    match show {
        "call" => tile.mark.tone == "warn",
        "free" => tile.mark.tone == "good",
        "away" => tile.mark.tone == "bad",
        "maintenance" => tile.mark.tone == "soft",
        "alert" => tile.alert.is_some(),
        _ => true,
    }
}
