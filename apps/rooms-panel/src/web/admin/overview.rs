//! All rooms at a glance.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use rooms_messages::{AlertLevel, HelpState, RoomName, RoomState};

use super::{Frame, day_time};
use crate::catalogue::Catalogue;
use crate::house::Room;
use crate::records::Role;
use crate::view::{Mark, Shape, hour};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page};

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
    let directory = app.registry.directory();
    let (tiles, helps) = app.desk.look(|shown| {
        let catalogue = Catalogue { directory: &directory, house: &shown.house };
        let rooms = catalogue.rooms();
        let known = rooms.iter().filter_map(|name| Some((*name, shown.house.rooms.get(*name)?)));
        let tiles: Vec<_> =
            known.clone().map(|(name, room)| tile(&catalogue, name, room)).collect();
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
    let zone = catalogue.zone(name);
    let since = |word: &str| match room.since {
        Some(at) => format!("{word} since {}", hour(at, &zone)),
        None => word.to_owned(),
    };
    let mark = match room.state {
        Some(RoomState::Busy) => {
            let with = room.with.as_ref().map(|with| catalogue.city(with));
            let with = with.or_else(|| room.other.clone()).unwrap_or_default();
            Mark::new(Shape::Ring, "warn", format!("In a call with {with}"))
        }
        Some(RoomState::Free) => Mark::new(Shape::Dot, "good", "Free".to_owned()),
        Some(RoomState::Maintenance) => Mark::new(Shape::Bar, "soft", "Maintenance".to_owned()),
        Some(RoomState::Offline) | None => Mark::new(Shape::Bar, "bad", since("Not reachable")),
    };
    let alert = room.worst_alert().map(|alert| {
        let tone = if alert.level == AlertLevel::Error { "bad" } else { "warn" };
        (alert.text.clone(), tone)
    });
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
