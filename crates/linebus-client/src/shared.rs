//! What the handles and the connection's task have in common.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::asked::Join;
use crate::builder::Settings;
use crate::inbox::Inbox;
use crate::outgoing::Outgoing;
use crate::url::Credentials;

/// One for each client; handles and the task keep it alive.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) outgoing: Outgoing,
    /// What [`Events`](crate::Events) reads.
    pub(crate) inbox: Inbox,
    /// Reply topics, and where their messages go. Locked for moments, and never together with
    /// another lock.
    pub(crate) asks: Mutex<HashMap<String, Arc<Inbox>>>,
    /// What to say again on a new connection.
    pub(crate) memory: Mutex<Memory>,
    pub(crate) settings: Settings,
    clients_gone: AtomicBool,
    gone: Notify,
}

/// Who the client is and what it has joined, as the bus confirmed it.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) credentials: Option<Credentials>,
    /// In the order in which they were made.
    joins: Vec<Join>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, credentials: Option<Credentials>) -> Self {
        Self {
            outgoing: Outgoing::new(settings.outgoing_bytes_max),
            inbox: Inbox::new(settings.events_bytes_max),
            asks: Mutex::default(),
            memory: Mutex::new(Memory { credentials, joins: Vec::new() }),
            settings,
            clients_gone: AtomicBool::new(false),
            gone: Notify::new(),
        }
    }

    /// The last [`Client`](crate::Client) is dropped.
    pub(crate) fn note_clients_gone(&self) {
        self.clients_gone.store(true, Ordering::SeqCst);
        self.close_if_all_gone();
    }

    /// [`Events`](crate::Events) is dropped.
    pub(crate) fn note_events_gone(&self) {
        self.inbox.abandon();
        self.close_if_all_gone();
    }

    fn close_if_all_gone(&self) {
        if self.all_gone() {
            self.outgoing.close();
            self.gone.notify_one();
        }
    }

    pub(crate) fn all_gone(&self) -> bool {
        self.clients_gone.load(Ordering::SeqCst) && self.inbox.is_abandoned()
    }

    /// Returns when nobody holds a handle any more. For the task alone.
    pub(crate) async fn wait_until_all_gone(&self) {
        while !self.all_gone() {
            self.gone.notified().await;
        }
    }

    /// From now on, messages on `reply_topic` go to `inbox`.
    pub(crate) fn note_ask(&self, reply_topic: &str, inbox: &Arc<Inbox>) {
        let mut asks = self.asks.lock();
        asks.insert(reply_topic.to_owned(), Arc::clone(inbox));
    }

    /// Ends what waits for messages on reply topics: they will not come.
    pub(crate) fn end_asks(&self) {
        let asks = std::mem::take(&mut *self.asks.lock());
        for inbox in asks.values() {
            inbox.end();
        }
    }
}

impl Memory {
    /// Takes note of a login, which dropped every join.
    pub(crate) fn note_login(&mut self, credentials: Credentials) {
        self.credentials = Some(credentials);
        self.joins.clear();
    }

    pub(crate) fn note_join(&mut self, join: Join) {
        if !join.lasting {
            return;
        }
        match self.joins.iter_mut().find(|known| known.is_like(&join)) {
            Some(known) => *known = join,
            None => self.joins.push(join),
        }
    }

    /// Takes note that the bus does not accept this join any more.
    pub(crate) fn forget_join(&mut self, join: &Join) {
        self.joins.retain(|known| known != join);
    }

    pub(crate) fn note_leave(&mut self, pattern: &str) {
        self.joins.retain(|known| known.pattern != pattern);
    }

    pub(crate) fn joins(&self) -> Vec<Join> {
        self.joins.clone()
    }
}

impl Join {
    /// Whether the bus holds only one of the two.
    fn is_like(&self, other: &Self) -> bool {
        self.pattern == other.pattern
            && std::mem::discriminant(&self.kind) == std::mem::discriminant(&other.kind)
    }
}
