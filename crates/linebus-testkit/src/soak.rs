//! Soaking: a real server with accounts, whose clients log in, join, send, leave, close, break off
//! and read too slowly, again and again, for minutes or days. Each line that is due must be heard,
//! and what the process holds must not grow.
//!
//! The load is bounded, so that other things can run beside it: whoever has used a share of one
//! processor core waits.

mod cycle;
mod gauge;
mod slow;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use cycle::Cycles;
use gauge::{Gauge, Sample};

use crate::process::{Server, cpu_time};
use crate::rules::{Rules, lists};
use crate::telnet::Telnet;
use crate::users::{self, TestUser};

/// Server and clients together use at most this much of one core, in hundredths.
const SHARE_PERCENT: u32 = 20;
/// How long whoever has used more waits before it looks again.
const PAUSE: Duration = Duration::from_millis(20);
/// Threads that have clients come and go.
const WORKERS: usize = 4;
/// Clients that stay from beginning to end and hear from every worker.
const LISTENERS: usize = 4;
/// How often a slow receiver is made to fall behind.
const SLOW_EVERY: Duration = Duration::from_secs(15);
/// How long the server may take to forget those who have gone, at the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody's password.
const PASSWORD: &str = "pw";
/// Who may hear nothing that ends in `.b` of what workers send.
const HALF_DEAF: &str = "half-deaf";

/// What was done so far.
#[derive(Default)]
struct Done {
    cycles: AtomicUsize,
    /// Lines heard that were due, each counted for every receiver.
    lines: AtomicUsize,
    /// Receivers that were cut off as they should be.
    slow: AtomicUsize,
}

/// What workers share.
struct Soak {
    server: Server,
    begin: Instant,
    done: Done,
}

/// Soaks a server of this binary for so long, and prints a table.
///
/// # Panics
/// A line is lost, or out of order, or heard by somebody who must not hear it; or memory or
/// descriptors grow, or something is left of those who have gone.
pub fn soak(binary: &Path, time: Duration) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let soak =
        Soak { server: start(binary, folder.path()), begin: Instant::now(), done: Done::default() };
    let mut admin = soak.enter("admin");
    let descriptors = soak.server.descriptors();
    let gauge = std::thread::scope(|scope| soak.run(scope, &mut admin, time));
    soak.expect_rest(&mut admin, descriptors);
    gauge.judge();
    println!("nothing was lost, nothing grew, nothing is left");
}

fn start(binary: &Path, folder: &Path) -> Server {
    let all = || lists(&[">"], &[]);
    let not_b = lists(&[">"], &["soak.*.*.b"]);
    let user = |name: &str, see: bool, recv| {
        TestUser::new(name, PASSWORD, Rules { send: all(), recv, see })
    };
    let everybody = [
        user("admin", true, all()),
        user("alice", true, all()),
        user("bob", true, all()),
        user(HALF_DEAF, false, not_b),
    ];
    users::write(folder, &everybody);
    let text = format!(
        "users = \"users.toml\"\nlog = \"error\"\n\
         [limits]\noutbox_soft_bytes = {}\noutbox_hard_bytes = {}\ndrain_ms = 20\n",
        slow::OUTBOX_SOFT_BYTES,
        slow::OUTBOX_HARD_BYTES,
    );
    Server::configured(binary, folder, &text)
}

impl Soak {
    fn run<'s, 'e>(
        &'e self,
        scope: &'s Scope<'s, 'e>,
        admin: &mut Telnet,
        time: Duration,
    ) -> Gauge {
        let listeners: Vec<_> = (0..LISTENERS)
            .map(|_| {
                let mut listener = self.enter("alice");
                listener.ask("recv news.>", "ok recv news.>");
                scope.spawn(move || cycle::listen(&mut listener))
            })
            .collect();
        let (mut stops, mut workers) = (Vec::new(), Vec::new());
        for worker in 0..WORKERS {
            let stop = stop(&mut stops);
            workers.push(scope.spawn(move || {
                let mut cycles = Cycles::new(self, worker);
                while self.may_go_on(&stop, PAUSE) {
                    cycles.play();
                }
                cycles.played()
            }));
        }
        let stop = stop(&mut stops);
        let slow = scope.spawn(move || {
            while self.may_go_on(&stop, SLOW_EVERY) {
                slow::fall_behind(self);
            }
        });
        let mut gauge = Gauge::new(time);
        while gauge
            .waits(|| workers.iter().any(ScopedJoinHandle::is_finished) || slow.is_finished())
        {
            gauge.take(self.sample(admin));
        }
        drop(stops);
        let news: Vec<_> =
            workers.into_iter().map(|worker| worker.join().expect("nothing is lost")).collect();
        slow.join().expect("a slow receiver is told so");
        admin.say("send news.end end");
        for listener in listeners {
            let heard: Vec<_> = listener.join().expect("nothing is lost");
            assert_eq!(heard, news, "listeners heard so many lines of each worker");
            self.done.lines.fetch_add(heard.iter().sum(), Ordering::Relaxed);
        }
        gauge
    }

    /// A client that has logged in.
    fn enter(&self, user: &str) -> Telnet {
        let mut client = self.server.telnet();
        client.ask(&format!("login {user} {PASSWORD}"), &format!("ok login {user}"));
        client
    }

    /// Waits, at least as long as the load is beyond its bound; false when it is time to stop.
    fn may_go_on(&self, stop: &Receiver<()>, mut pause: Duration) -> bool {
        loop {
            match stop.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) if self.is_over_its_share() => pause = PAUSE,
                Err(RecvTimeoutError::Timeout) => return true,
                _ => return false,
            }
        }
    }

    fn is_over_its_share(&self) -> bool {
        let used = cpu_time(self.server.id()) + cpu_time(std::process::id());
        used * 100 > self.begin.elapsed() * SHARE_PERCENT
    }

    fn sample(&self, admin: &mut Telnet) -> Sample {
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        Sample {
            elapsed: self.begin.elapsed(),
            memory: self.server.memory(),
            descriptors: self.server.descriptors(),
            threads: self.server.threads(),
            sessions: list(admin, "who").len(),
            cpu: cpu_time(self.server.id()),
            cycles: count(&self.done.cycles),
            lines: count(&self.done.lines),
            slow: count(&self.done.slow),
        }
    }

    /// When all have gone, nothing is left of them but memory for those who come next.
    fn expect_rest(&self, admin: &mut Telnet, descriptors: usize) {
        let (begin, (_never, wait)) = (Instant::now(), channel::<()>());
        loop {
            let left = (list(admin, "who"), list(admin, "topics"), self.server.descriptors());
            if left.0.len() == 1 && left.1.is_empty() && left.2 <= descriptors {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "all have gone, and left are {left:?}; at the beginning {descriptors} descriptors"
            );
            assert_eq!(wait.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout));
        }
    }
}

/// Something to wait on that ends when `stops` does.
fn stop(stops: &mut Vec<Sender<()>>) -> Receiver<()> {
    let (sender, receiver) = channel();
    stops.push(sender);
    receiver
}

/// The lines of an answer that is a list.
fn list(client: &mut Telnet, command: &str) -> Vec<String> {
    client.say(command);
    let verb = command.split(' ').next().unwrap_or(command);
    let mut lines = Vec::new();
    loop {
        let line = client.hear().expect("the server answers");
        if line.starts_with(&format!("ok {verb} ")) {
            return lines;
        }
        lines.push(line);
    }
}
