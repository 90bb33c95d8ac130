//! A bus, keepers and the commands as processes of their own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};

use linebus_client::Builder;
use linebus_testkit::process::{Server, signal};
use rustix::process::Signal;
use tempfile::{TempDir, tempdir};

use crate::ROOMS;
use crate::programs::linebus;

/// A bus and a folder for files.
pub(super) struct World {
    /// Ended when it is replaced.
    pub(super) bus: Option<Server>,
    pub(super) url: String,
    pub(super) folder: TempDir,
}

impl World {
    /// With a bus on a free port.
    pub(super) fn new() -> Self {
        let bus = Server::on_free_port(&linebus());
        Self { url: bus.url(), bus: Some(bus), folder: tempdir().expect("a folder") }
    }

    /// With a bus on a free port that is configured.
    pub(super) fn configured(config: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempdir().expect("a folder");
        let bus = Server::configured(&linebus(), folder.path(), &config(folder.path()));
        Self { url: bus.url(), bus: Some(bus), folder }
    }

    /// With a bus that is not there yet: a socket in the folder, so that its place stays its own.
    pub(super) fn without_bus() -> Self {
        let folder = tempdir().expect("a folder");
        let url = format!("unix:{}", folder.path().join("bus").display());
        Self { bus: None, url, folder }
    }

    /// Starts the bus of [`World::without_bus`].
    pub(super) fn start_bus(&mut self) {
        let socket = self.path("bus");
        let socket = socket.to_str().expect("a temporary folder's name is text");
        self.bus = Some(Server::start(&linebus(), &["--unix", socket]));
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn store(&self) -> PathBuf {
        self.path("store.sqlite")
    }

    pub(super) fn builder(&self) -> Builder {
        Builder::new(self.url.parse().expect("a URL"))
    }

    /// Runs `rooms` with arguments, on this bus.
    pub(super) fn rooms(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(ROOMS);
        command.args(arguments).env("LINEBUS_URL", &self.url);
        command.env("ROOMS_STORE", self.store()).output().expect("the program is there")
    }

    /// A keeper that is ready.
    pub(super) fn keeper(&self) -> Keeper {
        let mut keeper = Keeper::spawn(&self.url, &self.store(), Command::new(ROOMS));
        keeper.until_ready();
        keeper
    }
}

/// A running `rooms keep`, killed with the value that stands for it.
pub(super) struct Keeper {
    child: Child,
    output: BufReader<ChildStdout>,
    errors: BufReader<ChildStderr>,
}

impl Keeper {
    /// Starts a command that becomes `rooms` with the arguments that follow.
    pub(super) fn spawn(url: &str, store: &Path, mut command: Command) -> Self {
        command.arg("keep").arg("--store").arg(store).args(["--bus", url]);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program is there");
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
        Self { child, output, errors }
    }

    /// Waits until owners can reach it.
    pub(super) fn until_ready(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it prints text");
        if line != "ready\n" {
            let errors: Vec<_> = self.errors.by_ref().lines().map_while(Result::ok).collect();
            panic!("the keeper is not ready: {line:?} {errors:?}");
        }
    }

    /// Waits until it tells people something, and returns the whole line.
    pub(super) fn until_told(&mut self, part: &str) -> String {
        let mut lines = self.errors.by_ref().lines().map(|line| line.expect("it prints text"));
        lines.find(|line| line.contains(part)).unwrap_or_else(|| panic!("it never told {part:?}"))
    }

    pub(super) fn child(&self) -> &Child {
        &self.child
    }

    /// SIGKILL: it has no time for anything.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// SIGTERM, and how it ended.
    pub(super) fn end(mut self) -> ExitStatus {
        signal(&self.child, Signal::TERM);
        self.child.wait().expect("it is our child")
    }

    /// The most memory that it ever used, in KiB (proc_pid_status(5)).
    pub(super) fn memory_peak_kib(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it is running");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.expect("it is listed").trim().strip_suffix(" kB").expect("its unit");
        kib.parse().expect("a number")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
