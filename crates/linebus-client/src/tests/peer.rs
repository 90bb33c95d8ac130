//! The other end: a [`Bus`] that says what a test tells it to.

use std::future::Future;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::transport::memory;
use crate::{Builder, BusUrl, Client, Error, Event, Events};

pub(super) const HELLO: &str = "hello linebus 1 line-max=1000 login=open";

/// A place to which clients connect.
pub(super) struct Bus {
    pub(super) url: BusUrl,
    connections: UnboundedReceiver<DuplexStream>,
}

/// One connection, as the bus sees it.
pub(super) struct Peer {
    pub(super) stream: BufReader<DuplexStream>,
}

impl Bus {
    pub(super) fn new() -> Self {
        let (url, connections) = memory::listen();
        Self { url, connections }
    }

    pub(super) fn builder(&self) -> Builder {
        Builder::new(self.url.clone())
    }

    /// The next connection, before anything is said.
    pub(super) async fn accept_in_silence(&mut self) -> Peer {
        let stream = self.connections.recv().await.expect("the test holds the listener");
        Peer { stream: BufReader::new(stream) }
    }

    /// The next connection, greeted.
    pub(super) async fn accept(&mut self) -> Peer {
        let mut peer = self.accept_in_silence().await;
        peer.say(HELLO).await;
        peer
    }

    /// A client as `builder` makes it, and its peer.
    pub(super) async fn connect(&mut self, builder: Builder) -> (Client, Events, Peer) {
        let (connected, peer) = tokio::join!(builder.connect(), self.accept());
        let (client, events) = connected.expect("it is greeted");
        (client, events, peer)
    }
}

/// A client with all defaults.
pub(super) async fn connect() -> (Bus, Client, Events, Peer) {
    let mut bus = Bus::new();
    let builder = bus.builder();
    let (client, events, peer) = bus.connect(builder).await;
    (bus, client, events, peer)
}

impl Peer {
    pub(super) async fn say(&mut self, lines: &str) {
        self.say_bytes(format!("{lines}\n").as_bytes()).await;
    }

    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the client is there");
    }

    /// The next line; none at the end.
    pub(super) async fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        let len = self.stream.read_line(&mut line).await.expect("text");
        (len > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    #[track_caller]
    pub(super) fn expect<'a>(&'a mut self, line: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move { assert_eq!(self.hear().await.as_deref(), Some(line), "at {caller}") }
    }

    /// Hears `line`, says `answer`, while the client makes its `call`.
    pub(super) async fn answer<T>(
        &mut self,
        call: impl Future<Output = T>,
        line: &str,
        answer: &str,
    ) -> T {
        let exchange = async {
            self.expect(line).await;
            self.say(answer).await;
        };
        tokio::join!(call, exchange).0
    }

    /// Lets the client join `pattern`.
    pub(super) async fn let_join(&mut self, client: &Client, pattern: &str) {
        let (line, answer) = (format!("recv {pattern}"), format!("ok recv {pattern}"));
        let joined: Result<(), Error> = self.answer(client.recv(pattern), &line, &answer).await;
        joined.expect("the peer says ok");
    }
}

/// The text of the next event, which is a message.
#[track_caller]
pub(super) fn message(event: Option<Event>) -> String {
    match event {
        Some(Event::Message(message)) => message.text,
        other => panic!("a message is wanted, not {other:?}"),
    }
}
