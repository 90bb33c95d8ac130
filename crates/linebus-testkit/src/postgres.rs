//! A Postgres of its own for a test program, from Debian's package, with nothing kept for good.
//!
//! A shell stands between: it does what it reads, and when there is nothing more to read, because
//! the value was dropped or the test program has ended however it may, it stops the server and
//! removes the folder. So a `static` may hold it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use rustix::process::getuid;

/// Does what it is told, a word a line, and answers each with the exit code.
const KEEPER: &str = r#"
trap '' PIPE  # nobody may be there any more to be answered
cd "$FOLDER" || exit
stop() { kill -QUIT "$pid" && wait "$pid"; pid=; }
while read -r word port; do
    case "$word" in
    make)
        initdb --pgdata=data --username=postgres --auth=trust --no-sync --locale=C.UTF-8 \
            --encoding=UTF8 --no-instructions >>log && cp hba data/pg_hba.conf
        ;;
    start)
        postgres -D data -k "$FOLDER" -p "$port" </dev/null >>log &
        pid=$!
        until pg_isready --quiet --host="$FOLDER" --port="$port"; do
            kill -0 "$pid" || break
            sleep 0.02
        done
        kill -0 "$pid"
        ;;
    stop) stop ;;
    esac
    echo $?
done 2>>log
[ -z "$pid" ] || stop
cd / && rm -rf "$FOLDER"
"#;

/// Who may come in: `locked` with its password, everybody else without one.
const WHO: &str = "\
host all locked 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
local all all trust
";

/// What a server needs that is thrown away, and listens here only.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
max_connections = 200
";

/// A running server.
pub struct Postgres {
    port: u16,
    folder: PathBuf,
    keeper: Mutex<Keeper>,
}

struct Keeper {
    child: Child,
    /// None when it is to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// Starts one, empty.
    ///
    /// # Panics
    /// There is no Postgres (`cargo xtask setup` installs it), or it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("postgres-").tempdir();
        let folder = folder.expect("a temporary folder can be made").keep();
        std::fs::write(folder.join("hba"), WHO).expect("a temporary folder can be written");
        let mut keeper = Keeper::start(&folder);
        keeper.tell("make", &folder);
        let settings = folder.join("data/postgresql.auto.conf");
        std::fs::write(settings, SETTINGS).expect("a temporary folder can be written");
        let port = (0..5).map(|_| free_port()).find(|port| keeper.tells(&format!("start {port}")));
        let port = port.unwrap_or_else(|| panic!("no start: {}", said(&folder)));
        Self { port, folder, keeper: Mutex::new(keeper) }
    }

    /// Makes an empty database; its address.
    #[must_use]
    pub fn database(&self, name: &str) -> String {
        self.run("postgres", &format!("CREATE DATABASE \"{name}\""));
        self.address(name)
    }

    /// The address of a database, whether there is one or not.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a statement in a database.
    ///
    /// # Panics
    /// It fails.
    pub fn run(&self, database: &str, statement: &str) {
        let output = Command::new(binaries().join("psql"))
            .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement])
            .arg(self.address(database))
            .output()
            .expect("psql is there with the server");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {said}");
    }

    /// Stops it at once, as when its machine fails: connections are cut off.
    ///
    /// # Panics
    /// It does not run.
    pub fn stop(&self) {
        self.keeper().tell("stop", &self.folder);
    }

    /// Starts it again, at the same address and with the same databases.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&self) {
        self.keeper().tell(&format!("start {}", self.port), &self.folder);
    }

    fn keeper(&self) -> std::sync::MutexGuard<'_, Keeper> {
        self.keeper.lock().expect("nobody panics with it")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}

impl Keeper {
    fn start(folder: &Path) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        if getuid().is_root() {
            // Postgres refuses to be run by root.
            let status = Command::new("chown").args(["-R", "postgres:"]).arg(folder).status();
            assert!(status.is_ok_and(|status| status.success()), "Debian's user is there");
            command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
        }
        command.args(["-c", KEEPER]);
        command.env("FOLDER", folder).env("PATH", format!("{}:{path}", binaries().display()));
        // What a terminal sends to the tests must not end it before them.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell can be run");
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self { child, orders, answers }
    }

    /// Says whether it did it.
    fn tells(&mut self, order: &str) -> bool {
        let orders = self.orders.as_mut().expect("it is not to end yet");
        writeln!(orders, "{order}").expect("the shell listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the shell answers with text");
        answer.trim() == "0"
    }

    fn tell(&mut self, order: &str, folder: &Path) {
        assert!(self.tells(order), "{order}: {}", said(folder));
    }
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// Where Debian has the newest version's programs.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let versions = versions.expect("Postgres is installed: `cargo xtask setup`");
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .expect("Postgres is installed: `cargo xtask setup`");
    Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin")
}

/// Below those that the system gives to whoever asks for any, so that it is still free when the server
/// starts again.
fn free_port() -> u16 {
    std::iter::repeat_with(|| fastrand::u16(10_000..32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}
