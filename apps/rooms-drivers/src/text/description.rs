//! A described device: the TOML file as it is written, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use super::template::{Template, bytes};
use crate::io::Reason;
use crate::vocabulary::{self, Kind, Values, is_word};

/// A device, described in a file.
#[derive(Clone, Debug)]
pub struct TextDevice {
    /// Rooms write `text:` and this.
    pub name: String,
    /// Which devices it is for, in a few words.
    pub about: String,
    /// What sort of device it is.
    pub kind: Kind,
    /// The usual settings of its serial line.
    pub serial: Option<String>,
    /// Its TCP port, if it has one.
    pub tcp: Option<u16>,
    pub(super) pace: Duration,
    pub(super) gap: Duration,
    pub(super) skips_echo: bool,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) read: Read,
    pub(super) commands: BTreeMap<String, TextCommand>,
    pub(super) statuses: Vec<Status>,
    pub(super) errors: Vec<(Regex, Reason)>,
    pub(super) polls: Vec<Poll>,
    pub(super) settings: Vec<(String, SettingFile)>,
    pub(super) simulate: Option<Simulate>,
    pub(super) reply: Duration,
}

/// Where a frame of the device ends.
#[derive(Clone, Debug)]
pub(super) enum Read {
    Until { ends: Vec<Vec<u8>>, bytes_max: usize },
    Length(usize),
}

#[derive(Clone, Debug)]
pub(super) struct TextCommand {
    pub(super) send: Template,
    /// A pattern; the place stands in it as in what is sent.
    pub(super) expect: Option<String>,
    pub(super) values: BTreeMap<String, String>,
    pub(super) range: Option<(i64, i64)>,
    pub(super) reply: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) pattern: Regex,
    pub(super) set: Vec<(String, String)>,
    pub(super) values: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) hexadecimal: Vec<String>,
    pub(super) range: BTreeMap<String, (i64, i64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) every: Duration,
    pub(super) when: Option<(String, String)>,
    pub(super) send: Vec<Template>,
}

#[derive(Clone, Debug)]
pub(super) struct Simulate {
    pub(super) initial: BTreeMap<String, String>,
    pub(super) warm: Duration,
    pub(super) cool: Duration,
    pub(super) while_changing: Option<Vec<u8>>,
    pub(super) hexadecimal: Vec<String>,
    pub(super) words: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) on: Vec<On>,
}

#[derive(Clone, Debug)]
pub(super) struct On {
    pub(super) receive: Regex,
    pub(super) when: Option<(String, String)>,
    pub(super) set: BTreeMap<String, String>,
    pub(super) reply: Template,
    pub(super) always: bool,
}

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What would be right.
    pub text: String,
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.text)
    }
}

impl std::error::Error for DescriptionError {}

/// The commands that can be described, with the place that each must have.
const COMMANDS: [(&str, &str, Option<&str>); 23] = [
    ("power_on", "power", None),
    ("power_off", "power", None),
    ("input", "input", Some("input")),
    ("blank_on", "blank", None),
    ("blank_off", "blank", None),
    ("mute_on", "mute", None),
    ("mute_off", "mute", None),
    ("volume", "volume", Some("volume")),
    ("volume_up", "volume", None),
    ("volume_down", "volume", None),
    ("move_left", "move", None),
    ("move_right", "move", None),
    ("move_up", "move", None),
    ("move_down", "move", None),
    ("move_stop", "move", None),
    ("move_home", "move", None),
    ("zoom_in", "zoom", None),
    ("zoom_out", "zoom", None),
    ("zoom_stop", "zoom", None),
    ("preset_recall", "preset", Some("preset")),
    ("preset_save", "preset", Some("preset")),
    ("scene", "scene", Some("scene")),
    ("relay_pulse", "relay", Some("relay")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    about: String,
    kind: Spanned<String>,
    serial: Option<String>,
    tcp: Option<u16>,
    pace_ms: Option<Spanned<u64>>,
    reply_ms: Option<Spanned<u64>>,
    gap_ms: Option<Spanned<u64>>,
    echo: Option<Spanned<String>>,
    #[serde(default)]
    frame: FrameFile,
    read: Spanned<ReadFile>,
    command: BTreeMap<Spanned<String>, CommandFile>,
    #[serde(default)]
    status: Vec<StatusFile>,
    #[serde(default)]
    error: Vec<ErrorFile>,
    #[serde(default)]
    poll: Vec<PollFile>,
    #[serde(default)]
    setting: BTreeMap<Spanned<String>, SettingFile>,
    simulate: Option<SimulateFile>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FrameFile {
    start: Option<Spanned<String>>,
    end: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadFile {
    until: Option<Vec<Spanned<String>>>,
    length: Option<usize>,
    max: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandFile {
    send: Spanned<String>,
    expect: Option<Spanned<String>>,
    #[serde(default)]
    values: BTreeMap<Spanned<String>, String>,
    range: Option<Spanned<(i64, i64)>>,
    reply_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusFile {
    #[serde(rename = "match")]
    pattern: Spanned<String>,
    set: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, Spanned<String>>>,
    #[serde(default)]
    hexadecimal: Vec<String>,
    #[serde(default)]
    range: BTreeMap<String, Spanned<(i64, i64)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorFile {
    #[serde(rename = "match")]
    pattern: Spanned<String>,
    reason: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PollFile {
    every_s: Spanned<u64>,
    when: Option<Spanned<String>>,
    send: Vec<Spanned<String>>,
}

/// A setting that the description takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingFile {
    pub(super) default: String,
    pub(super) about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SimulateFile {
    #[serde(default)]
    initial: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    warm_s: u64,
    #[serde(default)]
    cool_s: u64,
    while_changing: Option<Spanned<String>>,
    #[serde(default)]
    hexadecimal: Vec<String>,
    #[serde(default)]
    words: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    on: Vec<OnFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnFile {
    receive: Spanned<String>,
    when: Option<Spanned<String>>,
    #[serde(default)]
    set: BTreeMap<Spanned<String>, String>,
    reply: Spanned<String>,
    #[serde(default)]
    always: bool,
}

impl TextDevice {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place; if it is no such TOML at all, that.
    pub fn parse(source: &str) -> Result<TextDevice, Vec<DescriptionError>> {
        let mut check = Check { source, errors: Vec::new() };
        let file: File = match toml::from_str(source) {
            Ok(file) => file,
            Err(error) => {
                check.wrong(error.span().unwrap_or(0..0), error.message());
                return Err(check.errors);
            }
        };
        let device = check.device(file);
        check.errors.sort_by_key(|error| (error.line, error.column));
        if check.errors.is_empty() { Ok(device) } else { Err(check.errors) }
    }
}

struct Check<'a> {
    source: &'a str,
    errors: Vec<DescriptionError>,
}

impl Check<'_> {
    fn wrong(&mut self, at: Range<usize>, text: impl Into<String>) {
        let before = &self.source[..self.source.floor_char_boundary(at.start)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let text = text.into().replace('\n', " ");
        self.errors.push(DescriptionError { line, column, text });
    }

    fn device(&mut self, file: File) -> TextDevice {
        let kind = Kind::parse(file.kind.get_ref()).unwrap_or_else(|| {
            let kinds = Kind::ALL.map(Kind::word).join(", ");
            self.wrong(file.kind.span(), format!("the kind is one of {kinds}"));
            Kind::Projector
        });
        if !is_word(file.name.get_ref()) {
            self.wrong(file.name.span(), "a name is of small letters, digits and -, at most 40");
        }
        let skips_echo = file.echo.is_some_and(|echo| {
            if echo.get_ref() != "skip" {
                self.wrong(echo.span(), "echo is \"skip\", or is left out");
            }
            true
        });
        let settings: Vec<_> = file.setting.keys().map(|name| name.get_ref().clone()).collect();
        let reply = self.ms(file.reply_ms.as_ref(), 1000, 50..=60_000);
        let commands = file.command.into_iter().map(|(name, command)| {
            let command = self.command(kind, &name, command, &settings, reply);
            (name.into_inner(), command)
        });
        let commands = commands.collect();
        for name in file.setting.keys() {
            if !name.get_ref().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                || name.get_ref() == "inputs"
                || COMMANDS.iter().any(|(.., place)| *place == Some(name.get_ref()))
            {
                self.wrong(
                    name.span(),
                    "a setting is of small letters and _, and none of the places",
                );
            }
        }
        TextDevice {
            name: file.name.into_inner(),
            about: file.about,
            kind,
            serial: file.serial,
            tcp: file.tcp,
            pace: self.ms(file.pace_ms.as_ref(), 0, 0..=10_000),
            gap: self.ms(file.gap_ms.as_ref(), 500, 10..=10_000),
            skips_echo,
            start: self.plain(file.frame.start),
            end: self.plain(file.frame.end),
            read: self.read(&file.read),
            commands,
            statuses: file.status.into_iter().map(|status| self.status(kind, status)).collect(),
            errors: file.error.iter().map(|error| self.error(error)).collect(),
            polls: file.poll.iter().map(|poll| self.poll(kind, poll, &settings)).collect(),
            settings: file.setting.into_iter().map(|(name, of)| (name.into_inner(), of)).collect(),
            simulate: file.simulate.map(|simulate| self.simulate(kind, simulate)),
            reply,
        }
    }

    fn ms(
        &mut self,
        ms: Option<&Spanned<u64>>,
        default: u64,
        sane: std::ops::RangeInclusive<u64>,
    ) -> Duration {
        let Some(ms) = ms else { return Duration::from_millis(default) };
        if !sane.contains(ms.get_ref()) {
            let text = format!("write {} to {} milliseconds", sane.start(), sane.end());
            self.wrong(ms.span(), text);
        }
        Duration::from_millis(*ms.get_ref())
    }

    fn plain(&mut self, text: Option<Spanned<String>>) -> String {
        let Some(text) = text else { return String::new() };
        if let Err(wrong) = bytes(text.get_ref()) {
            self.wrong(text.span(), wrong);
        }
        text.into_inner()
    }

    fn regex(&mut self, text: &Spanned<String>) -> Regex {
        let regex = regex::RegexBuilder::new(text.get_ref()).size_limit(1 << 18).build();
        regex.unwrap_or_else(|error| {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default();
            self.wrong(text.span(), format!("this pattern is not understood: {last}"));
            Regex::new("$^").expect("a pattern that is right")
        })
    }

    /// A pattern that may hold a command's place.
    fn expected(&mut self, text: Spanned<String>, place: Option<&str>) -> String {
        let filled = fill_expected(text.get_ref(), place, "x");
        self.regex(&Spanned::new(text.span(), filled));
        text.into_inner()
    }

    fn template(&mut self, text: &Spanned<String>, places: &[&str]) -> Template {
        let template = Template::parse(text.get_ref());
        let template = template.unwrap_or_else(|wrong| {
            self.wrong(text.span(), wrong);
            Template::parse("").expect("nothing is a text")
        });
        for name in template.names().filter(|name| !places.contains(name)) {
            let known = if places.is_empty() { "none".to_owned() } else { places.join(", ") };
            self.wrong(text.span(), format!("there is no place {{{name}}} here; there is {known}"));
        }
        template
    }

    fn read(&mut self, read: &Spanned<ReadFile>) -> Read {
        let bytes_max = read.get_ref().max.unwrap_or(256);
        if !(1..=4096).contains(&bytes_max) {
            self.wrong(read.span(), "max is 1 to 4096 bytes");
        }
        match (&read.get_ref().until, read.get_ref().length) {
            (Some(ends), None) if !ends.is_empty() => {
                let ends = ends.iter().map(|end| {
                    let bytes = bytes(end.get_ref()).unwrap_or_default();
                    if bytes.is_empty() {
                        self.wrong(end.span(), "an end is at least one byte, \\u0000 to \\u00FF");
                    }
                    bytes
                });
                Read::Until { ends: ends.collect(), bytes_max }
            }
            (None, Some(length @ 1..=4096)) => Read::Length(length),
            _ => {
                self.wrong(read.span(), "write until = [\"...\"], or length = 1 to 4096");
                Read::Length(1)
            }
        }
    }

    fn command(
        &mut self,
        kind: Kind,
        name: &Spanned<String>,
        file: CommandFile,
        settings: &[String],
        reply: Duration,
    ) -> TextCommand {
        let known = COMMANDS.iter().find(|(known, ..)| known == name.get_ref());
        let mut places: Vec<_> = settings.iter().map(String::as_str).collect();
        match known {
            None => {
                let known: Vec<_> = COMMANDS.iter().map(|(name, ..)| *name).collect();
                self.wrong(name.span(), format!("a command is one of {}", known.join(", ")));
            }
            Some((_, command, _)) if !vocabulary::commands(kind).contains(command) => {
                self.wrong(name.span(), format!("a {kind} has no command {command}"));
            }
            Some((_, _, place)) => places.extend(place),
        }
        let send = self.template(&file.send, &places);
        let place = known.and_then(|(_, _, place)| *place);
        if let Some(place) = place.filter(|place| !send.names().any(|name| name == *place)) {
            self.wrong(file.send.span(), format!("{{{place}}} is missing: where does it go?"));
        }
        for value in file.values.keys().filter(|value| !is_word(value.get_ref())) {
            self.wrong(value.span(), "names are of small letters, digits and -, at most 40");
        }
        if let Some(range) =
            file.range.as_ref().filter(|range| range.get_ref().0 >= range.get_ref().1)
        {
            self.wrong(range.span(), "a range is [least, most]");
        }
        TextCommand {
            send,
            expect: file.expect.map(|expect| self.expected(expect, place)),
            values: file
                .values
                .into_iter()
                .map(|(name, value)| (name.into_inner(), value))
                .collect(),
            range: file.range.map(Spanned::into_inner),
            reply: file.reply_ms.map_or(reply, |ms| self.ms(Some(&ms), 0, 50..=600_000)),
        }
    }

    fn status(&mut self, kind: Kind, file: StatusFile) -> Status {
        let pattern = self.regex(&file.pattern);
        let mut set = Vec::new();
        for (key, value) in &file.set {
            let Some(known) = vocabulary::key_of(kind, key.get_ref()) else {
                let known: Vec<_> = vocabulary::keys(kind).iter().map(|key| key.name).collect();
                let text =
                    format!("a {kind} has no state {}; it has {}", key.get_ref(), known.join(", "));
                self.wrong(key.span(), text);
                continue;
            };
            let group =
                value.get_ref().strip_prefix('$').and_then(|group| group.parse::<usize>().ok());
            if group.is_some_and(|group| group >= pattern.captures_len()) {
                self.wrong(value.span(), "the pattern has no such group of brackets");
            }
            for word in file.values.get(key.get_ref()).into_iter().flat_map(BTreeMap::values) {
                if let Err(wrong) = vocabulary::check(kind, known.name, word.get_ref()) {
                    self.wrong(word.span(), wrong);
                }
            }
            set.push((key.get_ref().clone(), value.get_ref().clone()));
        }
        for range in file.range.values().filter(|range| range.get_ref().0 >= range.get_ref().1) {
            self.wrong(range.span(), "a range is [least, most]");
        }
        let values = file.values.into_iter().map(|(key, words)| {
            (key, words.into_iter().map(|(of, word)| (of, word.into_inner())).collect())
        });
        Status {
            pattern,
            set,
            values: values.collect(),
            hexadecimal: file.hexadecimal,
            range: file.range.into_iter().map(|(key, range)| (key, range.into_inner())).collect(),
        }
    }

    fn error(&mut self, file: &ErrorFile) -> (Regex, Reason) {
        let reasons = [
            Reason::NotNow,
            Reason::Unsupported,
            Reason::Invalid,
            Reason::Rejected,
            Reason::DeviceError,
            Reason::Busy,
        ];
        let reason = reasons.into_iter().find(|reason| reason.word() == file.reason.get_ref());
        let reason = reason.unwrap_or_else(|| {
            let known = reasons.map(Reason::word).join(", ");
            self.wrong(file.reason.span(), format!("the reason is one of {known}"));
            Reason::Rejected
        });
        (self.regex(&file.pattern), reason)
    }

    fn poll(&mut self, kind: Kind, file: &PollFile, settings: &[String]) -> Poll {
        let every_s = *file.every_s.get_ref();
        if !(1..=86_400).contains(&every_s) {
            self.wrong(file.every_s.span(), "ask every 1 to 86400 seconds");
        }
        let places: Vec<_> = settings.iter().map(String::as_str).collect();
        Poll {
            every: Duration::from_secs(every_s),
            when: self.when(kind, file.when.as_ref()),
            send: file.send.iter().map(|send| self.template(send, &places)).collect(),
        }
    }

    fn when(&mut self, kind: Kind, when: Option<&Spanned<String>>) -> Option<(String, String)> {
        let when = when?;
        let pair = when.get_ref().split_once('=');
        let checked = pair.ok_or_else(|| "write key=value, such as power=on".to_owned());
        match checked.and_then(|(key, value)| vocabulary::check(kind, key, value)) {
            Ok(()) => pair.map(|(key, value)| (key.to_owned(), value.to_owned())),
            Err(wrong) => {
                self.wrong(when.span(), wrong);
                None
            }
        }
    }

    fn simulate(&mut self, kind: Kind, file: SimulateFile) -> Simulate {
        for key in file.initial.keys().chain(file.on.iter().flat_map(|on| on.set.keys())) {
            if vocabulary::key_of(kind, key.get_ref()).is_none() {
                self.wrong(key.span(), format!("a {kind} has no state {}", key.get_ref()));
            }
        }
        let initial: BTreeMap<_, _> =
            file.initial.into_iter().map(|(key, value)| (key.into_inner(), value)).collect();
        let places: Vec<_> = initial.keys().map(String::as_str).collect();
        let on = file.on.iter().map(|on| On {
            receive: self.regex(&on.receive),
            when: self.when(kind, on.when.as_ref()),
            set: on.set.iter().map(|(key, value)| (key.get_ref().clone(), value.clone())).collect(),
            reply: self.template(&on.reply, &places),
            always: on.always,
        });
        let on = on.collect();
        Simulate {
            warm: Duration::from_secs(file.warm_s),
            cool: Duration::from_secs(file.cool_s),
            while_changing: file
                .while_changing
                .map(|text| bytes(&self.plain(Some(text))).unwrap_or_default()),
            hexadecimal: file.hexadecimal,
            words: file.words,
            initial,
            on,
        }
    }
}

/// The pattern with a value in its place.
pub(super) fn fill_expected(pattern: &str, place: Option<&str>, value: &str) -> String {
    match place {
        Some(place) => pattern.replace(&format!("{{{place}}}"), &regex::escape(value)),
        None => pattern.to_owned(),
    }
}

/// A number of the device in the vocabulary's range.
pub(super) fn scale(value: i64, from: (i64, i64), to: (i64, i64)) -> i64 {
    let value = value.clamp(from.0, from.1) - from.0;
    let (span, wanted) = (from.1.saturating_sub(from.0).max(1), to.1.saturating_sub(to.0));
    let scaled = (i128::from(value) * i128::from(wanted) + i128::from(span) / 2) / i128::from(span);
    to.0 + i64::try_from(scaled).unwrap_or(wanted)
}

/// The range that the vocabulary has for this state.
pub(super) fn range_of(kind: Kind, key: &str) -> Option<(i64, i64)> {
    match vocabulary::key_of(kind, key)?.values {
        Values::Number(least, most) => Some((least, most)),
        _ => None,
    }
}
