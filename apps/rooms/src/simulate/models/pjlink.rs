//! A projector that speaks PJLink, class 2.
//!
//! In standby and while its power changes it takes no input and no mute (`ERR3`), as many do. It
//! closes a connection that is idle for 30 s.

use std::time::Duration;

use rooms_drivers::Lines;
use rooms_drivers::pjlink::wire::{self, Answer, Greeting, Reply, Request};
use rooms_files::Device;

use super::super::model::{Defect, Model, Out, Power, no_button, state};

const IDLE_MAX: Duration = Duration::from_secs(30);
const LAMP_HOURS: u32 = 812;

#[derive(Debug)]
pub(super) struct PjLink {
    password: Option<String>,
    has_other_password: bool,
    /// Names and what the projector calls them.
    inputs: Vec<(String, String)>,
    errors: String,
    power: Power,
    input: String,
    blank: bool,
    mute: bool,
    lines: Lines,
    login: Login,
    idle_at: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq)]
enum Login {
    /// The number that the digest is made of.
    Wanted(String),
    WantedSha256([u8; 16]),
    Done,
}

impl PjLink {
    pub(super) fn new(device: &Device) -> PjLink {
        let inputs = device.settings.get("inputs").and_then(toml::Value::as_table);
        let inputs = inputs
            .into_iter()
            .flatten()
            .filter_map(|(name, code)| Some((name.clone(), code.as_str()?.to_ascii_uppercase())));
        let inputs: Vec<_> = inputs.collect();
        let seconds =
            |seconds: Option<u16>, usual| Duration::from_secs(seconds.map_or(usual, u64::from));
        PjLink {
            password: device.password.as_ref().map(|password| password.expose().to_owned()),
            has_other_password: false,
            input: inputs.first().map_or_else(|| "31".to_owned(), |(_, code)| code.clone()),
            inputs,
            errors: "000000".to_owned(),
            power: Power::new(seconds(device.warm_seconds, 3), seconds(device.cool_seconds, 2)),
            blank: false,
            mute: false,
            lines: Lines::new(wire::ENDS),
            login: Login::Done,
            idle_at: None,
        }
    }

    fn heard(&mut self, line: &str, out: &mut Out) {
        if line.trim() == wire::WANT_SHA256.trim_end() {
            let mut number = [0; 16];
            out.random.fill(&mut number);
            self.login = Login::WantedSha256(number);
            return out.send(Greeting::Sha256(number).to_string());
        }
        let Some(request) = Request::parse(line) else { return };
        if !self.logs_in(&request.login) {
            return out.send(Greeting::Refused.to_string());
        }
        let answer = self.answer(&request.command, request.argument.trim(), out.now);
        let reply = Reply { class: request.class, command: request.command, answer };
        out.send(reply.to_string());
    }

    /// Whether this is somebody who may speak to it.
    fn logs_in(&mut self, login: &str) -> bool {
        let password = self.password.as_deref().unwrap_or_default();
        let is_right = match &self.login {
            Login::Done => true,
            Login::Wanted(random) => login.eq_ignore_ascii_case(&wire::md5_login(random, password)),
            Login::WantedSha256(projector) => controller(login).is_some_and(|controller| {
                login.eq_ignore_ascii_case(&wire::sha256_login(*projector, controller, password))
            }),
        };
        if is_right && !self.has_other_password {
            self.login = Login::Done;
        }
        is_right && !self.has_other_password
    }

    fn answer(&mut self, command: &str, argument: &str, now: Duration) -> Answer {
        let value = |text: &str| Answer::Value(text.to_owned());
        let is_on = self.power.is_on();
        match (command, argument) {
            ("POWR", "?") => value(match self.power.word() {
                "on" => "1",
                "cooling" => "2",
                "warming" => "3",
                _ => "0",
            }),
            ("POWR", "0" | "1") => {
                let on = argument == "1";
                let is_so = self.power.word() == if on { "warming" } else { "cooling" };
                if self.power.is_changing() && !is_so {
                    return Answer::Unavailable;
                }
                self.power.switch(on, now);
                Answer::Ok
            }
            ("INPT" | "AVMT" | "SVOL" | "MVOL" | "FREZ", _) if !is_on => Answer::Unavailable,
            ("INPT", "?") => value(&self.input),
            ("INPT", code) if self.inputs.iter().any(|(_, known)| known == code) => {
                code.clone_into(&mut self.input);
                Answer::Ok
            }
            ("INST", "?") => {
                let codes: Vec<_> = self.inputs.iter().map(|(_, code)| code.as_str()).collect();
                value(&codes.join(" "))
            }
            ("AVMT", "?") => value(match (self.blank, self.mute) {
                (false, false) => "30",
                (true, false) => "11",
                (false, true) => "21",
                (true, true) => "31",
            }),
            ("AVMT", "10" | "11" | "20" | "21" | "30" | "31") => {
                let on = argument.ends_with('1');
                if !argument.starts_with('2') {
                    self.blank = on;
                }
                if !argument.starts_with('1') {
                    self.mute = on;
                }
                Answer::Ok
            }
            ("SVOL" | "MVOL" | "FREZ", "0" | "1") => Answer::Ok,
            ("ERST", "?") => value(&self.errors),
            ("LAMP", "?") => value(&format!("{LAMP_HOURS} {}", u8::from(is_on))),
            ("CLSS", "?") => value("2"),
            ("NAME", "?") => value("Projector"),
            ("INF1", "?") => value("Simulated"),
            ("INF2", "?") => value("Simulated PJ-2"),
            ("INFO", "?") => value(""),
            ("POWR" | "INPT" | "AVMT" | "SVOL" | "MVOL" | "FREZ", _) => Answer::OutOfParameter,
            _ => Answer::Undefined,
        }
    }
}

/// The controller's number, which a SHA-256 login begins with.
fn controller(login: &str) -> Option<[u8; 16]> {
    let mut number = [0; 16];
    for (at, byte) in number.iter_mut().enumerate() {
        *byte = u8::from_str_radix(login.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(number)
}

impl Model for PjLink {
    fn opened(&mut self, out: &mut Out) {
        self.lines.clear();
        self.idle_at = Some(out.after_silence(IDLE_MAX));
        if self.password.is_some() || self.has_other_password {
            let random = format!("{:08x}", out.random.u32(..));
            self.login = Login::Wanted(random.clone());
            out.send(Greeting::Md5(random).to_string());
        } else {
            self.login = Login::Done;
            out.send(Greeting::Open.to_string());
        }
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        self.idle_at = Some(out.after_silence(IDLE_MAX));
        for line in self.lines.push(data) {
            self.heard(&line, out);
        }
    }

    fn due(&self) -> Option<Duration> {
        self.power.due().into_iter().chain(self.idle_at).min()
    }

    fn tick(&mut self, out: &mut Out) {
        self.power.tick(out.now);
        if self.idle_at.is_some_and(|at| at <= out.now) {
            self.idle_at = None;
            out.close();
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        let switch = rooms_drivers::vocabulary::switch;
        let named = self.inputs.iter().find(|(_, code)| *code == self.input);
        let input = named.map_or(&self.input, |(name, _)| name);
        vec![
            state("power", self.power.word()),
            state("input", input),
            state("blank", switch(self.blank)),
            state("mute", switch(self.mute)),
            state("lamp-hours", LAMP_HOURS),
        ]
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        match button {
            "power" if !self.power.is_changing() => {
                self.power.switch(!self.power.is_on(), out.now);
            }
            "power" => {}
            "blank" => self.blank = !self.blank,
            "mute" => self.mute = !self.mute,
            other => match self.inputs.iter().find(|(name, _)| name == other) {
                Some((_, code)) => self.input.clone_from(code),
                None => {
                    let inputs = self.inputs.iter().map(|(name, _)| name.as_str());
                    let there_are = ["power", "blank", "mute"].into_iter().chain(inputs);
                    return Err(no_button(button, there_are));
                }
            },
        }
        Ok(())
    }

    fn defect(&mut self, defect: &Defect) -> Result<(), String> {
        match defect {
            Defect::Off => {
                self.has_other_password = false;
                "000000".clone_into(&mut self.errors);
            }
            Defect::WrongPassword => self.has_other_password = true,
            Defect::Errors(digits) => digits.clone_into(&mut self.errors),
        }
        Ok(())
    }
}
