//! A described device, played: for tests, demonstrations and training.

use std::collections::BTreeMap;
use std::time::Duration;

use super::description::{On, Read, Simulate, TextDevice, range_of, scale};
use super::frames::Frames;
use super::template::bytes;
use crate::vocabulary::{self, Kind};

/// What a device does that answers as its description says. Time is the caller's: when the power
/// begins to change, [`Simulated::change`] says for how long, and [`Simulated::changed`] ends it.
#[derive(Debug)]
pub struct Simulated {
    kind: Kind,
    play: Simulate,
    frames: Frames,
    states: BTreeMap<String, String>,
}

impl Simulated {
    /// The device as it is at first; none if it is not described how it behaves.
    #[must_use]
    pub fn new(device: &TextDevice) -> Option<Simulated> {
        let play = device.simulate.clone()?;
        // What the controller sends ends as it is told to.
        let read = match bytes(&device.end).unwrap_or_default() {
            end if end.is_empty() => device.read.clone(),
            end => Read::Until { ends: vec![end], bytes_max: 256 },
        };
        Some(Simulated {
            kind: device.kind,
            states: play.initial.clone(),
            frames: Frames::new(read),
            play,
        })
    }

    /// Takes in what the controller sends, and gives what the device answers.
    pub fn bytes(&mut self, data: &[u8]) -> Vec<u8> {
        let frames: Vec<_> = data.iter().filter_map(|byte| self.frames.push(*byte)).collect();
        frames.iter().flat_map(|frame| self.answer(frame)).collect()
    }

    /// The device's states, in words of the vocabulary where it has some.
    #[must_use]
    pub fn states(&self) -> &BTreeMap<String, String> {
        &self.states
    }

    /// How long the change of power takes that is under way, if one is.
    #[must_use]
    pub fn change(&self) -> Option<Duration> {
        match self.states.get("power")?.as_str() {
            "warming" => Some(self.play.warm),
            "cooling" => Some(self.play.cool),
            _ => None,
        }
    }

    /// The change of power is over.
    pub fn changed(&mut self) {
        let Some(power) = self.states.get_mut("power") else { return };
        match power.as_str() {
            "warming" => "on".clone_into(power),
            "cooling" => "off".clone_into(power),
            _ => {}
        }
    }

    fn answer(&mut self, frame: &str) -> Vec<u8> {
        let holds = |on: &&On| {
            let when = on.when.as_ref();
            let is_so = when.is_none_or(|(key, value)| self.states.get(key) == Some(value));
            is_so && on.receive.is_match(frame)
        };
        let Some(on) = self.play.on.iter().find(holds).cloned() else { return Vec::new() };
        if let (Some(_), Some(busy), false) = (self.change(), &self.play.while_changing, on.always)
        {
            return busy.clone();
        }
        let groups = on.receive.captures(frame).expect("it matches");
        let group = |text: &str| {
            let number = text.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
            let value = number.and_then(|number| groups.get(number));
            value.map_or_else(|| text.to_owned(), |value| value.as_str().to_owned())
        };
        for (key, value) in &on.set {
            self.set(key, &group(value));
        }
        let words = self.words();
        let reply = on.reply.fill(|name| words.get(name).map(String::as_str));
        let reply = (1..groups.len()).fold(reply, |reply, number| {
            reply.replace(&format!("${number}"), &group(&format!("${number}")))
        });
        bytes(&reply).unwrap_or_default()
    }

    /// Sets a state that was given in the device's words.
    fn set(&mut self, key: &str, value: &str) {
        let words = self.play.words.get(key);
        let word = words.and_then(|words| words.iter().find(|(_, of_device)| *of_device == value));
        let mut word = word.map_or_else(|| value.to_owned(), |(word, _)| word.clone());
        if self.play.hexadecimal.iter().any(|hexadecimal| hexadecimal == key)
            && let Ok(number) = i64::from_str_radix(value, 16)
        {
            word = number.to_string();
        }
        let lower = word.to_ascii_lowercase();
        if vocabulary::check(self.kind, key, &lower).is_ok() && range_of(self.kind, key).is_none() {
            let is_word = vocabulary::SWITCH.contains(&lower.as_str());
            word = if is_word { lower } else { word };
        }
        if key == "power" {
            let now = self.states.get("power").map(String::as_str);
            word = match (now, word.as_str()) {
                (Some("off"), "on") if !self.play.warm.is_zero() => "warming".to_owned(),
                (Some("on"), "off") if !self.play.cool.is_zero() => "cooling".to_owned(),
                _ => word,
            };
        }
        self.states.insert(key.to_owned(), word);
    }

    /// The states in the device's words.
    fn words(&self) -> BTreeMap<String, String> {
        let word = |(key, value): (&String, &String)| {
            let of_device = self.play.words.get(key).and_then(|words| words.get(value)).cloned();
            let value = of_device.unwrap_or_else(|| match value.as_str() {
                // A device that has no word for it says what it will be.
                "warming" => "ON".to_owned(),
                "cooling" => "OFF".to_owned(),
                "on" | "off" => value.to_ascii_uppercase(),
                other => other.to_owned(),
            });
            let number = value.parse::<i64>().ok();
            let is_hexadecimal = self.play.hexadecimal.contains(key);
            let value = match number.filter(|_| is_hexadecimal) {
                Some(number) => format!("{:02x}", scale(number, (0, 100), (0, 100))),
                None => value,
            };
            (key.clone(), value)
        };
        self.states.iter().map(word).collect()
    }
}
