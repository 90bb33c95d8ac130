//! The task behind a client: it holds the connection, and makes another when that is lost.
//!
//! It never buffers on its own account. What it reads goes to the program's [`Inbox`] or to
//! whoever waits for an answer, and while the inbox is full it does not read.
//!
//! [`Inbox`]: crate::inbox::Inbox

mod handshake;
mod reader;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use memchr::memchr_iter;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::asked::{AnswerTo, Asked, Pending};
use crate::back_off::BackOff;
use crate::error::{Error, Lost};
use crate::event::{Disconnected, Event};
use crate::shared::Shared;
use crate::url::Place;
use handshake::Connection;
use reader::Reader;
use writer::Writer;

/// How long a client that nobody holds any more may take to write what it accepted.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// The task's state between connections.
#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    place: Place,
    back_off: BackOff,
}

/// Marks the client as closed however the task ends, so that nobody waits for ever.
struct Closed(Arc<Shared>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.outgoing.take_down(&Lost::Dropped, true);
        self.0.end_asks();
        self.0.inbox.end();
    }
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, place: Place) -> Self {
        let settings = &shared.settings;
        let back_off = BackOff::new(settings.back_off_first, settings.back_off_max);
        Self { shared, place, back_off }
    }

    /// Makes the first connection.
    pub(crate) async fn connect_first(&mut self) -> Result<Connection, Error> {
        loop {
            match self.connect().await {
                Err(error) if self.shared.settings.retry_first && !is_final(&error) => {
                    debug!(%error, "connecting failed; trying again");
                    sleep(self.back_off.next_delay()).await;
                }
                other => return other,
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let after = self.shared.settings.connect_timeout;
        let connecting = handshake::connect(&self.shared, &self.place);
        tokio::time::timeout(after, connecting).await.unwrap_or_else(|_| {
            Err(Error::ConnectTimeout { address: self.place.to_string(), after })
        })
    }

    /// Serves connection after connection until there is reason to stop.
    pub(crate) async fn run(mut self, first: Connection) {
        let shared = Arc::clone(&self.shared);
        let closed = Closed(Arc::clone(&shared));
        let mut next = Some((first, None));
        while let Some((connection, lost_at)) = next.take() {
            let began = Instant::now();
            let (mut why, unwritten) = self.serve(connection, lost_at).await;
            if shared.all_gone() {
                why = Lost::Dropped;
            }
            debug!(%why, place = %self.place, "connection ended");
            self.back_off.note_connection(began.elapsed());
            let retrying = shared.settings.reconnect && !why.is_final();
            let untaken = shared.outgoing.take_down(&why, !retrying);
            let lines = |bytes: &[u8]| memchr_iter(b'\n', bytes).count();
            shared.end_asks();
            let event = Disconnected { unsent: lines(&unwritten) + lines(&untaken), retrying, why };
            shared.inbox.push_event(Event::Disconnected(event)).await;
            if retrying {
                next = tokio::select! {
                    back = self.reconnect(Instant::now()) => back,
                    () = shared.wait_until_all_gone() => None,
                };
            }
        }
        drop(closed);
    }

    /// Tries until there is a connection, or reason to give up.
    async fn reconnect(&mut self, lost_at: Instant) -> Option<(Connection, Option<Instant>)> {
        loop {
            sleep(self.back_off.next_delay()).await;
            match self.connect().await {
                Ok(connection) => return Some((connection, Some(lost_at))),
                Err(error) if is_final(&error) => {
                    let why = match error {
                        Error::Refused(refused) => Lost::Login(refused),
                        Error::Disconnected(lost) => lost,
                        other => Lost::Garbage(other.to_string()),
                    };
                    self.shared.outgoing.take_down(&why, true);
                    let event = Disconnected { why, unsent: 0, retrying: false };
                    let inbox = &self.shared.inbox;
                    inbox.push_event(Event::Disconnected(event)).await;
                    return None;
                }
                Err(error) => debug!(%error, "reconnecting failed; trying again"),
            }
        }
    }

    /// Serves one connection to its end. Returns why it ended and what was not written.
    async fn serve(&self, connection: Connection, lost_at: Option<Instant>) -> (Lost, Vec<u8>) {
        let shared = &self.shared;
        let mut reader = Reader::new(shared, connection.read, lost_at);
        let mut writer = Writer::new(shared, connection.write);
        let mut back_at_once = false;
        // The first connection is up since there are handles to it.
        if lost_at.is_some() {
            let rejoins = self.rejoins();
            back_at_once = rejoins.is_empty();
            shared.outgoing.bring_up(connection.line_bytes_max, rejoins);
        }
        let reading = async {
            if back_at_once {
                reader.say_back().await;
            }
            reader.run(connection.buffer).await
        };
        let closing = async {
            shared.wait_until_all_gone().await;
            sleep(CLOSE_PATIENCE).await;
        };
        let why = tokio::select! {
            why = reading => why,
            never = writer.run() => match never {},
            () = closing => Lost::Dropped,
        };
        (why, writer.unwritten().to_vec())
    }

    fn rejoins(&self) -> Vec<Pending> {
        let joins = self.shared.memory.lock().joins();
        let count = joins.len();
        let pending = |(at, join)| Pending {
            asked: Asked::Join(join),
            to: AnswerTo::Reconnect { last: at + 1 == count },
        };
        joins.into_iter().enumerate().map(pending).collect()
    }
}

/// Whether trying again would end the same way.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Refused(refused) => Lost::Login(refused.clone()).is_final(),
        Error::Disconnected(lost) => lost.is_final(),
        _ => false,
    }
}
