//! What people call the rooms, in which order they see them, and where files and catalogue differ.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use rooms_messages::RoomName;

use super::{Frame, back, line_in};
use crate::records::{Listing, Role};
use crate::store::StoreError;
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::panel::unknown;
use crate::web::{App, Pages, page, store_refusal, with_catalogue};

const PATH: &str = "/admin/catalogue";
/// The longest city and title.
const NAME_MAX: usize = 100;
/// The longest notes.
const NOTES_MAX: usize = 4000;

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get(PATH, Door::Role(Role::Viewer), catalogue)
        .get("/admin/catalogue/{room}", Door::Role(Role::Administrator), edit)
        .post("/admin/catalogue/{room}", Door::Role(Role::Administrator), save)
}

#[derive(Template)]
#[template(path = "admin/catalogue.html")]
struct CataloguePage {
    frame: Frame,
    rooms: Vec<RoomLine>,
    /// Listed here, but the interface process does not know them.
    not_installed: Vec<RoomName>,
    /// The interface process knows them, but nobody sees them.
    not_listed: Vec<RoomName>,
}

struct RoomLine {
    room: RoomName,
    city: String,
    title: String,
    zone: String,
    position: i64,
    is_listed: bool,
    notes: String,
}

async fn catalogue(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = Frame::new(&app, &visitor, "Catalogue");
    let (rooms, not_installed, not_listed) = with_catalogue(&app, |catalogue, shown| {
        let rooms = catalogue.rooms();
        let listing = |room: &RoomName| catalogue.directory.listings.get(room);
        let is_installed = |room: &RoomName| shown.house.rooms.contains_key(room);
        let lines = rooms.iter().map(|room| RoomLine {
            room: (*room).clone(),
            city: catalogue.city(room),
            title: catalogue.title(room),
            zone: listing(room).map_or(String::new(), |listing| listing.zone.clone()),
            position: listing(room).map_or(0, |listing| listing.position),
            is_listed: listing(room).is_none_or(|listing| listing.is_listed),
            notes: listing(room).map_or(String::new(), |listing| listing.notes.clone()),
        });
        let lines: Vec<_> = lines.collect();
        // Before anything is known, nothing can be said to be missing.
        let missing = rooms.iter().filter(|room| shown.house.is_known && !is_installed(room));
        let hidden = lines.iter().filter(|line| is_installed(&line.room) && !line.is_listed);
        let hidden = hidden.map(|line| line.room.clone()).collect();
        let missing = missing.map(|room| (*room).clone()).collect();
        (lines, missing, hidden)
    });
    page(&CataloguePage { frame, rooms, not_installed, not_listed })
}

#[derive(Template)]
#[template(path = "admin/listing.html")]
struct ListingPage {
    frame: Frame,
    room: RoomName,
    name: String,
    /// What the room's file says.
    filed: [String; 2],
    /// What the form has.
    said: Said,
    wrong: String,
    /// What another administrator has saved meanwhile.
    saved: Option<Listing>,
}

/// A form as it was typed.
struct Said {
    city: String,
    title: String,
    zone: String,
    position: String,
    is_listed: bool,
    notes: String,
    version: i64,
}

impl From<&Listing> for Said {
    fn from(listing: &Listing) -> Self {
        Self {
            city: listing.city.clone(),
            title: listing.title.clone(),
            zone: listing.zone.clone(),
            position: listing.position.to_string(),
            is_listed: listing.is_listed,
            notes: listing.notes.clone(),
            version: listing.version,
        }
    }
}

/// A room of the catalogue or of the files.
fn room_of(app: &App, room: &str) -> Option<RoomName> {
    let room = RoomName::new(room).ok()?;
    with_catalogue(app, |catalogue, _| catalogue.rooms().contains(&&room)).then_some(room)
}

fn listing_of(app: &App, room: &RoomName) -> Listing {
    let listing = app.registry.directory().listings.get(room).cloned();
    listing.unwrap_or_else(|| Listing {
        room: room.clone(),
        city: String::new(),
        title: String::new(),
        zone: String::new(),
        position: 0,
        is_listed: true,
        notes: String::new(),
        version: 0,
    })
}

async fn edit(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let Some(room) = room_of(&app, &room) else { return unknown() };
    let said = Said::from(&listing_of(&app, &room));
    form(&app, &visitor, StatusCode::OK, &room, said, String::new(), None)
}

fn form(
    app: &App,
    visitor: &Visitor,
    status: StatusCode,
    room: &RoomName,
    said: Said,
    wrong: String,
    saved: Option<Listing>,
) -> Response {
    let (name, filed) = with_catalogue(app, |catalogue, shown| {
        let filed = shown.house.rooms.get(room).map(|room| [room.city.clone(), room.title.clone()]);
        (catalogue.name(room), filed.unwrap_or_default())
    });
    let frame = Frame::new(app, visitor, "Catalogue");
    let shown = ListingPage { frame, room: room.clone(), name, filed, said, wrong, saved };
    (status, page(&shown)).into_response()
}

async fn save(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(room) = room_of(&app, &room) else { return unknown() };
    let mut said = Said {
        city: fields.get("city").to_owned(),
        title: fields.get("title").to_owned(),
        zone: fields.get("zone").to_owned(),
        position: fields.get("position").to_owned(),
        is_listed: fields.is_on("is_listed"),
        notes: fields.get("notes").replace("\r\n", "\n"),
        version: fields.get("version").parse().unwrap_or(-1),
    };
    let listing = match read(&room, &fields, &said) {
        Ok(listing) => listing,
        Err(wrong) => {
            return form(&app, &visitor, StatusCode::BAD_REQUEST, &room, said, wrong, None);
        }
    };
    match app.registry.put_listing(listing).await {
        Ok(()) => {}
        Err(StoreError::Changed) => {
            let saved = listing_of(&app, &room);
            // Who has seen what the other saved may save over it.
            said.version = saved.version;
            return form(
                &app,
                &visitor,
                StatusCode::CONFLICT,
                &room,
                said,
                String::new(),
                Some(saved),
            );
        }
        Err(error) => return store_refusal(&error),
    }
    app.desk.changed(&visitor.who, Some(&room), describe(&listing_of(&app, &room)));
    app.desk.redraw();
    back(PATH)
}

fn read(room: &RoomName, fields: &Fields, said: &Said) -> Result<Listing, String> {
    let position = if said.position.is_empty() { Ok(0) } else { said.position.parse() };
    let position = position.map_err(|_| {
        format!("{:?} is no whole number for the order, such as 10.", said.position)
    })?;
    if !said.zone.is_empty() && TimeZone::get(&said.zone).is_err() {
        return Err(format!(
            "{:?} is no time zone that is known; one is Europe/Lisbon.",
            said.zone
        ));
    }
    if said.notes.chars().count() > NOTES_MAX {
        return Err(format!("Notes have at most {NOTES_MAX} characters."));
    }
    if said.notes.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err("Notes are lines without control characters.".to_owned());
    }
    if said.version < 0 {
        return Err(
            "The form does not say which version it changes. Look at it and save again.".to_owned()
        );
    }
    Ok(Listing {
        room: room.clone(),
        city: line_in(fields, "city", "A city", NAME_MAX)?,
        title: line_in(fields, "title", "A room's title", NAME_MAX)?,
        zone: said.zone.clone(),
        position,
        is_listed: said.is_listed,
        notes: said.notes.clone(),
        version: said.version,
    })
}

/// As the audit has it.
fn describe(listing: &Listing) -> String {
    let Listing { city, title, zone, position, is_listed, .. } = listing;
    let seen = if *is_listed { "listed" } else { "not listed" };
    format!("catalogue: city {city:?}, title {title:?}, zone {zone:?}, order {position}, {seen}")
}
