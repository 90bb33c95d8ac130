//! A switcher of Extron that speaks SIS. It ends a connection that is idle for 5 minutes, and says
//! what is pressed at its front.

use std::collections::BTreeMap;
use std::time::Duration;

use rooms_drivers::extron::wire::{Reply, Request};
use rooms_drivers::vocabulary::switch;
use rooms_files::Device;

use super::super::model::{Defect, Model, Out, no_button, state};

const IDLE_MAX: Duration = Duration::from_secs(300);
const BANNER: &str = "Copyright 2012, Extron Electronics, IN1608, V1.02, 60-1238-01";
const INPUTS_AT_LEAST: u16 = 8;
const NO_SUCH_INPUT: u8 = 1;
const NO_SUCH_COMMAND: u8 = 10;
/// More than a request can have; the rest of something that is none is thrown away.
const REQUEST_BYTES_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Extron {
    password: Option<String>,
    has_other_password: bool,
    names: Vec<(String, u16)>,
    inputs: u16,
    output: Option<u16>,
    bytes: Vec<u8>,
    is_logged_in: bool,
    verbose: u8,
    idle_at: Option<Duration>,
    input: u16,
    mute: bool,
    blank: bool,
    volume: u8,
    presets: BTreeMap<u16, u16>,
}

impl Extron {
    pub(super) fn new(device: &Device) -> Extron {
        let number = |value: &toml::Value| u16::try_from(value.as_integer()?).ok();
        let names = device.settings.get("inputs").and_then(toml::Value::as_table);
        let names: Vec<(String, u16)> = names
            .into_iter()
            .flatten()
            .filter_map(|(name, input)| Some((name.clone(), number(input)?)))
            .collect();
        let most = names.iter().map(|(_, input)| *input).max().unwrap_or_default();
        Extron {
            password: device.password.as_ref().map(|password| password.expose().to_owned()),
            has_other_password: false,
            inputs: most.max(INPUTS_AT_LEAST),
            names,
            output: device.settings.get("output").and_then(number),
            bytes: Vec::new(),
            is_logged_in: true,
            verbose: 0,
            idle_at: None,
            input: 1,
            mute: false,
            blank: false,
            volume: 50,
            presets: BTreeMap::new(),
        }
    }

    fn password_line(&mut self, out: &mut Out) {
        let Some(end) = self.bytes.iter().position(|byte| b"\r\n".contains(byte)) else { return };
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        let said = String::from_utf8_lossy(&line);
        let is_right = self.password.as_deref() == Some(said.trim()) && !self.has_other_password;
        if is_right {
            self.is_logged_in = true;
            out.send(format!("\r\n{}", Reply::LoggedIn));
        } else if !said.trim().is_empty() {
            out.send("\r\nPassword:");
        }
    }

    fn answer(&mut self, request: &Request) -> Reply {
        let bare = |text: String| Reply::Bare(text);
        match *request {
            Request::Tie { input, .. } if input > self.inputs => Reply::Error(NO_SUCH_INPUT),
            Request::Tie { input, output } => {
                self.input = input;
                Reply::Input { input, output }
            }
            Request::InputAsk { .. } => bare(self.input.to_string()),
            Request::Mute(on) => {
                self.mute = on;
                Reply::Mute(on)
            }
            Request::MuteAsk => bare(u8::from(self.mute).to_string()),
            Request::Volume(volume) => {
                self.volume = volume;
                Reply::Volume(volume)
            }
            Request::VolumeAsk => bare(self.volume.to_string()),
            Request::Blank(on) => {
                self.blank = on;
                Reply::Blank(on)
            }
            Request::BlankAsk => bare(u8::from(self.blank).to_string()),
            Request::PresetSave(number) => {
                self.presets.insert(number, self.input);
                Reply::PresetSaved(number)
            }
            Request::PresetRecall(number) => {
                self.input = self.presets.get(&number).copied().unwrap_or(self.input);
                Reply::PresetRecalled(number)
            }
            Request::Firmware => bare("1.02".to_owned()),
            Request::Verbose(level) => {
                self.verbose = level;
                Reply::Verbose(level)
            }
            Request::Information | Request::Line(_) => Reply::Error(NO_SUCH_COMMAND),
        }
    }
}

impl Model for Extron {
    fn opened(&mut self, out: &mut Out) {
        self.bytes.clear();
        self.verbose = 0;
        self.idle_at = Some(out.after_silence(IDLE_MAX));
        self.is_logged_in = self.password.is_none() && !self.has_other_password;
        out.send(Reply::Banner(BANNER.to_owned()).to_string());
        if !self.is_logged_in {
            out.send("\r\nPassword:");
        }
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        self.idle_at = Some(out.after_silence(IDLE_MAX));
        self.bytes.extend_from_slice(data);
        if !self.is_logged_in {
            self.password_line(out);
        }
        while self.is_logged_in && !self.bytes.is_empty() {
            if self.bytes[0] == b'\r' || self.bytes[0] == b'\n' {
                self.bytes.remove(0);
                continue;
            }
            let Some(request) = Request::take(&mut self.bytes) else { break };
            let reply = match request {
                Some(request) => self.answer(&request),
                None => Reply::Error(NO_SUCH_COMMAND),
            };
            out.send(reply.to_string());
        }
        if self.bytes.len() > REQUEST_BYTES_MAX {
            self.bytes.clear();
        }
    }

    fn due(&self) -> Option<Duration> {
        self.idle_at
    }

    fn tick(&mut self, out: &mut Out) {
        if self.idle_at.is_some_and(|at| at <= out.now) {
            self.idle_at = None;
            out.close();
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        let named = self.names.iter().find(|(_, input)| *input == self.input);
        vec![
            state("input", named.map_or_else(|| self.input.to_string(), |(name, _)| name.clone())),
            state("mute", switch(self.mute)),
            state("blank", switch(self.blank)),
            state("volume", self.volume),
        ]
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        let named = self.names.iter().find(|(name, _)| name == button);
        let input = named.map(|(_, input)| *input).or_else(|| button.parse().ok());
        let Some(input) = input.filter(|input| (1..=self.inputs).contains(input)) else {
            let names = self.names.iter().map(|(name, _)| name.as_str());
            let numbers = format!("1 to {}", self.inputs);
            return Err(no_button(button, names.chain([numbers.as_str()])));
        };
        self.input = input;
        if matches!(self.verbose, 1 | 3) {
            out.send(Reply::Input { input, output: self.output }.to_string());
        }
        Ok(())
    }

    fn defect(&mut self, defect: &Defect) -> Result<(), String> {
        self.has_other_password = defect.is_other_password()?;
        Ok(())
    }
}
