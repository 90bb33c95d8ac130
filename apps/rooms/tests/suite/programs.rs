//! The programs that tests start: the bus, and `rooms` with a subcommand that runs on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use linebus_testkit::process::{Server, signal};
use linebus_testkit::telnet::Telnet;
use rustix::process::Signal;

use crate::ROOMS;

/// The bus's program, which is beside ours.
pub(crate) fn linebus() -> PathBuf {
    let binary = Path::new(ROOMS).with_file_name("linebus");
    let shown = binary.display();
    assert!(binary.exists(), "{shown} is missing; build it first: cargo build -p linebus");
    binary
}

/// A bus on a free port.
pub(crate) fn bus() -> Server {
    Server::on_free_port(&linebus())
}

/// The folder of room files that comes with the program.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("example")
}

/// `rooms` with these arguments.
pub(crate) fn rooms(arguments: &[&str]) -> Command {
    let mut command = Command::new(ROOMS);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A program that said `ready`, killed with the value that stands for it.
pub(crate) struct Program {
    child: Child,
    /// What it said before.
    pub(crate) said: Vec<String>,
    /// Open, so that it can go on speaking.
    _output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).expect("text"), 0, "it ended: {said:?}");
            match line.trim() {
                "ready" => return Self { child, said, _output: output },
                line => said.push(line.to_owned()),
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, wanted: Signal) {
        signal(&self.child, wanted);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// So many times `alive`, five seconds each, nothing that is waited for takes.
const ALIVE_MAX: usize = 6;

/// Hears facts until one begins so, and gives it.
#[track_caller]
pub(crate) fn until(person: &mut Telnet, wanted: &str) -> String {
    until_all(person, &[wanted]).pop().expect("it has been heard")
}

/// Hears facts until all of these have come, in any order; gives all that it heard.
#[track_caller]
pub(crate) fn until_all(person: &mut Telnet, wanted: &[&str]) -> Vec<String> {
    let mut wanted = wanted.to_vec();
    let (mut heard, mut alive) = (Vec::new(), 0);
    while !wanted.is_empty() {
        let line = person.hear().expect("the bus lives");
        let fact = line.strip_prefix("recv rooms ").unwrap_or(&line).to_owned();
        wanted.retain(|wanted| !fact.starts_with(wanted));
        alive += usize::from(fact.starts_with("alive"));
        heard.push(fact);
        assert!(alive < ALIVE_MAX, "{wanted:?} did not come, but {heard:#?}");
    }
    heard
}
