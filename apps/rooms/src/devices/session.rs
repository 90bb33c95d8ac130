//! One device's session: connects, lets its driver speak, and says what came of it.
//!
//! It owns transport, clock and queue, as [`Driver`] asks of whoever stands around it. It lives as
//! long as the sender of its orders.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use rooms_drivers::vocabulary::Kind as DeviceKind;
use rooms_drivers::{CallFact, Command, Driver, Effect, Fault, Io, Refusal, Ticket, TimerId};
use rooms_messages::{DeviceName, OfflineReason, RoomName};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::back_off::BackOff;
use super::frames::{FrameSender, Frames, Tracer, Way};
use super::queue::Queue;
use super::restore::Restore;
use crate::transport::{Address, Closed, Transport};

/// Tickets from here on are a session's own: nobody waits for their answers.
const OWN_TICKETS: u64 = 1 << 63;

/// Which session it is; another one of the same device has another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SessionId(pub(super) u64);

/// What a session is told.
#[derive(Debug)]
pub(super) enum Order {
    /// The device is to do this.
    Command(Command, Ticket),
    /// Connect anew, whatever held it off.
    Reconnect,
    /// Say every frame for so long, the last ones first.
    Trace(Duration),
    /// Send these bytes as they are.
    Raw(Vec<u8>),
}

/// What a session says.
#[derive(Debug)]
pub(super) enum News {
    /// Its transport is open; the device has not answered yet.
    Opened,
    /// The device answers.
    Online,
    /// It does not, or no longer.
    Offline(OfflineReason, String),
    /// The device reports a state.
    State(String, String),
    /// What came of a command.
    Answer(Ticket, Result<(), Refusal>),
    /// What a codec says of its calls.
    Call(CallFact),
}

/// Where sessions' news go.
pub(super) type NewsSender = mpsc::Sender<(SessionId, News)>;

type Connecting = Pin<Box<dyn Future<Output = Result<Transport, Closed>> + Send>>;

enum Link {
    /// Not before this, or not until somebody asks for it.
    Waiting(Option<Instant>),
    Connecting(Connecting),
    Open(Transport),
}

enum Event {
    Order(Order),
    Connected(Result<Transport, Closed>),
    Read(Result<Vec<u8>, Closed>),
    Tick,
}

/// Why a transport was given up.
enum Over {
    Closed(Closed),
    Fault(Fault),
    /// Somebody asked for another one.
    Asked,
}

pub(super) struct Session {
    id: SessionId,
    /// Room and device, for the log.
    name: String,
    address: Address,
    driver: Box<dyn Driver>,
    link: Link,
    opened: Instant,
    is_online: bool,
    power: Option<String>,
    io: Io,
    timers: BTreeMap<TimerId, Instant>,
    /// Frames that wait for the device's quiet time to be over.
    outgoing: VecDeque<(Vec<u8>, bool)>,
    quiet_until: Instant,
    queue: Queue,
    restore: Restore,
    own_tickets: u64,
    back_off: BackOff,
    frames: Frames,
    tracer: Tracer,
    said: Vec<News>,
    orders: mpsc::Receiver<Order>,
    news: NewsSender,
}

impl Session {
    /// Begins a session; it runs until the sender of its orders is dropped.
    pub(super) fn start(
        id: SessionId,
        (room, device): (RoomName, DeviceName),
        address: Address,
        driver: Box<dyn Driver>,
        orders: mpsc::Receiver<Order>,
        news: NewsSender,
        frames: FrameSender,
    ) {
        let now = Instant::now();
        let session = Session {
            id,
            name: format!("{room} {device}"),
            address,
            driver,
            link: Link::Waiting(Some(now)),
            opened: now,
            is_online: false,
            power: None,
            io: Io::new(),
            timers: BTreeMap::new(),
            outgoing: VecDeque::new(),
            quiet_until: now,
            queue: Queue::default(),
            restore: Restore::default(),
            own_tickets: OWN_TICKETS,
            back_off: BackOff::default(),
            frames: Frames::default(),
            tracer: Tracer::new(room, device, frames),
            said: Vec::new(),
            orders,
            news,
        };
        tokio::spawn(session.run());
    }

    async fn run(mut self) {
        loop {
            let due = self.due();
            let event = tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => Event::Order(order),
                    None => break,
                },
                event = self.link.next() => event,
                () = wait_until(due) => Event::Tick,
            };
            let now = Instant::now();
            self.handle(event, now);
            self.advance(now).await;
            for news in self.said.drain(..) {
                if self.news.send((self.id, news)).await.is_err() {
                    return;
                }
            }
        }
    }

    /// When something is to be done that nobody says.
    fn due(&self) -> Option<Instant> {
        let connect = match self.link {
            Link::Waiting(at) => at,
            Link::Connecting(_) => None,
            Link::Open(_) => (!self.outgoing.is_empty()).then_some(self.quiet_until),
        };
        let timer = self.timers.values().min().copied();
        [connect, timer, self.queue.due()].into_iter().flatten().min()
    }

    fn handle(&mut self, event: Event, now: Instant) {
        match event {
            Event::Order(Order::Command(command, ticket)) => {
                self.restore.wanted(&command, now);
                self.push(command, ticket, now);
            }
            Event::Order(Order::Reconnect) => {
                self.back_off = BackOff::default();
                self.close(&Over::Asked, now);
            }
            Event::Order(Order::Trace(time)) => self.tracer.begin(&self.frames, now + time),
            Event::Order(Order::Raw(bytes)) => self.outgoing.push_back((bytes, false)),
            Event::Connected(Ok(transport)) => {
                self.link = Link::Open(transport);
                self.opened = now;
                self.quiet_until = now;
                self.said.push(News::Opened);
                self.driver.opened(&mut self.io);
            }
            Event::Connected(Err(closed)) | Event::Read(Err(closed)) => {
                self.close(&Over::Closed(closed), now);
            }
            Event::Read(Ok(bytes)) => {
                self.note(Way::In, &bytes, now);
                self.driver.bytes(&bytes, &mut self.io);
            }
            Event::Tick => {}
        }
    }

    fn push(&mut self, command: Command, ticket: Ticket, now: Instant) {
        let ended = self.queue.push(command, ticket, now);
        self.said.extend(ended.into_iter().map(|(ticket, result)| News::Answer(ticket, result)));
    }

    /// Does what is due, until nothing is.
    async fn advance(&mut self, now: Instant) {
        if let Link::Waiting(Some(at)) = self.link
            && at <= now
        {
            let address = self.address.clone();
            self.link =
                Link::Connecting(Box::pin(async move { Transport::connect(&address).await }));
        }
        loop {
            self.carry_out(now);
            let expired = self.queue.expire(now);
            self.said
                .extend(expired.into_iter().map(|(ticket, result)| News::Answer(ticket, result)));
            if let Some(timer) = self.timer_due(now) {
                self.timers.remove(&timer);
                self.driver.timer(timer, &mut self.io);
            } else if self.is_online
                && let Some((command, ticket)) = self.queue.next(now)
            {
                if let Err(refusal) = self.driver.command(&command, ticket, &mut self.io) {
                    self.answered(ticket, Err(refusal), now);
                }
            } else if !self.send_next(now).await {
                return;
            }
        }
    }

    fn timer_due(&self, now: Instant) -> Option<TimerId> {
        let due = self.timers.iter().filter(|(_, at)| **at <= now);
        due.min_by_key(|(_, at)| **at).map(|(timer, _)| *timer)
    }

    /// Sends a frame if there is one and the device has had its quiet time.
    async fn send_next(&mut self, now: Instant) -> bool {
        let Link::Open(transport) = &mut self.link else {
            self.outgoing.clear();
            return false;
        };
        if now < self.quiet_until {
            return false;
        }
        let Some((bytes, secret)) = self.outgoing.pop_front() else { return false };
        self.quiet_until = now + self.driver.info().pace;
        let written = transport.write(&bytes).await;
        self.note(if secret { Way::OutSecret } else { Way::Out }, &bytes, now);
        if let Err(closed) = written {
            self.close(&Over::Closed(closed), now);
        }
        true
    }

    /// Carries out what the driver wants done.
    fn carry_out(&mut self, now: Instant) {
        loop {
            let effects = self.io.take();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Send { bytes, secret } => self.outgoing.push_back((bytes, secret)),
                    Effect::Online => self.online(now),
                    Effect::Set { key, value } => self.state(key, value, now),
                    Effect::Done(ticket) => self.answered(ticket, Ok(()), now),
                    Effect::Fail(ticket, refusal) => self.answered(ticket, Err(refusal), now),
                    Effect::Timer(timer, after) if matches!(self.link, Link::Open(_)) => {
                        self.timers.insert(timer, now + after);
                    }
                    Effect::Timer(..) => {}
                    Effect::Cancel(timer) => drop(self.timers.remove(&timer)),
                    Effect::Fault(fault) => self.close(&Over::Fault(fault), now),
                    Effect::Call(fact) => self.said.push(News::Call(fact)),
                    Effect::Log(text) => tracing::debug!("{}: {text}", self.name),
                }
            }
        }
    }

    fn online(&mut self, now: Instant) {
        if self.is_online || !matches!(self.link, Link::Open(_)) {
            return;
        }
        self.is_online = true;
        self.said.push(News::Online);
        for command in self.restore.again() {
            self.own_tickets += 1;
            self.push(command, Ticket(self.own_tickets), now);
        }
    }

    fn state(&mut self, key: String, value: String, now: Instant) {
        if key == "power" && self.power.as_ref() != Some(&value) {
            self.power = Some(value.clone());
            self.queue.power_changed();
        }
        self.restore.reported(&key, &value, now);
        self.said.push(News::State(key, value));
    }

    fn answered(&mut self, ticket: Ticket, result: Result<(), Refusal>, now: Instant) {
        if let Some((ticket, result)) = self.queue.answered(ticket, result, now)
            && ticket.0 < OWN_TICKETS
        {
            self.said.push(News::Answer(ticket, result));
        }
    }

    /// Gives the transport up and decides when to try again.
    fn close(&mut self, over: &Over, now: Instant) {
        let was_open = matches!(self.link, Link::Open(_));
        if !was_open && matches!(over, Over::Fault(_)) {
            return;
        }
        let dice = fastrand::f64();
        let lasted = now.saturating_duration_since(self.opened);
        let again = match over {
            Over::Asked => Some(Duration::ZERO),
            Over::Fault(Fault::Auth | Fault::Config(_)) | Over::Closed(Closed::Config(_)) => None,
            Over::Fault(Fault::Restart(_)) => Some(BackOff::restart(dice)),
            Over::Fault(_) if was_open => Some(self.back_off.lost(lasted, None, dice)),
            Over::Closed(why) if was_open => Some(self.back_off.lost(lasted, Some(why), dice)),
            _ => Some(self.back_off.not_opened(dice)),
        };
        let (reason, text) = self.reason(over);
        self.link = Link::Waiting(again.map(|again| now + again));
        self.is_online = false;
        self.timers.clear();
        self.outgoing.clear();
        if was_open {
            self.driver.closed(&mut self.io);
            self.timers.clear();
        }
        if !matches!(over, Over::Asked) || was_open {
            tracing::debug!("{}: offline, {reason}: {text}", self.name);
            self.said.push(News::Offline(reason, text));
        }
    }

    fn reason(&self, over: &Over) -> (OfflineReason, String) {
        let is_codec = self.driver.info().kind == DeviceKind::Codec;
        let sleeps = is_codec && self.power.as_deref() == Some("off");
        let reason = match over {
            Over::Asked => return (OfflineReason::NoResponse, "it is connected anew".to_owned()),
            Over::Fault(fault) => {
                let reason = fault.word().parse().unwrap_or(OfflineReason::NoResponse);
                return (reason, fault.to_string());
            }
            Over::Closed(Closed::SomeoneElse) => OfflineReason::SomeoneElse,
            Over::Closed(Closed::Config(_)) => OfflineReason::Config,
            Over::Closed(Closed::Ended) if self.back_off.is_fought_for() => {
                let text = "somebody else uses this line: it is taken away again and again";
                return (OfflineReason::SomeoneElse, text.to_owned());
            }
            Over::Closed(_) if self.address.is_bridged() => OfflineReason::Bridge,
            Over::Closed(_) if sleeps => OfflineReason::Asleep,
            Over::Closed(Closed::Refused(_)) => OfflineReason::Refused,
            Over::Closed(Closed::Ended | Closed::Broken(_)) => OfflineReason::NoResponse,
            Over::Closed(Closed::Unreachable(_) | Closed::Bridge(_)) => OfflineReason::Unreachable,
        };
        let Over::Closed(closed) = over else { return (reason, String::new()) };
        (reason, format!("{}: {closed}", self.address))
    }

    fn note(&mut self, way: Way, bytes: &[u8], now: Instant) {
        self.tracer.note(self.frames.push(way, bytes), now);
    }
}

impl Link {
    async fn next(&mut self) -> Event {
        match self {
            Link::Waiting(_) => pending().await,
            Link::Connecting(connecting) => Event::Connected(connecting.await),
            Link::Open(transport) => Event::Read(transport.read().await),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("name", &self.name).finish_non_exhaustive()
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
