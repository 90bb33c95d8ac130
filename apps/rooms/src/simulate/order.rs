//! What can be ordered of the simulator, as lines on its topic and in a script.

use std::time::Duration;

use rooms_messages::{DeviceName, RoomName};

use super::model::Defect;

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `help`: what can be ordered.
    Help,
    /// `show`: the rooms.
    ShowRooms,
    /// `show ROOM`: its devices.
    ShowRoom(RoomName),
    /// `show ROOM DEVICE`: its states.
    Show(RoomName, DeviceName),
    /// `fault ROOM DEVICE WHAT`
    Fault(RoomName, DeviceName, Fault),
    /// `drop call ROOM ROOM [side=ROOM]`: the call is lost, or only one side loses it.
    Drop([RoomName; 2], Option<RoomName>),
    /// `reboot ROOM DEVICE`: away for 5 s.
    Reboot(RoomName, DeviceName),
    /// `cut ROOM BRIDGE|DEVICE [seconds=N]`: it can't be reached, nor what is behind it.
    Cut(RoomName, DeviceName, Duration),
    /// `ring ROOM [from="NUMBER"]`: somebody from outside calls.
    Ring(RoomName, String),
    /// `press ROOM DEVICE BUTTON`
    Press(RoomName, DeviceName, String),
    /// `expect ROOM DEVICE "PATTERN" [within=5s]`: the device is told this.
    Expect(RoomName, DeviceName, String, Duration),
}

/// What can be wrong with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing any more.
    Off,
    /// It hears nothing and says nothing.
    NoReply,
    /// What it says is noise.
    Garbage,
    /// It ends every connection.
    Close,
    /// It answers so much later.
    Slow(Duration),
    /// Something inside.
    Defect(Defect),
}

/// Each verb, what its order looks like, and what that does.
const ORDERS: &[(&str, &str, &str)] = &[
    ("help", "help", "the orders"),
    ("show", "show [ROOM [DEVICE]]", "the rooms, a room's devices, a device's states"),
    (
        "fault",
        "fault ROOM DEVICE no-reply|garbage|close|slow=MS|wrong-password|erst=DIGITS|off",
        "something is wrong with it, until off",
    ),
    ("drop", "drop call ROOM ROOM [side=ROOM]", "their call is lost, or one side loses it"),
    ("reboot", "reboot ROOM DEVICE", "it is away for 5 s"),
    ("cut", "cut ROOM BRIDGE|DEVICE [seconds=N]", "it can't be reached, for 20 s if not said"),
    ("ring", "ring ROOM [from=\"NUMBER\"]", "somebody from outside calls"),
    ("press", "press ROOM DEVICE BUTTON", "somebody is at the device"),
    (
        "expect",
        "expect ROOM DEVICE \"PATTERN\" [within=SECONDS]",
        "answered when the device is told so; within 5 s if not said",
    ),
];
const SECONDS_MAX: u64 = 86_400;
const CUT_FOR: Duration = Duration::from_secs(20);
const EXPECT_WITHIN: Duration = Duration::from_secs(5);
const FROM: &str = "+43 1 555";

impl Order {
    /// The order on this line.
    ///
    /// # Errors
    /// What it looks like.
    pub fn parse(line: &str) -> Result<Order, String> {
        let words = words(line)?;
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let verb = words.first().copied().unwrap_or_default();
        let Some((_, usage, _)) = ORDERS.iter().find(|(known, ..)| *known == verb) else {
            let known: Vec<_> = ORDERS.iter().map(|(verb, ..)| *verb).collect();
            return Err(format!("there is no order {verb:?}; there is {}", known.join(", ")));
        };
        let usage = || format!("usage: {usage}");
        Ok(match words[..] {
            ["help"] => Order::Help,
            ["show"] => Order::ShowRooms,
            ["show", room] => Order::ShowRoom(name(room)?),
            ["show", room, of] => Order::Show(name(room)?, device(of)?),
            ["fault", room, of, what] => {
                Order::Fault(name(room)?, device(of)?, Fault::parse(what).ok_or_else(usage)?)
            }
            ["drop", "call", a, b] => Order::Drop(two(a, b)?, None),
            ["drop", "call", a, b, side] => {
                let side = side.strip_prefix("side=").ok_or_else(usage)?;
                if side != a && side != b {
                    return Err(format!("side= is {a} or {b}"));
                }
                Order::Drop(two(a, b)?, Some(name(side)?))
            }
            ["reboot", room, of] => Order::Reboot(name(room)?, device(of)?),
            ["cut", room, bridge] => Order::Cut(name(room)?, device(bridge)?, CUT_FOR),
            ["cut", room, bridge, seconds] => {
                let time = seconds.strip_prefix("seconds=").and_then(time).ok_or_else(usage)?;
                Order::Cut(name(room)?, device(bridge)?, time)
            }
            ["ring", room] => Order::Ring(name(room)?, FROM.to_owned()),
            ["ring", room, from] => {
                let from = from.strip_prefix("from=").ok_or_else(usage)?;
                Order::Ring(name(room)?, from.to_owned())
            }
            ["press", room, of, button] => {
                Order::Press(name(room)?, device(of)?, button.to_owned())
            }
            ["expect", room, of, pattern] => {
                Order::Expect(name(room)?, device(of)?, pattern.to_owned(), EXPECT_WITHIN)
            }
            ["expect", room, of, pattern, within] => {
                let within = within.strip_prefix("within=").and_then(time).ok_or_else(usage)?;
                Order::Expect(name(room)?, device(of)?, pattern.to_owned(), within)
            }
            _ => return Err(usage()),
        })
    }
}

/// A line for each order: what it looks like and what it does.
pub(super) fn help() -> impl Iterator<Item = String> {
    ORDERS.iter().map(|(_, usage, does)| format!("{usage}: {does}"))
}

impl Fault {
    fn parse(word: &str) -> Option<Fault> {
        Some(match word {
            "off" => Fault::Off,
            "no-reply" => Fault::NoReply,
            "garbage" => Fault::Garbage,
            "close" => Fault::Close,
            "wrong-password" => Fault::Defect(Defect::WrongPassword),
            _ => match word.split_once('=')? {
                ("slow", ms) => {
                    let ms = ms.parse().ok().filter(|ms| *ms <= SECONDS_MAX * 1000)?;
                    Fault::Slow(Duration::from_millis(ms))
                }
                ("erst", digits) => {
                    let is_right = |byte: u8| (b'0'..=b'2').contains(&byte);
                    let is_right = digits.len() == 6 && digits.bytes().all(is_right);
                    Fault::Defect(is_right.then(|| Defect::Errors(digits.to_owned()))?)
                }
                _ => return None,
            },
        })
    }
}

/// `5s`, `2.5s`, `5`: seconds, at most a day.
pub(super) fn time(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s').unwrap_or(text).parse().ok()?;
    let is_right = (0.0..=86_400.0).contains(&seconds);
    is_right.then(|| Duration::from_secs_f64(seconds))
}

fn name(word: &str) -> Result<RoomName, String> {
    RoomName::new(word).map_err(|error| error.to_string())
}

fn two(a: &str, b: &str) -> Result<[RoomName; 2], String> {
    if a == b { Err("a call is between two rooms".to_owned()) } else { Ok([name(a)?, name(b)?]) }
}

fn device(word: &str) -> Result<DeviceName, String> {
    DeviceName::new(word).map_err(|error| error.to_string())
}

/// Words are parted by blanks; quotes hold theirs together, and may stand behind a `=`.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let (mut word, mut is_quoted, mut is_begun) = (String::new(), false, false);
    let mut chars = line.trim().chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => (is_quoted, is_begun) = (!is_quoted, true),
            '\\' if is_quoted => word.push(chars.next().ok_or("something is wanted after \\")?),
            char if char.is_whitespace() && !is_quoted => {
                if is_begun {
                    words.push(std::mem::take(&mut word));
                }
                is_begun = false;
            }
            char => {
                word.push(char);
                is_begun = true;
            }
        }
    }
    if is_quoted {
        return Err("the closing \" is missing".to_owned());
    }
    if is_begun {
        words.push(word);
    }
    Ok(words)
}

/// Whether a text is as a pattern says: `*` is any text, `?` any character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|char| *char == '?' || *char == text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests;
