//! Connecting, joining and waiting for the confirmation, many connections at a time.
//!
//! Bytes and their order come from the protocol's [`Step`]s; this file only moves them. Connections are opened a few
//! dozen at a time, so that no server's accept queue overflows (Mosquitto's holds 100).

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::error::excerpt;
use crate::protocol::{Interjection, Step};
use crate::stream::{Stream, is_for_later};
use crate::{BenchError, Target};

/// How many connections are being opened at a time.
pub const OPENING_AT_A_TIME: usize = 64;

/// All connections of a run must be open by then. A hundred thousand joins take NATS about a second.
const OPENED_WITHIN: Duration = Duration::from_secs(60);

/// A connection that is ready for its role.
pub(crate) struct Opened {
    pub(crate) stream: Stream,
    /// What arrived behind the confirmation.
    pub(crate) already_read: Vec<u8>,
}

/// Opens a connection for each of `openings`, registered with `poll` under its index, and answers them in that order.
pub(crate) fn open_all(
    poll: &mut Poll,
    target: &Target,
    openings: Vec<Vec<Step>>,
) -> Result<Vec<Opened>, BenchError> {
    let started = Instant::now();
    let mut waiting = openings.into_iter().enumerate();
    let mut connections: Vec<Connection> = Vec::new();
    let mut opening = 0;
    let mut events = Events::with_capacity(OPENING_AT_A_TIME * 4);
    loop {
        while opening < OPENING_AT_A_TIME {
            let Some((index, steps)) = waiting.next() else {
                break;
            };
            connections.push(Connection::start(poll, target, index, steps)?);
            opening += 1;
        }
        if opening == 0 {
            break;
        }
        poll_once(poll, &mut events, Some(Duration::from_secs(1)))?;
        if started.elapsed() > OPENED_WITHIN {
            return Err(BenchError::Stalled {
                doing: "connecting and joining",
                waited: OPENED_WITHIN,
            });
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            if !connection.steps.is_empty() && connection.advance(target)? {
                opening -= 1;
            }
        }
    }
    Ok(connections.into_iter().map(Connection::opened).collect())
}

/// Waits for readiness; a signal in between is no error.
pub(crate) fn poll_once(
    poll: &mut Poll,
    events: &mut Events,
    timeout: Option<Duration>,
) -> Result<(), BenchError> {
    match poll.poll(events, timeout) {
        Err(e) if e.kind() != ErrorKind::Interrupted => Err(BenchError::io("wait for sockets")(e)),
        _ => Ok(()),
    }
}

struct Connection {
    stream: Stream,
    /// What is still to be done; the first may be half done.
    steps: VecDeque<Step>,
    /// How much of the first step, if it is to say something, has been said.
    said: usize,
    heard: Vec<u8>,
}

impl Connection {
    fn start(
        poll: &Poll,
        target: &Target,
        index: usize,
        steps: Vec<Step>,
    ) -> Result<Connection, BenchError> {
        let mut socket = TcpStream::connect(target.address).map_err(BenchError::io("connect"))?;
        poll.registry()
            .register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)
            .map_err(BenchError::io("watch a socket"))?;
        let stream = Stream::new(socket);
        Ok(Connection { stream, steps: steps.into(), said: 0, heard: Vec::new() })
    }

    /// Goes on as far as the socket allows; true once all steps are done.
    fn advance(&mut self, target: &Target) -> Result<bool, BenchError> {
        while let Some(step) = self.steps.front() {
            let done = match step {
                Step::Say(bytes) => match self.stream.write(&bytes[self.said..]) {
                    Ok(written) => {
                        self.said += written;
                        self.said == bytes.len()
                    }
                    Err(e) if e.kind() == ErrorKind::Interrupted => false,
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(e) => return Err(BenchError::io("connect and join")(e)),
                },
                Step::LineStarting(start) => match memchr::memchr(b'\n', &self.heard) {
                    Some(_) if !self.heard.starts_with(start.as_bytes()) => {
                        return Err(self.unexpected(start.as_bytes()));
                    }
                    Some(end) => {
                        self.heard.drain(..=end);
                        true
                    }
                    None if self.hear()? => false,
                    None => return Ok(false),
                },
                Step::Exactly(due) if self.heard.starts_with(due) => {
                    self.heard.drain(..due.len());
                    true
                }
                Step::Exactly(due) if due.starts_with(&self.heard) => {
                    if !self.hear()? {
                        return Ok(false);
                    }
                    false
                }
                Step::Exactly(due) => match target.protocol.wire().interjection() {
                    Some(Interjection { word, .. }) if self.heard.starts_with(word) => {
                        self.heard.drain(..word.len());
                        false
                    }
                    _ => return Err(self.unexpected(due)),
                },
                Step::Secure => {
                    let tls = target.tls.as_ref().expect("this step comes with encryption");
                    if !self.stream.secure(tls)? {
                        return Ok(false);
                    }
                    true
                }
            };
            if done {
                self.said = 0;
                self.steps.pop_front();
            }
        }
        let nodelay = self.stream.socket().set_nodelay(true);
        nodelay.map_err(BenchError::io("turn Nagle's algorithm off"))?;
        Ok(true)
    }

    /// Reads once; false if there is nothing to read yet.
    fn hear(&mut self) -> Result<bool, BenchError> {
        let mut buffer = [0; 4096];
        match self.stream.flush().and_then(|()| self.stream.read(&mut buffer)) {
            Ok(0) => Err(BenchError::Closed { said: excerpt(&self.heard) }),
            Ok(read) => {
                self.heard.extend_from_slice(&buffer[..read]);
                Ok(true)
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(BenchError::io("connect and join")(e)),
        }
    }

    /// The whole answer differs somewhere; shows it from there, since it may be thousands of lines.
    fn unexpected(&self, due: &[u8]) -> BenchError {
        let same = due.iter().zip(&self.heard).take_while(|(a, b)| a == b);
        let from = same.count().min(due.len().saturating_sub(1));
        let line_start = memchr::memrchr(b'\n', &due[..from]).map_or(0, |at| at + 1);
        BenchError::Answer {
            expected: excerpt(&due[line_start..]),
            said: excerpt(self.heard.get(line_start..).unwrap_or_default()),
        }
    }

    fn opened(self) -> Opened {
        Opened { stream: self.stream, already_read: self.heard }
    }
}

/// What a server says to a connection that only sends: nothing that matters, or a complaint.
pub(crate) fn listen_for_complaints(
    stream: &mut Stream,
    interjection: Option<Interjection>,
) -> Result<(), BenchError> {
    let mut buffer = [0; 4096];
    let read = match stream.read(&mut buffer) {
        Ok(0) => {
            return Err(BenchError::Closed { said: String::new() });
        }
        Ok(read) => read,
        Err(e) if is_for_later(&e) => return Ok(()),
        Err(e) => return Err(BenchError::io("send")(e)),
    };
    let mut said = &buffer[..read];
    if let Some(Interjection { word, .. }) = interjection {
        while let Some(rest) = said.strip_prefix(word) {
            said = rest;
        }
    }
    if said.is_empty() {
        return Ok(());
    }
    Err(BenchError::Answer { expected: "nothing".to_owned(), said: excerpt(said) })
}
