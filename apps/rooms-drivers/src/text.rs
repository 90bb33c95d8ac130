//! Devices that are described in a file in place of being programmed: what is sent for a command,
//! how its answer looks, and what frames say of the device's states.
//!
//! Every frame is news, asked for or not. A command is accepted when a frame comes that it expects;
//! a question is answered by any frame that says something. `devices/` holds what is compiled in.

mod description;
mod frames;
mod simulated;
mod template;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use regex::Regex;

pub use self::description::{DescriptionError, TextDevice};
use self::description::{Poll, Status, TextCommand, fill_expected, range_of, scale};
use self::frames::Frames;
pub use self::simulated::Simulated;
use self::template::Template;
use crate::command::{Command, Move, PresetAction, RelayAction, Volume, Zoom};
use crate::driver::{CommandInfo, Driver, DriverInfo, Ticket, TimerId};
use crate::exchange::{Exchange, REPLY, Request};
use crate::io::{Io, Reason, Refusal};
use crate::settings::{Form, Key, Settings};
use crate::vocabulary;

const POLL: &str = "poll";
const GAP: TimerId = TimerId::new("gap");
/// After somebody has pressed power, until it is so.
const POLL_QUICKLY_EVERY: Duration = Duration::from_secs(2);
const QUICK_POLLS: u32 = 60;

/// The devices that are compiled in.
#[must_use]
pub fn devices() -> &'static [Arc<TextDevice>] {
    static DEVICES: LazyLock<Vec<Arc<TextDevice>>> = LazyLock::new(|| {
        let sources = [
            include_str!("../devices/benq.toml"),
            include_str!("../devices/epson-vp21.toml"),
            include_str!("../devices/lg-display.toml"),
        ];
        let device = |source| TextDevice::parse(source).expect("a test reads every one of them");
        sources.into_iter().map(|source| Arc::new(device(source))).collect()
    });
    &DEVICES
}

/// The settings that a described device takes.
pub(crate) fn keys(device: &TextDevice) -> Vec<Key> {
    let inputs = "its inputs by name, in the device's words, in place of those described";
    let has_inputs = device.commands.contains_key("input");
    let inputs = has_inputs.then(|| Key::optional("inputs", Form::Texts, inputs));
    let own = device.settings.iter().map(|(name, setting)| Key {
        name: name.clone().into(),
        form: Form::Text,
        required: false,
        about: format!("{}; {:?} if it says nothing", setting.about, setting.default).into(),
    });
    inputs.into_iter().chain(own).collect()
}

#[derive(Debug)]
pub(crate) struct Text {
    info: DriverInfo,
    device: Arc<TextDevice>,
    settings: Vec<(String, String)>,
    /// Inputs by name, in the device's words.
    inputs: BTreeMap<String, String>,
    frames: Frames,
    exchange: Exchange<What>,
    is_open: bool,
    is_online: bool,
    /// How the acceptance of the command under way looks.
    expected: Option<Regex>,
    /// An echo of what was sent is still to come.
    awaits_echo: bool,
    states: BTreeMap<String, String>,
    wanted_power: Option<&'static str>,
    quick_polls: u32,
    /// Questions that the device does not know.
    unknown: Vec<(usize, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// Which command, and what is in its place.
    Command(&'static str, Option<String>),
    /// Which question of which poll.
    Question(usize, usize),
}

impl Text {
    pub(crate) fn build(device: &Arc<TextDevice>, settings: &Settings<'_>) -> Text {
        let own = device.settings.iter().map(|(name, setting)| {
            let value = settings.text(name).unwrap_or(&setting.default);
            (name.clone(), value.to_owned())
        });
        let mut inputs: BTreeMap<_, _> = settings.texts("inputs").into_iter().collect();
        if let Some(input) = device.commands.get("input").filter(|_| inputs.is_empty()) {
            inputs.clone_from(&input.values);
        }
        Text {
            info: info(device, &inputs),
            settings: own.collect(),
            inputs,
            frames: Frames::new(device.read.clone()),
            device: Arc::clone(device),
            exchange: Exchange::new(),
            is_open: false,
            is_online: false,
            expected: None,
            awaits_echo: false,
            states: BTreeMap::new(),
            wanted_power: None,
            quick_polls: 0,
            unknown: Vec::new(),
        }
    }

    fn frame(&self, send: &Template, place: Option<(&str, &str)>) -> Vec<u8> {
        let value = |name: &str| match place {
            Some((place, value)) if place == name => Some(value),
            _ => self.settings.iter().find(|(known, _)| known == name).map(|(_, v)| v.as_str()),
        };
        let frame = [&self.device.start, send.fill(value).as_str(), &self.device.end].concat();
        // What settings hold beyond a byte can't be sent; it is left out.
        frame.chars().filter_map(|char| u8::try_from(char).ok()).collect()
    }

    fn is_so(&self, when: Option<&(String, String)>) -> bool {
        when.is_none_or(|(key, value)| self.states.get(key) == Some(value))
    }

    /// Asks what this poll asks, if its time has come.
    fn poll(&mut self, at: usize) {
        let device = Arc::clone(&self.device);
        let Some(poll) = device.polls.get(at).filter(|poll| self.is_so(poll.when.as_ref())) else {
            return;
        };
        for (question, send) in poll.send.iter().enumerate() {
            if !self.unknown.contains(&(at, question)) {
                let bytes = self.frame(send, None);
                self.exchange.poll(What::Question(at, question), bytes, device.reply);
            }
        }
    }

    fn poll_all(&mut self) {
        (0..self.device.polls.len()).for_each(|at| self.poll(at));
    }

    fn set_timer(&mut self, at: usize, poll: &Poll, io: &mut Io) {
        let quickly = self.wanted_power.is_some() && self.quick_polls > 0 && poll.when.is_none();
        let every = if quickly { poll.every.min(POLL_QUICKLY_EVERY) } else { poll.every };
        self.quick_polls = self.quick_polls.saturating_sub(u32::from(quickly));
        io.timer(poll_timer(at), every);
    }

    fn heard(&mut self, frame: &str, io: &mut Io) {
        if let Some(asked) = self.exchange.asked_request().filter(|_| self.awaits_echo) {
            let sent = template::characters(&asked.bytes);
            if frame.contains(sent.trim()) {
                self.awaits_echo = false;
                return;
            }
        }
        let device = Arc::clone(&self.device);
        let error = device.errors.iter().find(|(pattern, _)| pattern.is_match(frame));
        let status = device.statuses.iter().find(|status| status.pattern.is_match(frame));
        let expected = match self.exchange.asked() {
            Some(What::Command(..)) => {
                self.expected.as_ref().is_some_and(|expected| expected.is_match(frame))
            }
            Some(What::Question(..)) => status.is_some(),
            None => false,
        };
        if !self.is_online && (expected || error.is_some() || status.is_some()) {
            self.is_online = true;
            io.online();
        }
        if let Some(status) = status {
            self.report(status, frame, io);
        }
        if let Some((_, reason)) = error.filter(|_| !expected) {
            if let Some(request) = self.exchange.answered(io) {
                if let (What::Question(poll, question), Reason::Unsupported) =
                    (&request.what, reason)
                {
                    self.unknown.push((*poll, *question));
                }
                request.finish(Err((*reason).into()), io);
            }
        } else if expected && let Some(request) = self.exchange.answered(io) {
            request.finish(Ok(()), io);
            self.accepted(&request.what, io);
        } else if status.is_none() {
            io.log(format!("not understood: {frame:?}"));
        }
    }

    fn accepted(&mut self, what: &What, io: &mut Io) {
        let What::Command(name, _) = what else { return };
        self.wanted_power = match *name {
            "power_on" => Some("on"),
            "power_off" => Some("off"),
            _ => self.wanted_power,
        };
        if name.starts_with("power") {
            self.quick_polls = QUICK_POLLS;
            let device = Arc::clone(&self.device);
            for (at, poll) in device.polls.iter().enumerate() {
                self.set_timer(at, poll, io);
            }
        } else {
            self.poll_all();
        }
    }

    fn report(&mut self, status: &Status, frame: &str, io: &mut Io) {
        let Some(groups) = status.pattern.captures(frame) else { return };
        for (key, value) in &status.set {
            let group = value.strip_prefix('$').and_then(|group| group.parse::<usize>().ok());
            let said = match group {
                Some(group) => groups.get(group).map_or("", |group| group.as_str()),
                None => value,
            };
            if let Some(value) = self.value_of(status, key, said) {
                self.set(key, &value, io);
            }
        }
    }

    /// What the device said, in the vocabulary's words; none if they have none for it.
    fn value_of(&self, status: &Status, key: &str, said: &str) -> Option<String> {
        let kind = self.device.kind;
        if let Some(words) = status.values.get(key) {
            return words.get(said).cloned();
        }
        if key == "input" {
            let named = self.inputs.iter().find(|(_, word)| word.eq_ignore_ascii_case(said));
            return Some(named.map_or_else(|| vocabulary::text(said), |(name, _)| name.clone()));
        }
        if let Some(to) = range_of(kind, key) {
            let is_hexadecimal = status.hexadecimal.iter().any(|hexadecimal| hexadecimal == key);
            let number = i64::from_str_radix(said, if is_hexadecimal { 16 } else { 10 }).ok()?;
            return Some(match status.range.get(key) {
                Some(from) => scale(number, *from, to).to_string(),
                None => number.clamp(to.0, to.1).to_string(),
            });
        }
        let lower = said.to_ascii_lowercase();
        let fits = |value: &String| vocabulary::check(kind, key, value).is_ok();
        let is_words = vocabulary::check(kind, key, "no such word").is_err();
        Some(if is_words { lower } else { vocabulary::text(said) }).filter(fits)
    }

    fn set(&mut self, key: &str, value: &str, io: &mut Io) {
        io.set(key, value);
        if key == "power" && self.wanted_power.is_some_and(|wanted| wanted == value) {
            self.wanted_power = None;
        }
        let was = self.states.insert(key.to_owned(), value.to_owned());
        if was.as_deref() != Some(value) {
            // What is only asked in this state is asked now.
            let device = Arc::clone(&self.device);
            for (at, poll) in device.polls.iter().enumerate() {
                if poll.when.as_ref().is_some_and(|(of, wanted)| of == key && *wanted == value) {
                    self.poll(at);
                }
            }
        }
    }

    /// The described command for what is wanted, and what goes into its place.
    fn request(&self, command: &Command) -> Result<(&'static str, Option<String>), Refusal> {
        let plain = |name| Ok((name, None));
        match command {
            Command::Power(on) => plain(if *on { "power_on" } else { "power_off" }),
            Command::Blank(on) => plain(if *on { "blank_on" } else { "blank_off" }),
            Command::Mute(on) => plain(if *on { "mute_on" } else { "mute_off" }),
            Command::Input(input) => match self.inputs.get(input) {
                Some(word) => Ok(("input", Some(word.clone()))),
                None => Err(Refusal::unknown_name("input", input, self.inputs.keys())),
            },
            Command::Volume(volume) => self.volume(*volume),
            Command::Move(Move::Stop) => plain("move_stop"),
            Command::Move(Move::Home) => plain("move_home"),
            Command::Move(Move::Toward(heading, _)) => match heading.word() {
                "left" => plain("move_left"),
                "right" => plain("move_right"),
                "up" => plain("move_up"),
                "down" => plain("move_down"),
                _ => Err(Reason::Unsupported.into()),
            },
            Command::Zoom(Zoom::In) => plain("zoom_in"),
            Command::Zoom(Zoom::Out) => plain("zoom_out"),
            Command::Zoom(Zoom::Stop) => plain("zoom_stop"),
            Command::Preset(PresetAction::Recall, number) => {
                Ok(("preset_recall", Some(number.to_string())))
            }
            Command::Preset(PresetAction::Save, number) => {
                Ok(("preset_save", Some(number.to_string())))
            }
            Command::Scene(scene) => self.named("scene", scene),
            Command::Relay(relay, RelayAction::Pulse) => self.named("relay_pulse", relay),
            _ => Err(Reason::Unsupported.into()),
        }
    }

    fn named(
        &self,
        command: &'static str,
        name: &str,
    ) -> Result<(&'static str, Option<String>), Refusal> {
        let known = self.device.commands.get(command).ok_or(Reason::Unsupported)?;
        match known.values.get(name) {
            Some(value) => Ok((command, Some(value.clone()))),
            None => Err(Refusal::unknown_name(command, name, known.values.keys())),
        }
    }

    fn volume(&self, volume: Volume) -> Result<(&'static str, Option<String>), Refusal> {
        let now = self.states.get("volume").and_then(|volume| volume.parse().ok());
        match (self.device.commands.get("volume"), volume.from(now), volume) {
            (Some(TextCommand { range, .. }), Some(percent), _) => {
                let level =
                    range.map_or(percent.into(), |range| scale(percent.into(), (0, 100), range));
                Ok(("volume", Some(level.to_string())))
            }
            (Some(_), None, _) => Err(Reason::NotNow.into()),
            (None, _, Volume::By(by)) if by < 0 => Ok(("volume_down", None)),
            (None, _, Volume::By(_)) => Ok(("volume_up", None)),
            (None, _, Volume::To(_)) => Err(Reason::Unsupported.into()),
        }
    }

    fn next(&mut self, io: &mut Io) {
        loop {
            let was_idle = self.exchange.asked().is_none();
            self.exchange.next(io);
            let Some(asked) = self.exchange.asked().filter(|_| was_idle) else { return };
            self.awaits_echo = self.device.skips_echo;
            let expects = match asked {
                What::Command(name, value) => {
                    let expect = self.device.commands.get(*name).and_then(|it| it.expect.as_ref());
                    self.expected = expect.and_then(|expect| {
                        let value = value.as_deref().unwrap_or_default();
                        Regex::new(&fill_expected(expect, Some(place_of(name)), value)).ok()
                    });
                    self.expected.is_some()
                }
                What::Question(..) => true,
            };
            if expects {
                return;
            }
            // Nothing is answered to this: sent is accepted.
            if let Some(request) = self.exchange.answered(io) {
                request.finish(Ok(()), io);
                self.accepted(&request.what, io);
            }
        }
    }
}

impl Driver for Text {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.frames.clear();
        self.states.clear();
        self.unknown.clear();
        (self.is_open, self.is_online, self.awaits_echo) = (true, false, false);
        self.wanted_power = None;
        self.poll_all();
        let device = Arc::clone(&self.device);
        for (at, poll) in device.polls.iter().enumerate() {
            self.set_timer(at, poll, io);
        }
        self.next(io);
    }

    fn closed(&mut self, io: &mut Io) {
        self.is_open = false;
        self.exchange.close(io);
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        for byte in data {
            if let Some(frame) = self.frames.push(*byte) {
                self.heard(&frame, io);
                self.next(io);
            }
        }
        if self.frames.is_unfinished() {
            io.timer(GAP, self.device.gap);
        } else {
            io.cancel(GAP);
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let (name, value) = self.request(command)?;
        let device = Arc::clone(&self.device);
        let described = device.commands.get(name).ok_or(Reason::Unsupported)?;
        if !self.is_open {
            return Err(Reason::Offline.into());
        }
        let filled = value.as_deref().map(|value| (place_of(name), value));
        let bytes = self.frame(&described.send, filled);
        let what = What::Command(name, value);
        let request = Request { what, bytes, ticket: Some(ticket), wait: described.reply };
        if command.is_stop() {
            let verb = command.name();
            let in_vain =
                |what: &What| matches!(what, What::Command(of, _) if of.starts_with(verb));
            self.exchange.overtake(request, in_vain, io);
        } else {
            self.exchange.command(request)?;
        }
        self.next(io);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == REPLY {
            self.exchange.timed_out(io);
        } else if timer == GAP {
            self.frames.clear();
        } else {
            let at = usize::from(timer.number()).saturating_sub(1);
            let device = Arc::clone(&self.device);
            if let Some(poll) = device.polls.get(at).filter(|_| timer == poll_timer(at)) {
                self.poll(at);
                self.set_timer(at, poll, io);
            }
        }
        self.next(io);
    }
}

/// The place of a command has the name of what it is about.
fn place_of(command: &str) -> &str {
    command.split('_').next().unwrap_or(command)
}

fn poll_timer(at: usize) -> TimerId {
    TimerId::numbered(POLL, u16::try_from(at + 1).unwrap_or(u16::MAX))
}

fn info(device: &TextDevice, inputs: &BTreeMap<String, String>) -> DriverInfo {
    let mut info = DriverInfo::new(&format!("text:{}", device.name), device.kind, &[]);
    for name in vocabulary::commands(device.kind) {
        let is_of = |command: &&String| command.split('_').next() == Some(*name);
        let Some(described) = device.commands.keys().find(is_of) else { continue };
        let values = &device.commands[described].values;
        let choices = if *name == "input" { inputs.keys() } else { values.keys() };
        info.commands.push(CommandInfo { name, choices: choices.cloned().collect() });
    }
    info.keys.retain(|key| {
        device.statuses.iter().flat_map(|status| &status.set).any(|(set, _)| {
            vocabulary::key_of(device.kind, set).is_some_and(|known| known.name == *key)
        })
    });
    info.pace = device.pace;
    info
}
