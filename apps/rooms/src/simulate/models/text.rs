//! A device that is described in a file, as the description says that it behaves.

use std::sync::Arc;
use std::time::Duration;

use rooms_drivers::text::{Simulated, TextDevice};

use super::super::model::{Model, Out, no_button, state};

#[derive(Debug)]
pub(super) struct Text {
    device: Arc<TextDevice>,
    played: Simulated,
    /// Until when the power changes.
    changes_until: Option<Duration>,
}

impl Text {
    pub(super) fn new(device: Arc<TextDevice>) -> Option<Text> {
        let played = Simulated::new(&device)?;
        Some(Text { device, played, changes_until: None })
    }

    fn look_at_power(&mut self, now: Duration) {
        match self.played.change() {
            Some(takes) => self.changes_until = self.changes_until.or(Some(now + takes)),
            None => self.changes_until = None,
        }
    }
}

impl Model for Text {
    fn opened(&mut self, _: &mut Out) {}

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        let answer = self.played.bytes(data);
        if !answer.is_empty() {
            out.send(answer);
        }
        self.look_at_power(out.now);
    }

    fn due(&self) -> Option<Duration> {
        self.changes_until
    }

    fn tick(&mut self, out: &mut Out) {
        if self.changes_until.is_some_and(|until| until <= out.now) {
            self.changes_until = None;
            self.played.changed();
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        self.played.states().iter().map(|(key, value)| state(key, value)).collect()
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        let states = self.played.states();
        match states.get(button).map(String::as_str) {
            Some("on") => self.played.press(button, "off"),
            Some("off") => self.played.press(button, "on"),
            _ => {
                let switches =
                    states.iter().filter(|(_, now)| matches!(now.as_str(), "on" | "off"));
                return Err(no_button(button, switches.map(|(key, _)| key.as_str())));
            }
        }
        self.look_at_power(out.now);
        Ok(())
    }

    fn rebooted(&mut self) {
        if let Some(played) = Simulated::new(&self.device) {
            self.played = played;
        }
        self.changes_until = None;
    }
}
