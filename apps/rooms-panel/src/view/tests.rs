//! Facts in, words out.

use jiff::{SignedDuration, Timestamp};
use rooms_messages::{Report, RoomName};

use super::{Body, Look, Screen};
use crate::desk::{Control, Shown};
use crate::house::House;
use crate::notices::Notices;
use crate::records::{Directory, Grant, Listing};

const NOW: &str = "2026-11-27T10:42:00Z";
const TWO_ROOMS: [&str; 10] = [
    "room vienna free city=Vienna title=\"Vienna, Room 2.14\"",
    "room lisbon free city=Lisbon title=\"Lisbon, Tejo room\"",
    "device vienna codec online",
    "state vienna codec power=on mute=off volume=45 share=off",
    "device vienna camera online",
    "state vienna camera power=on preset=1",
    "offers vienna camera verbs=turn,move,zoom,preset presets=1=Table,2=Whiteboard",
    "device vienna document-camera online",
    "state vienna document-camera power=off",
    "device vienna projector online",
];

struct Bench {
    shown: Shown,
    directory: Directory,
    now: Timestamp,
}

impl Bench {
    /// Two rooms that may call each other, and more facts.
    fn new(facts: &[&str]) -> Self {
        let mut directory = Directory::default();
        let everybody =
            Grant { id: 1, from: None, to: None, days: 127, from_minute: 0, to_minute: 1440 };
        directory.grants.insert(1, everybody);
        for room in ["vienna", "lisbon"] {
            let listing = Listing {
                room: name(room),
                city: String::new(),
                title: String::new(),
                zone: "UTC".to_owned(),
                position: 0,
                is_listed: true,
                notes: String::new(),
                version: 0,
            };
            directory.listings.insert(listing.room.clone(), listing);
        }
        let shown = Shown {
            house: House::default(),
            notices: Notices::default(),
            control: Control::Fine,
            frames: std::collections::BTreeMap::new(),
        };
        let now = NOW.parse().expect("a time");
        let mut bench = Self { shown, directory, now };
        bench.hear(&TWO_ROOMS);
        bench.hear(facts);
        bench
    }

    fn hear(&mut self, facts: &[&str]) {
        for line in facts {
            let report = Report::parse(line).expect(line);
            let was = self.shown.house.links.values().next().map(|link| link.phase);
            self.shown.house.hear(&report, self.now);
            self.shown.notices.hear(&report.fact, was, self.now);
        }
    }

    fn see<T>(&self, room: &str, show: &str, see: impl FnOnce(&Look<'_>) -> T) -> T {
        let room = name(room);
        let (shown, directory) = (&self.shown, &self.directory);
        see(&Look {
            shown,
            directory,
            room: &room,
            show,
            csrf: "c",
            may_press: true,
            now: self.now,
        })
    }

    fn screen(&self, room: &str) -> Screen {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "a method is of one lifetime only"
        )]
        self.see(room, "", |look| look.screen())
    }

    /// What the card of the other room says, and what touching it wishes.
    fn card(&self, room: &str, other: &str) -> (String, Option<String>) {
        let card = self.see(room, "home", |look| look.card(&name(other))).expect("it is listed");
        let mut text = card.mark.label;
        if !card.mark.text.is_empty() {
            text = format!("{text}, {}", card.mark.text);
        }
        if !card.hint.is_empty() {
            text = format!("{text} · {}", card.hint);
        }
        (text, card.press.map(|press| press.wish))
    }

    /// What a control says, its tone, and what touching it wishes or opens.
    fn tile(&self, room: &str, id: &str) -> (String, &'static str, String) {
        let tiles = self.screen(room).tiles;
        let tile = tiles.into_iter().find(|tile| tile.id == id).expect("it is drawn");
        let opens = tile.sheet.map(|sheet| format!("opens {sheet}"));
        (tile.text, tile.tone, tile.press.map(|press| press.wish).or(opens).unwrap_or_default())
    }
}

fn name(room: &str) -> RoomName {
    RoomName::new(room).expect("a name")
}

fn said(text: &str, wish: &str) -> (String, Option<String>) {
    (text.to_owned(), Some(wish.to_owned()).filter(|wish| !wish.is_empty()))
}

#[test]
fn a_room_that_is_free_can_be_called() {
    let bench = Bench::new(&[]);
    assert_eq!(bench.card("vienna", "lisbon"), said("Free", "connect lisbon"));
    let screen = bench.screen("vienna");
    assert_eq!((screen.city.as_str(), screen.title.as_str()), ("Vienna", "Room 2.14"));
    assert_eq!((screen.state.label.as_str(), screen.clock.as_str()), ("Ready", "10:42"));
    assert!(matches!(screen.body, Body::Home { has_search: false, ref cards } if cards.len() == 1));
}

#[test]
fn why_a_room_can_not_be_called_is_said_and_since_when() {
    let card = |fact: &str| Bench::new(&[fact]).card("vienna", "lisbon");
    let offline = "room lisbon offline city=Lisbon since=2026-11-27T09:10:00Z";
    assert_eq!(card(offline), said("Not reachable since 09:10", ""));
    let maintenance = "room lisbon maintenance city=Lisbon until=2026-11-27T14:00:00Z";
    assert_eq!(card(maintenance), said("Maintenance until 14:00", ""));
    assert_eq!(card("room lisbon busy city=Lisbon other=Oslo"), said("In a call", ""));
}

#[test]
fn who_may_not_call_does_not_see_the_room_and_at_other_times_sees_that() {
    let mut bench = Bench::new(&[]);
    bench.directory.grants.get_mut(&1).expect("there is one").to_minute = 8 * 60;
    assert_eq!(bench.card("vienna", "lisbon"), said("Not at this time", ""));
    bench.directory.grants.clear();
    assert!(bench.see("vienna", "home", |look| look.card(&name("lisbon"))).is_none());
    let mut bench = Bench::new(&[]);
    bench.directory.listings.get_mut(&name("lisbon")).expect("there is one").is_listed = false;
    assert!(bench.see("vienna", "home", |look| look.card(&name("lisbon"))).is_none());
}

#[test]
fn a_call_that_is_being_made_is_counted_and_can_be_cancelled() {
    let bench = Bench::new(&["link vienna lisbon dialing since=2026-11-27T10:41:56Z"]);
    let calling = said("Calling, 4 s · touch to cancel", "disconnect lisbon");
    assert_eq!(bench.card("vienna", "lisbon"), calling);
    assert_eq!(bench.screen("vienna").state.label, "Calling Lisbon");
    let there = bench.screen("lisbon");
    assert_eq!(there.state.label, "Vienna is calling");
    let incoming = there.incoming.expect("it is called");
    assert!(incoming.city == "Vienna" && incoming.answer.is_none());
}

#[test]
fn who_is_asked_can_accept_and_decline() {
    let bench = Bench::new(&["link vienna lisbon dialing asking=lisbon"]);
    let incoming = bench.screen("lisbon").incoming.expect("it is called");
    assert_eq!(incoming.answer.expect("it is asked").wish, "answer vienna");
    assert_eq!(incoming.decline.expect("it is asked").wish, "decline vienna");
    assert!(bench.screen("vienna").incoming.is_none());
}

#[test]
fn both_sides_of_a_call_say_what_the_other_sees_and_hears() {
    let bench = Bench::new(&[
        "link vienna lisbon connected since=2026-11-27T10:38:48Z",
        "state vienna document-camera power=on",
        "state vienna codec share=on mute=on",
    ]);
    for (room, here, there) in [("vienna", "Vienna", "Lisbon"), ("lisbon", "Lisbon", "Vienna")] {
        let Body::Call(call) = bench.screen(room).body else { panic!("{room} is in a call") };
        assert_eq!((call.word, call.time.as_str()), ("Connected", "03:12"));
        assert_eq!((call.here.city.as_str(), call.there.city.as_str()), (here, there));
        let vienna = if here == "Vienna" { &call.here } else { &call.there };
        let lines: Vec<_> =
            vienna.lines.iter().map(|line| (line.label.as_str(), line.text.as_str())).collect();
        assert_eq!(
            lines,
            [
                ("Camera", "Table view"),
                ("Document camera", "Shown to Lisbon"),
                ("Microphone", "Muted")
            ]
        );
    }
    assert_eq!(
        bench.tile("vienna", "microphone"),
        ("Muted".into(), "care", "mute codec off".into())
    );
    let doc = bench.tile("vienna", "document-camera");
    assert_eq!(doc, ("On, shown to Lisbon".into(), "on", "turn document-camera off".into()));
}

#[test]
fn controls_say_what_is_reported_and_not_what_was_pressed() {
    let tile = |facts: &[&str]| Bench::new(facts).tile("vienna", "document-camera").0;
    assert_eq!(tile(&[]), "Off");
    assert_eq!(tile(&["state vienna document-camera wanted.power=on"]), "Switching on");
    let warming = "state vienna document-camera power=warming ready-in=22";
    assert_eq!(tile(&[warming]), "Warming, 22 s");
    let change = [warming, "state vienna document-camera wanted.power=off"];
    assert_eq!(tile(&change), "Off as soon as possible, 22 s");
    let gone = "device vienna document-camera offline reason=bridge since=2026-11-27T10:40:00Z";
    let bench = Bench::new(&[gone]);
    let away = ("Not reachable since 10:40".to_owned(), "away", String::new());
    assert_eq!(bench.tile("vienna", "document-camera"), away);
}

#[test]
fn what_a_room_does_not_have_is_not_drawn() {
    let tiles = Bench::new(&[]).screen("vienna").tiles;
    let ids: Vec<_> = tiles.iter().map(|tile| tile.id).collect();
    assert_eq!(ids, ["document-camera", "camera", "projector", "volume", "microphone", "stop"]);
    let no_lights = Bench::new(&["state vienna projector power=on"]);
    assert!(no_lights.see("vienna", "lights", |look| matches!(look.body(), Body::Home { .. })));
}

#[test]
fn a_room_that_is_asleep_can_be_started_and_says_how_far_it_is() {
    let asleep = ["state vienna codec power=off", "state vienna projector power=off"];
    let Body::Start { what, steps } = Bench::new(&asleep).screen("vienna").body else {
        panic!("it is asleep")
    };
    assert_eq!((what.as_str(), steps.len()), ("Switches projector and connection on", 0));
    let mut bench = Bench::new(&asleep);
    bench.hear(&["state vienna projector wanted.power=on"]);
    let Body::Start { steps, .. } = bench.screen("vienna").body else { panic!("it is not on yet") };
    let projector = steps.iter().find(|step| step.label == "Projector").expect("it is on its way");
    assert_eq!(projector.text, "Switching on");
    bench.hear(&["state vienna projector power=warming ready-in=30"]);
    assert!(matches!(bench.screen("vienna").body, Body::Home { .. }));
}

#[test]
fn a_room_that_nobody_uses_says_when_it_is_stopped() {
    let stops = "room vienna free city=Vienna stops=2026-11-27T10:42:42Z";
    let mut bench = Bench::new(&[stops, "state vienna projector power=on"]);
    assert_eq!(bench.screen("vienna").stopping, Some(("42 s".to_owned(), 1_795_776_162_000)));
    let page = bench.screen("vienna").to_string();
    assert!(
        page.contains("switched off</span> in <span") && page.contains("value=\"stay\""),
        "{page}"
    );
    bench.hear(&["room vienna free city=Vienna"]);
    assert_eq!(bench.screen("vienna").stopping, None);
    bench.hear(&[stops, "state vienna codec power=off", "state vienna projector power=off"]);
    assert_eq!(bench.screen("vienna").stopping, None, "it is off");
}

#[test]
fn without_control_nothing_can_be_pressed_and_it_is_said_that_the_call_goes_on() {
    let mut bench = Bench::new(&["link vienna lisbon connected"]);
    bench.shown.control = Control::Silent("2026-11-27T10:41:00Z".parse().expect("a time"));
    let screen = bench.screen("vienna");
    let banner = screen.banner.expect("it is said");
    assert!(
        banner.contains("offline since 10:41") && banner.contains("Your call continues"),
        "{banner}"
    );
    assert!(
        !screen.can_press
            && screen.tiles.iter().all(|tile| tile.press.is_none() && tile.sheet.is_none())
    );
    let Body::Call(call) = screen.body else { panic!("it is in a call") };
    assert!(call.end.is_none());
}

#[test]
fn the_end_of_a_call_is_told_for_half_a_minute() {
    let mut bench =
        Bench::new(&["link vienna lisbon connected", "link vienna lisbon idle reason=dropped"]);
    let notice = bench.screen("vienna").notice.expect("it is told");
    assert_eq!(notice.text, "The connection to Lisbon was lost.");
    assert_eq!(
        (notice.again.as_deref(), notice.again_word),
        (Some("connect lisbon"), "Call again")
    );
    assert!(bench.screen("lisbon").notice.is_some());
    bench.now += SignedDuration::from_secs(31);
    assert!(bench.screen("vienna").notice.is_none());
}

#[test]
fn every_reason_has_words() {
    for reason in rooms_messages::Reason::ALL {
        let facts = [
            "link vienna lisbon dialing".to_owned(),
            format!("link vienna lisbon idle reason={reason}"),
        ];
        let bench = Bench::new(&[&facts[0], &facts[1]]);
        let silent = matches!(reason.word(), "normal" | "cancelled");
        assert_eq!(bench.screen("vienna").notice.is_none(), silent, "{reason}");
    }
}

#[test]
fn what_people_call_things_is_shown_as_text() {
    let script = "<script>alert(1)</script>";
    let bench = Bench::new(&[
        &format!("room vienna free city=\"{script}\" title=\"{script}\""),
        &format!("help vienna acknowledged by=\"{script}\""),
        &format!("offers vienna camera presets=\"1={}\"", "<b>x</b>"),
    ]);
    for show in ["", "home", "camera", "help", "stop"] {
        let html = bench.see("vienna", show, |look| look.screen().to_string());
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        let there = bench.see("lisbon", "home", |look| look.screen().to_string());
        assert!(!there.contains("<script") && there.contains("&#60;script"), "{there}");
    }
}
