//! The topic of the backup on a bus, for a state machine that is told lines and times.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use linebus_client::{Builder, Client, Error as BusError, Event, Events};
use rooms_backup::{LINE_BYTES_MIN, TOPIC, part_bytes};
use tokio::time::{Instant, sleep_until};

use super::Error;

/// So many bytes of lines wait for a bus that is slow to take them. Those beyond are lost, and
/// whoever misses them asks again: to wait for the bus without hearing it would be worse, since
/// two who do so wait for each other.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The topic, joined.
pub(crate) struct Wire {
    client: Client,
    events: Events,
    began: Instant,
    waiting: Waiting,
}

/// What happened.
pub(crate) enum Heard {
    Line(String),
    /// The connection is lost; the client makes another one.
    Lost(String),
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
        let wire = Self { client, events, began: Instant::now(), waiting: Waiting::default() };
        wire.part_bytes()?;
        Ok(wire)
    }

    /// Another connection; time goes on.
    pub(crate) async fn connect_again(&mut self, bus: Builder) -> Result<(), Error> {
        *self = Self { began: self.began, ..Self::connect(bus).await? };
        Ok(())
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

    /// Says lines, while [`Wire::next`] is waited for.
    pub(crate) fn say(&mut self, lines: Vec<String>) {
        lines.into_iter().for_each(|line| self.waiting.push(line));
    }

    /// What happens next, or that it is time. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self, deadline: Duration) -> Result<Heard, Error> {
        let elapsed = sleep_until(self.began + deadline);
        tokio::pin!(elapsed);
        loop {
            let said = async {
                match self.waiting.first() {
                    Some(line) => self.client.send(TOPIC, line).await,
                    None => pending().await,
                }
            };
            let heard = tokio::select! {
                event = self.events.next() => heard(event)?,
                said = said => {
                    self.waiting.said(said)?;
                    None
                }
                () = &mut elapsed => Some(Heard::Elapsed),
            };
            if let Some(heard) = heard {
                return Ok(heard);
            }
        }
    }

    /// What the connection has taken reaches the bus before it ends, if there is one.
    pub(crate) async fn logoff(self) {
        drop(self.events);
        let _ = self.client.logoff().await;
    }
}

fn heard(event: Option<Event>) -> Result<Option<Heard>, Error> {
    Ok(Some(match event {
        Some(Event::Message(message)) => Heard::Line(message.text),
        Some(Event::Reconnected { .. }) => Heard::Connected,
        // The join was not made again: nothing more would be heard.
        Some(Event::Refused(refused)) if refused.verb == "recv" => {
            return Err(Error::Trouble(refused.to_string()));
        }
        Some(Event::Refused(refused)) => Heard::Refused(refused.to_string()),
        Some(Event::Disconnected(lost)) if lost.retrying => Heard::Lost(lost.why.to_string()),
        Some(Event::Disconnected(lost)) => return Err(Error::Ended(lost.why.to_string())),
        Some(_) => return Ok(None),
        None => return Err(Error::Ended("it is closed".to_owned())),
    }))
}

/// Lines that the connection has not taken yet.
#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, line: String) {
        if self.bytes + line.len() <= WAITING_BYTES_MAX {
            self.bytes += line.len();
            self.lines.push_back(line);
        }
    }

    fn first(&self) -> Option<&str> {
        self.lines.front().map(String::as_str)
    }

    /// The connection took the first line, or why it did not.
    fn said(&mut self, result: Result<(), BusError>) -> Result<(), Error> {
        match result {
            // Somebody asked for parts that are too long for this bus: they are as good as lost.
            Ok(()) | Err(BusError::TooLong { .. }) => {
                self.bytes -= self.lines.pop_front().map_or(0, |line| line.len());
            }
            Err(BusError::Disconnected(_)) => *self = Self::default(),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_limit_are_lost_and_there_is_room_after_some_were_taken() {
        let mut waiting = Waiting::default();
        let line = "x".repeat(1024 * 1024);
        for _ in 0..6 {
            waiting.push(line.clone());
        }
        assert_eq!((waiting.lines.len(), waiting.bytes), (4, WAITING_BYTES_MAX));
        waiting.said(Ok(())).expect("it goes on");
        waiting.said(Err(BusError::TooLong { bytes: 2, bytes_max: 1 })).expect("it goes on");
        assert_eq!((waiting.lines.len(), waiting.bytes), (2, WAITING_BYTES_MAX / 2));
        waiting.push(line);
        assert_eq!(waiting.lines.len(), 3);
        let lost = linebus_client::Lost::End;
        waiting.said(Err(BusError::Disconnected(lost.clone()))).expect("it goes on");
        assert_eq!((waiting.first(), waiting.bytes), (None, 0));
        assert!(waiting.said(Err(BusError::Closed(lost))).is_err());
    }
}
