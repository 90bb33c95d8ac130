//! Question and answers over topics: [`Answers`] for who asks, [`split_reply`] for who answers.
//!
//! A convention between programs; to the bus these are topics and messages like any other.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use linebus_protocol::{Event as Line, Topic};
use tokio::time::{Sleep, sleep, timeout};

use crate::asked::{Asked, Join, JoinKind};
use crate::client::Client;
use crate::error::{Error, Lost};
use crate::inbox::{Inbox, Part};

/// How every reply topic begins; 32 hexadecimal digits follow.
const REPLY_TOPIC_PREFIX: &str = "_reply.";
/// How lines to a reply topic begin.
pub(crate) const REPLY_LINE_PREFIX: &str = "recv _reply.";
/// The message that ends the answers.
const DONE: &str = "done";
/// Answers that wait to be read, in bytes. Beyond, the client stops reading its socket.
const ANSWERS_BYTES_MAX: usize = 256 * 1024;

/// The answers to one question, as they come. Dropping it leaves the reply topic.
#[derive(Debug)]
pub struct Answers {
    client: Client,
    reply_topic: String,
    inbox: Arc<Inbox>,
    /// Whole lines, of which those before `at` have been read.
    lines: String,
    at: usize,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
    finished: bool,
}

impl Answers {
    /// Joins a new reply topic, then asks.
    pub(crate) async fn ask(
        client: &Client,
        topic: &str,
        message: &str,
        limit: Duration,
    ) -> Result<Self, Error> {
        let reply_topic = invent_reply_topic()?;
        let inbox = Arc::new(Inbox::new(ANSWERS_BYTES_MAX));
        client.shared().note_ask(&reply_topic, &inbox);
        // From here on, dropping it cleans up.
        let answers = Self {
            client: client.clone(),
            reply_topic,
            inbox,
            lines: String::new(),
            at: 0,
            limit,
            deadline: Box::pin(sleep(limit)),
            finished: false,
        };
        let exchange = async {
            let join = Join {
                pattern: answers.reply_topic.clone(),
                kind: JoinKind::Recv { group: None },
                lasting: false,
            };
            client.command(Asked::Join(join)).await?;
            let question = format!("{message} @{}", answers.reply_topic);
            client.send(topic, &question).await
        };
        timeout(limit, exchange).await.unwrap_or(Err(Error::AskTimeout { after: limit }))?;
        Ok(answers)
    }

    /// The next answer; `None` after `done` or an error.
    ///
    /// # Errors
    /// [`Error::AskTimeout`] when the limit for the whole exchange is reached,
    /// [`Error::Disconnected`] when the connection is lost: answers are not waited for on another
    /// one.
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
        poll_fn(|cx| self.poll_answer(cx)).await
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<String, Error>>> {
        while !self.finished {
            if let Some(answer) = self.next_of_lines() {
                self.finished = answer == DONE;
                if !self.finished {
                    return Poll::Ready(Some(Ok(answer)));
                }
                continue;
            }
            match self.inbox.poll_take(cx) {
                Poll::Ready(Some(Part::Lines(lines, _))) => (self.lines, self.at) = (lines, 0),
                Poll::Ready(Some(Part::Event(_))) => {}
                Poll::Ready(None) => {
                    self.finished = true;
                    return Poll::Ready(Some(Err(Error::Disconnected(Lost::End))));
                }
                Poll::Pending if self.deadline.as_mut().poll(cx).is_ready() => {
                    self.finished = true;
                    let after = self.limit;
                    return Poll::Ready(Some(Err(Error::AskTimeout { after })));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(None)
    }

    fn next_of_lines(&mut self) -> Option<String> {
        let (line, _) = self.lines[self.at..].split_once('\n')?;
        self.at += line.len() + 1;
        match Line::parse(line) {
            Line::Recv { message, .. } => Some(message.to_owned()),
            _ => None,
        }
    }
}

impl Stream for Answers {
    type Item = Result<String, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_answer(cx)
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // What still comes finds the inbox abandoned; the answer to `leave` removes it.
        self.inbox.abandon();
        let shared = self.client.shared();
        let leave = Asked::Leave(self.reply_topic.clone());
        if !shared.outgoing.push_unasked(leave) {
            shared.asks.lock().remove(&self.reply_topic);
        }
    }
}

/// Splits a question into its text and the topic on which answers are awaited, if it names one.
/// Send the answers there, each as one message, and `done` after the last.
///
/// ```
/// use linebus_client::split_reply;
///
/// assert_eq!(split_reply("list rooms @_reply.1f"), ("list rooms", Some("_reply.1f")));
/// assert_eq!(split_reply("no question"), ("no question", None));
/// ```
#[must_use]
pub fn split_reply(message: &str) -> (&str, Option<&str>) {
    match message.rsplit_once(" @") {
        Some((text, topic)) if Topic::parse(topic).is_ok() => (text, Some(topic)),
        _ => (message, None),
    }
}

fn invent_reply_topic() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::System(error.to_string()))?;
    Ok(format!("{REPLY_TOPIC_PREFIX}{:032x}", u128::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_ends_with_its_reply_topic() {
        for (message, text, topic) in [
            ("x @a.b", "x", Some("a.b")),
            (" @a", "", Some("a")),
            ("x  y  @a", "x  y ", Some("a")),
            ("mail me @a @b", "mail me @a", Some("b")),
        ] {
            assert_eq!(split_reply(message), (text, topic));
        }
        for plain in ["x", "@a", "x @", "x @a b", "x @a.*", "x@a", "x @a..b", ""] {
            assert_eq!(split_reply(plain), (plain, None));
        }
    }

    #[test]
    fn reply_topics_are_topics_and_never_the_same() {
        let topics = [(); 2].map(|()| invent_reply_topic().expect("random bytes"));
        assert_ne!(topics[0], topics[1]);
        for topic in topics {
            assert!(Topic::parse(&topic).is_ok(), "{topic}");
            assert_eq!(topic.len(), 39);
        }
    }
}
