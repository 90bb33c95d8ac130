//! Room files, changed through the pages.

use axum::http::StatusCode;
use rooms_panel::records::Role;

use crate::support::{Browser, House};

const RIGHT: &str = "[room]\nid = \"vienna\"\ncity = \"Vienna\"\ntitle = \"Room\"\n";

async fn digest(house: &House, who: &Browser, name: &str) -> String {
    let page = house.get(who, &format!("/admin/configuration/file?name={name}")).await;
    page.is(StatusCode::OK).field("digest")
}

async fn send(
    house: &House,
    who: &Browser,
    action: &str,
    name: &str,
    text: &str,
    digest: &str,
) -> crate::support::Answer {
    // As a browser ends lines.
    let text = text.replace('\n', "\r\n");
    let fields = [("name", name), ("change", "save"), ("text", &text), ("digest", digest)];
    house.post(who, &format!("/admin/configuration/{action}"), &fields).await
}

#[tokio::test]
async fn a_room_file_is_added_changed_and_removed_after_a_look_at_the_difference() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    let file = house.rooms().join("vienna.toml");
    let fresh = house
        .get(&admin, "/admin/configuration/file?name=vienna.toml")
        .await
        .says("id = &#34;vienna&#34;");
    assert_eq!(fresh.field("digest"), "");
    let looked = send(&house, &admin, "check", "vienna.toml", RIGHT, "").await.is(StatusCode::OK);
    looked.says("<ins>+ [room]</ins>").says("Apply");
    assert!(!file.exists(), "a look changes nothing");
    let applied = send(&house, &admin, "apply", "vienna.toml", RIGHT, "").await.is(StatusCode::OK);
    applied.says("The file is added.").says("It reads the room files now.");
    house.hears("reload").await;
    assert_eq!(std::fs::read_to_string(&file).expect("as it should be"), RIGHT);
    house.get(&admin, "/admin/configuration").await.says("vienna.toml").says("1 warning");

    let seen = digest(&house, &admin, "vienna.toml").await;
    let changed = RIGHT.replace("\"Vienna\"", "\"Wien\"");
    let looked =
        send(&house, &admin, "check", "vienna.toml", &changed, &seen).await.is(StatusCode::OK);
    looked.says("<del>− city = &#34;Vienna&#34;</del>").says("<ins>+ city = &#34;Wien&#34;</ins>");
    send(&house, &admin, "apply", "vienna.toml", &changed, &seen)
        .await
        .is(StatusCode::OK)
        .says("is changed");
    assert_eq!(std::fs::read_to_string(&file).expect("as it should be"), changed);

    let seen = digest(&house, &admin, "vienna.toml").await;
    std::fs::write(house.rooms().join("oslo.toml"), RIGHT.replace("vienna", "oslo"))
        .expect("as it should be");
    let remove = [("name", "vienna.toml"), ("change", "remove"), ("digest", seen.as_str())];
    house
        .post(&admin, "/admin/configuration/check", &remove)
        .await
        .is(StatusCode::OK)
        .says("Remove the file");
    assert!(file.exists());
    house
        .post(&admin, "/admin/configuration/apply", &remove)
        .await
        .is(StatusCode::OK)
        .says("is removed");
    assert!(!file.exists());
    house.written().await;
    house
        .get(&admin, "/admin/audit?text=room+file")
        .await
        .says("room file vienna.toml removed")
        .says("added")
        .says("changed");
}

#[tokio::test]
async fn a_file_with_mistakes_is_not_applied() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    std::fs::write(house.rooms().join("vienna.toml"), RIGHT).expect("as it should be");
    let seen = digest(&house, &admin, "vienna.toml").await;
    let wrong = RIGHT.replace("title", "titles");
    for action in ["check", "apply"] {
        let answer = send(&house, &admin, action, "vienna.toml", &wrong, &seen)
            .await
            .is(StatusCode::BAD_REQUEST);
        let answer = answer.says("Mistake in line 4").says("titles = &#34;Room&#34;");
        assert!(!answer.text.contains("/admin/configuration/apply"), "there is nothing to apply");
    }
    assert_eq!(
        std::fs::read_to_string(house.rooms().join("vienna.toml")).expect("as it should be"),
        RIGHT
    );
    // A room that is there twice is the other file's mistake, too.
    send(&house, &admin, "apply", "oslo.toml", RIGHT, "").await.is(StatusCode::BAD_REQUEST);
    assert!(!house.rooms().join("oslo.toml").exists());
    // The last file can't go: there would be no room.
    let remove = [("name", "vienna.toml"), ("change", "remove"), ("digest", seen.as_str())];
    house.post(&admin, "/admin/configuration/apply", &remove).await.is(StatusCode::BAD_REQUEST);
    let same = send(&house, &admin, "apply", "vienna.toml", RIGHT, &seen).await.is(StatusCode::OK);
    same.says("Nothing is different");
    assert!(house.wished.lock().is_empty());
}

#[tokio::test]
async fn the_second_of_two_who_change_a_file_sees_what_the_first_has_done() {
    let house = House::start().await;
    let (ann, ben) = (
        house.named("ann", Role::Administrator).await,
        house.named("ben", Role::Administrator).await,
    );
    std::fs::write(house.rooms().join("vienna.toml"), RIGHT).expect("as it should be");
    let seen =
        (digest(&house, &ann, "vienna.toml").await, digest(&house, &ben, "vienna.toml").await);
    let (anns, bens) =
        (RIGHT.replace("\"Room\"", "\"Red\""), RIGHT.replace("\"Room\"", "\"Blue\""));
    send(&house, &ann, "apply", "vienna.toml", &anns, &seen.0).await.is(StatusCode::OK);
    for action in ["check", "apply"] {
        let told = send(&house, &ben, action, "vienna.toml", &bens, &seen.1)
            .await
            .is(StatusCode::CONFLICT);
        let told = told
            .says("Somebody else has changed this file")
            .says("<del>− title = &#34;Red&#34;</del>");
        assert!(told.text.matches("Blue").count() >= 2, "what was typed is in the form");
    }
    assert_eq!(
        std::fs::read_to_string(house.rooms().join("vienna.toml")).expect("as it should be"),
        anns
    );
    let seen = digest(&house, &ben, "vienna.toml").await;
    send(&house, &ben, "apply", "vienna.toml", &bens, &seen).await.is(StatusCode::OK);
    // Both at once: one of them is told.
    let seen = digest(&house, &ann, "vienna.toml").await;
    let (one, other) = tokio::join!(
        send(&house, &ann, "apply", "vienna.toml", &anns, &seen),
        send(&house, &ben, "apply", "vienna.toml", RIGHT, &seen),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
}

#[tokio::test]
async fn no_way_leads_out_of_the_folder_and_no_secret_is_shown() {
    let house = House::start().await;
    let admin = house.person(Role::Administrator).await;
    std::fs::write(house.folder.path().join("outside.toml"), "hush").expect("as it should be");
    std::fs::create_dir(house.rooms().join("secrets")).expect("as it should be");
    std::fs::write(house.rooms().join("secrets/vienna.codec"), "hush").expect("as it should be");
    std::os::unix::fs::symlink("secrets/vienna.codec", house.rooms().join("link.toml"))
        .expect("as it should be");
    for name in [
        "../outside.toml",
        "secrets/vienna.codec",
        "..%2foutside.toml",
        "link.toml",
        "",
        "/etc/passwd",
        "x.toml%00",
    ] {
        let page = house.get(&admin, &format!("/admin/configuration/file?name={name}")).await;
        let page = page.is(StatusCode::BAD_REQUEST);
        assert!(!page.text.contains("hush"), "{name}");
        for action in ["check", "apply"] {
            let answer = send(&house, &admin, action, name, RIGHT, "").await;
            assert!(
                answer.status.is_client_error() && !answer.text.contains("hush"),
                "{name}: {}",
                answer.text
            );
        }
    }
    let list = house.get(&admin, "/admin/configuration").await.says("it is a link");
    assert!(!list.text.contains("hush"));
    assert_eq!(
        std::fs::read_to_string(house.folder.path().join("outside.toml")).expect("as it should be"),
        "hush"
    );
    assert_eq!(
        std::fs::read_to_string(house.rooms().join("secrets/vienna.codec"))
            .expect("as it should be"),
        "hush"
    );
}
