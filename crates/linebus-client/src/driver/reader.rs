//! The receiving half: sorts lines into messages, answers and the end.

use std::convert::Infallible;
use std::time::Duration;

use linebus_protocol::{Event as Line, Verb};
use memchr::memchr;
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::handshake::bye;
use crate::ask::REPLY_LINE_PREFIX;
use crate::asked::{Answer, AnswerTo, Asked, Connected, JoinedTopic, Pending};
use crate::error::{Error, Lost, Refused};
use crate::event::Event;
use crate::line_buffer::LineBuffer;
use crate::shared::Shared;
use crate::transport::ReadHalf;

/// Most bytes of lines that one answer to `who` or `topics` may have. What exceeds it is read
/// and thrown away, and the command fails.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads one connection.
pub(super) struct Reader<'a> {
    shared: &'a Shared,
    read: ReadHalf,
    /// Since when messages may be missing, until all joins are made again.
    lost_at: Option<Instant>,
    /// The answer that is arriving, line by line.
    who: Vec<Connected>,
    topics: Vec<JoinedTopic>,
    answer_bytes: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(shared: &'a Shared, read: ReadHalf, lost_at: Option<Instant>) -> Self {
        Self { shared, read, lost_at, who: Vec::new(), topics: Vec::new(), answer_bytes: 0 }
    }

    /// Reads until the connection ends, and returns why it did. `buffer` is what came already.
    pub(super) async fn run(&mut self, buffer: LineBuffer) -> Lost {
        match self.read_to_the_end(buffer).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }

    async fn read_to_the_end(&mut self, mut buffer: LineBuffer) -> Result<Infallible, Lost> {
        loop {
            let lines = buffer.whole_lines()?;
            self.take_lines(lines).await?;
            let len = lines.len();
            buffer.consume(len);
            self.fill(&mut buffer).await?;
        }
    }

    /// Reads once; a silent bus is asked whether it is still there. Time during which the
    /// program's queue is full does not count: then this is not called.
    async fn fill(&mut self, buffer: &mut LineBuffer) -> Result<(), Lost> {
        let silence_max: Duration = self.shared.settings.silence_max;
        let mut asked = false;
        loop {
            match timeout(silence_max, buffer.fill(&mut self.read)).await {
                Ok(read) => return read,
                Err(_) if asked || !self.shared.outgoing.push_unasked(Asked::Ping) => {
                    let after = silence_max.saturating_mul(2);
                    return Err(Lost::Silent { after });
                }
                Err(_) => asked = true,
            }
        }
    }

    /// Passes on what is for the program in runs of lines, and looks at the others one by one.
    async fn take_lines(&mut self, lines: &str) -> Result<(), Lost> {
        let (mut passed, mut at) = (0, 0);
        while let Some(len) = memchr(b'\n', &lines.as_bytes()[at..]) {
            let (line, end) = (&lines[at..at + len], at + len + 1);
            if !is_for_program(line) {
                self.pass_on(&lines[passed..at]).await;
                self.take_line(line).await?;
                passed = end;
            }
            at = end;
        }
        self.pass_on(&lines[passed..]).await;
        Ok(())
    }

    async fn pass_on(&mut self, lines: &str) {
        if !lines.is_empty() {
            self.shared.inbox.push_lines(lines).await;
        }
    }

    async fn take_line(&mut self, line: &str) -> Result<(), Lost> {
        match Line::parse(line) {
            Line::Recv { topic, .. } => {
                let inbox = self.shared.asks.lock().get(topic).cloned();
                let inbox = inbox.as_deref().unwrap_or(&self.shared.inbox);
                inbox.push_lines(&format!("{line}\n")).await;
            }
            Line::Ok { verb, .. } => {
                let answer = self.take_answer(verb);
                self.settle(verb, answer).await?;
            }
            Line::Pong { .. } => self.settle(Verb::Ping.name(), Ok(Answer::Done)).await?,
            Line::Error { verb, code, text } => {
                // A login that is too long is refused before the bus has found its verb.
                let verb = match (verb, self.shared.outgoing.due()) {
                    ("line", Some("login")) => "login",
                    ("line", _) => {
                        self.pass_on(&format!("{line}\n")).await;
                        return Ok(());
                    }
                    (verb, _) => verb,
                };
                let refused =
                    Refused { verb: verb.to_owned(), code: code.to_owned(), text: text.to_owned() };
                self.settle(verb, Err(refused.into())).await?;
            }
            Line::Who { user, id, address } if self.has_room_for(line) => {
                self.who.push(Connected { user: user.to_owned(), id, address: address.to_owned() });
            }
            Line::Topic { topic, receivers } if self.has_room_for(line) => {
                self.topics.push(JoinedTopic { topic: topic.to_owned(), receivers });
            }
            Line::Bye { reason, text } => {
                let logoff = |asked: &Asked| matches!(asked, Asked::Logoff);
                if let Some(pending) = self.shared.outgoing.pop_pending(logoff) {
                    pending.to.settle(Ok(Answer::Done));
                }
                return Err(bye(reason, text));
            }
            _ => debug!(line, "ignored a line"),
        }
        Ok(())
    }

    fn has_room_for(&mut self, line: &str) -> bool {
        self.answer_bytes = self.answer_bytes.saturating_add(line.len());
        self.answer_bytes <= ANSWER_BYTES_MAX
    }

    /// The lines that arrived, as the answer to `verb`.
    fn take_answer(&mut self, verb: &str) -> Result<Answer, Error> {
        let who = std::mem::take(&mut self.who);
        let topics = std::mem::take(&mut self.topics);
        if std::mem::take(&mut self.answer_bytes) > ANSWER_BYTES_MAX {
            return Err(Error::AnswerTooLong { bytes_max: ANSWER_BYTES_MAX });
        }
        Ok(match Verb::parse(verb) {
            Some(Verb::Who) => Answer::Who(who),
            Some(Verb::Topics) => Answer::Topics(topics),
            _ => Answer::Done,
        })
    }

    /// Gives an answer to the command that it belongs to: the oldest one.
    async fn settle(&mut self, verb: &str, answer: Result<Answer, Error>) -> Result<(), Lost> {
        let outgoing = &self.shared.outgoing;
        let Some(Pending { asked, to }) = outgoing.pop_pending(|asked| asked.verb().name() == verb)
        else {
            let due = outgoing.due().unwrap_or("nothing");
            let what = format!("an answer to {verb} where {due} was due");
            return Err(Lost::Garbage(what));
        };
        self.remember(asked, answer.is_ok());
        let AnswerTo::Reconnect { last } = to else {
            to.settle(answer);
            return Ok(());
        };
        if let Err(Error::Refused(refused)) = answer {
            let inbox = &self.shared.inbox;
            inbox.push_event(Event::Refused(refused)).await;
        }
        if last {
            self.say_back().await;
        }
        Ok(())
    }

    /// Keeps what a new connection has to repeat in step with what the bus confirmed.
    fn remember(&self, asked: Asked, done: bool) {
        let mut memory = self.shared.memory.lock();
        match asked {
            Asked::Login(credentials) if done => memory.note_login(credentials),
            Asked::Join(join) if done => memory.note_join(join),
            Asked::Join(join) => memory.forget_join(&join),
            Asked::Leave(pattern) => {
                // Refused or not: it is not joined now.
                memory.note_leave(&pattern);
                drop(memory);
                self.shared.asks.lock().remove(&pattern);
            }
            _ => {}
        }
    }

    /// Tells the program that all is as before, if it has been told of a loss.
    pub(super) async fn say_back(&mut self) {
        if let Some(lost_at) = self.lost_at.take() {
            let after = lost_at.elapsed();
            let event = Event::Reconnected { after };
            self.shared.inbox.push_event(event).await;
        }
    }
}

/// Whether a line is neither an answer nor for somebody who asked.
fn is_for_program(line: &str) -> bool {
    if line.starts_with("recv ") {
        return !line.starts_with(REPLY_LINE_PREFIX);
    }
    ["watch ", "error send ", "note "].iter().any(|start| line.starts_with(start))
}
