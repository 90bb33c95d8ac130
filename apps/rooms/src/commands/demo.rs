//! `rooms demo`: everything together, for looking at.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::bus::block_on;

/// Start a bus, six simulated rooms, the interface process, the keeper and the panels, on free ports.
///
/// Two rooms stand side by side on one page, for trying both ends. Each part is a process of its own:
/// end one and see what the others say. Ctrl-C ends all of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where room files, database and logs go; without it a temporary folder, which is removed.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Where browsers connect; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// Where people, permissions and the history are kept; without it a file in the folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// How many times faster than the world the devices are.
    #[arg(long, value_name = "F", default_value = "1")]
    speed: String,
}

/// The six rooms.
const ROOMS: [(&str, &str); 6] = [
    ("lisbon.toml", include_str!("../../demo/lisbon.toml")),
    ("nairobi.toml", include_str!("../../demo/nairobi.toml")),
    ("oslo.toml", include_str!("../../demo/oslo.toml")),
    ("sao-paulo.toml", include_str!("../../demo/sao-paulo.toml")),
    ("toronto.toml", include_str!("../../demo/toronto.toml")),
    ("vienna.toml", include_str!("../../demo/vienna.toml")),
];
/// The two that stand side by side.
const SIDE_BY_SIDE: [&str; 2] = ["vienna", "lisbon"];
/// A part that is told to end has so long.
const END_WITHIN: Duration = Duration::from_secs(8);

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let temporary;
    let folder = match &args.folder {
        Some(folder) => folder.as_path(),
        None => {
            temporary = tempfile::Builder::new().prefix("rooms-demo-").tempdir()?;
            temporary.path()
        }
    };
    let rooms = folder.join("rooms");
    std::fs::create_dir_all(&rooms)
        .with_context(|| format!("{} can't be made", rooms.display()))?;
    for (name, text) in ROOMS {
        let file = rooms.join(name);
        // Somebody may have changed it in an earlier demonstration.
        if !file.exists() {
            std::fs::write(&file, text).with_context(|| file.display().to_string())?;
        }
    }
    block_on(play(args, folder, &rooms))?;
    Ok(ExitCode::SUCCESS)
}

async fn play(args: &Args, folder: &Path, rooms: &Path) -> anyhow::Result<()> {
    // Heard from now on, so that no part is left behind.
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let us = std::env::current_exe()?;
    let rooms = rooms.to_str().context("the folder's name is no text")?;
    let path = |name: &str| folder.join(name).display().to_string();
    let part = |name: &'static str, program: &Path, arguments: &[&str]| {
        Part::start(name, program, arguments, &folder.join(format!("{name}.log")))
    };
    let bus = part("bus", &linebus(&us), &["serve", "--listen", "127.0.0.1:0"])?;
    let address = bus.said("listening tcp ")?.to_owned();
    let url = format!("linebus://{address}");
    let play =
        ["simulate", "--rooms", rooms, "--base-port", "0", "--speed", &args.speed, "--bus", &url];
    let simulator = part("simulator", &us, &play)?;
    let base = simulator.first_port()?.to_string();
    let state = path("state");
    let devices =
        ["devices", "--rooms", rooms, "--simulated", &base, "--state", &state, "--bus", &url];
    let keeper = part("keeper", &us, &["keep", "--store", &path("keeper.db"), "--bus", &url])?;
    let devices = part("devices", &us, &devices)?;
    let database = args.database.clone().unwrap_or_else(|| format!("sqlite:{}", path("panel.db")));
    let demo = SIDE_BY_SIDE.join(",");
    let panel = [
        "panel",
        "--rooms",
        rooms,
        "--listen",
        &args.listen,
        "--demo",
        &demo,
        "--database",
        &database,
        "--bus",
        &url,
    ];
    let panel = part("panel", &us, &panel)?;
    let web = panel.said("listening http ")?.to_owned();
    let login = match panel.said("administrator admin, password for one use: ") {
        Ok(password) => format!("name admin, password {password} (for one use)"),
        Err(_) => "with the password that you chose".to_owned(),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "Two rooms side by side  http://{web}/demo")?;
    writeln!(out, "The administration      http://{web}/admin  {login}")?;
    writeln!(out, "The bus                 telnet {}", address.replace(':', " "))?;
    writeln!(out, "Room files and logs     {}", folder.display())?;
    writeln!(out, "Ctrl-C ends all of it.\nready")?;
    drop(out);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    for part in [panel, devices, keeper, simulator, bus] {
        part.end();
    }
    Ok(())
}

/// The bus's program: beside ours, or where programs are.
fn linebus(us: &Path) -> PathBuf {
    let beside = us.with_file_name("linebus");
    if beside.exists() { beside } else { PathBuf::from("linebus") }
}

/// A process of its own, ended with the value that stands for it.
struct Part {
    name: &'static str,
    child: Child,
    said: Vec<String>,
    /// Open, so that it can go on speaking.
    _output: BufReader<ChildStdout>,
}

impl Part {
    /// Starts it and waits until it is ready.
    fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        log: &Path,
    ) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt;
        let errors = File::create(log).with_context(|| log.display().to_string())?;
        let mut child = Command::new(program)
            .args(arguments)
            // What this process was started with is not for its parts.
            .env_remove("LINEBUS_URL")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| {
                format!("{} can't be started; build or install it beside `rooms`", program.display())
            })?;
        let output = child.stdout.take().context("it has no output")?;
        let mut part = Self { name, child, said: Vec::new(), _output: BufReader::new(output) };
        loop {
            let mut line = String::new();
            if part._output.read_line(&mut line)? == 0 {
                let errors = std::fs::read_to_string(log).unwrap_or_default();
                bail!("{name} did not start: {}", errors.trim());
            }
            match line.trim_end() {
                "ready" => return Ok(part),
                line => part.said.push(line.to_owned()),
            }
        }
    }

    /// What it said after these words.
    fn said(&self, words: &str) -> anyhow::Result<&str> {
        let said = self.said.iter().find_map(|line| line.strip_prefix(words));
        said.with_context(|| format!("{} did not say {words:?}", self.name))
    }

    /// The lowest port that a simulator has said.
    fn first_port(&self) -> anyhow::Result<u16> {
        let ports = self.said.iter().filter_map(|line| line.rsplit(':').next()?.parse().ok());
        ports.min().with_context(|| format!("{} has said no port", self.name))
    }

    /// Tells it to end, and waits; what does not end in time is killed.
    fn end(mut self) {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let by = Instant::now() + END_WITHIN;
        while Instant::now() < by {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
