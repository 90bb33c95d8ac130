//! Which rooms may call which, and when.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::ZonedDateTime;
use jiff::civil::DateTime;
use rooms_messages::RoomName;

use super::{Frame, back, bad, room_choices, room_in};
use crate::catalogue::{Catalogue, DAY_MINUTES, minute};
use crate::clock;
use crate::records::{Grant, Role};
use crate::web::door::{Door, Visitor};
use crate::web::fields::Fields;
use crate::web::{App, Pages, page, refusal, store_refusal, with_catalogue};

const PATH: &str = "/admin/permissions";
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get(PATH, Door::Role(Role::Viewer), permissions)
        .post("/admin/permissions/add", Door::Role(Role::Administrator), add)
        .post("/admin/permissions/remove", Door::Role(Role::Administrator), remove)
}

#[derive(Template)]
#[template(path = "admin/permissions.html")]
struct Permissions {
    frame: Frame,
    grants: Vec<GrantLine>,
    rooms: Vec<(RoomName, String)>,
    days: [&'static str; 7],
    /// The rooms and the time that were asked about.
    near: String,
    far: String,
    at: String,
    answer: Option<Answer>,
}

struct GrantLine {
    id: i64,
    from: String,
    to: String,
    times: String,
}

/// Whether a room may call another, and why.
struct Answer {
    may: bool,
    text: String,
    why: String,
}

async fn permissions(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let [asked_near, asked_far, at] = ["near", "far", "at"].map(|name| fields.get(name).to_owned());
    let pair = (room_in(&app, &fields, "near")?, room_in(&app, &fields, "far")?);
    let answer = match pair {
        (None, None) => None,
        (Some(near), Some(far)) if near == far => {
            return Err(bad("A room does not call itself: choose two rooms."));
        }
        (Some(near), Some(far)) => {
            let answer = with_catalogue(&app, |catalogue, _| may(catalogue, &near, &far, &at));
            Some(answer.map_err(bad)?)
        }
        _ => return Err(bad("Two rooms are wanted: who calls, and who is called.")),
    };
    let frame = Frame::new(&app, &visitor, "Permissions");
    let rooms = room_choices(&app);
    let grants = with_catalogue(&app, |catalogue, _| {
        let grants = catalogue.directory.grants.values();
        grants.map(|grant| grant_line(catalogue, grant)).collect()
    });
    Ok(page(&Permissions {
        frame,
        grants,
        rooms,
        days: DAYS,
        near: asked_near,
        far: asked_far,
        at,
        answer,
    }))
}

fn grant_line(catalogue: &Catalogue<'_>, grant: &Grant) -> GrantLine {
    let named = |room: &Option<RoomName>| match room {
        Some(room) => catalogue.name(room),
        None => "Every room".to_owned(),
    };
    GrantLine { id: grant.id, from: named(&grant.from), to: named(&grant.to), times: grant.times() }
}

/// Whether a room may call another, now or at a time of its own clock.
fn may(
    catalogue: &Catalogue<'_>,
    near: &RoomName,
    far: &RoomName,
    at: &str,
) -> Result<Answer, String> {
    let zone = catalogue.zone(near);
    let when = if at.is_empty() {
        clock::now().to_zoned_datetime(zone)
    } else {
        let wrong = |_| format!("{at:?} is no time such as 2026-11-27T10:30.");
        let time: DateTime = at.parse().map_err(wrong)?;
        time.to_zoned_datetime(zone).map_err(wrong)?
    };
    Ok(explain(catalogue, near, far, &when))
}

fn explain(
    catalogue: &Catalogue<'_>,
    near: &RoomName,
    far: &RoomName,
    when: &ZonedDateTime,
) -> Answer {
    let grants = || catalogue.directory.grants.values().filter(|grant| grant.concerns(near, far));
    let described = |grant: &Grant| {
        let line = grant_line(catalogue, grant);
        format!("{} → {}, {}", line.from, line.to, line.times)
    };
    let (caller, called) = (catalogue.name(near), catalogue.name(far));
    let clock = when.strftime("%a %Y-%m-%d %H:%M");
    let holding = grants().find(|grant| grant.holds_at(when));
    let may = if holding.is_some() { "may" } else { "may not" };
    let text = format!("{caller} {may} call {called} on {clock}, by its clock.");
    let why = match holding {
        Some(grant) => format!("This permission holds: {}.", described(grant)),
        None => {
            let others: Vec<_> = grants().map(described).collect();
            if others.is_empty() {
                "No permission is of these two rooms.".to_owned()
            } else {
                format!("These permissions hold at other times: {}.", others.join("; "))
            }
        }
    };
    Answer { may: holding.is_some(), text, why }
}

async fn add(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let (from, to) = (room_in(&app, &fields, "near")?, room_in(&app, &fields, "far")?);
    if from.is_some() && from == to {
        return Err(bad("A room does not call itself: choose two rooms, or every room."));
    }
    let days = days_in(&fields).map_err(bad)?;
    let (from_minute, to_minute) = minutes_in(&fields).map_err(bad)?;
    let id = fastrand::i64(1..);
    let grant = Grant { id, from, to, days, from_minute, to_minute };
    let directory = app.registry.directory();
    if directory.grants.values().any(|known| Grant { id, ..known.clone() } == grant) {
        return Err(refusal(StatusCode::CONFLICT, "This permission is there already."));
    }
    let line = with_catalogue(&app, |catalogue, _| grant_line(catalogue, &grant));
    let room = grant.from.clone();
    app.registry.put_grant(grant).await.map_err(|error| store_refusal(&error))?;
    let what = format!("permission added: {} → {}, {}", line.from, line.to, line.times);
    app.desk.changed(&visitor.who, room.as_ref(), what);
    app.desk.redraw();
    Ok(back(PATH))
}

fn days_in(fields: &Fields) -> Result<u8, String> {
    let mut days = 0;
    for day in fields.all("day") {
        let index = DAYS.iter().position(|known| *known == day);
        let index = index.ok_or_else(|| format!("{day:?} is no day: Mon to Sun are."))?;
        days |= 1 << index;
    }
    if days == 0 { Err("Choose at least one day.".to_owned()) } else { Ok(days) }
}

fn minutes_in(fields: &Fields) -> Result<(u16, u16), String> {
    let read = |name: &str, none: u16| {
        let text = fields.get(name);
        if text.is_empty() {
            return Ok(none);
        }
        minute(text).ok_or_else(|| format!("{text:?} is no time of day such as 08:30."))
    };
    let (from, until) = (read("from", 0)?, read("until", DAY_MINUTES)?);
    if from == until || from == DAY_MINUTES {
        return Err("The permission would never hold: it begins when it ends. For a whole day leave both times empty.".to_owned());
    }
    Ok((from, until))
}

async fn remove(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Response> {
    let directory = app.registry.directory();
    let grant = fields.get("id").parse().ok().and_then(|id: i64| directory.grants.get(&id));
    let gone = || refusal(StatusCode::CONFLICT, "This permission is gone already.");
    let grant = grant.ok_or_else(gone)?;
    app.registry.remove_grant(grant.id).await.map_err(|error| store_refusal(&error))?;
    let line = with_catalogue(&app, |catalogue, _| grant_line(catalogue, grant));
    let what = format!("permission removed: {} → {}, {}", line.from, line.to, line.times);
    app.desk.changed(&visitor.who, grant.from.as_ref(), what);
    app.desk.redraw();
    Ok(back(PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Fields(pairs.iter().map(own).collect())
    }

    #[test]
    fn times_of_a_form_are_read_or_refused_with_an_example() {
        let read = |from, until| minutes_in(&fields(&[("from", from), ("until", until)]));
        assert_eq!(read("", ""), Ok((0, DAY_MINUTES)));
        assert_eq!(read("08:00", "18:30"), Ok((480, 1110)));
        assert_eq!(read("22:00", "02:00"), Ok((1320, 120)), "past midnight");
        assert!(read("8", "").expect_err("no time").contains("such as 08:30"));
        assert!(read("08:00", "08:00").expect_err("never").contains("never hold"));
        assert!(read("24:00", "08:00").is_err());
    }

    #[test]
    fn days_of_a_form_are_read_or_refused() {
        assert_eq!(days_in(&fields(&[("day", "Mon"), ("day", "Sun")])), Ok(0b100_0001));
        assert!(days_in(&fields(&[])).is_err());
        assert!(days_in(&fields(&[("day", "Someday")])).is_err());
    }
}
