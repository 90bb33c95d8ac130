//! The live side: what is so, what is said in each room, and the way out for presses. One task
//! hears the bus; pages read what is shown.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use linebus_client::{Client, Event, Events};
use parking_lot::{Mutex, RwLock};
use rooms_messages::{
    DeviceName, FACTS, FRAMES, Fact, Frame, Id, Reason, Report, Request, RoomName, Snapshot, Text,
    WISHES, Wish,
};
use tokio::sync::{broadcast, oneshot};

use crate::chronicle::Chronicle;
use crate::clock;
use crate::history::Writer;
use crate::house::{Changed, Heard, House};
use crate::notices::{Notices, Said};
use crate::records::{Alert, Record};

/// `alive` comes every 5 seconds; after so long there is no control system.
const SILENCE_MAX: SignedDuration = SignedDuration::from_secs(12);
/// A wish that nobody has accepted after so long is told as not answered.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(3);
/// A wish is not to be fulfilled later than this.
const EXPIRES_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// An accepted wish is known for so long, so that its failure is told to who wished it.
const ANSWER_KNOWN: SignedDuration = SignedDuration::from_mins(3);
/// After asking for everything, so long until it is asked again, if it has not come.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(2);
/// Frames of each device that are kept.
const FRAMES_MAX: usize = 200;
/// Changes that a slow page may not have taken yet; beyond, it draws itself anew.
const CHANGES_MAX: usize = 1024;
const TICK: Duration = Duration::from_millis(500);

/// Whether the rooms can be controlled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// They can.
    Fine,
    /// What is so is not known yet.
    Starting,
    /// There is no bus.
    NoBus(Timestamp),
    /// There is a bus, but the interface process is silent.
    Silent(Timestamp),
}

/// What pages show.
#[derive(Debug)]
pub struct Shown {
    /// The rooms.
    pub house: House,
    /// What is said in them.
    pub notices: Notices,
    /// Whether they can be controlled.
    pub control: Control,
    /// The last frames of devices that were traced.
    pub frames: BTreeMap<(RoomName, DeviceName), VecDeque<String>>,
}

/// How a wish was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is being worked on.
    Accepted,
    /// It changes nothing.
    Refused(Reason, String),
}

/// The way out for presses, and what is shown.
#[derive(Debug)]
pub struct Desk {
    shown: RwLock<Shown>,
    changes: broadcast::Sender<Arc<Changed>>,
    client: Client,
    waiting: Mutex<HashMap<Id, Waiting>>,
    chronicle: Mutex<Chronicle>,
    writer: Writer,
}

/// A wish that was sent from here.
#[derive(Debug)]
struct Waiting {
    room: Option<RoomName>,
    called: Option<RoomName>,
    sent: Timestamp,
    is_accepted: bool,
    tell: Option<oneshot::Sender<Answer>>,
}

impl Desk {
    /// A desk that hears this connection once [`run`](Desk::run) runs.
    #[must_use]
    pub fn new(client: Client, writer: Writer, open: Vec<Record>) -> Self {
        let shown = Shown {
            house: House::default(),
            notices: Notices::default(),
            control: Control::Starting,
            frames: BTreeMap::new(),
        };
        Self {
            shown: RwLock::new(shown),
            changes: broadcast::Sender::new(CHANGES_MAX),
            client,
            waiting: Mutex::default(),
            chronicle: Mutex::new(Chronicle::new(open)),
            writer,
        }
    }

    /// What is shown, while `look` looks at it.
    pub fn look<T>(&self, look: impl FnOnce(&Shown) -> T) -> T {
        look(&self.shown.read())
    }

    /// What changes from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Changed>> {
        self.changes.subscribe()
    }

    /// The names of people, rooms or permissions have changed: every page draws itself anew.
    pub fn redraw(&self) {
        self.tell(Changed::All);
    }

    /// Sends a wish and does not wait. What comes of it is shown as facts and notices.
    ///
    /// # Errors
    /// The rooms can't be controlled now. Nothing is kept for later.
    pub fn press(&self, wish: Wish, who: &str) -> Result<oneshot::Receiver<Answer>, Control> {
        let now = clock::now();
        match self.shown.read().control {
            Control::Fine => {}
            // A panel that has just started may press; the interface answers for itself.
            Control::Starting if self.client.is_connected() => {}
            other => return Err(other),
        }
        let id = random_id();
        let request = Request {
            wish,
            id: Some(id.clone()),
            by: Some(Text::clean(who)),
            expires: now.checked_add(EXPIRES_AFTER).ok(),
        };
        let Ok(line) = request.to_line() else {
            let (tell, answer) = oneshot::channel();
            let _ = tell.send(Answer::Refused(Reason::BadWish, "the text is too long".to_owned()));
            return Ok(answer);
        };
        let (tell, answer) = oneshot::channel();
        let called = match &request.wish {
            Wish::Connect { far, .. } => Some(far.clone()),
            _ => None,
        };
        let room = request.wish.room().cloned();
        if let Some(room) = &room {
            self.shown.write().notices.dismiss(room);
        }
        let waiting = Waiting { room, called, sent: now, is_accepted: false, tell: Some(tell) };
        self.waiting.lock().insert(id.clone(), waiting);
        // Written before it is sent: the answer may come at once.
        let record = self.chronicle.lock().wish(&request, who, now);
        record.into_iter().for_each(|record| self.writer.record(record));
        if !matches!(self.client.try_send(WISHES, &line), Ok(true)) {
            self.waiting.lock().remove(&id);
            let text = Some(Text::clean("there is no bus"));
            let unsent = Fact::Refused { id: Some(id), reason: Reason::Offline, with: None, text };
            let record = self.chronicle.lock().hear(&unsent, now);
            record.into_iter().for_each(|record| self.writer.record(record));
            return Err(Control::NoBus(now));
        }
        Ok(answer)
    }

    /// A call that the room may not make: said there and written into the audit.
    pub fn not_permitted(&self, near: &RoomName, far: &RoomName, who: &str) {
        let now = clock::now();
        let (reason, called) = (Reason::NotPermitted, Some(far.clone()));
        let said = Said::Refused { reason, text: String::new(), called };
        self.shown.write().notices.say(near, said, now);
        let record = self.chronicle.lock().refused(who, near, format!("connect {near} {far}"), now);
        self.writer.record(record);
        self.tell(Changed::Rooms([near.clone()].into()));
    }

    /// Writes into the audit what was changed in the administration.
    pub fn changed(&self, who: &str, room: Option<&RoomName>, what: String) {
        let record = self.chronicle.lock().changed(who, room, what, clock::now());
        self.writer.record(record);
    }

    /// The alerts that are not over, as the history has them.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.chronicle.lock().alerts().cloned().collect()
    }

    /// Somebody has seen an alert; false if it is over.
    #[must_use]
    pub fn mute(&self, alert: i64, by: &str) -> bool {
        let record = self.chronicle.lock().mute(alert, by);
        let found = record.is_some();
        record.into_iter().for_each(|record| self.writer.record(record));
        found
    }

    /// Somebody has read what is said in a room.
    pub fn dismiss(&self, room: &RoomName) {
        self.shown.write().notices.dismiss(room);
        self.tell(Changed::Rooms([room.clone()].into()));
    }

    /// Hears the bus until the connection ends for good.
    pub async fn run(self: Arc<Self>, mut events: Events) {
        let mut tick = tokio::time::interval(TICK);
        let mut heard_at = clock::now();
        let mut asked_at = None;
        self.ask(&mut asked_at);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Message(message)) if message.topic == FACTS => {
                        heard_at = clock::now();
                        if self.fact(&message.text, heard_at) {
                            self.ask(&mut asked_at);
                        }
                    }
                    Some(Event::Message(message)) if message.topic == WISHES => {
                        self.overheard(&message.text, message.user.as_deref());
                    }
                    Some(Event::Message(message)) if message.topic == FRAMES => {
                        self.frame(&message.text);
                    }
                    Some(Event::Disconnected(lost)) => {
                        tracing::warn!("{}; presses are refused until the bus is back", lost.why);
                        self.control(Control::NoBus(clock::now()));
                    }
                    Some(Event::Reconnected { .. }) => {
                        tracing::info!("the bus is back");
                        heard_at = clock::now();
                        self.shown.write().house.miss();
                        self.control(Control::Starting);
                        asked_at = None;
                        self.ask(&mut asked_at);
                    }
                    Some(Event::Refused(refused)) => tracing::error!("{refused}"),
                    Some(_) => {}
                    None => return self.control(Control::NoBus(clock::now())),
                },
                _ = tick.tick() => {
                    let now = clock::now();
                    self.tick(now, heard_at);
                    if !self.shown.read().house.is_current {
                        self.ask(&mut asked_at);
                    }
                }
            }
        }
    }

    /// Asks for everything, unless that was just asked.
    fn ask(&self, asked_at: &mut Option<Timestamp>) {
        let now = clock::now();
        if asked_at.is_some_and(|at| now.duration_since(at) < ASK_AGAIN) {
            return;
        }
        *asked_at = Some(now);
        let request = Request::from(Wish::Give { what: Snapshot::Everything });
        if let Ok(line) = request.to_line() {
            // Without a bus it is asked once that is back.
            let _ = self.client.try_send(WISHES, &line);
        }
    }

    /// Takes in a line of the topic of facts; whether something was missed.
    fn fact(&self, line: &str, now: Timestamp) -> bool {
        let Ok(report) = Report::parse(line) else { return false };
        let mut shown = self.shown.write();
        let was = match &report.fact {
            Fact::Link { near, far, .. } => {
                shown.house.links.get(&(near.clone(), far.clone())).map(|link| link.phase)
            }
            _ => None,
        };
        let is_live = !shown.house.is_gathering();
        let Heard { mut changed, is_gap } = shown.house.hear(&report, now);
        let mut records = Vec::new();
        if is_live {
            shown.notices.hear(&report.fact, was, now);
            records.extend(self.chronicle.lock().hear(&report.fact, now));
        }
        if changed == Changed::All {
            records.extend(self.chronicle.lock().compare(&shown.house, now));
        }
        if shown.house.is_current && shown.control != Control::Fine {
            shown.control = Control::Fine;
            changed = Changed::All;
        }
        if let Some(room) = self.answered(&report.fact, &mut shown.notices, now) {
            changed = changed.and(room);
        }
        drop(shown);
        records.into_iter().for_each(|record| self.writer.record(record));
        self.tell(changed);
        is_gap
    }

    /// An answer to a wish from here; the room where something is said now.
    fn answered(&self, fact: &Fact, notices: &mut Notices, now: Timestamp) -> Option<RoomName> {
        let (id, refused) = match fact {
            Fact::Accepted { id: Some(id), .. } => (id, None),
            Fact::Refused { id: Some(id), reason, text, .. }
            | Fact::Failed { id: Some(id), reason, text } => {
                (id, Some((*reason, text.as_ref().map_or("", Text::as_str).to_owned())))
            }
            Fact::Done { id: Some(id) } => {
                self.waiting.lock().remove(id);
                return None;
            }
            _ => return None,
        };
        let mut waiting = self.waiting.lock();
        let known = waiting.get_mut(id)?;
        known.is_accepted = true;
        let tell = known.tell.take();
        let Some((reason, text)) = refused else {
            let _ = tell.map(|tell| tell.send(Answer::Accepted));
            return None;
        };
        let _ = tell.map(|tell| tell.send(Answer::Refused(reason, text.clone())));
        let Waiting { room, called, .. } = waiting.remove(id)?;
        let room = room?;
        // The end of a call that was being made has been told by its link.
        if called.is_some() && matches!(fact, Fact::Failed { .. }) || reason == Reason::Cancelled {
            return None;
        }
        notices.say(&room, Said::Refused { reason, text, called }, now);
        Some(room)
    }

    /// Takes in a frame of a device that is traced.
    fn frame(&self, line: &str) {
        let Ok(frame) = Frame::parse(line) else { return };
        let mut text = format!("{} {} {}", frame.at, frame.way, frame.text);
        if frame.left_out > 0 {
            text = format!("({} left out)\n{text}", frame.left_out);
        }
        let room = frame.room.clone();
        let mut shown = self.shown.write();
        let frames = shown.frames.entry((frame.room, frame.device)).or_default();
        // The last 200 are said anew by each trace.
        if frames.contains(&text) {
            return;
        }
        if frames.len() == FRAMES_MAX {
            frames.pop_front();
        }
        frames.push_back(text);
        drop(shown);
        self.tell(Changed::Rooms([room].into()));
    }

    /// A wish that somebody else sent.
    fn overheard(&self, line: &str, user: Option<&str>) {
        let Ok(request) = Request::parse(line) else { return };
        if request.id.as_ref().is_some_and(|id| self.waiting.lock().contains_key(id)) {
            return;
        }
        let by = request.by.as_ref().map(Text::as_str);
        let who = match (by, user) {
            (Some(by), Some(user)) => format!("{by} (bus: {user})"),
            (Some(by), None) => by.to_owned(),
            (None, user) => format!("bus: {}", user.unwrap_or("-")),
        };
        let record = self.chronicle.lock().wish(&request, &who, clock::now());
        record.into_iter().for_each(|record| self.writer.record(record));
    }

    fn tick(&self, now: Timestamp, heard_at: Timestamp) {
        let mut unanswered = Vec::new();
        self.waiting.lock().retain(|_, waiting| {
            let age = now.duration_since(waiting.sent);
            if !waiting.is_accepted && age > ANSWER_WITHIN {
                unanswered.extend(waiting.room.clone());
                return false;
            }
            age < ANSWER_KNOWN
        });
        let mut shown = self.shown.write();
        for room in &unanswered {
            shown.notices.say(room, Said::NoAnswer, now);
        }
        let mut changed = shown.notices.expire(now);
        changed.extend(unanswered);
        let is_silent = now.duration_since(heard_at) > SILENCE_MAX;
        if is_silent && matches!(shown.control, Control::Fine | Control::Starting) {
            shown.control = Control::Silent(heard_at);
            drop(shown);
            tracing::warn!("the interface process has been silent since {heard_at}");
            return self.tell(Changed::All);
        }
        drop(shown);
        if !changed.is_empty() {
            self.tell(Changed::Rooms(changed.into_iter().collect()));
        }
    }

    fn control(&self, control: Control) {
        self.shown.write().control = control;
        self.tell(Changed::All);
    }

    fn tell(&self, changed: Changed) {
        if changed != Changed::Nothing {
            // Nobody may be looking.
            let _ = self.changes.send(Arc::new(changed));
        }
    }
}

/// Twelve letters and digits that nobody else will choose.
fn random_id() -> Id {
    let id: String = std::iter::repeat_with(fastrand::alphanumeric).take(12).collect();
    Id::new(&id).expect("letters and digits are an id")
}
