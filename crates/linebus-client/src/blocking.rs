//! The same client for programs without async: calls wait, events are an iterator.
//!
//! Behind each client runs one thread with a runtime of its own; nothing else of it shows. Not
//! for use on a tokio runtime's threads: there, waiting calls panic.
//!
//! ```
//! # fn bus() -> String {
//! #     let (url, given) = std::sync::mpsc::channel();
//! #     std::thread::spawn(move || {
//! #         let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
//! #         runtime.expect("a runtime").block_on(async {
//! #             let mut config = linebus_server::Config::default();
//! #             config.listen = vec!["127.0.0.1:0".parse().expect("an address")];
//! #             let listeners = linebus_server::Listeners::bind(&config).expect("a free port");
//! #             let address = listeners.addresses().next().expect("one");
//! #             url.send(address.replace("tcp ", "linebus://")).expect("waited for");
//! #             linebus_server::run(listeners, &config, linebus_server::Controls::none()).await.expect("threads");
//! #         });
//! #     });
//! #     given.recv().expect("a bus")
//! # }
//! # let url = bus();
//! use linebus_client::{Event, blocking::Client};
//!
//! let (alice, events) = Client::connect(&url)?;
//! alice.recv("syslib")?;
//!
//! let (bob, _) = Client::connect(&url)?;
//! bob.send("syslib", "connect room1 room2")?;
//! bob.logoff()?;
//!
//! for event in events {
//!     if let Event::Message(message) = event {
//!         assert_eq!(message.text, "connect room1 room2");
//!         break;
//!     }
//! }
//! # Ok::<(), linebus_client::Error>(())
//! ```

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error as ThisError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::asked::{Connected, JoinedTopic};
use crate::builder::Builder;
use crate::error::Error;
use crate::event::Event;
use crate::url::UrlError;

/// [`crate::Client`], with calls that wait. Clones share the connection.
///
/// When the last clone, [`Events`] and [`Answers`] are dropped, what was accepted is written and
/// the connection is closed, which may take a moment, at most two seconds.
#[derive(Debug, Clone)]
pub struct Client {
    // Before the thread, which ends when nobody holds the inner handles any more.
    inner: crate::Client,
    thread: Arc<Thread>,
}

/// [`crate::Events`] as an iterator. It ends when no other connection will be made.
#[derive(Debug)]
pub struct Events {
    inner: crate::Events,
    thread: Arc<Thread>,
}

/// [`crate::Answers`] as an iterator. It ends after `done` or an error.
#[derive(Debug)]
pub struct Answers {
    inner: crate::Answers,
    thread: Arc<Thread>,
}

/// Nothing happened in the time that [`Events::next_within`] was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("no event in the given time")]
pub struct NothingYet;

/// The thread that serves one connection.
#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// Dropped to let the thread end; until then timers run, even after the connection ended.
    end: Option<oneshot::Sender<()>>,
    joined: Option<JoinHandle<()>>,
}

impl Builder {
    /// As [`Builder::connect`], for programs without async.
    ///
    /// # Errors
    /// As [`Builder::connect`], and [`Error::System`] if there can be no thread.
    pub fn connect_blocking(self) -> Result<(Client, Events), Error> {
        let (connected, outcome) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let serve = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(connected.send(Err(Error::System(error.to_string())))),
            };
            let handle = runtime.handle().clone();
            runtime.block_on(async {
                match self.establish().await {
                    Ok((client, events, serving)) => {
                        // Whoever waited is gone: then so are the handles, and serving ends.
                        let _ = connected.send(Ok((client, events, handle)));
                        serving.await;
                        let _ = ended.await;
                    }
                    Err(error) => drop(connected.send(Err(error))),
                }
            });
        };
        let named = std::thread::Builder::new().name("linebus".to_owned());
        let joined = named.spawn(serve).map_err(|error| Error::System(error.to_string()))?;
        let died = |_| Err(Error::System("the client's thread died".to_owned()));
        let (client, events, runtime) = outcome.recv().unwrap_or_else(died)?;
        let thread = Arc::new(Thread { runtime, end: Some(end), joined: Some(joined) });
        let events = Events { inner: events, thread: Arc::clone(&thread) };
        Ok((Client { inner: client, thread }, events))
    }
}

impl Thread {
    fn wait_for<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(joined) = self.joined.take() {
            // If it panicked, its message is on standard error.
            let _ = joined.join();
        }
    }
}

impl Client {
    /// As [`crate::Client::connect`].
    ///
    /// # Errors
    /// As there.
    pub fn connect(url: &str) -> Result<(Self, Events), Error> {
        Self::builder(url)?.connect_blocking()
    }

    /// As [`crate::Client::builder`]; [`Builder::connect_blocking`] connects.
    ///
    /// # Errors
    /// As there.
    pub fn builder(url: &str) -> Result<Builder, UrlError> {
        crate::Client::builder(url)
    }

    /// As [`crate::Client::send`]: waits only while the bus is slower than this program.
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, topic: &str, message: &str) -> Result<(), Error> {
        if self.inner.try_send(topic, message)? {
            return Ok(());
        }
        self.thread.wait_for(self.inner.send(topic, message))
    }

    /// As [`crate::Client::recv`].
    ///
    /// # Errors
    /// As there.
    pub fn recv(&self, pattern: &str) -> Result<(), Error> {
        self.thread.wait_for(self.inner.recv(pattern))
    }

    /// As [`crate::Client::recv_in_group`].
    ///
    /// # Errors
    /// As there.
    pub fn recv_in_group(&self, pattern: &str, group: &str) -> Result<(), Error> {
        self.thread.wait_for(self.inner.recv_in_group(pattern, group))
    }

    /// As [`crate::Client::watch`].
    ///
    /// # Errors
    /// As there.
    pub fn watch(&self, pattern: &str) -> Result<(), Error> {
        self.thread.wait_for(self.inner.watch(pattern))
    }

    /// As [`crate::Client::leave`].
    ///
    /// # Errors
    /// As there.
    pub fn leave(&self, pattern: &str) -> Result<(), Error> {
        self.thread.wait_for(self.inner.leave(pattern))
    }

    /// As [`crate::Client::login`].
    ///
    /// # Errors
    /// As there.
    pub fn login(&self, user: &str, password: Option<&str>) -> Result<(), Error> {
        self.thread.wait_for(self.inner.login(user, password))
    }

    /// As [`crate::Client::ping`].
    ///
    /// # Errors
    /// As there.
    pub fn ping(&self) -> Result<Duration, Error> {
        self.thread.wait_for(self.inner.ping())
    }

    /// As [`crate::Client::who`].
    ///
    /// # Errors
    /// As there.
    pub fn who(&self, topic: Option<&str>) -> Result<Vec<Connected>, Error> {
        self.thread.wait_for(self.inner.who(topic))
    }

    /// As [`crate::Client::topics`].
    ///
    /// # Errors
    /// As there.
    pub fn topics(&self, pattern: Option<&str>) -> Result<Vec<JoinedTopic>, Error> {
        self.thread.wait_for(self.inner.topics(pattern))
    }

    /// As [`crate::Client::logoff`].
    ///
    /// # Errors
    /// As there.
    pub fn logoff(&self) -> Result<(), Error> {
        self.thread.wait_for(self.inner.logoff())
    }

    /// As [`crate::Client::ask`].
    ///
    /// # Errors
    /// As there.
    pub fn ask(&self, topic: &str, message: &str, limit: Duration) -> Result<Answers, Error> {
        let inner = self.thread.wait_for(self.inner.ask(topic, message, limit))?;
        Ok(Answers { inner, thread: Arc::clone(&self.thread) })
    }

    /// As [`crate::Client::is_connected`].
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    /// As [`crate::Client::line_bytes_max`].
    #[must_use]
    pub fn line_bytes_max(&self) -> usize {
        self.inner.line_bytes_max()
    }
}

impl Events {
    /// The next event if one waits here already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.inner.try_next()
    }

    /// The next event, waited for at most so long; `None` when there will be no more.
    ///
    /// # Errors
    /// [`NothingYet`] when the time is up; nothing is lost by it.
    pub fn next_within(&mut self, limit: Duration) -> Result<Option<Event>, NothingYet> {
        if let Some(event) = self.inner.try_next() {
            return Ok(Some(event));
        }
        let next = async { tokio::time::timeout(limit, self.inner.next()).await };
        self.thread.wait_for(next).map_err(|_| NothingYet)
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.inner.try_next() {
            return Some(event);
        }
        self.thread.wait_for(self.inner.next())
    }
}

impl Iterator for Answers {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.thread.wait_for(self.inner.next())
    }
}
