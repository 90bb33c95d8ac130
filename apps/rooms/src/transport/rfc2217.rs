//! RFC 2217: a serial line over telnet, its settings among the bytes.
//!
//! We say the line's settings and believe them when the bridge has said them back. The answer's
//! code is the command's plus 100 (RFC 2217, section 3). Data bytes of 255 stand there twice.

use std::collections::HashSet;
use std::io;

use rooms_files::LineSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Closed;
use crate::telnet::{
    ANSWER, BINARY, COM_PORT, DO, DONT, IAC, Item, PARITIES, Parser, SET_BAUDRATE, SET_DATASIZE,
    SET_PARITY, SET_STOPSIZE, SUPPRESS_GO_AHEAD, WILL, WONT, com_port, doubled,
};

/// Said when a bridge does not confirm the settings.
pub(super) const SILENT: &str =
    "nothing; it does not speak RFC 2217 on this port (is its kind raw-tcp?)";

/// How much of a bridge's sentence is kept.
const SENTENCE_BYTES_MAX: usize = 200;

/// One side of a telnet connection with the option of RFC 2217.
#[derive(Debug)]
pub(super) struct Rfc2217 {
    /// What was not confirmed yet: command and value.
    wanted: Vec<(u8, Vec<u8>)>,
    line: LineSettings,
    parser: Parser,
    /// What was answered already, so that two polite sides come to an end.
    answered: HashSet<(u8, u8)>,
    /// To be written before anything else.
    outgoing: Vec<u8>,
    /// Data that came while the settings were negotiated.
    early: Vec<u8>,
}

impl Rfc2217 {
    pub(super) fn new(line: LineSettings) -> Rfc2217 {
        let parity = PARITIES.iter().find(|(_, parity)| *parity == line.parity);
        let parity = parity.map_or(1, |(code, _)| *code);
        Rfc2217 {
            wanted: vec![
                (SET_BAUDRATE, line.baud.to_be_bytes().to_vec()),
                (SET_DATASIZE, vec![line.data_bits]),
                (SET_PARITY, vec![parity]),
                (SET_STOPSIZE, vec![line.stop_bits]),
            ],
            line,
            parser: Parser::default(),
            answered: HashSet::new(),
            outgoing: [
                [IAC, WILL, COM_PORT],
                [IAC, WILL, BINARY],
                [IAC, DO, BINARY],
                [IAC, DO, SUPPRESS_GO_AHEAD],
            ]
            .concat(),
            early: Vec::new(),
        }
    }

    /// Returns when the bridge has confirmed every setting.
    pub(super) async fn negotiate(&mut self, stream: &mut TcpStream) -> Result<(), Closed> {
        let mut buffer = [0; 1024];
        let mut early = Vec::new();
        while !self.wanted.is_empty() {
            if self.flush(stream).await.is_err() {
                // It has hung up, but may have said why: reading tells.
                self.outgoing.clear();
            }
            let count = match stream.read(&mut buffer).await {
                Ok(count) => count,
                Err(error) => return Err(refusal(&early).unwrap_or(Closed::broken(&error))),
            };
            if count == 0 {
                return Err(refusal(&early).unwrap_or(Closed::Ended));
            }
            self.receive(&buffer[..count], &mut early)?;
        }
        self.early = early;
        Ok(())
    }

    /// The device's bytes, at least one. Cancelling it loses nothing.
    pub(super) async fn read(
        &mut self,
        stream: &mut TcpStream,
        buffer: &mut [u8],
    ) -> Result<Vec<u8>, Closed> {
        loop {
            if !self.early.is_empty() {
                return Ok(std::mem::take(&mut self.early));
            }
            self.flush(stream).await.map_err(|error| Closed::broken(&error))?;
            let count = match stream.read(buffer).await {
                Ok(0) => return Err(Closed::Ended),
                Ok(count) => count,
                Err(error) => return Err(Closed::broken(&error)),
            };
            let mut data = Vec::with_capacity(count);
            self.receive(&buffer[..count], &mut data)?;
            if !data.is_empty() {
                return Ok(data);
            }
        }
    }

    pub(super) async fn write(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        self.flush(stream).await?;
        stream.write_all(&doubled(bytes)).await
    }

    /// Writes what has to be; a part that was written is not written again.
    async fn flush(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            let written = stream.write(&self.outgoing).await?;
            self.outgoing.drain(..written);
        }
        Ok(())
    }

    /// Takes bytes of the connection apart: what is the device's goes to `data`.
    fn receive(&mut self, bytes: &[u8], data: &mut Vec<u8>) -> Result<(), Closed> {
        for &byte in bytes {
            match self.parser.next(byte) {
                Some(Item::Data(byte)) => data.push(byte),
                Some(Item::Option(verb, option)) => self.option(verb, option)?,
                Some(Item::Subnegotiation(said)) => {
                    said_of_line(said, &mut self.wanted, self.line)?;
                }
                None => {}
            }
        }
        Ok(())
    }

    fn option(&mut self, verb: u8, option: u8) -> Result<(), Closed> {
        if !self.answered.insert((verb, option)) {
            return Ok(());
        }
        let answer = match (verb, option) {
            (DO, COM_PORT) => {
                for (command, value) in &self.wanted {
                    self.outgoing.extend(com_port(*command, value));
                }
                return Ok(());
            }
            (DONT, COM_PORT) => {
                let text = "it does not speak RFC 2217 on this port (is its kind raw-tcp?)";
                return Err(Closed::Bridge(text.to_owned()));
            }
            // These we have said ourselves.
            (DO | WILL, BINARY) | (WILL, SUPPRESS_GO_AHEAD) => return Ok(()),
            (DO, SUPPRESS_GO_AHEAD) => WILL,
            (DO, _) => WONT,
            (WILL, _) => DONT,
            _ => return Ok(()),
        };
        self.outgoing.extend([IAC, answer, option]);
        Ok(())
    }
}

/// The bridge has said something of the line: a setting less is wanted, if it is as it should be.
fn said_of_line(
    said: &[u8],
    wanted: &mut Vec<(u8, Vec<u8>)>,
    line: LineSettings,
) -> Result<(), Closed> {
    let [COM_PORT, code, value @ ..] = said else { return Ok(()) };
    let Some(command) = code.checked_sub(ANSWER) else { return Ok(()) };
    let Some(at) = wanted.iter().position(|(wanted, _)| *wanted == command) else {
        return Ok(());
    };
    let (_, wanted) = wanted.remove(at);
    if wanted == *value {
        return Ok(());
    }
    let what = match command {
        SET_BAUDRATE => "speed",
        SET_DATASIZE => "data bits",
        SET_PARITY => "parity",
        _ => "stop bits",
    };
    Err(Closed::Config(format!("the bridge does not take the {what} of {line}")))
}

/// What a bridge said before it closed the connection.
fn refusal(said: &[u8]) -> Option<Closed> {
    let said = String::from_utf8_lossy(&said[..said.len().min(SENTENCE_BYTES_MAX)]);
    let said = said.trim();
    if said.starts_with("Port already in use") {
        return Some(Closed::SomeoneElse);
    }
    (!said.is_empty()).then(|| Closed::Bridge(said.to_owned()))
}

#[cfg(test)]
mod tests;
