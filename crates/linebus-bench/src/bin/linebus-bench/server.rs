//! The servers that are compared: how each is started, when it is ready, and that it ends.
//!
//! Each runs as its packager ships it, on loopback, without persistence, and with limits raised where they would make
//! it drop messages in silence. Nothing is tuned beyond that, in either direction.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use linebus_bench::{Protocol, Target, Tls};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::setup::{self, Setup};

/// A server must accept connections by then.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    /// linebus.
    Linebus,
    /// nats-server.
    Nats,
    /// redis-server, its publish and subscribe.
    Redis,
    /// Mosquitto, MQTT 3.1.1 with QoS 0.
    Mosquitto,
    /// The blind relay of this program.
    Relay,
}

impl Server {
    /// All, in the order of tables and charts.
    pub(crate) const ALL: [Server; 5] =
        [Server::Linebus, Server::Nats, Server::Redis, Server::Mosquitto, Server::Relay];

    /// As people call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Server::Linebus => "linebus",
            Server::Nats => "NATS",
            Server::Redis => "Redis",
            Server::Mosquitto => "Mosquitto",
            Server::Relay => "blind relay",
        }
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Server::Linebus => Protocol::Linebus,
            Server::Nats => Protocol::Nats,
            Server::Redis => Protocol::Resp,
            Server::Mosquitto => Protocol::Mqtt,
            Server::Relay => Protocol::Relay,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no server is skipped");
        f.pad(value.get_name())
    }
}

/// How a server is to run.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The linebus binary.
    pub(crate) linebus: PathBuf,
    /// Threads for linebus; the others choose by the cores they may use.
    pub(crate) threads: usize,
    /// Cores it may use, as taskset(1) lists them.
    pub(crate) cores: String,
    /// What it is told besides.
    pub(crate) setup: Setup,
}

/// A server that accepts connections; ended when dropped.
pub(crate) struct Running {
    child: Child,
    target: Target,
    /// Its configuration, its log, its working folder.
    _folder: TempDir,
}

impl Running {
    /// Starts `server` and waits until it is ready.
    pub(crate) fn start(server: Server, setting: &Setting) -> Result<Running> {
        let folder = TempDir::with_prefix("linebus-bench-")?;
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut target = Target::new(server.protocol(), address);
        if setting.setup == Setup::Encrypted {
            target.tls = Some(Tls::trusting(&setup::write_certificate(folder.path())?)?);
        }
        if let Setup::Accounts(rules) = setting.setup {
            target.login = Some(setup::write_users(folder.path(), rules)?);
        }
        let mut command = command(server, setting, folder.path(), port)?;
        let log = folder.path().join("log");
        command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("cannot start {server}"))?;
        target.pid = Some(child.id());
        let mut running = Running { child, target, _folder: folder };
        let ready = match server {
            Server::Linebus | Server::Relay => running.read_address(),
            Server::Nats | Server::Redis | Server::Mosquitto => running.try_address(),
        };
        ready.with_context(|| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("{server} did not get ready; its last words:\n{}", tail(&log))
        })?;
        Ok(running)
    }

    /// What the library measures.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// For servers that print `listening tcp ADDR` or `listening tls ADDR`, and `ready`.
    fn read_address(&mut self) -> Result<()> {
        let stdout = self.child.stdout.take().context("its output is piped")?;
        let (lines, printed) = mpsc::channel();
        // Reads on to the end of the server's life, so that a full pipe never stops it.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        let deadline = Instant::now() + READY_WITHIN;
        let mut address = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = printed.recv_timeout(left).context("it never printed `ready`")?;
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["listening", "tcp" | "tls", word] = words[..] {
                address = Some(word.parse().context("it listens on no address")?);
            } else if words == ["ready"] {
                self.target.address = address.context("it printed `ready` and no address")?;
                return Ok(());
            }
        }
    }

    /// For servers that say nothing reliable: until a connection is accepted.
    fn try_address(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            if TcpStream::connect(self.target.address).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        bail!("nobody accepts connections on {}", self.target.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line, behind two small programs of util-linux that end it when this thread ends, however that happens,
/// and keep it on its cores.
fn command(server: Server, setting: &Setting, folder: &Path, port: u16) -> Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "--cpu-list", &setting.cores]);
    let port = port.to_string();
    match server {
        Server::Linebus => {
            let file = folder.join("linebus.toml");
            fs::write(&file, setup::linebus_toml(setting.setup, setting.threads))?;
            command.arg(&setting.linebus).args(["serve", "--config"]).arg(file);
        }
        Server::Relay => {
            command.arg(std::env::current_exe()?).arg("relay");
        }
        Server::Nats => {
            command.arg(installed(server)?).args(["--addr", "127.0.0.1", "--port", &port]);
            if setting.setup == Setup::Encrypted {
                let file = folder.join("nats.conf");
                fs::write(&file, setup::nats_conf())?;
                command.arg("--config").arg(file);
            }
        }
        Server::Redis => {
            command.arg(installed(server)?).args(["--bind", "127.0.0.1", "--port", &port]);
            command.args(["--save", "", "--appendonly", "no"]);
        }
        Server::Mosquitto => {
            let file = folder.join("mosquitto.conf");
            fs::write(&file, mosquitto_conf(&port))?;
            command.arg(installed(server)?).arg("-c").arg(file);
        }
    }
    Ok(command)
}

/// The limits on queues are per receiver; numbers rather than 0, which some versions read as "nothing at all"
/// (eclipse-mosquitto issue 3244). `user` takes effect only for root, who could not read the folder otherwise.
fn mosquitto_conf(port: &str) -> String {
    format!(
        "listener {port} 127.0.0.1\n\
         allow_anonymous true\n\
         persistence false\n\
         max_queued_messages 10000000\n\
         max_queued_bytes 0\n\
         max_inflight_messages 0\n\
         set_tcp_nodelay true\n\
         sys_interval 0\n\
         log_dest stderr\n\
         log_type error\n\
         log_type warning\n\
         user root\n"
    )
}

/// Where a third party's server is. Debian puts some into /usr/sbin, which not everybody's PATH has.
fn installed(server: Server) -> Result<PathBuf> {
    let (program, package) = match server {
        Server::Nats => ("nats-server", "nats-server"),
        Server::Redis => ("redis-server", "redis-server"),
        Server::Mosquitto => ("mosquitto", "mosquitto"),
        Server::Linebus | Server::Relay => bail!("{server} is no third party's"),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| anyhow!("{program} is not installed: apt-get install {package}, or leave it out of --servers"))
}

/// What the server says of its version.
pub(crate) fn version(server: Server, linebus: &Path) -> Result<String> {
    let (program, argument) = match server {
        Server::Relay => return Ok(format!("of linebus-bench {}", env!("CARGO_PKG_VERSION"))),
        Server::Linebus => (linebus.to_owned(), "--version"),
        Server::Mosquitto => (installed(server)?, "-h"),
        Server::Nats | Server::Redis => (installed(server)?, "--version"),
    };
    let output = Command::new(&program)
        .arg(argument)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    let number = line.split([' ', '=']).find(|word| {
        let digits = word.trim_start_matches('v');
        digits.starts_with(|letter: char| letter.is_ascii_digit())
    });
    Ok(number.unwrap_or("unknown").trim_start_matches('v').to_owned())
}

/// A port that was free a moment ago. Another program may take it in between; then the server ends and the run says so.
fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
