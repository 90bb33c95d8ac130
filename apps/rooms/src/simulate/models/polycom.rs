//! A codec of Polycom. It says a lot: who it is, echoes with their ends turned round, and news of
//! its calls.

use std::collections::BTreeMap;

use rooms_drivers::polycom::wire::{CallStatus, Line};
use rooms_drivers::vocabulary::switch;
use rooms_drivers::{Direction, EndReason, Lines};
use rooms_files::Device;

use super::super::calls::{CallAction, CallNews, Stage};
use super::super::model::{Defect, Model, Out, no_button, state};

#[derive(Debug)]
pub(super) struct Polycom {
    name: String,
    password: Option<String>,
    has_other_password: bool,
    lines: Lines,
    is_logged_in: bool,
    /// Registrations survive everything but a new codec.
    tells_calls: bool,
    tells_mute: bool,
    tells_content: bool,
    is_awake: bool,
    mute: bool,
    volume: u8,
    share: bool,
    calls: BTreeMap<u32, CallNews>,
}

impl Polycom {
    pub(super) fn new(room: &str, device: &Device) -> Polycom {
        Polycom {
            name: room.to_owned(),
            password: device.password.as_ref().map(|password| password.expose().to_owned()),
            has_other_password: false,
            lines: Lines::new(b"\r\n"),
            is_logged_in: true,
            tells_calls: false,
            tells_mute: false,
            tells_content: false,
            is_awake: true,
            mute: false,
            volume: 50,
            share: false,
            calls: BTreeMap::new(),
        }
    }

    fn about(&self) -> String {
        format!(
            "Hi, my name is : {}\r\nHere is what I know about myself:\r\n\
             Model: RealPresence Group 700\r\nSerial Number: 8213240A1B2CCD\r\n\
             Software Version: Release - 6.2.2-560072\r\nBuild Information: simulated\r\n\
             SNMP Enabled: False\r\n",
            self.name
        )
    }

    fn heard(&mut self, line: &str, out: &mut Out) {
        if !self.is_logged_in {
            self.is_logged_in =
                self.password.as_deref() == Some(line.trim()) && !self.has_other_password;
            return out.send(if self.is_logged_in {
                self.about()
            } else {
                "\r\nPassword:".to_owned()
            });
        }
        out.send(format!("{line}\n\r"));
        for answer in self.answer(line.trim(), out) {
            out.send(answer.to_string());
        }
    }

    fn answer(&mut self, line: &str, out: &mut Out) -> Vec<Line> {
        let said = |text: &str| vec![Line::Other(text.to_owned())];
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["whoami"] => said(self.about().trim_end()),
            ["notify", "callstatus"] => register(&mut self.tells_calls, line, "callstatus"),
            ["notify", "mutestatus"] => register(&mut self.tells_mute, line, "mutestatus"),
            ["vcbutton", "register"] => register(&mut self.tells_content, line, "vcbutton"),
            ["callinfo", "all"] if self.calls.is_empty() => vec![Line::NotInCall],
            ["callinfo", "all"] => {
                let calls = self.calls.values().map(|call| Line::CallInfo(status(call, None)));
                let begin = std::iter::once(Line::CallInfoBegin);
                begin.chain(calls).chain([Line::CallInfoEnd]).collect()
            }
            ["mute", "near", "get"] => vec![Line::Mute(self.mute)],
            ["mute", "near", on @ ("on" | "off")] => {
                self.mute = on == "on";
                vec![Line::Mute(self.mute)]
            }
            ["volume", "get"] => vec![Line::Volume(self.volume)],
            ["volume", "set", volume] => match volume.parse() {
                Ok(volume @ 0..=100) => {
                    self.volume = volume;
                    vec![Line::Volume(volume)]
                }
                _ => vec![Line::Error("value out of range".to_owned())],
            },
            ["wake"] => {
                self.is_awake = true;
                said("waking up")
            }
            ["sleep"] => {
                self.is_awake = false;
                said("going to sleep")
            }
            ["autoanswer", mode @ ("yes" | "no" | "donotdisturb")] => {
                out.call(CallAction::AutoAnswer(mode == "yes"));
                said(&format!("autoanswer {mode}"))
            }
            ["dial", "manual", _speed, ref to @ ..] if !to.is_empty() => {
                if !self.calls.is_empty() {
                    return vec![Line::Info("a second call is not enabled".to_owned())];
                }
                out.call(CallAction::Dial(to[0].trim_matches('"').to_owned()));
                said("dialing manual")
            }
            ["answer", "video"] => {
                out.call(CallAction::Answer);
                said("answer video call passed")
            }
            ["hangup", "all"] if self.calls.is_empty() => vec![Line::NotInCall],
            ["hangup", "all"] => {
                out.call(CallAction::Hangup(None));
                said("hanging up all")
            }
            ["hangup", "video", id] => match id.parse() {
                Ok(id) if self.calls.contains_key(&id) => {
                    out.call(CallAction::Hangup(Some(id)));
                    said("hanging up video")
                }
                _ => said(&format!("connection {id} is not active")),
            },
            ["vcbutton", "play", ..] => self.share(true),
            ["vcbutton", "stop"] => self.share(false),
            ["camera", "near", "move", _] | ["preset", "near", "go" | "set", _] => said(line),
            _ => vec![Line::Error("command not found".to_owned())],
        }
    }

    fn share(&mut self, on: bool) -> Vec<Line> {
        self.share = on;
        vec![Line::Share(on)]
    }
}

fn register(flag: &mut bool, line: &str, what: &str) -> Vec<Line> {
    let was = std::mem::replace(flag, true);
    vec![Line::Other(if was {
        format!("event/notification already active:{what}")
    } else {
        format!("{line} success")
    })]
}

/// As the codec writes it.
fn status(call: &CallNews, word: Option<&str>) -> CallStatus {
    let usual = match call.stage {
        Stage::Dialing => "connecting",
        Stage::Ringing => "ringing",
        Stage::Connected => "connected",
        Stage::Ended { .. } => "disconnected",
    };
    let cause = match call.stage {
        Stage::Ended { reason, .. } => match reason {
            EndReason::Normal => 16,
            EndReason::Busy => 17,
            EndReason::NoAnswer => 19,
            EndReason::Rejected => 21,
            EndReason::Unreachable => 3,
            EndReason::Network | EndReason::Unknown => 38,
        },
        _ => 0,
    };
    CallStatus {
        id: call.id,
        direction: call.direction,
        name: String::new(),
        number: call.far.clone(),
        state: None,
        word: word.unwrap_or(usual).to_owned(),
        cause,
    }
}

impl Model for Polycom {
    fn opened(&mut self, out: &mut Out) {
        self.lines.clear();
        self.is_logged_in = self.password.is_none() && !self.has_other_password;
        out.send(if self.is_logged_in { self.about() } else { "Password:".to_owned() });
    }

    fn bytes(&mut self, data: &[u8], out: &mut Out) {
        for line in self.lines.push(data) {
            self.heard(&line, out);
        }
    }

    fn states(&self) -> Vec<(String, String)> {
        let mut states = vec![
            state("power", switch(self.is_awake)),
            state("mute", switch(self.mute)),
            state("volume", self.volume),
            state("share", switch(self.share)),
        ];
        states.extend(super::call_states(self.calls.values()));
        states
    }

    fn press(&mut self, button: &str, out: &mut Out) -> Result<(), String> {
        match button {
            "mute" => {
                self.mute = !self.mute;
                if self.tells_mute && self.is_logged_in {
                    let word = if self.mute { "muted" } else { "notmuted" };
                    out.send(format!("notification:mutestatus:near:{}:{word}\r\n", self.name));
                }
            }
            "share" => {
                let lines = self.share(!self.share);
                if self.tells_content && self.is_logged_in {
                    lines.iter().for_each(|line| out.send(line.to_string()));
                }
            }
            "answer" => out.call(CallAction::Answer),
            "hangup" => out.call(CallAction::Hangup(None)),
            _ => match button.strip_prefix("dial:") {
                Some(number) => out.call(CallAction::Dial(number.to_owned())),
                None => return Err(no_button(button, super::CODEC_BUTTONS)),
            },
        }
        Ok(())
    }

    fn defect(&mut self, defect: &Defect) -> Result<(), String> {
        self.has_other_password = defect.is_other_password()?;
        Ok(())
    }

    fn rebooted(&mut self) {
        self.calls.clear();
        self.share = false;
    }

    fn call(&mut self, news: &CallNews, out: &mut Out) {
        let mut words = Vec::new();
        match news.stage {
            Stage::Ended { .. } => {
                self.calls.remove(&news.id);
                self.share &= !self.calls.is_empty();
                words.extend([Some("disconnecting"), Some("disconnected")]);
            }
            Stage::Dialing if news.direction == Direction::Outgoing => {
                self.calls.insert(news.id, news.clone());
                words.extend([Some("opened"), Some("connecting")]);
            }
            _ => {
                self.calls.insert(news.id, news.clone());
                words.push(None);
            }
        }
        if self.tells_calls && self.is_logged_in {
            for word in words {
                out.send(Line::CallStatus(status(news, word)).to_string());
            }
        }
    }
}
