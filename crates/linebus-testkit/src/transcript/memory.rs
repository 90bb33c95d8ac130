//! A stage without sockets: the broker alone, in this thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use linebus_broker::{Broker, Connection, Gone, Link, LoginRefused, Now, Stage as End, Work};

use super::{Client, Setting, Stage};
use crate::users::TestUser;

/// The broker, and the buffers of its one thread.
pub struct Memory {
    shared: Rc<Shared>,
}

struct Shared {
    broker: Broker<Pipe>,
    work: RefCell<Work<Pipe>>,
    users: Vec<TestUser>,
}

impl Shared {
    fn user(&self, name: &str) -> Option<&TestUser> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Answers all attempts to log in.
    fn answer_logins(&self, connection: &mut Connection<Pipe>, work: &mut Work<Pipe>) {
        while let Some(attempt) = connection.take_login() {
            let user = self.user(&attempt.user);
            let password = attempt.password.as_deref();
            let right = user.is_some_and(|user| Some(user.password.as_str()) == password);
            let checked = right.then_some(()).ok_or(LoginRefused::Wrong);
            let account = || user.map(|user| user.rules.account(&user.name));
            self.broker.finish_login(connection, &attempt.user, checked, account, work, NOW);
            while connection.holds_lines() && !connection.is_logging_in() {
                let _ = work.space(connection, &self.broker, NOW);
                self.broker.receive(connection, work, 0, NOW);
            }
        }
    }
}

/// A link that is never full.
struct Pipe(Sender<Vec<u8>>);

impl Link for Pipe {
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        self.0.send(bytes.to_vec()).map_err(|_| Gone)?;
        Ok(bytes.len())
    }
}

/// The time stands still: 2013-02-03.
const NOW: Now = Now { elapsed: Duration::ZERO, unix_us: 1_359_849_600_000_000 };

impl Memory {
    /// A bus like this.
    #[must_use]
    pub fn new(setting: &Setting) -> Self {
        let broker = Broker::new(setting.limits.clone());
        let users = setting.users.clone();
        let shared = Shared { broker, work: RefCell::default(), users };
        let work = &mut Work::default();
        let account = |name: &str| shared.user(name).map(|user| user.rules.account(name));
        shared.broker.set_accounts(!shared.users.is_empty(), account, work, NOW);
        Self { shared: Rc::new(shared) }
    }
}

impl Stage for Memory {
    fn connect(&mut self) -> Box<dyn Client> {
        let (sender, output) = channel();
        let work = &mut *self.shared.work.borrow_mut();
        let connection = self.shared.broker.connect(Pipe(sender), "memory", work, NOW);
        let shared = Rc::clone(&self.shared);
        Box::new(MemoryClient { shared, connection, output, unread: Vec::new() })
    }
}

struct MemoryClient {
    shared: Rc<Shared>,
    connection: Connection<Pipe>,
    output: Receiver<Vec<u8>>,
    unread: Vec<u8>,
}

impl Client for MemoryClient {
    fn send(&mut self, mut bytes: &[u8]) {
        let work = &mut *self.shared.work.borrow_mut();
        while !bytes.is_empty() {
            let space = work.space(&self.connection, &self.shared.broker, NOW);
            let (now, later) = bytes.split_at(bytes.len().min(space.len()));
            space[..now.len()].copy_from_slice(now);
            bytes = later;
            self.shared.broker.receive(&mut self.connection, work, now.len(), NOW);
            self.shared.answer_logins(&mut self.connection, work);
        }
        let session = Arc::clone(self.connection.session());
        self.shared.broker.flush(&session);
        if session.stage() != End::Open {
            self.shared.broker.disconnect(&mut self.connection, work, NOW);
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        self.shared.broker.flush(self.connection.session());
        self.unread.extend(self.output.try_iter().flatten());
        if self.unread.is_empty() && self.connection.session().stage() == End::Closed {
            return None;
        }
        let end = self.unread.iter().position(|b| *b == b'\n').expect("a line is there");
        let rest = self.unread.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.unread, rest);
        line.pop();
        Some(line)
    }

    fn close(&mut self) {
        let work = &mut *self.shared.work.borrow_mut();
        self.shared.broker.disconnect(&mut self.connection, work, NOW);
    }
}
