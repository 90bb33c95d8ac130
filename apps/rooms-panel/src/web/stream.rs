//! What changes, told to pages that are open: server-sent events with the parts of a panel that
//! are not as they were.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use rooms_messages::RoomName;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::App;
use super::door::Visitor;
use super::fields::Fields;
use super::panel::{known, look, unknown};
use crate::house::Changed;
use crate::records::TokenHash;

/// A panel is drawn at most so often: a busy moment is told at once, and its rest together.
const DRAWN_EVERY: Duration = Duration::from_millis(40);
/// What changes with the clock only is drawn this often.
const CLOCK_EVERY: Duration = Duration::from_secs(20);
/// A page of the administration is told at most so often that something has changed.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// Browsers keep an event without data to themselves.
const SOMETHING: &str = "now";

/// The stream of a room's panel.
pub(super) async fn panel(
    State(app): State<App>,
    Path(room): Path<String>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let Some(room) = known(&app, &room) else { return unknown() };
    let changes = app.desk.changes();
    let open = Open::new(app.clone(), visitor.token);
    let view = View {
        app,
        room,
        visitor,
        show: fields.get("show").to_owned(),
        changes,
        drawn: 0,
        cards: HashMap::new(),
        waiting: VecDeque::new(),
        next: Instant::now(),
        is_first: true,
        is_gone: false,
        _open: open,
    };
    let events = stream::unfold(view, |mut view| async move {
        let event = view.next().await?;
        Some((Ok::<_, Infallible>(event), view))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// The stream of the administration: something has changed.
pub(super) async fn admin(State(app): State<App>) -> Response {
    let changes = app.desk.changes();
    let events = stream::unfold((changes, Instant::now()), |(mut changes, next)| async move {
        match changes.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
        sleep_until(next).await;
        changes = changes.resubscribe();
        let event = Event::default().event("changed").data(SOMETHING);
        Some((Ok::<_, Infallible>(event), (changes, Instant::now() + TOLD_EVERY)))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// One open panel, and what it shows already.
struct View {
    app: App,
    room: RoomName,
    visitor: Visitor,
    show: String,
    changes: Receiver<Arc<Changed>>,
    drawn: u64,
    cards: HashMap<RoomName, u64>,
    waiting: VecDeque<String>,
    next: Instant,
    is_first: bool,
    is_gone: bool,
    _open: Open,
}

impl View {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(html) = self.waiting.pop_front() {
                return Some(Event::default().data(html));
            }
            if self.is_gone {
                return None;
            }
            let changed = self.changed().await?;
            if !self.may_stay() {
                self.is_gone = true;
                return Some(Event::default().event("gone").data(SOMETHING));
            }
            self.draw(&changed);
            self.next = Instant::now() + DRAWN_EVERY;
        }
    }

    /// Waits for changes, and takes together what has come since the last drawing.
    async fn changed(&mut self) -> Option<Changed> {
        // The page may be older than this stream.
        if std::mem::take(&mut self.is_first) {
            return Some(Changed::All);
        }
        let mut all = match timeout_at(Instant::now() + CLOCK_EVERY, self.changes.recv()).await {
            Err(_) | Ok(Err(RecvError::Lagged(_))) => Changed::All,
            Ok(Ok(changed)) => (*changed).clone(),
            Ok(Err(RecvError::Closed)) => return None,
        };
        sleep_until(self.next).await;
        loop {
            match self.changes.try_recv() {
                Ok(changed) => all = all.with(&changed),
                Err(TryRecvError::Lagged(_)) => all = Changed::All,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(all),
            }
        }
    }

    /// Whether who looks may still look.
    fn may_stay(&self) -> bool {
        let directory = self.app.registry.directory();
        match &self.visitor.role {
            Some(_) => {
                let account = directory.accounts.get(&self.visitor.account);
                directory.sessions.contains_key(&self.visitor.token)
                    && account.is_some_and(|account| !account.is_disabled)
            }
            None => {
                let panel = directory.panels.get(&self.visitor.token);
                panel.is_some_and(|panel| panel.revoked.is_none())
            }
        }
    }

    fn draw(&mut self, changed: &Changed) {
        let Self { app, room, visitor, show, cards, waiting, drawn, .. } = self;
        look(app, room, visitor, show, |look| {
            let others = match changed {
                Changed::Nothing => return,
                Changed::Rooms(rooms) => {
                    let concerns =
                        |changed: &RoomName| changed == look.room || Some(changed) == look.other();
                    (!rooms.iter().any(concerns)).then_some(rooms)
                }
                Changed::All => None,
            };
            let Some(others) = others else {
                let html = look.screen().to_string();
                if std::mem::replace(drawn, hash(&html)) != *drawn {
                    waiting.push_back(html);
                    cards.clear();
                }
                return;
            };
            for other in others {
                let Some(card) = look.card_of(other) else { continue };
                let html = card.to_string();
                let card = hash(&html);
                if cards.insert(other.clone(), card) != Some(card) {
                    waiting.push_back(html);
                }
            }
        });
    }
}

fn hash(html: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    hasher.finish()
}

/// Counts the open pages of a panel.
struct Open {
    app: App,
    token: TokenHash,
}

impl Open {
    fn new(app: App, token: TokenHash) -> Self {
        *app.live.open.lock().entry(token).or_default() += 1;
        Self { app, token }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.app.live.open.lock();
        if let Some(count) = open.get_mut(&self.token) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.token);
            }
        }
    }
}
