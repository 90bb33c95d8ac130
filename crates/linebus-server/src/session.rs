//! One task per connection: it reads, waits while receivers are behind, writes what others could
//! not, and sees to a decent end.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use linebus_broker::{Bound, Broker, Connection, Fact, Now, Stage, Work};
use linebus_protocol::ByeReason;
use tokio::time::{Sleep, sleep, sleep_until};

use crate::admission::{Admitted, Refused};
use crate::clock::Clock;
use crate::link::{Peer, Reader, Socket, SocketLink};
use crate::logins::{Checked, Logins};
use crate::metrics::Metrics;
use crate::server::Reception;
use crate::workers::Place;

/// How long a client may take to read the goodbye and what stands before it.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long to wait, after the last byte was written, for the client to close. Closing with unread input would make the kernel reset the connection, and the client might
/// never see the goodbye.
const LINGER: Duration = Duration::from_secs(1);

/// How long one session may keep a thread that others want, too. Less and a busy session is
/// handed from thread to thread with every read, away from the cache that holds what it read.
const TURN: Duration = Duration::from_micros(200);

thread_local! {
    /// Buffers of this thread's sessions, which are used only within one poll.
    static WORK: RefCell<Work<SocketLink>> = RefCell::default();
}

/// Serves one connection until its end.
pub(crate) struct SessionTask {
    broker: Arc<Broker<SocketLink>>,
    clock: Clock,
    metrics: Arc<Metrics>,
    reader: Reader,
    connection: Connection<SocketLink>,
    /// For a pause or the end; no memory while neither is the case.
    timer: Option<Pin<Box<Sleep>>>,
    /// Who is there.
    peer: Peer,
    logins: Arc<Logins>,
    /// A login that is being checked.
    login: Option<Pin<Box<dyn Future<Output = Checked> + Send>>>,
    /// Until when it has to log in, where it must.
    login_by: Option<Instant>,
    /// The client has closed, or closed its half.
    eof: bool,
    phase: Phase,
    _place: Place,
    _admission: Option<Result<Admitted, Refused>>,
    /// Lives as long as the task, so that the server can wait for all of them.
    _alive: Alive,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is served.
    Open,
    /// What waits for it is written; nothing is read.
    Draining,
    /// The broker has forgotten it and the stream towards the client has ended; what still comes
    /// is thrown away until the client closes.
    Lingering,
}

/// What every task holds a clone of; when the last one is dropped, all have ended.
pub(crate) type Alive = tokio::sync::mpsc::Sender<()>;
/// The same for what is not waited for.
pub(crate) type WeakAlive = tokio::sync::mpsc::WeakSender<()>;

impl SessionTask {
    /// Takes on a connection. The runtime that is entered is the one that must serve it.
    pub(crate) fn new(
        reception: &Reception,
        socket: Socket,
        peer: Peer,
        place: Place,
        admission: Option<Result<Admitted, Refused>>,
        alive: Alive,
    ) -> io::Result<Self> {
        let Reception { broker, clock, metrics, logins, .. } = reception.clone();
        let (reader, link) = socket.split()?;
        let connection = WORK.with_borrow_mut(|work| {
            let connection = match peer.inside {
                Some(name) => broker.connect_inside(link, name, work, clock.now()),
                None => broker.connect(link, peer.to_string(), work, clock.now()),
            };
            work.facts().for_each(|fact| metrics.note(fact));
            connection
        });
        tracing::debug!(
            id = connection.session().id(),
            address = connection.session().address(),
            certified = peer.certified.as_deref(),
            "connected"
        );
        Ok(Self {
            broker,
            clock,
            metrics,
            reader,
            connection,
            timer: None,
            peer,
            logins,
            login: None,
            login_by: None,
            eof: false,
            phase: Phase::Open,
            _place: place,
            _admission: admission,
            _alive: alive,
        })
    }

    /// Says goodbye at once.
    pub(crate) fn refuse(&self, reason: ByeReason, text: &str) {
        self.broker.close(self.connection.session(), reason, text);
    }

    /// Writes what only this task writes, as far as the socket takes it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let session = self.connection.session();
        while session.is_blocked() || self.reader.holds_unwritten() {
            if ready!(self.reader.poll_write_ready(cx)).is_err() {
                return Poll::Ready(());
            }
            self.reader.flush();
            self.broker.flush(session);
        }
        Poll::Ready(())
    }

    /// Reads once and has it carried out; false at the end of the stream.
    fn poll_read(&mut self, cx: &mut Context<'_>, now: Now) -> Poll<bool> {
        let Self { broker, metrics, reader, connection, .. } = self;
        WORK.with_borrow_mut(|work| {
            let space = work.space(connection, broker, now);
            let received = if connection.holds_lines() {
                0
            } else {
                match ready!(reader.poll_read(cx, space)) {
                    Ok(0) | Err(_) => return Poll::Ready(false),
                    Ok(received) => received,
                }
            };
            let session = Arc::clone(connection.session());
            let receive = || broker.receive(connection, work, received, now);
            if catch_unwind(AssertUnwindSafe(receive)).is_err() {
                tracing::error!(id = session.id(), "a panic ended this session");
                broker.close(&session, ByeReason::Error, ByeReason::Error.meaning());
            }
            work.facts().for_each(|fact| metrics.note(fact));
            Poll::Ready(true)
        })
    }

    /// Reads and throws away, so that the client can finish; ready when it has closed.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 4096];
        match ready!(self.reader.poll_discard(cx, &mut space)) {
            Ok(0) | Err(_) => Poll::Ready(()),
            Ok(_) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    /// Ready when `at` has passed.
    fn poll_timer(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let at = tokio::time::Instant::from_std(at);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        ready!(timer.as_mut().poll(cx));
        self.timer = None;
        Poll::Ready(())
    }

    /// Has an attempt to log in checked, and answers it.
    fn poll_login(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(attempt) = self.connection.take_login() {
            self.login = Some(Box::pin(self.logins.check(attempt, &self.peer)));
        }
        let Some(login) = &mut self.login else { return Poll::Ready(()) };
        let (user, checked) = ready!(login.as_mut().poll(cx));
        self.login = None;
        let Self { broker, connection, logins, metrics, clock, .. } = self;
        WORK.with_borrow_mut(|work| {
            let account = || logins.account(&user);
            broker.finish_login(connection, &user, checked, account, work, clock.now());
            work.facts().for_each(|fact| metrics.note(fact));
        });
        Poll::Ready(())
    }

    /// Ready when the time to log in is over, which ends the session.
    fn poll_login_time(&mut self, cx: &mut Context<'_>, now: Now) -> Poll<()> {
        if !self.connection.session().must_log_in() {
            if self.login_by.take().is_some() {
                self.timer = None;
            }
            return Poll::Pending;
        }
        let by = *self.login_by.get_or_insert_with(|| {
            let timeout = Duration::from_millis(self.broker.limits().login_timeout_ms);
            self.clock.instant(now.elapsed + timeout)
        });
        ready!(self.poll_timer(cx, by));
        let session = self.connection.session();
        self.metrics.note(Fact::Limit { id: session.id(), bound: Bound::LoginTimeout });
        let reason = ByeReason::LoginTimeout;
        self.broker.close(session, reason, reason.meaning());
        Poll::Ready(())
    }

    /// Serves until the client closes or is told goodbye.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let began = self.clock.now();
        let mut now = began;
        while self.connection.session().stage() == Stage::Open {
            if self.connection.is_logging_in() {
                ready!(self.poll_login(cx));
            } else if self.poll_login_time(cx, now).is_ready() {
                break;
            } else if let Some(until) = self.connection.paused_until(&self.broker, now) {
                if self.timer.is_none() {
                    self.metrics.pauses.inc();
                }
                let until = self.clock.instant(until);
                ready!(self.poll_timer(cx, until));
            } else if now.elapsed - began.elapsed > TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            } else if !ready!(self.poll_read(cx, now)) {
                self.eof = true;
                break;
            }
            now = self.clock.now();
        }
        Poll::Ready(())
    }

    /// Lets what waits go out, forgets the connection, and waits for the client to close.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining;
            self.login = None;
            self.broker.leave(&mut self.connection);
            self.timer = Some(Box::pin(sleep(GOODBYE)));
        }
        if self.phase == Phase::Draining && self.connection.session().is_drained() {
            // Others know of it before the client sees the end of the stream.
            let work = &mut Work::default();
            self.broker.announce_end(&self.connection, work, self.clock.now());
            if self.reader.poll_finish(cx).is_ready() {
                self.forget();
                self.timer = Some(Box::pin(sleep(LINGER)));
                if self.eof {
                    return Poll::Ready(());
                }
            }
        }
        let timer = self.timer.as_mut().expect("both phases have one");
        if timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        match self.phase {
            Phase::Lingering => self.poll_discard(cx),
            _ => Poll::Pending,
        }
    }

    /// Has the broker forget the connection, which also ends the stream towards the client.
    fn forget(&mut self) {
        if self.phase != Phase::Lingering {
            self.phase = Phase::Lingering;
            // Not the thread's own buffers: a task may be dropped while its thread ends.
            let work = &mut Work::default();
            self.broker.disconnect(&mut self.connection, work, self.clock.now());
            tracing::debug!(id = self.connection.session().id(), "disconnected");
        }
    }
}

impl Future for SessionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.session().register(cx.waker());
        self.reader.register(cx.waker());
        // Pending means that this task is woken when the socket can write; reading goes on.
        let _ = self.poll_write(cx);
        if !self.eof && self.connection.session().stage() == Stage::Open {
            ready!(self.poll_open(cx));
        }
        if self.phase != Phase::Lingering && self.connection.session().stage() == Stage::Closed {
            return Poll::Ready(()); // the socket failed
        }
        self.poll_end(cx)
    }
}

impl Drop for SessionTask {
    fn drop(&mut self) {
        self.forget();
    }
}
