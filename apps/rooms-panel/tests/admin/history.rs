//! What was: searched, paged, summed up and downloaded; and what is said when it can't be read.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use rooms_messages::RoomName;
use rooms_panel::records::{Alert, Audit, Call, Record, Role};

use crate::support::{House, on_both};

fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("as it should be")
}

fn call(id: i64, since: Timestamp, reason: &str) -> Record {
    let ended = since + SignedDuration::from_mins(60);
    Record::Call(Call {
        id,
        near: room("vienna"),
        far: room(if id % 2 == 0 { "lisbon" } else { "oslo" }),
        by: format!("person-{id}"),
        since,
        connected: (reason == "normal").then_some(since),
        ended: Some(ended),
        reason: reason.to_owned(),
        side: Some(room("oslo")),
    })
}

fn audit(id: i64, at: Timestamp, what: &str) -> Record {
    Record::Audit(Audit {
        id,
        at,
        who: "ann".to_owned(),
        room: Some(room("vienna")),
        what: what.to_owned(),
        answer: "done".to_owned(),
        reason: String::new(),
        answered: Some(at),
    })
}

fn ago(hours: i64) -> Timestamp {
    rooms_panel::clock::now() - SignedDuration::from_hours(hours)
}

#[test]
fn calls_are_found_by_what_people_call_the_rooms_and_page_by_page() {
    on_both(async |house| {
        let viewer = house.person(Role::Viewer).await;
        let records: Vec<_> = (0..120).map(|id| call(id, ago(200 - id), "normal")).collect();
        house.app.registry.store().write(&records).await.expect("as it should be");
        let mut path = "/admin/connections?room=tejo".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = house.get(&viewer, &path).await.is(StatusCode::OK);
            seen.extend(
                (0..120).rev().filter(|id| page.text.contains(&format!("<td>person-{id}</td>"))),
            );
            let Some((_, link)) =
                page.text.split_once("class=\"button small\" href=\"/admin/connections?room=tejo")
            else {
                break;
            };
            let link = link.split('"').next().expect("as it should be").replace("&#38;", "&");
            path = format!("/admin/connections?room=tejo{link}");
        }
        assert_eq!(seen, (0..120).rev().filter(|id| id % 2 == 0).collect::<Vec<_>>());
        let none = house.get(&viewer, "/admin/connections?room=atlantis").await;
        none.says("No call is like that.").says("Connected");
        for path in [
            "connections?before=x",
            "connections?from=tomorrow",
            "alerts?before=1",
            "help?before=.",
            "audit?until=0",
            "audit?answer=maybe",
            "audit?room=nowhere",
        ] {
            house.get(&viewer, &format!("/admin/{path}")).await.is(StatusCode::BAD_REQUEST);
        }
    });
}

#[test]
fn statements_in_searches_are_text() {
    on_both(async |house| {
        let viewer = house.person(Role::Viewer).await;
        let records = [call(1, ago(1), "normal"), audit(2, ago(1), "connect vienna lisbon")];
        house.app.registry.store().write(&records).await.expect("as it should be");
        for text in
            ["%27%20OR%201%3D1%20--", "%25", "_", "%27%3B%20DROP%20TABLE%20call%3B%20--", "%5C"]
        {
            for path in
                ["connections?room=", "connections?by=", "connections?reason=", "connections?text="]
            {
                let page = house.get(&viewer, &format!("/admin/{path}{text}")).await;
                page.is(StatusCode::OK).says("No call is like that.");
            }
            for path in ["audit?who=", "audit?text="] {
                let page = house.get(&viewer, &format!("/admin/{path}{text}")).await;
                page.is(StatusCode::OK).says("Nothing is like that.");
            }
        }
        house.get(&viewer, "/admin/connections?by=PERSON").await.says("<td>person-1</td>");
    });
}

#[test]
fn a_report_says_how_much_and_what_failed() {
    on_both(async |house| {
        let viewer = house.person(Role::Viewer).await;
        let noon =
            |day: u32| format!("2026-03-{day:02}T12:00:00Z").parse().expect("as it should be");
        let alert = Record::Alert(Alert {
            id: 9,
            room: room("vienna"),
            device: "=projector".to_owned(),
            code: "lamp".to_owned(),
            level: "warning".to_owned(),
            text: String::new(),
            since: noon(2),
            until: None,
            muted_by: String::new(),
        });
        let records = [
            call(2, noon(1), "normal"),
            call(4, noon(2), "normal"),
            call(6, noon(3), "busy"),
            alert,
        ];
        house.app.registry.store().write(&records).await.expect("as it should be");
        let days = "from=2026-03-01&until=2026-03-04";
        let page = house.get(&viewer, &format!("/admin/reports?{days}")).await.is(StatusCode::OK);
        page.says("<svg")
            .says("2026-03-01: 2.0")
            .says("3, 1 failed")
            .says("Lisbon, Tejo room – Vienna, Room 2.14");
        let csv = async |table: &str| {
            let answer =
                house.get(&viewer, &format!("/admin/reports.csv?{days}&table={table}")).await;
            let answer = answer.is(StatusCode::OK);
            assert_eq!(answer.kind, "text/csv; charset=utf-8");
            answer.text
        };
        assert_eq!(
            csv("days").await,
            "Day,Room hours,Calls\r\n2026-03-01,2.0,1\r\n2026-03-02,2.0,1\r\n2026-03-03,0.0,0\r\n2026-03-04,0.0,0\r\n"
        );
        assert!(csv("rooms").await.contains("\"Vienna, Room 2.14\",vienna,2.0,2\r\n"));
        assert!(csv("pairs").await.contains(",1 busy,3,1\r\n"));
        assert!(csv("devices").await.contains(",'=projector,1\r\n"), "no formula");
        house.get(&viewer, "/admin/reports.csv?table=secrets").await.is(StatusCode::BAD_REQUEST);
        let long = house.get(&viewer, "/admin/reports?from=2020-01-01&until=2026-01-01").await;
        long.is(StatusCode::BAD_REQUEST).says("at most 366");
        let recent = [call(8, ago(2), "busy"), call(10, ago(3), "no-answer")];
        house.app.registry.store().write(&recent).await.expect("as it should be");
        house.get(&viewer, "/admin/connections/failures").await.says("1 busy, 1 no-answer");
    });
}

#[tokio::test]
async fn the_audit_is_downloaded_as_it_is_filtered_and_says_when_it_is_cut() {
    let house = House::start().await;
    let viewer = house.person(Role::Viewer).await;
    let mut records: Vec<_> = (0..10_001).map(|id| audit(id, ago(id), "start vienna")).collect();
    records.push(audit(20_000, ago(1), "=HYPERLINK(\"x\")"));
    house.app.registry.store().write(&records).await.expect("as it should be");
    let formula = house.get(&viewer, "/admin/audit.csv?text=HYPERLINK").await.is(StatusCode::OK);
    assert_eq!(formula.text.lines().count(), 2, "{}", formula.text);
    let formula = formula.says("at,who,room,what,answer,reason,answered\r\n");
    formula.says(",ann,vienna,\"'=HYPERLINK(\"\"x\"\")\",done,,");
    let all = house.get(&viewer, "/admin/audit.csv?text=start").await.is(StatusCode::OK);
    assert_eq!(all.text.lines().count(), 1 + 10_000 + 1);
    all.says("There is more: these are the newest 10000 rows.");
}

#[tokio::test]
async fn without_a_database_what_is_so_now_is_still_there() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    house.written().await;
    house.app.registry.store().close().await;
    let away = "The history can&#39;t be read now";
    let away = |text: &str| text.contains(away) || text.contains("The history can't be read now");
    for (path, live) in [
        ("/admin/connections", "Vienna, Room 2.14 → Lisbon"),
        ("/admin/connections/failures", "Failures"),
        ("/admin/alerts", "lamp"),
        ("/admin/help", "needs help"),
        ("/admin/audit", "Audit"),
        ("/admin/reports", "Reports"),
    ] {
        let page = house.get(&admin, path).await.is(StatusCode::OK).says(live);
        assert!(away(&page.text), "{path}: {}", page.text);
    }
    for path in
        ["", "/catalogue", "/permissions", "/people", "/panels", "/system", "/configuration"]
    {
        house.get(&admin, &format!("/admin{path}")).await.is(StatusCode::OK);
    }
    let before = house.app.registry.directory();
    for (path, fields) in [
        ("/admin/catalogue/vienna", vec![("version", "0"), ("city", "Wien")]),
        ("/admin/permissions/add", vec![("day", "Mon")]),
        ("/admin/permissions/remove", vec![("id", "1")]),
        ("/admin/people/add", vec![("name", "ben"), ("role", "viewer")]),
        ("/admin/people/remove", vec![("name", "admin")]),
        ("/admin/panels/code", vec![("room", "vienna"), ("name", "door")]),
        ("/admin/system/settings", vec![("support-phone", "1")]),
    ] {
        let answer = house.post(&admin, path, &fields).await;
        answer.is(StatusCode::SERVICE_UNAVAILABLE).says("nothing was changed");
    }
    assert_eq!(before, house.app.registry.directory());
    for path in ["/admin/audit.csv", "/admin/reports.csv?table=days"] {
        house.get(&admin, path).await.is(StatusCode::SERVICE_UNAVAILABLE);
    }
}
