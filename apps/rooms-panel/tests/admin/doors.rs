//! Every page and every action: who may, who may not, and what a page may never have in it.

use axum::http::{Method, StatusCode};
use rooms_messages::RoomName;
use rooms_panel::records::{Account, EnrolledPanel, Listing, Role};
use rooms_panel::web::Door;

use crate::support::{Browser, House, read};

const SCRIPT: &str = "<script>alert(1)</script>";

/// An address that the door is of.
fn address(path: &str) -> String {
    let path = path.replace("{room}", "vienna");
    match path.as_str() {
        "/admin/reports.csv" => format!("{path}?table=days"),
        "/admin/configuration/file" => format!("{path}?name=new.toml"),
        _ => path,
    }
}

fn least(door: Door) -> Option<Role> {
    match door {
        Door::Role(role) | Door::Panel(role) => Some(role),
        Door::Open | Door::Anyone => None,
    }
}

#[tokio::test]
async fn each_page_and_action_is_for_those_with_its_role_only() {
    let house = House::start().await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push((role, house.person(role).await));
    }
    let before = house.app.registry.directory();
    let closed: Vec<_> = house.doors.iter().filter(|(_, _, door)| *door != Door::Open).collect();
    assert!(closed.len() > 40, "{closed:?}");
    for (method, path, door) in closed {
        let path = &address(path);
        let is_post = *method == Method::POST;
        let nobody = Browser::nobody();
        if is_post {
            house.post(&nobody, path, &[]).await.is(StatusCode::UNAUTHORIZED);
        } else {
            let answer = house.get(&nobody, path).await.is(StatusCode::SEE_OTHER);
            assert!(
                answer.to.starts_with("/login?then=") || answer.to.starts_with("/enrol?then="),
                "{path}: {}",
                answer.to
            );
        }
        for (role, browser) in &people {
            if least(*door).is_some_and(|least| *role < least) {
                if is_post {
                    house.post(browser, path, &[]).await.is(StatusCode::FORBIDDEN);
                } else {
                    house.get(browser, path).await.is(StatusCode::FORBIDDEN);
                }
            } else if is_post {
                type Pairs<'a> = &'a [(&'a str, &'a str)];
                let refused: [(Pairs<'_>, Pairs<'_>); 6] = [
                    (&[], &[]),
                    (&[("csrf", "")], &[]),
                    (&[("csrf", "wrong")], &[]),
                    (&[("csrf", browser.csrf())], &[("sec-fetch-site", "cross-site")]),
                    (&[("csrf", browser.csrf())], &[("sec-fetch-site", "same-site")]),
                    (&[("csrf", browser.csrf())], &[("origin", "https://elsewhere.example")]),
                ];
                for (fields, headers) in refused {
                    let answer = house.send(browser, path, fields, headers).await;
                    assert_eq!(
                        answer.status,
                        StatusCode::FORBIDDEN,
                        "{path} as {role}, {fields:?}, {headers:?}"
                    );
                }
            } else {
                // A stream has no end, so it is not read.
                let status = house.open(browser, path).await.status();
                assert_eq!(status, StatusCode::OK, "{path} as {role}");
            }
        }
    }
    assert_eq!(before, house.app.registry.directory(), "nothing was changed");
    assert_eq!(*house.wished.lock(), Vec::<String>::new(), "nothing was wished");
    assert_eq!(
        std::fs::read_dir(house.rooms()).expect("as it should be").count(),
        0,
        "nothing was written"
    );
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_everywhere() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let large = "x".repeat(64 * 1024);
    for (method, path, door) in &house.doors {
        if *method == Method::POST && *door != Door::Open {
            let answer = house.post(&admin, &address(path), &[("text", &large)]).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        }
    }
}

#[tokio::test]
async fn what_people_and_devices_say_is_text_on_every_page() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let room = |name| RoomName::new(name).expect("as it should be");
    let account = house.app.registry.directory().accounts["a-administrator"].clone();
    let account = Account { name: SCRIPT.to_owned(), version: 0, ..account };
    house.app.registry.put_account(account).await.expect("as it should be");
    house.panel("vienna", SCRIPT).await;
    let (_, revoked) = house.panel("oslo", "\"><img src=x onerror=alert(1)>").await;
    let by = SCRIPT.to_owned();
    house.app.registry.put_panel(EnrolledPanel { by, ..revoked }).await.expect("as it should be");
    let listing = Listing {
        room: room("vienna"),
        city: SCRIPT.to_owned(),
        title: SCRIPT.to_owned(),
        zone: String::new(),
        position: 0,
        is_listed: true,
        notes: format!("</textarea>{SCRIPT}"),
        version: 0,
    };
    house.app.registry.put_listing(listing).await.expect("as it should be");
    house.app.registry.put_setting("support-phone", SCRIPT).await.expect("as it should be");
    std::fs::write(house.rooms().join("vienna.toml"), format!("# </textarea>{SCRIPT}\n"))
        .expect("as it should be");
    house.app.desk.changed(SCRIPT, Some(&room("vienna")), SCRIPT.to_owned());
    house.written().await;
    let mut with = Vec::new();
    let mut pages: Vec<String> = house
        .doors
        .iter()
        .filter(|(method, path, _)| {
            *method == Method::GET && !path.contains("events") && !path.ends_with(".csv")
        })
        .map(|(_, path, _)| address(path))
        .collect();
    let coded = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for more in
        ["connections?text=", "connections?room=", "connections?by=", "audit?text=", "audit?who="]
    {
        pages.push(format!("/admin/{more}{coded}"));
    }
    pages.push("/admin/configuration/file?name=vienna.toml".to_owned());
    pages.push("/admin/permissions?near=vienna&far=lisbon".to_owned());
    for path in &pages {
        let answer = house.get(&admin, path).await;
        for tag in ["<script>alert", "<img", "</textarea><script"] {
            assert!(!answer.text.contains(tag), "{tag} in {path}: {}", answer.text);
        }
        if answer.text.contains("&#60;script&#62;alert(1)") {
            with.push(path.as_str());
        }
    }
    for page in [
        "/admin",
        "/admin/rooms/vienna",
        "/admin/connections",
        "/admin/alerts",
        "/admin/help",
        "/admin/catalogue",
        "/admin/catalogue/vienna",
        "/admin/permissions",
        "/admin/panels",
        "/admin/audit",
        "/admin/people",
        "/admin/system",
        "/admin/configuration/file?name=vienna.toml",
    ] {
        assert!(with.contains(&page), "{page} does not show it; these do: {with:?}");
    }
}

#[tokio::test]
async fn a_revoked_panel_is_closed_at_once() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let (tablet, panel) = house.panel("vienna", "Vienna, door").await;
    let stream = house.open(&tablet, "/panel/vienna/events").await;
    house.get(&admin, "/admin/panels").await.says("Open");
    let token = panel.token.to_string();
    house
        .post(&admin, "/admin/panels/revoke", &[("panel", &token)])
        .await
        .is(StatusCode::SEE_OTHER);
    read(stream).await.says("event: gone");
    let answer = house.get(&tablet, "/panel/vienna").await.is(StatusCode::SEE_OTHER);
    assert!(answer.to.starts_with("/enrol"), "{}", answer.to);
    house.get(&admin, "/admin/panels").await.says("Revoked");
    house.post(&admin, "/admin/panels/revoke", &[("panel", &token)]).await.is(StatusCode::CONFLICT);
}
