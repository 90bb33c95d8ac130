//! What goes into the history: calls, alerts, help and every wish with its answer, out of what is
//! heard on the bus. No IO, no clock; each change gives the whole record again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rooms_messages::{
    AlertState, Fact, HelpState, Id, Phase, Reason, Request, RoomName, Text, Wish,
};

use crate::house::House;
use crate::records::{Alert, Audit, Call, Help, Record};

/// Wishes that wait for an answer; beyond, the oldest is taken for never answered.
const WISHES_MAX: usize = 10_000;
/// The part of a record's number that is not its time.
const ID_RANDOM_BITS: u32 = 20;

/// What has begun and is not over.
#[derive(Debug)]
pub struct Chronicle {
    calls: BTreeMap<(RoomName, RoomName), Call>,
    alerts: BTreeMap<(RoomName, String, String), Alert>,
    helps: BTreeMap<RoomName, Help>,
    wishes: BTreeMap<Id, Audit>,
    random: fastrand::Rng,
}

impl Chronicle {
    /// Goes on with what had begun before.
    #[must_use]
    pub fn new(open: Vec<Record>) -> Self {
        let mut chronicle = Self {
            calls: BTreeMap::new(),
            alerts: BTreeMap::new(),
            helps: BTreeMap::new(),
            wishes: BTreeMap::new(),
            random: fastrand::Rng::new(),
        };
        for record in open {
            match record {
                Record::Call(call) => {
                    chronicle.calls.insert((call.near.clone(), call.far.clone()), call);
                }
                Record::Alert(alert) => {
                    let key = (alert.room.clone(), alert.device.clone(), alert.code.clone());
                    chronicle.alerts.insert(key, alert);
                }
                Record::Help(help) => drop(chronicle.helps.insert(help.room.clone(), help)),
                Record::Audit(_) => {}
            }
        }
        chronicle
    }

    /// Somebody wished something: what stands in the audit.
    pub fn wish(&mut self, request: &Request, who: &str, now: Timestamp) -> Option<Record> {
        // It changes nothing, and comes from every program at its start.
        if matches!(request.wish, Wish::Give { .. }) {
            return None;
        }
        let audit = Audit {
            id: self.id(now),
            at: now,
            who: who.to_owned(),
            room: request.wish.room().cloned(),
            // Without the keys that every wish has.
            what: Request::from(request.wish.clone()).to_line().unwrap_or_default(),
            answer: String::new(),
            reason: String::new(),
            answered: None,
        };
        if let Some(id) = &request.id {
            if self.wishes.len() >= WISHES_MAX {
                let oldest = self.wishes.iter().min_by_key(|(_, audit)| audit.at);
                let oldest = oldest.map(|(id, _)| id.clone());
                oldest.and_then(|id| self.wishes.remove(&id));
            }
            self.wishes.insert(id.clone(), audit.clone());
        }
        Some(Record::Audit(audit))
    }

    /// Something was changed in the administration.
    pub fn changed(
        &mut self,
        who: &str,
        room: Option<&RoomName>,
        what: String,
        now: Timestamp,
    ) -> Record {
        self.decided(who, room, what, ("done", ""), now)
    }

    /// Somebody wished what the room may not.
    pub fn refused(&mut self, who: &str, room: &RoomName, what: String, now: Timestamp) -> Record {
        self.decided(who, Some(room), what, ("refused", Reason::NotPermitted.word()), now)
    }

    fn decided(
        &mut self,
        who: &str,
        room: Option<&RoomName>,
        what: String,
        (answer, reason): (&str, &str),
        now: Timestamp,
    ) -> Record {
        Record::Audit(Audit {
            id: self.id(now),
            at: now,
            who: who.to_owned(),
            room: room.cloned(),
            what,
            answer: answer.to_owned(),
            reason: reason.to_owned(),
            answered: Some(now),
        })
    }

    /// What a fact adds to the history.
    pub fn hear(&mut self, fact: &Fact, now: Timestamp) -> Option<Record> {
        match fact {
            Fact::Accepted { id: Some(id), .. } => self.answer(id, "accepted", String::new(), now),
            Fact::Done { id: Some(id) } => self.last_answer(id, "done", String::new(), now),
            Fact::Refused { id: Some(id), reason, text, .. } => {
                self.last_answer(id, "refused", why(reason.word(), text.as_ref()), now)
            }
            Fact::Failed { id: Some(id), reason, text } => {
                self.last_answer(id, "failed", why(reason.word(), text.as_ref()), now)
            }
            Fact::Link { near, far, phase: Phase::Idle, reason, side, .. } => {
                let mut call = self.calls.remove(&(near.clone(), far.clone()))?;
                call.ended = Some(now);
                call.reason = reason.map_or("normal", Reason::word).to_owned();
                call.side.clone_from(side);
                Some(Record::Call(call))
            }
            Fact::Link { near, far, phase, by, since, .. } => {
                self.call(near, far, *phase, by.as_ref().map_or("", Text::as_str), *since, now)
            }
            // It says which side, which the end of the link need not.
            Fact::Disconnect { near, far, side: Some(side), .. } => {
                let call = self.calls.get_mut(&(near.clone(), far.clone()))?;
                call.side = Some(side.clone());
                None
            }
            Fact::Alert { room, device, code, state } => {
                let key = (room.clone(), device.to_string(), code.to_string());
                match state {
                    AlertState::Clear => {
                        let mut alert = self.alerts.remove(&key)?;
                        alert.until = Some(now);
                        Some(Record::Alert(alert))
                    }
                    AlertState::Raised { level, text } => {
                        let text = text.as_ref().map_or("", Text::as_str);
                        self.alert(key, level.word(), text, now)
                    }
                }
            }
            Fact::Help { room, state, by, text, since } => {
                let said = |text: &Option<Text>| text.as_ref().map_or("", Text::as_str).to_owned();
                self.help(room, *state, said(by), said(text), since.unwrap_or(now), now)
            }
            _ => None,
        }
    }

    /// All was heard anew: what is over without having been heard ends, what has begun begins.
    pub fn compare(&mut self, house: &House, now: Timestamp) -> Vec<Record> {
        let mut records = Vec::new();
        let over = self.calls.extract_if(.., |pair, _| !house.links.contains_key(pair));
        records.extend(over.map(|(_, mut call)| {
            call.ended = Some(now);
            "unknown".clone_into(&mut call.reason);
            Record::Call(call)
        }));
        let stands = |(room, device, code): &(RoomName, String, String)| {
            let alerts = house.rooms.get(room).map(|room| room.alerts.keys());
            let mut alerts = alerts.into_iter().flatten();
            alerts.any(|(d, c)| d.as_str() == device && c.as_str() == code)
        };
        let over = self.alerts.extract_if(.., |key, _| !stands(key));
        records.extend(over.map(|(_, mut alert)| {
            alert.until = Some(now);
            Record::Alert(alert)
        }));
        let calls = |room: &RoomName| house.rooms.get(room).is_some_and(|room| room.help.is_some());
        let over = self.helps.extract_if(.., |room, _| !calls(room));
        records.extend(over.map(|(_, mut help)| {
            help.closed = Some(now);
            Record::Help(help)
        }));
        for ((near, far), link) in &house.links {
            let since = Some(link.since);
            records.extend(self.call(near, far, link.phase, &link.by, since, now));
        }
        for (name, room) in &house.rooms {
            for ((device, code), alert) in &room.alerts {
                let key = (name.clone(), device.to_string(), code.to_string());
                records.extend(self.alert(key, alert.level.word(), &alert.text, alert.since));
            }
            if let Some(help) = &room.help {
                let (by, text) = (help.by.clone(), help.text.clone());
                records.extend(self.help(name, help.state, by, text, help.since, now));
            }
        }
        records
    }

    /// The alerts that are not over.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// Somebody has seen an alert and wants to hear no more of it.
    pub fn mute(&mut self, id: i64, by: &str) -> Option<Record> {
        let alert = self.alerts.values_mut().find(|alert| alert.id == id)?;
        by.clone_into(&mut alert.muted_by);
        Some(Record::Alert(alert.clone()))
    }

    fn answer(&mut self, id: &Id, answer: &str, reason: String, now: Timestamp) -> Option<Record> {
        let audit = self.wishes.get_mut(id)?;
        answer.clone_into(&mut audit.answer);
        (audit.reason, audit.answered) = (reason, Some(now));
        Some(Record::Audit(audit.clone()))
    }

    fn last_answer(
        &mut self,
        id: &Id,
        answer: &str,
        reason: String,
        now: Timestamp,
    ) -> Option<Record> {
        let record = self.answer(id, answer, reason, now);
        self.wishes.remove(id);
        record
    }

    fn call(
        &mut self,
        near: &RoomName,
        far: &RoomName,
        phase: Phase,
        by: &str,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Record> {
        let key = (near.clone(), far.clone());
        let before = self.calls.get(&key).cloned();
        let mut call = match &before {
            Some(call) => call.clone(),
            None => Call {
                id: self.id(now),
                near: near.clone(),
                far: far.clone(),
                by: by.to_owned(),
                since: since.unwrap_or(now),
                connected: None,
                ended: None,
                reason: String::new(),
                side: None,
            },
        };
        if phase == Phase::Connected && call.connected.is_none() {
            call.connected = Some(since.unwrap_or(now));
        }
        if before.as_ref() == Some(&call) {
            return None;
        }
        self.calls.insert(key, call.clone());
        Some(Record::Call(call))
    }

    fn alert(
        &mut self,
        key: (RoomName, String, String),
        level: &str,
        text: &str,
        since: Timestamp,
    ) -> Option<Record> {
        let before = self.alerts.get(&key).cloned();
        let mut alert = match &before {
            Some(alert) => alert.clone(),
            None => Alert {
                id: self.id(since),
                room: key.0.clone(),
                device: key.1.clone(),
                code: key.2.clone(),
                level: String::new(),
                text: String::new(),
                since,
                until: None,
                muted_by: String::new(),
            },
        };
        level.clone_into(&mut alert.level);
        text.clone_into(&mut alert.text);
        if before.as_ref() == Some(&alert) {
            return None;
        }
        self.alerts.insert(key, alert.clone());
        Some(Record::Alert(alert))
    }

    fn help(
        &mut self,
        room: &RoomName,
        state: HelpState,
        by: String,
        text: String,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<Record> {
        if state == HelpState::Closed {
            let mut help = self.helps.remove(room)?;
            help.closed = Some(now);
            return Some(Record::Help(help));
        }
        let id = self.id(now);
        let before = self.helps.get(room).cloned();
        let mut help = before.clone().unwrap_or_else(|| Help {
            id,
            room: room.clone(),
            by: String::new(),
            text: String::new(),
            since,
            acknowledged_by: String::new(),
            acknowledged: None,
            closed: None,
        });
        match state {
            HelpState::Acknowledged => {
                (help.acknowledged_by, help.acknowledged) = (by, Some(since));
                if help.text.is_empty() {
                    help.text = text;
                }
            }
            _ => (help.by, help.text) = (by, text),
        }
        if before.as_ref() == Some(&help) {
            return None;
        }
        self.helps.insert(room.clone(), help.clone());
        Some(Record::Help(help))
    }

    /// Another number each time. It begins with the time, so that indexes grow at their end.
    fn id(&mut self, now: Timestamp) -> i64 {
        now.as_millisecond() << ID_RANDOM_BITS | self.random.i64(0..1 << ID_RANDOM_BITS)
    }
}

fn why(reason: &str, text: Option<&Text>) -> String {
    match text {
        Some(text) => format!("{reason}: {text}"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
