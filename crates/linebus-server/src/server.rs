//! From the first connection to the last: accepting, and the end.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use linebus_broker::{Broker, Limits, Stats, Work};
use linebus_protocol::ByeReason;
use linebus_record as record;
use parking_lot::RwLock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::admission::{Admission, Admitted, Doorkeeper, NotAdmitted, Refused};
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{Control, Controls};
use crate::link::{Peer, Socket, SocketLink};
use crate::listener::{Listener, Listeners};
use crate::logins::Logins;
use crate::metrics::Metrics;
use crate::recording::Recording;
use crate::reload::Reloader;
use crate::session::{Alive, SessionTask, WeakAlive};
use crate::tls::Tls;
use crate::workers::{Place, Workers};

/// How long accepting pauses when the system has no file descriptor or memory for one more.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection's place among all of them, or why it has none.
type Entry = Result<Admitted, (Refused, NotAdmitted)>;

/// What every part of a server shares.
#[derive(Clone)]
pub(crate) struct Server {
    reception: Reception,
    workers: Arc<Workers>,
    alive: Alive,
}

/// What it takes to make a session of a connection. Nothing here keeps a thread or the end
/// waiting, so that it may wait itself, for a handshake.
#[derive(Clone)]
pub(crate) struct Reception {
    pub(crate) broker: Arc<Broker<SocketLink>>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) logins: Arc<Logins>,
    doorkeeper: Arc<Doorkeeper>,
    pub(crate) admission: Arc<RwLock<Admission>>,
    /// Everybody was told goodbye; who comes now is, too.
    stopping: Arc<AtomicBool>,
}

/// Serves until `controls` ask for the end: then nobody is accepted any more, everyone is told,
/// what waits is written for as long as the configuration allows, and everyone is told goodbye.
///
/// Needs a tokio runtime with IO and time, on which it accepts; connections are served by threads
/// of their own. Listeners are closed and the threads have ended when it returns.
///
/// # Errors
/// When the system does not give the threads.
pub async fn run(listeners: Listeners, config: &Config, mut controls: Controls) -> io::Result<()> {
    let workers = Arc::new(Workers::start(config.threads())?);
    let (alive, mut all_ended) = mpsc::channel(1);
    let tls = listeners.tls;
    let recorded = listeners.recorder.as_ref().map(|recorder| Arc::clone(recorder.counts()));
    let reception = Reception::new(tls.clone(), Arc::clone(&controls.log_lines_lost), recorded);
    let Reception { broker, metrics, clock, stopping, .. } = reception.clone();
    let mut reloader = Reloader::new(
        controls.source.take(),
        config.clone(),
        listeners.users,
        reception.clone(),
        tls.clone(),
    );
    let server = Server { reception, workers: Arc::clone(&workers), alive };
    let (inside, mut inside_ended) = mpsc::channel(1);
    let recording = listeners.recorder.map(|recorder| {
        let topics = config.record.topics.clone();
        Recording::start(recorder, topics, Server { alive: inside, ..server.clone() })
    });
    let recording = recording.transpose()?;
    let mut accepting = JoinSet::new();
    let mut watching = JoinSet::new();
    watching.spawn(publish_stats(Arc::clone(&broker), clock, Arc::clone(&metrics)));
    if let Some(http) = listeners.http {
        tracing::info!(address = %http.address(), "listening for HTTP");
        watching.spawn(http.serve(Arc::clone(&metrics)));
    }
    for listener in listeners.lines {
        tracing::info!(%listener, "listening");
        accepting.spawn(server.clone().accept(listener));
    }
    drop(server);
    if let Some(tls) = tls {
        watching.spawn(warn_of_expiry(tls));
    }
    let mut second = every_second();
    loop {
        let control = tokio::select! {
            control = controls.next() => control,
            _ = second.tick() => {
                reloader.watch();
                continue;
            }
        };
        match control {
            Control::Shutdown => break,
            Control::LameDuck => {
                metrics.close("lame duck");
                accepting.shutdown().await;
                lame_duck(&broker, reloader.config(), clock, &mut controls).await;
                break;
            }
            Control::Reload => reloader.reload(),
            Control::NextRecordFile => recording.iter().for_each(Recording::next_file),
        }
    }
    metrics.close("stopping");
    accepting.shutdown().await;
    tracing::info!(sessions = broker.sessions(), "shutting down");
    stopping.store(true, Ordering::SeqCst);
    broker.note_all("shutdown", "the bus stops", &mut Work::default(), clock.now());
    broker.close_all(ByeReason::Shutdown, ByeReason::Shutdown.meaning());
    let drain = Duration::from_millis(reloader.config().shutdown_drain_ms);
    if timeout(drain, all_ended.recv()).await.is_err() {
        tracing::warn!(sessions = broker.sessions(), "some receivers did not read in time");
    }
    // Now that nobody says anything any more.
    broker.close_inside(ByeReason::Shutdown, ByeReason::Shutdown.meaning());
    let _ = timeout(drain, inside_ended.recv()).await;
    recording.into_iter().for_each(Recording::finish);
    drop(workers);
    metrics.renew_quotas();
    Ok(())
}

/// Has the broker say how busy it is, once a second while somebody wants to hear it.
async fn publish_stats(broker: Arc<Broker<SocketLink>>, clock: Clock, metrics: Arc<Metrics>) {
    let (mut stats, mut work) = (Stats::default(), Work::default());
    let mut second = every_second();
    loop {
        second.tick().await;
        stats.tick(&broker, &mut work, clock.now());
        work.facts().for_each(|fact| metrics.note(fact));
        metrics.renew_quotas();
    }
}

/// Has the log say every day when the certificate ends.
async fn warn_of_expiry(tls: Arc<Tls>) {
    loop {
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        tls.log_expiry();
    }
}

fn every_second() -> Interval {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    second
}

/// Says goodbye to one after the other; returns when all were told, or at once when asked to stop.
async fn lame_duck(
    broker: &Broker<SocketLink>,
    config: &Config,
    clock: Clock,
    controls: &mut Controls,
) {
    let mut sessions = broker.clients();
    let over = Duration::from_millis(config.lame_duck_ms);
    tracing::info!(sessions = sessions.len(), ?over, "lame duck: nobody is accepted any more");
    let text = format!("the bus stops within {} s; connect to another one", over.as_secs().max(1));
    broker.note_all("lame-duck", &text, &mut Work::default(), clock.now());
    let began = tokio::time::Instant::now();
    let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX).max(1);
    for number in 1..=count {
        let at = began + over.mul_f64(f64::from(number) / f64::from(count));
        tokio::select! {
            () = shutdown(controls) => return,
            () = sleep_until(at) => {}
        }
        if let Some(session) = sessions.pop() {
            broker.close(&session, ByeReason::Shutdown, ByeReason::Shutdown.meaning());
        }
    }
}

/// Returns when the end is asked for; what else is asked no longer matters.
async fn shutdown(controls: &mut Controls) {
    while controls.next().await != Control::Shutdown {}
}

impl Server {
    /// A connection to a part of this server itself: it may hear everything and say nothing, and
    /// counts in no limit.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub(crate) fn connect_inside(&self, name: &'static str) -> io::Result<UnixStream> {
        let (socket, inside) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        let peer = Peer { address: None, encrypted: false, certified: None, inside: Some(name) };
        let place = self.workers.place();
        let runtime = place.runtime.clone();
        let _entered = runtime.enter();
        let (socket, alive) = (Socket::Unix(socket), self.alive.clone());
        let session = SessionTask::new(&self.reception, socket, peer, place, None, alive)?;
        runtime.spawn(session);
        Ok(inside)
    }

    async fn accept(self, listener: Listener) {
        let mut paused: Option<Instant> = None;
        loop {
            match listener.accept().await {
                Ok((socket, peer)) => {
                    if let Some(since) = paused.take() {
                        let after = since.elapsed();
                        tracing::warn!(%listener, ?after, "accepting again");
                    }
                    let Some(entry) = self.reception.admit(&peer) else { continue };
                    let place = self.workers.place();
                    let runtime = place.runtime.clone();
                    let _entered = runtime.enter();
                    if let Socket::Tls(..) = socket {
                        let alive = self.alive.downgrade();
                        let reception = self.reception.clone();
                        runtime.spawn(reception.shake_hands(socket, peer, place, entry, alive));
                    } else {
                        self.reception.serve(socket, peer, place, entry, self.alive.clone());
                    }
                }
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    if paused.is_none() {
                        tracing::warn!(%listener, %error, "accepting pauses; others are not disturbed");
                        paused = Some(Instant::now());
                        self.reception.metrics.accept_pauses.inc();
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Reception {
    /// For a bus on which nothing counts yet but defaults.
    fn new(
        tls: Option<Arc<Tls>>,
        log_lines_lost: Arc<AtomicU64>,
        recorded: Option<Arc<record::Counts>>,
    ) -> Self {
        let broker = Arc::new(Broker::new(Limits::default()));
        Self {
            metrics: Arc::new(Metrics::new(Arc::clone(&broker), tls, log_lines_lost, recorded)),
            broker,
            clock: Clock::start(),
            logins: Arc::default(),
            doorkeeper: Arc::default(),
            admission: Arc::default(),
            stopping: Arc::default(),
        }
    }

    /// Whether there is room for another connection; nothing if there is none even to say so.
    fn admit(&self, peer: &Peer) -> Option<Entry> {
        let now = self.clock.now().elapsed;
        let ip = peer.address.map(|address| address.ip());
        match self.doorkeeper.admit(ip, &self.admission.read(), now) {
            Ok(admitted) => Some(Ok(admitted)),
            Err(why) => {
                self.metrics.refuse(why, peer);
                self.doorkeeper.refuse().map(|refused| Err((refused, why)))
            }
        }
    }

    /// Serves a connection on the entered runtime, or tells it that there is no room.
    fn serve(&self, socket: Socket, peer: Peer, place: Place, entry: Entry, alive: Alive) {
        let why_not = entry.as_ref().err().map(|(_, why)| *why);
        let admission = entry.map_err(|(refused, _)| refused);
        let session = match SessionTask::new(self, socket, peer, place, Some(admission), alive) {
            Ok(session) => session,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be served");
                return;
            }
        };
        self.metrics.accepted.inc();
        if let Some(why) = why_not {
            session.refuse(ByeReason::Busy, &why.to_string());
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
        entry: Entry,
        alive: WeakAlive,
    ) {
        match socket.shake_hands(&mut peer).await {
            Ok(socket) => {
                if let Some(alive) = alive.upgrade() {
                    self.serve(socket, peer, place, entry, alive);
                }
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "no TLS came about");
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
