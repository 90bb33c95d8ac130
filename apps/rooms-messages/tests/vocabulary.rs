//! Every verb by example: read as what it means, written again as it was.

use rooms_messages::{
    AlertState, DeviceName, DeviceState, DeviceVerb, Everything, FACT_VERBS, FRAME_VERBS, Fact,
    Frame, FrameWay, HelpWish, Id, Key, Keys, Malformed, Offers, OfflineReason, Percent,
    PresetName, Reason, Report, Request, RoomName, Snapshot, Switch, Text, TooLong, Volume,
    WISH_VERBS, Wish,
};

fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a name")
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).expect("a name")
}

/// One or more lines for each verb, written as this crate writes them.
const WISHES: &[&str] = &[
    "connect room1 room2",
    "connect room-a room-b id=p7 by=panel-vienna-1 expires=2026-11-27T10:42:05Z",
    "disconnect room1 room2",
    "disconnect room-a",
    "answer room-b room-a",
    "decline room-b room-a",
    "start room-a",
    "stop room-a",
    "stay room-a",
    "turn room-a document-camera on",
    "turn room-a lights toggle",
    "set room-a lights table=60 front=10 id=7",
    "scene room-a presentation",
    "select room-a projector hdmi1",
    "blank room-a projector on",
    "mute room-a microphone off",
    "volume room-a 45",
    "volume room-a +5",
    "volume room-a -5",
    "move room-a camera left speed=40",
    "move room-a camera up-right",
    "move room-a camera stop",
    "zoom room-a camera in",
    "preset room-a camera recall 3",
    "preset room-a camera save 255",
    "help room-a text=\"no sound\"",
    "help room-a cancel",
    "help room-a acknowledge text=\"coming at 9:04\" by=Ben",
    "help room-a acknowledge",
    "help room-a close text=\"the cable was loose\"",
    "help room-a close",
    "help room-a",
    "give me everything",
    "give me room-a",
    "reload",
    "reconnect room-a projector",
    "maintenance room-a on until=2026-11-28T06:00:00Z",
    "maintenance room-a off",
    "trace room-a projector seconds=60",
    "raw room-a projector text=\"%1POWR ?\"",
];

const FACTS: &[&str] = &[
    "accepted id=7",
    "accepted already id=p8 seq=201",
    "accepted",
    "refused id=7 reason=busy with=room-a text=\"Lisbon is in another call\"",
    "refused reason=starting",
    "done id=p7",
    "failed id=7 reason=no-answer",
    "link room-a room-b preparing seq=202",
    "link room-a room-b dialing by=panel-vienna-1 since=2026-11-27T10:42:00Z asking=room-b",
    "link room-a room-b recovering",
    "link room-a room-b idle reason=dropped side=room-b",
    "connect room-a room-b seq=209",
    "disconnect room-a room-b reason=dropped side=room-b seq=260",
    "disconnect room-a room-b",
    "room room-b busy with=room-a city=Vienna",
    "room room-b busy other=\"+43 1 555\" city=Wien title=\"Saal 2.14\"",
    "room room-b maintenance until=2026-11-28T06:00:00Z",
    "room room-b free stops=2026-11-27T10:42:00Z",
    "room room-b offline since=2026-11-27T10:42:00Z",
    "room room-b free",
    "device room-a projector online",
    "device room-a projector-left offline reason=unreachable since=2026-11-27T10:42:00Z role=projector",
    "offers room-a projector verbs=turn,select,blank sources=hdmi1,hdmi2",
    "offers room-a lights verbs=turn,scene,set scenes=meeting,off outputs=table,front",
    "offers room-a camera verbs=move,zoom,preset presets=\"1=Table,2=White board\" seq=7",
    "offers room-a camera verbs=preset presets=1=Table",
    "offers room-a rack1",
    "state room-a projector power=warming ready-in=22 input=hdmi1 lamp-hours=812 wanted.power=on",
    "alert room-a projector level=warning code=lamp text=\"3012 hours\"",
    "alert room-a projector clear code=lamp",
    "help room-a requested by=panel-vienna-1 text=\"no sound\"",
    "help room-a acknowledged by=Ben since=2026-11-27T09:04:00Z",
    "alive seq=1042 epoch=5f2c",
    "everything begin seq=1042 epoch=5f2c at=2026-11-27T10:42:00.25Z",
    "everything end lines=57",
];

const FRAMES: &[&str] = &[
    "frame room-a projector sent text=\"%1POWR ?\\\\r\" at=2026-11-27T10:42:00.5Z",
    "frame room-a camera received text=\"90 41 ff\" left-out=3 at=2026-11-27T10:42:00Z",
];

#[test]
fn what_is_written_so_is_read_and_written_again() {
    for line in WISHES {
        let request = Request::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(request.to_line().as_deref(), Ok(*line));
    }
    for line in FACTS {
        let report = Report::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(report.to_line().as_deref(), Ok(*line));
    }
    for line in FRAMES {
        let frame = Frame::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(frame.to_line(), *line);
    }
}

#[test]
fn every_verb_is_among_the_examples() {
    for (verbs, lines) in [(WISH_VERBS, WISHES), (FACT_VERBS, FACTS), (FRAME_VERBS, FRAMES)] {
        for verb in verbs {
            assert!(verb.usage.starts_with(verb.name));
            let first = |line: &&&str| line.split(' ').next() == Some(verb.name);
            assert!(lines.iter().any(|line| first(&line)), "{}", verb.name);
        }
    }
}

#[test]
fn the_bare_forms_of_a_person_with_telnet_are_whole_messages() {
    for (line, wish) in [
        ("connect room1 room2", Wish::Connect { near: room("room1"), far: room("room2") }),
        (
            "disconnect room1 room2",
            Wish::Disconnect { room: room("room1"), other: Some(room("room2")) },
        ),
        ("give me everything", Wish::Give { what: Snapshot::Everything }),
        (
            "volume room1 +5",
            Wish::Volume {
                room: room("room1"),
                volume: Volume::Up(Percent::new(5).expect("it is below 100")),
            },
        ),
    ] {
        let request = Request::parse(line).expect("it is whole");
        assert_eq!(request, Request::from(wish));
    }
    let ended = Report::parse("disconnect room1 room2").expect("it is whole");
    let (near, far) = (room("room1"), room("room2"));
    assert_eq!(ended, Report::from(Fact::Disconnect { near, far, reason: None, side: None }));
}

#[test]
fn a_doccam_is_heard_as_a_document_camera() {
    let request = Request::parse("turn room-a doccam on").expect("it is a wish");
    let (room, device) = (room("room-a"), device("document-camera"));
    assert_eq!(request.wish, Wish::Turn { room, device, to: Switch::On });
    assert_eq!(request.to_line().as_deref(), Ok("turn room-a document-camera on"));
}

#[test]
fn keys_that_nobody_knows_are_ignored() {
    let request = Request::parse("connect a b colour=red id=7 shade=\"dark red\"");
    let id = Some(Id::new("7").expect("an id"));
    let wish = Wish::Connect { near: room("a"), far: room("b") };
    assert_eq!(request, Ok(Request { id, ..wish.into() }));
    let report = Report::parse("device a lights online since-when=noon");
    let state = DeviceState::Online;
    let fact = Fact::Device { room: room("a"), device: device("lights"), state, role: None };
    assert_eq!(report, Ok(fact.into()));
    let report = Report::parse("alert a lights clear code=lamp level=warning");
    let (code, state) = ("lamp".parse().expect("a word"), AlertState::Clear);
    let fact = Fact::Alert { room: room("a"), device: device("lights"), code, state };
    assert_eq!(report, Ok(fact.into()));
    let request = Request::parse("help a cancel text=\"it works\"").expect("a wish");
    assert_eq!(request.wish, Wish::Help { room: room("a"), help: HelpWish::Cancel });
}

#[track_caller]
fn wish_refused(line: &str, because: &str) {
    let error = Request::parse(line).expect_err("it is no wish");
    assert_eq!(error.to_string(), because);
}

#[track_caller]
fn fact_refused(line: &str, because: &str) {
    let error = Report::parse(line).expect_err("it is no fact");
    assert_eq!(error.to_string(), because);
}

#[test]
fn verbs_that_nobody_knows_are_refused_with_the_nearest() {
    wish_refused(
        "conect room1 room2",
        "there is no verb \"conect\"; did you mean `connect <room> <room>`?",
    );
    wish_refused(
        "dance room1",
        "there is no verb \"dance\"; the verbs are connect, disconnect, answer, decline, start, stop, stay, turn, set, scene, select, blank, mute, volume, move, zoom, preset, help, give, reload, reconnect, maintenance, trace, raw",
    );
    fact_refused("don", "there is no verb \"don\"; did you mean `done [id=<id>]`?");
    let error = Report::parse("turn room-a lights on").expect_err("it is a wish");
    assert!(matches!(error, Malformed::UnknownVerb { .. }));
}

#[test]
fn wrong_words_are_explained_with_the_usage() {
    wish_refused("connect room1", "usage: connect <room> <room>; a word is missing");
    wish_refused("reload now", "usage: reload; the word \"now\" is one too many");
    wish_refused(
        "turn room-a lights maybe",
        "usage: turn <room> <device> on|off|toggle; \"maybe\" is none of on, off, toggle",
    );
    wish_refused("give everything", "usage: give me everything|<room>; after `give` comes `me`");
    wish_refused(
        "set room-a lights id=7",
        "usage: set <room> <device> <key>=<value>…; a key with its value is missing",
    );
    wish_refused("raw room-a lights", "usage: raw <room> <device> text=<text>; text= is missing");
    wish_refused(
        "connect everything room2",
        "usage: connect <room> <room>; \"everything\" can't be a name: a name begins with a letter or digit, and `everything` means all rooms",
    );
    wish_refused(
        "reload expires=noon",
        "usage: reload; expires=: \"noon\" is no time such as 2026-11-27T10:42:00Z",
    );
    fact_refused("alive epoch=5G", "usage: alive; epoch=: \"5G\" is not 1 to 16 of 0-9 and a-f");
    fact_refused(
        "everything begun",
        "usage: everything begin|end [lines=<number>]; \"begun\" is none of begin, end",
    );
    let error = Report::parse("refused reason=because").expect_err("it is no reason");
    assert!(
        error.to_string().contains("\"because\" is none of normal, busy, no-answer,"),
        "{error}"
    );
}

#[test]
fn a_frame_has_a_text_and_a_time() {
    let frame = Frame::parse(FRAMES[0]).expect("it is one");
    assert_eq!(frame.text.as_str(), "%1POWR ?\\r");
    assert_eq!((frame.way, frame.left_out), (FrameWay::Sent, 0));
    for (line, because) in [
        ("frame a b sent at=2026-11-27T10:42:00Z", "text= is missing"),
        ("frame a b sent text=x", "at= is missing"),
        ("frame a b heard text=x", "\"heard\" is none of sent, received"),
        ("frame a b sent text=x left-out=4294967296", "no whole number from 0 to 4294967295"),
        ("device a b online", "there is no verb \"device\"; the verbs are frame"),
    ] {
        let error = Frame::parse(line).expect_err("it is none").to_string();
        assert!(error.contains(because), "{error}");
    }
}

#[test]
fn a_refusal_can_name_the_wish_that_is_none() {
    for (line, id) in [
        ("turn room-a lights maybe id=p7", Some("p7")),
        ("dance id=p7", Some("p7")),
        ("dance", None),
        ("dance id=12345678901234567", None),
        ("dance id=p7 \"", None),
    ] {
        assert_eq!(Request::id_in(line).as_ref().map(Id::as_str), id, "{line}");
    }
}

#[test]
fn numbers_end_at_their_limits() {
    for (good, beyond, because) in [
        ("volume a 100", "volume a 101", "\"101\" is no whole number from 0 to 100"),
        ("volume a +100", "volume a +101", "\"101\" is no whole number from 0 to 100"),
        ("volume a 0", "volume a --1", "\"-1\" is no whole number from 0 to 100"),
        (
            "move a b up speed=100",
            "move a b up speed=101",
            "\"101\" is no whole number from 0 to 100",
        ),
        ("preset a b save 255", "preset a b save 256", "\"256\" is no whole number from 0 to 255"),
        ("preset a b save 0", "preset a b save +1", "\"+1\" is no whole number from 0 to 255"),
        (
            "trace a b seconds=65535",
            "trace a b seconds=65536",
            "\"65536\" is no whole number from 0 to 65535",
        ),
        ("reload id=1234567890123456", "reload id=12345678901234567", "is no id: 1 to 16"),
    ] {
        assert!(Request::parse(good).is_ok(), "{good}");
        let error = Request::parse(beyond).expect_err("it is beyond").to_string();
        assert!(error.contains(because), "{error}");
    }
    for (good, beyond) in [
        ("alive seq=18446744073709551615", "alive seq=18446744073709551616"),
        ("alive epoch=ffffffffffffffff", "alive epoch=10000000000000000"),
        ("everything end lines=4294967295", "everything end lines=4294967296"),
        ("alive seq=0", "alive seq=-1"),
    ] {
        assert!(Report::parse(good).is_ok(), "{good}");
        assert!(Report::parse(beyond).is_err(), "{beyond}");
    }
    assert_eq!(Percent::new(101), None);
}

#[test]
fn what_does_not_fit_into_a_line_is_not_written() {
    let help = |count| {
        let text = Text::new(&"x".repeat(count)).expect("a text");
        Request::from(Wish::Help { room: room("a"), help: HelpWish::Come(Some(text)) })
    };
    assert_eq!(help(1012).to_line().map(|line| line.len()), Ok(1024));
    assert_eq!(help(1013).to_line(), Err(TooLong { bytes: 1025 }));
}

#[test]
fn an_offer_is_a_list_of_words_and_views() {
    let line = "offers room-a lights verbs=set,scene outputs=table scenes=a,b presets=7=";
    let Fact::Offers { offers, .. } = Report::parse(line).expect("it is a fact").fact else {
        panic!("it is an offer")
    };
    assert_eq!(offers.verbs, [DeviceVerb::Set, DeviceVerb::Scene]);
    assert!(offers.has(DeviceVerb::Set) && !offers.has(DeviceVerb::Turn));
    assert_eq!(offers.scenes, ["a", "b"].map(|word| word.parse().expect("a word")));
    assert_eq!(offers.presets[&7].as_str(), "");
    for (keys, because) in [
        ("verbs=turn,dance", "verbs=: \"dance\" is none of turn, select,"),
        ("verbs=dial", "verbs=: \"dial\" is none of"),
        ("sources=a,,b", "sources=: \"\" is no word"),
        ("outputs=\"a, b\"", "outputs=: \" b\" is no word"),
        ("scenes=\"\"", "scenes=: \"\" is no word"),
        ("presets=Table", "presets=: \"Table\" is no view such as 1=Table"),
        ("presets=256=Table", "\"256\" is no whole number from 0 to 255"),
        ("presets=1=a,1=b", "the view 1 stands there twice"),
        ("presets=1=a=b", "\"a=b\" can't be the name of a view"),
        ("presets=\"1=a\\nb\"", "can't be the name of a view"),
    ] {
        let error = Report::parse(&format!("offers a b {keys}")).expect_err("it is none");
        assert!(error.to_string().contains(because), "{error}");
    }
    assert_eq!(PresetName::clean("Table, left=1\n").as_str(), "Table  left 1 ");
}

#[test]
fn a_long_offer_is_said_without_its_last_names() {
    let words = |count| (0..count).map(|n| format!("zone-{n:03}").parse().expect("a word"));
    let presets = (0..2).map(|number| (number, PresetName::clean("Table")));
    let offers = Offers {
        verbs: vec![DeviceVerb::Set],
        scenes: words(10).collect(),
        outputs: words(200).collect(),
        presets: presets.collect(),
        ..Offers::default()
    };
    let fact = Fact::Offers { room: room("room-a"), device: device("lights"), offers };
    let (fact, left_out) = fact.fitting();
    let report = Report {
        seq: Some(u64::MAX),
        epoch: Some(rooms_messages::Epoch(u64::MAX)),
        at: "2026-11-27T10:42:00.123456789Z".parse().ok(),
        fact: fact.clone(),
    };
    assert!(report.to_line().is_ok());
    assert_eq!(fact.clone().fitting(), (fact.clone(), 0));
    let Fact::Offers { offers, .. } = fact else { panic!("it is an offer") };
    assert!(offers.presets.is_empty());
    assert_eq!(offers.scenes.len(), 10);
    assert_eq!(offers.outputs, words(offers.outputs.len()).collect::<Vec<_>>());
    assert_eq!(left_out, 2 + 200 - offers.outputs.len());
    assert!(offers.outputs.len() > 80, "no more than needed");
}

#[test]
fn a_long_state_is_said_in_parts_that_fit_with_their_stamps() {
    let pairs = (0..100).map(|number| {
        let key = Key::new(&format!("output-{number}")).expect("a key");
        (key, Text::new("a value of 21 letters").expect("a text"))
    });
    let keys = Keys::collect(pairs).expect("there are some");
    let fact = Fact::State { room: room("room-a"), device: device("lights"), keys: keys.clone() };
    let parts = fact.parts();
    assert_eq!(parts.len(), 4);
    let mut said = Vec::new();
    for fact in parts {
        let report = Report {
            seq: Some(u64::MAX),
            epoch: Some(rooms_messages::Epoch(u64::MAX)),
            at: "2026-11-27T10:42:00.123456789Z".parse().ok(),
            fact,
        };
        assert!(report.to_line().is_ok());
        let Fact::State { keys, .. } = report.fact else { panic!("it is a state") };
        said.extend(keys);
    }
    assert_eq!(said, keys.into_iter().collect::<Vec<_>>());
    let begin = Fact::Everything(Everything::Begin);
    assert_eq!(begin.clone().parts(), [begin]);
}

#[test]
fn reasons_are_words() {
    for reason in Reason::ALL {
        assert_eq!(reason.word().parse(), Ok(*reason));
    }
    for reason in OfflineReason::ALL {
        assert_eq!(reason.word().parse(), Ok(*reason));
    }
}
