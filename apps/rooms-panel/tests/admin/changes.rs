//! What administrators change, and what they are told when it can't be.

use axum::http::StatusCode;
use rooms_messages::RoomName;
use rooms_panel::doors::Token;
use rooms_panel::records::Role;

use crate::support::{House, on_both};

#[test]
fn the_second_of_two_administrators_sees_what_the_first_has_saved() {
    on_both(async |house| {
        let (ann, ben) = (
            house.named("ann", Role::Administrator).await,
            house.named("ben", Role::Administrator).await,
        );
        let path = "/admin/catalogue/vienna";
        let versions = (
            house.get(&ann, path).await.field("version"),
            house.get(&ben, path).await.field("version"),
        );
        let form = |city: &'static str, version: &str| {
            [
                ("city", city),
                ("title", "Big room"),
                ("zone", "Europe/Vienna"),
                ("position", "5"),
                ("is_listed", "on"),
            ]
            .map(|(name, value)| (name, value.to_owned()))
            .into_iter()
            .chain([("version", version.to_owned()), ("notes", format!("by {city}"))])
            .collect::<Vec<_>>()
        };
        let post = async |browser, form: Vec<(&str, String)>| {
            let fields: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            house.post(browser, path, &fields).await
        };
        let city = || {
            house.app.registry.directory().listings
                [&RoomName::new("vienna").expect("as it should be")]
                .city
                .clone()
        };
        post(&ann, form("Wien", &versions.0)).await.is(StatusCode::SEE_OTHER);
        let told = post(&ben, form("Vindobona", &versions.1)).await.is(StatusCode::CONFLICT);
        let told = told.says("Somebody else has saved").says("<td>Wien</td>").says("by Wien");
        let told = told.says("value=\"Vindobona\"").says("by Vindobona");
        assert_eq!(city(), "Wien", "nothing is overwritten");
        post(&ben, form("Vindobona", &told.field("version"))).await.is(StatusCode::SEE_OTHER);
        assert_eq!(city(), "Vindobona");
        assert_eq!(
            house.app.registry.store().load().await.expect("as it should be").listings,
            house.app.registry.directory().listings
        );
        house.written().await;
        house.get(&ann, "/admin/audit?who=ann").await.says("catalogue: city &#34;Wien&#34;");
    });
}

#[tokio::test]
async fn a_wrong_line_of_the_catalogue_is_refused_with_what_would_be_right() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let (long, long_notes) = ("x".repeat(101), "x".repeat(4001));
    for (name, value, says) in [
        ("zone", "Mars/Olympus", "Europe/Lisbon"),
        ("zone", "../../etc/passwd", "Europe/Lisbon"),
        ("position", "first", "such as 10"),
        ("city", "a\u{7}b", "without control characters"),
        ("title", &long, "at most 100"),
        ("notes", &long_notes, "at most 4000"),
    ] {
        let answer =
            house.post(&admin, "/admin/catalogue/vienna", &[("version", "0"), (name, value)]).await;
        answer.is(StatusCode::BAD_REQUEST).says(says);
    }
    house
        .post(&admin, "/admin/catalogue/vienna", &[])
        .await
        .is(StatusCode::BAD_REQUEST)
        .says("which version");
    house
        .post(&admin, "/admin/catalogue/nowhere", &[("version", "0")])
        .await
        .is(StatusCode::NOT_FOUND);
    assert!(house.app.registry.directory().listings.is_empty());
}

#[tokio::test]
async fn rooms_that_are_missing_on_one_side_are_named() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let hidden = [("version", "0"), ("position", "0")];
    house.post(&admin, "/admin/catalogue/oslo", &hidden).await.is(StatusCode::SEE_OTHER);
    let mut gone = house.app.registry.directory().listings
        [&RoomName::new("oslo").expect("as it should be")]
        .clone();
    gone.room = RoomName::new("rome").expect("as it should be");
    gone.version = 0;
    house.app.registry.put_listing(gone).await.expect("as it should be");
    let page = house.get(&admin, "/admin/catalogue").await;
    page.says(
        "Not installed:</strong> listed here, but the interface process has no file of rome.",
    )
    .says("Not listed:</strong> installed, but no other room sees oslo.");
}

#[tokio::test]
async fn permissions_are_added_explained_and_removed() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let ask = "/admin/permissions?near=vienna&far=lisbon";
    house.get(&admin, ask).await.says("may call").says("Every room → Every room, every day");
    house.post(&admin, "/admin/permissions/remove", &[("id", "1")]).await.is(StatusCode::SEE_OTHER);
    house.post(&admin, "/admin/permissions/remove", &[("id", "1")]).await.is(StatusCode::CONFLICT);
    house.get(&admin, ask).await.says("may not call").says("No permission is of these two rooms");
    let office = [
        ("near", "vienna"),
        ("far", ""),
        ("day", "Mon"),
        ("day", "Fri"),
        ("from", "08:00"),
        ("until", "18:00"),
    ];
    house.post(&admin, "/admin/permissions/add", &office).await.is(StatusCode::SEE_OTHER);
    house.post(&admin, "/admin/permissions/add", &office).await.is(StatusCode::CONFLICT);
    house.get(&admin, "/admin/permissions").await.says("Mon, Fri, 08:00 to 18:00");
    // A Friday.
    house.get(&admin, &format!("{ask}&at=2026-11-27T10:30")).await.says("may call Lisbon");
    let late = house.get(&admin, &format!("{ask}&at=2026-11-27T18:00")).await;
    late.says("may not call Lisbon").says("hold at other times");
    for (name, value, says) in [
        ("near", "nowhere", "There is no room"),
        ("day", "Someday", "is no day"),
        ("from", "8 o'clock", "such as 08:30"),
        ("until", "00:00", "never hold"),
    ] {
        let fields = [("day", "Tue"), (name, value)];
        house
            .post(&admin, "/admin/permissions/add", &fields)
            .await
            .is(StatusCode::BAD_REQUEST)
            .says(says);
    }
    house
        .post(&admin, "/admin/permissions/add", &[])
        .await
        .is(StatusCode::BAD_REQUEST)
        .says("at least one day");
    house
        .get(&admin, &format!("{ask}&at=soon"))
        .await
        .is(StatusCode::BAD_REQUEST)
        .says("2026-11-27T10:30");
    assert_eq!(house.app.registry.directory().grants.len(), 1);
}

#[tokio::test]
async fn somebody_new_gets_a_password_that_is_shown_once() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let add = |name: &'static str, role: &'static str| [("name", name), ("role", role)];
    let page =
        house.post(&admin, "/admin/people/add", &add("maria", "operator")).await.is(StatusCode::OK);
    let shown = page
        .text
        .split("class=\"secret\">")
        .nth(1)
        .expect("as it should be")
        .split('<')
        .next()
        .expect("as it should be")
        .to_owned();
    let maria = || house.app.registry.directory().accounts["maria"].clone();
    assert!(rooms_panel::doors::password::is(&shown, &maria().hash));
    assert!(maria().must_change && maria().role == Role::Operator);
    let again = house.get(&admin, "/admin/people").await.says("maria");
    assert!(!again.text.contains(&shown));
    house.post(&admin, "/admin/people/add", &add("Maria", "viewer")).await.is(StatusCode::CONFLICT);
    house
        .post(&admin, "/admin/people/add", &add("panel x", "viewer"))
        .await
        .is(StatusCode::BAD_REQUEST)
        .says("such as maria.silva");
    house
        .post(&admin, "/admin/people/add", &add("ben", "king"))
        .await
        .is(StatusCode::BAD_REQUEST)
        .says("none of viewer");
    // Whoever was logged in with the old password is so no longer.
    let browser = house.named("maria", Role::Operator).await;
    let before = maria().hash;
    house.post(&admin, "/admin/people/password", &[("name", "maria")]).await.is(StatusCode::OK);
    assert_ne!(maria().hash, before);
    house.get(&browser, "/password").await.is(StatusCode::SEE_OTHER);
    let own = [("name", "a-administrator")];
    house
        .post(&admin, "/admin/people/password", &own)
        .await
        .is(StatusCode::BAD_REQUEST)
        .says("your own");
    house.written().await;
    let audit = house.get(&admin, "/admin/audit").await.says("account maria added as operator");
    assert!(!audit.text.contains(&shown));
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_logged_out() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let ben = house.named("ben", Role::Operator).await;
    house.get(&ben, "/admin").await.is(StatusCode::OK);
    let disabled = |yes| [("name", "ben"), ("disabled", yes)];
    house.post(&admin, "/admin/people/disabled", &disabled("yes")).await.is(StatusCode::SEE_OTHER);
    house.get(&ben, "/admin").await.is(StatusCode::SEE_OTHER);
    house.post(&admin, "/admin/people/disabled", &disabled("no")).await.is(StatusCode::SEE_OTHER);
    house.get(&ben, "/admin").await.is(StatusCode::SEE_OTHER);
    let ben = house.named("ben", Role::Operator).await;
    house.post(&admin, "/admin/people/remove", &[("name", "ben")]).await.is(StatusCode::SEE_OTHER);
    house.get(&ben, "/admin").await.is(StatusCode::SEE_OTHER);
    house.post(&admin, "/admin/people/remove", &[("name", "ben")]).await.is(StatusCode::CONFLICT);
}

#[test]
fn the_last_administrator_stays_one() {
    on_both(async |house| {
        let ann = house.named("ann", Role::Administrator).await;
        house
            .post(&ann, "/admin/people/remove", &[("name", "admin")])
            .await
            .is(StatusCode::SEE_OTHER);
        for (path, more) in
            [("role", ("role", "viewer")), ("disabled", ("disabled", "yes")), ("remove", ("", ""))]
        {
            let answer =
                house.post(&ann, &format!("/admin/people/{path}"), &[("name", "ann"), more]).await;
            answer.is(StatusCode::CONFLICT).says("last administrator");
        }
        let ben = house.named("ben", Role::Administrator).await;
        // Each takes the other's role, at the same time: one of them is too late.
        let demote = |name| [("name", name), ("role", "viewer")];
        let (for_ben, for_ann) = (demote("ben"), demote("ann"));
        let (one, other) = tokio::join!(
            house.post(&ann, "/admin/people/role", &for_ben),
            house.post(&ben, "/admin/people/role", &for_ann),
        );
        assert_ne!(one.status, other.status);
        let directory = house.app.registry.directory();
        let administrators =
            directory.accounts.values().filter(|a| a.role == Role::Administrator && !a.is_disabled);
        assert_eq!(administrators.count(), 1);
        assert_eq!(
            house.app.registry.store().load().await.expect("as it should be").accounts,
            directory.accounts
        );
    });
}

#[tokio::test]
async fn a_code_makes_one_tablet_the_panel_of_its_room() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let form = [("room", "vienna"), ("name", "Vienna, door")];
    let page = house.post(&admin, "/admin/panels/code", &form).await.is(StatusCode::OK);
    let digits = page
        .text
        .split("class=\"secret\">")
        .nth(1)
        .expect("as it should be")
        .split('<')
        .next()
        .expect("as it should be")
        .to_owned();
    assert!(digits.len() == 9 && digits.as_bytes()[4] == b' ', "{digits}");
    let page = house.get(&admin, "/admin/panels").await.says("Codes that wait");
    assert!(!page.text.contains(&digits), "it is shown once");
    house.post(&admin, "/admin/panels/code", &form).await.is(StatusCode::CONFLICT);
    let (panel, _) = house
        .app
        .registry
        .enrol(&Token::said(&digits))
        .await
        .expect("as it should be")
        .expect("it is good");
    assert_eq!(
        (panel.room.as_str(), panel.name.as_str(), panel.by.as_str()),
        ("vienna", "Vienna, door", "a-administrator")
    );
    assert!(
        house.app.registry.enrol(&Token::said(&digits)).await.expect("as it should be").is_none(),
        "once"
    );
    house.post(&admin, "/admin/panels/code", &form).await.is(StatusCode::CONFLICT);
    for (room, name, says) in
        [("", "x", "Choose the room"), ("nowhere", "x", "no room"), ("vienna", " ", "a name")]
    {
        let form = [("room", room), ("name", name)];
        house
            .post(&admin, "/admin/panels/code", &form)
            .await
            .is(StatusCode::BAD_REQUEST)
            .says(says);
    }
}

#[tokio::test]
async fn operators_end_calls_mute_alerts_and_help() {
    let house = House::start().await;
    let ben = house.named("ben", Role::Operator).await;
    let pair = [("near", "vienna"), ("far", "lisbon")];
    house
        .get(&ben, "/admin/connections")
        .await
        .says("Vienna, Room 2.14 → Lisbon, Tejo room")
        .says("Connected");
    house.post(&ben, "/admin/connections/end", &pair).await.is(StatusCode::SEE_OTHER);
    house.hears("disconnect vienna lisbon").await;
    house.post(&ben, "/admin/connections/end", &pair[..1]).await.is(StatusCode::BAD_REQUEST);

    let answer = |word, text| [("answer", word), ("text", text)];
    house
        .post(&ben, "/admin/help/oslo", &answer("acknowledge", "coming at 9:04"))
        .await
        .is(StatusCode::SEE_OTHER);
    house.hears("help oslo acknowledge text=\"coming at 9:04\"").await;
    house.post(&ben, "/admin/help/oslo", &answer("close", "")).await.is(StatusCode::SEE_OTHER);
    house.hears("help oslo close").await;
    house.post(&ben, "/admin/help/oslo", &answer("cancel", "")).await.is(StatusCode::BAD_REQUEST);
    house
        .post(&ben, "/admin/help/oslo", &answer("close", "a\u{1}b"))
        .await
        .is(StatusCode::BAD_REQUEST);

    let id = house.get(&ben, "/admin/alerts").await.says("lamp").field("id");
    house.post(&ben, "/admin/alerts/mute", &[("id", &id)]).await.is(StatusCode::SEE_OTHER);
    house.get(&ben, "/admin/alerts").await.says("muted by ben");
    house.post(&ben, "/admin/alerts/mute", &[("id", "1")]).await.is(StatusCode::CONFLICT);
    house.written().await;
    house
        .get(&ben, "/admin/audit?who=ben&answer=done")
        .await
        .says("disconnect vienna lisbon")
        .says("alert muted");
}

#[tokio::test]
async fn the_support_telephone_is_kept() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let phone = |number| [("support-phone", number)];
    house
        .post(&admin, "/admin/system/settings", &phone("+43 1 555"))
        .await
        .is(StatusCode::SEE_OTHER);
    house.get(&admin, "/admin/system").await.says("+43 1 555").says("Alive");
    let long = "1".repeat(41);
    house
        .post(&admin, "/admin/system/settings", &[("support-phone", &long)])
        .await
        .is(StatusCode::BAD_REQUEST);
    assert_eq!(
        house.app.registry.store().load().await.expect("as it should be").settings["support-phone"],
        "+43 1 555"
    );
}
