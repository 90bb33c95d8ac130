//! Whatever can be said is heard the same; whatever comes is never worse than an error.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use rooms_messages::{
    AlertLevel, AlertState, DeviceName, DeviceState, DeviceVerb, Direction, Epoch, Everything,
    Fact, Frame, FrameWay, HelpState, HelpWish, Id, Key, Keys, Offers, OfflineReason, Percent,
    Phase, PresetAction, PresetName, Reason, Report, Request, RoomName, RoomState, Snapshot,
    Switch, Text, Timestamp, Volume, Wish, Word, ZoomTo,
};

type U<'a, 'b> = &'a mut Unstructured<'b>;

fn characters(u: U<'_, '_>, from: &str, most: usize) -> Result<String> {
    let from: Vec<char> = from.chars().collect();
    (0..u.int_in_range(1..=most)?).map(|_| u.choose(&from).copied()).collect()
}

const WORD: &str = "abz019-.+";

fn word(u: U<'_, '_>) -> Result<Word> {
    Ok(Word::new(&characters(u, WORD, 40)?).expect("these are its characters"))
}

fn room(u: U<'_, '_>) -> Result<RoomName> {
    let name = format!("r{}", characters(u, WORD, 39)?);
    Ok(RoomName::new(&name).expect("it begins with a letter"))
}

fn device(u: U<'_, '_>) -> Result<DeviceName> {
    let name = format!("7{}", characters(u, WORD, 39)?);
    Ok(DeviceName::new(&name).expect("it begins with a digit"))
}

fn id(u: U<'_, '_>) -> Result<Id> {
    Ok(Id::new(&characters(u, "aZ0ü=-/", 16)?).expect("these are its characters"))
}

fn text(u: U<'_, '_>) -> Result<Text> {
    Ok(Text::clean(&characters(u, "a \"\\\n=ü\u{2028}😀\t", 60)?))
}

fn keys(u: U<'_, '_>) -> Result<Keys> {
    let pairs = (0..u.int_in_range(1..=5)?).map(|_| {
        let key = format!("k{}", characters(u, WORD, 39)?);
        Ok((Key::new(&key).expect("it is not reserved"), text(u)?))
    });
    Ok(Keys::collect(pairs.collect::<Result<Vec<_>>>()?).expect("there is one"))
}

fn percent(u: U<'_, '_>) -> Result<Percent> {
    Ok(Percent::new(u.int_in_range(0..=100)?).expect("it is in range"))
}

fn time(u: U<'_, '_>) -> Result<Timestamp> {
    let second = u.int_in_range(0..=253_402_207_200)?;
    Ok(Timestamp::new(second, u.int_in_range(0..=999_999_999)?).expect("it is in range"))
}

fn option<T>(u: U<'_, '_>, some: fn(U<'_, '_>) -> Result<T>) -> Result<Option<T>> {
    if u.arbitrary()? { some(u).map(Some) } else { Ok(None) }
}

fn switch(u: U<'_, '_>) -> Result<Switch> {
    u.choose(Switch::ALL).copied()
}

fn wish(u: U<'_, '_>) -> Result<Wish> {
    Ok(match u.int_in_range(0..=23)? {
        0 => Wish::Connect { near: room(u)?, far: room(u)? },
        1 => Wish::Disconnect { room: room(u)?, other: option(u, room)? },
        2 => Wish::Answer { room: room(u)?, caller: room(u)? },
        3 => Wish::Decline { room: room(u)?, caller: room(u)? },
        4 => Wish::Start { room: room(u)? },
        5 => Wish::Stop { room: room(u)? },
        6 => Wish::Turn { room: room(u)?, device: device(u)?, to: switch(u)? },
        7 => Wish::Set { room: room(u)?, device: device(u)?, keys: keys(u)? },
        8 => Wish::Scene { room: room(u)?, scene: word(u)? },
        9 => Wish::Select { room: room(u)?, device: device(u)?, source: word(u)? },
        10 => Wish::Blank { room: room(u)?, device: device(u)?, to: switch(u)? },
        11 => Wish::Mute { room: room(u)?, device: device(u)?, to: switch(u)? },
        12 => Wish::Volume {
            room: room(u)?,
            volume: u.choose(&[Volume::To, Volume::Up, Volume::Down])?(percent(u)?),
        },
        13 => Wish::Move {
            room: room(u)?,
            device: device(u)?,
            to: *u.choose(Direction::ALL)?,
            speed: option(u, percent)?,
        },
        14 => Wish::Zoom {
            room: room(u)?,
            device: device(u)?,
            to: *u.choose(ZoomTo::ALL)?,
            speed: option(u, percent)?,
        },
        15 => Wish::Preset {
            room: room(u)?,
            device: device(u)?,
            action: *u.choose(PresetAction::ALL)?,
            number: u.arbitrary()?,
        },
        16 => {
            let said = option(u, text)?;
            let help = match u.int_in_range(0..=3)? {
                0 => HelpWish::Cancel,
                1 => HelpWish::Come(said),
                2 => HelpWish::Acknowledge(said),
                _ => HelpWish::Close(said),
            };
            Wish::Help { room: room(u)?, help }
        }
        17 if u.arbitrary()? => Wish::Give { what: Snapshot::Everything },
        17 => Wish::Give { what: Snapshot::Room(room(u)?) },
        18 => Wish::Reload,
        19 => Wish::Reconnect { room: room(u)?, device: device(u)? },
        20 => Wish::Maintenance { room: room(u)?, on: u.arbitrary()?, until: option(u, time)? },
        21 => Wish::Stay { room: room(u)? },
        22 => Wish::Trace { room: room(u)?, device: device(u)?, seconds: u.arbitrary()? },
        _ => Wish::Raw { room: room(u)?, device: device(u)?, text: text(u)? },
    })
}

fn reason(u: U<'_, '_>) -> Result<Reason> {
    u.choose(Reason::ALL).copied()
}

fn device_state(u: U<'_, '_>) -> Result<DeviceState> {
    if u.arbitrary()? {
        return Ok(DeviceState::Online);
    }
    Ok(DeviceState::Offline { reason: *u.choose(OfflineReason::ALL)?, since: option(u, time)? })
}

fn alert_state(u: U<'_, '_>) -> Result<AlertState> {
    if u.arbitrary()? {
        return Ok(AlertState::Clear);
    }
    Ok(AlertState::Raised { level: *u.choose(AlertLevel::ALL)?, text: option(u, text)? })
}

fn several<T>(u: U<'_, '_>, some: fn(U<'_, '_>) -> Result<T>) -> Result<Vec<T>> {
    (0..u.int_in_range(0..=3)?).map(|_| some(u)).collect()
}

fn offers(u: U<'_, '_>) -> Result<Offers> {
    let preset = |u: U<'_, '_>| Ok((u.arbitrary()?, PresetName::clean(text(u)?.as_str())));
    Ok(Offers {
        verbs: several(u, |u| u.choose(DeviceVerb::ALL).copied())?,
        sources: several(u, word)?,
        scenes: several(u, word)?,
        outputs: several(u, word)?,
        presets: several(u, preset)?.into_iter().collect(),
    })
}

fn fact(u: U<'_, '_>) -> Result<Fact> {
    Ok(match u.int_in_range(0..=15)? {
        0 => Fact::Accepted { already: u.arbitrary()?, id: option(u, id)? },
        1 => Fact::Refused {
            id: option(u, id)?,
            reason: reason(u)?,
            with: option(u, room)?,
            text: option(u, text)?,
        },
        2 => Fact::Done { id: option(u, id)? },
        3 => Fact::Failed { id: option(u, id)?, reason: reason(u)?, text: option(u, text)? },
        4 => Fact::Link {
            near: room(u)?,
            far: room(u)?,
            phase: *u.choose(Phase::ALL)?,
            by: option(u, text)?,
            since: option(u, time)?,
            asking: option(u, room)?,
            reason: option(u, reason)?,
            side: option(u, room)?,
        },
        5 => Fact::Connect { near: room(u)?, far: room(u)? },
        6 => Fact::Disconnect {
            near: room(u)?,
            far: room(u)?,
            reason: option(u, reason)?,
            side: option(u, room)?,
        },
        7 => Fact::Room {
            room: room(u)?,
            state: *u.choose(RoomState::ALL)?,
            with: option(u, room)?,
            other: option(u, text)?,
            city: option(u, text)?,
            title: option(u, text)?,
            since: option(u, time)?,
            until: option(u, time)?,
            stops: option(u, time)?,
        },
        8 => Fact::Device {
            room: room(u)?,
            device: device(u)?,
            state: device_state(u)?,
            role: option(u, word)?,
        },
        9 => Fact::State { room: room(u)?, device: device(u)?, keys: keys(u)? },
        10 => Fact::Alert {
            room: room(u)?,
            device: device(u)?,
            code: word(u)?,
            state: alert_state(u)?,
        },
        11 => Fact::Help {
            room: room(u)?,
            state: *u.choose(HelpState::ALL)?,
            by: option(u, text)?,
            text: option(u, text)?,
            since: option(u, time)?,
        },
        12 => Fact::Alive,
        13 => Fact::Everything(Everything::Begin),
        14 => Fact::Offers { room: room(u)?, device: device(u)?, offers: offers(u)? },
        _ => Fact::Everything(Everything::End { lines: u.arbitrary()? }),
    })
}

#[test]
fn every_wish_is_heard_as_it_was_said() {
    arbtest(|u| {
        let wish = wish(u)?;
        let request =
            Request { wish, id: option(u, id)?, by: option(u, text)?, expires: option(u, time)? };
        if let Ok(line) = request.to_line() {
            assert_eq!(Request::parse(&line), Ok(request), "{line}");
        }
        Ok(())
    });
}

#[test]
fn every_fact_is_heard_as_it_was_said() {
    arbtest(|u| {
        let fact = fact(u)?;
        let (seq, epoch) = (u.arbitrary()?, u.arbitrary::<Option<u64>>()?.map(Epoch));
        let report = Report { fact, seq, epoch, at: option(u, time)? };
        if let Ok(line) = report.to_line() {
            assert_eq!(Report::parse(&line), Ok(report), "{line}");
        }
        Ok(())
    });
}

#[test]
fn every_frame_is_heard_as_it_was_said() {
    arbtest(|u| {
        let frame = Frame {
            room: room(u)?,
            device: device(u)?,
            way: *u.choose(FrameWay::ALL)?,
            text: text(u)?,
            left_out: u.arbitrary()?,
            at: time(u)?,
        };
        let line = frame.to_line();
        assert_eq!(Frame::parse(&line), Ok(frame), "{line}");
        Ok(())
    });
}

#[test]
fn a_frame_that_is_too_long_is_said_as_far_as_it_fits() {
    arbtest(|u| {
        let unit = characters(u, "a \"\\\n=ü😀", 9)?;
        let long = unit.repeat(u.int_in_range(50..=300)?);
        let frame = Frame {
            room: room(u)?,
            device: device(u)?,
            way: FrameWay::Received,
            text: Text::new(&long).expect("these are its characters"),
            left_out: u.arbitrary()?,
            at: time(u)?,
        };
        let line = frame.to_line();
        assert!(line.len() <= 1024, "{line}");
        let heard = Frame::parse(&line).expect("it is one").text;
        match heard.as_str().strip_suffix('…') {
            None => assert_eq!(heard.as_str(), long),
            Some(begin) => {
                assert!(long.starts_with(begin), "{line}");
                assert!(line.len() > 1015, "no more than needed is left out: {line}");
            }
        }
        Ok(())
    });
}

/// What reads as a message is written as one that reads the same, unless it grows too long by
/// being written out, as `doccam` does.
fn check_any(line: &str) {
    if let Ok(request) = Request::parse(line)
        && let Ok(again) = request.to_line()
    {
        assert_eq!(Request::parse(&again), Ok(request), "{line}");
    }
    if let Ok(frame) = Frame::parse(line) {
        let again = frame.to_line();
        assert!(Frame::parse(&again).is_ok(), "{line}");
    }
    if let Ok(report) = Report::parse(line)
        && let Ok(again) = report.to_line()
    {
        assert_eq!(Report::parse(&again), Ok(report), "{line}");
    }
}

#[test]
fn no_text_is_worse_than_an_error() {
    arbtest(|u| {
        let bytes: Vec<u8> = u.arbitrary()?;
        check_any(&String::from_utf8_lossy(&bytes));
        Ok(())
    });
}

#[test]
fn nothing_that_looks_like_a_message_is_worse_than_an_error() {
    let pieces = [
        "connect",
        "turn",
        "help",
        "state",
        "offers",
        "frame",
        "sent",
        "at=2026-11-27T10:42:00Z",
        "presets=1=",
        "everything",
        "give me",
        "begin",
        "end",
        "room-a",
        "doccam",
        "on",
        "cancel",
        "acknowledge",
        "text=",
        "\"",
        "\\",
        "\\n",
        "=",
        " ",
        " ",
        " ",
        "id=7",
        "seq=",
        "epoch=5f",
        "lines=",
        "+5",
        "100",
        "ü",
        "\u{7f}",
        "since=2026-11-27T10:42:00+01:00",
    ];
    arbtest(|u| {
        let mut line = String::new();
        for _ in 0..u.int_in_range(0..=20)? {
            line.push_str(u.choose(&pieces)?);
        }
        check_any(&line);
        Ok(())
    });
}
