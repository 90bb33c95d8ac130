//! From the first connection to the last: accepting, and the end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use linebus_broker::{Broker, Work};
use linebus_protocol::ByeReason;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::config::Config;
use crate::link::{Peer, Socket, SocketLink};
use crate::listener::{Listener, Listeners};
use crate::session::{Alive, SessionTask, WeakAlive};
use crate::workers::{Place, Workers};

/// How long accepting pauses when the system has no file descriptor or memory for one more.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every part of a server shares.
#[derive(Clone)]
struct Server {
    reception: Reception,
    workers: Arc<Workers>,
    alive: Alive,
}

/// What it takes to make a session of a connection. Nothing here keeps a thread or the end
/// waiting, so that it may wait itself, for a handshake.
#[derive(Clone)]
struct Reception {
    broker: Arc<Broker<SocketLink>>,
    clock: Clock,
    connections_max: usize,
    /// Everybody was told goodbye; who comes now is, too.
    stopping: Arc<AtomicBool>,
}

/// Serves until `shutdown` is ready: then nobody is accepted any more, everyone is told, what
/// waits is written for as long as the configuration allows, and everyone is told goodbye.
///
/// Needs a tokio runtime with IO and time, on which it accepts; connections are served by threads
/// of their own. Listeners are closed and the threads have ended when it returns.
///
/// # Errors
/// When the system does not give the threads.
pub async fn run(
    listeners: Listeners,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let workers = Arc::new(Workers::start(config.threads())?);
    let (alive, mut all_ended) = mpsc::channel(1);
    let reception = Reception {
        broker: Arc::new(Broker::new(config.limits.clone())),
        clock: Clock::start(),
        connections_max: config.connections_max,
        stopping: Arc::default(),
    };
    let Reception { broker, clock, stopping, .. } = reception.clone();
    let server = Server { reception, workers: Arc::clone(&workers), alive };
    let mut accepting = JoinSet::new();
    for listener in listeners.0 {
        tracing::info!(%listener, "listening");
        accepting.spawn(server.clone().accept(listener));
    }
    drop(server);
    shutdown.await;
    accepting.shutdown().await;
    tracing::info!(sessions = broker.sessions(), "shutting down");
    stopping.store(true, Ordering::SeqCst);
    broker.note_all("shutdown", "the bus stops", &mut Work::default(), clock.now());
    broker.close_all(ByeReason::Shutdown, ByeReason::Shutdown.meaning());
    let drain = Duration::from_millis(config.shutdown_drain_ms);
    if timeout(drain, all_ended.recv()).await.is_err() {
        tracing::warn!(sessions = broker.sessions(), "some receivers did not read in time");
    }
    drop(workers);
    Ok(())
}

impl Server {
    async fn accept(self, listener: Listener) {
        let mut paused: Option<Instant> = None;
        loop {
            match listener.accept().await {
                Ok((socket, peer)) => {
                    if let Some(since) = paused.take() {
                        let after = since.elapsed();
                        tracing::warn!(%listener, ?after, "accepting again");
                    }
                    let full = self.workers.load() >= self.reception.connections_max;
                    let place = self.workers.place();
                    let runtime = place.runtime.clone();
                    let _entered = runtime.enter();
                    if let Socket::Tls(..) = socket {
                        let alive = self.alive.downgrade();
                        let reception = self.reception.clone();
                        runtime.spawn(reception.shake_hands(socket, peer, place, full, alive));
                    } else {
                        self.reception.serve(socket, peer, place, full, self.alive.clone());
                    }
                }
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    if paused.is_none() {
                        tracing::warn!(%listener, %error, "accepting pauses; others are not disturbed");
                        paused = Some(Instant::now());
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Reception {
    /// Serves a connection on the entered runtime, or tells it that there is no room.
    fn serve(&self, socket: Socket, peer: Peer, place: Place, full: bool, alive: Alive) {
        let broker = Arc::clone(&self.broker);
        let session = match SessionTask::new(broker, self.clock, socket, peer, place, alive) {
            Ok(session) => session,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be served");
                return;
            }
        };
        if full {
            let max = self.connections_max;
            let text = format!("all {max} connections are taken; try again later");
            session.refuse(ByeReason::Busy, &text);
        } else if self.stopping.load(Ordering::SeqCst) {
            session.refuse(ByeReason::Shutdown, ByeReason::Shutdown.meaning());
        }
        tokio::spawn(session);
    }

    /// Serves a connection once TLS is up. Until then the end does not wait for it.
    async fn shake_hands(
        self,
        socket: Socket,
        mut peer: Peer,
        place: Place,
        full: bool,
        alive: WeakAlive,
    ) {
        match socket.shake_hands(&mut peer).await {
            Ok(socket) => {
                if let Some(alive) = alive.upgrade() {
                    self.serve(socket, peer, place, full, alive);
                }
            }
            Err(error) => {
                tracing::debug!(address = peer.address, %error, "no TLS came about");
            }
        }
    }
}

/// Whether accepting failed because of the one connection, which is gone with it (accept(2)).
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}
