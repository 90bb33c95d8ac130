//! The topic of the backup on a bus, for a state machine that is told lines and times.

use std::time::Duration;

use linebus_client::{Builder, Client, Error as BusError, Event, Events};
use rooms_backup::{LINE_BYTES_MIN, TOPIC, part_bytes};
use tokio::time::{Instant, sleep_until};

use super::Error;

/// The topic, joined.
pub(crate) struct Wire {
    client: Client,
    events: Events,
    began: Instant,
}

/// What happened.
pub(crate) enum Heard {
    Line(String),
    /// There is a connection again; lines in between are gone.
    Connected,
    /// The bus did not accept a line.
    Refused(String),
    /// It was time.
    Elapsed,
}

impl Wire {
    pub(crate) async fn connect(bus: Builder) -> Result<Self, Error> {
        let (client, events) = bus.connect().await?;
        client.recv(TOPIC).await?;
        let wire = Self { client, events, began: Instant::now() };
        wire.part_bytes()?;
        Ok(wire)
    }

    /// The time of the state machines.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// How large a part may be on this bus.
    pub(crate) fn part_bytes(&self) -> Result<usize, Error> {
        match self.client.line_bytes_max() {
            bytes if bytes < LINE_BYTES_MIN => Err(Error::LinesTooShort { bytes }),
            bytes => Ok(part_bytes(bytes)),
        }
    }

    /// Says lines. What a lost connection swallows is said again when its time comes.
    pub(crate) async fn say(&self, lines: Vec<String>) -> Result<(), Error> {
        for line in lines {
            match self.client.send(TOPIC, &line).await {
                Ok(()) | Err(BusError::Disconnected(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What happens next, or that it is time.
    pub(crate) async fn next(&mut self, deadline: Option<Duration>) -> Result<Heard, Error> {
        loop {
            let elapsed = async {
                match deadline {
                    Some(deadline) => sleep_until(self.began + deadline).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = self.events.next() => event,
                () = elapsed => return Ok(Heard::Elapsed),
            };
            match event {
                Some(Event::Message(message)) => return Ok(Heard::Line(message.text)),
                Some(Event::Reconnected { .. }) => return Ok(Heard::Connected),
                Some(Event::Refused(refused)) => return Ok(Heard::Refused(refused.to_string())),
                Some(Event::Disconnected(lost)) if !lost.retrying => {
                    return Err(Error::Ended(lost.why.to_string()));
                }
                Some(_) => {}
                None => return Err(Error::Ended("no more events".to_owned())),
            }
        }
    }

    /// What has been said reaches the bus before the connection ends.
    pub(crate) async fn logoff(self) -> Result<(), Error> {
        drop(self.events);
        Ok(self.client.logoff().await?)
    }
}
