//! Who is connected with whom, who was, and what went wrong between two rooms.

use std::collections::BTreeSet;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use rooms_messages::{Phase, Reason, RoomName, Wish};

use super::list::{Days, address, answered, older, page_in, shown};
use super::{Frame, bad, day_time, room::press, room_in};
use crate::catalogue::Catalogue;
use crate::clock;
use crate::house::Link;
use crate::records::{Call, Role};
use crate::store::{CallFilter, PairCalls};
use crate::view::{Mark, Shape, lasting};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, with_catalogue};

const PATH: &str = "/admin/connections";
/// Failures are counted over so long.
const COUNTED: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get(PATH, Door::Role(Role::Viewer), connections)
        .get("/admin/connections/failures", Door::Role(Role::Viewer), failures)
        .post("/admin/connections/end", Door::Role(Role::Operator), end)
}

#[derive(Template)]
#[template(path = "admin/connections.html")]
struct Connections {
    frame: Frame,
    live: Vec<LiveLink>,
    filter: Filter,
    reasons: Vec<&'static str>,
    /// None while the database does not answer.
    calls: Option<Vec<CallLine>>,
    older: Option<String>,
}

struct LiveLink {
    near: RoomName,
    far: RoomName,
    names: [String; 2],
    mark: Mark,
    by: String,
    since: String,
    /// Counted by the page: milliseconds since 1970.
    since_ms: i64,
    lasts: String,
}

/// As the form has it.
struct Filter {
    room: String,
    by: String,
    reason: String,
    text: String,
    from: String,
    until: String,
}

struct CallLine {
    since: String,
    near: String,
    far: String,
    by: String,
    lasted: String,
    reason: String,
    side: String,
}

async fn connections(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let days = Days::read(&fields).map_err(bad)?;
    let place = page_in(&fields).map_err(bad)?;
    let said = |name: &str| fields.get(name).to_owned();
    let filter = Filter {
        room: said("room"),
        by: said("by"),
        reason: said("reason"),
        text: said("text"),
        from: shown(days.from),
        until: shown(days.until),
    };
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    let wanted = CallFilter {
        rooms: (!filter.room.is_empty()).then(|| rooms_called(&app, &filter.room)),
        by: filter.by.clone(),
        reason: Some(filter.reason.clone()).filter(|reason| !reason.is_empty()),
        from: days.begin(),
        until: days.end(),
        text: filter.text.clone(),
    };
    let found = answered(app.registry.store().calls(&wanted, &place).await);
    let frame = Frame::new(&app, &visitor, "Connections").live();
    let now = clock::now();
    let (live, calls) = with_catalogue(&app, |catalogue, shown| {
        let links = shown.house.links.iter();
        let live =
            links.map(|((near, far), link)| live_link(catalogue, near, far, link, now)).collect();
        let rows = found.as_ref().map(|found| {
            found.rows.iter().map(|call| call_line(catalogue, call)).collect::<Vec<_>>()
        });
        (live, rows)
    });
    let older = older(PATH, &fields, found.and_then(|found| found.next));
    Ok(page(&Connections { frame, live, filter, reasons, calls, older }))
}

/// The rooms that people call so, wholly or in part.
fn rooms_called(app: &App, text: &str) -> BTreeSet<RoomName> {
    let wanted = text.to_lowercase();
    let mut rooms: BTreeSet<_> = with_catalogue(app, |catalogue, _| {
        let fits = |room: &RoomName| {
            room.as_str().contains(&wanted) || catalogue.name(room).to_lowercase().contains(&wanted)
        };
        catalogue.rooms().into_iter().filter(|room| fits(room)).cloned().collect()
    });
    // A room that is no more still has its history.
    rooms.extend(RoomName::new(&wanted));
    rooms
}

fn live_link(
    catalogue: &Catalogue<'_>,
    near: &RoomName,
    far: &RoomName,
    link: &Link,
    now: Timestamp,
) -> LiveLink {
    let (shape, tone, word) = match link.phase {
        Phase::Preparing => (Shape::Ring, "accent", "Preparing"),
        Phase::Dialing => (Shape::Ring, "accent", "Calling"),
        Phase::Connected => (Shape::Dot, "good", "Connected"),
        Phase::Disconnecting => (Shape::Ring, "soft", "Disconnecting"),
        Phase::Recovering => (Shape::Ring, "warn", "Recovering"),
        Phase::Idle => (Shape::Bar, "soft", "Over"),
    };
    let label = match &link.asking {
        Some(room) => format!("{word}, {} is asked", catalogue.city(room)),
        None => word.to_owned(),
    };
    LiveLink {
        names: [near, far].map(|room| catalogue.name(room)),
        mark: Mark::new(shape, tone, label),
        by: link.by.clone(),
        since: day_time(link.since),
        since_ms: link.since.as_millisecond(),
        lasts: lasting(now.duration_since(link.since)),
        near: near.clone(),
        far: far.clone(),
    }
}

fn call_line(catalogue: &Catalogue<'_>, call: &Call) -> CallLine {
    let lasted = match (call.connected, call.ended) {
        (Some(connected), Some(ended)) => lasting(ended.duration_since(connected)),
        (_, None) => "goes on".to_owned(),
        (None, Some(_)) => "never connected".to_owned(),
    };
    CallLine {
        since: day_time(call.since),
        near: catalogue.name(&call.near),
        far: catalogue.name(&call.far),
        by: call.by.clone(),
        lasted,
        reason: call.reason.clone(),
        side: call.side.as_ref().map(|room| catalogue.city(room)).unwrap_or_default(),
    }
}

#[derive(Template)]
#[template(path = "admin/failures.html")]
struct Failures {
    frame: Frame,
    /// Two rooms, their calls, those that failed, and why. None while the database does not answer.
    pairs: Option<Vec<(String, i64, i64, String)>>,
}

async fn failures(State(app): State<App>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = Frame::new(&app, &visitor, "Connections");
    let now = clock::now();
    let from = now.checked_sub(COUNTED).unwrap_or(now);
    let report = answered(app.registry.store().report(from, now, offset(now)).await);
    let pairs = report.map(|report| {
        with_catalogue(&app, |catalogue, _| {
            let failed = report.pairs.iter().filter(|pair| !pair.failures.is_empty());
            failed.map(|pair| pair_line(catalogue, pair)).collect()
        })
    });
    page(&Failures { frame, pairs })
}

/// How far the server's zone is from UTC.
pub(super) fn offset(at: Timestamp) -> Offset {
    TimeZone::system().to_offset(at)
}

/// Two rooms, their calls, those that failed, and why.
pub(super) fn pair_line(catalogue: &Catalogue<'_>, pair: &PairCalls) -> (String, i64, i64, String) {
    let why: Vec<_> =
        pair.failures.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let names = format!("{} – {}", catalogue.name(&pair.one), catalogue.name(&pair.other));
    (names, pair.calls, pair.failures.values().sum(), why.join(", "))
}

/// Ends a connection, or one that is being made.
async fn end(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let rooms = (room_in(&app, &fields, "near")?, room_in(&app, &fields, "far")?);
    let (Some(room), Some(other)) = rooms else {
        return Err(bad("Which two rooms are connected is wanted."));
    };
    let wish = Wish::Disconnect { room, other: Some(other) };
    Ok(press(&app, &visitor, wish, &address(PATH, &Fields::default(), &[])).await)
}
