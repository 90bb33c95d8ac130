//! A broker in this thread whose clients are moved by hand, while time stands still.

use std::time::Duration;

use linebus_broker::{Broker, Connection, Limits, Now, Work};

use crate::simulation::pipe::{Pipe, PipeEnd, pipe};

/// 2013-02-03, when nothing has happened yet.
const NOW: Now = Now { elapsed: Duration::ZERO, unix_us: 1_359_849_600_000_000 };

/// The broker, and the buffers of its one thread.
pub struct Bus {
    /// The broker.
    pub broker: Broker<Pipe>,
    /// Its buffers, and what happened.
    pub work: Work<Pipe>,
}

/// One client's connection, and its end of the pipe.
pub struct Client {
    /// As the broker knows it.
    pub connection: Connection<Pipe>,
    /// What was written to it, and how much of that it takes.
    pub pipe: PipeEnd,
}

impl Bus {
    /// A bus with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { broker: Broker::new(limits), work: Work::default() }
    }

    /// A client who has said these lines and read the answers.
    pub fn connect(&mut self, says: &str) -> Client {
        let (link, pipe) = pipe();
        let connection = self.broker.connect(link, "test", &mut self.work, NOW);
        let mut client = Client { connection, pipe };
        self.says(&mut client, says);
        let _ = client.pipe.written();
        client
    }

    /// Has a client say lines, all at once.
    pub fn says(&mut self, client: &mut Client, lines: &str) {
        let space = self.work.space(&client.connection, &self.broker, NOW);
        space[..lines.len()].copy_from_slice(lines.as_bytes());
        self.broker.receive(&mut client.connection, &mut self.work, lines.len(), NOW);
    }

    /// What a client hears when it reads on, a few bytes at a time.
    ///
    /// # Panics
    /// It is no text.
    #[must_use]
    pub fn hears(&self, client: &Client) -> String {
        client.pipe.limit(usize::MAX, 5);
        while client.connection.session().queued() > 0 {
            self.broker.flush(client.connection.session());
        }
        String::from_utf8(client.pipe.written()).expect("lines are text")
    }
}
