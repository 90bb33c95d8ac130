//! A real server as a process of its own, ended with the value that stands for it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};

use crate::telnet::Telnet;

/// A running `linebus serve`.
pub struct Server {
    child: Child,
    /// Its TCP addresses, in the order given.
    pub addresses: Vec<SocketAddr>,
    /// Its TLS addresses.
    pub tls_addresses: Vec<SocketAddr>,
    /// Where it shows its metrics, if it does.
    pub http: Option<SocketAddr>,
}

impl Server {
    /// Starts `binary serve` with `arguments` and waits until it is ready.
    #[must_use]
    pub fn start(binary: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary);
        command.arg("serve").args(arguments);
        Self::spawn(command)
    }

    /// Starts it on a free loopback port.
    #[must_use]
    pub fn on_free_port(binary: &Path) -> Self {
        Self::start(binary, &["--listen", "127.0.0.1:0"])
    }

    /// Starts it on a free loopback port with a configuration, which is written into `folder`.
    #[must_use]
    pub fn configured(binary: &Path, folder: &Path, text: &str) -> Self {
        Self::spawn(Self::configured_command(binary, folder, text))
    }

    /// The same, not yet run.
    #[must_use]
    pub fn configured_command(binary: &Path, folder: &Path, text: &str) -> Command {
        let file = folder.join("linebus.toml");
        std::fs::write(&file, text).expect("a temporary folder can be written");
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(file);
        command
    }

    /// Runs a command that becomes a server, and waits until it says `ready`.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let (mut addresses, mut tls_addresses, mut http) = (Vec::new(), Vec::new(), None);
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        for line in output.lines() {
            let line = line.expect("the server prints text");
            if let Some(address) = line.strip_prefix("listening tcp ") {
                addresses.push(address.parse().expect("the server prints addresses"));
            }
            if let Some(address) = line.strip_prefix("listening tls ") {
                tls_addresses.push(address.parse().expect("the server prints addresses"));
            }
            if let Some(address) = line.strip_prefix("listening http ") {
                http = Some(address.parse().expect("the server prints addresses"));
            }
            if line == "ready" {
                return Self { child, addresses, tls_addresses, http };
            }
        }
        let status = child.wait().expect("it is a child");
        panic!("the server ended before it was ready: {status}");
    }

    /// Its first TCP address as a bus URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("linebus://{}", self.addresses[0])
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A connection to its first TCP address.
    #[must_use]
    pub fn telnet(&self) -> Telnet {
        Telnet::connect(self.addresses[0])
    }

    /// Another one of somebody who has logged in with the password `secret`.
    #[must_use]
    pub fn login(&self, user: &str) -> Telnet {
        let mut client = self.telnet();
        client.ask(&format!("login {user} secret"), &format!("ok login {user}"));
        client
    }

    /// Waits until something is so; a ping's round trip is the pace. Nobody needs to log in there: who
    /// has not may not ping for long.
    pub fn until(&self, is_so: impl Fn() -> bool) {
        let mut pace = self.telnet();
        while !is_so() {
            assert_eq!(pace.barrier(), Vec::<String>::new());
        }
    }

    /// Its memory that is in use now, in bytes (`VmRSS`, proc_pid_status(5)).
    #[must_use]
    pub fn memory(&self) -> usize {
        self.status("VmRSS:")
    }

    /// The most memory that it ever used, in bytes (`VmHWM`).
    #[must_use]
    pub fn memory_peak(&self) -> usize {
        self.status("VmHWM:")
    }

    /// How many threads it has.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.status("Threads:")
    }

    /// How many file descriptors it has open.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        let folder = std::fs::read_dir(format!("/proc/{}/fd", self.id()));
        folder.expect("it is running").count()
    }

    /// A number in its `/proc/PID/status`, sizes in bytes.
    fn status(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("it is running");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is listed");
        let (number, unit) = match line.trim().strip_suffix(" kB") {
            Some(number) => (number, 1 << 10),
            None => (line.trim(), 1),
        };
        number.parse::<usize>().expect("it is a number") * unit
    }

    /// Its standard error, if the command that was spawned made it a pipe.
    pub fn take_errors(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        crate::process::signal(&self.child, signal);
    }

    /// Ends it decently: it writes what it still has to.
    pub fn end(mut self) {
        self.signal(Signal::TERM);
        assert!(self.wait().success(), "exit 0");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }
}

/// Sends a signal to a process that was started here and not waited for.
///
/// # Panics
/// There is no such process.
pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it is our child");
}

/// The processor time that a process has used so far, in ticks of the clock, mostly 10 ms
/// (proc_pid_stat(5)).
///
/// # Panics
/// There is no such process.
#[must_use]
pub fn cpu_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it is running");
    // The second field is a name in brackets and may contain anything; the next is the third.
    let (_, fields) = stat.rsplit_once(')').expect("the name has an end");
    let times = fields.split_whitespace().skip(14 - 3).take(2);
    let ticks: u64 = times.map(|time| time.parse::<u64>().expect("a number of ticks")).sum();
    Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second()).expect("a few hundred")
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
