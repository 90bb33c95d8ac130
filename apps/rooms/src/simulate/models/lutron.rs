//! Lights behind Lutron's integration protocol. A change takes its fade, then it is reported.

use std::collections::BTreeMap;
use std::time::Duration;

use rooms_drivers::Lines;
use rooms_drivers::lutron::wire::{LEVEL, LOGIN, Line, OCCUPANCY, PASSWORD, PROMPTS, SCENE};
use rooms_files::{Device, Secret};

use super::super::model::{Defect, Model, Out, no_button, state};

const FADE: Duration = Duration::from_secs(1);
const FADE_SECONDS_MAX: u64 = 3600;
const NO_SUCH_OBJECT: i64 = 2;
const NO_SUCH_ACTION: i64 = 3;
const OUT_OF_RANGE: i64 = 4;
const MALFORMED: i64 = 5;
/// An output's actions beside the level: as bright or as dark as can be, and stop.
const RAISE: i64 = 2;
const LOWER: i64 = 3;
const STOP: i64 = 4;

#[derive(Debug)]
pub(super) struct Lutron {
    user: String,
    password: String,
    has_other_password: bool,
    names: BTreeMap<i64, String>,
    levels: BTreeMap<i64, u8>,
    area: Option<i64>,
    scene: i64,
    is_occupied: bool,
    lines: Lines,
    session: Session,
    prompts: bool,
    /// What is on its way: when it is there, output and level.
    fades: Vec<(Duration, i64, u8)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Session {
    WantsName,
    WantsPassword { name_is_right: bool },
    Ready,
}

impl Lutron {
    pub(super) fn new(device: &Device) -> Lutron {
        let outputs = device.settings.get("outputs").and_then(toml::Value::as_table);
        let names: BTreeMap<_, _> = outputs
            .into_iter()
            .flatten()
            .filter_map(|(name, output)| Some((output.as_integer()?, name.clone())))
            .collect();
        let user = device.settings.get("user").and_then(toml::Value::as_str);
        let password = device.password.as_ref().map(Secret::expose);
        Lutron {
            user: user.unwrap_or("lutron").to_owned(),
            password: password.unwrap_or("integration").to_owned(),
            has_other_password: false,
            levels: names.keys().map(|output| (*output, 0)).collect(),
            names,
            area: device.settings.get("area").and_then(toml::Value::as_integer),
            scene: 0,
            is_occupied: false,
            lines: Lines::new(b"\r\n"),
            session: Session::WantsName,
            prompts: true,
            fades: Vec::new(),
        }
    }

    fn heard(&mut self, line: &str, out: &mut Out) {
        match self.session {
            Session::WantsName => {
                let name_is_right = line.trim() == self.user;
                self.session = Session::WantsPassword { name_is_right };
                out.send(format!("{PASSWORD} "));
            }
            Session::WantsPassword { name_is_right } => {
                if name_is_right && line.trim() == self.password && !self.has_other_password {
                    self.session = Session::Ready;
                    self.prompts = true;
                    out.send(format!("\r\n{} ", PROMPTS[0]));
                } else {
                    self.session = Session::WantsName;
                    out.send(format!("bad login\r\n{LOGIN} "));
                }
            }
            Session::Ready => {
                if let Err(code) = self.line(line, out) {
                    out.send(Line::new('~', "ERROR", &[code]).to_string());
                }
                if self.prompts {
                    out.send(format!("{} ", PROMPTS[0]));
                }
            }
        }
    }

    fn line(&mut self, line: &str, out: &mut Out) -> Result<(), i64> {
        let line = Line::parse(line).ok_or(MALFORMED)?;
        let (Some(id), Some(action)) = (line.number(0), line.number(1)) else {
            return Err(MALFORMED);
        };
        match (line.sign, line.name.as_str(), action) {
            ('#', "MONITORING", on) => {
                if id == 12 {
                    self.prompts = on == 1;
                }
                Ok(())
            }
            ('?', "OUTPUT", LEVEL) => {
                let level = *self.levels.get(&id).ok_or(NO_SUCH_OBJECT)?;
                self.report(id, level, out);
                Ok(())
            }
            ('#', "OUTPUT", LEVEL | RAISE | LOWER | STOP) => self.order(&line, id, action, out),
            (sign, "AREA", SCENE) if self.area == Some(id) => {
                if sign == '#' {
                    self.scene = line.number(2).ok_or(MALFORMED)?;
                }
                out.send(Line::new('~', "AREA", &[id, SCENE, self.scene]).to_string());
                Ok(())
            }
            ('?', "AREA", OCCUPANCY) if self.area == Some(id) => {
                self.report_occupied(id, out);
                Ok(())
            }
            ('#', "DEVICE", _) => {
                out.send(Line { sign: '~', ..line }.to_string());
                Ok(())
            }
            (_, "OUTPUT" | "AREA", SCENE | OCCUPANCY | LEVEL) => Err(NO_SUCH_OBJECT),
            _ => Err(NO_SUCH_ACTION),
        }
    }

    fn order(&mut self, line: &Line, output: i64, action: i64, out: &mut Out) -> Result<(), i64> {
        let now = *self.levels.get(&output).ok_or(NO_SUCH_OBJECT)?;
        let level = match action {
            LEVEL => line.percent(2).ok_or(OUT_OF_RANGE)?,
            RAISE => 100,
            LOWER => 0,
            _ => now,
        };
        let fade =
            line.fields.get(3).and_then(|fade| seconds(fade)).map_or(FADE, Duration::from_secs);
        self.fades.retain(|(_, fading, _)| *fading != output);
        self.fades.push((out.now + fade, output, level));
        Ok(())
    }

    fn report(&self, output: i64, level: u8, out: &mut Out) {
        if self.session == Session::Ready {
            out.send(format!("~OUTPUT,{output},{LEVEL},{level}.00\r\n"));
        }
    }

    fn report_occupied(&self, area: i64, out: &mut Out) {
        let occupied = if self.is_occupied { 3 } else { 4 };
        out.send(Line::new('~', "AREA", &[area, OCCUPANCY, occupied]).to_string());
    }
}

/// `SS`, `MM:SS` or `HH:MM:SS`.
fn seconds(fade: &str) -> Option<u64> {
    fade.split(':').try_fold(0_u64, |sum, part| {
        let part: u64 = part.trim().parse().ok()?;
        Some((sum.checked_mul(60)?.checked_add(part)?).min(FADE_SECONDS_MAX))
    })
}

impl Model for Lutron {
    fn opened(&mut self, out: &mut Out) {
        self.lines.clear();
        self.session = Session::WantsName;
        out.send(format!("{LOGIN} "));
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        for line in self.lines.push(data) {
            self.heard(&line, out);
        }
    }

    fn due(&self) -> Option<Duration> {
        self.fades.iter().map(|(at, ..)| *at).min()
    }

    fn tick(&mut self, out: &mut Out) {
        let done: Vec<_> = self.fades.extract_if(.., |(at, ..)| *at <= out.now).collect();
        for (_, output, level) in done {
            self.levels.insert(output, level);
            self.report(output, level, out);
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        let levels = self.names.iter();
        let mut states: Vec<_> = levels
            .map(|(output, name)| state(format!("level.{name}"), self.levels[output]))
            .collect();
        if self.area.is_some() {
            states.push(state("occupied", if self.is_occupied { "yes" } else { "no" }));
        }
        states
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        if let ("occupied", Some(area)) = (button, self.area) {
            self.is_occupied = !self.is_occupied;
            if self.session == Session::Ready {
                self.report_occupied(area, out);
            }
            return Ok(());
        }
        let Some((&output, _)) = self.names.iter().find(|(_, name)| *name == button) else {
            let zones = self.names.values().map(String::as_str);
            return Err(no_button(button, zones.chain(self.area.map(|_| "occupied"))));
        };
        let level = if self.levels[&output] == 0 { 100 } else { 0 };
        self.levels.insert(output, level);
        self.report(output, level, out);
        Ok(())
    }

    fn defect(&mut self, defect: &Defect) -> Result<(), String> {
        self.has_other_password = defect.is_other_password()?;
        Ok(())
    }
}
