//! A codec of Cisco in xAPI's terminal mode. What was registered for belongs to the connection.

use std::collections::BTreeMap;

use rooms_drivers::cisco::wire::Request;
use rooms_drivers::vocabulary::switch;
use rooms_drivers::{Direction, EndReason, Lines};
use rooms_files::Device;

use super::super::calls::{CallAction, CallNews, Stage};
use super::super::model::{Defect, Model, Out, no_button, state};

#[derive(Debug)]
pub(super) struct Cisco {
    user: String,
    password: Option<String>,
    has_other_password: bool,
    lines: Lines,
    session: Session,
    echoes: bool,
    feedback: Vec<String>,
    is_awake: bool,
    mute: bool,
    volume: u8,
    share: bool,
    calls: BTreeMap<u32, CallNews>,
}

#[derive(Debug, PartialEq, Eq)]
enum Session {
    WantsName,
    WantsPassword { name_is_right: bool },
    Ready,
}

/// A result, and what is news because of it.
type Result = std::result::Result<Vec<String>, &'static str>;

impl Cisco {
    pub(super) fn new(device: &Device) -> Cisco {
        let user = device.settings.get("user").and_then(toml::Value::as_str);
        Cisco {
            user: user.unwrap_or("admin").to_owned(),
            password: device.password.as_ref().map(|password| password.expose().to_owned()),
            has_other_password: false,
            lines: Lines::new(b"\r\n"),
            session: Session::Ready,
            echoes: true,
            feedback: Vec::new(),
            is_awake: true,
            mute: false,
            volume: 50,
            share: false,
            calls: BTreeMap::new(),
        }
    }

    fn heard(&mut self, line: &str, out: &mut Out) {
        match self.session {
            Session::WantsName => {
                // That a name is wrong is only told with the password.
                self.session = Session::WantsPassword { name_is_right: line.trim() == self.user };
                out.send(format!("{line}\r\nPassword: "));
            }
            Session::WantsPassword { name_is_right } => {
                let is_right = self.password.as_deref() == Some(line.trim());
                if name_is_right && is_right && !self.has_other_password {
                    self.session = Session::Ready;
                    out.send("\r\n*r Login successful\r\n\r\nOK\r\n");
                } else {
                    self.session = Session::WantsName;
                    out.send("\r\nLogin incorrect\r\nlogin: ");
                }
            }
            Session::Ready => {
                if self.echoes {
                    out.send(format!("{line}\r\n"));
                }
                self.command(line, out);
            }
        }
    }

    fn command(&mut self, line: &str, out: &mut Out) {
        let request = Request::parse(line);
        let path: Vec<_> = request.path.iter().map(String::as_str).collect();
        match path[..] {
            ["echo", mode] => {
                self.echoes = mode == "on";
                out.send("\r\nOK\r\n");
            }
            ["xPreferences", ..] => out.send("\r\nOK\r\n"),
            ["xFeedback", "register", what] => {
                self.feedback.push(what.to_owned());
                out.send("** end\r\n\r\nOK\r\n");
            }
            ["xConfiguration", "Conference", "AutoAnswer"] => {
                for (name, value) in &request.arguments {
                    if name == "Mode" {
                        out.call(CallAction::AutoAnswer(value == "On"));
                    }
                }
                out.send("** end\r\n\r\nOK\r\n");
            }
            ["xStatus", ref of @ ..] => {
                let lines = self.status(of);
                out.send(block(&lines, request.result_id.as_deref()));
            }
            ["xCommand", ref of @ ..] => {
                let result = self.carry_out(of, &request, out);
                let name = format!("{}Result", of.concat());
                let (lines, news) = match result {
                    Ok(news) => (vec![format!("*r {name} (status=OK):")], news),
                    Err(reason) => {
                        let lines = vec![
                            format!("*r {name} (status=Error):"),
                            format!("*r {name} Reason: \"{reason}\""),
                        ];
                        (lines, Vec::new())
                    }
                };
                out.send(format!("OK\r\n{}", block(&lines, request.result_id.as_deref())));
                self.tell(&news, out);
            }
            _ => out.send("Command not recognized.\r\n"),
        }
    }

    fn carry_out(&mut self, of: &[&str], request: &Request, out: &mut Out) -> Result {
        let argument = |name: &str| {
            let mut arguments = request.arguments.iter();
            arguments.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        match *of {
            ["Peripherals", "Connect" | "HeartBeat"] | ["Camera", ..] => Ok(Vec::new()),
            ["Standby", what @ ("Activate" | "Deactivate")] => {
                self.is_awake = what == "Deactivate";
                Ok(self.status(&["Standby"]))
            }
            ["Audio", "Microphones", what @ ("Mute" | "Unmute")] => {
                self.mute = what == "Mute";
                Ok(self.status(&["Audio"]))
            }
            ["Audio", "Volume", "Set"] => {
                let level = argument("Level").and_then(|level| level.parse().ok());
                self.volume = level.filter(|level| *level <= 100).ok_or("Bad level")?;
                Ok(self.status(&["Audio"]))
            }
            ["Presentation", what @ ("Start" | "Stop")] => {
                self.share = what == "Start";
                Ok(self.status(&["Conference", "Presentation"]))
            }
            ["Dial"] if !self.calls.is_empty() => Err("Maximum number of calls reached"),
            ["Dial"] => {
                let number = argument("Number").ok_or("Number is missing")?;
                out.call(CallAction::Dial(number.to_owned()));
                Ok(Vec::new())
            }
            ["Call", "Accept"] => {
                out.call(CallAction::Answer);
                Ok(Vec::new())
            }
            ["Call", "Disconnect" | "Reject"] => {
                let id = argument("CallId").and_then(|id| id.parse().ok());
                let id = id.filter(|id| self.calls.contains_key(id)).ok_or("No such call")?;
                out.call(CallAction::Hangup(Some(id)));
                Ok(Vec::new())
            }
            ["Call", "DisconnectAll"] => {
                out.call(CallAction::Hangup(None));
                Ok(Vec::new())
            }
            _ => Err("Unknown command"),
        }
    }

    fn status(&self, of: &[&str]) -> Vec<String> {
        let on = |on: bool| if on { "On" } else { "Off" };
        match *of {
            ["Call"] => self.calls.values().flat_map(call_lines).collect(),
            ["Standby"] => {
                vec![format!("*s Standby State: {}", if self.is_awake { "Off" } else { "Standby" })]
            }
            ["Audio"] => vec![
                format!("*s Audio Volume: {}", self.volume),
                format!("*s Audio Microphones Mute: {}", on(self.mute)),
            ],
            ["Conference", "Presentation"] => {
                let mode = if self.share { "Sending" } else { "Off" };
                vec![format!("*s Conference Presentation Mode: {mode}")]
            }
            ["SystemUnit", ..] => {
                vec!["*s SystemUnit ProductId: \"Cisco TelePresence SX20\"".to_owned()]
            }
            _ => vec![
                "*s Status (status=Error): Reason: \"No match on address expression.\"".to_owned(),
            ],
        }
    }

    /// Says what is new, if it was registered for.
    fn tell(&self, lines: &[String], out: &mut Out) {
        let Some(first) = lines.first().filter(|_| self.session == Session::Ready) else { return };
        let tree = if first.starts_with("*e") { "/Event/" } else { "/Status/" };
        let place = format!("{tree}{}", first[3..].replace(' ', "/"));
        if self.feedback.iter().any(|registered| place.starts_with(registered.as_str())) {
            out.send(block(lines, None));
        }
    }
}

/// Lines, the number that the command bore, and the end.
fn block(lines: &[String], result_id: Option<&str>) -> String {
    let mut text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    if let Some(id) = result_id {
        text.push_str(&format!("** resultId: \"{id}\"\r\n"));
    }
    text + "** end\r\n"
}

fn call_lines(call: &CallNews) -> Vec<String> {
    let (id, far) = (call.id, &call.far);
    let (status, answer) = match (call.stage, call.direction) {
        (Stage::Dialing, _) => ("Dialling", "Unanswered"),
        (Stage::Ringing, _) => ("Ringing", "Unanswered"),
        (Stage::Connected, _) => ("Connected", "Answered"),
        (Stage::Ended { .. }, _) => ("Idle", "Answered"),
    };
    let direction = if call.direction == Direction::Incoming { "Incoming" } else { "Outgoing" };
    vec![
        format!("*s Call {id} Status: {status}"),
        format!("*s Call {id} Direction: {direction}"),
        format!("*s Call {id} RemoteNumber: \"{far}\""),
        format!("*s Call {id} CallbackNumber: \"sip:{far}\""),
        format!("*s Call {id} AnswerState: {answer}"),
    ]
}

fn cause(reason: EndReason, by_us: bool) -> &'static str {
    match (reason, by_us) {
        (EndReason::Normal, true) => "LocalDisconnect",
        (EndReason::Normal, false) => "RemoteDisconnect",
        (EndReason::Busy, _) => "RemoteBusy",
        (EndReason::NoAnswer, _) => "RemoteNoAnswer",
        (EndReason::Rejected, _) => "RemoteRejected",
        (EndReason::Unreachable, _) => "UnknownRemoteSite",
        (EndReason::Network | EndReason::Unknown, _) => "OtherRemote",
    }
}

impl Model for Cisco {
    fn opened(&mut self, out: &mut Out) {
        self.lines.clear();
        self.feedback.clear();
        self.echoes = true;
        if self.password.is_some() || self.has_other_password {
            self.session = Session::WantsName;
            out.send("login: ");
        } else {
            self.session = Session::Ready;
        }
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

    fn press(&mut self, button: &str, out: &mut Out) -> std::result::Result<(), String> {
        match button {
            "mute" => {
                self.mute = !self.mute;
                self.tell(&self.status(&["Audio"]), out);
            }
            "share" => {
                self.share = !self.share;
                self.tell(&self.status(&["Conference", "Presentation"]), out);
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

    fn defect(&mut self, defect: &Defect) -> std::result::Result<(), String> {
        self.has_other_password = defect.is_other_password()?;
        Ok(())
    }

    fn rebooted(&mut self) {
        self.calls.clear();
        self.share = false;
    }

    fn call(&mut self, news: &CallNews, out: &mut Out) {
        let Stage::Ended { reason, by_us } = news.stage else {
            self.calls.insert(news.id, news.clone());
            return self.tell(&call_lines(news), out);
        };
        self.calls.remove(&news.id);
        self.share &= !self.calls.is_empty();
        let (id, cause) = (news.id, cause(reason, by_us));
        let event = format!(
            "*e CallDisconnect CauseValue: 1 CauseType: \"{cause}\" CauseString: \"\" \
             RemoteURI: \"sip:{}\" CallId: {id}",
            news.far
        );
        self.tell(&[event], out);
        self.tell(&[format!("*s Call {id} (ghost=True):")], out);
    }
}
