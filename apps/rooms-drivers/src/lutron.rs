//! Lights behind Lutron's integration protocol (RadioRA 2, HomeWorks, QS standalone), telnet.
//!
//! An order is not answered: some systems report the new level, some only after a while, so every
//! line of news is taken as it comes. An order is fulfilled when its level is seen; if it is not,
//! it is asked for once, then the order has failed.

pub mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use self::wire::{LEVEL, Line, OCCUPANCY, SCENE, error_text};
use crate::command::Command;
use crate::driver::{Driver, DriverInfo, Ticket, TimerId};
use crate::io::{Fault, Io, Reason, Refusal};
use crate::lines::Lines;
use crate::settings::{Form, Key, Secret, SettingError, Settings};
use crate::vocabulary::Kind;

const LOG_IN: TimerId = TimerId::new("login");
const CONFIRM: TimerId = TimerId::new("confirm");
const CHECK: TimerId = TimerId::new("check");
const SILENCE: TimerId = TimerId::new("silence");
const LOGIN_WAIT: Duration = Duration::from_secs(10);
/// Fading takes a second; then the level is reported.
const CONFIRM_EVERY: Duration = Duration::from_secs(2);
const CHECK_EVERY: Duration = Duration::from_secs(50);
const SILENCE_AFTER: Duration = Duration::from_secs(10);
/// More orders than this are not kept waiting for their levels.
const ORDERS_MAX: usize = 32;
const PACE_MS: u64 = 50;

pub(crate) const KEYS: &[Key] = &[
    Key::optional("user", Form::Text, "the name to log in with; lutron if it says nothing"),
    Key::optional("password", Form::Secret, "integration if it says nothing"),
    Key::optional("outputs", Form::Integers(1, 99_999), "its zones by name, with their numbers"),
    Key::optional("scenes", Form::IntegersOfNames(0, 100), "levels of zones, by scene"),
    Key::optional("area", Form::Integer(1, 99_999), "the area whose scenes and occupancy count"),
    Key::optional("area_scenes", Form::Integers(0, 64), "the area's own scenes by name"),
    Key::optional("fade_seconds", Form::Integer(0, 60), "how long a change takes"),
];

#[derive(Debug)]
pub(crate) struct Lutron {
    info: DriverInfo,
    user: String,
    password: Secret,
    outputs: Vec<(String, i64)>,
    scenes: Vec<(String, Vec<(String, i64)>)>,
    area: Option<i64>,
    area_scenes: Vec<(String, i64)>,
    fade_seconds: Option<i64>,
    lines: Lines,
    phase: Phase,
    orders: Vec<Order>,
    levels: BTreeMap<i64, u8>,
    area_scene: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    /// Nothing has come, or nothing but noise.
    Opening,
    NamedOurselves,
    GavePassword,
    Ready,
}

/// What somebody wants and the system has not reported yet.
#[derive(Debug)]
struct Order {
    ticket: Ticket,
    /// Outputs and their levels.
    levels: Vec<(i64, u8)>,
    scene: Option<i64>,
    asked_again: bool,
}

impl Lutron {
    pub(crate) fn build(settings: &Settings<'_>) -> Result<Lutron, SettingError> {
        let outputs = settings.integers("outputs");
        let scenes = settings.integers_of_names("scenes");
        for (scene, levels) in &scenes {
            for (zone, _) in levels {
                if !outputs.iter().any(|(output, _)| output == zone) {
                    let key = format!("scenes.{scene}.{zone}");
                    return Err(SettingError::new(key, "there is no such zone among the outputs"));
                }
            }
        }
        let area = settings.integer("area");
        let area_scenes = settings.integers("area_scenes");
        if area.is_none() && !area_scenes.is_empty() {
            return Err(SettingError::new("area", "is missing: the area whose scenes these are"));
        }
        if outputs.is_empty() && area.is_none() {
            return Err(SettingError::new("outputs", "is missing: write outputs, or an area"));
        }
        let scene_names = scenes.iter().map(|(name, _)| name);
        let mut info = DriverInfo::new("lutron", Kind::Lights, &["power"])
            .with_choices("level", outputs.iter().map(|(name, _)| name))
            .with_choices("scene", scene_names.chain(area_scenes.iter().map(|(name, _)| name)))
            .with_pace_ms(PACE_MS);
        if area.is_none() {
            info = info.without_key("occupied");
        }
        let password = Secret("integration".to_owned());
        Ok(Lutron {
            info,
            user: settings.text("user").unwrap_or("lutron").to_owned(),
            password: settings.secret("password").unwrap_or(password),
            outputs,
            scenes,
            area,
            area_scenes,
            fade_seconds: settings.integer("fade_seconds"),
            lines: Lines::new(b"\r\n"),
            phase: Phase::Closed,
            orders: Vec::new(),
            levels: BTreeMap::new(),
            area_scene: None,
        })
    }

    /// A prompt has no end of line.
    fn prompted(&mut self, io: &mut Io) {
        let rest = String::from_utf8_lossy(self.lines.rest()).into_owned();
        let rest = rest.trim();
        if rest.ends_with(wire::LOGIN) {
            self.lines.clear();
            if self.phase == Phase::Opening {
                io.send(format!("{}\r\n", self.user));
                self.phase = Phase::NamedOurselves;
            } else {
                io.fault(Fault::Auth);
            }
        } else if rest.ends_with(wire::PASSWORD) {
            self.lines.clear();
            if self.phase == Phase::NamedOurselves {
                io.send_secret(format!("{}\r\n", self.password.0));
                self.phase = Phase::GavePassword;
            } else {
                io.fault(Fault::Auth);
            }
        } else if wire::PROMPTS.contains(&rest) {
            self.lines.clear();
            self.begin(io);
        }
    }

    fn begin(&mut self, io: &mut Io) {
        if matches!(self.phase, Phase::Ready | Phase::Closed) {
            return;
        }
        self.phase = Phase::Ready;
        io.cancel(LOG_IN);
        io.online();
        // Prompts off; then everything that is news: diagnostics off, zones, occupancy, scenes.
        for (what, how) in [(12, 2), (255, 2), (5, 1), (6, 1), (8, 1)] {
            io.send(Line::new('#', "MONITORING", &[what, how]).to_string());
        }
        for (_, output) in &self.outputs {
            io.send(Line::new('?', "OUTPUT", &[*output, LEVEL]).to_string());
        }
        if let Some(area) = self.area {
            io.send(Line::new('?', "AREA", &[area, SCENE]).to_string());
            io.send(Line::new('?', "AREA", &[area, OCCUPANCY]).to_string());
        }
        io.timer(CHECK, CHECK_EVERY);
    }

    fn news(&mut self, line: &Line, io: &mut Io) {
        match (line.name.as_str(), line.number(0), line.number(1)) {
            ("OUTPUT", Some(output), Some(LEVEL)) => {
                let zone = self.outputs.iter().find(|(_, known)| *known == output);
                if let (Some((zone, _)), Some(percent)) = (zone, line.percent(2)) {
                    io.set(format!("level.{zone}"), percent);
                    self.levels.insert(output, percent);
                    self.report_scene(io);
                    self.seen(
                        |order| order.levels.retain(|wanted| *wanted != (output, percent)),
                        io,
                    );
                }
            }
            ("AREA", area, Some(SCENE)) if area == self.area => {
                self.area_scene = line.number(2);
                let seen = self.area_scene;
                self.report_scene(io);
                self.seen(
                    |order| order.scene = order.scene.filter(|scene| seen != Some(*scene)),
                    io,
                );
            }
            ("AREA", area, Some(OCCUPANCY)) if area == self.area => {
                let occupied = match line.number(2) {
                    Some(3) => "yes",
                    Some(4) => "no",
                    _ => "unknown",
                };
                io.set("occupied", occupied);
            }
            ("ERROR", code, _) => {
                let code = code.unwrap_or_default();
                let text = format!("the lights say error {code}: {}", error_text(code));
                // Errors don't say what they are about; the first order that waits is the likeliest.
                if self.orders.is_empty() {
                    io.log(text);
                } else {
                    let reason = match code {
                        2 | 4 => Reason::Invalid,
                        3 | 6 => Reason::Unsupported,
                        _ => Reason::Rejected,
                    };
                    io.fail(self.orders.remove(0).ticket, Refusal::new(reason, text));
                }
            }
            _ => {}
        }
    }

    /// Something was seen: orders of which nothing is left are fulfilled.
    fn seen(&mut self, strike_out: impl Fn(&mut Order), io: &mut Io) {
        for order in &mut self.orders {
            strike_out(order);
            if order.levels.is_empty() && order.scene.is_none() {
                io.done(order.ticket);
            }
        }
        self.orders.retain(|order| !order.levels.is_empty() || order.scene.is_some());
    }

    /// The scene is what the levels say that it is, else what the area says.
    fn report_scene(&self, io: &mut Io) {
        let holds = |levels: &[(String, i64)]| {
            levels.iter().all(|(zone, percent)| {
                let output = self.outputs.iter().find(|(name, _)| name == zone);
                let level = output.and_then(|(_, output)| self.levels.get(output));
                level.is_some_and(|level| i64::from(*level) == *percent)
            })
        };
        let by_levels = self.scenes.iter().find(|(_, levels)| holds(levels)).map(|(name, _)| name);
        let of_area = || {
            let scene = self.area_scene?;
            self.area_scenes.iter().find(|(_, number)| *number == scene).map(|(name, _)| name)
        };
        io.set("scene", by_levels.or_else(of_area).map_or("none", String::as_str));
    }

    fn order(&self, command: &Command, ticket: Ticket) -> Result<Order, Refusal> {
        let levels = |levels| Order { ticket, levels, scene: None, asked_again: false };
        let output_of = |zone: &str| {
            let known = || self.outputs.iter().map(|(name, _)| name);
            let output = self.outputs.iter().find(|(name, _)| name == zone);
            output
                .map(|(_, output)| *output)
                .ok_or_else(|| Refusal::unknown_name("zone", zone, known()))
        };
        let scene = |name: &str| -> Option<Order> {
            if let Some((_, of_zones)) = self.scenes.iter().find(|(scene, _)| scene == name) {
                let of_zones = of_zones.iter().filter_map(|(zone, percent)| {
                    Some((output_of(zone).ok()?, u8::try_from(*percent).ok()?))
                });
                return Some(levels(of_zones.collect()));
            }
            let (_, number) = self.area_scenes.iter().find(|(scene, _)| scene == name)?;
            Some(Order { ticket, levels: Vec::new(), scene: Some(*number), asked_again: false })
        };
        match command {
            Command::Level { zone, percent } => {
                Ok(levels(vec![(output_of(zone)?, *percent.min(&100))]))
            }
            Command::Scene(name) => scene(name).ok_or_else(|| {
                let known = self.scenes.iter().map(|(name, _)| name);
                let known = known.chain(self.area_scenes.iter().map(|(name, _)| name));
                Refusal::unknown_name("scene", name, known)
            }),
            Command::Power(on) => Ok(scene(if *on { "on" } else { "off" }).unwrap_or_else(|| {
                let percent = if *on { 100 } else { 0 };
                levels(self.outputs.iter().map(|(_, output)| (*output, percent)).collect())
            })),
            _ => Err(Reason::Unsupported.into()),
        }
    }

    fn send(&self, order: &Order, io: &mut Io) {
        for (output, percent) in &order.levels {
            let mut line = Line::new('#', "OUTPUT", &[*output, LEVEL, i64::from(*percent)]);
            line.fields.extend(self.fade_seconds.map(|seconds| format!("00:{seconds:02}")));
            io.send(line.to_string());
        }
        if let (Some(area), Some(scene)) = (self.area, order.scene) {
            io.send(Line::new('#', "AREA", &[area, SCENE, scene]).to_string());
        }
    }

    /// Asks for what has not been seen; what has been asked for once has failed.
    fn confirm(&mut self, io: &mut Io) {
        for order in self.orders.extract_if(.., |order| order.asked_again) {
            let text = "the lights were told, but do not report that it is so";
            io.fail(order.ticket, Refusal::new(Reason::Timeout, text));
        }
        for order in &mut self.orders {
            order.asked_again = true;
            for (output, _) in &order.levels {
                io.send(Line::new('?', "OUTPUT", &[*output, LEVEL]).to_string());
            }
            if let (Some(area), Some(_)) = (self.area, order.scene) {
                io.send(Line::new('?', "AREA", &[area, SCENE]).to_string());
            }
        }
        if !self.orders.is_empty() {
            io.timer(CONFIRM, CONFIRM_EVERY);
        }
    }
}

impl Driver for Lutron {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn opened(&mut self, io: &mut Io) {
        self.lines.clear();
        self.levels.clear();
        self.area_scene = None;
        self.phase = Phase::Opening;
        io.timer(LOG_IN, LOGIN_WAIT);
    }

    fn closed(&mut self, io: &mut Io) {
        self.phase = Phase::Closed;
        for order in self.orders.drain(..) {
            io.fail(order.ticket, Reason::Offline);
        }
    }

    fn bytes(&mut self, data: &[u8], io: &mut Io) {
        // A prompt has no end, so what has come is looked at after every byte.
        for byte in data {
            for line in self.lines.push(&[*byte]) {
                match Line::parse(&line) {
                    Some(line) if self.phase == Phase::Ready => {
                        io.cancel(SILENCE);
                        if line.sign == '~' {
                            self.news(&line, io);
                        }
                    }
                    _ => io.log(format!("not understood: {line:?}")),
                }
            }
            if matches!(byte, b'>' | b':') {
                self.prompted(io);
            }
        }
    }

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        let order = self.order(command, ticket)?;
        if self.phase != Phase::Ready {
            return Err(Reason::Offline.into());
        }
        if order.levels.is_empty() && order.scene.is_none() {
            return Err(Refusal::new(Reason::Unsupported, "no zones are named for this"));
        }
        if self.orders.len() == ORDERS_MAX {
            return Err(Reason::Busy.into());
        }
        self.send(&order, io);
        let fade = self.fade_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        io.timer(CONFIRM, CONFIRM_EVERY + Duration::from_secs(fade.unwrap_or_default()));
        self.orders.push(order);
        Ok(())
    }

    fn timer(&mut self, timer: TimerId, io: &mut Io) {
        if timer == LOG_IN || timer == SILENCE {
            io.fault(Fault::NoResponse);
        } else if timer == CONFIRM {
            self.confirm(io);
        } else if timer == CHECK {
            let question = match self.outputs.first() {
                Some((_, output)) => Line::new('?', "OUTPUT", &[*output, LEVEL]),
                None => Line::new('?', "AREA", &[self.area.unwrap_or_default(), SCENE]),
            };
            io.send(question.to_string());
            io.timer(CHECK, CHECK_EVERY);
            io.timer(SILENCE, SILENCE_AFTER);
        }
    }
}
