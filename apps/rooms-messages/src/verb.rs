//! The verbs of all topics as tables: name, what follows it, one line of help.
//!
//! Usage errors, did-you-mean and the test of MESSAGES.md read these tables.

use crate::error::Malformed;

/// A verb, what may follow it, and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    /// The first word of the line.
    pub name: &'static str,
    /// The whole line, as people write it: `turn <room> <device> on|off|toggle`.
    pub usage: &'static str,
    /// One line for people.
    pub help: &'static str,
}

const fn verb(name: &'static str, usage: &'static str, help: &'static str) -> Verb {
    Verb { name, usage, help }
}

/// The verbs of wishes.
#[rustfmt::skip]
pub const WISH_VERBS: &[Verb] = &[
    verb("connect", "connect <room> <room>", "the first room calls the second"),
    verb("disconnect", "disconnect <room> [<room>]", "end that connection, or all of the room"),
    verb("answer", "answer <room> <room>", "the first room accepts the second's call"),
    verb("decline", "decline <room> <room>", "the first room does not accept the second's call"),
    verb("start", "start <room>", "wake the room up, in the order of its file"),
    verb("stop", "stop <room>", "end its call and switch it off"),
    verb("stay", "stay <room>", "somebody is there: it is not stopped for standing idle"),
    verb("turn", "turn <room> <device> on|off|toggle", "switch a device"),
    verb("set", "set <room> <device> <key>=<value>…", "levels and the like of a device"),
    verb("scene", "scene <room> <scene>", "a scene of the lights"),
    verb("select", "select <room> <device> <source>", "what a projector or screen shows"),
    verb("blank", "blank <room> <device> on|off|toggle", "a picture that nobody is to see"),
    verb("mute", "mute <room> <device> on|off|toggle", "a microphone"),
    verb("volume", "volume <room> <0-100>|+<0-100>|-<0-100>", "louder and quieter, in percent"),
    verb("move", "move <room> <device> left|right|up|down|up-left|up-right|down-left|down-right|stop [speed=<0-100>]", "a camera; repeat it every 500 ms while the button is held"),
    verb("zoom", "zoom <room> <device> in|out|stop [speed=<0-100>]", "the same for its zoom"),
    verb("preset", "preset <room> <device> recall|save <0-255>", "a remembered view"),
    verb("help", "help <room> [cancel|acknowledge|close] [text=<text>]", "call a person, or answer who called"),
    verb("give", "give me everything|<room>", "a snapshot of the facts"),
    verb("reload", "reload", "read the room files again"),
    verb("reconnect", "reconnect <room> <device>", "connect to the device anew"),
    verb("maintenance", "maintenance <room> on|off [until=<time>]", "take a room out of use"),
    verb("trace", "trace <room> <device> seconds=<0-65535>", "say every byte of a device"),
    verb("raw", "raw <room> <device> text=<text>", "say this to a device"),
];

/// The verbs of facts.
#[rustfmt::skip]
pub const FACT_VERBS: &[Verb] = &[
    verb("accepted", "accepted [already] [id=<id>]", "the wish is being worked on"),
    verb("refused", "refused [id=<id>] reason=<reason> [with=<room>] [text=<text>]", "the wish changes nothing"),
    verb("done", "done [id=<id>]", "the wish is fulfilled"),
    verb("failed", "failed [id=<id>] reason=<reason> [text=<text>]", "the wish was accepted, but is not fulfilled"),
    verb("link", "link <room> <room> preparing|dialing|connected|disconnecting|recovering|idle [by=<who>] [since=<time>] [asking=<room>] [reason=<reason>] [side=<room>]", "how far a connection is"),
    verb("connect", "connect <room> <room>", "both rooms are connected now"),
    verb("disconnect", "disconnect <room> <room> [reason=<reason>] [side=<room>]", "the connection has ended"),
    verb("room", "room <room> free|busy|maintenance|offline [with=<room>] [other=<text>] [city=<text>] [title=<text>] [since=<time>] [until=<time>] [stops=<time>]", "a line of the catalogue"),
    verb("device", "device <room> <device> online|offline [role=<word>] [reason=<reason>] [since=<time>]", "whether a device is there"),
    verb("offers", "offers <room> <device> [verbs=<verb>,…] [sources=<word>,…] [scenes=<word>,…] [outputs=<word>,…] [presets=\"<0-255>=<name>,…\"]", "what can be wished of a device"),
    verb("state", "state <room> <device> <key>=<value>…", "what a device says of itself"),
    verb("alert", "alert <room> <device> [clear] code=<word> [level=warning|error] [text=<text>]", "something for whoever looks after the rooms"),
    verb("help", "help <room> requested|acknowledged|unreachable|closed [by=<who>] [text=<text>] [since=<time>]", "a call for a person"),
    verb("alive", "alive", "every 5 seconds"),
    verb("everything", "everything begin|end [lines=<number>]", "the marks around a snapshot"),
];

/// The verb of frames.
pub const FRAME_VERBS: &[Verb] = &[verb(
    "frame",
    "frame <room> <device> sent|received text=<text> [left-out=<number>] at=<time>",
    "what went over the line of a traced device",
)];

/// The row of `name`.
pub(crate) fn find(table: &'static [Verb], name: &str) -> Result<&'static Verb, Malformed> {
    table.iter().find(|verb| verb.name == name).ok_or_else(|| {
        let distance = |verb: &&Verb| strsim::damerau_levenshtein(verb.name, name);
        let is_near = |verb: &&Verb| distance(verb) <= name.len().min(5) / 2;
        let remedy = match table.iter().filter(is_near).min_by_key(distance) {
            Some(near) => format!("did you mean `{}`?", near.usage),
            None => {
                let names: Vec<_> = table.iter().map(|verb| verb.name).collect();
                format!("the verbs are {}", names.join(", "))
            }
        };
        Malformed::UnknownVerb { verb: name.to_owned(), remedy }
    })
}
