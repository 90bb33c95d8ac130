//! Two clients that only talk to each other: whatever somebody else does to the bus, they must not
//! feel it.

use crate::process::Server;
use crate::telnet::Telnet;

/// A receiver and a sender, and how many lines went between them.
pub struct Bystanders {
    /// Hears what is sent to `bystanders`, and nothing else.
    pub receiver: Telnet,
    sender: Telnet,
    sent: usize,
}

impl Bystanders {
    /// On an open bus.
    #[must_use]
    pub fn on(server: &Server) -> Self {
        Self::between(server.telnet(), server.telnet())
    }

    /// Two who may send and hear everything.
    #[must_use]
    pub fn between(mut receiver: Telnet, sender: Telnet) -> Self {
        receiver.ask("recv bystanders", "ok recv bystanders");
        Self { receiver, sender, sent: 0 }
    }

    /// Ten lines, each answered by being heard.
    #[track_caller]
    pub fn talk(&mut self) {
        for _ in 0..10 {
            self.sent += 1;
            self.sender.say(&format!("send bystanders {}", self.sent));
            self.receiver.expect(&format!("recv bystanders {}", self.sent));
        }
    }
}
