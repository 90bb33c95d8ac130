//! The handle with which a program speaks: [`Client`].

use std::sync::Arc;
use std::time::Duration;

use linebus_protocol::text::check_line;
use linebus_protocol::{Pattern, Topic, is_name};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::ask::Answers;
use crate::asked::{Answer, AnswerTo, Asked, Connected, Join, JoinKind, JoinedTopic};
use crate::builder::Builder;
use crate::error::{Error, Lost};
use crate::events::Events;
use crate::shared::Shared;
use crate::url::{BusUrl, Credentials, UrlError};

/// A handle to a connection. Clones share it, and any number of tasks may use them at once.
///
/// Nothing is sent that the bus would not take: topics, names and messages are checked first. And
/// nothing is sent twice: what a broken connection may have swallowed is reported, not repeated.
///
/// When the last clone and [`Events`] are dropped, the task behind them writes what was accepted
/// and closes the connection. A program that is about to end waits for [`Client::logoff`], or its
/// last lines may end with it.
#[derive(Debug, Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.note_clients_gone();
    }
}

impl Client {
    /// Connects to a bus, with all defaults: `linebus://[user[:password]@]host[:port]`,
    /// `unix:/path` or `host:port`. Must be called on a tokio runtime.
    ///
    /// Drop the [`Events`] if they don't matter; kept and never read, they fill their queue, and
    /// then answers don't come through.
    ///
    /// # Errors
    /// As [`Builder::connect`], and [`Error::Url`].
    pub async fn connect(url: &str) -> Result<(Self, Events), Error> {
        Self::builder(url)?.connect().await
    }

    /// Chooses before connecting.
    ///
    /// # Errors
    /// [`UrlError`] says what would be right.
    pub fn builder(url: &str) -> Result<Builder, UrlError> {
        Ok(Builder::new(url.parse::<BusUrl>()?))
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { handle: Arc::new(Handle { shared }) }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// Sends one message to everybody else who has joined the topic.
    ///
    /// Returns when the message is on its way to the socket, which is at once unless the bus is
    /// slower than this program. There is no answer: a message that the bus does not accept comes
    /// back as [`Event::Refused`](crate::Event::Refused). Follow with [`Client::ping`] to know
    /// that the bus has routed all that was sent before.
    ///
    /// Cancelling it means that nothing was sent.
    ///
    /// # Errors
    /// [`Error::BadTopic`], [`Error::SystemTopic`], [`Error::BadText`] and [`Error::TooLong`]
    /// before anything is sent; [`Error::Disconnected`] while there is no connection.
    pub async fn send(&self, topic: &str, message: &str) -> Result<(), Error> {
        // A task that only sends would otherwise never let another one run.
        tokio::task::coop::consume_budget().await;
        let (topic, message) = checked(topic, message)?;
        let outgoing = &self.shared().outgoing;
        outgoing.wait_for_room(|| outgoing.try_send(topic, message)).await
    }

    /// [`Client::send`] for callers that can't wait: `Ok(false)` where it would.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn try_send(&self, topic: &str, message: &str) -> Result<bool, Error> {
        let (topic, message) = checked(topic, message)?;
        self.shared().outgoing.try_send(topic, message)
    }

    /// Joins a topic: from the answer on, every message that others send to it is an event.
    /// `*` stands for one token of a topic, `>` at the end for all that follow. The join is made
    /// again after a reconnect.
    ///
    /// # Errors
    /// As any command: [`Error::BadTopic`], [`Error::Refused`], [`Error::Disconnected`],
    /// [`Error::AnswerTimeout`].
    pub async fn recv(&self, pattern: &str) -> Result<(), Error> {
        self.join(pattern, JoinKind::Recv { group: None }).await
    }

    /// Joins a topic as a member of a group: each message goes to one of them.
    ///
    /// # Errors
    /// As [`Client::recv`], and [`Error::BadGroup`].
    pub async fn recv_in_group(&self, pattern: &str, group: &str) -> Result<(), Error> {
        if !is_name(group) {
            let name = group.to_owned();
            return Err(Error::BadGroup { name });
        }
        let group = Some(group.to_owned());
        self.join(pattern, JoinKind::Recv { group }).await
    }

    /// Joins a topic like [`Client::recv`], and each message says when and who.
    ///
    /// # Errors
    /// As [`Client::recv`].
    pub async fn watch(&self, pattern: &str) -> Result<(), Error> {
        self.join(pattern, JoinKind::Watch).await
    }

    async fn join(&self, pattern: &str, kind: JoinKind) -> Result<(), Error> {
        let join = Join { pattern: check_pattern(pattern)?, kind, lasting: true };
        self.command(Asked::Join(join)).await.map(drop)
    }

    /// Leaves a topic, written as it was joined.
    ///
    /// # Errors
    /// As [`Client::recv`]; [`Error::Refused`] with `not-joined` if it was not joined.
    pub async fn leave(&self, pattern: &str) -> Result<(), Error> {
        let pattern = check_pattern(pattern)?;
        self.command(Asked::Leave(pattern)).await.map(drop)
    }

    /// Says who this is, now and after each reconnect. On a bus without accounts, any name will
    /// do. A login drops all joins.
    ///
    /// # Errors
    /// [`Error::Url`] if user or password can't stand in a line, [`Error::Refused`], and as any
    /// command.
    pub async fn login(&self, user: &str, password: Option<&str>) -> Result<(), Error> {
        let credentials = Credentials::check(user, password)?;
        self.command(Asked::Login(credentials)).await.map(drop)
    }

    /// Asks for a pong and returns how long that took. The bus has then routed every message
    /// sent before, and whatever it had for this client by then is in its events.
    ///
    /// # Errors
    /// [`Error::Disconnected`], [`Error::AnswerTimeout`].
    pub async fn ping(&self) -> Result<Duration, Error> {
        let began = Instant::now();
        self.command(Asked::Ping).await?;
        Ok(began.elapsed())
    }

    /// Who is connected, or with a topic: who has joined it.
    ///
    /// # Errors
    /// As [`Client::recv`], and [`Error::AnswerTooLong`].
    pub async fn who(&self, topic: Option<&str>) -> Result<Vec<Connected>, Error> {
        let pattern = topic.map(check_pattern).transpose()?;
        match self.command(Asked::Who(pattern)).await? {
            Answer::Who(who) => Ok(who),
            Answer::Done | Answer::Topics(_) => Ok(Vec::new()),
        }
    }

    /// Which topics somebody has joined, or with a pattern: which of those that it covers.
    ///
    /// # Errors
    /// As [`Client::who`].
    pub async fn topics(&self, pattern: Option<&str>) -> Result<Vec<JoinedTopic>, Error> {
        let pattern = pattern.map(check_pattern).transpose()?;
        match self.command(Asked::Topics(pattern)).await? {
            Answer::Topics(topics) => Ok(topics),
            Answer::Done | Answer::Who(_) => Ok(Vec::new()),
        }
    }

    /// Says goodbye. When it returns, the bus has taken everything sent before, and this client
    /// is closed: its events end, and every further call fails with [`Error::Closed`].
    ///
    /// # Errors
    /// [`Error::Disconnected`] if the connection broke first, [`Error::AnswerTimeout`].
    pub async fn logoff(&self) -> Result<(), Error> {
        self.command(Asked::Logoff).await.map(drop)
    }

    /// Sends a question and yields the answers, by a convention of programs, not of the bus: the
    /// question is `<message> @<reply topic>`, answers go to the reply topic, and the one that
    /// says just `done` is the last. [`split_reply`](crate::split_reply) is the other side's half.
    ///
    /// The reply topic is private by being unguessable, 128 random bits; on a bus that lets
    /// somebody see everything, that somebody sees answers too. `limit` is for the whole exchange;
    /// nobody may be there to answer.
    ///
    /// # Errors
    /// As [`Client::recv`] and [`Client::send`]; [`Error::System`] without random bytes.
    pub async fn ask(&self, topic: &str, message: &str, limit: Duration) -> Result<Answers, Error> {
        Answers::ask(self, topic, message, limit).await
    }

    /// Whether there is a connection at this moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared().outgoing.is_up()
    }

    /// Longest line that the bus accepts, in bytes, the verb and the line's end included, as its
    /// latest hello said.
    #[must_use]
    pub fn line_bytes_max(&self) -> usize {
        self.shared().outgoing.line_bytes_max()
    }

    /// Sends a command and waits for its answer. Cancelled, the answer is thrown away when it
    /// comes.
    pub(crate) async fn command(&self, asked: Asked) -> Result<Answer, Error> {
        let shared = self.shared();
        let after = shared.settings.answer_timeout;
        let verb = asked.verb().name();
        let (caller, answer) = oneshot::channel();
        let mut to = Some(AnswerTo::Caller(caller));
        let outgoing = &shared.outgoing;
        let exchange = async {
            outgoing.wait_for_room(|| outgoing.try_command(&asked, &mut to)).await?;
            // Only a task that ended with its runtime forgets an answer.
            answer.await.unwrap_or(Err(Error::Closed(Lost::Dropped)))
        };
        timeout(after, exchange).await.unwrap_or_else(|_| {
            Err(Error::AnswerTimeout { verb, after, unread: shared.inbox.count() })
        })
    }
}

fn checked<'a>(topic: &'a str, message: &'a str) -> Result<(Topic<'a>, &'a str), Error> {
    let topic =
        Topic::parse(topic).map_err(|why| Error::BadTopic { word: topic.to_owned(), why })?;
    if topic.is_system() {
        let topic = topic.as_str().to_owned();
        return Err(Error::SystemTopic { topic });
    }
    if check_line(message.as_bytes()).is_none() {
        return Err(Error::BadText);
    }
    Ok((topic, message))
}

fn check_pattern(word: &str) -> Result<String, Error> {
    match Pattern::parse(word) {
        Ok(_) => Ok(word.to_owned()),
        Err(why) => Err(Error::BadTopic { word: word.to_owned(), why }),
    }
}
