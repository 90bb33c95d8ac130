//! Transcripts: lines that begin with `>` are what happens, the others what is to be done about it.
//! `UPDATE_EXPECT=1 cargo test -p rooms-links` writes the others; read what it wrote.
//!
//! Three rooms, `a` in Vienna, `b` in Lisbon, `c` in Porto, are online and free unless the setup says
//! otherwise. What happens is one of `wish <id> <wish>`, `online a <calls>`, `calls a <calls>`,
//! `offline a`, `asleep a`, `prepared a`, `failed a <reason>`, `maintenance a on`, `after <seconds>`
//! `rooms a b d` and `snapshot`; a call is `<id> to|from <far> <state> [dialed]`, and commas stand between calls.

use std::fmt::Write;
use std::time::Duration;

use expect_test::Expect;

use crate::{
    By, Call, CallId, CallState, Config, Direction, Effect, Event, Fact, LinkState, Links, Reason,
    Request, Room, RoomConfig, Status, Why, Wish,
};

/// The three rooms.
pub(crate) fn rooms() -> Config {
    some_rooms("a b c")
}

/// Those of the three that are named, and a `d` in Graz.
fn some_rooms(names: &str) -> Config {
    let room = |name| match name {
        "a" => RoomConfig::new("a", "Vienna", "sip:vienna"),
        "b" => RoomConfig::new("b", "Lisbon", "sip:lisbon"),
        "c" => RoomConfig::new("c", "Porto", "sip:porto"),
        _ => RoomConfig::new(name, "Graz", "sip:graz"),
    };
    Config::new(names.split(' ').map(room).collect())
}

/// Links that have heard of all three.
pub(crate) fn online(config: Config) -> Links {
    let mut links = Links::new(config).expect("a good configuration");
    for room in ["a", "b", "c"] {
        happen(&mut links, &mut Duration::default(), &format!("online {room}"));
    }
    links
}

/// Links after these events.
fn after(events: &[&str]) -> Links {
    let mut links = online(rooms());
    for event in events {
        happen(&mut links, &mut Duration::default(), event);
    }
    links
}

const DIALING: [&str; 3] = ["wish p1 connect a b", "prepared a", "prepared b"];

/// `a` was told to dial `b`, for the wish `p1`.
pub(crate) fn dialing() -> Links {
    after(&DIALING)
}

/// `a` and `b` are connected, for the wish `p1`.
pub(crate) fn connected() -> Links {
    let calls = ["calls a 1 to lisbon connected dialed", "calls b 7 from vienna connected"];
    after(&[&DIALING[..], &calls].concat())
}

/// `a` and `b` are in a call that people made.
pub(crate) fn adopted() -> Links {
    after(&["calls a 1 to lisbon connected", "calls b 7 from vienna connected"])
}

/// Plays a transcript with rooms that are online and free.
pub(crate) fn check(transcript: &Expect) {
    check_with(online(rooms()), transcript);
}

/// Plays a transcript with these links.
pub(crate) fn check_with(mut links: Links, transcript: &Expect) {
    let mut played = String::new();
    let mut now = Duration::ZERO;
    for line in transcript.data().lines().map(str::trim) {
        if let Some(event) = line.strip_prefix("> ") {
            writeln!(played, "> {event}").expect("writing to a string");
            for line in happen(&mut links, &mut now, event) {
                writeln!(played, "{line}").expect("writing to a string");
            }
        }
    }
    transcript.assert_eq(&played);
}

fn happen(links: &mut Links, now: &mut Duration, line: &str) -> Vec<String> {
    let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let room = Room::from(name);
    let event = match what {
        "wish" => Event::Wish(wish(name, rest)),
        "online" => Event::Online { room, calls: calls(rest) },
        "calls" => Event::Calls { room, calls: calls(rest) },
        "offline" => Event::Offline { room, asleep: false },
        "asleep" => Event::Offline { room, asleep: true },
        "prepared" => Event::Prepared { room },
        "failed" => Event::Failed { room, reason: reason(rest) },
        "maintenance" => Event::Maintenance { room, on: rest == "on" },
        "after" => {
            *now += Duration::from_secs_f64(name.parse().expect("seconds"));
            Event::Tick
        }
        "snapshot" => return snapshot(links),
        "rooms" => {
            let rooms = some_rooms(format!("{name} {rest}").trim());
            let effects = links.reconfigure(&rooms, *now).expect("a good configuration");
            return effects.iter().map(effect).collect();
        }
        _ => panic!("what happens: {line}"),
    };
    links.handle(event, *now).iter().map(effect).collect()
}

fn wish(id: &str, text: &str) -> Request {
    let words: Vec<_> = text.split(' ').filter(|word| !word.starts_with("by=")).collect();
    let room = |index: usize| Room::from(words[index]);
    let wish = match words[0] {
        "connect" => Wish::Connect(room(1), room(2)),
        "disconnect" => Wish::Disconnect(room(1), words.get(2).map(|word| Room::from(*word))),
        "answer" => Wish::Answer(room(1), room(2)),
        "decline" => Wish::Decline(room(1), room(2)),
        _ => panic!("a wish: {text}"),
    };
    let by = text.split_once("by=").map(|(_, by)| By::from(by));
    Request { wish, id: (id != "-").then(|| id.into()), by }
}

fn calls(text: &str) -> Vec<Call> {
    let call = |text: &str| {
        let words: Vec<_> = text.split_whitespace().collect();
        Call {
            id: CallId(words[0].parse().expect("a number")),
            direction: if words[1] == "to" { Direction::Outgoing } else { Direction::Incoming },
            far: words[2].into(),
            state: match words[3] {
                "ringing" => CallState::Ringing,
                "connected" => CallState::Connected,
                "ending" => CallState::Ending,
                _ => panic!("a state: {text}"),
            },
            dialed: words.get(4) == Some(&"dialed"),
        }
    };
    text.split(',').filter(|text| !text.is_empty()).map(call).collect()
}

fn reason(word: &str) -> Reason {
    use Reason::{
        Busy, Cancelled, DeviceError, Dropped, Glare, Maintenance, NoAnswer, NotPermitted,
        OfflineFar, OfflineNear, Rejected, Starting, Timeout, Unreachable,
    };
    [
        Busy,
        Cancelled,
        DeviceError,
        Dropped,
        Glare,
        Maintenance,
        NoAnswer,
        NotPermitted,
        OfflineFar,
        OfflineNear,
        Rejected,
        Starting,
        Timeout,
        Unreachable,
    ]
    .into_iter()
    .find(|reason| reason.as_str() == word)
    .expect("a reason")
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Prepare { room } => format!("prepare {room}"),
        Effect::Dial { room, to } => format!("dial {room} {to}"),
        Effect::Expect { room, from, incoming } => {
            format!("expect {room} from {from} {incoming:?}")
        }
        Effect::Answer { room, call } => format!("answer {room} {}", call.0),
        Effect::Hangup { room, call } => format!("hangup {room} {}", call.0),
        Effect::Fact(known) => fact(known),
    }
}

fn fact(fact: &Fact) -> String {
    let name = |id: &Option<crate::WishId>| id.as_ref().map_or("-".into(), ToString::to_string);
    match fact {
        Fact::Accepted { id, already } => {
            format!("accepted {}{}", name(id), if *already { " already" } else { "" })
        }
        Fact::Refused { id, why } => format!("refused {}{}", name(id), because(Some(why))),
        Fact::Done { id } => format!("done {id}"),
        Fact::Failed { id, why } => format!("failed {id}{}", because(Some(why))),
        Fact::Link(state) => link(state),
        Fact::Connected { from, to } => format!("connect {from} {to}"),
        Fact::Disconnected { from, to, why, side } => {
            let side = side.as_ref().map_or(String::new(), |side| format!(" side={side}"));
            format!("disconnect {from} {to}{side}{}", because(why.as_ref()))
        }
        Fact::Room { room, status } => format!("room {room} {}", word(status)),
    }
}

fn link(state: &LinkState) -> String {
    let LinkState { from, to, phase, by, asking, why, .. } = state;
    let by = by.as_ref().map_or(String::new(), |by| format!(" by={by}"));
    let asking = if *asking { " asking" } else { "" };
    format!("link {from} {to} {}{asking}{by}{}", phase.as_str(), because(why.as_ref()))
}

fn because(why: Option<&Why>) -> String {
    why.map_or(String::new(), |why| format!(" {}: {}", why.reason.as_str(), why.text))
}

fn word(status: &Status) -> String {
    match status {
        Status::Free => "free".into(),
        Status::Busy { with: Some(with), .. } => format!("busy with={with}"),
        Status::Busy { other, .. } => format!("busy other={}", other.as_deref().unwrap_or("?")),
        Status::Maintenance => "maintenance".into(),
        Status::Offline { asleep: true } => "offline asleep".into(),
        Status::Offline { asleep: false } => "offline".into(),
    }
}

fn snapshot(links: &Links) -> Vec<String> {
    let snapshot = links.snapshot();
    let starting = snapshot.starting.then(|| "starting".to_owned());
    let rooms = snapshot.rooms.iter().map(|(room, status)| format!("room {room} {}", word(status)));
    let lines = snapshot
        .links
        .iter()
        .map(|state| format!("{} since={}", link(state), state.since.as_secs()));
    starting.into_iter().chain(rooms).chain(lines).collect()
}
