//! The beginning of a connection: hello, and login where there is a user.

use linebus_protocol::{Event, VERSION};
use tokio::io::AsyncWriteExt;
use tracing::debug;

use crate::asked::Asked;
use crate::error::{Error, Excerpt, Lost, Refused, describe};
use crate::line_buffer::LineBuffer;
use crate::shared::Shared;
use crate::transport::{ReadHalf, WriteHalf, dial};
use crate::url::Place;

/// A connection that is ready for commands.
pub(crate) struct Connection {
    pub(super) read: ReadHalf,
    pub(super) write: WriteHalf,
    /// What came after the last line that was understood.
    pub(super) buffer: LineBuffer,
    /// Longest line that the bus accepts, in bytes.
    pub(crate) line_bytes_max: usize,
}

/// Connects, reads the hello and logs in.
pub(super) async fn connect(shared: &Shared, place: &Place) -> Result<Connection, Error> {
    let (read, write) = dial(place, &shared.settings.tls).await.map_err(|error| {
        Error::Connect { address: place.to_string(), kind: error.kind(), text: describe(&error) }
    })?;
    let mut connection = Connection { read, write, buffer: LineBuffer::new(), line_bytes_max: 0 };
    connection.read_hello(place).await?;
    let credentials = shared.memory.lock().credentials.clone();
    if let Some(credentials) = credentials {
        let line = Asked::Login(credentials).line();
        connection.log_in(shared, &line).await?;
    }
    debug!(%place, line_bytes_max = connection.line_bytes_max, "connected");
    Ok(connection)
}

impl Connection {
    async fn read_hello(&mut self, place: &Place) -> Result<(), Error> {
        let line = match self.next_line().await {
            Ok(line) => line,
            Err(Lost::Garbage(_)) => return Err(self.is_no_bus(place)),
            Err(lost) => return Err(Error::Disconnected(lost)),
        };
        match Event::parse(&line) {
            Event::Hello { version, line_bytes_max, .. } if version == VERSION => {
                self.line_bytes_max = line_bytes_max;
                self.buffer.accept_lines_of(line_bytes_max);
                self.buffer.consume(line.len() + 1);
                Ok(())
            }
            Event::Hello { version, .. } => {
                let what = format!("version {version} of it; this client speaks {VERSION}");
                Err(Error::Disconnected(Lost::Garbage(what)))
            }
            Event::Bye { reason, text } => Err(Error::Disconnected(bye(reason, text))),
            _ => Err(self.is_no_bus(place)),
        }
    }

    fn is_no_bus(&self, place: &Place) -> Error {
        let bytes = self.buffer.bytes();
        let line = bytes.split(|&byte| byte == b'\n').next();
        Error::NotABus {
            address: place.to_string(),
            line: Excerpt(line.unwrap_or_default()).to_string(),
        }
    }

    async fn log_in(&mut self, shared: &Shared, login: &str) -> Result<(), Error> {
        if login.len() > self.line_bytes_max {
            return Err(Error::TooLong { bytes: login.len(), bytes_max: self.line_bytes_max });
        }
        let written = async {
            self.write.write_all(login.as_bytes()).await?;
            self.write.flush().await
        };
        written.await.map_err(|error| Error::Disconnected(error.into()))?;
        loop {
            let line = self.next_line().await.map_err(Error::Disconnected)?;
            self.buffer.consume(line.len() + 1);
            match Event::parse(&line) {
                Event::Ok { verb: "login", .. } => return Ok(()),
                // Whatever verb it names: nothing else has been said.
                Event::Error { verb, code, text } => {
                    return Err(Error::Refused(Refused {
                        verb: verb.to_owned(),
                        code: code.to_owned(),
                        text: text.to_owned(),
                    }));
                }
                Event::Bye { reason, text } => return Err(Error::Disconnected(bye(reason, text))),
                Event::Note { .. } => shared.inbox.push_lines(&format!("{line}\n")).await,
                _ => {}
            }
        }
    }

    /// The next line, its LF taken off. It stays in the buffer.
    async fn next_line(&mut self) -> Result<String, Lost> {
        loop {
            let lines = self.buffer.whole_lines()?;
            if let Some((line, _)) = lines.split_once('\n') {
                return Ok(line.to_owned());
            }
            self.buffer.fill(&mut self.read).await?;
        }
    }
}

/// The goodbye as an end.
pub(super) fn bye(reason: &str, text: &str) -> Lost {
    Lost::Bye { reason: reason.to_owned(), text: text.to_owned() }
}
