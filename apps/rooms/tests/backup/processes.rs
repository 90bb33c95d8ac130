//! A bus, a keeper and the commands as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use linebus_client::Builder;
use linebus_testkit::process::Server;
use tempfile::{TempDir, tempdir};

pub(crate) const ROOMS: &str = env!("CARGO_BIN_EXE_rooms");

/// A bus and a folder for files.
pub(crate) struct World {
    pub(crate) bus: Server,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let linebus = Path::new(ROOMS).with_file_name("linebus");
        assert!(linebus.exists(), "a bus is wanted: `cargo build -p linebus`");
        Self { bus: Server::on_free_port(&linebus), folder: tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store.sqlite")
    }

    pub(crate) fn builder(&self) -> Builder {
        Builder::new(self.bus.url().parse().expect("a URL"))
    }

    /// Runs `rooms` with arguments, on this bus.
    pub(crate) fn rooms(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(ROOMS);
        command.args(arguments).env("LINEBUS_URL", self.bus.url());
        command.env("ROOMS_STORE", self.store()).output().expect("the program is there")
    }

    pub(crate) fn keeper(&self) -> Keeper {
        Keeper::spawn(self, Command::new(ROOMS))
    }
}

/// A running `rooms keep`, killed with the value that stands for it.
pub(crate) struct Keeper {
    child: Child,
}

impl Keeper {
    /// Starts a command that becomes `rooms` with the arguments that follow, and waits until it
    /// is ready.
    pub(crate) fn spawn(world: &World, mut command: Command) -> Self {
        command.arg("keep").arg("--store").arg(world.store());
        let child = command.arg("--bus").arg(world.bus.url()).stdin(Stdio::null());
        let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut keeper = Self { child: child.expect("the program is there") };
        let mut line = String::new();
        let output = keeper.child.stdout.as_mut().expect("it is a pipe");
        BufReader::new(output).read_line(&mut line).expect("it prints text");
        if line != "ready\n" {
            let errors = keeper.errors().lines().map_while(Result::ok).collect::<Vec<_>>();
            panic!("the keeper is not ready: {line:?} {errors:?}");
        }
        keeper
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it says on standard error.
    pub(crate) fn errors(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.child.stderr.take().expect("it is taken once"))
    }

    /// SIGKILL: it has no time for anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it speaks UTF-8")
}
